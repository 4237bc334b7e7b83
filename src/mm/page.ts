/**
 * Pages of files as operations see them, and the descriptors of their frames (assembly/mm/page.ts).
 *
 * Does not own: the cache they are in (assembly/mm/filemap.ts), their locks and marks, which the engine sets and ends.
 */
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  FILE_DENTRY,
  FILE_INODE,
  PAGE_DESCRIPTOR_BYTES,
  PAGE_FLAGS,
  PAGE_MAPPING,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PAGE_SIZE,
  PG_BUDDY,
  PG_BUFFER,
  PG_HWPOISON,
  PG_PCP,
  PG_PRIVATE,
  PG_RESERVED,
  PG_SLAB,
  PG_TABLE,
  SECTION_FRAMES,
} from "../wasm/layout.ts";
import type { CachedPage, PageCache } from "./address-space.ts";

/** Flags of frames that hold no page of a file. */
export const NO_PAGE = PG_BUDDY | PG_BUFFER | PG_HWPOISON | PG_PCP | PG_RESERVED | PG_SLAB | PG_TABLE;

/** Index in `u32` of a field (PAGE_*) of a frame's descriptor. */
export function fieldOf(pfn: number, field: number): number {
  const inSection = pfn % SECTION_FRAMES;
  return (pfn - inSection) * (PAGE_SIZE >>> 2) + inSection * (PAGE_DESCRIPTOR_BYTES >>> 2) + field;
}

/** The inode of an open file. */
export function inodeOfFile({ u32 }: Core, file: FileHandle): InodeHandle {
  return (u32[(file << 3) + FILE_INODE] >>> 5) as InodeHandle;
}

/** The name that an open file has been opened by. */
export function dentryOfFile({ u32 }: Core, file: FileHandle): DentryHandle {
  return (u32[(file << 3) + FILE_DENTRY] >>> 5) as DentryHandle;
}

/** PG_* of a frame. */
export function pageFlags({ u32 }: Core, pfn: number): number {
  return u32[fieldOf(pfn, PAGE_FLAGS)];
}

/** Pins of a frame; the cache has one of them. */
export function pagePins({ u32 }: Core, pfn: number): number {
  return u32[fieldOf(pfn, PAGE_REFCOUNT)];
}

/** Has the page left the cache? @see Linux folio->mapping, which is NULL then */
export function isTruncated({ u32 }: Core, pfn: number): boolean {
  return u32[fieldOf(pfn, PAGE_MAPPING)] === 0;
}

/** A page at its place in a file. */
export class PageAt implements CachedPage {
  readonly #core: Core;
  readonly inode: InodeHandle;
  readonly index: number;
  readonly pfn: number;

  constructor(core: Core, inode: InodeHandle, index: number, pfn: number) {
    this.#core = core;
    this.inode = inode;
    this.index = index;
    this.pfn = pfn;
  }

  get position(): number {
    return this.index * PAGE_SIZE;
  }

  get length(): number {
    return PAGE_SIZE;
  }

  views(): Uint8Array[] {
    return [new Uint8Array(this.#core.arrayBuffer, this.pfn * PAGE_SIZE, PAGE_SIZE)];
  }
}

/**
 * Hangs a number of the file system's on a page, with a pin: PG_PRIVATE. From then on the file system is asked before the
 * page goes (releasePage), or told (invalidatePage), and takes its number back.
 *
 * @param data 32 bits
 * @see Linux attach_page_private()
 */
export function attachPagePrivate({ core }: PageCache, { pfn }: CachedPage, data: number): void {
  core.x.getPage(pfn);
  core.u32[fieldOf(pfn, PAGE_PRIVATE_LOW)] = data;
  core.u32[fieldOf(pfn, PAGE_FLAGS)] |= PG_PRIVATE;
}

/** The number that hangs on a page; undefined = none. @see Linux page_private() */
export function pagePrivate({ core: { u32 } }: PageCache, { pfn }: CachedPage): number | undefined {
  return u32[fieldOf(pfn, PAGE_FLAGS)] & PG_PRIVATE ? u32[fieldOf(pfn, PAGE_PRIVATE_LOW)] : undefined;
}

/** Undoes attachPagePrivate(), if it was done. @returns what had been attached @see Linux detach_page_private() */
export function detachPagePrivate(cache: PageCache, page: CachedPage): number | undefined {
  const data = pagePrivate(cache, page);
  if (data === undefined) return undefined;
  const { core } = cache;
  core.u32[fieldOf(page.pfn, PAGE_FLAGS)] &= ~PG_PRIVATE;
  core.u32[fieldOf(page.pfn, PAGE_PRIVATE_LOW)] = 0;
  core.x.putPage(page.pfn);
  return data;
}
