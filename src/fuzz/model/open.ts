/**
 * open(2): flags in all combinations.
 *
 * @see Linux fs/open.c build_open_flags(), fs/namei.c path_openat(), do_open(), may_open()
 */
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_TMPFILE,
  O_TRUNC,
  S_IALLUGO,
  S_IFREG,
  S_ISVTX,
  S_IWOTH,
} from "../../base/stat-flags.ts";
import { isOwnerOrCapable, isPermitted, MAY_EXEC, MAY_READ, MAY_WRITE, permit } from "./credentials.ts";
import { unhash } from "./dentry-users.ts";
import { fail } from "./fault.ts";
import { birthIn, Dentry, Directory, type Inode, RegularFile, SymbolicLink } from "./inode.ts";
import { newMode } from "./make.ts";
import { tellNew } from "./notify.ts";
import { setSize } from "./set-size.ts";
import type { ModelTask } from "./task.ts";
import { dentryAt, isName, resolve, Walk } from "./walk.ts";

/** An open file description. */
export interface OpenFile {
  readonly inode: Inode;
  /** The name that it was opened by, which may have been moved or removed since; the root has none. */
  readonly dentry: Dentry | undefined;
  readonly flags: number;
  /** Where the next read or write is that says nothing of where. */
  pos: number;
  readonly isReadable: boolean;
  readonly isWritable: boolean;
  /** It stands for a name alone (O_PATH): all that can be done is to ask for attributes, and to close it. */
  readonly isPath: boolean;
}

const TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY;

/** Access that is asked for: 3 is both, though by such a descriptor one can neither read nor write. */
function accessOf(flags: number): number {
  const mask = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE][flags & O_ACCMODE];
  return (flags & O_TRUNC) !== 0 ? mask | MAY_WRITE : mask;
}

function describe(inode: Inode, dentry: Dentry | undefined, flags: number): OpenFile {
  const bits = (flags + 1) & O_ACCMODE;
  return { inode, dentry, flags, pos: 0, isReadable: (bits & 1) !== 0, isWritable: (bits & 2) !== 0, isPath: false };
}

/**
 * @throws EINVAL for O_CREAT with O_DIRECTORY, O_TMPFILE without write access; errors of the walk; see below
 */
export function open(task: ModelTask, path: string, flags: number, mode: number): OpenFile {
  if ((flags & O_PATH) !== 0) return openPath(task, path, flags);
  if ((flags & O_CREAT) !== 0 && (flags & O_DIRECTORY) !== 0) fail("EINVAL");
  if ((flags & TMPFILE_BIT) === 0) return openName(task, path, flags, mode & S_IALLUGO);
  const wantsWrite = (accessOf(flags & O_ACCMODE) & MAY_WRITE) !== 0;
  if ((flags & O_DIRECTORY) === 0 || !wantsWrite) fail("EINVAL");
  return openUnnamed(task, path, flags, mode & S_IALLUGO);
}

/** Of the other flags two count: what the name leads to need not be readable. */
function openPath(task: ModelTask, path: string, flags: number): OpenFile {
  const ending = { follows: (flags & O_NOFOLLOW) === 0, isDirectory: (flags & O_DIRECTORY) !== 0 };
  const inode = resolve(task, path, ending);
  const dentry = task.reached;
  return { inode, dentry, flags, pos: 0, isReadable: false, isWritable: false, isPath: true };
}

/** A file without a name in a directory. @throws EACCES */
function openUnnamed(task: ModelTask, path: string, flags: number, mode: number): OpenFile {
  const dir = resolve(task, path, { follows: (flags & O_NOFOLLOW) === 0, isDirectory: true }) as Directory;
  permit(task.who, dir, MAY_WRITE | MAY_EXEC);
  const file = new RegularFile(birthIn(dir, task.who, task.newIno(), S_IFREG | newMode(task, dir, mode, false)));
  file.nlink = 0;
  const unnamed = new Dentry(dir, `#${file.ino}`, file);
  unhash(unnamed);
  return describe(file, unnamed, flags);
}

/**
 * Whether somebody may have put it where others make files: what is neither a file nor a pipe (fs.protected_regular and
 * fs.protected_fifos are 0) in a directory with the sticky bit that all may write to, unless it is one's own, or the directory's owner's.
 *
 * @see Linux fs/namei.c may_create_in_sticky()
 */
function isPlanted({ who }: ModelTask, dir: Directory, inode: Inode): boolean {
  if (inode instanceof RegularFile || (dir.mode & S_ISVTX) === 0 || (dir.mode & S_IWOTH) === 0) return false;
  return inode.uid !== dir.uid && inode.uid !== who.uid;
}

/**
 * @throws EISDIR for O_CREAT with a slash at the end, or of a directory, EEXIST for O_EXCL of what is there, EACCES for O_CREAT of what
 *   somebody has planted, ENOTDIR, ELOOP of a symbolic link that is not followed, EISDIR of a directory to write, EACCES, EPERM for O_NOATIME by others
 */
function openName(task: ModelTask, path: string, flags: number, mode: number): OpenFile {
  const creates = (flags & O_CREAT) !== 0;
  const isNew = creates && (flags & O_EXCL) !== 0;
  let follows = !isNew && (flags & O_NOFOLLOW) === 0;
  let isDirectory = (flags & O_DIRECTORY) !== 0;
  const walk = new Walk(task);
  for (let last = walk.begin(path); ; ) {
    if (isName(last) && last.hasSlash) {
      if (creates) fail("EISDIR");
      follows = isDirectory = true;
    }
    const found = walk.lookUp(last.dir, last.name);
    if (found === undefined) return creates ? create(task, last.dir, last.name, flags, mode) : fail("ENOENT");
    if (found instanceof SymbolicLink && follows) {
      last = walk.follow(last.dir, found);
      continue;
    }
    if (isNew) fail("EEXIST");
    if (creates && found instanceof Directory) fail("EISDIR");
    if (creates && isPlanted(task, last.dir, found)) fail("EACCES");
    if (isDirectory && !(found instanceof Directory)) fail("ENOTDIR");
    return openFound(task, found, dentryAt(last, found), flags);
  }
}

/** Who makes a file may do all with it by the descriptor that is made with it, whatever its mode says. */
function create(task: ModelTask, dir: Directory, name: string, flags: number, mode: number): OpenFile {
  permit(task.who, dir, MAY_WRITE | MAY_EXEC);
  const file = new RegularFile(birthIn(dir, task.who, task.newIno(), S_IFREG | newMode(task, dir, mode, false)));
  const dentry = dir.add(name, file);
  tellNew(dentry);
  return describe(file, dentry, flags);
}

function openFound(task: ModelTask, inode: Inode, dentry: Dentry | undefined, flags: number): OpenFile {
  const mask = accessOf(flags);
  if (inode instanceof SymbolicLink) fail("ELOOP");
  if (inode instanceof Directory && (mask & MAY_WRITE) !== 0) fail("EISDIR");
  if (!isPermitted(task.who, inode, mask)) fail("EACCES");
  if ((flags & O_NOATIME) !== 0 && !isOwnerOrCapable(task.who, inode)) fail("EPERM");
  if (inode instanceof RegularFile && (flags & O_TRUNC) !== 0) setSize(task.who, inode, dentry, 0);
  return describe(inode, dentry, flags);
}

export function appends({ flags }: OpenFile): boolean {
  return (flags & O_APPEND) !== 0;
}
