/**
 * open(2): walk, make the file if asked to, check, and enter it into the descriptor table.
 *
 * Does not own: the table (file-table.ts), closing (task.ts), what is done with open files (read-write.ts, readdir.ts).
 *
 * @see Linux fs/namei.c path_openat(), do_open(), may_open(); POSIX.1-2024 open()
 */
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EINTR,
  EINVAL,
  EISDIR,
  ELOOP,
  EMFILE,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  ESTALE,
} from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_ISVTX,
  S_IWOTH,
} from "../base/stat-flags.ts";
import { PATH_A } from "../wasm/core.ts";
import {
  FILE_FLAGS,
  FMODE_APPEND,
  FMODE_NOATIME,
  FMODE_PATH,
  FMODE_READ,
  FMODE_WRITE,
  HANDOVER_LOOKUP,
  I_APPEND,
  INODE_MODE,
  INODE_STATE,
  INODE_UID,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  LOOKUP_LAST,
  LOOKUP_OPEN,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import { hasNoStore, inodeOfFile, mountOfFile, newMode, ownerOrCapable, typeOf, uidOf } from "./attr.ts";
import { makeChange, nameMade } from "./change-name.ts";
import type { FileOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { isReadOnly, mayOpenDevices } from "./mount-flags.ts";
import {
  handOver,
  inodeOf,
  inodePermission,
  mayCreate,
  ndDentry,
  ndMount,
  ndParent,
  ndParentMount,
  walk,
} from "./namei.ts";
import { ENTRY_DENTRY, ENTRY_INODE, ENTRY_MOUNT, ENTRY_VERSION } from "./path-cache.ts";
import { TRUNCATE_OPEN, truncateInMemory, truncateInode } from "./read-write.ts";
import { setattrOf } from "./setattr-of.ts";
import { storeSupport, storeSupportIfAny } from "./store-part.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";
import { resultOf } from "./waiting.ts";
import { wantWrite, wantWriteInode } from "./want-write.ts";

const O_TMPFILE_ONLY = O_TMPFILE & ~O_DIRECTORY;
const O_PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
/** Checks that open() makes for read, write, read and write, and the access mode 3 that allows neither. */
const ACCESS = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE];
const FMODE = [FMODE_READ, FMODE_WRITE, FMODE_READ | FMODE_WRITE, 0];

/**
 * Opens a file.
 *
 * @returns the lowest free descriptor; in the order checked -EINVAL (O_CREAT with O_DIRECTORY; O_TMPFILE without write
 *   access), -ENOENT (no path), -ENAMETOOLONG, -EMFILE, errors of the walk, -EEXIST (O_EXCL), -EISDIR and -EACCES (a
 *   stranger's link, socket or device in a sticky directory) with O_CREAT, -ELOOP (a link with O_NOFOLLOW), -EISDIR,
 *   -EACCES (a device on a nodev mount), -EROFS (O_TRUNC), -EACCES, -EPERM, -EROFS, -EINVAL (a
 *   directory with O_DIRECT, or a file whose store cannot do that; a fifo with access mode 3), -ENXIO (a socket or
 *   device, a fifo that nobody reads: there is nobody at the other end), -EAGAIN (a fifo: pipe.ts), -ENOMEM, -ENOSPC (a new file)
 */
export function openFile(task: Task, path: Path, wanted: number, mode: number): number {
  const flags = wanted & O_PATH ? wanted & O_PATH_FLAGS : wanted;
  if (flags & O_CREAT && flags & O_DIRECTORY) return -EINVAL;
  if (flags & O_TMPFILE_ONLY && !isTmpfile(flags)) return -EINVAL;
  if (task.files.isFull()) {
    const length = putPath(task.kernel.core, path, PATH_A);
    return length > 0 ? -EMFILE : length || -ENOENT;
  }
  if (flags & O_TMPFILE_ONLY) return openTmpfile(task, path, flags, mode);
  if (flags & O_CREAT) return openOrCreate(task, path, flags, mode);
  return openExisting(task, path, flags);
}

/** Opens what is there, from an open directory on. Precondition: neither O_CREAT nor O_TMPFILE. @returns as openFile(); -EBADF */
export function openFileAt(task: Task, dir: number, path: Path, flags: number): number {
  const base = task.file(dir);
  if (!base) return task.files.missing(dir);
  if (task.files.isFull()) return -EMFILE;
  const found = walk(task, path, walkFlags(flags), base);
  if (found < 0) return found;
  return openFound(task, path, ndMount(task.kernel.core), found as DentryHandle, flags, accessOf(flags));
}

/** Flags that the core may open a file with by itself. */
const PLAIN_FLAGS =
  O_RDWR | O_WRONLY | O_APPEND | O_CLOEXEC | O_CREAT | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_TRUNC;

function openExisting(task: Task, path: Path, flags: number): number {
  const { paths } = task;
  const { core } = task.kernel;
  const done = task.kernel.mayWait ? resultOf(task, "open", path, flags) : undefined;
  if (done !== undefined) return done;
  const access = accessOf(flags);
  task.enter();
  const entry = flags & (~PLAIN_FLAGS | O_DIRECTORY) ? -1 : paths.find(path);
  if (entry >= 0) {
    const { words } = paths;
    const inode = words[entry + ENTRY_INODE];
    const mnt = words[entry + ENTRY_MOUNT];
    const dentry = words[entry + ENTRY_DENTRY];
    const version = words[entry + ENTRY_VERSION];
    const file = core.x.openKnown(mnt, dentry, inode, version, flags, fmode(flags), access);
    if (file > 0) return installFile(task, file as FileHandle, inode as InodeHandle, flags, path);
    if (file !== 0 && file !== -ESTALE) return file;
  }
  return openByWalk(task, path, flags, access, entry);
}

function openByWalk(task: Task, path: Path, flags: number, access: number, entry: number): number {
  const { core } = task.kernel;
  let found: number;
  if (flags & ~PLAIN_FLAGS) found = walk(task, path, walkFlags(flags));
  else {
    const len = putPath(core, path, PATH_A);
    if (len < 0) return len;
    const file = core.x.openPath(len, walkFlags(flags), flags, fmode(flags), access, 0);
    if (file > -HANDOVER_LOOKUP && walkFlags(flags) === LOOKUP_FOLLOW) task.paths.note(core, path, entry, len, file);
    if (file > 0) return installFile(task, file as FileHandle, inodeOfFile(core, file as FileHandle), flags, path);
    if (file < 0 && file > -HANDOVER_LOOKUP) return file;
    found = file === 0 ? ndDentry(core) : handOver(task.kernel, file);
  }
  return found < 0 ? found : openFound(task, path, ndMount(core), found as DentryHandle, flags, access);
}

/** O_TMPFILE has O_DIRECTORY in it, so that kernels that do not know it refuse; and nobody wants a file to read only. */
function isTmpfile(flags: number): boolean {
  return (flags & O_TMPFILE) === O_TMPFILE && (ACCESS[flags & O_ACCMODE] & MAY_WRITE) !== 0;
}

function walkFlags(flags: number): number {
  return (flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & O_DIRECTORY ? LOOKUP_DIRECTORY : 0);
}

/** As openByWalk(), of what may be missing. */
function openOrCreate(task: Task, path: Path, flags: number, mode: number): number {
  const { core } = task.kernel;
  const done = resultOf(task, "open", path, flags);
  if (done !== undefined) return done;
  const lookup = LOOKUP_LAST | LOOKUP_OPEN | (flags & (O_EXCL | O_NOFOLLOW) ? 0 : LOOKUP_FOLLOW);
  const access = accessOf(flags);
  let found: number;
  task.enter();
  if (flags & ~PLAIN_FLAGS) found = walk(task, path, lookup);
  else {
    const len = putPath(core, path, PATH_A);
    if (len < 0) return len;
    const file = core.x.openPath(len, lookup, flags, fmode(flags), access, mode & S_IALLUGO);
    if (file > 0) {
      const opened = core.u32[(file << 3) + FILE_FLAGS]; // a new file needs no truncation
      return installFile(task, file as FileHandle, inodeOfFile(core, file as FileHandle), opened, path);
    }
    if (file < 0 && file > -HANDOVER_LOOKUP) return file;
    found = file === 0 ? ndDentry(core) : handOver(task.kernel, file);
  }
  if (found < 0) return found;
  return found === 0 ? create(task, path, flags, mode) : openKept(task, path, found as DentryHandle, flags, access);
}

/** Opens what is there, where a file was to be made if there was none. */
function openKept(task: Task, path: Path, found: DentryHandle, flags: number, access: number): number {
  const { core } = task.kernel;
  if (flags & O_EXCL) return -EEXIST;
  const inode = inodeOf(core, found);
  const type = typeOf(core, inode);
  if (type === S_IFDIR) return -EISDIR;
  if (type !== S_IFREG && type !== S_IFIFO && isSquatted(task, inodeOf(core, ndParent(core)), inode)) return -EACCES;
  return openFound(task, path, ndMount(core), found, flags, access);
}

/**
 * Has somebody put a link, socket or device where the caller means to make a file, in a sticky directory that all may
 * write? Trusted are the directory's owner and the caller; root is as easily led astray as anybody.
 *
 * Precondition: it is neither a regular file nor a fifo. These are let be, as where fs.protected_regular and
 * fs.protected_fifos are 0.
 *
 * @see Linux fs/namei.c may_create_in_sticky()
 */
function isSquatted(task: Task, dir: InodeHandle, inode: InodeHandle): boolean {
  const { u32 } = task.kernel.core;
  const isShared = (u32[(dir << 3) + INODE_MODE] & (S_ISVTX | S_IWOTH)) === (S_ISVTX | S_IWOTH);
  const owner = u32[(inode << 3) + INODE_UID];
  return isShared && owner !== u32[(dir << 3) + INODE_UID] && owner !== uidOf(task);
}

/** Makes the missing last component of the walk just done, and opens it. */
function create(task: Task, path: Path, flags: number, mode: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const mnt = ndParentMount(core);
  const parent = ndParent(core);
  const dir = inodeOf(core, parent);
  const refused = wantWrite(kernel, mnt);
  if (refused) return refused;
  const denied = mayCreate(kernel, dir);
  if (denied) return denied;
  const make = kernel.tableOf(dir).inode.create;
  if (!make) return -EACCES;
  const dentry = core.x.dAllocLastFile() as DentryHandle;
  if (dentry < 0) return dentry;
  const wanted = S_IFREG | newMode(task, dir, mode & S_IALLUGO);
  const opened = flags & ~O_TRUNC;
  const fd = makeChange(
    task,
    { name: "open", a: path, b: flags, undo: (made) => void task.close(made) },
    { mnt, dir: parent, dentry },
    () => make(kernel, dir, dentry, wanted),
    (rc) => installMade(task, kernel, mnt, dentry, opened, rc),
  );
  core.x.dput(dentry);
  return fd;
}

/** Opens what has been made, perhaps long after the call. @param rc of that @returns rc, if not made; as install(); -EINTR when the task has ended */
function installMade(
  task: Task,
  kernel: Kernel,
  mnt: MountHandle,
  dentry: DentryHandle,
  flags: number,
  rc: number,
): number {
  if (nameMade(kernel, dentry, rc) < 0) return rc;
  if (task.kernel !== kernel) return -EINTR;
  task.enter();
  return mayBeDirect(kernel, inodeOf(kernel.core, dentry), flags) || install(task, mnt, dentry, flags);
}

function openTmpfile(task: Task, path: Path, flags: number, mode: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const found = walk(task, path, walkFlags(flags));
  if (found < 0) return found;
  const mnt = ndMount(core);
  const dir = inodeOf(core, found as DentryHandle);
  const readOnly = wantWrite(kernel, mnt);
  if (readOnly) return readOnly;
  const denied = inodePermission(kernel, dir, MAY_WRITE | MAY_EXEC);
  if (denied) return denied;
  const { inode } = kernel.tableOf(dir);
  if (!inode.tmpfile) return -EOPNOTSUPP;
  const made = inode.tmpfile(kernel, found as DentryHandle, S_IFREG | newMode(task, dir, mode & S_IALLUGO));
  if (made < 0) return made;
  const refused = mayBeDirect(kernel, inodeOf(core, made as DentryHandle), flags);
  const fd = refused || install(task, mnt, made as DentryHandle, flags & ~O_TRUNC);
  core.x.dput(made as DentryHandle);
  return fd;
}

/** Opens a dentry that is there. @param access MAY_* to check */
function openFound(
  task: Task,
  path: Path,
  mnt: MountHandle,
  dentry: DentryHandle,
  flags: number,
  access: number,
): number {
  const { core } = task.kernel;
  if (flags & O_PATH) return install(task, mnt, dentry, flags);
  const inode = inodeOf(core, dentry);
  const refused = mayOpen(task, mnt, inode, flags, access);
  if (refused === -ENXIO) return storeSupportIfAny()?.openSpecial(task, path, mnt, dentry, flags) ?? refused;
  return refused || install(task, mnt, dentry, flags, path);
}

/**
 * The access mode 3 asks for both permissions and gives neither right: as it cannot write, it opens files of a mount
 * that is read-only.
 *
 * @see Linux fs/namei.c do_open(), may_open(), fs/open.c do_dentry_open()
 */
function mayOpen(task: Task, mnt: MountHandle, inode: InodeHandle, flags: number, access: number): number {
  const { core } = task.kernel;
  const type = typeOf(core, inode);
  switch (type) {
    case S_IFLNK:
      return -ELOOP;
    case S_IFDIR:
      if (access & MAY_WRITE) return -EISDIR;
      break;
    case S_IFBLK:
    case S_IFCHR:
      if (!mayOpenDevices(core, mnt)) return -EACCES;
      break;
    case S_IFREG:
      if (flags & O_TRUNC && isReadOnly(core, mnt)) return -EROFS;
  }
  const denied = inodePermission(task.kernel, inode, access);
  if (denied) return denied;
  if (
    core.u32[(inode << 3) + INODE_STATE] & I_APPEND &&
    (flags & O_TRUNC || (access & MAY_WRITE && !(flags & O_APPEND)))
  )
    return -EPERM;
  if (flags & O_NOATIME && !ownerOrCapable(task, inode)) return -EPERM;
  if (type === S_IFREG)
    return writesLater(flags) && isReadOnly(core, mnt) ? -EROFS : mayBeDirect(task.kernel, inode, flags);
  if (type === S_IFDIR) return flags & O_DIRECT ? -EINVAL : 0;
  if (type === S_IFIFO && FMODE[flags & O_ACCMODE] === 0) return -EINVAL;
  return -ENXIO; // sockets and devices exist as inodes; opening one finds nobody at the other end. Fifos are openSpecial()'s
}

/** May the file be opened with O_DIRECT, where that is asked for? In memory it makes no difference. @returns 0 or -EINVAL */
function mayBeDirect(kernel: Kernel, inode: InodeHandle, flags: number): number {
  if (!(flags & O_DIRECT) || hasNoStore(kernel.core, inode)) return 0;
  return kernel.tableOf(inode).mapping.directIO === undefined ? -EINVAL : 0;
}

/** Will the open file be written? To truncate it is to write it at once, which is checked before. */
function writesLater(flags: number): boolean {
  return !(flags & O_TRUNC) && (FMODE[flags & O_ACCMODE] & FMODE_WRITE) !== 0;
}

/** Makes the open file and its descriptor. @param path with O_TRUNC, of the call */
function install(task: Task, mnt: MountHandle, dentry: DentryHandle, flags: number, path: Path = ""): number {
  const { core } = task.kernel;
  const file = core.x.fileOpen(mnt, dentry, flags, fmode(flags)) as FileHandle;
  return file < 0 ? file : installFile(task, file, inodeOf(core, dentry), flags, path);
}

/** Gives an open file its descriptor, and empties it where asked to. @param path with O_TRUNC, of the call */
function installFile(task: Task, file: FileHandle, inode: InodeHandle, flags: number, path: Path = ""): number {
  const { kernel } = task;
  const operations = kernel.tableOf(inode).file;
  const opened = operations.open && !(flags & O_PATH) ? operations.open(kernel, inode, file) : 0;
  const tells = opened >= 0 && !(flags & O_PATH);
  if (opened < 0 || !(flags & O_TRUNC)) return addFile(task, file, operations, tells, opened);
  if (setattrOf(kernel, inode) === undefined) {
    const rc = truncateInMemory(kernel, { inode, file }, 0);
    return addFile(task, file, operations, tells, rc === -EAGAIN ? wantWriteInode(kernel, inode) : rc);
  }
  const mnt = mountOfFile(kernel.core, file);
  const call = { name: "open", a: path, b: flags, undo: (made: number) => void task.close(made) };
  return truncateInode(task, call, { mnt, inode, file }, 0, TRUNCATE_OPEN, (rc) =>
    addFile(task, file, operations, tells, task.kernel === kernel ? rc : -EINTR),
  );
}

/**
 * Gives an open file its descriptor; without one it is closed.
 *
 * @param tells its file system has seen it open, and is told
 * @param rc a negated errno if it cannot have one
 */
function addFile(task: Task, file: FileHandle, operations: FileOperations, tells: boolean, rc: number): number {
  const { kernel } = task;
  const fd = rc < 0 ? rc : task.files.add(file, operations);
  if (fd >= 0) return fd;
  if (!tells || !operations.release || !storeSupport().releaseFile(kernel, file, operations))
    kernel.core.x.filePut(file);
  return fd;
}

/** What open() asks for permission to do: MAY_*. */
function accessOf(flags: number): number {
  return ACCESS[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/** How a file is open by its flags: FMODE_*. */
export function fmode(flags: number): number {
  if (flags & O_PATH) return FMODE_PATH;
  return FMODE[flags & O_ACCMODE] | (flags & O_APPEND ? FMODE_APPEND : 0) | (flags & O_NOATIME ? FMODE_NOATIME : 0);
}
