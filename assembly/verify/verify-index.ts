// verify(): the page index of every inode, and what its pages hold beyond the end of the file.
import {
  AS_NO_ACCOUNTING, AS_NO_STORE, AS_SHARED, CACHE_INODE, CACHE_XA_NODE, PAGE_SIZE, PG_BUDDY, PG_DIRTY, PG_SHARED, PG_SWAPCACHE, PG_UPTODATE, PG_WRITEBACK, XA_MARK_DIRTY, XA_MARK_LENT,
  XA_NR_MARKS, XA_PRESENT, XA_RESERVED, XA_RESERVING,
} from "../abi";
import { hostOf, Inode, nrReserved, ownMapping } from "../fs/inode";
import { indexOf } from "../mm/address-space";
import { isNil, kernel, slot } from "../kernel";
import { pageAddress, pageOf } from "../mm/page";
import { cacheOf } from "../mm/slab";
import { isObject, isZero, nextObject } from "./verify";
import { endVerifySwap, startVerifySwap, verifySwapEntry } from "./verify-swap";
import { getMarks, getSlot, HAS_PROMISES, isNode, isPage, isShadow, isShadowNode, isSwap, toNode, xaFind, XaNode, xaGetMark } from "../mm/xarray";

const SLOTS: u32 = 64;
const MARKS: u32 = (1 << XA_NR_MARKS) - 1;

/** All indexes: their trees, their pages, and that no node belongs to none. */
export function verifyIndexes(): void {
  let nrNodes: u32 = 0;
  let nrShadowNodes: u32 = 0;
  let nrDirty: u32 = 0;
  let allReserved: u32 = 0;
  startVerifySwap();
  for (let at = nextObject(CACHE_INODE, 0); at; at = nextObject(CACHE_INODE, at)) {
    const inode = changetype<Inode>(at);
    assert(isObject(CACHE_INODE, changetype<usize>(hostOf(inode.mapping))), "inode: mapping is no inode's");
    const head = inode.xaHead;
    let nrPages: u32 = 0;
    if (isNode(head)) {
      verifyRoot(inode, toNode(head));
      nrPages = nrPagesBelow(inode, toNode(head), 0);
      nrNodes += nrNodesBelow(toNode(head));
      nrShadowNodes += nrShadowNodesBelow(toNode(head));
    } else {
      assert((head != 0 && !isShadow(head)) || (inode.xaFlags & MARKS) == 0, "index: marks on nothing");
      if (head) nrPages = verifyEntry(inode, 0, head);
    }
    const reserved = nrReservedPages(inode);
    assert(reserved == nrReserved(inode), "index: nrReserved() is not the number of promised pages");
    allReserved += reserved;
    assert(nrPages == inode.nrPages, "index: nrPages is not the number of pages");
    if (!(inode.xaFlags & AS_NO_ACCOUNTING)) nrDirty += nrDirtyPages(inode);
  }
  assert(nrNodes == cacheOf(CACHE_XA_NODE).nrObjects, "index: a node belongs to no tree");
  assert(nrShadowNodes == kernel().nrShadowNodes, "index: nrShadowNodes is not the number of leaves of shadows");
  assert(allReserved == kernel().nrReserved, "index: Kernel.nrReserved is not the number of promised pages");
  verifySharers();
  assert(nrDirty == kernel().nrDirty, "index: nrDirty is not the number of dirty pages");
  endVerifySwap();
}

/** Shared pages, which have counted in privateHigh who has them, are had as often as they say. */
function verifySharers(): void {
  for (let pfn: u32 = 0; pfn < kernel().endPfn; ) {
    const page = pageOf(pfn);
    if (page.flags & PG_SHARED) {
      assert(page.privateHigh == page.index, "shared page: of other files than it counts");
      page.privateHigh = 0;
    }
    pfn += page.flags == PG_BUDDY ? 1 << page.privateLow : 1;
  }
}

/** Pages of a file that are no blocks of its file system; each of them is shared. */
export function nrLentPages(inode: Inode): u32 {
  if (!(inode.xaFlags & AS_SHARED)) return 0;
  const xa = indexOf(ownMapping(inode));
  const before = slot().xaIndex;
  let nr: u32 = 0;
  let entry = xaFind(xa, 0, u32.MAX_VALUE, XA_MARK_LENT);
  while (entry) {
    nr++;
    assert(isPage(entry) && (pageOf(entry >> 2).flags & PG_SHARED) != 0, "index: lent, but no page of others");
    const index = slot().xaIndex;
    entry = index == u32.MAX_VALUE ? 0 : xaFind(xa, index + 1, u32.MAX_VALUE, XA_MARK_LENT);
  }
  slot().xaIndex = before;
  return nr;
}

function nrReservedPages(inode: Inode): u32 {
  const xa = indexOf(ownMapping(inode));
  const before = slot().xaIndex;
  let nr: u32 = 0;
  let entry = xaFind(xa, 0, u32.MAX_VALUE, XA_PRESENT);
  while (entry) {
    if (entry == XA_RESERVED) nr++;
    assert(entry != XA_RESERVING, "index: a page that is neither promised nor not");
    const index = slot().xaIndex;
    entry = index == u32.MAX_VALUE ? 0 : xaFind(xa, index + 1, u32.MAX_VALUE, XA_PRESENT);
  }
  slot().xaIndex = before; // memory in its normal form stays in it
  return nr;
}

function nrDirtyPages(inode: Inode): u32 {
  const xa = indexOf(ownMapping(inode));
  let nr: u32 = 0;
  let entry = xaFind(xa, 0, u32.MAX_VALUE, XA_MARK_DIRTY);
  while (entry) {
    if (isPage(entry)) nr++;
    const index = slot().xaIndex;
    entry = index == u32.MAX_VALUE ? 0 : xaFind(xa, index + 1, u32.MAX_VALUE, XA_MARK_DIRTY);
  }
  return nr;
}

function verifyRoot(inode: Inode, root: XaNode): void {
  assert((inode.xaFlags & MARKS) == 0, "index: marks of a head that is a node");
  assert(isNil(root.parent), "index: the root has a parent");
  assert(root.shift <= 30 && root.shift % 6 == 0, "index: shift of the root is impossible");
  assert(root.count > 1 || getSlot(root, 0) == 0, "index: a root that only leads to its first slot");
}

function nrNodesBelow(node: XaNode): u32 {
  let nr: u32 = 1;
  if (node.shift) for (let slot: u32 = 0; slot < SLOTS; slot++) if (getSlot(node, slot)) nr += nrNodesBelow(toNode(getSlot(node, slot)));
  return nr;
}

function nrShadowNodesBelow(node: XaNode): u32 {
  if (node.shift == 0) return isShadowNode(node) ? 1 : 0;
  let nr: u32 = 0;
  for (let slot: u32 = 0; slot < SLOTS; slot++) if (getSlot(node, slot)) nr += nrShadowNodesBelow(toNode(getSlot(node, slot)));
  return nr;
}

/** Checks a node and all below it. @param base first index of its range @returns pages found */
function nrPagesBelow(inode: Inode, node: XaNode, base: u32): u32 {
  assert(isObject(CACHE_XA_NODE, changetype<usize>(node)), "index: an entry leads to no node");
  let nr: u32 = 0;
  let inUse: u32 = 0;
  let nrShadows: u32 = 0;
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    const entry = getSlot(node, slot);
    verifyMarks(node, slot, entry);
    if (!entry) continue;
    inUse++;
    if (isShadow(entry)) nrShadows++;
    assert(entry != XA_RESERVED || (node.nrShadows & HAS_PROMISES) != 0, "index: a leaf does not know of a promised page");
    assert(node.shift < 30 || slot < 4, "index: an entry beyond the largest index");
    const index = base + (slot << node.shift);
    if (node.shift == 0) {
      nr += verifyEntry(inode, index, entry);
      continue;
    }
    assert(isNode(entry), "index: something else than a node above the leaves");
    const child = toNode(entry);
    assert(child.parent == node && child.offset == slot && child.shift + 6 == node.shift, "index: a node does not know its place");
    nr += nrPagesBelow(inode, child, index);
  }
  assert(inUse == node.count, "index: count of a node is wrong");
  assert(nrShadows == (node.nrShadows & ~HAS_PROMISES), "index: nrShadows of a node is wrong");
  return nr;
}

/** A mark is on an entry, and above the leaves exactly where one below has it. */
function verifyMarks(node: XaNode, slot: u32, entry: u32): void {
  for (let mark: u32 = 0; mark < XA_NR_MARKS; mark++) {
    const marked = ((getMarks(node, mark) >> slot) & 1) != 0;
    if (!entry || isShadow(entry)) assert(!marked, "index: a mark on an empty slot or a shadow");
    else if (node.shift) assert(marked == (getMarks(toNode(entry), mark) != 0), "index: a mark unlike those below it");
  }
}

/** @returns 1 for a page and for a swap entry, 0 for a shadow */
function verifyEntry(inode: Inode, index: u32, entry: u32): u32 {
  assert(!isNode(entry), "index: a node among the entries");
  if (isSwap(entry)) verifySwapEntry(entry);
  if (!isPage(entry)) return isSwap(entry) ? 1 : 0;
  const pfn = entry >> 2;
  const page = pageOf(pfn);
  if (page.flags & PG_SHARED) {
    assert((inode.xaFlags & (AS_SHARED | AS_NO_STORE)) == (AS_SHARED | AS_NO_STORE), "index: a shared page of a file that does not know");
    page.privateHigh++;
    verifyTail(inode, index, pfn);
    return 1;
  }
  assert(page.mapping == <u32>changetype<usize>(ownMapping(inode)) && page.index == index, "index: a page that says otherwise");
  if (page.flags & PG_SWAPCACHE) verifySwapEntry(page.privateLow);
  if (inode.xaFlags & AS_NO_STORE) {
    assert((page.flags & PG_UPTODATE) != 0, "page: of memory alone, but not up to date");
    assert(!(page.flags & PG_WRITEBACK) || (page.flags & PG_SWAPCACHE) != 0, "page: of memory alone, but on its way");
    verifyTail(inode, index, pfn);
  }
  if (!(inode.xaFlags & AS_NO_ACCOUNTING)) assert(((page.flags & PG_DIRTY) != 0) == xaGetMark(indexOf(ownMapping(inode)), index, XA_MARK_DIRTY), "page: dirty unlike its mark");
  return 1;
}

/** Bytes beyond the end of the file are zeros. */
function verifyTail(inode: Inode, index: u32, pfn: u32): void {
  const start = <f64>index * PAGE_SIZE;
  const used = inode.size <= start ? 0 : <usize>min<f64>(inode.size - start, PAGE_SIZE);
  assert(isZero(pageAddress(pfn) + used, PAGE_SIZE - used), "page: bytes beyond the end of the file");
}
