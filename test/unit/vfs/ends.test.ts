/** Ends that take time: evictInode, release and putSuper of a store that answers promises. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { StoreFs } from "../../helpers/store-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

function mounted(...slow: string[]): { fs: FolioFs; store: StoreFs } {
  const store = new StoreFs();
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "storefs", target: "/s" });
  store.takeLog();
  for (const operation of slow) store.slow.add(operation);
  return { fs, store };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("evictInode that takes time", () => {
  it("is asked once, and a lookup of the same number waits for it", async () => {
    const { fs, store } = mounted("evictInode");
    const { ino } = store.add("f");
    fs.statSync("/s/f");
    fs.kernel.dropCaches(2);
    fs.kernel.verify();
    assert.equal(
      outcomeOf(() => fs.statSync("/s/f")),
      "EAGAIN",
    );
    assert.equal(fs.existsSync("/"), true);
    const waiting = Promise.all([fs.promises.stat("/s/f"), fs.promises.readFile("/s/f")]);
    await turn();
    fs.kernel.verify();
    store.takeLog();
    store.settle();
    await waiting;
    assert.ok(store.takeLog().startsWith(`evictInode ${ino} over, lookup f, readInode ${ino}`));
    fs.kernel.verify();
  });

  it("of a removed file: the name is gone at once, the record when it is over", async () => {
    const { fs, store } = mounted("evictInode");
    const { ino } = store.add("f");
    const before = fs.kernel.vmstat().nr_inodes;
    fs.unlinkSync("/s/f");
    assert.deepEqual(fs.readdirSync("/s"), []);
    assert.equal(fs.kernel.vmstat().nr_inodes, before + 1);
    assert.equal(store.nodes.has(ino), true);
    store.settle();
    await turn();
    assert.equal(fs.kernel.vmstat().nr_inodes, before);
    assert.equal(store.nodes.has(ino), false);
    fs.kernel.verify();
  });

  it("counts an error, told by a throw or a rejection, and frees the inode all the same", async () => {
    for (const slow of [[], ["evictInode"]]) {
      const { fs, store } = mounted(...slow);
      store.failing.set("evictInode", -5);
      store.add("f");
      fs.unlinkSync("/s/f");
      store.settle();
      await turn();
      assert.equal(fs.kernel.vmstat().end_failed, 1);
      assert.equal(fs.kernel.vmstat().nr_inodes, 3);
      fs.kernel.verify();
    }
  });
});

describe("release that takes time", () => {
  it("lets close answer at once, and callbacks and promises wait", async () => {
    const { fs, store } = mounted("release");
    const { ino } = store.add("f");
    fs.closeSync(fs.openSync("/s/f", "r"));
    assert.equal(store.takeLog(), `lookup f, readInode ${ino}, release ${ino}`);
    assert.equal(fs.openSync("/", "r") >= 0, true);
    const log: string[] = [];
    fs.close(fs.openSync("/s/f", "r"), (error) => log.push(`callback ${error}`));
    const handle = await fs.promises.open("/s/f");
    const closed = handle.close().then(() => log.push("promise"));
    await turn();
    await turn();
    assert.deepEqual(log, []);
    assert.equal(fs.kernel.vmstat().nr_files, 4);
    fs.kernel.verify();
    await store.settleAll();
    await closed;
    await turn();
    assert.deepEqual(log.sort(), ["callback null", "promise"]);
    assert.equal(fs.kernel.vmstat().nr_files, 1);
    fs.kernel.verify();
  });

  it("a close that waits closes no file that has got the number meanwhile", async () => {
    const { fs, store } = mounted("release");
    store.add("f");
    const fd = fs.openSync("/s/f", "r");
    const closed = new Promise((resolve) => fs.close(fd, resolve));
    const next = fs.openSync("/", "r");
    assert.equal(next, fd);
    await store.settleAll();
    await closed;
    assert.equal(fs.fstatSync(next).isDirectory(), true);
  });

  it("drops locks at once, and counts errors", async () => {
    const { fs, store } = mounted("release");
    store.failing.set("release", -5);
    store.add("f");
    const fd = fs.openSync("/s/f", "r");
    fs.flockSync(fd, 2);
    fs.closeSync(fd);
    const other = fs.openSync("/s/f", "r");
    fs.flockSync(other, 2 | 4);
    await store.settleAll();
    assert.equal(fs.kernel.vmstat().end_failed, 1);
    fs.closeSync(other);
    await store.settleAll();
    assert.equal(fs.kernel.vmstat().nr_files, 0);
    fs.kernel.verify();
  });
});

describe("umount", () => {
  for (const slow of ["release", "evictInode", "writeInode", "syncFs"]) {
    it(`is EBUSY while ${slow} takes time, and waits for it as a promise`, async () => {
      const { fs, store } = mounted(slow);
      const node = store.add("f");
      fs.chmodSync("/s/f", 0o600);
      fs.closeSync(fs.openSync("/s/f", "r"));
      assert.equal(
        outcomeOf(() => fs.kernel.umount("/s")),
        "EBUSY",
      );
      fs.kernel.verify();
      const done = fs.kernel.umountAsync("/s");
      await turn();
      await store.settleAll();
      await done;
      await store.settleAll();
      assert.equal(node.mode & 0o777, 0o600);
      const { nr_super_blocks, nr_inodes, nr_hashed_inodes } = fs.kernel.vmstat();
      assert.deepEqual([nr_super_blocks, nr_inodes, nr_hashed_inodes], [1, 2, 0]);
      assert.ok(store.takeLog().includes("putSuper"));
      fs.kernel.verify();
    });
  }

  it("whose putSuper takes time takes the mount away at once, and the promise waits", async () => {
    const { fs, store } = mounted("putSuper");
    fs.kernel.umount("/s");
    assert.deepEqual(fs.kernel.mounts().length, 1);
    assert.equal(fs.kernel.vmstat().nr_super_blocks, 2);
    assert.equal(
      outcomeOf(() => fs.kernel.unregisterFileSystem(store.type)),
      "EBUSY",
    );
    fs.kernel.verify();
    fs.kernel.fork().verify();
    await store.settleAll();
    assert.equal(fs.kernel.vmstat().nr_super_blocks, 1);
    fs.kernel.unregisterFileSystem(store.type);

    fs.kernel.registerFileSystem(store.type);
    fs.kernel.mount({ type: "storefs", target: "/s" });
    let isOver = false;
    const done = fs.kernel.umountAsync("/s").then(() => {
      isOver = true;
    });
    await turn();
    assert.equal(isOver, false);
    await store.settleAll();
    await done;
    fs.kernel.verify();
  });

  it("that was detached ends with its last file when all of it has been written", async () => {
    const { fs, store } = mounted("writeInode");
    const node = store.add("f");
    const fd = fs.openSync("/s/f", "r");
    await fs.kernel.umountAsync("/s", { detach: true });
    fs.fchmodSync(fd, 0o600);
    store.takeLog();
    fs.closeSync(fd);
    fs.kernel.verify();
    assert.doesNotMatch(store.log.join(), /putSuper/);
    await store.settleAll();
    assert.equal(node.mode & 0o777, 0o600);
    assert.match(
      store.takeLog(),
      new RegExp(`^release ${node.ino}, writeInode ${node.ino}.*evictInode ${node.ino}.*putSuper`),
    );
    assert.deepEqual([fs.kernel.vmstat().nr_super_blocks, fs.kernel.vmstat().end_failed], [1, 0]);
    fs.kernel.verify();
  });

  it("stays EBUSY for what is really in use", async () => {
    const { fs, store } = mounted("release");
    store.add("f");
    fs.closeSync(fs.openSync("/s/f", "r"));
    const fd = fs.openSync("/s/f", "r");
    const done = fs.kernel.umountAsync("/s").then(
      () => "done",
      (error) => error.code,
    );
    await store.settleAll();
    assert.equal(await done, "EBUSY");
    fs.closeSync(fd);
    await store.settleAll();
    await fs.kernel.umountAsync("/s");
  });

  it("leaves names in memory alone that a type without a store has", () => {
    const { fs } = mounted();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "ramfs", target: "/m" });
    fs.writeFileSync("/m/f", "data");
    const fd = fs.openSync("/m/f", "r");
    assert.equal(
      outcomeOf(() => fs.kernel.umount("/m")),
      "EBUSY",
    );
    assert.equal(fs.readFileSync("/m/f", "utf8"), "data");
    fs.closeSync(fd);
  });
});

describe("what is not over", () => {
  it("is told of by destroy(), and touches nothing afterwards", async () => {
    const { fs, store } = mounted("evictInode", "release");
    store.add("f");
    store.add("g");
    fs.closeSync(fs.openSync("/s/g", "r"));
    fs.unlinkSync("/s/f");
    assert.deepEqual(fs.kernel.destroy(), { dirtyInodes: 0, dirtyPages: 0, pendingEnds: 2, pendingChanges: 0 });
    await store.settleAll();
  });

  it("is forgotten by a rollback, and in no snapshot", async () => {
    const { fs, store } = mounted("evictInode", "putSuper");
    const bytes = fs.kernel.snapshot();
    store.add("f");
    fs.unlinkSync("/s/f");
    fs.kernel.fork().verify();
    store.takeLog();
    fs.kernel.restore(bytes);
    assert.equal(store.takeLog().split("putSuper").length, 2); // at once: nobody can wait for inodes
    fs.kernel.verify();
    await store.settleAll();
    fs.kernel.verify();
    assert.equal(fs.kernel.vmstat().nr_inodes, 2);
  });
});
