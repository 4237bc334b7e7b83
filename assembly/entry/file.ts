// Entry points: open files, reads and writes, sizes, locks.
import {
  AS_NO_STORE, EAGAIN, EBADF, EFBIG, ENOMEM, ENOSPC, ENXIO, EOPNOTSUPP, FMODE_WRITE, I_PLAIN, LOOKUP_FOLLOW, MAY_READ, MAY_WRITE, MNT_READONLY, O_CREAT,
  PAGE_SHIFT, PAGE_SIZE, RESULT_ADDRESS, SB_FILE, SB_FROZEN, SB_MEMORY, SB_PERMISSION, SB_RDONLY, SLOT_RESULT, S_IFDIR, S_IFMT, S_IFREG,
  TOUCH_CTIME, TOUCH_MTIME,
} from "../abi";
import { Dentry } from "../fs/dentry";
import { allocFile, File, fput } from "../fs/file";
import { indexOf } from "../mm/address-space";
import { findData, findPage } from "../mm/filemap";
import { dropLock, setLock } from "../fs/flock";
import { hostOf, Inode, isDir, touch } from "../fs/inode";
import { current, currentCred, deref, handle, isNil, slot } from "../kernel";
import { Mount } from "../fs/mount";
import { walkKnown } from "../fs/namei";
import { inodePermission } from "../fs/permission";
import { createPlain } from "../fs/plain-names";
import { endSorted, packNames as pack, packNext, startSorted } from "../fs/readdir";
import { accessFile, accessInode, readBegin as begin, readPiece, privilegesToKill as toKill, removePrivileges, writeBegin as startWrite, writeEnd as endWrite, writeNext as nextWrite } from "../fs/read-write";
import { reserveRange } from "../mm/reserve";
import { ownPage as own } from "../mm/shared-frame";
import { prepareEdges, punchHole as punch, zeroRange as zero, truncateToSize } from "../mm/truncate";
import { copyMapping, copyFromUser as toCache, copyToUser as fromCache } from "../fs/uaccess";
import { isData, xaLoad } from "../mm/xarray";
import { walk } from "./walk";

/** Opens what the current task's walk has found. @returns handle or -ENOMEM */
export function fileOpen(mnt: u32, dentry: u32, flags: u32, mode: u32): i32 {
  const file = allocFile(current(), deref<Mount>(mnt), deref<Dentry>(dentry), flags, mode);
  return isNil(file) ? -ENOMEM : handle<File>(file);
}

/**
 * Walks the path in buffer A and opens what is there, where that takes no more than the permission bits: a regular file,
 * or a directory to read. With O_CREAT makes what is missing, where that takes no more than libfs.
 *
 * @param flags O_*, for the file; without those that need a decision of the VFS. What O_TRUNC asks for the caller does, if
 *   the open file still has it
 * @param mode FMODE_*
 * @param access MAY_* to check
 * @param perm permission bits of a new file, before the umask
 * @returns handle of the file; 0 = the VFS is to decide about what is found (ndDentry), or with LOOKUP_LAST missing; a
 *   negated errno, or HANDOVER_*
 */
export function openPath(len: u32, lookup: u32, flags: u32, mode: u32, access: u32, perm: u32): i32 {
  const found = walk(len, 0, lookup);
  if (found > 0) return openFound(slot().ndDentry.inode, flags, mode, access);
  if (found < 0 || !(flags & O_CREAT)) return found;
  const file = createPlain(flags, mode, perm);
  return isNil(file) ? 0 : handle<File>(file);
}

/**
 * As openPath() for a path that has led to `dentry` and its `inode`, 0 = to nothing; see namei.ts walkKnown(). Given both,
 * the processor need not read the one to find the other.
 */
export function openKnown(mnt: u32, dentry: u32, inode: u32, version: u32, flags: u32, mode: u32, access: u32): i32 {
  const rc = walkKnown(dentry != 0, version);
  if (rc) return rc;
  const s = slot();
  s.ndMount = deref<Mount>(mnt);
  s.ndDentry = deref<Dentry>(dentry);
  return openFound(deref<Inode>(inode), flags, mode, access);
}

/** Opens what stands in nd. */
function openFound(inode: Inode, flags: u32, mode: u32, access: u32): i32 {
  const s = slot();
  if (!isPlain(inode, access) || (access & MAY_WRITE && s.ndMount.flags & MNT_READONLY)) return 0;
  if (flags & O_CREAT && isDir(inode)) return 0;
  const denied = inodePermission(currentCred(), inode, access);
  if (denied) return denied;
  const file = allocFile(s.current, s.ndMount, s.ndDentry, flags, mode);
  return isNil(file) ? -ENOMEM : handle<File>(file);
}

/**
 * Finds the data of a small regular file by the path in buffer A: what open, fstat, read and close would give.
 *
 * @param max bytes, larger files are not looked at
 * @returns bytes of the file, all at RESULT_ADDRESS; -EOPNOTSUPP when it takes more than that (no regular file, larger,
 *   in pieces, the VFS to decide); a negated errno, or HANDOVER_*
 */
export function readPath(len: u32, max: u32): i32 {
  const found = walk(len, 0, LOOKUP_FOLLOW);
  if (found <= 0) return found;
  const s = slot();
  return readFound(s.ndMount, s.ndDentry.inode, max);
}

/** As readPath() for a path that has led to `inode`, 0 = to nothing; see namei.ts walkKnown(). */
export function readKnown(mnt: u32, inode: u32, version: u32, max: u32): i32 {
  const rc = walkKnown(inode != 0, version);
  return rc ? rc : readFound(deref<Mount>(mnt), deref<Inode>(inode), max);
}

function readFound(mnt: Mount, inode: Inode, max: u32): i32 {
  const mapping = inode.mapping;
  const host = hostOf(mapping);
  const size = host.size;
  if (!isPlain(inode, MAY_WRITE) || host.sb.flags & SB_FILE || !(mapping.flags & AS_NO_STORE)) return -EOPNOTSUPP;
  if (size > <f64>max) return -EOPNOTSUPP;
  const denied = inodePermission(currentCred(), inode, MAY_READ);
  if (denied) return denied;
  const n = readPiece(inode, 0, <u32>size);
  if (size && (n != <i32>size || isHole())) return -EOPNOTSUPP;
  accessInode(inode, mnt.flags);
  return n;
}

/** True if the piece just found is a hole. */
function isHole(): bool {
  return load<f64>(changetype<usize>(slot()) + SLOT_RESULT + (RESULT_ADDRESS << 3)) == 0;
}

/** Does opening it take no more than the permission bits? Directories are opened to be read. */
// @ts-ignore: decorator
@inline function isPlain(inode: Inode, access: u32): bool {
  const type = inode.mode & S_IFMT;
  if (type != S_IFREG && (type != S_IFDIR || access & MAY_WRITE)) return false;
  return (inode.state & ~I_PLAIN) == 0 && !(inode.sb.flags & (SB_PERMISSION | SB_RDONLY));
}

/** Another descriptor shares the file. */
export function fileGet(file: u32): void {
  deref<File>(file).count++;
}

/** Drops a reference; the last one closes the file: its lock goes, and its counts on mount, dentry and credentials. */
export function filePut(file: u32): void {
  fput(deref<File>(file));
}

/** Starts a read, see read-write.ts. */
export function readBegin(file: u32, pos: f64, len: u32): i32 {
  return begin(deref<File>(file), pos, len);
}

/** A further piece of a read; `advance` 1 moves the file's position behind it. */
export function readNext(file: u32, pos: f64, len: u32, advance: u32): i32 {
  const f = deref<File>(file);
  const n = readPiece(f.inode, pos, len);
  if (advance && n > 0) f.pos = pos + <f64>n;
  return n;
}

/** A piece of an inode's data, without a file and without access time. */
export function readInode(inode: u32, pos: f64, len: u32): i32 {
  return readPiece(deref<Inode>(inode), pos, len);
}

/**
 * Starts a write: checks it and prepares its first piece, see read-write.ts.
 *
 * @param pos bytes from the start; -1 = the file's own position, which moves; O_APPEND writes at the end
 * @param len bytes, at least 1
 * @param early 1 = commits the piece if it is all of it; not for memory that others share
 * @returns bytes of the piece, its address in RESULT_ADDRESS; -EBADF, -EAGAIN (frozen), -EFBIG, -ENOSPC, -ENOMEM
 */
export function writeBegin(file: u32, pos: f64, len: u32, nowMs: f64, early: u32): i32 {
  return startWrite(deref<File>(file), pos, len, nowMs, early != 0);
}

/** May the file be written at all? For writes of nothing. @returns 0; -EBADF; -EAGAIN (frozen) */
export function mayWrite(file: u32): i32 {
  const f = deref<File>(file);
  if (!(f.mode & FMODE_WRITE)) return -EBADF;
  return f.inode.sb.flags & SB_FROZEN ? -EAGAIN : 0;
}

/**
 * Prepares the next piece of the write under way.
 *
 * @param len bytes still to be written
 * @returns bytes of the piece, its address in RESULT_ADDRESS; 0 at the size limit; -ENOSPC, -ENOMEM
 */
export function writeNext(len: u32): i32 {
  return nextWrite(len);
}

/** Commits `n` bytes of the piece that have been copied in: size and position follow. Cannot fail. */
export function writeEnd(n: u32): void {
  endWrite(n);
}

/** Notes that a directory or link has been read. */
export function accessed(file: u32): void {
  accessFile(deref<File>(file));
}

/** Updates an inode's access time, where its file system and the flags (MNT_*) of the mount it is read by want it. */
export function inodeAccessed(inode: u32, mntFlags: u32): void {
  accessInode(deref<Inode>(inode), mntFlags);
}

/** Sets the size; data beyond it is dropped. Size and times change even if the size is the same. @returns 0; -EFBIG; -HANDOVER_SWAP_IN; -ENOSPC: no room for a copy of the page that is cut, which others have, too */
export function setSize(inode: u32, size: f64, nowMs: f64): i32 {
  const i = deref<Inode>(inode);
  if (size > abs<f64>(i.sb.maxBytes) || (size > i.size && size > current().fileSizeLimit)) return -EFBIG;
  const edge = size <= i.size ? prepareEdges(i.mapping, size, size) : 0;
  if (edge) return edge;
  if (size <= i.size) truncateToSize(i.mapping, size); // the same size too: what was allocated beyond it goes, as on tmpfs
  i.size = size;
  touch(i, TOUCH_MTIME | TOUCH_CTIME, nowMs);
  return 0;
}

/** As setSize(), and takes set-ID bits away: what truncate() and O_TRUNC do. @returns as setSize(); -EAGAIN (frozen) */
export function truncate(inode: u32, size: f64, nowMs: f64): i32 {
  if (deref<Inode>(inode).sb.maxBytes < 0) return -EAGAIN;
  const rc = setSize(inode, size, nowMs);
  if (rc == 0) removePrivileges(deref<Inode>(inode));
  return rc;
}

/** Makes [start, end) a hole. @returns 0; -HANDOVER_SWAP_IN; -ENOSPC as setSize(), and nothing has changed */
export function punchHole(inode: u32, start: f64, end: f64): i32 {
  const mapping = deref<Inode>(inode).mapping;
  const edge = prepareEdges(mapping, start, end);
  if (!edge) punch(mapping, start, end);
  return edge;
}

/** Zeroes the cached bytes of [start, end); whole pages in a swap area, and shared ones, are holes then. @returns as punchHole() */
export function zeroRange(inode: u32, start: f64, end: f64): i32 {
  const mapping = deref<Inode>(inode).mapping;
  const edge = prepareEdges(mapping, start, end);
  if (!edge) zero(mapping, start, end);
  return edge;
}

/**
 * Promises pages to [start, end), where it has none and no swap entry: they count as blocks, and are zeros. All or nothing.
 * @returns 0; -EOPNOTSUPP where there is a store; -ENOSPC
 */
export function allocateRange(inode: u32, start: f64, end: f64): i32 {
  const i = deref<Inode>(inode);
  if (!(i.sb.flags & SB_MEMORY)) return -EOPNOTSUPP;
  return reserveRange(i.mapping, <u32>(<u64>start >> PAGE_SHIFT), <u32>((<u64>end - 1) >> PAGE_SHIFT));
}

/** First byte of data at or after `pos` (pages, and what is in a swap area). @returns -ENXIO when only a hole is left */
export function seekData(inode: u32, pos: f64): f64 {
  const i = deref<Inode>(inode);
  if (pos >= i.size) return -ENXIO;
  if (!findData(i.mapping, <u32>(<u64>pos >> PAGE_SHIFT), u32.MAX_VALUE)) return -ENXIO;
  const at = <f64>slot().xaIndex * PAGE_SIZE;
  return at >= i.size ? -ENXIO : max<f64>(at, pos);
}

/** First byte of a hole at or after `pos`; the end of the file is one. @returns -ENXIO beyond the end */
export function seekHole(inode: u32, pos: f64): f64 {
  const i = deref<Inode>(inode);
  if (pos >= i.size) return -ENXIO;
  let index = <u32>(<u64>pos >> PAGE_SHIFT);
  while (isData(xaLoad(indexOf(i.mapping), index))) {
    if (index == u32.MAX_VALUE) return i.size;
    index++;
  }
  return min<f64>(max<f64>(<f64>index * PAGE_SIZE, pos), i.size);
}

/** Copies between two inodes' data. @returns bytes, or -ENOSPC */
export function copyRange(from: u32, posFrom: f64, to: u32, posTo: f64, len: f64): f64 {
  return copyMapping(deref<Inode>(from), posFrom, deref<Inode>(to), posTo, len);
}

/** Makes page `index` one that only this inode has. @returns its frame, 0 = there is no page; -ENOSPC */
export function ownPage(inode: u32, index: u32): i32 {
  const mapping = deref<Inode>(inode).mapping;
  const pfn = findPage(mapping, index);
  return pfn ? own(mapping, index, pfn, false) || -ENOSPC : 0;
}

/** Copies `len` bytes at a memory address into an inode's data. */
export function copyFromUser(inode: u32, pos: f64, src: u32, len: u32): i32 {
  return toCache(deref<Inode>(inode), pos, src, len);
}

/** Copies an inode's data to a memory address. */
export function copyToUser(inode: u32, pos: f64, dst: u32, len: u32): i32 {
  return fromCache(deref<Inode>(inode), pos, dst, len);
}

/** Writes of another than root take set-ID bits away. */
export function fileRemovePrivileges(inode: u32): void {
  removePrivileges(deref<Inode>(inode));
}

/** Set-ID bits that a write by the current task takes away, 0 = none. */
export function privilegesToKill(inode: u32): u32 {
  return toKill(deref<Inode>(inode));
}

/** Takes (0 shared, 1 exclusive) or drops (2) the file's lock. @returns 0, -EAGAIN, -ENOMEM */
export function flock(file: u32, how: u32): i32 {
  if (how < 2) return setLock(deref<File>(file), how);
  dropLock(deref<File>(file), 0);
  return 0;
}

/** Lines up the names of a directory, sorted; then packNames() until it answers 0. @returns 1 = then readdirEnd() */
export function readdirSorted(dentry: u32): u32 {
  return startSorted(deref<Dentry>(dentry)) ? 1 : 0;
}

/** Ends what readdirSorted() began. */
export function readdirEnd(dentry: u32): void {
  endSorted(deref<Dentry>(dentry));
}

/** Packs names that readdirSorted() lined up into a buffer, see readdir.ts. @returns how many, 0 = that was all */
export function packNames(buffer: u32, bytes: u32): u32 {
  return pack(buffer, bytes);
}

/** Packs up to `nr` names from the open directory's position on. */
export function readdirNext(file: u32, buffer: u32, bytes: u32, nr: u32): u32 {
  return packNext(deref<File>(file), buffer, bytes, nr);
}
