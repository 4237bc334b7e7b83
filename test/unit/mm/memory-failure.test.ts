/** Broken frames: never used again, and what was in them is had anew, moved, or lost and told. Pages move when they are to. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { attachPagePrivate, pageFlags, pagePrivate } from "../../../src/mm/page.ts";
import { memoryFailure, softOfflinePage } from "../../../src/store.ts";
import { endPfn } from "../../../src/vfs/frames.ts";
import { KERNEL_BLOCK, KERNEL_NR_POISONED, PG_LOCKED, PG_PRIVATE } from "../../../src/wasm/layout.ts";
import { LoggingFs, PAGE } from "../../helpers/logging-fs.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { seededRandom } from "../../helpers/random.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const MIB = 2 ** 20;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`memory-failure: FOLIOFS_SEED=${SEED}`);

function nrPoisoned(fs: FolioFs): number {
  return fs.kernel.vfs.core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_POISONED];
}

/** Frame of a page of a file. */
function frameOf(fs: FolioFs, path: string, index: number): number {
  const fd = fs.openSync(path, "r");
  const pfn = fs.kernel.vfs.core.x.findPage(inodeOf(fs.kernel.vfs, fd), index);
  fs.closeSync(fd);
  return pfn;
}

describe("a broken frame", () => {
  it("is put out of use whatever it holds, but for records, and nobody gets it again", () => {
    const fs = createFsSync({ memoryLimit: 8 * MIB });
    const random = seededRandom(SEED);
    const contents = new Map<string, Buffer>();
    const gone = new Set<number>();
    for (let step = 0; step < 300; step++) {
      const path = `/f${random(30)}`;
      if (random(4) === 0 && contents.delete(path)) fs.unlinkSync(path);
      else if (random(2)) {
        const bytes = Buffer.alloc(random(60_000), step);
        fs.writeFileSync(path, bytes);
        contents.set(path, bytes);
      }
      const pfn = random(endPfn(fs.kernel.vfs.core));
      const outcome = outcomeOf(() => softOfflinePage(fs.kernel, pfn));
      assert.match(outcome, /^(ok|EBUSY)$/);
      if (outcome === "ok") gone.add(pfn);
      assert.equal(nrPoisoned(fs), gone.size);
      if (step % 30 === 0) fs.kernel.verify();
      for (const at of gone)
        assert.equal(
          outcomeOf(() => memoryFailure(fs.kernel, at)),
          "ok",
        ); // is already
    }
    assert.ok(gone.size > 100);
    // Nobody has them when memory is full, either.
    const fd = fs.openSync("/full", "w");
    while (outcomeOf(() => fs.writeSync(fd, Buffer.alloc(PAGE, 1))) === "ok");
    const inode = inodeOf(fs.kernel.vfs, fd);
    const nr = fs.fstatSync(fd).size / PAGE;
    for (let i = 0; i < nr; i++) assert.ok(!gone.has(fs.kernel.vfs.core.x.findPage(inode, i)));
    for (const [path, bytes] of contents) assert.ok(fs.readFileSync(path).equals(bytes), path);
    fs.kernel.verify();
    fs.closeSync(fd);
    fs.unlinkSync("/full");
    // Copies of the memory have frames of their own, and so has a smaller one.
    for (const copy of [fs.kernel.fork().fs, restoreFsSync(fs.kernel.snapshot())]) {
      assert.equal(nrPoisoned(copy), 0);
      copy.kernel.verify();
      for (const [path, bytes] of contents) assert.ok(copy.readFileSync(path).equals(bytes), path);
    }
    fs.kernel.shrink();
    assert.equal(nrPoisoned(fs), 0);
    fs.kernel.verify();
  });

  it("is refused where nothing can be done: no such frame, records, data in memory alone, pins", () => {
    const fs = createFsSync({ memoryLimit: 8 * MIB });
    fs.writeFileSync("/f", Buffer.alloc(2 * PAGE, 5));
    const { core } = fs.kernel.vfs;
    for (const pfn of [-1, 0.5, Number.NaN, endPfn(core), 2 ** 32]) {
      assert.equal(
        outcomeOf(() => memoryFailure(fs.kernel, pfn)),
        "EINVAL",
      );
    }
    for (const pfn of [0, 8, 13])
      assert.equal(
        outcomeOf(() => softOfflinePage(fs.kernel, pfn)),
        "EBUSY",
      );
    const pfn = frameOf(fs, "/f", 1);
    assert.equal(
      outcomeOf(() => memoryFailure(fs.kernel, pfn)),
      "EBUSY",
    );
    core.x.getPage(pfn);
    assert.equal(
      outcomeOf(() => softOfflinePage(fs.kernel, pfn)),
      "EBUSY",
    );
    core.x.putPage(pfn);
    softOfflinePage(fs.kernel, pfn);
    assert.notEqual(frameOf(fs, "/f", 1), pfn);
    assert.ok(fs.readFileSync("/f").equals(Buffer.alloc(2 * PAGE, 5)));
    assert.equal(nrPoisoned(fs), 1);
    fs.kernel.verify();
    const other = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.throws(() => memoryFailure(other.kernel, 20), { code: "EPERM" });
  });
});

describe("a page that is on its way", () => {
  it("is cut off meanwhile: both frames come back", async () => {
    const t = new LoggingFs({ isLate: true });
    const { fs } = t;
    t.add("f", 4 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    await f.read(Buffer.alloc(4 * PAGE), 0, 4 * PAGE, 0);
    await t.idle();
    attachPagePrivate(t.kernel, t.pageOf(f.fd, 2), 5);
    const { pfn } = t.pageOf(f.fd, 2);
    assert.equal(
      outcomeOf(() => softOfflinePage(fs.kernel, pfn)),
      "EAGAIN",
    );
    assert.equal(
      outcomeOf(() => fs.kernel.shrink()),
      "EBUSY",
    );
    const fork = fs.kernel.fork(); // which has nothing of it
    fork.verify();
    fork.destroy();
    await f.truncate(0);
    await t.idle();
    fs.kernel.verify();
    assert.equal(fs.kernel.usage().data, 0);
    assert.equal(nrPoisoned(fs), 0);
    await f.close();
  });

  it("moves, whoever reads and writes it meanwhile", async () => {
    const t = new LoggingFs({ isLate: true });
    const { fs } = t;
    const data = t.add("f", 4 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    await f.read(Buffer.alloc(4 * PAGE), 0, 4 * PAGE, 0);
    await t.idle();
    const { pfn } = t.pageOf(f.fd, 2);
    assert.equal(
      outcomeOf(() => softOfflinePage(fs.kernel, pfn)),
      "EAGAIN",
    );
    const write = f.write(Buffer.from("new"), 0, 3, 2 * PAGE);
    const got = Buffer.alloc(PAGE);
    await f.read(got, 0, PAGE, PAGE);
    await write;
    data.write("new", 2 * PAGE);
    await t.idle();
    assert.notEqual(t.pageOf(f.fd, 2).pfn, pfn);
    await f.read(got, 0, PAGE, 2 * PAGE);
    assert.ok(got.equals(data.subarray(2 * PAGE, 3 * PAGE)));
    await f.sync();
    softOfflinePage(fs.kernel, pfn); // now it is free
    assert.equal(nrPoisoned(fs), 1);
    fs.kernel.verify();
    await f.close();
  });
});

describe("a page whose file system fails after it has taken along what it has hung on it", () => {
  it.each([
    [false, true],
    [true, true],
    [false, false],
  ])("leaves nothing on the new frame (late: %s, invalidatePage: %s)", async (isLate, isAsked) => {
    const t = new LoggingFs({ isLate, without: isAsked ? [] : ["invalidatePage"] });
    const { fs } = t;
    const data = t.add("f", 4 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    await f.read(Buffer.alloc(4 * PAGE), 0, 4 * PAGE, 0);
    await t.idle();
    const mapping = t.mappingOf(f.fd);
    const move = mapping.migratePage ?? assert.fail();
    let target = 0;
    const migratePage: typeof move = (cache, from, to, mode) => {
      target = to.pfn;
      const answer = move(cache, from, to, mode);
      return typeof answer === "number" ? -EIO : answer.then(() => -EIO);
    };
    Object.assign(mapping, { migratePage });
    const { pfn } = t.pageOf(f.fd, 2);
    attachPagePrivate(t.kernel, t.pageOf(f.fd, 2), 5);
    t.log.length = 0;
    const outcome = outcomeOf(() => softOfflinePage(fs.kernel, pfn));
    assert.equal(outcome, isLate ? "EAGAIN" : "EIO");
    await t.idle();
    const calls = t.log.filter((line) => line.startsWith("invalidatePage"));
    assert.deepEqual(calls, isAsked ? ["invalidatePage 2 0+4096: locked private, i_rwsem free"] : []);
    assert.notEqual(target, 0);
    assert.equal(pageFlags(t.kernel.core, target) & (PG_PRIVATE | PG_LOCKED), 0);
    assert.equal(t.pageOf(f.fd, 2).pfn, pfn);
    const got = Buffer.alloc(PAGE);
    await f.read(got, 0, PAGE, 2 * PAGE);
    assert.ok(got.equals(data.subarray(2 * PAGE, 3 * PAGE)));
    await f.close();
    fs.kernel.umount("/m");
    fs.kernel.verify();
    assert.equal(fs.kernel.usage().data, 0); // both frames are free
    fs.kernel.destroy();
  });
});

describe("file systems without migratePage", () => {
  const without = ["migratePage", "isolatePage", "putbackPage"] as const;

  it.each([false, true])("what hangs on a page is released, and the bytes are copied (late: %s)", async (isLate) => {
    const t = new LoggingFs({ without, isLate });
    const { fs } = t;
    const data = t.add("f", 4 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    await f.read(Buffer.alloc(4 * PAGE), 0, 4 * PAGE, 0);
    await t.idle();
    const { pfn } = t.pageOf(f.fd, 1);
    attachPagePrivate(t.kernel, t.pageOf(f.fd, 1), 5);
    t.verdicts.releasePage = () => 0;
    assert.equal(
      outcomeOf(() => softOfflinePage(fs.kernel, pfn)),
      "EAGAIN",
    );
    assert.equal(pagePrivate(t.kernel, t.pageOf(f.fd, 1)), 5);
    assert.equal(t.pageOf(f.fd, 1).pfn, pfn);
    t.verdicts.releasePage = undefined;
    softOfflinePage(fs.kernel, pfn);
    assert.notEqual(t.pageOf(f.fd, 1).pfn, pfn);
    assert.equal(pagePrivate(t.kernel, t.pageOf(f.fd, 1)), undefined);
    const got = Buffer.alloc(4 * PAGE);
    fs.readSync(f.fd, got, 0, got.length, 0);
    assert.ok(got.equals(data));
    fs.kernel.verify();
    await f.close();
  });

  it.each([false, true])("a dirty page is written first (late: %s)", async (isLate) => {
    const t = new LoggingFs({ without, isLate });
    const { fs } = t;
    t.add("f", 4 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    await f.write(Buffer.alloc(PAGE, 66), 0, PAGE, PAGE);
    const { pfn } = t.pageOf(f.fd, 1);
    const first = outcomeOf(() => softOfflinePage(fs.kernel, pfn));
    assert.equal(first, isLate ? "EAGAIN" : "ok");
    await t.idle();
    if (isLate) softOfflinePage(fs.kernel, pfn);
    assert.ok(t.files[0].data.subarray(PAGE, 2 * PAGE).equals(Buffer.alloc(PAGE, 66)));
    assert.notEqual(t.pageOf(f.fd, 1).pfn, pfn);
    fs.kernel.verify();
    await f.close();
  });
});

it("a page that is lost is had anew from a store whose type has no errorRemovePage", () => {
  const t = new LoggingFs({ without: ["errorRemovePage"] });
  const data = t.add("f", 2 * PAGE);
  const fd = t.fs.openSync("/m/f", "r");
  const got = Buffer.alloc(PAGE);
  t.fs.readSync(fd, got, 0, PAGE, 0);
  const { pfn } = t.pageOf(fd, 0);
  t.log.length = 0;
  assert.equal(
    outcomeOf(() => memoryFailure(t.fs.kernel, pfn)),
    "ok",
  );
  assert.equal(nrPoisoned(t.fs), 1);
  assert.equal(t.kernel.core.x.findPage(t.inodeOf(fd), 0), 0);
  assert.equal(t.fs.readSync(fd, got, 0, PAGE, 0), PAGE);
  assert.ok(got.equals(data.subarray(0, PAGE)));
  assert.notEqual(t.pageOf(fd, 0).pfn, pfn);
  t.kernel.verify();
  t.fs.closeSync(fd);
});
