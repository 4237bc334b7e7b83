// Reads and writes of regular files: the pieces between which JavaScript copies (Linux generic_file_read_iter,
// generic_perform_write).
//
//   writeBegin ─► address, n ─► JS copies n bytes in ─► writeEnd(n) ─► writeNext ...
//   readBegin  ─► address (0 = hole), n ─► JS copies n bytes out ─► readNext ...
//
// Each piece is one run of contiguous frames. begin/next is the prepare half: it may fail and then nothing is visible;
// end is the commit half and cannot. The call under way is in the slot (io...), as in a struct kiocb.
import {
  AS_NO_ACCOUNTING, AS_NO_STORE, AS_SHARED, AS_SWAPBACKED, AS_UNEVICTABLE, EAGAIN, EBADF, EFBIG, EISDIR, ENOMEM, ENOSPC, FMODE_APPEND, FMODE_NOATIME, FMODE_READ, FMODE_WRITE, HANDOVER_SETATTR, I_DEAD, I_NOATIME,
  MNT_NOATIME, MNT_NODIRATIME, MNT_READONLY, MNT_RELATIME, PAGE_SHIFT, PAGE_SIZE, PG_SHARED, RESULT_ADDRESS,
  S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_IXGRP, SB_FROZEN, SB_NOATIME, SB_NODIRATIME, SB_RDONLY, SB_SETATTR, SB_STACKED, TOUCH_ATIME,
} from "../abi";
import { AddressSpace, indexOf } from "../mm/address-space";
import { fillHole, holeLength, runLength, setPageDirty } from "../mm/filemap";
import { File } from "./file";
import { Dentry } from "./dentry";
import { hostOf, Inode, isDir, touch, touchWritten } from "./inode";
import { current, currentCred, hostNow, kernel, setResult, slot } from "../kernel";
import { pageAddress, pageOf } from "../mm/page";
import { ownPage } from "../mm/shared-frame";
import { needsPage } from "../mm/swapfile";
import { isPage, isSwap, xaLoad } from "../mm/xarray";
import { inGroup } from "./task";

const DAY_MS: f64 = 86400000;
const MAX_RW_BYTES: u32 = 0x7ffff000; // of one piece, as Linux MAX_RW_COUNT

/**
 * Starts a write.
 *
 * @param pos bytes from the start of the file; -1 = at the file's own position, which moves. O_APPEND: at the end
 * @param len bytes, at least 1
 * @param early commits a first piece that is all of it: 3% of an append to untouched memory. For callers whose copy cannot
 *   fail, in memory that nobody else can look at before it is done
 * @returns bytes of the first piece (its address in RESULT_ADDRESS); -EBADF, -EAGAIN (frozen), -EFBIG, -ENOSPC, -ENOMEM
 */
// @ts-ignore: decorator
@inline export function writeBegin(file: File, at: f64, length: u32, nowMs: f64, early: bool): i32 {
  if (!(file.mode & FMODE_WRITE)) return -EBADF;
  const inode = file.inode;
  const s = slot();
  let pos = at < 0 ? file.pos : at;
  if (file.mode & FMODE_APPEND) pos = inode.size;
  s.ioAdvance = at < 0 ? 1 : 0;
  const limit = writeLimit(inode);
  if (pos >= limit) return inode.sb.maxBytes < 0 ? -EAGAIN : -EFBIG;
  s.ioFile = file;
  s.ioPos = pos;
  const kills: u32 = inode.mode & (S_ISUID | S_ISGID) ? privilegesToKill(inode) : 0;
  if (kills && inode.sb.flags & SB_SETATTR) return -HANDOVER_SETATTR;
  const n = prepareWrite(inode, pos, pieceLength(length, limit - pos));
  if (n < 0) return n;
  if (kills) removePrivileges(inode);
  touchWritten(inode, nowMs);
  if (early && n == length) writeEnd(n);
  return n;
}

/** First byte that may not be written: the file system's limit, or the task's own. */
// @ts-ignore: decorator
@inline function writeLimit(inode: Inode): f64 {
  return min<f64>(inode.sb.maxBytes, current().fileSizeLimit);
}

// @ts-ignore: decorator
@inline function pieceLength(wanted: u32, room: f64): u32 {
  return <u32>min<f64>(min<u32>(wanted, MAX_RW_BYTES), room);
}

/** Prepares the next piece of the write under way. @returns as writeBegin(); 0 at the limit */
export function writeNext(length: u32): i32 {
  const s = slot();
  const inode = s.ioFile.inode;
  const pos = s.ioPos;
  const len = pieceLength(length, writeLimit(inode) - pos);
  return len ? prepareWrite(inode, pos, len) : 0;
}

/**
 * Makes the pages of a piece of [pos, pos + len) ready to be overwritten.
 *
 * @returns its length in bytes, its address in RESULT_ADDRESS; -ENOSPC or -ENOMEM; -HANDOVER_SWAP_IN, and nothing changed
 */
export function prepareWrite(inode: Inode, pos: f64, len: u32): i32 {
  const start = <u64>pos;
  const index = <u32>(start >> PAGE_SHIFT);
  const offset = <u32>start & (PAGE_SIZE - 1);
  const entry = xaLoad(indexOf(inode.mapping), index);
  let found = isPage(entry) ? entry >> 2 : 0;
  if (found && inode.mapping.flags & AS_SHARED) {
    found = ownPage(inode.mapping, index, found, !offset && len >= PAGE_SIZE);
    if (!found) return -ENOSPC;
  }
  if (found && offset + len <= PAGE_SIZE) { // Fast path: same result.
    dirtyRun(inode.mapping, found, 1);
    setTarget(pageAddress(found) + offset);
    return len;
  }
  const nr = (offset + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
  if (found) {
    const run = ownLength(inode.mapping, found, runLength(inode.mapping, index, found, nr));
    dirtyRun(inode.mapping, found, run);
    setTarget(pageAddress(found) + offset);
    return min<u32>(len, (run << PAGE_SHIFT) - offset);
  }
  if (isSwap(entry)) return needsPage(inode.mapping, index);
  const run = fillHole(inode.mapping, index, holeLength(inode.mapping, index, nr));
  if (!run) return inode.mapping.flags & AS_NO_STORE ? -ENOSPC : -ENOMEM;
  const address = pageAddress(<u32>run);
  const nrPages = <u32>(run >> 32);
  const room = (nrPages << PAGE_SHIFT) - offset;
  if (offset) memory.fill(address, 0, offset);
  if (len < room) memory.fill(address + offset + len, 0, room - len);
  setTarget(address + offset);
  return min<u32>(len, room);
}

/** How many of a run of pages, of which the first is, are the file's own. */
// @ts-ignore: decorator
@inline function ownLength(mapping: AddressSpace, first: u32, nr: u32): u32 {
  if (!(mapping.flags & AS_SHARED)) return nr;
  let n: u32 = 1;
  while (n < nr && !(pageOf(first + n).flags & PG_SHARED)) n++;
  return n;
}

/**
 * Tells JavaScript where to copy to, in frames that have been touched. The load starts the walk of the processor's page
 * tables before the copy does: a 4 KiB overwrite in a file of 32 MiB gains 45 of 240 ns, a 4 KiB append 60 of 285.
 */
// @ts-ignore: decorator
@inline function setTarget(address: usize): void {
  load<u8>(address);
  setResult(RESULT_ADDRESS, <f64>address);
}

// @ts-ignore: decorator
@inline function dirtyRun(mapping: AddressSpace, first: u32, nr: u32): void {
  if ((mapping.flags & (AS_NO_ACCOUNTING | AS_SWAPBACKED)) == AS_NO_ACCOUNTING) return; // dirty from the start, and its descriptor is a cache miss of its own
  for (let i: u32 = 0; i < nr; i++) setPageDirty(first + i);
}

/** Commits the `n` bytes of the piece that have been copied in. Cannot fail. */
export function writeEnd(n: u32): void {
  const s = slot();
  const file = s.ioFile;
  const inode = file.inode;
  const pos = s.ioPos + <f64>n;
  s.ioPos = pos;
  if (pos > inode.size) inode.size = pos;
  if (s.ioAdvance) file.pos = pos;
}

/**
 * Which of set-user-ID and set-group-ID a write takes away. Set-group-ID without group execution, once the sign of
 * mandatory locking, stays if the writer is in the group. @see Linux file_remove_privs(), setattr_should_drop_sgid()
 */
export function privilegesToKill(inode: Inode): u32 {
  const mode = inode.mode;
  if (!(mode & (S_ISUID | S_ISGID)) || (mode & S_IFMT) != S_IFREG || currentCred().caps) return 0;
  const killsGid = mode & S_IXGRP || !inGroup(currentCred(), inode.gid);
  return mode & (S_ISUID | (killsGid ? S_ISGID : 0));
}

/** Takes these bits away, where the record is all there is. */
export function removePrivileges(inode: Inode): void {
  const kills = privilegesToKill(inode);
  inode.mode &= ~kills;
  if (kills) slot().stripped = inode;
}

/**
 * Starts a read.
 *
 * @param at bytes from the start; -1 = at the file's own position, which moves on by the piece
 * @param len bytes
 * @returns bytes of the first piece, its address in RESULT_ADDRESS (0 = a hole, to be read as zeros); 0 at the end of
 *   the file; -EBADF, -EISDIR
 */
export function readBegin(file: File, at: f64, len: u32): i32 {
  if (!(file.mode & FMODE_READ)) return -EBADF;
  const inode = file.inode;
  if (isDir(inode)) return -EISDIR;
  const pos = at < 0 ? file.pos : at;
  accessFile(file);
  const n = readPiece(inode, pos, len);
  if (at < 0 && n > 0) file.pos = pos + <f64>n;
  return n;
}

/** The piece of [pos, pos + len) that starts at pos. @returns bytes, address in RESULT_ADDRESS; 0 at or beyond the end; -HANDOVER_SWAP_IN */
export function readPiece(inode: Inode, pos: f64, length: u32): i32 {
  const mapping = inode.mapping;
  const left = hostOf(mapping).size - pos;
  if (left <= 0) return 0;
  const len = min<u32>(left < <f64>length ? <u32>left : length, MAX_RW_BYTES);
  const start = <u64>pos;
  const index = <u32>(start >> PAGE_SHIFT);
  const offset = <u32>start & (PAGE_SIZE - 1);
  if (!len) return 0;
  const nr = (offset + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const entry = xaLoad(indexOf(mapping), index);
  if (!isPage(entry)) {
    if (isSwap(entry)) return needsPage(mapping, index);
    setResult(RESULT_ADDRESS, 0);
    return min<u32>(len, (holeLength(mapping, index, nr) << PAGE_SHIFT) - offset);
  }
  const pfn = entry >> 2;
  setResult(RESULT_ADDRESS, <f64>(pageAddress(pfn) + offset));
  if (nr == 1 && mapping.flags & AS_UNEVICTABLE) return len; // as runLength() would say: 4% of a 16 B pread
  return min<u32>(len, (runLength(mapping, index, pfn, nr) << PAGE_SHIFT) - offset);
}

/**
 * Updates the access time, if the mount's rules want it.
 *
 * The age that relatime looks at is taken from the clock as last read; every 256th read reads it again.
 * @see Linux fs/inode.c atime_needs_update(), relatime_need_update()
 */
export function accessFile(file: File): void {
  const inode = file.inode;
  if (file.mode & FMODE_NOATIME || inode.state & I_NOATIME) return;
  accessInode(inode, file.mnt.flags);
}

/**
 * Updates an inode's access time, if the rules of its file system and of the mount (`mntFlags`, MNT_*) want it. Of what stands for
 * another it is that of the upper layer's; lower layers are not changed. @see Linux fs/overlayfs/inode.c ovl_update_time()
 */
export function accessInode(inode: Inode, mntFlags: u32): void {
  const sbFlags = inode.sb.flags;
  if (sbFlags & (SB_NOATIME | SB_RDONLY | SB_FROZEN) || mntFlags & (MNT_NOATIME | MNT_READONLY)) return;
  if ((sbFlags & SB_NODIRATIME || mntFlags & MNT_NODIRATIME) && isDir(inode)) return;
  if (sbFlags & SB_STACKED) {
    if (inode.private0) accessInode(changetype<Dentry>(<usize>inode.private0).inode, mntFlags);
    return;
  }
  if (mntFlags & MNT_RELATIME) {
    const s = slot();
    if ((++s.readCount & 255) == 0) kernel().coarseMs = max<f64>(kernel().coarseMs, hostNow());
    if (inode.atimeSec > inode.mtimeSec && inode.atimeSec > inode.ctimeSec && kernel().coarseMs - inode.atimeSec * 1000 < DAY_MS) return;
    if (!atimeIsOld(inode)) return;
  }
  if (inode.state & I_DEAD && isDir(inode)) return; // nothing of it is read
  touch(inode, TOUCH_ATIME, hostNow());
}

function atimeIsOld(inode: Inode): bool {
  if (inode.atimeSec < inode.mtimeSec || (inode.atimeSec == inode.mtimeSec && inode.atimeNsec <= inode.mtimeNsec)) return true;
  if (inode.atimeSec < inode.ctimeSec || (inode.atimeSec == inode.ctimeSec && inode.atimeNsec <= inode.ctimeNsec)) return true;
  return kernel().coarseMs - inode.atimeSec * 1000 >= DAY_MS;
}
