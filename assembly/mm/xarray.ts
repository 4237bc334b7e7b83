// Page index: a 64-way radix tree from page index to entry, with three marks (Linux: XArray).
//
//   entry   ......00  page frame number << 2        .......1  value << 1 | 1 (31 bits)
//           ......10  address of a node | 2         0         empty
//
//   value   ......01  shadow: a hole that remembers the page that was there; never marked
//           ......11  swap entry: data, though not here
//
//   head    one entry at index 0 needs no node: head is that entry, and its marks are in the low bits of `flags`.
//
//        head ─► [shift 6 | 0 . 1 . . . 63]                  Indexes 0..4095. A node's mark bit says that the entry,
//                    │       │                               or one somewhere below, has the mark. `count` is slots
//              [shift 0]  [shift 0]  ─► entries              in use; a tree grows and shrinks at its root.
//
// A leaf counts its shadows (`nrShadows`): Kernel.nrShadowNodes says how many leaves hold nothing else and can go when
// memory runs out (workingset.ts). A leaf that has held a promised page (reserve.ts) is none of them: HAS_PROMISES.
//
// store() counts the nodes it needs and takes them before it changes anything: -ENOMEM leaves the tree as it was.
//
// Conventions: xa array, node XaNode, index page index (u32), slot 0..63 in a node, mark 0..2 or XA_PRESENT.
// Compare Linux lib/xarray.c.
import { CACHE_XA_NODE, ENOMEM, XA_NR_MARKS, XA_PRESENT, XA_RESERVING, XA_SHADOW, XA_SWAP } from "../abi";
import { isNil, kernel, nil, slot as self } from "../kernel";
import { kmemCacheAlloc, kmemCacheFree } from "./slab";

/** Head of a page index, part of its inode. */
// @ts-ignore: decorator
@unmanaged export class XArray {
  head: u32; // entry
  flags: u32; // bits 0..2: marks of a head that is no node; above: AS_* flags of the address space
}

/** 256 bytes of slots come first, then three words of mark bits, then these fields. */
const SLOTS: u32 = 64;
const MARKS_OFFSET: usize = 256;
/** Beside the number of shadows: there is, or has been, a promised page among them. */
export const HAS_PROMISES: u8 = 128;

/** A node of a page index: 64 slots and their marks. */
// @ts-ignore: decorator
@unmanaged export class XaNode {
  slots0: u64; slots1: u64; slots2: u64; slots3: u64; slots4: u64; slots5: u64; slots6: u64; slots7: u64;
  slots8: u64; slots9: u64; slots10: u64; slots11: u64; slots12: u64; slots13: u64; slots14: u64; slots15: u64;
  slots16: u64; slots17: u64; slots18: u64; slots19: u64; slots20: u64; slots21: u64; slots22: u64; slots23: u64;
  slots24: u64; slots25: u64; slots26: u64; slots27: u64; slots28: u64; slots29: u64; slots30: u64; slots31: u64;
  mark0: u64; // DIRTY, one bit per slot
  mark1: u64; // WRITEBACK
  mark2: u64; // TOWRITE
  parent: XaNode; // nil at the root
  shift: u8; // bits of index below this node
  offset: u8; // slot in the parent
  count: u8; // slots in use
  nrShadows: u8; // of a leaf: slots that hold a shadow; and HAS_PROMISES
}

/** True for an entry that is a node. */
// @ts-ignore: decorator
@inline export function isNode(entry: u32): bool {
  return (entry & 3) == 2;
}

/** Node of an entry. Precondition: isNode(). */
// @ts-ignore: decorator
@inline export function toNode(entry: u32): XaNode {
  return changetype<XaNode>(<usize>(entry - 2));
}

/** Entry that stands for a node. */
// @ts-ignore: decorator
@inline export function toEntry(node: XaNode): u32 {
  return <u32>changetype<usize>(node) | 2;
}

/** Entry that stands for a page frame. */
// @ts-ignore: decorator
@inline export function pageEntry(pfn: u32): u32 {
  return pfn << 2;
}

/** True for an entry that is a page. */
// @ts-ignore: decorator
@inline export function isPage(entry: u32): bool {
  return entry != 0 && (entry & 3) == 0;
}

/** True for an entry that remembers a page: to data, a hole. */
// @ts-ignore: decorator
@inline export function isShadow(entry: u32): bool {
  return (entry & 3) == XA_SHADOW;
}

/** True for an entry that stands for data in a swap area. */
// @ts-ignore: decorator
@inline export function isSwap(entry: u32): bool {
  return (entry & 3) == XA_SWAP;
}

/** True for an entry that stands for data: a page, or a swap entry. */
// @ts-ignore: decorator
@inline export function isData(entry: u32): bool {
  return isPage(entry) || isSwap(entry);
}

/** True for a leaf of shadows alone. */
// @ts-ignore: decorator
@inline export function isShadowNode(node: XaNode): bool {
  return node.nrShadows != 0 && node.nrShadows == node.count;
}

/** Entry in a slot, 0 to 63; 0 = empty. */
// @ts-ignore: decorator
@inline export function getSlot(node: XaNode, slot: u32): u32 {
  return load<u32>(changetype<usize>(node) + (<usize>slot << 2));
}

/** Puts an entry into a slot, 0 to 63; `count` is the caller's to change. */
// @ts-ignore: decorator
@inline export function setSlot(node: XaNode, slot: u32, entry: u32): void {
  store<u32>(changetype<usize>(node) + (<usize>slot << 2), entry);
}

/** Puts an entry (0 = none) into a slot of a leaf; its counts follow, its marks do not. */
// @ts-ignore: decorator
@inline export function setEntry(leaf: XaNode, slot: u32, entry: u32): void {
  const old = getSlot(leaf, slot);
  if ((old | entry) & 1 || leaf.nrShadows) {
    setCountedEntry(leaf, slot, old, entry);
    return;
  }
  leaf.count += <u8>(<u32>(entry != 0) - <u32>(old != 0));
  setSlot(leaf, slot, entry);
}

function setCountedEntry(leaf: XaNode, slot: u32, old: u32, entry: u32): void {
  if (isShadowNode(leaf)) kernel().nrShadowNodes--;
  leaf.count += <u8>(<u32>(entry != 0) - <u32>(old != 0));
  leaf.nrShadows += <u8>(<u32>isShadow(entry) - <u32>isShadow(old));
  if (entry >= XA_RESERVING && isShadow(entry)) leaf.nrShadows |= HAS_PROMISES;
  if (isShadowNode(leaf)) kernel().nrShadowNodes++;
  setSlot(leaf, slot, entry);
}

/** How many of `nr` slots from `slot` on hold the pages that follow each other from `entry` on. */
// @ts-ignore: decorator
@inline export function countAscending(node: XaNode, slot: u32, nr: u32, entry: u32): u32 {
  let i: u32 = 0;
  while (i < nr && getSlot(node, slot + i) == entry + (i << 2)) i++;
  return i;
}

/** Bits of a mark (0 to 2), one a slot. */
// @ts-ignore: decorator
@inline export function getMarks(node: XaNode, mark: u32): u64 {
  return load<u64>(changetype<usize>(node) + (<usize>mark << 3), MARKS_OFFSET);
}

// @ts-ignore: decorator
@inline function setMarks(node: XaNode, mark: u32, bits: u64): void {
  store<u64>(changetype<usize>(node) + (<usize>mark << 3), bits, MARKS_OFFSET);
}

// @ts-ignore: decorator
@inline function slotOf(node: XaNode, index: u32): u32 {
  return (index >> node.shift) & 63;
}

/** Largest index a tree with this root can hold. */
// @ts-ignore: decorator
@inline function maxIndex(node: XaNode): u32 {
  const bits: u32 = <u32>node.shift + 6;
  return bits >= 32 ? u32.MAX_VALUE : (1 << bits) - 1;
}

/** Finds the leaf (shift 0) whose range holds `index`. @returns nil: nothing is there, or the tree has no nodes */
export function xaLeaf(xa: XArray, index: u32): XaNode {
  const head = xa.head;
  if (!isNode(head)) return nil<XaNode>();
  let node = toNode(head);
  if (index > maxIndex(node)) return nil<XaNode>();
  while (node.shift) {
    const entry = getSlot(node, slotOf(node, index));
    if (!entry) return nil<XaNode>();
    node = toNode(entry);
  }
  return node;
}

/** Reads the entry at `index`. @returns 0 = none */
// @ts-ignore: decorator
@inline export function xaLoad(xa: XArray, index: u32): u32 {
  const head = xa.head;
  if (!isNode(head)) return index == 0 ? head : 0;
  const leaf = xaLeaf(xa, index);
  return isNil(leaf) ? 0 : getSlot(leaf, index & 63);
}

/** Stores an entry (0 erases); one in place of another keeps its marks, but for a shadow, which has none. @returns 0, or -ENOMEM and nothing changed */
export function xaStore(xa: XArray, index: u32, entry: u32): i32 {
  if (entry == 0) {
    xaErase(xa, index);
    return 0;
  }
  if (!isNode(xa.head) && index == 0) {
    xa.head = entry;
    if (isShadow(entry)) clearHeadMarks(xa);
    return 0;
  }
  const leaf = xaLeaf(xa, index);
  if (isNil(leaf)) return storeNew(xa, index, entry);
  const slot = index & 63;
  if (isShadow(entry)) clearSlotMarks(leaf, slot);
  setEntry(leaf, slot, entry);
  return 0;
}

function storeNew(xa: XArray, index: u32, entry: u32): i32 {
  const version = kernel().indexVersion;
  let spare = allocNodes(nodesNeeded(xa, index));
  if (changetype<usize>(spare) == 1) return -ENOMEM;
  if (kernel().indexVersion != version) { // reclaim took nodes, maybe of this tree: it may need others now
    freeNodes(spare);
    return xaStore(xa, index, entry);
  }
  spare = expand(xa, index, spare);
  let node = toNode(xa.head);
  while (node.shift) {
    const slot = slotOf(node, index);
    const below = getSlot(node, slot);
    if (below) {
      node = toNode(below);
      continue;
    }
    const child = spare;
    spare = child.parent;
    linkChild(node, slot, child);
    node = child;
  }
  setEntry(node, index & 63, entry);
  return 0;
}

// @ts-ignore: decorator
@inline function linkChild(node: XaNode, slot: u32, child: XaNode): void {
  child.parent = node;
  child.shift = node.shift - 6;
  child.offset = <u8>slot;
  setSlot(node, slot, toEntry(child));
  node.count++;
}

/** Nodes to allocate before `index` can be stored. */
function nodesNeeded(xa: XArray, index: u32): u32 {
  const head = xa.head;
  let levels: u32 = 1; // levels of a tree that reaches `index`
  while (levels < 6 && index >> (6 * levels)) levels++;
  if (head == 0) return levels;
  if (!isNode(head)) return levels * 2 - 1; // a root path to the old head at index 0, which shares the root only
  let node = toNode(head);
  const have = <u32>node.shift / 6 + 1;
  if (levels > have) return levels - have + levels - 1;
  while (node.shift) {
    const below = getSlot(node, slotOf(node, index));
    if (!below) return <u32>node.shift / 6;
    node = toNode(below);
  }
  return 0;
}

/** Takes n nodes, chained by `parent`. @returns nil for none wanted; the impossible address 1 when memory ran out */
function allocNodes(n: u32): XaNode {
  let chain = nil<XaNode>();
  for (let i: u32 = 0; i < n; i++) {
    const node = changetype<XaNode>(kmemCacheAlloc(CACHE_XA_NODE));
    if (isNil(node)) {
      freeNodes(chain);
      return changetype<XaNode>(1);
    }
    node.parent = chain;
    chain = node;
  }
  return chain;
}

function freeNodes(nodes: XaNode): void {
  let chain = nodes;
  while (!isNil(chain)) {
    const next = chain.parent;
    kmemCacheFree(changetype<usize>(chain));
    chain = next;
  }
}

/** Makes the tree high enough for `index`, with nodes of `chain`. @returns the nodes left */
function expand(xa: XArray, index: u32, chain: XaNode): XaNode {
  let spare = chain;
  if (!isNode(xa.head)) { // a first node, for the old head or for nothing yet
    const old = xa.head;
    const root = spare;
    spare = root.parent;
    root.parent = nil<XaNode>();
    root.shift = 0;
    if (!old) while (index > maxIndex(root)) root.shift += 6;
    else adoptHead(xa, root, old);
    xa.head = toEntry(root);
  }
  while (index > maxIndex(toNode(xa.head))) {
    const child = toNode(xa.head);
    const root = spare;
    spare = root.parent;
    root.parent = nil<XaNode>();
    root.shift = child.shift + 6;
    linkChild(root, 0, child);
    for (let mark: u32 = 0; mark < XA_NR_MARKS; mark++) if (getMarks(child, mark)) setMarks(root, mark, 1);
    xa.head = toEntry(root);
  }
  return spare;
}

/** A head without a node moves into the first slot of one, marks included. */
function adoptHead(xa: XArray, root: XaNode, entry: u32): void {
  setEntry(root, 0, entry);
  for (let mark: u32 = 0; mark < XA_NR_MARKS; mark++) if (xa.flags & (1 << mark)) setMarks(root, mark, 1);
  clearHeadMarks(xa);
}

// @ts-ignore: decorator
@inline function clearHeadMarks(xa: XArray): void {
  xa.flags &= ~((1 << XA_NR_MARKS) - 1);
}

/** Removes the entry at `index` and its marks; the tree shrinks. @returns the entry that was there, 0 = none */
export function xaErase(xa: XArray, index: u32): u32 {
  const head = xa.head;
  if (!isNode(head)) {
    if (index) return 0;
    xa.head = 0;
    clearHeadMarks(xa);
    return head;
  }
  const leaf = xaLeaf(xa, index);
  if (isNil(leaf)) return 0;
  const slot = index & 63;
  const entry = getSlot(leaf, slot);
  if (!entry) return 0;
  clearSlotMarks(leaf, slot);
  setEntry(leaf, slot, 0);
  if (leaf.count <= 1) shrink(xa, leaf);
  return entry;
}

/** Frees nodes without entries from `leaf` upwards, then roots that only lead to their first slot. */
function shrink(xa: XArray, leaf: XaNode): void {
  let node = leaf;
  while (node.count == 0) {
    const parent = node.parent;
    const slot = node.offset;
    kmemCacheFree(changetype<usize>(node));
    if (isNil(parent)) {
      xa.head = 0;
      return;
    }
    setSlot(parent, slot, 0);
    parent.count--;
    node = parent;
  }
  let root = toNode(xa.head);
  while (root.count == 1) {
    const entry = getSlot(root, 0);
    if (!entry) return;
    if (!isNode(entry)) {
      for (let mark: u32 = 0; mark < XA_NR_MARKS; mark++) if (getMarks(root, mark) & 1) xa.flags |= 1 << mark;
      xa.head = entry;
      if (isShadowNode(root)) kernel().nrShadowNodes--;
      kmemCacheFree(changetype<usize>(root));
      return;
    }
    xa.head = entry;
    kmemCacheFree(changetype<usize>(root));
    root = toNode(entry);
    root.parent = nil<XaNode>();
  }
}

/** Sets a mark on a present entry; nothing happens where there is none, or a shadow. */
export function xaSetMark(xa: XArray, index: u32, mark: u32): void {
  if (!isNode(xa.head)) {
    if (index == 0 && isData(xa.head)) xa.flags |= 1 << mark;
    return;
  }
  let node = xaLeaf(xa, index);
  if (isNil(node) || !isData(getSlot(node, index & 63))) return;
  let slot = index & 63;
  while (!isNil(node)) {
    const bits = getMarks(node, mark);
    const bit = (<u64>1) << slot;
    if (bits & bit) return;
    setMarks(node, mark, bits | bit);
    slot = node.offset;
    node = node.parent;
  }
}

/** Takes a mark off the entry at `index`, and off the nodes above that it was the last marked one of. */
export function xaClearMark(xa: XArray, index: u32, mark: u32): void {
  if (!isNode(xa.head)) {
    if (index == 0) xa.flags &= ~(1 << mark);
    return;
  }
  const leaf = xaLeaf(xa, index);
  if (!isNil(leaf)) clearNodeMark(leaf, index & 63, mark);
}

// @ts-ignore: decorator
@inline function clearSlotMarks(leaf: XaNode, slot: u32): void {
  if (getMarks(leaf, 0) | getMarks(leaf, 1) | getMarks(leaf, 2)) {
    for (let mark: u32 = 0; mark < XA_NR_MARKS; mark++) clearNodeMark(leaf, slot, mark);
  }
}

function clearNodeMark(leaf: XaNode, leafSlot: u32, mark: u32): void {
  let node = leaf;
  let slot = leafSlot;
  while (!isNil(node)) {
    const bits = getMarks(node, mark);
    const bit = (<u64>1) << slot;
    if (!(bits & bit)) return;
    setMarks(node, mark, bits & ~bit);
    if (bits & ~bit) return;
    slot = node.offset;
    node = node.parent;
  }
}

/** True if the entry at `index` has a mark (0 to 2). */
export function xaGetMark(xa: XArray, index: u32, mark: u32): bool {
  if (!isNode(xa.head)) return index == 0 && (xa.flags & (1 << mark)) != 0;
  const leaf = xaLeaf(xa, index);
  return !isNil(leaf) && ((getMarks(leaf, mark) >> (index & 63)) & 1) != 0;
}

/** True if any entry has the mark. */
export function xaMarked(xa: XArray, mark: u32): bool {
  if (!isNode(xa.head)) return (xa.flags & (1 << mark)) != 0;
  return getMarks(toNode(xa.head), mark) != 0;
}

/**
 * Finds the first entry from `start` to `last` that has a mark (XA_PRESENT: any entry).
 *
 * @returns the entry, its index in slot.xaIndex; 0 = none
 */
export function xaFind(xa: XArray, start: u32, last: u32, mark: u32): u32 {
  const head = xa.head;
  if (!isNode(head)) {
    if (!head || start || (mark != XA_PRESENT && !(xa.flags & (1 << mark)))) return 0;
    self().xaIndex = 0;
    return head;
  }
  let node = toNode(head);
  if (start > maxIndex(node)) return 0;
  let index = start;
  while (true) {
    const above = maxIndexUnder(node, index);
    const slot = nextSlot(node, slotOf(node, index), last > above ? SLOTS - 1 : slotOf(node, last), mark);
    if (slot >= SLOTS) { // nothing more below this node: go on behind it
      if (above == u32.MAX_VALUE || above >= last) return 0;
      index = above + 1;
      node = node.parent;
      while (!isNil(node) && index > maxIndexUnder(node, index - 1)) node = node.parent;
      if (isNil(node)) return 0;
      continue;
    }
    if (slot != slotOf(node, index)) index = (index & ~maxIndex(node)) | (slot << node.shift);
    if (index > last) return 0;
    const entry = getSlot(node, slot);
    if (node.shift == 0) {
      self().xaIndex = index;
      return entry;
    }
    node = toNode(entry);
  }
  return 0;
}

/** Last index of the range that `node` covers around `index`. */
// @ts-ignore: decorator
@inline function maxIndexUnder(node: XaNode, index: u32): u32 {
  return index | maxIndex(node);
}

/** First slot from `from` on that is in use, or has the mark; SLOTS, or one behind `last`, if none is up to that. */
function nextSlot(node: XaNode, from: u32, last: u32, mark: u32): u32 {
  if (mark != XA_PRESENT) {
    const bits = getMarks(node, mark) >> from;
    return bits ? from + <u32>ctz<u64>(bits) : SLOTS;
  }
  if (getSlot(node, from)) return from;
  for (let slot = (from + 1) & ~1; slot <= last; slot += 2) { // two at a time
    const pair = load<u64>(changetype<usize>(node) + (<usize>slot << 2));
    if (pair) return slot + (<u32>pair ? 0 : 1);
  }
  return SLOTS;
}

/** Gives `mark` to every entry from `start` to `last` that has `from` (Linux tag_pages_for_writeback). @returns how many */
export function xaTagRange(xa: XArray, start: u32, last: u32, from: u32, mark: u32): u32 {
  let nr: u32 = 0;
  let index = start;
  while (xaFind(xa, index, last, from)) {
    index = self().xaIndex;
    xaSetMark(xa, index, mark);
    nr++;
    if (index == last) break;
    index++;
  }
  return nr;
}
