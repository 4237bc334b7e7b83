/**
 * A page index as it lies in memory (assembly/mm/xarray.ts), read and changed entry by entry where a call into the core would be no
 * faster, and would have to be in every bundle.
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  XA_NODE_COUNT,
  XA_NODE_MARK0,
  XA_NODE_NR_SHADOWS,
  XA_NODE_SHIFT,
  XA_SHADOW,
} from "../wasm/layout.ts";

const SLOTS = 64;
const LEAF_SHIFT = 6;

function isNode(entry: number): boolean {
  return (entry & 3) === 2;
}

/** Index in `u32` of a node's first slot. */
function nodeAt(entry: number): number {
  return (entry - 2) >>> 2;
}

/** Index in `u8` of the field that says how many bits of an index are below a node. */
function shiftOf({ u8 }: Core, entry: number): number {
  return u8[entry - 2 + XA_NODE_SHIFT];
}

/** Index in `u32` of the slot of a page; undefined where the tree has none. */
export function slotOf(core: Core, inode: InodeHandle, index: number): number | undefined {
  let at = (inode << 3) + INODE_XA_HEAD;
  let entry = core.u32[at];
  if (!isNode(entry)) return index === 0 ? at : undefined;
  if (index >= 2 ** (shiftOf(core, entry) + 6)) return undefined;
  for (;;) {
    const shift = shiftOf(core, entry);
    at = nodeAt(entry) + ((index >>> shift) % SLOTS);
    if (shift === 0) return at;
    entry = core.u32[at];
    if (entry === 0) return undefined;
  }
}

/** The entry of a page, 0 = none. */
export function entryOf(core: Core, inode: InodeHandle, index: number): number {
  const at = slotOf(core, inode, index);
  return at === undefined ? 0 : core.u32[at];
}

/** Puts data in the place of data: a page for a swap entry, or the other way round. Nothing else of the index changes. */
export function replaceEntry(core: Core, inode: InodeHandle, index: number, entry: number): void {
  core.u32[slotOf(core, inode, index) as number] = entry;
}

/** All entries of an index, with where they are; entries may be replaced meanwhile, and others come after the one at hand. */
export function* entriesOf(core: Core, inode: InodeHandle): Generator<[index: number, entry: number]> {
  for (let index = 0; index < 2 ** 32; ) {
    const head = core.u32[(inode << 3) + INODE_XA_HEAD];
    if (!isNode(head)) {
      if (index === 0 && head !== 0) yield [0, head];
      return;
    }
    if (index >= 2 ** (shiftOf(core, head) + 6)) return;
    const [shift, entry] = lowest(core, head, index);
    if (entry !== 0) yield [index, entry];
    index = (Math.floor(index / 2 ** shift) + 1) * 2 ** shift;
  }
}

/** Goes down as far as there are nodes. @returns bits of an index below where that ends, and what is there */
function lowest(core: Core, head: number, index: number): [shift: number, entry: number] {
  let entry = head;
  for (;;) {
    const shift = shiftOf(core, entry);
    entry = core.u32[nodeAt(entry) + (Math.floor(index / 2 ** shift) % SLOTS)];
    if (shift === 0 || entry === 0) return [shift, entry];
  }
}

/**
 * Visits the slots of pages from `first` to `last` that the tree has, as runs within a leaf.
 *
 * @param visit is given the first page of a run, the index in `u32` of its slot, and how many there are; it may change entries. False ends it
 */
export function eachLeaf(
  core: Core,
  inode: InodeHandle,
  first: number,
  last: number,
  visit: (index: number, at: number, nr: number) => boolean,
): void {
  for (let index = first; index <= last; ) {
    const head = (inode << 3) + INODE_XA_HEAD;
    const root = core.u32[head];
    if (!isNode(root)) {
      if (index === 0 && root !== 0) visit(0, head, 1);
      return;
    }
    if (index >= 2 ** (shiftOf(core, root) + 6)) return;
    let entry = root;
    let shift = shiftOf(core, entry);
    while (shift > 0 && entry !== 0) {
      entry = core.u32[nodeAt(entry) + (Math.floor(index / 2 ** shift) % SLOTS)];
      if (entry !== 0) shift = shiftOf(core, entry);
    }
    const next = (Math.floor(index / 2 ** Math.max(shift, LEAF_SHIFT)) + 1) * 2 ** Math.max(shift, LEAF_SHIFT);
    const slot = index % SLOTS;
    if (entry !== 0 && !visit(index, nodeAt(entry) + slot, Math.min(next, last + 1) - index)) return;
    index = next;
  }
}

/** Visits the pages, and values that are data, from `first` to `last`. @param visit as of eachLeaf() */
export function eachData(
  core: Core,
  inode: InodeHandle,
  first: number,
  last: number,
  visit: (index: number, entry: number) => boolean,
): void {
  eachLeaf(core, inode, first, last, (index, at, nr) => {
    for (let i = 0; i < nr; i++) {
      const entry = core.u32[at + i];
      if (entry !== 0 && (entry & 3) !== XA_SHADOW && !visit(index + i, entry)) return false;
    }
    return true;
  });
}

/** Is there a leaf for a page, or, for page 0 of a tree without nodes, something already? Then it can be stored without memory. */
export function hasPlace(core: Core, inode: InodeHandle, index: number): boolean {
  const at = slotOf(core, inode, index);
  return at !== undefined && (isNode(core.u32[(inode << 3) + INODE_XA_HEAD]) || core.u32[at] !== 0);
}

/** Puts a page into a slot that hasPlace(). @param at index in `u32` of the slot @returns what was there */
export function storePage(core: Core, inode: InodeHandle, index: number, at: number, pfn: number): number {
  const { u32, u8 } = core;
  const old = u32[at];
  u32[at] = pfn << 2;
  if (at !== (inode << 3) + INODE_XA_HEAD) {
    const leaf = (at - (index % SLOTS)) * 4;
    if (old === 0) u8[leaf + XA_NODE_COUNT]++;
    else if ((old & 3) === XA_SHADOW) u8[leaf + XA_NODE_NR_SHADOWS]--;
  }
  return old;
}

/** Tells a leaf of entries that have been put into slots of it that were free. @param at index in `u32` of the slot of page `index` */
export function addToLeaf({ u8 }: Core, index: number, at: number, nr: number): void {
  u8[(at - (index % SLOTS)) * 4 + XA_NODE_COUNT] += nr;
}

/** Index in `u32` of the word with the mark's bit of an entry in a leaf: those of 32 entries. @param at index in `u32` of its slot */
function markWord(index: number, at: number, mark: number): number {
  const slot = index % SLOTS;
  return at - slot + 2 * (XA_NODE_MARK0 + mark) + (slot >>> 5);
}

/** Has an entry the mark? @param at index in `u32` of its slot @param mark XA_MARK_* */
export function hasMark({ u32 }: Core, inode: InodeHandle, index: number, at: number, mark: number): boolean {
  if (at === (inode << 3) + INODE_XA_HEAD) return (u32[(inode << 3) + INODE_XA_FLAGS] & (1 << mark)) !== 0;
  return ((u32[markWord(index, at, mark)] >>> (index & 31)) & 1) !== 0;
}

/** Has an entry of the same leaf the mark? As hasMark(). */
export function leafHasMark(core: Core, inode: InodeHandle, index: number, at: number, mark: number): boolean {
  if (at === (inode << 3) + INODE_XA_HEAD) return hasMark(core, inode, index, at, mark);
  const first = index - (index % SLOTS);
  const word = markWord(first, at - (index - first), mark);
  return (core.u32[word] | core.u32[word + 1]) !== 0;
}

/** Sets the mark of an entry in a leaf, of which another one has it: nodes above know already. */
export function markToo({ u32 }: Core, index: number, at: number, mark: number): void {
  u32[markWord(index, at, mark)] |= 1 << (index & 31);
}
