/**
 * Clones: files that share their pages until one of them is written to. FICLONE and FICLONERANGE, and the data of a file that overlay
 * copies up.
 *
 * Only files in memory can share: whatever has a store is EOPNOTSUPP. Blocks are pages, of 4096 bytes.
 *
 * Part of what file systems with a store bring with them.
 *
 * Does not own: pages (mm/clone-range.ts, mm/shared-frames.ts).
 *
 * @see ioctl_ficlonerange(2); Linux fs/remap_range.c
 */
import { EBADF, EFBIG, EINVAL, EISDIR, ENOSPC, EOPNOTSUPP, EPERM, ETXTBSY, EXDEV } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { S_IFDIR, S_IFREG } from "../base/stat-flags.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { type Charge, type ClonedRange, cloneRange, IS_SWAPPED } from "../mm/clone-range.ts";
import { eachData } from "../mm/page-index.ts";
import { isSwapEntry, swapInPage } from "../mm/swap-in.ts";
import {
  FILE_MODE,
  FMODE_APPEND,
  FMODE_READ,
  FMODE_WRITE,
  I_IMMUTABLE,
  I_SWAPFILE,
  INODE_SB,
  INODE_SIZE,
  INODE_STATE,
  PAGE_SIZE,
  SB_FILE,
  SB_MEMORY,
  SUPER_BLOCK_FLAGS,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../wasm/layout.ts";
import { fdget, hasNoStore, inodeOfFile, typeOf } from "./attr.ts";
import { FS_ACCESS } from "./fsnotify-events.ts";
import type { Kernel } from "./kernel.ts";
import { fileSizeLimit, maxBytes } from "./read-write.ts";
import { setattrOf } from "./setattr-of.ts";
import type { Task } from "./task.ts";
import { wantWriteInode } from "./want-write.ts";

/** So often all swapped pages of a range are brought in: if some have gone again meanwhile, they do not fit in memory. */
const MAX_PASSES = 3;

/** Bytes of one file that are to be those of another. */
export interface CloneBytes {
  readonly from: InodeHandle;
  /** First byte; a multiple of the page size, as `posOut`. */
  readonly posIn: number;
  readonly to: InodeHandle;
  readonly posOut: number;
  /** Bytes, at least 1; to the end of a page, or of `from`. */
  readonly length: number;
  readonly charge: Charge;
}

/**
 * Has bytes of a file be those of another: for who has checked that both live in memory, and that ranges do not overlap. The size of `to`
 * follows, times do not. All or nothing.
 *
 * @returns 0; -EAGAIN with a token of a swap device that takes time; -EIO (a page cannot be read); -ENOSPC (index or copies of pages
 *   that somebody has in hand find no memory, the file system is full, or not all of it fits in memory at once); -ENOMEM
 */
export function cloneBytes(kernel: Kernel, { from, posIn, to, posOut, length, charge }: CloneBytes): number {
  const { core } = kernel;
  const first = posIn / PAGE_SIZE;
  const range: ClonedRange = {
    from,
    first,
    last: first + Math.ceil(length / PAGE_SIZE) - 1,
    to,
    target: posOut / PAGE_SIZE,
    charge,
  };
  const rc = clonePages(kernel, range);
  if (rc < 0) return rc;
  const size = (to << 2) + INODE_SIZE;
  core.f64[size] = Math.max(core.f64[size], posOut + length);
  return 0;
}

function clonePages(kernel: Kernel, range: ClonedRange): number {
  const { core, progress } = kernel;
  const kept = progress ?? { passes: 0 };
  for (;;) {
    const rc = cloneRange(core, range);
    if (rc === IS_SWAPPED) {
      kept.passes = (kept.passes ?? 0) + 1;
      if (kept.passes > mostPasses(range, progress !== undefined)) return -ENOSPC;
      const came = swapInRange(kernel, range);
      if (came < 0) return came;
      continue;
    }
    const room = kernel.room(rc);
    if (room !== TRY_AGAIN) return room;
  }
}

/** A call that waits for devices comes here once for each page. */
function mostPasses({ first, last }: ClonedRange, mayWait: boolean): number {
  return MAX_PASSES + (mayWait ? last - first + 1 : 0);
}

/** Brings in what of a file is in swap areas. @returns 0; as swapInPage() */
function swapInRange(kernel: Kernel, { from, first, last }: ClonedRange): number {
  let rc = 0;
  eachData(kernel.core, from, first, last, (index, entry) => {
    const came = isSwapEntry(entry) ? swapInPage(kernel, from, index) : TRY_AGAIN;
    if (came !== TRY_AGAIN) rc = came;
    return rc === 0;
  });
  return rc;
}

/** The two ends of a clone. */
interface Ends {
  readonly task: Task;
  readonly from: FileHandle;
  readonly source: InodeHandle;
  readonly to: FileHandle;
  readonly sink: InodeHandle;
}

/**
 * FICLONERANGE, and FICLONE where all is 0.
 *
 * @param length bytes; 0 = to the end of the source. What reaches that need not be whole pages, if the target ends there, too
 * @returns bytes, 0 where there is nothing; in this order -EBADF; -EXDEV (two file systems); -EISDIR; -EINVAL (no regular files); -EBADF (not open
 *   for reading, or for writing, or for appending); -EOPNOTSUPP (not in memory); -EINVAL (range); -EAGAIN (frozen); -EPERM (immutable); -ETXTBSY (a swap
 *   file); -EINVAL (positions that are no multiples of the page size, or behind the source's end); -EFBIG; -EINVAL (ranges that overlap; a length
 *   that is no multiple, and ends within either file); as cloneBytes()
 * @see Linux vfs_clone_file_range(), generic_remap_file_range_prep()
 */
export function cloneFileRange(
  task: Task,
  fdIn: number,
  positionIn: number,
  fdOut: number,
  positionOut: number,
  length: number,
): number {
  const { kernel } = task;
  const { core } = kernel;
  task.enter();
  const from = fdget(task, fdIn);
  const to = fdget(task, fdOut);
  if (!from || !to) return task.files.missing(to ? fdIn : fdOut);
  const ends = { task, from, source: inodeOfFile(core, from), to, sink: inodeOfFile(core, to) };
  const refused = mayClone(ends, fdIn, fdOut);
  if (refused < 0) return refused;
  if (positionIn < 0 || positionOut < 0 || length < 0) return -EINVAL;
  const frozen = wantWriteInode(kernel, ends.sink);
  if (frozen) return frozen;
  const len = lengthOf(kernel, ends, positionIn, positionOut, length);
  if (len <= 0) return len;
  const range = { posIn: positionIn, posOut: positionOut, length: len, charge: "all" } as const;
  const rc = cloneBytes(kernel, { from: ends.source, to: ends.sink, ...range });
  if (rc < 0) return rc;
  core.x.fileRemovePrivileges(ends.sink);
  core.x.touch(ends.sink, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  kernel.fsnotify?.changed({ file: from }, FS_ACCESS);
  kernel.fsnotify?.written(to);
  return len;
}

/** @see Linux fs/read_write.c generic_file_rw_checks() */
function mayClone({ task, from, source, to, sink }: Ends, fdIn: number, fdOut: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const { u32 } = core;
  if (u32[(source << 3) + INODE_SB] !== u32[(sink << 3) + INODE_SB]) return -EXDEV;
  const types = [typeOf(core, source), typeOf(core, sink)];
  if (types.includes(S_IFDIR)) return -EISDIR;
  if (types.some((type) => type !== S_IFREG)) return -EINVAL;
  const mode = u32[(to << 3) + FILE_MODE];
  if (!(u32[(from << 3) + FILE_MODE] & FMODE_READ) || !(mode & FMODE_WRITE) || mode & FMODE_APPEND) return -EBADF;
  return isPlain(task, source, fdIn) && isPlain(task, sink, fdOut) ? 0 : -EOPNOTSUPP;
}

/** Is a file read and written by the core, and nothing else of it? To compare operations would be to ask which entry they are from. */
function isPlain({ kernel, files }: Task, inode: InodeHandle, fd: number): boolean {
  const { core } = kernel;
  const flags = core.u32[(core.u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS];
  const operations = files.operations[fd];
  if (!(flags & SB_MEMORY) || flags & SB_FILE || !hasNoStore(core, inode)) return false;
  return operations?.read !== undefined && operations.write !== undefined && setattrOf(kernel, inode) === undefined;
}

/** What of a range there is to clone. @see Linux generic_remap_file_range_prep(), generic_remap_checks(), generic_remap_check_len() */
function lengthOf(kernel: Kernel, { source, sink }: Ends, posIn: number, posOut: number, wanted: number): number {
  const { core } = kernel;
  const stateOf = (inode: InodeHandle): number => core.u32[(inode << 3) + INODE_STATE];
  if (stateOf(sink) & I_IMMUTABLE) return -EPERM;
  if ((stateOf(source) | stateOf(sink)) & I_SWAPFILE) return -ETXTBSY;
  const size = core.f64[(source << 2) + INODE_SIZE];
  if (wanted === 0 && posIn === size) return 0;
  if (wanted === 0 && posIn > size) return -EINVAL;
  const length = wanted || size - posIn;
  if (posIn % PAGE_SIZE !== 0 || posOut % PAGE_SIZE !== 0 || posIn >= size) return -EINVAL;
  const limit = Math.min(maxBytes(core, sink), fileSizeLimit(kernel));
  if (posOut >= limit) return -EFBIG;
  const count = Math.min(length, size - posIn, limit - posOut);
  const isToEnd = posIn + count === size;
  const whole = isToEnd ? count : count - (count % PAGE_SIZE);
  const taken = isToEnd ? Math.ceil(size / PAGE_SIZE) * PAGE_SIZE - posIn : whole;
  if (source === sink && posOut + taken > posIn && posOut < posIn + taken) return -EINVAL;
  if (whole !== length) return -EINVAL;
  const isWithin = posOut + length < core.f64[(sink << 2) + INODE_SIZE];
  return isWithin && length % PAGE_SIZE !== 0 ? -EINVAL : length;
}
