import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { InodeHandle } from "../../../src/base/handles.ts";
import type { Core } from "../../../src/wasm/core.ts";
import { SLOT } from "../../../src/wasm/core.ts";
import {
  CACHE_XA_NODE,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KMEM_CACHE_NR_OBJECTS,
  SLOT_XA_INDEX,
  XA_PRESENT,
  XA_SHADOW,
} from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, verify, World } from "../../helpers/core.ts";
import { holdSlots, swapEntry } from "../../helpers/swap-slots.ts";

const LAST = 2 ** 32 - 1;
const MARKS = [0, 1, 2];

function isShadow(value: number): boolean {
  return (value & 3) === XA_SHADOW;
}

interface Entry {
  value: number;
  marks: Set<number>;
}

/** A page index beside a Map of index to entry. Entries are values: shadows, which are never marked, and swap entries. */
class Index {
  readonly world = new World();
  readonly core: Core = this.world.core;
  readonly inode: InodeHandle = this.world.inodeOf(this.world.make(this.world.root, "f", 0o100644));
  readonly model = new Map<number, Entry>();
  #nrHeld = 0;

  /** The values that are swap entries. */
  #swapEntries(): number[] {
    return [...this.model.values()].map(({ value }) => value).filter((value) => !isShadow(value));
  }

  /** A value as it is, if it is a shadow; else the swap entry of a slot that no other entry has. */
  #unique(any: number): number {
    if (isShadow(any)) return any;
    const held = new Set(this.#swapEntries());
    let slot = (any >>> 5) % 4096;
    while (held.has(swapEntry(slot))) slot = (slot + 1) % 4096;
    return swapEntry(slot);
  }

  sorted(): number[] {
    return [...this.model.keys()].sort((a, b) => a - b);
  }

  store(index: number, any: number): void {
    const value = this.#unique(any);
    assert.equal(this.core.x.indexStore(this.inode, index, value), 0);
    const entry = this.model.get(index);
    if (entry) entry.value = value;
    if (entry && isShadow(value)) entry.marks.clear();
    if (!entry) this.model.set(index, { value, marks: new Set() });
  }

  erase(index: number): void {
    assert.equal(this.core.x.indexErase(this.inode, index) >>> 0, this.model.get(index)?.value ?? 0);
    this.model.delete(index);
  }

  setMark(index: number, mark: number): void {
    this.core.x.indexSetMark(this.inode, index, mark);
    const entry = this.model.get(index);
    if (entry && !isShadow(entry.value)) entry.marks.add(mark);
  }

  clearMark(index: number, mark: number): void {
    this.core.x.indexClearMark(this.inode, index, mark);
    this.model.get(index)?.marks.delete(mark);
  }

  /** First entry of a range with a mark (XA_PRESENT: any). */
  find(start: number, last: number, mark: number): void {
    const expected = this.sorted().find(
      (index) => index >= start && index <= last && (mark === XA_PRESENT || this.model.get(index)?.marks.has(mark)),
    );
    const entry = this.core.x.indexFind(this.inode, start, last, mark) >>> 0;
    assert.equal(entry, expected === undefined ? 0 : this.model.get(expected)?.value);
    if (expected !== undefined) assert.equal(this.core.u32[SLOT + SLOT_XA_INDEX], expected);
  }

  tag(start: number, last: number, from: number, mark: number): void {
    const tagged = this.sorted().filter((i) => i >= start && i <= last && this.model.get(i)?.marks.has(from));
    assert.equal(this.core.x.indexTag(this.inode, start, last, from, mark), tagged.length);
    for (const index of tagged) this.model.get(index)?.marks.add(mark);
  }

  load(index: number): void {
    assert.equal(this.core.x.indexLoad(this.inode, index) >>> 0, this.model.get(index)?.value ?? 0);
    for (const mark of MARKS) {
      const marked = this.model.get(index)?.marks.has(mark) ?? false;
      assert.equal(this.core.x.indexGetMark(this.inode, index, mark), marked ? 1 : 0);
    }
  }

  checkAll(): void {
    for (const index of this.model.keys()) this.load(index);
    for (const mark of MARKS) {
      const marked = [...this.model.values()].some(({ marks }) => marks.has(mark));
      assert.equal(this.core.x.indexMarked(this.inode, mark), marked ? 1 : 0);
    }
    this.#nrHeld = holdSlots(this.world, this.inode, this.#swapEntries(), this.#nrHeld);
    verify(this.core);
  }

  nrNodes(): number {
    return this.core.u32[((KERNEL_BLOCK + KERNEL_CACHES + CACHE_XA_NODE * 32) >>> 2) + KMEM_CACHE_NR_OBJECTS];
  }

  finish(): void {
    this.checkAll();
    for (const index of this.model.keys()) this.erase(index);
    if (this.#nrHeld > 0) holdSlots(this.world, this.inode, [], this.#nrHeld);
    assert.equal(this.nrNodes(), 0, "nodes of an empty index");
    this.world.dispose();
  }
}

/** Indexes close together, at the edges between levels, and anywhere. */
const anyIndex = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 200 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      0,
      1,
      63,
      64,
      65,
      4095,
      4096,
      262143,
      262144,
      2 ** 24,
      2 ** 30,
      LAST - 64,
      LAST - 1,
      LAST,
    ),
  },
  { weight: 2, arbitrary: fc.nat({ max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: LAST }) },
);

const operation = fc.record({
  kind: fc.constantFrom(
    "store",
    "store",
    "store",
    "erase",
    "erase",
    "mark",
    "mark",
    "unmark",
    "find",
    "find",
    "load",
    "tag",
    "drop",
  ),
  index: anyIndex,
  last: anyIndex,
  mark: fc.constantFrom(0, 1, 2),
  any: anyNumber,
});

function apply(index: Index, op: { kind: string; index: number; last: number; mark: number; any: number }) {
  const present = op.any & 1 ? index.sorted() : [];
  const at = present.length > 0 ? present[op.any % present.length] : op.index;
  switch (op.kind) {
    case "store":
      return index.store(op.index, ((op.any << 1) | 1) >>> 0);
    case "erase":
      return index.erase(at);
    case "mark":
      return index.setMark(at, op.mark);
    case "unmark":
      return index.clearMark(at, op.mark);
    case "find":
      return index.find(op.index, op.any & 2 ? op.last : LAST, op.any & 4 ? XA_PRESENT : op.mark);
    case "load":
      return index.load(at);
    case "tag":
      return index.tag(Math.min(op.index, op.last), Math.max(op.index, op.last), op.mark, (op.mark + 1) % 3);
    case "drop": // all but one: the tree shrinks
      for (const i of index.sorted().slice(op.any % 3)) if (op.any % 17 === 0) index.erase(i);
  }
}

describe("page index", () => {
  it("stores, erases, marks and finds as a Map does, and frees its nodes", () => {
    checkModel(operation, 300, (ops) => {
      const index = new Index();
      for (const op of ops) apply(index, op);
      index.finish();
    });
  });

  it("needs no node for a single entry at 0, marks included", () => {
    const index = new Index();
    index.store(0, 7);
    index.setMark(0, 1);
    assert.equal(index.nrNodes(), 0);
    index.store(LAST, 7);
    assert.equal(index.nrNodes(), 11);
    index.checkAll();
    index.erase(LAST);
    assert.equal(index.nrNodes(), 0);
    index.finish();
  });

  it("keeps the lowest tree that reaches the largest index", () => {
    const index = new Index();
    for (const [at, nodes] of [
      [63, 1],
      [64, 3],
      [4095, 4],
      [4096, 7],
    ]) {
      index.store(at, 1);
      assert.equal(index.nrNodes(), nodes);
    }
    for (const at of [4096, 4095, 64]) index.erase(at);
    assert.equal(index.nrNodes(), 1);
    index.finish();
  });

  it("keeps the marks of an entry that is replaced, and loses those of one that is erased", () => {
    const index = new Index();
    for (const at of [0, 100, 5000]) {
      index.store(at, 3);
      index.setMark(at, 0);
      index.store(at, 11);
    }
    index.checkAll();
    for (const at of [0, 100, 5000]) {
      index.erase(at);
      index.store(at, 3);
    }
    index.checkAll();
    index.finish();
  });

  it("sets no mark where there is no entry", () => {
    const index = new Index();
    index.setMark(0, 0);
    index.store(70, 1);
    index.setMark(71, 0);
    index.setMark(0, 0);
    index.checkAll();
    index.finish();
  });
});
