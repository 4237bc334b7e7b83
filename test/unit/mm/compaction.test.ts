/** Compaction: pages move, whoever uses them does not notice, and large blocks come free. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import {
  KERNEL_BLOCK,
  KERNEL_FREE_AREAS,
  KERNEL_VMSTAT,
  MAX_ORDER,
  PAGE_LIST_BYTES,
  PAGE_LIST_COUNT,
  PG_ACTIVE,
  VM_COMPACT_STALL,
} from "../../../src/wasm/layout.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const LIMIT = 8 * 2 ** 20;
const PAGE = 4096;

/** Fills memory with two files, page by page in turn, and removes one. @returns pages of the other */
function punched(fs: FolioFs): number {
  const fds = ["/a", "/b"].map((path) => fs.openSync(path, "w"));
  let nr = 0;
  while (outcomeOf(() => fds.map((fd, i) => fs.writeSync(fd, Buffer.alloc(PAGE, i ? 99 : (nr % 250) + 1)))) === "ok")
    nr++;
  for (const fd of fds) fs.closeSync(fd);
  fs.unlinkSync("/b");
  return nr;
}

/** Order of the largest block that is free as it is: to ask for one would have memory compacted. */
function largestFreeBlock(fs: FolioFs): number {
  const { u32 } = fs.kernel.vfs.core;
  const count = (order: number): number =>
    u32[((KERNEL_BLOCK + KERNEL_FREE_AREAS + order * PAGE_LIST_BYTES) >>> 2) + PAGE_LIST_COUNT];
  for (let order = MAX_ORDER; order >= 0; order--) if (count(order) > 0) return order;
  return -1;
}

describe("compaction", () => {
  it("makes large blocks of scattered frames, and leaves contents as they are", () => {
    const fs = createFsSync({ memoryLimit: LIMIT });
    const nr = punched(fs);
    assert.ok(largestFreeBlock(fs) < 6);
    const fd = fs.openSync("/a", "r");
    const moved = fs.kernel.compact();
    assert.ok(moved > nr / 4, `${moved} of ${nr} pages have moved`);
    fs.kernel.verify();
    assert.ok(largestFreeBlock(fs) >= 8);
    const page = Buffer.alloc(PAGE);
    for (let i = 0; i < nr; i++) {
      fs.readSync(fd, page, 0, PAGE, i * PAGE);
      assert.ok(page.equals(Buffer.alloc(PAGE, (i % 250) + 1)), `page ${i}`);
    }
    fs.closeSync(fd);
    assert.equal(fs.kernel.compact(), 0);
  });

  it("comes by itself when a block is wanted that is not there", () => {
    const fs = createFsSync({ memoryLimit: LIMIT });
    punched(fs);
    const { x } = fs.kernel.vfs.core;
    const pfn = x.allocPages(8);
    assert.notEqual(pfn, 0);
    x.freePages(pfn, 1 << 8);
    fs.kernel.verify();
  });

  it("leaves pinned and locked pages where they are, and keeps lists in order, marks and flags", () => {
    const store = new FaultStore();
    const fs = createFsSync({ memoryLimit: LIMIT, types: [store.type] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "heldfs", target: "/m" });
    fs.writeFileSync("/ballast", Buffer.alloc(2 ** 21));
    fs.writeFileSync("/m/f", Buffer.alloc(64 * PAGE, 7));
    const fd = fs.openSync("/m/f", "r+");
    const { core } = fs.kernel.vfs;
    const inode = inodeOf(fs.kernel.vfs, fd);
    const frames = (): number[] => Array.from({ length: 64 }, (_, index) => core.x.findPage(inode, index));
    const flags = (): number[] => frames().map((pfn) => pageFlags(core, pfn));
    fs.readSync(fd, Buffer.alloc(10 * PAGE), 0, 10 * PAGE, 0);
    fs.readSync(fd, Buffer.alloc(10 * PAGE), 0, 10 * PAGE, 0);
    const [before, flagsBefore] = [frames(), flags()];
    core.x.getPage(before[3]);
    core.x.tryLockPage(before[5]);
    fs.unlinkSync("/ballast");
    assert.ok(fs.kernel.compact() >= 60);
    const after = frames();
    assert.deepEqual([after[3], after[5]], [before[3], before[5]]);
    assert.ok(after.every((pfn, i) => i === 3 || i === 5 || pfn < before[i]));
    core.x.unlockPage(before[5]);
    core.x.putPage(before[3]);
    assert.deepEqual(flags(), flagsBefore);
    assert.equal(flags().filter((one) => one & PG_ACTIVE).length, 10);
    fs.kernel.verify();
    fs.fsyncSync(fd);
    assert.ok(store.at("f")?.data.equals(Buffer.alloc(64 * PAGE, 7)));
    fs.closeSync(fd);
    fs.kernel.verify();
  });

  it("bears whatever files there are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.nat(20), pages: fc.nat(40), remove: fc.boolean(), compact: fc.nat(9) }), {
          maxLength: 60,
        }),
        (steps) => {
          const fs = createFsSync({ memoryLimit: LIMIT });
          const model = new Map<string, Buffer>();
          for (const { name, pages, remove, compact } of steps) {
            const path = `/${name}`;
            const data = Buffer.alloc(pages * PAGE - (pages ? name : 0), name + 1);
            if (remove) fs.rmSync(path, { force: true });
            else fs.writeFileSync(path, data);
            if (remove) model.delete(path);
            else model.set(path, data);
            if (compact === 0) fs.kernel.compact();
          }
          fs.kernel.compact();
          fs.kernel.verify();
          for (const [path, data] of model) assert.ok(fs.readFileSync(path).equals(data));
          fs.kernel.destroy();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that was of no use is not made again for each block that is wanted", () => {
    const fs = createFsSync({ memoryLimit: LIMIT });
    const fd = fs.openSync("/full", "w");
    while (outcomeOf(() => fs.writeSync(fd, Buffer.alloc(PAGE))) === "ok");
    const { core } = fs.kernel.vfs;
    const stalls = () => core.f64[((KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3) + VM_COMPACT_STALL];
    // A quarter of memory comes free, but for a page here and there that somebody has pinned.
    const inode = inodeOf(fs.kernel.vfs, fd);
    const pinned: number[] = [];
    for (let index = 0; index < fs.fstatSync(fd).size / PAGE; index += 16) {
      const pfn = core.x.findPage(inode, index);
      core.x.getPage(pfn);
      pinned.push(pfn);
      if (index < 512) core.x.punchHole(inode, (index + 1) * PAGE, (index + 16) * PAGE);
    }
    const before = stalls();
    for (let i = 0; i < 200; i++) assert.equal(core.x.allocPages(6), 0);
    const made = stalls() - before;
    assert.ok(made > 1 && made < 12, `${made} compactions for 200 blocks that were not to be had`);
    for (const pfn of pinned) core.x.putPage(pfn);
    // One that helps ends it.
    for (let i = 0; core.x.allocPages(6) === 0; i++) assert.ok(i < 64);
    fs.closeSync(fd);
    fs.kernel.destroy(); // frames that nobody has would break an invariant
  });
});
