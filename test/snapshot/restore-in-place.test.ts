/** kernel.restore(): a kernel rolled back while faces and tasks live on. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../src/index.ts";
import { describeTree } from "../helpers/describe-tree.ts";
import { RemoteFs, remoteDir } from "../helpers/remote-fs.ts";
import { outcomeOf } from "../helpers/subject.ts";

// A clock that stands still, so that reading changes no access times.
const SMALL = { memoryLimit: 16 * 2 ** 20, now: () => 1e12 };
let fs: FolioFs;
let bytes: Uint8Array;

beforeEach(() => {
  fs = createFsSync(SMALL);
  fs.mkdirSync("/home/u", { recursive: true });
  fs.writeFileSync("/home/u/f", "before".repeat(2000));
  fs.symlinkSync("u/f", "/home/l");
  bytes = fs.kernel.snapshot();
});

describe("restore in place", () => {
  it("is what restoreFsSync() makes, for the faces that were there", () => {
    const user = fs.kernel.task({ uid: 0, umask: 0o077 });
    fs.statSync("/home/u/f");
    fs.readdirSync("/home");
    fs.rmSync("/home/u/f");
    fs.writeFileSync("/new", "x".repeat(100_000));
    fs.chmodSync("/home", 0o700);
    fs.existsSync("/home/u/f");
    fs.kernel.restore(bytes);
    const expected = describeTree(restoreFsSync(bytes, SMALL));
    assert.deepEqual(describeTree(fs), expected);
    assert.deepEqual(describeTree(user), expected);
    assert.deepEqual(fs.kernel.snapshot(), bytes);
    user.writeFileSync("/home/g", "");
    assert.equal(fs.statSync("/home/g").mode & 0o777, 0o600);
    fs.kernel.verify();
  });

  it("may be done again and again, from any bytes of the kernel", () => {
    for (let i = 0; i < 20; i++) {
      fs.writeFileSync(`/f${i}`, Buffer.alloc(10_000, i));
      const now = fs.kernel.snapshot();
      fs.kernel.restore(i % 2 ? bytes : now);
      assert.equal(fs.existsSync(`/f${i}`), i % 2 === 0);
    }
  });

  it("makes open descriptors ESTALE, until they are closed", async () => {
    const user = fs.kernel.task({ uid: 5 });
    const fd = fs.openSync("/home/u/f", "r+");
    const dir = fs.opendirSync("/home");
    const handle = await user.promises.open("/home/u/f");
    fs.flockSync(fd, 2);
    fs.kernel.restore(bytes);
    const calls: Record<string, () => unknown> = {
      read: () => fs.readSync(fd, Buffer.alloc(1)),
      write: () => fs.writeSync(fd, "x"),
      nothing: () => fs.writeSync(fd, ""),
      readFile: () => fs.readFileSync(fd),
      writeFile: () => fs.writeFileSync(fd, "x"),
      readv: () => fs.readvSync(fd, [Buffer.alloc(1)]),
      fstat: () => fs.fstatSync(fd),
      ftruncate: () => fs.ftruncateSync(fd, 0),
      fchmod: () => fs.fchmodSync(fd, 0o600),
      fchown: () => fs.fchownSync(fd, 0, 0),
      futimes: () => fs.futimesSync(fd, 0, 0),
      fsync: () => fs.fsyncSync(fd),
      fdatasync: () => fs.fdatasyncSync(fd),
      lseek: () => fs.lseekSync(fd, 0, 0),
      fallocate: () => fs.fallocateSync(fd, 0, 0, 1),
      flock: () => fs.flockSync(fd, 8),
      copyFileRange: () => fs.copyFileRangeSync(fd, null, fd, null, 1),
      readdir: () => dir.readSync(),
    };
    for (const [name, call] of Object.entries(calls)) assert.equal(outcomeOf(call), "ESTALE", name);
    await assert.rejects(handle.stat(), { code: "ESTALE" });
    const other = fs.openSync("/home/u/f", "r");
    assert.ok(other > fd, "a stale descriptor is not given out");
    fs.closeSync(fd);
    assert.equal(
      outcomeOf(() => fs.closeSync(fd)),
      "EBADF",
    );
    assert.equal(fs.openSync("/home/u/f", "r"), fd);
    dir.closeSync();
    await handle.close();
  });

  it("leaves tasks where they stood, by path", () => {
    fs.mkdirSync("/later/d", { recursive: true });
    const there = fs.kernel.task({ cwd: "/home/u" });
    const gone = fs.kernel.task({ cwd: "/later" });
    const jailed = fs.kernel.task({ root: "/home", cwd: "/u" });
    const lost = fs.kernel.task({ root: "/later", cwd: "/d" });
    fs.kernel.restore(bytes);
    assert.equal(there.readFileSync("f", "utf8").length, 12000);
    assert.equal(there.task.cwd(), "/home/u");
    assert.equal(jailed.task.cwd(), "/u");
    assert.deepEqual(jailed.readdirSync("/.."), ["l", "u"]);
    assert.equal(
      outcomeOf(() => gone.task.cwd()),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => gone.writeFileSync("f", "")),
      "ENOENT",
    );
    // A root that is no more is an empty place, not the kernel's root.
    assert.deepEqual(lost.readdirSync("/"), []);
    assert.deepEqual(lost.readdirSync("/.."), []);
    assert.equal(
      outcomeOf(() => lost.readFileSync("/home/u/f")),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => lost.writeFileSync("/f", "")),
      "ENOENT",
    );
    for (const task of [there, gone, jailed, lost]) fs.kernel.exit(task);
    fs.kernel.verify();
    assert.deepEqual(describeTree(fs), describeTree(restoreFsSync(bytes, SMALL)));
  });

  it("keeps credentials, limits and shared tables", () => {
    const user = fs.kernel.task({ uid: 5, gid: 6, groups: [7], maxFiles: 5, fileSizeLimit: 10 });
    const thread = fs.kernel.task({ uid: 8, files: user });
    fs.chmodSync("/", 0o777);
    const open = fs.kernel.snapshot();
    fs.kernel.restore(open);
    user.writeFileSync("/mine", "0123456789");
    assert.deepEqual([fs.statSync("/mine").uid, fs.statSync("/mine").gid], [5, 6]);
    assert.equal(
      outcomeOf(() => user.appendFileSync("/mine", "x")),
      "EFBIG",
    );
    const fd = user.openSync("/mine", "r");
    assert.equal(thread.readFileSync(fd, "utf8"), "0123456789");
    thread.closeSync(fd);
  });

  it("unmounts what no snapshot holds, and tells its file system", () => {
    fs.mkdirSync("/mem");
    fs.mkdirSync("/far");
    fs.kernel.mount({ type: "ramfs", target: "/mem" });
    fs.writeFileSync("/mem/f", "kept");
    let ended = 0;
    const remote = new RemoteFs(remoteDir()).type;
    const type = { ...remote, superOps: { ...remote.superOps, putSuper: () => void ended++ } };
    fs.kernel.registerFileSystem(type);
    fs.kernel.mount({ type: type.name, target: "/far" });
    const both = fs.kernel.snapshot();
    const task = fs.kernel.task({ cwd: "/far" });
    fs.kernel.restore(both);
    assert.equal(ended, 1);
    assert.deepEqual(
      fs.kernel.mounts().map(({ target }) => target),
      ["/", "/mem"],
    );
    assert.equal(fs.readFileSync("/mem/f", "utf8"), "kept");
    assert.equal(task.task.cwd(), "/far");
    fs.kernel.mount({ type: type.name, target: "/far" });
  });

  it("keeps standard descriptors that were open", () => {
    const output: string[] = [];
    const made = createFsSync({
      ...SMALL,
      stdio: { stdout: (data) => void output.push(Buffer.from(data).toString()) },
    });
    made.closeSync(2);
    made.kernel.restore(made.kernel.snapshot());
    made.writeSync(1, "still there");
    assert.deepEqual(output, ["still there"]);
    assert.equal(made.openSync("/", "r"), 2);
    made.kernel.verify();
  });

  it("changes nothing when the bytes are damaged, too large, or no bytes", () => {
    const fd = fs.openSync("/home/u/f", "r");
    const large = createFsSync({ memoryLimit: 64 * 2 ** 20 });
    large.writeFileSync("/f", Buffer.alloc(32 * 2 ** 20));
    for (const wrong of [bytes.subarray(1), bytes.map((b, i) => (i === 5000 ? ~b : b)), large.kernel.snapshot()]) {
      assert.throws(() => fs.kernel.restore(wrong), { code: "ERR_INVALID_SNAPSHOT" });
    }
    assert.throws(() => fs.kernel.restore("bytes" as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.equal(fs.fstatSync(fd).size, 12000);
  });

  it("changes nothing when there is no room for the tasks", () => {
    const tasks = Array.from({ length: 40 }, (_, i) =>
      fs.kernel.task({ uid: i, groups: Array.from({ length: 60_000 }, (_unused, g) => g) }),
    );
    const fd = fs.openSync("/home/u/f", "r");
    const full = createFsSync(SMALL);
    full.writeFileSync("/f", Buffer.alloc(12 * 2 ** 20));
    assert.equal(
      outcomeOf(() => fs.kernel.restore(full.kernel.snapshot())),
      "ENOMEM",
    );
    assert.equal(fs.fstatSync(fd).size, 12000);
    assert.equal(tasks[39].statSync("/home").isDirectory(), true);
  });
});
