// Entry points: pages on their way in from a store.
import { EBADF, EISDIR, FMODE_READ, PG_LOCKED, PG_READAHEAD, RESULT_ADDRESS, RESULT_EXTRA } from "../abi";
import { File } from "../fs/file";
import { Inode, isDir } from "../fs/inode";
import { accessFile } from "../fs/read-write";
import { deref, setResult } from "../kernel";
import { findPage } from "../mm/filemap";
import { pageAddress, pageOf } from "../mm/page";
import { endRead as end, failRead as fail, markRunAccessed, readyRun as ready, startRead as start, takeMarker } from "../mm/readahead";

/** May the file be read? Notes the access. @returns 0; -EBADF; -EISDIR */
export function readCheck(file: u32): i32 {
  const f = deref<File>(file);
  if (!(f.mode & FMODE_READ)) return -EBADF;
  if (isDir(f.inode)) return -EISDIR;
  accessFile(f);
  return 0;
}

/**
 * Finds what of the pages from `index` on can be copied at once, and notes that it is used.
 *
 * @param again 1 = the file's last read ended in page `index`
 * @returns pages, up to `nr`: their first address is in RESULT_ADDRESS, in RESULT_EXTRA the first of them that asks for the
 *   next window (RESULT_EXTRA = pages: none); 0 = page `index` is missing, or not up to date
 */
export function readyRun(inode: u32, index: u32, nr: u32, again: u32): u32 {
  const run = ready(deref<Inode>(inode).mapping, index, nr);
  const n = <u32>(run >> 32);
  if (!n) return 0;
  const first = <u32>run;
  markRunAccessed(first, n, again != 0);
  setResult(RESULT_ADDRESS, <f64>pageAddress(first));
  setResult(RESULT_EXTRA, <f64>takeMarker(first, n));
  return n;
}

/**
 * Makes pages from `index` on that are to be read: locked, with a pin each, to the next page that is cached.
 *
 * @returns how many, up to `nr`, their frames one run; RESULT_EXTRA is the first. 0 when `index` is cached, or memory ran out
 */
export function startRead(inode: u32, index: u32, nr: u32): u32 {
  const run = start(deref<Inode>(inode).mapping, index, nr);
  setResult(RESULT_EXTRA, <f64><u32>run);
  return <u32>(run >> 32);
}

/** The store has filled these frames of startRead(). */
export function endRead(pfn: u32, nr: u32): void {
  end(pfn, nr);
}

/** The store has not filled these frames of startRead(): their pages leave the cache. */
export function failRead(pfn: u32, nr: u32): void {
  fail(pfn, nr);
}

/** Makes a page ask for the next window when it is read. */
export function setReadahead(pfn: u32): void {
  pageOf(pfn).flags |= PG_READAHEAD;
}

/** The frame of a page that is cached and locked, 0 = it is not. */
export function lockedPage(inode: u32, index: u32): u32 {
  const pfn = findPage(deref<Inode>(inode).mapping, index);
  return pfn && pageOf(pfn).flags & PG_LOCKED ? pfn : 0;
}
