// The names of a directory, packed for JavaScript: one decode and one split for many names, not one call each.
//
//   buffer   | name NUL name NUL ... →          ← type type type |      types from the end backwards, one byte each
//
// Sorted bytewise (as libuv's scandir gives them, name-sort.ts) or in directory order, newest first (as getdents on
// tmpfs).
import { CACHE_DENTRY, DCACHE_CHILD, PG_SLAB, RESULT_EXTRA, RESULT_LENGTH, S_IFMT, SB_COMPLETE } from "../abi";
import { Dentry, nameOf } from "./dentry";
import { listUnusedChildren, unlistChildren } from "./dentry-lru";
import { File } from "./file";
import { isNil, nil, setResult, slot } from "../kernel";
import { sortNames } from "./name-sort";
import { pageOf, pfnOf } from "../mm/page";
import { cacheOf } from "../mm/slab";

const NON_ASCII: u64 = 0x8080808080808080;

/**
 * Lines up all names of a directory, sorted bytewise, for packNames().
 *
 * @returns whether endSorted() is wanted behind it: what is sorted is on the list of unused dentries by the same links
 */
export function startSorted(dir: Dentry): bool {
  const isListed = !(dir.inode.sb.flags & SB_COMPLETE);
  if (isListed) unlistChildren(dir);
  let chain = nil<Dentry>();
  let tail = nil<Dentry>();
  let nr: u32 = 0;
  for (let child = dir.children; !isNil(child); child = child.siblingNext) {
    if (isNil(child.inode)) continue;
    if (isNil(tail)) chain = child;
    else tail.lruNext = child;
    tail = child;
    nr++;
  }
  if (!isNil(tail)) tail.lruNext = nil<Dentry>();
  slot().dirNext = sortNames(chain, nr);
  return isListed;
}

/** Ends a listing of names that are only cached. Precondition: packNames() has answered 0. */
export function endSorted(dir: Dentry): void {
  listUnusedChildren(dir);
}

/**
 * Packs names of the chain from slot.dirNext on, as many as fit.
 *
 * @returns how many; bytes of names in RESULT_LENGTH, 1 in RESULT_EXTRA if all are ASCII
 */
export function packNames(buffer: usize, bytes: u32): u32 {
  let at = buffer;
  let types = buffer + bytes;
  let bits: u64 = 0;
  let n: u32 = 0;
  let dentry = slot().dirNext;
  while (!isNil(dentry)) {
    if (at + dentry.nameLen + 18 > types) break; // a name is copied in words: up to 8 bytes too many
    const next = dentry.lruNext;
    dentry.lruNext = nil<Dentry>();
    bits |= copyName(at, dentry);
    at += dentry.nameLen + 1;
    store<u8>(--types, typeOf(dentry));
    n++;
    dentry = next;
  }
  slot().dirNext = dentry;
  setResult(RESULT_LENGTH, <f64>(at - buffer));
  setResult(RESULT_EXTRA, bits & NON_ASCII ? 0 : 1);
  return n;
}

/** Packs up to `nr` names of an open directory from its position on, and moves it. @returns how many */
export function packNext(file: File, buffer: usize, bytes: u32, nr: u32): u32 {
  const dir = file.dentry;
  let dentry = dir.children;
  if (isHintValid(file)) dentry = file.dirHint;
  while (!isNil(dentry) && dentry.cookie >= file.dirCookie) dentry = dentry.siblingNext;
  let at = buffer;
  let types = buffer + bytes;
  let n: u32 = 0;
  while (!isNil(dentry) && n < nr && at + dentry.nameLen + 18 <= types) {
    file.dirCookie = dentry.cookie;
    file.dirHint = dentry;
    if (!isNil(dentry.inode)) {
      copyName(at, dentry);
      at += dentry.nameLen + 1;
      store<u8>(--types, typeOf(dentry));
      n++;
    }
    dentry = dentry.siblingNext;
  }
  setResult(RESULT_LENGTH, <f64>(at - buffer));
  setResult(RESULT_EXTRA, 0);
  return n;
}

/** The hint is not pinned: what it was may be gone, and its slab with it. */
function isHintValid(file: File): bool {
  const hint = file.dirHint;
  if (isNil(hint)) return false;
  const page = pageOf(pfnOf(changetype<usize>(hint)));
  if (page.flags != PG_SLAB || page.mapping != <u32>changetype<usize>(cacheOf(CACHE_DENTRY))) return false;
  return hint.parent == file.dentry && hint.cookie == file.dirCookie && (hint.flags & DCACHE_CHILD) != 0;
}

/** DT_* of an entry. */
// @ts-ignore: decorator
@inline function typeOf(dentry: Dentry): u8 {
  return <u8>((dentry.inode.mode & S_IFMT) >> 12);
}

/** Copies a name and a NUL. @returns all its words, or'ed */
// @ts-ignore: decorator
@inline function copyName(to: usize, dentry: Dentry): u64 {
  const from = nameOf(dentry);
  const len: u32 = dentry.nameLen;
  let bits: u64 = 0;
  let i: u32 = 0;
  for (; i + 8 <= len; i += 8) {
    const word = load<u64>(from + i);
    bits |= word;
    store<u64>(to + i, word);
  }
  for (; i < len; i++) {
    const byte = load<u8>(from + i);
    bits |= byte;
    store<u8>(to + i, byte);
  }
  store<u8>(to + len, 0);
  return bits;
}
