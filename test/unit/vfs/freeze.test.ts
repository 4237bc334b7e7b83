/** Frozen file systems: who waits, for whom a freeze waits, in which order file systems hear of it, who may not go. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import {
  createFsSync,
  EAGAIN,
  EBUSY,
  EIO,
  type FileSystemType,
  type FolioFs,
  FS_MEMORY,
  FS_REQUIRES_DEV,
  ramfs,
  restoreFsSync,
  type SuperBlock,
  tmpfs,
} from "../../../src/index.ts";
import {
  endWrite,
  freeze,
  freezeAsync,
  freezeSuper,
  SB_FREEZE_FS,
  SB_FREEZE_PAGEFAULT,
  SB_FREEZE_WRITE,
  startWrite,
  thaw,
  thawSuper,
} from "../../../src/store.ts";
import { SB_FREEZE_COMPLETE, SB_UNFROZEN } from "../../../src/wasm/layout.ts";

let log: string[];
let answers: Record<string, number>;
let sb: SuperBlock;
let fs: FolioFs;

const tell = (what: string) => (of: SuperBlock) => {
  log.push(`${what} ${of.frozen}`);
  return answers[what] ?? 0;
};

/** A file system in memory that can be frozen. */
const freezable: FileSystemType = {
  ...ramfs,
  name: "freezable",
  superOps: {
    ...ramfs.superOps,
    syncFs: tell("syncFs"),
    freezeFs: tell("freezeFs"),
    unfreezeFs: tell("unfreezeFs"),
    putSuper: (of) => void log.push(`putSuper ${of.frozen}`),
  },
  fillSuper: (made, data) => {
    sb = made;
    return ramfs.fillSuper(made, data, "");
  },
};
const onDevice: FileSystemType = { ...freezable, name: "ondevice", fsFlags: FS_MEMORY | FS_REQUIRES_DEV };

beforeEach(() => {
  log = [];
  answers = {};
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [freezable, onDevice] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "freezable", target: "/m" });
  for (const name of ["a", "b", "c"]) fs.writeFileSync(`/m/${name}`, name.repeat(10));
  fs.mkdirSync("/m/dir");
  fs.symlinkSync("a", "/m/link");
});

type Call = (on: FolioFs, fd: number) => unknown;
const buffer = Buffer.from("new");

/** Calls that change something, by name, each synchronous and as a promise. */
const CHANGES: Record<string, [sync: Call, promise: Call]> = {
  write: [(f, fd) => f.writeSync(fd, buffer), (f, fd) => written(f, fd, buffer)],
  "write of a text": [(f, fd) => f.writeSync(fd, "text"), (f, fd) => written(f, fd, "text")],
  "write of nothing": [(f, fd) => f.writeSync(fd, ""), (f, fd) => written(f, fd, Buffer.alloc(0))],
  "write at a place": [(f, fd) => f.writeSync(fd, buffer, 0, 3, 5000), (f, fd) => written(f, fd, buffer, 5000)],
  writev: [(f, fd) => f.writevSync(fd, [buffer, buffer]), (f, fd) => called((done) => f.writev(fd, [buffer], done))],
  ftruncate: [(f, fd) => f.ftruncateSync(fd, 3), (f, fd) => called((done) => f.ftruncate(fd, 3, done))],
  futimes: [(f, fd) => f.futimesSync(fd, 1, 1), (f, fd) => called((done) => f.futimes(fd, 1, 1, done))],
  fchmod: [(f, fd) => f.fchmodSync(fd, 0o600), (f, fd) => called((done) => f.fchmod(fd, 0o600, done))],
  truncate: [(f) => f.truncateSync("/m/a", 1), (f) => f.promises.truncate("/m/a", 1)],
  "open with O_TRUNC": [(f) => f.closeSync(f.openSync("/m/a", "w")), (f) => closed(f.promises.open("/m/a", "w"))],
  "open of a new file": [(f) => f.closeSync(f.openSync("/m/x", "wx")), (f) => closed(f.promises.open("/m/x", "wx"))],
  "writeFile over a file": [(f) => f.writeFileSync("/m/a", "new"), (f) => f.promises.writeFile("/m/a", "new")],
  "writeFile of a new one": [(f) => f.writeFileSync("/m/x", "new"), (f) => f.promises.writeFile("/m/x", "new")],
  appendFile: [(f) => f.appendFileSync("/m/a", "more"), (f) => f.promises.appendFile("/m/a", "more")],
  copyFile: [(f) => f.copyFileSync("/m/a", "/m/x"), (f) => f.promises.copyFile("/m/a", "/m/x")],
  mkdir: [(f) => f.mkdirSync("/m/x"), (f) => f.promises.mkdir("/m/x")],
  "mkdir -p": [
    (f) => f.mkdirSync("/m/x/y", { recursive: true }),
    (f) => f.promises.mkdir("/m/x/y", { recursive: true }),
  ],
  mkdtemp: [(f) => f.mkdtempSync("/m/t"), (f) => f.promises.mkdtemp("/m/t")],
  rmdir: [(f) => f.rmdirSync("/m/dir"), (f) => f.promises.rmdir("/m/dir")],
  unlink: [(f) => f.unlinkSync("/m/a"), (f) => f.promises.unlink("/m/a")],
  rm: [(f) => f.rmSync("/m/dir", { recursive: true }), (f) => f.promises.rm("/m/dir", { recursive: true })],
  rename: [(f) => f.renameSync("/m/a", "/m/x"), (f) => f.promises.rename("/m/a", "/m/x")],
  "rename over": [(f) => f.renameSync("/m/a", "/m/b"), (f) => f.promises.rename("/m/a", "/m/b")],
  link: [(f) => f.linkSync("/m/a", "/m/x"), (f) => f.promises.link("/m/a", "/m/x")],
  symlink: [(f) => f.symlinkSync("a", "/m/x"), (f) => f.promises.symlink("a", "/m/x")],
  chmod: [(f) => f.chmodSync("/m/a", 0o600), (f) => f.promises.chmod("/m/a", 0o600)],
  chown: [(f) => f.chownSync("/m/a", 5, 5), (f) => f.promises.chown("/m/a", 5, 5)],
  lchown: [(f) => f.lchownSync("/m/link", 5, 5), (f) => f.promises.lchown("/m/link", 5, 5)],
  utimes: [(f) => f.utimesSync("/m/a", 1, 1), (f) => f.promises.utimes("/m/a", 1, 1)],
  lutimes: [(f) => f.lutimesSync("/m/link", 1, 1), (f) => f.promises.lutimes("/m/link", 1, 1)],
};

function called(call: (done: (error: unknown, value?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}
function written(on: FolioFs, fd: number, data: Buffer | string, position?: number): Promise<unknown> {
  if (typeof data === "string") return called((done) => on.write(fd, data, done));
  return called((done) => on.write(fd, data, 0, data.length, position ?? null, done));
}
async function closed(handle: Promise<{ close(): Promise<void> }>): Promise<void> {
  await (await handle).close();
}

/** All that can be seen of the file system. */
function look(on: FolioFs): unknown {
  return on.readdirSync("/m").map((name) => {
    const { mode, uid, size, nlink, mtimeMs } = on.lstatSync(`/m/${name}`);
    return [name, mode, uid, size, nlink, mtimeMs];
  });
}

describe("calls on a frozen file system", () => {
  it.each(Object.keys(CHANGES))("%s: EAGAIN, or waits for the thaw", async (name) => {
    const [sync, promise] = CHANGES[name];
    const fd = fs.openSync("/m/c", "r+");
    const before = look(fs);
    freeze(fs.kernel, "/m");
    assert.throws(() => sync(fs, fd), { code: "EAGAIN" });
    let isDone = false;
    const waits = Promise.resolve(promise(fs, fd)).then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(isDone, false);
    assert.deepEqual(look(fs), before);
    fs.kernel.verify();
    thaw(fs.kernel, "/m");
    await waits;
    if (name !== "write of nothing") assert.notDeepEqual(look(fs), before);
    fs.closeSync(fd);
    fs.kernel.verify();
  });

  it("that only look go on, without access times", () => {
    fs.utimesSync("/m/a", 1, 2);
    freeze(fs.kernel, "/m");
    assert.equal(fs.readFileSync("/m/a", "utf8"), "aaaaaaaaaa");
    assert.equal(fs.statSync("/m/a").atimeMs, 1000);
    assert.deepEqual(fs.readdirSync("/m").length, 5);
    assert.equal(fs.readlinkSync("/m/link"), "a");
    fs.accessSync("/m/a", fs.constants.W_OK);
    const fd = fs.openSync("/m/a", "r+"); // to write later
    assert.throws(() => fs.writeSync(fd, "x"), { code: "EAGAIN" });
    fs.fsyncSync(fd);
    thaw(fs.kernel, "/m");
    assert.equal(fs.writeSync(fd, "x"), 1);
    fs.closeSync(fd);
    fs.readFileSync("/m/a");
    assert.notEqual(fs.statSync("/m/a").atimeMs, 1000);
  });

  it("go on in the order in which they came, and others are not held up", async () => {
    const order: string[] = [];
    freeze(fs.kernel, "/m");
    const waiting = ["1", "2", "3"].map(async (text) => {
      await fs.promises.appendFile("/m/a", text);
      order.push(text);
    });
    fs.writeFileSync("/elsewhere", "at once");
    await fs.promises.writeFile("/elsewhere", "at once, too");
    assert.deepEqual(order, []);
    thaw(fs.kernel, "/m");
    await Promise.all(waiting);
    assert.deepEqual(order, ["1", "2", "3"]);
    assert.equal(fs.readFileSync("/m/a", "utf8"), "aaaaaaaaaa123");
  });

  it("wait again when it is frozen again", async () => {
    freeze(fs.kernel, "/m");
    const waits = fs.promises.writeFile("/m/x", "text");
    thaw(fs.kernel, "/m");
    freeze(fs.kernel, "/m");
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(fs.existsSync("/m/x"), false);
    thaw(fs.kernel, "/m");
    await waits;
    assert.equal(fs.readFileSync("/m/x", "utf8"), "text");
  });

  it("may be given up", async () => {
    freeze(fs.kernel, "/m");
    const { signal, abort } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort() };
    })();
    const waits = fs.promises.writeFile("/m/a", "text", { signal });
    abort();
    thaw(fs.kernel, "/m");
    await assert.rejects(waits, { name: "AbortError" });
    fs.kernel.verify();
  });

  it("are EROFS at once where it is read-only anyway", () => {
    fs.kernel.mount({ target: "/m", data: "ro", flags: 32 });
    log.length = 0; // what the remount has written
    freeze(fs.kernel, "/m");
    assert.throws(() => fs.writeFileSync("/m/a", "x"), { code: "EROFS" });
    assert.throws(() => fs.mkdirSync("/m/x"), { code: "EROFS" });
    assert.throws(() => freeze(fs.kernel, "/m"), { code: "EBUSY" });
    thaw(fs.kernel, "/m");
    assert.deepEqual(log, []);
    fs.kernel.verify();
  });
});

describe("freeze and thaw", () => {
  it("tell the file system when writers hold still, and after", () => {
    freeze(fs.kernel, "/m/dir");
    assert.deepEqual(log.splice(0), [`syncFs ${SB_FREEZE_PAGEFAULT}`, `freezeFs ${SB_FREEZE_FS}`]);
    assert.equal(sb.frozen, SB_FREEZE_COMPLETE);
    thaw(fs.kernel, "/m/a");
    assert.deepEqual(log, [`unfreezeFs ${SB_FREEZE_COMPLETE}`]);
    assert.equal(sb.frozen, SB_UNFROZEN);
  });

  it("are EBUSY twice, EINVAL without", () => {
    assert.throws(() => thaw(fs.kernel, "/m"), { code: "EINVAL", syscall: "fsthaw", path: "/m" });
    freeze(fs.kernel, "/m");
    assert.throws(() => freeze(fs.kernel, "/m"), { code: "EBUSY", syscall: "fsfreeze", path: "/m" });
    thaw(fs.kernel, "/m");
    assert.throws(() => thaw(fs.kernel, "/m"), { code: "EINVAL" });
  });

  it("are for file systems that can, and for root", () => {
    assert.throws(() => freeze(fs.kernel, "/"), { code: "ENOTSUP", errno: -95 });
    assert.throws(() => thaw(fs.kernel, "/"), { code: "EINVAL" });
    assert.throws(() => freeze(fs.kernel, "/missing"), { code: "ENOENT" });
    const user = fs.kernel.task({ uid: 1000 });
    assert.throws(() => freeze(user.kernel, "/m"), { code: "EPERM" });
    assert.throws(() => thaw(user.kernel, "/m"), { code: "EPERM" });
    const { vfs } = fs.kernel;
    const root = [...vfs.superBlocks()].find(({ type }) => type === tmpfs) as SuperBlock;
    assert.equal(freezeSuper(root), 0); // as for a suspend: by the kernel any can be
    assert.throws(() => fs.writeFileSync("/x", ""), { code: "EAGAIN" });
    assert.equal(thawSuper(root), 0);
    fs.writeFileSync("/x", "");
  });

  it("leave everything as it was when the file system refuses", async () => {
    for (const what of ["syncFs", "freezeFs"]) {
      answers = { [what]: -EIO };
      assert.throws(() => freeze(fs.kernel, "/m"), { code: "EIO" });
      await assert.rejects(freezeAsync(fs.kernel, "/m"), { code: "EIO" });
      assert.equal(sb.frozen, SB_UNFROZEN);
      fs.writeFileSync("/m/a", what);
    }
    answers = { freezeFs: -EBUSY };
    assert.throws(() => freeze(fs.kernel, "/m"), { code: "EBUSY" });
    fs.writeFileSync("/m/a", "still");
    answers = {};
    freeze(fs.kernel, "/m");
    answers = { unfreezeFs: -EIO };
    assert.throws(() => thaw(fs.kernel, "/m"), { code: "EIO" });
    assert.throws(() => fs.writeFileSync("/m/a", "x"), { code: "EAGAIN" });
    answers = {};
    thaw(fs.kernel, "/m");
    fs.kernel.verify();
  });

  it.each([SB_FREEZE_WRITE, SB_FREEZE_PAGEFAULT, SB_FREEZE_FS])("wait for writers of level %i", async (level) => {
    assert.equal(startWrite(sb, level), 0);
    assert.equal(startWrite(sb, level), 0);
    assert.throws(() => freeze(fs.kernel, "/m"), { code: "EAGAIN" });
    fs.writeFileSync("/m/a", "a freeze that has failed holds nobody up");
    let isDone = false;
    const freezing = freezeAsync(fs.kernel, "/m").then(() => {
      isDone = true;
    });
    assert.throws(() => fs.writeFileSync("/m/a", "x"), { code: "EAGAIN" });
    assert.throws(() => thaw(fs.kernel, "/m"), { code: "EINVAL" });
    assert.throws(() => freeze(fs.kernel, "/m"), { code: "EBUSY" });
    const begun: number[] = [];
    for (const other of [SB_FREEZE_WRITE, SB_FREEZE_PAGEFAULT, SB_FREEZE_FS]) {
      assert.equal(startWrite(sb, other), other <= level ? -EAGAIN : 0);
      if (other > level) begun.push(other);
    }
    endWrite(sb, level);
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(isDone, false);
    endWrite(sb, level);
    for (const other of begun) endWrite(sb, other);
    await freezing;
    assert.equal(sb.frozen, SB_FREEZE_COMPLETE);
    thaw(fs.kernel, "/m");
    fs.kernel.verify();
  });

  it("wait for a store that is not ready", async () => {
    let open = (): void => {};
    let isReady = false;
    const token = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow: FileSystemType = {
      ...freezable,
      name: "slow",
      superOps: {
        ...freezable.superOps,
        freezeFs: ({ kernel }) => {
          if (isReady) return 0;
          kernel.setWaitToken(token);
          return -EAGAIN;
        },
      },
    };
    fs.kernel.registerFileSystem(slow);
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: "slow", target: "/s" });
    assert.throws(() => freeze(fs.kernel, "/s"), { code: "EAGAIN" });
    fs.writeFileSync("/s/a", "");
    const freezing = freezeAsync(fs.kernel, "/s");
    assert.throws(() => fs.writeFileSync("/s/a", ""), { code: "EAGAIN" });
    isReady = true;
    open();
    await freezing;
    thaw(fs.kernel, "/s");
    fs.writeFileSync("/s/a", "");
  });
});

describe("a frozen file system", () => {
  it("is not remounted, but its mounts may be", () => {
    freeze(fs.kernel, "/m");
    assert.throws(() => fs.kernel.mount({ target: "/m", data: "ro", flags: 32 }), { code: "EBUSY" });
    fs.kernel.mount({ target: "/m", data: "noexec", flags: 32 | 4096 });
    thaw(fs.kernel, "/m");
  });

  it("keeps its last mount where nobody could thaw it through another", () => {
    fs.mkdirSync("/n");
    fs.kernel.mount({ source: "/m", target: "/n", flags: 4096 });
    freeze(fs.kernel, "/m");
    fs.kernel.umount("/n");
    assert.throws(() => fs.kernel.umount("/m"), { code: "EBUSY" });
    assert.throws(() => fs.kernel.umount("/m", { detach: true }), { code: "EBUSY" });
    fs.kernel.verify();
    thaw(fs.kernel, "/m");
    fs.kernel.umount("/m");
    assert.equal(log.at(-1), "putSuper 0");
  });

  it("outlives its last mount where the next one finds it", () => {
    fs.mkdirSync("/d");
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/d" });
    fs.writeFileSync("/d/file", "text");
    freeze(fs.kernel, "/d");
    fs.kernel.umount("/d");
    fs.kernel.verify();
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/d" });
    assert.throws(() => fs.writeFileSync("/d/file", "x"), { code: "EAGAIN" });
    fs.kernel.umount("/d");
    assert.equal(thawSuper(sb), 0);
    assert.equal(log.at(-1), "putSuper 0");
    fs.kernel.verify();
  });

  it("is thawed in snapshots and forks, with its writers forgotten", async () => {
    fs.mkdirSync("/d");
    fs.kernel.mount({ type: "ondevice", source: "/dev/x", target: "/d" });
    freeze(fs.kernel, "/d");
    fs.kernel.umount("/d");
    const plain = fs.kernel.snapshot();
    freeze(fs.kernel, "/m");
    assert.deepEqual(Buffer.compare(fs.kernel.snapshot(), plain), 0);
    for (const copy of [restoreFsSync(fs.kernel.snapshot(), { types: [freezable, onDevice] }), fs.kernel.fork().fs]) {
      copy.kernel.verify();
      copy.writeFileSync("/m/a", "thawed");
      assert.equal(copy.kernel.vmstat().nr_super_blocks, 2);
      copy.kernel.destroy();
    }
    assert.throws(() => fs.writeFileSync("/m/a", "thawed"), { code: "EAGAIN" });
    const waits = fs.promises.writeFile("/m/a", "after the rollback");
    fs.kernel.restore(plain);
    await waits;
    assert.equal(fs.readFileSync("/m/a", "utf8"), "after the rollback");
    fs.kernel.verify();
  });

  it("lets those who wait fail when the kernel ends", async () => {
    freeze(fs.kernel, "/m");
    const waits = fs.promises.writeFile("/m/a", "x");
    fs.kernel.destroy();
    await assert.rejects(waits, { code: "ERR_INVALID_STATE" });
  });
});
