import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { InodeHandle } from "../../../src/base/handles.ts";
import {
  INODE_NR_PAGES,
  INODE_XA_HEAD,
  KERNEL_NR_DIRTY,
  PAGE_INDEX,
  PAGE_MAPPING,
  PAGE_REFCOUNT,
  XA_MARK_DIRTY,
  XA_MARK_TOWRITE,
  XA_PRESENT,
  XA_SHADOW,
} from "../../../src/wasm/layout.ts";
import {
  anyNumber,
  checkModel,
  frame,
  kernelWord,
  pageWord,
  shadowOf,
  verify,
  World,
  word,
} from "../../helpers/core.ts";

const LAST = 2 ** 32 - 1;

interface ModelPage {
  pfn: number;
  marks: Set<number>;
}

/** Two files with a backing store beside Maps of page index to page. */
class Files {
  readonly world = new World({ sbFlags: 0 });
  readonly inodes: InodeHandle[];
  readonly models: Map<number, ModelPage>[] = [new Map(), new Map()];
  /** Where pages are gone, but remembered. */
  readonly shadows: Set<number>[] = [new Set(), new Set()];
  /** Frames that the test holds a pin on. */
  readonly pinned: number[] = [];

  constructor() {
    const { world } = this;
    this.inodes = ["a", "b"].map((name) => world.inodeOf(world.make(world.root, name, 0o100644)));
  }

  /** Pages that nobody has pinned may have moved, for records to lie together. */
  follow(): void {
    this.models.forEach((model, which) => {
      for (const [index, page] of model) {
        const pfn = this.world.x.findPage(this.inodes[which], index);
        if (pfn !== page.pfn) assert.ok(pfn > 0 && !this.pinned.includes(page.pfn), `page ${index} is elsewhere`);
        page.pfn = pfn;
      }
    });
  }

  remember(which: number, index: number, any: number): void {
    if (this.models[which].has(index)) return;
    assert.equal(this.world.x.indexStore(this.inodes[which], index, shadowOf(any)), 0);
    this.shadows[which].add(index);
  }

  create(which: number, index: number): void {
    this.shadows[which].delete(index);
    const { core, x } = this.world;
    const pfn = x.findOrCreatePage(this.inodes[which], index);
    const known = this.models[which].get(index);
    assert.ok(pfn > 0);
    if (known) assert.equal(pfn, known.pfn);
    else {
      assert.ok(frame(core, pfn).every((byte) => byte === 0));
      frame(core, pfn).fill(0xaa);
      this.models[which].set(index, { pfn, marks: new Set() });
    }
    assert.equal(pageWord(core, pfn, PAGE_INDEX), index);
    assert.equal(pageWord(core, pfn, PAGE_MAPPING), (this.inodes[which] << 5) + INODE_XA_HEAD * 4);
  }

  /** Caches a frame that the caller has filled, as readahead does. */
  add(which: number, index: number): void {
    const { x } = this.world;
    if (this.models[which].has(index)) return;
    const pfn = x.allocPages(0);
    assert.equal(x.addToPageCache(this.inodes[which], index, pfn), 0);
    this.shadows[which].delete(index);
    this.models[which].set(index, { pfn, marks: new Set() });
  }

  remove(which: number, index: number): void {
    const { x } = this.world;
    const page = this.models[which].get(index);
    const pfn = x.removeFromPageCache(this.inodes[which], index);
    assert.equal(pfn, page?.pfn ?? 0);
    if (!page) return;
    this.models[which].delete(index);
    x.putPage(pfn);
  }

  pin(which: number, index: number): void {
    const page = this.models[which].get(index);
    if (!page) return;
    this.world.x.getPage(page.pfn);
    this.pinned.push(page.pfn);
  }

  unpin(any: number): void {
    if (this.pinned.length > 0) this.world.x.putPage(this.pinned.splice(any % this.pinned.length, 1)[0]);
  }

  dirty(which: number, index: number): void {
    const page = this.models[which].get(index);
    if (!page) return;
    assert.equal(this.world.x.setPageDirty(page.pfn), page.marks.has(XA_MARK_DIRTY) ? 0 : 1);
    page.marks.add(XA_MARK_DIRTY);
  }

  /** About to be written back. */
  clean(which: number, index: number): void {
    const page = this.models[which].get(index);
    if (!page) return;
    assert.equal(this.world.x.clearPageDirty(page.pfn), page.marks.has(XA_MARK_DIRTY) ? 1 : 0);
    page.marks.delete(XA_MARK_DIRTY);
  }

  /** Writes whole pages, which makes and dirties them. */
  write(which: number, index: number, any: number): void {
    const nr = 1 + (any % 20);
    if (index + nr > LAST) return;
    const { x } = this.world;
    const buffer = x.allocBuffer(5);
    assert.equal(x.copyFromUser(this.inodes[which], index * 4096, buffer * 4096, nr * 4096), nr * 4096);
    x.freePages(buffer, 32);
    for (let i = index; i < index + nr; i++) {
      this.shadows[which].delete(i);
      const pfn = x.findPage(this.inodes[which], i);
      const page = this.models[which].get(i) ?? { pfn, marks: new Set() };
      page.marks.add(XA_MARK_DIRTY);
      this.models[which].set(i, page);
    }
  }

  /** Gang lookup, in portions of 10. */
  gang(which: number, start: number, last: number, mark: number): void {
    const { core, x } = this.world;
    const to = x.kmalloc(80) >>> 0;
    this.follow();
    const shadows = [...this.shadows[which]].map((index) => [index, { pfn: 0, marks: new Set<number>() }] as const);
    const expected = [...this.models[which], ...shadows]
      .filter(([index, { marks }]) => index >= start && index <= last && (mark === XA_PRESENT || marks.has(mark)))
      .map(([index, { pfn }]) => ({ index, pfn }))
      .sort((a, b) => a.index - b.index);
    const n = x.findPages(this.inodes[which], start, last, mark, to, 10);
    const found = Array.from({ length: n }, (_, i) => ({
      index: core.u32[(to >>> 2) + 2 * i],
      pfn: core.u32[(to >>> 2) + 2 * i + 1],
    }));
    x.kfree(to);
    assert.deepEqual(found, expected.slice(0, 10));
  }

  tag(which: number, start: number, last: number): void {
    const tagged = [...this.models[which]].filter(
      ([index, { marks }]) => index >= start && index <= last && marks.has(XA_MARK_DIRTY),
    );
    assert.equal(this.world.x.indexTag(this.inodes[which], start, last, XA_MARK_DIRTY, XA_MARK_TOWRITE), tagged.length);
    for (const [, { marks }] of tagged) marks.add(XA_MARK_TOWRITE);
  }

  check(): void {
    this.follow();
    const { core, x } = this.world;
    let nrDirty = 0;
    this.models.forEach((model, which) => {
      const inode = this.inodes[which];
      assert.equal(word(core, inode, INODE_NR_PAGES), model.size);
      for (const [index, { pfn }] of model) assert.equal(x.findPage(inode, index), pfn);
      for (const index of this.shadows[which]) assert.equal(x.indexLoad(inode, index) & 3, XA_SHADOW);
      const dirty = [...model.values()].filter(({ marks }) => marks.has(XA_MARK_DIRTY)).length;
      nrDirty += dirty;
      for (const [, { pfn }] of model) {
        const pins = this.pinned.filter((pinned) => pinned === pfn).length;
        assert.equal(pageWord(core, pfn, PAGE_REFCOUNT), 1 + pins);
      }
    });
    assert.equal(kernelWord(core, KERNEL_NR_DIRTY), nrDirty);
  }

  finish(): void {
    this.check();
    while (this.pinned.length > 0) this.unpin(0);
    verify(this.world.core);
    this.world.dispose();
  }
}

const anyIndex = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 100 }) },
  { weight: 1, arbitrary: fc.nat({ max: 5000 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 20, 2 ** 30, LAST - 1, LAST) },
);
const operation = fc.record({
  kind: fc.constantFrom(
    ..."create create create add remove pin unpin dirty dirty clean write write shadow shadow shadow gang gang tag truncate".split(
      " ",
    ),
  ),
  index: anyIndex,
  last: anyIndex,
  any: anyNumber,
});

describe("page cache", () => {
  it("finds, makes, removes, pins, marks and lists pages as a Map does", () => {
    checkModel(operation, 300, (ops) => {
      const files = new Files();
      for (const { kind, index, last, any } of ops) {
        const which = any & 1;
        files.follow();
        if (kind === "create") files.create(which, index);
        else if (kind === "add") files.add(which, index);
        else if (kind === "remove") files.remove(which, index);
        else if (kind === "shadow") files.remember(which, index, any);
        else if (kind === "pin") files.pin(which, index);
        else if (kind === "unpin") files.unpin(any);
        else if (kind === "dirty") files.dirty(which, index);
        else if (kind === "clean") files.clean(which, index);
        else if (kind === "write") files.write(which, index, any);
        else if (kind === "gang")
          files.gang(which, index, any & 2 ? last : LAST, [0, XA_MARK_TOWRITE, XA_PRESENT][any % 3]);
        else if (kind === "tag") files.tag(which, Math.min(index, last), Math.max(index, last));
        else if (any % 4 === 0) {
          files.world.x.punchHole(files.inodes[which], index * 4096, (LAST + 1) * 4096);
          for (const at of [...files.models[which].keys()]) if (at >= index) files.models[which].delete(at);
          for (const at of [...files.shadows[which]]) if (at >= index) files.shadows[which].delete(at);
        }
      }
      files.finish();
    });
  });

  it("keeps a page that was removed while it is pinned", () => {
    const files = new Files();
    files.create(0, 3);
    files.pin(0, 3);
    const [pfn] = files.pinned;
    files.remove(0, 3);
    assert.equal(pageWord(files.world.core, pfn, PAGE_REFCOUNT), 1);
    assert.ok(frame(files.world.core, pfn).every((byte) => byte === 0xaa));
    files.finish();
  });

  it("marks pages of a backing store dirty when a write makes them", () => {
    const files = new Files();
    const at = files.world.x.kmalloc(100) >>> 0;
    assert.equal(files.world.x.copyFromUser(files.inodes[0], 4000, at, 100), 100);
    files.world.x.kfree(at);
    assert.equal(files.world.x.indexGetMark(files.inodes[0], 0, XA_MARK_DIRTY), 1);
    assert.equal(files.world.x.indexGetMark(files.inodes[0], 1, XA_MARK_DIRTY), 1);
    files.world.dispose();
  });
});
