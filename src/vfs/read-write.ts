/**
 * Data of open files: read, write, seek, sizes, ranges, sync, flock.
 *
 * Does not own: the copying (mm/), cached pages (assembly/mm/filemap.ts), opening (open.ts).
 *
 * @see Linux fs/read_write.c, fs/open.c vfs_fallocate(), do_truncate(), fs/locks.c flock
 */
import {
  EAGAIN,
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  ESPIPE,
  ESTALE,
} from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  LOCK_EX,
  LOCK_MAND,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFREG,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
} from "../base/stat-flags.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { filemapRead, filemapWrite, filemapWriteText } from "../mm/filemap.ts";
import { type Core, PATH_A, SLOT } from "../wasm/core.ts";
import {
  FILE_DIR_COOKIE,
  FILE_MODE,
  FMODE_APPEND,
  FMODE_POS_LOCKED,
  FMODE_READ,
  FMODE_WRITE,
  HANDOVER_LOOKUP,
  HANDOVER_SETATTR,
  I_APPEND,
  I_IMMUTABLE,
  INODE_DIRTIED_CS,
  INODE_NR_PAGES,
  INODE_SB,
  INODE_SIZE,
  INODE_STATE,
  KERNEL_BLOCK,
  KERNEL_TOTAL_SWAP_PAGES,
  LOOKUP_FOLLOW,
  MAY_WRITE,
  SLOT_CURRENT,
  SLOT_MMAPS,
  SUPER_BLOCK_MAX_BYTES,
  TASK_FILE_SIZE_LIMIT,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import { fdget, hasNoStore, inodeOfFile, mountOfFile, typeOf } from "./attr.ts";
import { ATTR_FILE, ATTR_FORCE, ATTR_MTIME, ATTR_OPEN, ATTR_SIZE, type FileOperations } from "./fs-type.ts";
import type { Changed } from "./fsnotify.ts";
import { FS_MODIFY } from "./fsnotify-events.ts";
import type { Kernel } from "./kernel.ts";
import { inodeOf, inodePermission, ndDentry, ndMount, walk } from "./namei.ts";
import { ENTRY_INODE, ENTRY_MOUNT, ENTRY_VERSION } from "./path-cache.ts";
import { type HeldInode, setattrOf } from "./setattr-of.ts";
import { storeSupport, storeSupportIfAny } from "./store-part.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";
import { type Call, resultOf } from "./waiting.ts";
import { wantWrite, wantWriteInode } from "./want-write.ts";

/** Copies from or to files that are not in the page cache alone go by a buffer of this size. */
const BOUNCE_BYTES = 1 << 16;

/** Slots of all swap areas: while there are none, what memory holds is there. */
const SWAP_PAGES = (KERNEL_BLOCK >>> 2) + KERNEL_TOTAL_SWAP_PAGES;

/** @returns bytes, 0 at the end; -EBADF, -EISDIR, -EINVAL (a file that cannot be read) */
export function read(
  task: Task,
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const file = task.file(fd);
  if (!file) return task.files.missing(fd);
  if (task.kernel.current !== task) task.enter();
  const operations = task.files.operations[fd];
  if (operations?.read !== undefined) return operations.read(task.kernel, file, buffer, offset, length, position);
  return modeError(task.kernel.core, file, FMODE_READ);
}

/** @see Syscalls.write @returns bytes; -EBADF, -EINVAL, -EAGAIN (frozen), -EFBIG, -ENOSPC, -ENOMEM */
export function write(
  task: Task,
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  before?: number,
): number {
  const file = task.file(fd);
  if (!file) return task.files.missing(fd);
  if (task.kernel.current !== task) task.enter();
  const operations = task.files.operations[fd];
  if (operations?.write !== undefined)
    return written(task.kernel, file, operations.write(task.kernel, file, buffer, offset, length, position), before);
  return modeError(task.kernel.core, file, FMODE_WRITE);
}

/**
 * Tells who watches a file that it has been written.
 *
 * @param n what the write has answered @param before bytes that it is told of already, since they are of the same system call
 * @returns `n`
 */
function written(kernel: Kernel, file: FileHandle, n: number, before?: number): number {
  if (n > 0 && !before) kernel.fsnotify?.written(file);
  return n;
}

/** @see Syscalls.readv @see Syscalls.writev */
export function vector(
  task: Task,
  name: "readv" | "writev",
  fd: number,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  const operation = task.files.operations[fd]?.[name];
  if (!operation) return -EOPNOTSUPP;
  task.enter();
  const file = task.file(fd);
  const n = operation(task.kernel, file, buffers, position);
  return name === "writev" ? written(task.kernel, file, n) : n;
}

/** @see Syscalls.readvNothing */
export function readvNothing(task: Task, fd: number): number {
  if (!fileFor(task, fd, FMODE_READ)) return task.files.missing(fd);
  if (task.files.operations[fd]?.read !== undefined) return 0;
  const { core } = task.kernel;
  return core.x.isDirectory(inodeOfFile(core, task.file(fd))) ? 0 : -EINVAL;
}

/** @see Syscalls.writevNothing */
export function writevNothing(task: Task, fd: number): number {
  if (!fileFor(task, fd, FMODE_WRITE)) return task.files.missing(fd);
  return task.files.operations[fd]?.write === undefined ? -EINVAL : 0;
}

/** Texts longer than this are encoded first. */
const MAX_TEXT_UNITS = 1 << 20;

/** @see Syscalls.writeText */
export function writeText(task: Task, fd: number, text: string): number {
  const { kernel } = task;
  const file = task.file(fd);
  if (text.length === 0 || text.length > MAX_TEXT_UNITS || kernel.core.shared) return -EOPNOTSUPP;
  if (kernel.core.u32[SWAP_PAGES] !== 0) return -EOPNOTSUPP; // it may take several tries
  if (!file || task.files.operations[fd]?.write !== genericFileWrite) return -EOPNOTSUPP;
  const { core } = kernel;
  if (!hasNoStore(core, inodeOfFile(core, file))) return -EOPNOTSUPP;
  task.enter();
  const start = core.filePos(file);
  const rc = filemapWriteText(core, file, text, kernel.now());
  if (rc === -HANDOVER_SETATTR) return -EOPNOTSUPP;
  if (rc === -EAGAIN) return wantWriteInode(kernel, inodeOfFile(core, file));
  if (rc >= 0 || core.filePos(file) !== start) {
    written(kernel, file, 1); // whatever became of the rest
    return rc;
  }
  const room = kernel.room(rc);
  return room === TRY_AGAIN ? writeText(task, fd, text) : room;
}

/** @see Syscalls.findSmall */
export function findSmall(task: Task, path: Path, max: number): number {
  const { core } = task.kernel;
  if (task.files.isFull()) return -EOPNOTSUPP; // open() would say so
  const { paths } = task;
  task.enter();
  const entry = paths.find(path);
  if (entry >= 0) {
    const { words } = paths;
    const inode = words[entry + ENTRY_INODE];
    const known = core.x.readKnown(words[entry + ENTRY_MOUNT], inode, words[entry + ENTRY_VERSION], max);
    if (known !== -ESTALE) return known;
  }
  return findByWalk(task, path, max, entry);
}

function findByWalk({ kernel, paths }: Task, path: Path, max: number, entry: number): number {
  const { core } = kernel;
  const len = putPath(core, path, PATH_A);
  if (len < 0) return len;
  const rc = core.x.readPath(len, max);
  if (rc <= -HANDOVER_LOOKUP) return -EOPNOTSUPP;
  paths.note(core, path, entry, len, rc);
  return rc;
}

/** Why a file without the operation cannot do it. */
function modeError(core: Core, file: FileHandle, needed: number): number {
  if (!(core.u32[(file << 3) + FILE_MODE] & needed)) return -EBADF;
  return core.x.isDirectory(inodeOfFile(core, file)) ? -EISDIR : -EINVAL;
}

/** The file of a descriptor that is open for at least one of `modes` (FMODE_*), else 0. */
function fileFor(task: Task, fd: number, modes: number): FileHandle {
  const file = task.file(fd);
  return file && task.kernel.core.u32[(file << 3) + FILE_MODE] & modes ? file : (0 as FileHandle);
}

function sizeOf(core: Core, inode: InodeHandle): number {
  return core.f64[(inode << 2) + INODE_SIZE];
}

/** Largest size of a file, of its file system. */
export function maxBytes(core: Core, inode: InodeHandle): number {
  return Math.abs(core.f64[(core.u32[(inode << 3) + INODE_SB] >>> 3) + SUPER_BLOCK_MAX_BYTES]); // negative while frozen
}

/** @returns the new position; -EBADF, -EAGAIN (a call that waits has it), -ESPIPE (a character device, a fifo), -EINVAL (unknown whence, another than SET and CUR in a directory, a negative position), -ENXIO (no data behind) */
export function lseek(task: Task, fd: number, offset: number, whence: number): number {
  const { core } = task.kernel;
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  if (core.u32[(file << 3) + FILE_MODE] & FMODE_POS_LOCKED) return -EAGAIN;
  const inode = inodeOfFile(core, file);
  const type = typeOf(core, inode);
  if (type === S_IFCHR || type === S_IFIFO) return -ESPIPE; // terminals and the like
  const isDirectory = type === S_IFDIR;
  if (isDirectory && whence > SEEK_CUR) return -EINVAL; // its size says nothing of positions
  const own = task.files.operations[fd]?.llseek;
  const pos =
    whence > SEEK_END
      ? own
        ? own(task.kernel, file, offset, whence)
        : seekExtent(core, inode, offset, whence)
      : [0, core.filePos(file), sizeOf(core, inode)][whence] + offset;
  if (!(pos >= 0)) return whence > SEEK_END ? pos : -EINVAL;
  if (!isDirectory && pos > maxBytes(core, inode)) return -EINVAL;
  core.setFilePos(file, pos);
  if (isDirectory && pos === 0) core.f64[(file << 2) + FILE_DIR_COOKIE] = Number.POSITIVE_INFINITY;
  return pos;
}

/** Finds data or a hole among the pages. */
function seekExtent({ x }: Core, inode: InodeHandle, offset: number, whence: number): number {
  if (whence > SEEK_HOLE) return -EINVAL;
  return offset < 0 ? -ENXIO : (whence === SEEK_DATA ? x.seekData : x.seekHole)(inode, offset);
}

/** @returns 0; -EINVAL; errors of the walk; -EISDIR; -EINVAL (no regular file); -EROFS; -EACCES; -EPERM; -EFBIG */
export function truncate(task: Task, path: Path, length: number): number {
  if (length < 0) return -EINVAL;
  const { core } = task.kernel;
  const done = resultOf(task, "truncate", path, length);
  if (done !== undefined) return done;
  const found = walk(task, path, LOOKUP_FOLLOW);
  if (found < 0) return found;
  const inode = inodeOf(core, ndDentry(core));
  const type = typeOf(core, inode);
  if (type !== S_IFREG) return type === S_IFDIR ? -EISDIR : -EINVAL;
  const readOnly = wantWrite(task.kernel, ndMount(core));
  if (readOnly) return readOnly;
  const denied = inodePermission(task.kernel, inode, MAY_WRITE);
  if (denied) return denied;
  if (core.u32[(inode << 3) + INODE_STATE] & (I_APPEND | I_IMMUTABLE)) return -EPERM;
  // As on tmpfs, the times stay where there is nothing to cut.
  const at = inode << 3;
  const hasPages = core.u32[at + INODE_NR_PAGES] > 0 || core.u32[at + INODE_DIRTIED_CS] > 0; // or promised ones
  if (length === sizeOf(core, inode) && !hasPages && setattrOf(task.kernel, inode) === undefined) {
    task.kernel.fsnotify?.changed({ inode }, FS_MODIFY);
    return 0;
  }
  const call = { name: "truncate", a: path, b: length };
  return truncateInode(task, call, { mnt: ndMount(core), inode }, length, 0);
}

/** As truncate(), for an open file. */
const TRUNCATE_FILE = ATTR_FILE | ATTR_MTIME;
/** As truncate(), for a file that is being opened. */
export const TRUNCATE_OPEN = ATTR_FILE | ATTR_MTIME | ATTR_OPEN;

/**
 * Sets the size of a file, if its file system does not refuse.
 *
 * @param held with ATTR_FILE the open file too
 * @param valid ATTR_* beside the size
 * @param finish the rest of the call, given 0, -EAGAIN (frozen), -EFBIG, or what setattr() answers
 * @returns what `finish` does; -EAGAIN with a token; -ENOMEM
 */
export function truncateInode(
  task: Task,
  call: Call,
  held: HeldInode,
  size: number,
  valid: number,
  finish: (answer: number) => number = (answer) => answer,
): number {
  const { kernel } = task;
  const { inode, file } = held;
  const frozen = wantWriteInode(kernel, inode);
  if (frozen) return finish(frozen);
  const setattr = setattrOf(kernel, inode);
  if (setattr === undefined) {
    const rc = kernel.room(truncateInMemory(kernel, held, size), file);
    return rc === TRY_AGAIN ? truncateInode(task, call, held, size, valid, finish) : finish(rc);
  }
  const support = storeSupport();
  const kills = support.killFlags(kernel.core.x.privilegesToKill(inode));
  const flags = ATTR_SIZE | valid | kills | (kills ? ATTR_FORCE : 0);
  return support.changeAttributes(task, call, held, flags, file ? { size, file } : { size }, setattr, finish);
}

/** Sets the size of a file that has no setattr. @returns 0; -EAGAIN (frozen); -EFBIG; -HANDOVER_SWAP_IN */
export function truncateInMemory(kernel: Kernel, changed: Changed & { inode: InodeHandle }, size: number): number {
  const { core } = kernel;
  const { inode } = changed;
  const rc = core.x.truncate(inode, size, kernel.now());
  if (rc >= 0) kernel.fsnotify?.changed(changed, FS_MODIFY);
  if (core.u32[SLOT + SLOT_MMAPS]) storeSupport().truncated(kernel, inode);
  return rc;
}

/** Sets a size. @returns 0; -EINVAL (negative); -EBADF; -EINVAL (not open for writing, not regular); -EPERM; -EFBIG */
export function ftruncate(task: Task, fd: number, length: number): number {
  const { core } = task.kernel;
  task.enter();
  if (length < 0) return -EINVAL;
  const done = resultOf(task, "ftruncate", fd, length);
  if (done !== undefined) return done;
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  const inode = inodeOfFile(core, file);
  if (!fileFor(task, fd, FMODE_WRITE) || typeOf(core, inode) !== S_IFREG) return -EINVAL;
  if (core.u32[(inode << 3) + INODE_STATE] & I_APPEND) return -EPERM;
  const mnt = mountOfFile(core, file);
  return truncateInode(task, { name: "ftruncate", a: fd, b: length }, { mnt, inode, file }, length, TRUNCATE_FILE);
}

/**
 * Allocates, punches or zeroes a range.
 *
 * @param mode one of FALLOCATE_MODES; memory has no COLLAPSE_RANGE, INSERT_RANGE and UNSHARE_RANGE
 * @returns 0; -EBADF; -EINVAL (range); -EOPNOTSUPP (mode); -EBADF (not writable); -EPERM; -ESPIPE; -EISDIR; -ENODEV (not regular);
 *   -EFBIG; -ENOSPC, then no page has been added (what ZERO_RANGE was to zero is zeros)
 */
export function fallocate(task: Task, fd: number, mode: number, offset: number, length: number): number {
  const { core } = task.kernel;
  task.enter();
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  if (offset < 0 || length <= 0) return -EINVAL;
  if (!FALLOCATE_MODES.includes(mode)) return -EOPNOTSUPP;
  if (!fileFor(task, fd, FMODE_WRITE)) return -EBADF;
  const inode = inodeOfFile(core, file);
  const state = core.u32[(inode << 3) + INODE_STATE];
  if (state & I_IMMUTABLE || (state & I_APPEND && mode & ~FALLOC_FL_KEEP_SIZE)) return -EPERM;
  const type = typeOf(core, inode);
  if (type !== S_IFREG) return type === S_IFIFO ? -ESPIPE : type === S_IFDIR ? -EISDIR : -ENODEV;
  if (offset + length > maxBytes(core, inode)) return -EFBIG;
  const { fallocate: operation } = task.files.operations[fd] ?? {};
  if (operation === undefined) return -EOPNOTSUPP;
  const { kernel } = task;
  const locked = kernel.pendingChanges.size === 0 ? 0 : storeSupport().waitForData(kernel, inode);
  const rc = locked || wantWriteInode(kernel, inode) || operation(kernel, file, mode, offset, length);
  if (rc === 0) written(kernel, file, 1);
  return rc;
}

/** The modes that Linux knows; few file systems have all. */
const FALLOCATE_MODES = [
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
];

/** What the task that is served may make files as large as, bytes. */
export function fileSizeLimit({ core }: Kernel): number {
  return core.f64[(core.u32[SLOT + SLOT_CURRENT] >>> 3) + TASK_FILE_SIZE_LIMIT];
}

/**
 * fallocate() of files whose data lies in the page cache alone. Pages are promised: they count as blocks, but to SEEK_DATA
 * they are holes until they are written, here even if they are promised again.
 *
 * @see Linux mm/shmem.c shmem_fallocate()
 */
export function memoryFallocate(
  kernel: Kernel,
  file: FileHandle,
  mode: number,
  offset: number,
  length: number,
): number {
  const { core } = kernel;
  const inode = inodeOfFile(core, file);
  const end = offset + length;
  const size = sizeOf(core, inode);
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) return -EOPNOTSUPP;
  if (mode & FALLOC_FL_PUNCH_HOLE) {
    const rc = core.x.punchHole(inode, offset, end);
    if (rc < 0) return rc;
  } else {
    if (end > size && end > fileSizeLimit(kernel)) return -EFBIG;
    const zeroed = mode & FALLOC_FL_ZERO_RANGE ? core.x.zeroRange(inode, offset, end) : 0;
    if (zeroed < 0) return zeroed;
    const rc = core.x.allocateRange(inode, offset, end);
    if (rc < 0) return rc;
    if (!(mode & FALLOC_FL_KEEP_SIZE) && end > size) core.f64[(inode << 2) + INODE_SIZE] = end;
  }
  core.x.fileRemovePrivileges(inode);
  core.x.touch(inode, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  return 0;
}

/**
 * Copies from one open file to another without a detour.
 *
 * @returns bytes copied, 0 at the end of the source; -EBADF; -EISDIR; -EINVAL (no regular file); -EBADF;
 *   -EPERM (immutable); -EFBIG; -EINVAL (overlapping ranges); -ENOSPC
 */
export function copyFileRange(
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
  if (!from || !to) return task.files.missing(from ? fdOut : fdIn);
  const source = inodeOfFile(core, from);
  const sink = inodeOfFile(core, to);
  if (typeOf(core, source) === S_IFDIR || typeOf(core, sink) === S_IFDIR) return -EISDIR;
  if (typeOf(core, source) !== S_IFREG || typeOf(core, sink) !== S_IFREG) return -EINVAL;
  if (!fileFor(task, fdIn, FMODE_READ) || !fileFor(task, fdOut, FMODE_WRITE) || fileFor(task, fdOut, FMODE_APPEND))
    return -EBADF;
  if (core.u32[(sink << 3) + INODE_STATE] & I_IMMUTABLE) return -EPERM;
  const posIn = positionIn < 0 ? core.filePos(from) : positionIn;
  const posOut = positionOut < 0 ? core.filePos(to) : positionOut;
  const limit = Math.min(maxBytes(core, sink), fileSizeLimit(kernel));
  if (posOut >= limit) return -EFBIG;
  const len = Math.min(length, Math.max(0, sizeOf(core, source) - posIn), limit - posOut);
  if (source === sink && posIn < posOut + len && posOut < posIn + len) return -EINVAL;
  if (len === 0) return 0;
  const refused = wantWriteInode(kernel, sink) || removePrivileges(kernel, sink, to);
  if (refused < 0) return refused;
  const reader = task.files.operations[fdIn];
  const writer = task.files.operations[fdOut];
  const isGeneric = reader?.read === genericFileRead && writer?.write === genericFileWrite;
  const isCached = isGeneric && hasNoStore(core, source) && hasNoStore(core, sink);
  const copied = isCached
    ? core.x.copyRange(source, posIn, sink, posOut, len)
    : copyThrough(kernel, from, to, reader, writer, posIn, posOut, len);
  if (copied < 0) return copied;
  if (positionIn < 0) core.setFilePos(from, posIn + copied);
  if (positionOut < 0) core.setFilePos(to, posOut + copied);
  core.x.accessed(from);
  core.x.touch(sink, TOUCH_MTIME | TOUCH_CTIME, kernel.now());
  return written(kernel, to, copied);
}

/** As fileRemovePrivs(), of any file. */
function removePrivileges(kernel: Kernel, inode: InodeHandle, file: FileHandle): number {
  if (setattrOf(kernel, inode) !== undefined) return storeSupport().fileRemovePrivs(kernel, inode, file);
  kernel.core.x.fileRemovePrivileges(inode);
  return 0;
}

/** Copies by the operations of file systems that have their own. @returns bytes, or the first negated errno */
function copyThrough(
  kernel: Kernel,
  from: FileHandle,
  to: FileHandle,
  reader: FileOperations | undefined,
  writer: FileOperations | undefined,
  posIn: number,
  posOut: number,
  len: number,
): number {
  const kept: { buffer?: Uint8Array | undefined } = kernel.progress ?? {};
  const buffer = (kept.buffer ??= new Uint8Array(Math.min(len, BOUNCE_BYTES)));
  let done = 0;
  while (done < len) {
    const piece = Math.min(buffer.length, len - done);
    const got = reader?.read?.(kernel, from, buffer, 0, piece, posIn + done) ?? -EINVAL;
    if (got <= 0) return done || got;
    const put = writer?.write?.(kernel, to, buffer, 0, got, posOut + done) ?? -EINVAL;
    if (put < 0) return done || put;
    done += put;
    if (put < got) break;
  }
  return done;
}

/** Reads through the page cache, as most file systems do. @see Linux generic_file_read_iter() */
export function genericFileRead(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const n = filemapRead(kernel.core, file, buffer, offset, length, position);
  return n === length ? n : readAgain(kernel, n, file, buffer, offset, length, position);
}

/** After a read of less: the rest of it, if that is in a swap area. */
function readAgain(
  kernel: Kernel,
  n: number,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  if (kernel.core.u32[SWAP_PAGES] === 0) return n;
  return storeSupport().readOn(kernel, file, buffer, offset, length, position, n);
}

/** Writes to the page cache. @see Linux generic_file_write_iter() */
export function genericFileWrite(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  if (length === 0) return writeNothing(kernel, file);
  const n = filemapWrite(kernel.core, file, buffer, offset, length, position, kernel.now());
  return n === length ? n : writeAgain(kernel, n, file, buffer, offset, length, position);
}

function writeNothing(kernel: Kernel, file: FileHandle): number {
  const rc = kernel.core.x.mayWrite(file);
  return rc === -EAGAIN ? wantWriteInode(kernel, inodeOfFile(kernel.core, file)) : rc;
}

/**
 * After a failure: another try if there is room now, or if the file system has taken set-ID bits away; or a token if it is to wait.
 * After a write of less: the rest, if it needs pages that are in a swap area, or go there.
 */
function writeAgain(
  kernel: Kernel,
  n: number,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  if (n === -EAGAIN) return wantWriteInode(kernel, inodeOfFile(kernel.core, file)) || n;
  if (n === -HANDOVER_SETATTR) {
    const refused = storeSupport().fileRemovePrivs(kernel, inodeOfFile(kernel.core, file), file);
    return refused < 0 ? refused : genericFileWrite(kernel, file, buffer, offset, length, position);
  }
  if (kernel.core.u32[SWAP_PAGES] !== 0)
    return storeSupport().writeOn(kernel, file, buffer, offset, length, position, n);
  const rc = n < 0 ? kernel.room(n) : n;
  return rc === TRY_AGAIN ? genericFileWrite(kernel, file, buffer, offset, length, position) : rc;
}

/** Writes an open file back. @returns 0; -EBADF; -EINVAL for a file that cannot be; what the file system answers */
export function fsync(task: Task, fd: number, dataOnly: boolean): number {
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  task.enter();
  return task.files.operations[fd]?.fsync?.(task.kernel, file, dataOnly) ?? -EINVAL;
}

/** Writes back what is dirty in all file systems. */
export function sync(kernel: Kernel): number {
  let rc = 0;
  for (const sb of kernel.superBlocks()) {
    if (sb.root === 0) continue; // being shut down
    const own = storeSupportIfAny()?.syncFilesystem(sb, true) ?? 0;
    if (own === -EAGAIN || rc === 0) rc = own;
    if (own === -EAGAIN) break;
  }
  return rc;
}

/** By what the core calls them. */
const LOCKS = [LOCK_SH, LOCK_EX, LOCK_UN];

/**
 * Never sleeps: whoever would have to wait gets -EAGAIN, with LOCK_NB or without. Requests for LOCK_MAND are ignored.
 *
 * @returns 0; -EINVAL; -EBADF, also to lock by a descriptor open for neither reading nor writing; -EAGAIN; -ENOMEM
 */
export function flock(task: Task, fd: number, operation: number): number {
  const { core } = task.kernel;
  const how = LOCKS.indexOf(operation & ~LOCK_NB);
  if (operation & LOCK_MAND) return 0;
  if (how < 0) return -EINVAL;
  task.enter();
  const file = how > 1 ? fdget(task, fd) : fileFor(task, fd, FMODE_READ | FMODE_WRITE);
  if (!file) return task.files.missing(fd);
  return task.kernel.locks?.flock(file, how) ?? core.x.flock(file, how);
}
