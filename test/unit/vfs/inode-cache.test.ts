/** The inode cache: one inode for each number of a store, kept while memory lasts, written before it goes. */

import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { describe, it } from "vitest";
import { EAGAIN, EIO, ENOMEM } from "../../../src/base/errno.ts";
import * as libstore from "../../../src/fs/libfs-store.ts";
import {
  createFsSync,
  Dentry,
  type FolioFs,
  Inode,
  type InodeHandle,
  libfs,
  MS_REMOUNT,
  type SuperBlock,
  type SuperOperations,
  stat,
} from "../../../src/index.ts";
import { StoreFs } from "../../helpers/store-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

/** A store at /s. */
function mounted(more: Partial<SuperOperations> = {}, memoryLimit = 16 * 2 ** 20): { fs: FolioFs; store: StoreFs } {
  const store = new StoreFs("storefs", more);
  const fs = createFsSync({ memoryLimit, types: [store.type] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "storefs", target: "/s" });
  store.takeLog();
  return { fs, store };
}

function superOf(fs: FolioFs): SuperBlock {
  for (const sb of fs.kernel.vfs.superBlocks()) if (sb.type.name === "storefs") return sb;
  throw new Error("not mounted");
}

describe("iget", () => {
  it("gives two names of one number one inode, which is read once", () => {
    const { fs, store } = mounted();
    const node = store.add("a", { nlink: 2, size: 7 });
    store.root.children?.set("b", node);
    assert.equal(fs.statSync("/s/a").ino, node.ino);
    assert.equal(fs.statSync("/s/b").size, 7);
    assert.equal(store.takeLog(), `lookup a, readInode ${node.ino}, lookup b`);
    fs.chmodSync("/s/a", 0o600);
    assert.equal(fs.statSync("/s/b").mode & 0o777, 0o600);
    assert.equal(fs.kernel.vmstat().nr_hashed_inodes, 2);
    fs.kernel.verify();
  });

  it("is not needed for what memory has: ilookup finds that alone, and holds it", () => {
    const { fs, store } = mounted();
    const { ino } = store.add("f");
    const sb = superOf(fs);
    assert.equal(libstore.ilookup(sb, ino), 0);
    fs.statSync("/s/f");
    const inode = libstore.ilookup(sb, ino) as InodeHandle;
    assert.equal(new Inode(fs.kernel.vfs, inode).ino, ino);
    assert.equal(libstore.ilookup(sb, ino + 1), 0);
    store.takeLog();
    fs.kernel.dropCaches(2);
    assert.equal(store.takeLog(), "");
    fs.kernel.vfs.core.x.iput(inode);
    fs.kernel.dropCaches(2);
    assert.equal(store.takeLog(), `evictInode ${ino}`);
    fs.kernel.verify();
  });

  it("keeps an inode that nobody names, and forgets it by dropCaches(2)", () => {
    const { fs, store } = mounted();
    const { ino } = store.add("f");
    const sb = superOf(fs);
    fs.statSync("/s/f");
    const inode = libstore.iget(sb, ino) as InodeHandle;
    fs.kernel.dropCaches(2);
    assert.equal(store.takeLog(), `lookup f, readInode ${ino}`);
    sb.kernel.core.x.iput(inode);
    assert.equal(fs.kernel.vmstat().nr_unused_inodes, 1);
    fs.kernel.verify();
    assert.equal(fs.statSync("/s/f").ino, ino);
    assert.equal(store.takeLog(), "lookup f");
    fs.kernel.dropCaches(2);
    assert.equal(store.takeLog(), `evictInode ${ino}`);
    assert.equal(fs.kernel.vmstat().nr_unused_inodes, 0);
    fs.kernel.verify();
    fs.statSync("/s/f");
    assert.equal(store.takeLog(), `lookup f, readInode ${ino}`);
  });

  it("passes on what readInode answers, and nothing stays behind", () => {
    const { fs, store } = mounted();
    store.add("f");
    store.failing.set("readInode", -EIO);
    assert.equal(
      outcomeOf(() => fs.statSync("/s/f")),
      "EIO",
    );
    assert.equal(
      outcomeOf(() => fs.statSync("/s/f")),
      "EIO",
    );
    const stale = store.add("stale");
    store.nodes.delete(stale.ino);
    store.failing.clear();
    assert.equal(
      outcomeOf(() => fs.statSync("/s/stale")),
      "ESTALE",
    );
    assert.equal(fs.kernel.vmstat().nr_hashed_inodes, 1);
    assert.ok(!store.takeLog().includes("evictInode"));
    fs.kernel.verify();
  });

  it("an inode without a type cannot be used", () => {
    const { fs } = mounted({ readInode: () => 0 });
    assert.equal(libstore.iget(superOf(fs), 5), -EIO);
    fs.kernel.verify();
  });

  it("waits for a store that is slow, once for all who ask", async () => {
    const { fs, store } = mounted();
    const { ino } = store.add("f", { size: 3, nlink: 2 });
    store.root.children?.set("g", store.nodes.get(ino) as never);
    store.slow.add("readInode");
    assert.equal(
      outcomeOf(() => fs.statSync("/s/f")),
      "EAGAIN",
    );
    const all = Promise.all([fs.promises.stat("/s/f"), fs.promises.stat("/s/g"), fs.promises.stat("/s/f")]);
    fs.kernel.verify();
    await store.settleAll();
    assert.deepEqual(
      (await all).map(({ size }) => size),
      [3, 3, 3],
    );
    assert.equal(
      store
        .takeLog()
        .split(", ")
        .filter((line) => line === `readInode ${ino}`).length,
      1,
    );
    fs.kernel.verify();
  });

  it("numbers that collide are told apart by whoever knows how", () => {
    const devices = new Map<InodeHandle, string>();
    const { fs, store } = mounted({ evictInode: (_kernel, inode) => void devices.delete(inode) });
    const { ino } = store.add("f");
    const sb = superOf(fs);
    const get = (device: string) =>
      libstore.iget(
        sb,
        ino,
        (inode) => devices.get(inode) === device,
        (inode) => devices.set(inode, device),
      ) as InodeHandle;
    const [a, b] = [get("a"), get("b")];
    assert.notEqual(a, b);
    assert.equal(get("a"), a);
    assert.equal(get("b"), b);
    for (const inode of [a, a, b, b]) sb.kernel.core.x.iput(inode);
    assert.equal(fs.kernel.vmstat().nr_unused_inodes, 2);
    fs.kernel.verify();
    fs.kernel.umount("/s");
    assert.equal(devices.size, 0);
    fs.kernel.verify();
  });

  it("a number that the store has given away leads to a new inode of another generation", () => {
    const { fs, store } = mounted();
    const { ino } = store.add("f", { size: 1 });
    const sb = superOf(fs);
    const old = libstore.iget(sb, ino) as InodeHandle;
    libstore.removeInodeHash(sb.kernel, old);
    (store.nodes.get(ino) as { size: number }).size = 2;
    const fresh = libstore.iget(sb, ino) as InodeHandle;
    assert.notEqual(fresh, old);
    assert.ok(new Inode(sb.kernel, fresh).generation > new Inode(sb.kernel, old).generation);
    assert.deepEqual([new Inode(sb.kernel, old).size, new Inode(sb.kernel, fresh).size], [1, 2]);
    sb.kernel.core.x.iput(old);
    sb.kernel.evictInodes();
    sb.kernel.core.x.iput(fresh);
    fs.kernel.verify();
    assert.equal(libstore.ilookup(sb, ino + 1), 0);
  });

  it("a directory that was moved at the store loses its old name", () => {
    const { fs, store } = mounted();
    const dir = store.add("old", { mode: stat.S_IFDIR | 0o755, nlink: 2 });
    store.add("f", {}, dir);
    fs.statSync("/s/old/f");
    store.root.children?.delete("old");
    store.root.children?.set("new", dir);
    assert.equal(fs.statSync("/s/new/f").isFile(), true);
    assert.equal(fs.existsSync("/s/old"), false);
    fs.kernel.verify();
  });

  it("survives every failing allocation", () => {
    for (let n = 1; n < 30; n++) {
      const { fs, store } = mounted();
      const { ino } = store.add("f");
      const sb = superOf(fs);
      const { core } = sb.kernel;
      core.x.setFailAfter(n);
      const inode = libstore.iget(sb, ino) as InodeHandle;
      core.x.setFailAfter(0);
      assert.ok(inode > 0 || inode === -ENOMEM, String(inode));
      if (inode > 0) core.x.iput(inode);
      sb.kernel.verify();
      fs.kernel.umount("/s");
      sb.kernel.verify();
      assert.equal(fs.kernel.vmstat().nr_hashed_inodes, 0);
      fs.kernel.destroy();
    }
  });

  it("goes when memory is full: 40 000 files under 8 MiB", () => {
    const { fs, store } = mounted({}, 8 * 2 ** 20);
    for (let i = 0; i < 40_000; i++) store.add(`n${i}`, { size: i });
    for (let i = 0; i < 40_000; i++) assert.equal(fs.statSync(`/s/n${i}`).size, i);
    assert.ok(fs.kernel.vmstat().nr_hashed_inodes < 30_000);
    fs.kernel.verify();
    for (let i = 0; i < 40_000; i += 999) assert.equal(fs.statSync(`/s/n${i}`).size, i);
    fs.kernel.umount("/s");
    const { nr_hashed_inodes, nr_inodes } = fs.kernel.vmstat();
    assert.deepEqual([nr_hashed_inodes, nr_inodes], [0, 2]);
    fs.kernel.verify();
  });

  it("is not part of snapshots and forks", () => {
    const { fs, store } = mounted();
    for (let i = 0; i < 3000; i++) store.add(`n${i}`);
    for (let i = 0; i < 3000; i++) fs.statSync(`/s/n${i}`);
    const bytes = fs.kernel.snapshot();
    const fork = fs.kernel.fork();
    fork.verify();
    assert.equal(fork.vmstat().nr_hashed_inodes, 0);
    fs.kernel.restore(bytes);
    fs.kernel.verify();
    assert.equal(fs.kernel.vmstat().nr_hashed_inodes, 0);
  });
});

describe("dropInode", () => {
  it("of libfs keeps no inode that nobody names", () => {
    const { fs, store } = mounted({ dropInode: libfs.genericDeleteInode });
    const { ino } = store.add("f");
    const sb = superOf(fs);
    const inode = libstore.iget(sb, ino) as InodeHandle;
    sb.kernel.core.x.iput(inode);
    sb.kernel.evictInodes();
    assert.equal(store.takeLog(), `readInode ${ino}, evictInode ${ino}`);
    fs.kernel.verify();
  });

  it("is asked with the last reference", () => {
    const asked: number[] = [];
    const { fs, store } = mounted({
      dropInode: (kernel, inode) => {
        const { ino } = new Inode(kernel, inode);
        asked.push(ino);
        return ino % 2 === 1;
      },
    });
    const [a, b] = [store.add("a"), store.add("b")];
    const sb = superOf(fs);
    for (const { ino } of [a, b]) sb.kernel.core.x.iput(libstore.iget(sb, ino) as InodeHandle);
    sb.kernel.evictInodes();
    assert.deepEqual(asked, [a.ino, b.ino]);
    const odd = a.ino % 2 === 1 ? a : b;
    assert.ok(store.takeLog().includes(`evictInode ${odd.ino}`));
    assert.equal(fs.kernel.vmstat().nr_unused_inodes, 1);
    fs.kernel.verify();
  });
});

describe("dirty inodes", () => {
  const ways: Record<string, (fs: FolioFs) => void> = {
    fsync: (fs) => {
      const fd = fs.openSync("/s/f", "r");
      fs.fsyncSync(fd);
      fs.closeSync(fd);
    },
    sync: (fs) => fs.kernel.sync(),
    umount: (fs) => fs.kernel.umount("/s"),
    "a remount that makes it read-only": (fs) => fs.kernel.mount({ target: "/s", flags: MS_REMOUNT, data: "ro" }),
    "eviction by dropCaches": (fs) => fs.kernel.dropCaches(2),
  };
  for (const [way, act] of Object.entries(ways)) {
    it(`are written by ${way}, once`, () => {
      const { fs, store } = mounted();
      const node = store.add("f");
      fs.chmodSync("/s/f", 0o601);
      assert.equal(node.mode & 0o777, 0o644);
      act(fs);
      assert.equal(node.mode & 0o777, 0o601);
      fs.kernel.sync();
      assert.equal(store.takeLog().split(`writeInode ${node.ino}`).length, 2);
      fs.kernel.verify();
    });
  }

  it("fdatasync writes sizes, and leaves modes and times", () => {
    const { fs, store } = mounted();
    const node = store.add("f");
    const fd = fs.openSync("/s/f", "r+");
    fs.fchmodSync(fd, 0o600);
    fs.fdatasyncSync(fd);
    assert.ok(!store.takeLog().includes("writeInode"));
    fs.writeSync(fd, "12345");
    fs.fdatasyncSync(fd);
    assert.equal(node.size, 5);
    fs.ftruncateSync(fd, 2);
    fs.fdatasyncSync(fd);
    assert.equal(node.size, 2);
    fs.closeSync(fd);
  });

  it("are waited for by fsync of callbacks and promises, and written once", async () => {
    const { fs, store } = mounted();
    const node = store.add("f");
    const handle = await fs.promises.open("/s/f", "r+");
    await handle.chmod(0o604);
    store.slow.add("writeInode");
    assert.equal(
      outcomeOf(() => fs.fsyncSync(handle.fd)),
      "EAGAIN",
    );
    const synced = Promise.all([handle.sync(), new Promise((resolve) => fs.fsync(handle.fd, resolve))]);
    await store.settleAll();
    assert.deepEqual(await synced, [undefined, null]);
    assert.equal(node.mode & 0o777, 0o604);
    assert.equal(store.takeLog().split(`writeInode ${node.ino}`).length, 2);
    await handle.close();
    fs.kernel.verify();
  });

  it("stay dirty when the store refuses, and are written by the next sync", () => {
    const { fs, store } = mounted();
    const node = store.add("f");
    fs.chmodSync("/s/f", 0o600);
    store.failing.set("writeInode", -EIO);
    assert.equal(
      outcomeOf(() => fs.kernel.sync()),
      "EIO",
    );
    store.failing.clear();
    fs.kernel.sync();
    assert.equal(node.mode & 0o777, 0o600);
  });

  it("are written before they go, though the store is slow; a removed one is not", async () => {
    const { fs, store } = mounted();
    const [node, removed] = [store.add("f"), store.add("r")];
    fs.chmodSync("/s/f", 0o600);
    fs.chmodSync("/s/r", 0o600);
    fs.unlinkSync("/s/r");
    store.slow.add("writeInode");
    fs.kernel.dropCaches(2);
    fs.kernel.verify();
    assert.equal(
      outcomeOf(() => fs.statSync("/s/f")),
      "EAGAIN",
    );
    const asked = fs.promises.stat("/s/f");
    await store.settleAll();
    assert.equal((await asked).mode & 0o777, 0o600);
    assert.equal(node.mode & 0o777, 0o600);
    const log = store.takeLog();
    assert.ok(!log.includes(`writeInode ${removed.ino}`));
    assert.ok(log.indexOf(`writeInode ${node.ino}`) < log.indexOf(`evictInode ${node.ino}`));
    fs.kernel.verify();
  });

  it("are lost, and counted, where the promise of a store is not kept", async () => {
    let fail: (error: Error) => void = () => {};
    const writeInode: SuperOperations["writeInode"] = (kernel) => {
      kernel.setWaitToken(
        new Promise((_resolve, reject) => {
          fail = reject;
        }),
      );
      return -EAGAIN;
    };
    const { fs, store } = mounted({ writeInode });
    const { ino } = store.add("f");
    fs.chmodSync("/s/f", 0o600);
    fs.kernel.dropCaches(2);
    assert.equal(fs.kernel.vmstat().end_failed, 0);
    fail(new Error("the store has gone"));
    await store.settleAll();
    assert.equal(fs.kernel.vmstat().end_failed, 1);
    assert.ok(store.takeLog().includes(`evictInode ${ino}`));
    assert.equal(fs.statSync("/s/f").mode & 0o777, 0o644);
    fs.kernel.verify();
  });

  it("are told of by destroy()", () => {
    const { fs, store } = mounted();
    store.add("f");
    fs.chmodSync("/s/f", 0o600);
    assert.deepEqual(fs.kernel.destroy(), { dirtyInodes: 1, dirtyPages: 0, pendingEnds: 0, pendingChanges: 0 });
    assert.deepEqual(fs.kernel.destroy(), { dirtyInodes: 0, dirtyPages: 0, pendingEnds: 0, pendingChanges: 0 });
    assert.deepEqual(createFsSync().kernel.destroy(), {
      dirtyInodes: 0,
      dirtyPages: 0,
      pendingEnds: 0,
      pendingChanges: 0,
    });
  });
});

describe("the cache as a whole", () => {
  const ino = fc.integer({ min: 1, max: 40 });
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("get" as const), ino }),
    fc.record({ do: fc.constantFrom("put" as const), ino }),
    fc.record({ do: fc.constantFrom("dirty" as const), ino }),
    fc.record({ do: fc.constantFrom("forget" as const), ino }),
    fc.record({ do: fc.constantFrom("unlink" as const), ino }),
    fc.record({ do: fc.constantFrom("shrink" as const, "sync" as const, "evict" as const), ino: fc.constant(0) }),
  );
  it("behaves as a map from numbers to inodes, whenever memory is taken back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { fs, store } = mounted();
        const sb = superOf(fs);
        const { kernel } = sb;
        const { x } = kernel.core;
        const held: { ino: number; inode: InodeHandle }[] = [];
        const wanted = new Map<number, number>(); // what the store is to have at the end
        for (let n = 3; n <= 40; n++)
          store.nodes.set(n, { ino: n, mode: 0o100644, uid: 0, nlink: 1, size: 0, mtimeSec: 0 });
        const current = new Map<number, InodeHandle>(); // held ones that their number finds
        for (const { do: what, ino } of steps) {
          const inode = current.get(ino);
          switch (what) {
            case "get": {
              if (ino === 1) break;
              const got = libstore.iget(sb, ino) as InodeHandle;
              if (ino !== 2 && !store.nodes.has(ino)) assert.ok(got < 0);
              else {
                assert.ok(got > 0);
                if (inode !== undefined) assert.equal(got, inode);
                if (wanted.has(ino)) assert.equal(new Inode(kernel, got).uid, wanted.get(ino));
                current.set(ino, got);
                held.push({ ino, inode: got });
              }
              break;
            }
            case "put": {
              const at = held.findIndex((other) => other.ino === ino);
              if (at < 0) break;
              const [{ inode: put }] = held.splice(at, 1);
              if (!held.some((other) => other.inode === put) && current.get(ino) === put) current.delete(ino);
              x.iput(put);
              break;
            }
            case "dirty":
              if (inode === undefined || ino === 2) break;
              wanted.set(ino, (wanted.get(ino) ?? 0) + 1);
              new Inode(kernel, inode).uid = wanted.get(ino) as number;
              libstore.markInodeDirty(kernel, inode, libstore.I_DIRTY_SYNC);
              break;
            case "forget":
              if (inode === undefined || ino === 2) break;
              libstore.writeInodeNow(kernel, inode, true);
              libstore.removeInodeHash(kernel, inode);
              current.delete(ino);
              break;
            case "unlink":
              if (inode === undefined || ino === 2 || held.some((o) => o.ino === ino && o.inode !== inode)) break;
              new Inode(kernel, inode).nlink = 0;
              (store.nodes.get(ino) as { nlink: number }).nlink = 0;
              wanted.delete(ino);
              while (held.some((o) => o.ino === ino)) {
                held.splice(
                  held.findIndex((o) => o.ino === ino),
                  1,
                );
                x.iput(inode);
              }
              kernel.evictInodes();
              assert.equal(store.nodes.has(ino), false);
              current.delete(ino);
              break;
            case "shrink":
              kernel.dropDentries();
              break;
            case "sync":
              assert.equal(fs.kernel.sync(), undefined);
              break;
            case "evict":
              kernel.evictInodes();
          }
        }
        for (const { inode } of held) x.iput(inode);
        kernel.evictInodes();
        kernel.verify();
        fs.kernel.umount("/s");
        kernel.verify();
        for (const [n, uid] of wanted) assert.equal(store.nodes.get(n)?.uid, uid, `inode ${n}`);
        assert.equal(fs.kernel.vmstat().nr_hashed_inodes, 0);
        fs.kernel.destroy();
      }),
      { numRuns: 100 },
    );
  });

  it("grows and shrinks with its inodes, and the root is found by its number", () => {
    const { fs, store } = mounted({}, 64 * 2 ** 20);
    const sb = superOf(fs);
    const { x } = sb.kernel.core;
    for (let i = 0; i < 20_000; i++) store.add(`n${i}`);
    const inodes = [...store.nodes.keys()].map((ino) => libstore.iget(sb, ino) as InodeHandle);
    assert.equal(inodes[0], new Dentry(sb.kernel, sb.root).inode);
    assert.equal(new Set(inodes).size, 20_001);
    for (const inode of inodes) x.iput(inode);
    fs.kernel.verify();
    fs.kernel.dropCaches(2);
    fs.kernel.dropCaches(2);
    assert.equal(fs.kernel.vmstat().nr_hashed_inodes, 1);
    fs.kernel.verify();
  });
});

it("a file has no more names than its type allows (s_max_links)", () => {
  const { type } = new StoreFs();
  const fillSuper: typeof type.fillSuper = (sb, ...rest) => {
    sb.maxLinks = 2;
    return type.fillSuper(sb, ...rest);
  };
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [{ ...type, fillSuper }] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "storefs", target: "/s" });
  fs.writeFileSync("/s/f", "");
  fs.linkSync("/s/f", "/s/g");
  assert.equal(
    outcomeOf(() => fs.linkSync("/s/f", "/s/h")),
    "EMLINK",
  );
  fs.unlinkSync("/s/f");
  fs.linkSync("/s/g", "/s/h");
  assert.equal(fs.statSync("/s/h").nlink, 2);
  fs.kernel.verify();
});
