/** Freezing of file systems with a store: what is dirty reaches it first, writers under way end, and nothing else does. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, it } from "vitest";
import { Shelf, shelffs } from "../../../examples/shelffs.ts";
import {
  createFsSync,
  EAGAIN,
  EIO,
  type FileSystemType,
  type FolioFs,
  type Kernel,
  type SuperBlock,
} from "../../../src/index.ts";
import {
  endWrite,
  freeze,
  freezeAsync,
  freezeSuper,
  freezeSuperAsync,
  SB_FREEZE_FS,
  startWrite,
  thaw,
  thawSuper,
  writeBackNow,
} from "../../../src/store.ts";
import { SB_FREEZE_COMPLETE, SB_UNFROZEN } from "../../../src/wasm/layout.ts";
import { createHostfsMount, type HostfsMount } from "../../helpers/hostfs-mount.ts";
import { MockBacking, PAGE, sleep, turn } from "../../helpers/mock-backing.ts";
import { type MockOptions, MockStore, settled } from "../../helpers/mock-store.ts";
import { Gate, RemoteFs, remoteDir, remoteFile } from "../../helpers/remote-fs.ts";

const text = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => 1 + (i % 251)));

/** Has a promise been kept? */
function watch(promise: Promise<unknown>): () => boolean {
  let isDone = false;
  const settle = (): void => {
    isDone = true;
  };
  promise.then(settle, settle);
  return () => isDone;
}

describe("a shelf that is frozen", () => {
  let fs: FolioFs;
  let shelf: Shelf;
  let sb: SuperBlock;

  beforeEach(() => {
    shelf = new Shelf();
    const type = shelffs(shelf);
    const freezable: FileSystemType = {
      ...type,
      superOps: {
        ...type.superOps,
        freezeFs: () => shelf.log.push("freeze") * 0,
        unfreezeFs: () => shelf.log.push("thaw") * 0,
      },
      fillSuper: (made, ...rest) => {
        sb = made;
        return type.fillSuper(made, ...rest);
      },
    };
    fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [freezable] });
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: "shelffs", target: "/s" });
    for (const name of ["a", "b"]) fs.writeFileSync(`/s/${name}`, text(3 * PAGE));
  });

  afterEach(() => fs.kernel.vfs.verify());

  const onShelf = (name: string): Buffer => Buffer.from(shelf.files.get(shelf.find(name))?.data ?? []);

  it("has written all pages before it is told", () => {
    assert.equal(sb.bdi?.numbers().dirty, 6);
    freeze(fs.kernel, "/s");
    assert.deepEqual(shelf.log, [`write 0+${3 * PAGE}`, `write 0+${3 * PAGE}`, "freeze"]);
    assert.equal(sb.bdi?.numbers().dirty, 0);
    assert.deepEqual(onShelf("a"), text(3 * PAGE));
    thaw(fs.kernel, "/s");
    assert.equal(shelf.log.at(-1), "thaw");
  });

  it("waits for a store that takes its time, and is told after that", async () => {
    await freezeAsync(fs.kernel, "/s"); // the shelf answers later where it may
    assert.equal(shelf.log.at(-1), "freeze");
    assert.equal(sb.bdi?.numbers().dirty, 0);
    assert.equal(sb.bdi?.numbers().writeback, 0);
    assert.deepEqual(onShelf("b"), text(3 * PAGE));
    thaw(fs.kernel, "/s");
  });

  type Calls = Record<string, [sync: (fd: number) => unknown, later: (fd: number) => Promise<unknown>]>;
  const calls: Calls = {
    write: [
      (fd) => fs.writeSync(fd, "new", 0),
      (fd) => called((done) => fs.write(fd, Buffer.from("new"), 0, 3, 0, done)),
    ],
    writev: [
      (fd) => fs.writevSync(fd, [Buffer.from("new")], 0),
      (fd) => called((done) => fs.writev(fd, [Buffer.from("new")], 0, done)),
    ],
    append: [() => fs.appendFileSync("/s/a", "more"), () => fs.promises.appendFile("/s/a", "more")],
    ftruncate: [(fd) => fs.ftruncateSync(fd, 5), (fd) => called((done) => fs.ftruncate(fd, 5, done))],
    truncate: [() => fs.truncateSync("/s/a", 5), () => fs.promises.truncate("/s/a", 5)],
    "open to truncate": [() => fs.openSync("/s/a", "w"), async () => (await fs.promises.open("/s/a", "w")).close()],
    create: [() => fs.openSync("/s/new", "wx"), async () => (await fs.promises.open("/s/new", "wx")).close()],
    copyFile: [() => fs.copyFileSync("/s/b", "/s/a"), () => fs.promises.copyFile("/s/b", "/s/a")],
    unlink: [() => fs.unlinkSync("/s/a"), () => fs.promises.unlink("/s/a")],
    chmod: [() => fs.chmodSync("/s/a", 0o600), () => fs.promises.chmod("/s/a", 0o600)],
    utimes: [() => fs.utimesSync("/s/a", 1, 1), () => fs.promises.utimes("/s/a", 1, 1)],
    futimes: [(fd) => fs.futimesSync(fd, 1, 1), (fd) => called((done) => fs.futimes(fd, 1, 1, done))],
  };

  it.each(Object.keys(calls))("holds %s, by both surfaces, until it is thawed", async (name) => {
    const [sync, later] = calls[name];
    const fd = fs.openSync("/s/a", "r+");
    freeze(fs.kernel, "/s");
    const before = shelf.log.length;
    assert.throws(() => sync(fd), { code: "EAGAIN" });
    const waits = later(fd);
    const isDone = watch(waits);
    await sleep(5);
    assert.equal(isDone(), false);
    assert.equal(shelf.log.length, before);
    assert.equal(sb.bdi?.numbers().dirty, 0);
    assert.deepEqual(onShelf("a"), text(3 * PAGE));
    fs.kernel.vfs.verify();
    thaw(fs.kernel, "/s");
    await waits;
    fs.closeSync(fd);
  });

  it("lets reads go on, and fsync, which finds nothing", () => {
    const fd = fs.openSync("/s/a", "r+");
    freeze(fs.kernel, "/s");
    shelf.log.length = 0;
    assert.deepEqual(fs.readFileSync("/s/a"), text(3 * PAGE));
    fs.fsyncSync(fd);
    assert.equal(writeBackNow(fs.kernel.vfs), 0);
    assert.deepEqual(shelf.log, []);
    thaw(fs.kernel, "/s");
    fs.closeSync(fd);
  });

  it("comes to be so in the midst of any work, which is whole in the end", async () => {
    await fs.kernel.umountAsync("/s"); // so that pages have to be read again
    fs.kernel.mount({ type: "shelffs", target: "/s" });
    const data = text(3 * PAGE);
    const jobs = [
      fs.promises.copyFile("/s/a", "/s/copy"),
      fs.promises.appendFile("/s/b", "tail"),
      fs.promises.writeFile("/s/c", data),
      fs.promises.truncate("/s/a", 2 * PAGE + 1),
    ];
    for (let round = 0; round < 20; round++) {
      await freezeAsync(fs.kernel, "/s");
      assert.equal(sb.bdi?.numbers().dirty, 0);
      const seen = shelf.log.length;
      await sleep(2);
      assert.ok(!shelf.log.slice(seen).some((what) => what.startsWith("write")), shelf.log.slice(seen).join());
      assert.equal(sb.bdi?.numbers().dirty, 0);
      thaw(fs.kernel, "/s");
      await turn();
    }
    await Promise.all(jobs);
    await fs.kernel.umountAsync("/s");
    assert.deepEqual(onShelf("b"), Buffer.concat([data, Buffer.from("tail")]));
    assert.deepEqual(onShelf("c"), data);
    assert.deepEqual(onShelf("a"), data.subarray(0, 2 * PAGE + 1));
    const copy = onShelf("copy");
    assert.ok(copy.equals(data) || copy.equals(data.subarray(0, 2 * PAGE + 1)), String(copy.length)); // cut before, or after
  });

  it("loses nothing by umount after a thaw, nor what waited for it", async () => {
    freeze(fs.kernel, "/s");
    const waits = fs.promises.appendFile("/s/a", "after");
    await turn();
    thaw(fs.kernel, "/s");
    await waits;
    await fs.kernel.umountAsync("/s");
    assert.deepEqual(onShelf("a"), Buffer.concat([text(3 * PAGE), Buffer.from("after")]));
    assert.deepEqual(onShelf("b"), text(3 * PAGE));
  });
});

describe("writeback", () => {
  it("that is under way is waited for, and what fails in it is told", async () => {
    for (const fails of [false, true]) {
      const store = new MockBacking({ isAsync: true });
      const fd = store.open("file");
      store.dirty(fd, 0, 4);
      if (fails) store.verdict = () => -EIO;
      assert.equal(freezeSuper(store.sb), -EAGAIN); // it cannot wait
      const freezing = freezeSuperAsync(store.sb);
      const isDone = watch(freezing);
      await turn();
      assert.equal(isDone(), false);
      assert.notEqual(store.sb.frozen, SB_UNFROZEN);
      await store.answerAll();
      assert.equal(await freezing, fails ? -EIO : 0);
      assert.equal(store.sb.frozen, fails ? SB_UNFROZEN : SB_FREEZE_COMPLETE);
      if (!fails) {
        const { dirty, writeback } = store.bdi.numbers();
        assert.deepEqual([dirty, writeback], [0, 0]);
        assert.deepEqual(store.files.get("file"), Buffer.alloc(4 * PAGE, 65));
        assert.equal(thawSuper(store.sb), 0);
      }
      store.fs.kernel.vfs.verify();
    }
  });

  it("by the flusher does not come to a frozen file system", async () => {
    const store = new MockBacking();
    const fd = store.open("file");
    const vm = store.kernel.vm;
    assert.ok(vm);
    vm.dirty_writeback_centisecs = 1;
    vm.dirty_expire_centisecs = 0;
    assert.equal(freezeSuper(store.sb), 0);
    store.dirty(fd, 0); // as a file system does that does not heed SB_FREEZE_FS
    await sleep(60);
    assert.equal(store.takeLog(), "");
    assert.equal(thawSuper(store.sb), 0);
    await sleep(60);
    assert.equal(store.takeLog(), "file 0+1");
  });

  it("holds a freeze up by what the file system counts itself", async () => {
    const store = new MockBacking();
    const fd = store.open("file");
    store.dirty(fd, 0);
    assert.equal(startWrite(store.sb, SB_FREEZE_FS), 0);
    const freezing = freezeSuperAsync(store.sb);
    const isDone = watch(freezing);
    await turn();
    assert.equal(store.takeLog(), "file 0+1");
    assert.equal(isDone(), false);
    endWrite(store.sb, SB_FREEZE_FS);
    assert.equal(await freezing, 0);
    assert.equal(thawSuper(store.sb), 0);
  });
});

interface Scene {
  fs: FolioFs;
  kernel: Kernel;
  store: MockStore;
  fd: number;
}

/** A store with one file of so many bytes, open to be written. */
function scene(length: number, options: MockOptions): Scene {
  const store = new MockStore({ hasReadahead: false, ...options });
  store.files.set("file", text(length));
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "mockfs", target: "/m" });
  return { fs, kernel: fs.kernel.vfs, store, fd: fs.openSync("/m/file", "r+") };
}

function pwriteLater({ fs, fd }: Scene, bytes: Uint8Array, position: number): Promise<unknown> {
  return called((done) => fs.write(fd, bytes, 0, bytes.length, position, done));
}

describe("a write that waits for its store", () => {
  const superOf = ({ kernel }: Scene): SuperBlock =>
    [...kernel.superBlocks()].find(({ type }) => type.name === "mockfs") as SuperBlock;

  it("goes on while the file system freezes, and the freeze waits for it", async () => {
    const all = scene(0, { writes: "later" });
    const sb = superOf(all);
    const write = pwriteLater(all, text(2 * PAGE), 0);
    await settled();
    assert.equal(freezeSuper(sb), -EAGAIN);
    const freezing = freezeSuperAsync(sb);
    const isFrozen = watch(freezing);
    const other = pwriteLater(all, text(10), 0);
    const isWritten = watch(other);
    await settled();
    assert.equal(isFrozen(), false);
    all.kernel.verify();
    await all.store.answerAll();
    assert.equal(await write, 2 * PAGE);
    assert.equal(await freezing, 0);
    assert.equal(isWritten(), false);
    all.store.log.length = 0;
    await settled();
    assert.deepEqual(all.store.log, []);
    assert.equal(thawSuper(sb), 0);
    await settled();
    await all.store.answerAll();
    assert.equal(await other, 10);
    all.kernel.verify();
  });

  it("and is given up lets the freeze go on, once the store has answered", async () => {
    const all = scene(PAGE, { writes: "later" });
    const sb = superOf(all);
    const controller = new AbortController();
    const job = all.fs.promises.writeFile("/m/file", text(2 * PAGE), { flag: "r+", signal: controller.signal });
    const aborted = assert.rejects(job, { name: "AbortError" });
    await settled();
    const freezing = freezeSuperAsync(sb);
    const isFrozen = watch(freezing);
    controller.abort();
    await aborted;
    await settled();
    assert.equal(isFrozen(), false);
    await all.store.answerAll();
    assert.equal(await freezing, 0);
    assert.equal(thawSuper(sb), 0);
    all.kernel.verify();
  });

  it("holds its file, though that is closed, and no longer", async () => {
    const all = scene(PAGE, { writes: "later" });
    const write = pwriteLater(all, Buffer.from("x"), 5);
    await settled();
    all.fs.closeSync(all.fd);
    const freezing = freezeSuperAsync(superOf(all));
    await all.store.answerAll();
    assert.equal(await write, 1);
    assert.equal(await freezing, 0);
    assert.equal(thawSuper(superOf(all)), 0);
    all.kernel.verify();
    all.fs.kernel.umount("/m");
  });

  it("by an operation of the file system's own is waited for, and called again", async () => {
    const gate = new Gate();
    const remote = new RemoteFs(remoteDir({ file: remoteFile("0123456789") }), {
      any: (kernel, what) => (what.startsWith("write") ? gate.pass(kernel) : 0),
    });
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [remote.type] });
    fs.mkdirSync("/r");
    fs.kernel.mount({ type: "remotefs", target: "/r" });
    const sb = [...fs.kernel.vfs.superBlocks()].find(({ type }) => type === remote.type) as SuperBlock;
    const handle = await fs.promises.open("/r/file", "r+");
    const write = handle.write("abc", 0);
    await settled();
    const freezing = freezeSuperAsync(sb);
    const isFrozen = watch(freezing);
    await settled();
    assert.equal(isFrozen(), false);
    gate.open();
    assert.equal((await write).bytesWritten, 3);
    assert.equal(await freezing, 0);
    assert.equal(thawSuper(sb), 0);
    await handle.close();
    fs.kernel.vfs.verify();
  });

  /** A store whose answer to a direct write the test gives. */
  function directScene(): { all: Scene; flags: number; answer(bytes: number): void } {
    const asked: ((bytes: number) => void)[] = [];
    const directIO = (): Promise<number> => new Promise((resolve) => asked.push(resolve));
    const all = scene(PAGE, { mapping: { directIO } });
    const { O_RDWR, O_DIRECT } = all.fs.constants;
    return { all, flags: O_RDWR | O_DIRECT, answer: (bytes) => asked.shift()?.(bytes) };
  }
  const block = new Uint8Array(new ArrayBuffer(512));

  it("round the cache is waited for as well", async () => {
    const { all, flags, answer } = directScene();
    const sb = superOf(all);
    const fd = all.fs.openSync("/m/file", flags);
    const write = called((done) => all.fs.write(fd, block, 0, 512, 0, done));
    await settled();
    const freezing = freezeSuperAsync(sb);
    const isFrozen = watch(freezing);
    await settled();
    assert.equal(isFrozen(), false);
    answer(512);
    assert.equal(await write, 512);
    assert.equal(await freezing, 0);
    assert.equal(thawSuper(sb), 0);
    all.fs.closeSync(fd);
    all.kernel.verify();
  });

  it("round the cache, which a synchronous call has begun and cannot wait for, as well", async () => {
    const { all, flags, answer } = directScene();
    const sb = superOf(all);
    const fd = all.fs.openSync("/m/file", flags);
    assert.throws(() => all.fs.writeSync(fd, block, 0, 512, 0), { code: "EAGAIN" });
    all.fs.closeSync(fd);
    const freezing = freezeSuperAsync(sb);
    const isFrozen = watch(freezing);
    await settled();
    assert.equal(isFrozen(), false);
    answer(512);
    assert.equal(await freezing, 0);
    assert.equal(thawSuper(sb), 0);
    all.kernel.verify();
  });
});

describe("a folder of the host that is frozen", () => {
  let host: HostfsMount;
  let sb: SuperBlock;

  beforeEach(() => {
    host = createHostfsMount();
    nodeFs.writeFileSync(`${host.inside}/file`, "before");
    host.mount("");
    sb = [...host.fs.kernel.vfs.superBlocks()].find(({ type }) => type.name === "hostfs") as SuperBlock;
  });

  afterEach(() => {
    host.fs.kernel.vfs.verify();
    host.dispose();
  });

  it("changes by no call, and by all that waited once it is thawed", async () => {
    const { fs, inside } = host;
    const fd = fs.openSync("/mnt/file", "r+");
    assert.equal(freezeSuper(sb), 0);
    for (const change of [
      () => fs.writeSync(fd, "x"),
      () => fs.ftruncateSync(fd, 1),
      () => fs.mkdirSync("/mnt/dir"),
      () => fs.renameSync("/mnt/file", "/mnt/other"),
      () => fs.linkSync("/mnt/file", "/mnt/other"),
      () => fs.symlinkSync("file", "/mnt/other"),
      () => fs.unlinkSync("/mnt/file"),
      () => fs.chmodSync("/mnt/file", 0o600),
      () => fs.utimesSync("/mnt/file", 1, 1),
    ])
      assert.throws(change, { code: "EAGAIN" });
    const waiting = [fs.promises.appendFile("/mnt/file", " and after"), fs.promises.mkdir("/mnt/dir")];
    await sleep(20);
    assert.deepEqual(nodeFs.readdirSync(inside), ["file"]);
    assert.equal(nodeFs.readFileSync(`${inside}/file`, "utf8"), "before");
    assert.equal(fs.readFileSync("/mnt/file", "utf8"), "before");
    assert.equal(thawSuper(sb), 0);
    await Promise.all(waiting);
    assert.deepEqual(nodeFs.readdirSync(inside).sort(), ["dir", "file"]);
    assert.equal(nodeFs.readFileSync(`${inside}/file`, "utf8"), "before and after");
    fs.closeSync(fd);
  });

  it("freezes only when what the host was asked for is done", async () => {
    const { fs, inside } = host;
    const data = text(64 * PAGE);
    const jobs = Array.from({ length: 8 }, (_, i) => fs.promises.writeFile(`/mnt/${i}`, data));
    const done = Promise.allSettled(jobs);
    assert.equal(await freezeSuperAsync(sb), 0);
    const look = (): string =>
      nodeFs
        .readdirSync(inside)
        .sort()
        .map((name) => `${name} ${nodeFs.statSync(`${inside}/${name}`).size}`)
        .join();
    const seen = look();
    await sleep(20);
    assert.equal(look(), seen);
    assert.equal(thawSuper(sb), 0);
    assert.deepEqual(
      (await done).map(({ status }) => status),
      jobs.map(() => "fulfilled"),
    );
    for (let i = 0; i < 8; i++) assert.deepEqual(nodeFs.readFileSync(`${inside}/${i}`), data);
  });
});

function called(call: (done: (error: unknown, value?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}
