/**
 * How far to read ahead of an open file, and when: the window of each file and how it moves.
 *
 *        start            start + size - async   start + size
 *          │◄── wanted ──►│◄────── async ───────►│
 *          └──────────────▲──────────────────────┘
 *                     the marker: whoever reads this page has the next window started
 *
 * A file that is read from its start, or on from where its last read ended, gets a window of a few times what it asked for;
 * each further one is twice as large, up to the limit of its device. Reads elsewhere get what they ask for.
 *
 * Does not own: what reads them (readahead.ts), the pages (assembly/mm/readahead.ts).
 *
 * @see Linux mm/readahead.c ondemand_readahead()
 */

import type { FileHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import { FILE_RA_PAGES } from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { inodeOfFile } from "./page.ts";

/** The window of an open file, pages. It lies in the file's record (File.ra…). */
export interface Window {
  start: number;
  size: number;
  /** Of these, how many lie from the marker on. */
  async: number;
}

/** Pages read ahead where the file system does not say: 128 KiB. */
const DEFAULT_RA_PAGES = 32;

/** Most pages that the file system, or else its device, reads ahead. */
export function deviceRaPages(cache: PageCache, operations: AddressSpaceOperations, file: FileHandle): number {
  return operations.raPages ?? cache.bdiOf(inodeOfFile(cache.core, file))?.raPages ?? DEFAULT_RA_PAGES;
}

/** Most pages to read ahead of an open file: advice and errors change it. */
export function maxRaPages(cache: PageCache, operations: AddressSpaceOperations, file: FileHandle): number {
  const own = cache.core.u32[(file << 3) + FILE_RA_PAGES];
  return own === 0 ? deviceRaPages(cache, operations, file) : own - 1;
}

/** @param pages undefined = as the file system has it */
export function setMaxRaPages({ u32 }: Core, file: FileHandle, pages: number | undefined): void {
  u32[(file << 3) + FILE_RA_PAGES] = pages === undefined ? 0 : pages + 1;
}

/** After a read that has failed: large windows would run into what is broken again. @see Linux shrink_readahead_size_eio() */
export function shrinkRaPages(cache: PageCache, operations: AddressSpaceOperations, file: FileHandle): void {
  setMaxRaPages(cache.core, file, Math.floor(maxRaPages(cache, operations, file) / 4));
}

/** Pages to be read now; the first of the last `async` of them is marked. */
export interface Readahead {
  index: number;
  nrPages: number;
  async: number;
}

/** The first window after a read of `wanted` pages. */
function firstSize(wanted: number, max: number): number {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, wanted)));
  if (size <= max / 32) return size * 4;
  return size <= max / 4 ? size * 2 : max;
}

function nextSize(size: number, max: number): number {
  if (size < max / 16) return size * 4;
  return size <= max / 2 ? size * 2 : max;
}

/**
 * Pages to read when `index` is not in the cache. Moves the window.
 *
 * @param wanted pages that the reader asks for from `index` on, at least 1
 * @param previous page that the file's last read ended in, -1 = there was none
 * @param max limit of the device, pages; 0 = it reads nothing ahead
 */
export function missedPage(window: Window, index: number, wanted: number, previous: number, max: number): Readahead {
  if (max === 0) return { index, nrPages: wanted, async: 0 };
  if (isNext(window, index)) return advance(window, max);
  const isSequential = index === 0 || (previous >= 0 && index - previous >= 0 && index - previous <= 1);
  if (isSequential || wanted > max) return begin(window, index, wanted, max);
  return { index, nrPages: wanted, async: 0 }; // a read at random: the window stays for who goes on with it
}

/**
 * Pages to read when the marker is met, at `index`. Moves the window.
 *
 * @param cachedEnd first page behind `index` that is not cached
 */
export function metMarker(
  window: Window,
  index: number,
  wanted: number,
  cachedEnd: number,
  max: number,
): Readahead | undefined {
  if (max === 0) return undefined;
  if (isNext(window, index)) return advance(window, max);
  // Another reader of the file has left the marker: go on where the cache ends.
  if (cachedEnd - index > max) return undefined;
  window.start = cachedEnd;
  window.size = nextSize(cachedEnd - index + wanted, max);
  window.async = window.size;
  return current(window);
}

/** Is the page where the window asks for its successor, or the one behind it? */
function isNext({ start, size, async }: Window, index: number): boolean {
  return size > 0 && (index === start + size - async || index === start + size);
}

function advance(window: Window, max: number): Readahead {
  window.start += window.size;
  window.size = nextSize(window.size, max);
  window.async = window.size;
  return current(window);
}

function begin(window: Window, index: number, wanted: number, max: number): Readahead {
  window.start = index;
  window.size = firstSize(wanted, max);
  window.async = window.size > wanted ? window.size - wanted : window.size;
  return current(window);
}

function current({ start, size, async }: Window): Readahead {
  return { index: start, nrPages: size, async };
}
