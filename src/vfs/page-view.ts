/**
 * Views straight onto frames of the page cache: for one run of pages that lie behind each other in memory, pinned until they
 * are let go of (mm/gup.ts).
 *
 * Part of what file systems with a store bring with them.
 *
 * Does not own: what programs see of a view (node/page-view.ts).
 */
import { EFAULT } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import { nrPinnable, pinPages, unpinPages } from "../mm/gup.ts";
import { inodeOfFile } from "../mm/page.ts";
import { isShared } from "../mm/shared-frames.ts";
import { type Core, RESULT } from "../wasm/core.ts";
import {
  FILE_DENTRY,
  INODE_SIZE,
  PAGE_SIZE,
  PIN_WRITE,
  RESULT_ADDRESS,
  RESULT_EXTRA,
  VM_SHARED,
} from "../wasm/layout.ts";
import { decodeUtf8 } from "../wasm/path-buffer.ts";
import { mountOfFile } from "./attr.ts";
import type { Kernel } from "./kernel.ts";
import { faultPage, faultPinnable, type Mapped, ownPage, viewable } from "./mmap.ts";
import type { Task } from "./task.ts";

/** Bytes of a run of frames that are pinned. */
export class PageRun {
  readonly #kernel: Kernel;
  readonly #core: Core;
  readonly #address: number;
  /** 0 = nothing is pinned. */
  #pin: number;
  /** Bytes. */
  readonly length: number;
  /** In debug builds: of what it is. */
  readonly name: string | undefined;

  constructor(kernel: Kernel, address: number, length: number, pin: number, file?: FileHandle) {
    this.#kernel = kernel;
    this.#core = kernel.core;
    this.#address = address;
    this.#pin = pin;
    this.length = length;
    this.name = file && kernel.core.x.isDebug() ? `'${pathOf(kernel, file)}' (${length} bytes)` : undefined;
  }

  /** Has its memory gone: by a rollback, or with the kernel? */
  get isGone(): boolean {
    return this.#core !== this.#kernel.core;
  }

  /** The memory that the bytes lie in, at `address`: another object when it has grown. */
  get memory(): ArrayBufferLike {
    return this.#core.arrayBuffer;
  }
  get address(): number {
    return this.#address;
  }

  /** Lets go of the frames. Doing it again changes nothing. */
  release(): void {
    const pin = this.#pin;
    this.#pin = 0;
    if (pin !== 0 && !this.isGone) unpinPages(this.#kernel, pin);
  }
}

/** Path of an open file, as root sees it. */
function pathOf({ core }: Kernel, file: FileHandle): string {
  const dentry = (core.u32[(file << 3) + FILE_DENTRY] >>> 5) as DentryHandle;
  const length = core.x.dPath(mountOfFile(core, file), dentry);
  return length < 0 ? "removed file" : decodeUtf8(core, core.result(RESULT_ADDRESS), length);
}

/** What a view is of: a run of frames with pages of a file. */
interface Run {
  readonly file: FileHandle;
  readonly pfn: number;
  readonly nrPages: number;
}

function pin(kernel: Kernel, run: Run, offset: number, length: number, flags: number): PageRun | number {
  const { file, pfn, nrPages } = run;
  const handle = pinPages(kernel.core, pfn, nrPages, flags);
  return handle < 0 ? handle : new PageRun(kernel, pfn * PAGE_SIZE + offset, length, handle, file);
}

/** A frame stays while others are looked for. */
function withPin<R>({ x }: Core, pfn: number, work: () => R): R {
  x.getPage(pfn);
  try {
    return work();
  } finally {
    x.putPage(pfn);
  }
}

/** Pages from `index` on that are cached and no other file's, up to `wanted`, and lie behind `pfn`, the frame of the first. A marker stays for faults. */
function cachedRun({ core }: Kernel, inode: InodeHandle, index: number, pfn: number, wanted: number): number {
  const nr = core.x.readyRun(inode, index, wanted, 1);
  const marker = core.f64[RESULT + RESULT_EXTRA];
  if (nr > 0 && marker < nr) core.x.setReadahead(pfn + marker);
  let own = 1;
  while (own < nr && !isShared(core, pfn + own)) own++;
  return own;
}

/**
 * Pins bytes of an open file, from a position on: as many as lie in one run of frames, whose first page is read if it must be.
 * Of a file in memory a hole gets a page.
 *
 * @param length most bytes
 * @returns the run, of no bytes behind the end of the file; -EBADF; -EISDIR; -ENODEV (a file without pages); -EAGAIN with a token;
 *   -ENOSPC; -ENOMEM (too many pages are pinned, or memory ran out); what the store answers
 */
export function readView(task: Task, fd: number, position: number, length: number): PageRun | number {
  const seen = viewable(task, fd);
  if (typeof seen === "number") return seen;
  const { kernel } = task;
  const { core } = kernel;
  const { file, operations } = seen;
  const inode = inodeOfFile(core, file);
  const wanted = Math.min(length, core.f64[(inode << 2) + INODE_SIZE] - position);
  core.x.accessed(file);
  if (wanted <= 0) return new PageRun(kernel, 0, 0, 0);
  const index = Math.floor(position / PAGE_SIZE);
  const offset = position - index * PAGE_SIZE;
  const found = operations.fault(kernel, { file, inode, index });
  if (found === -EFAULT) return new PageRun(kernel, 0, 0, 0); // cut meanwhile
  const pfn = found > 0 && isShared(core, found) ? ownPage(kernel, inode, index) : found;
  if (pfn < 0) return pfn;
  core.x.markPageAccessed(pfn);
  return withPin(core, pfn, () => {
    const nrWanted = Math.min(Math.ceil((offset + wanted) / PAGE_SIZE), nrPinnable(core));
    const nrPages = cachedRun(kernel, inode, index, pfn, nrWanted);
    return pin(kernel, { file, pfn, nrPages }, offset, Math.min(wanted, nrPages * PAGE_SIZE - offset), 0);
  });
}

/**
 * Pins bytes of a mapping, from `offset` on: as many as lie in one run of frames. To be written to, each page has been asked for
 * (page_mkwrite), and the view of a shared mapping ends where the file does.
 *
 * @param length most bytes, within the mapping, at least 1; undefined = to its end, or to be written to that of the page
 * @returns as faultPage(); -ENOMEM, too, when too many pages are pinned
 */
export function viewMapping(
  kernel: Kernel,
  mapped: Mapped,
  offset: number,
  length: number | undefined,
  isWrite: boolean,
): PageRun | number {
  const { area } = mapped;
  const { core } = kernel;
  const first = Math.floor(offset / PAGE_SIZE);
  const inPage = offset - first * PAGE_SIZE;
  const most = length ?? Math.min(mapped.length - offset, isWrite ? PAGE_SIZE - inPage : mapped.length);
  const pfn = faultPinnable(kernel, mapped, first, isWrite);
  if (pfn < 0) return pfn;
  return withPin(core, pfn, () => {
    const wanted = Math.min(Math.ceil((inPage + most) / PAGE_SIZE), nrPinnable(core));
    let nrPages = 1;
    // A page more that cannot be had ends the run: the caller asks for it next.
    while (nrPages < wanted && isNextCached(mapped, first + nrPages, pfn + nrPages)) {
      if (faultPage(kernel, mapped, first + nrPages, isWrite) !== pfn + nrPages) break;
      if (isShared(core, pfn + nrPages)) break;
      nrPages++;
    }
    const isFiles = isWrite && (area.flags & VM_SHARED) !== 0;
    const left = core.f64[(area.inode << 2) + INODE_SIZE] - (area.pgoff * PAGE_SIZE + offset);
    const bytes = Math.min(most, nrPages * PAGE_SIZE - inPage, isFiles ? Math.max(0, left) : most);
    return pin(kernel, { file: area.file, pfn, nrPages }, inPage, bytes, isWrite ? PIN_WRITE : 0);
  });
}

/** Is a page of the file in that frame? Private copies seldom lie together. */
function isNextCached({ area }: Mapped, i: number, pfn: number): boolean {
  return area.core.x.findPage(area.inode, area.pgoff + i) === pfn;
}
