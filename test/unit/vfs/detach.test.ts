/** Mounts out of the tree: who keeps them alive, who hears of their end, what snapshots and rollbacks make of them. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  MNT_DETACH,
  MNT_EXPIRE,
  ramfs,
  restoreFsSync,
} from "../../../src/index.ts";

let ended: string[];
let fs: FolioFs;

/** A file system in memory that tells of its end. */
const telling: FileSystemType = {
  ...ramfs,
  name: "telling",
  superOps: {
    ...ramfs.superOps,
    putSuper: () => void ended.push("putSuper"),
    umountBegin: () => void ended.push("umountBegin"),
  },
};

beforeEach(() => {
  ended = [];
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [telling] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "telling", target: "/m" });
});

const live = () => fs.kernel.vmstat().nr_super_blocks;

describe("a detached mount", () => {
  it("ends with the last file", () => {
    const before = live();
    const fds = [fs.openSync("/m/a", "w+"), fs.openSync("/m/b", "w+")];
    fs.kernel.umount("/m", { detach: true });
    assert.deepEqual(
      fs.kernel.mounts().map(({ target }) => target),
      ["/"],
    );
    fs.writeSync(fds[0], "text");
    assert.equal(fs.readFileSync(fds[0]).length + fs.fstatSync(fds[0]).size, 4);
    fs.closeSync(fds[1]);
    assert.deepEqual([ended, live()], [[], before]);
    fs.kernel.verify();
    fs.closeSync(fds[0]);
    assert.deepEqual([ended, live()], [["putSuper"], before - 1]);
  });

  it("ends when the last task leaves it, by chdir or by its end", () => {
    const task = fs.kernel.task({ cwd: "/m" });
    const other = fs.kernel.task({ cwd: "/m" });
    fs.kernel.umount2("/m", MNT_DETACH);
    task.mkdirSync("made");
    assert.deepEqual(other.readdirSync("."), ["made"]);
    task.kernel.vfs.verify();
    task.task.chdir("/");
    assert.deepEqual(ended, []);
    fs.kernel.exit(other);
    assert.deepEqual(ended, ["putSuper"]);
  });

  it("ends at once when nobody uses it, with all below it", () => {
    fs.mkdirSync("/m/sub");
    fs.kernel.mount({ type: "telling", target: "/m/sub" });
    const fd = fs.openSync("/m/sub/file", "w");
    fs.kernel.umount("/m", { detach: true });
    assert.deepEqual(ended, ["putSuper"]);
    fs.closeSync(fd);
    assert.deepEqual(ended, ["putSuper", "putSuper"]);
  });

  it("is not asked about in the mount table, nor in the way of another", () => {
    const fd = fs.openSync("/m/a", "w");
    fs.kernel.umount("/m", { detach: true });
    fs.rmdirSync("/m");
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "telling", target: "/m" });
    assert.deepEqual(fs.readdirSync("/m"), []);
    assert.throws(() => fs.kernel.unregisterFileSystem(telling), { code: "EBUSY" });
    fs.kernel.umount("/m");
    assert.throws(() => fs.kernel.unregisterFileSystem(telling), { code: "EBUSY" });
    fs.closeSync(fd);
    fs.kernel.unregisterFileSystem(telling);
  });

  it("keeps its listing, locks and unlinked files", () => {
    const fd = fs.openSync("/m/a", "w+");
    const task = fs.kernel.task({ cwd: "/m" });
    fs.kernel.umount("/m", { detach: true });
    task.unlinkSync("a");
    task.writeFileSync("b", "b");
    task.renameSync("b", "../c");
    assert.deepEqual(task.readdirSync("."), ["c"]);
    assert.equal(fs.writeSync(fd, "gone"), 4);
    fs.kernel.verify();
    fs.closeSync(fd);
    fs.kernel.exit(task);
    assert.deepEqual(ended, ["putSuper"]);
  });

  it("is in no snapshot and no fork", () => {
    const fd = fs.openSync("/m/a", "w+");
    const tree = fs.kernel.task({ cwd: "/m" });
    fs.kernel.umount("/m", { detach: true });
    const bytes = fs.kernel.snapshot();
    const restored = restoreFsSync(bytes, { types: [telling] });
    const { fs: forked } = fs.kernel.fork();
    for (const copy of [restored, forked]) {
      copy.kernel.verify();
      assert.equal(copy.kernel.vmstat().nr_super_blocks, 1);
      assert.deepEqual(copy.readdirSync("/m"), []);
      copy.kernel.destroy();
    }
    assert.deepEqual(ended, []);
    fs.closeSync(fd);
    fs.kernel.exit(tree);
    assert.deepEqual(ended, ["putSuper"]);
  });

  it("ends in a rollback, which leaves those who stood in it in a removed directory", () => {
    const bytes = fs.kernel.snapshot();
    const fd = fs.openSync("/m/a", "w+");
    const task = fs.kernel.task({ cwd: "/m" });
    fs.kernel.umount("/m", { detach: true });
    fs.kernel.restore(bytes);
    assert.deepEqual(ended, ["putSuper"]);
    assert.throws(() => task.readdirSync("x"), { code: "ENOENT" });
    assert.throws(() => task.task.cwd(), { code: "ENOENT" });
    assert.throws(() => fs.fstatSync(fd), { code: "ESTALE" });
    assert.deepEqual(fs.readdirSync("/m"), []);
    fs.kernel.verify();
  });

  it("of a store is shut down by whoever closes last, and once", () => {
    const store: FileSystemType = {
      ...telling,
      name: "store",
      fsFlags: 0,
      fillSuper: (sb) => sb.makeRoot(0o755, 0, 0, 1),
    };
    fs.kernel.registerFileSystem(store);
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: "store", target: "/s" });
    const task = fs.kernel.task({ cwd: "/s" });
    fs.kernel.umount("/s", { detach: true });
    fs.kernel.dropCaches(3);
    assert.deepEqual(ended, []);
    fs.kernel.exit(task);
    assert.deepEqual(ended, ["putSuper"]);
  });

  it("cannot be the root of the tree", () => {
    assert.throws(() => fs.kernel.umount("/", { detach: true }), { code: "EINVAL" });
    assert.throws(() => fs.kernel.umount("/"), { code: "EBUSY" });
    assert.throws(() => fs.kernel.umount2("/", MNT_EXPIRE), { code: "EINVAL" });
  });
});

describe("umount", () => {
  it("tells the file system of force before it looks who is in there", () => {
    const fd = fs.openSync("/m/a", "w");
    assert.throws(() => fs.kernel.umount("/m", { force: true }), { code: "EBUSY" });
    assert.deepEqual(ended, ["umountBegin"]);
    fs.closeSync(fd);
    fs.kernel.umount("/m", { force: true });
    assert.deepEqual(ended, ["umountBegin", "umountBegin", "putSuper"]);
  });

  it("expires what nobody has come to by a known path either", () => {
    fs.writeFileSync("/m/file", "text");
    const touch = [() => fs.statSync("/m/file"), () => fs.existsSync("/m/file"), () => fs.readFileSync("/m/file")];
    for (const use of touch) {
      use();
      assert.throws(() => fs.kernel.umount("/m", { expire: true }), { code: "EAGAIN" });
      use();
      assert.throws(() => fs.kernel.umount("/m", { expire: true }), { code: "EAGAIN" });
    }
    fs.kernel.umount("/m", { expire: true });
    assert.equal(fs.existsSync("/m/file"), false);
  });

  it("checks its options", () => {
    const umount = fs.kernel.umount.bind(fs.kernel) as (target: string, options: object) => void;
    assert.throws(() => umount("/m", { lazy: true }), { code: "ERR_INVALID_ARG_VALUE" });
    assert.throws(() => umount("/m", { detach: 1 }), { code: "ERR_INVALID_ARG_TYPE" });
    umount("/m", { detach: false, noFollow: true });
  });
});
