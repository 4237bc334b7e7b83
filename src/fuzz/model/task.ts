/**
 * A task of the model: its system calls, its descriptors, its umask and its working directory.
 *
 * Each call is given the bytes of paths, and throws a Fault.
 */
import { LOCK_MAND, S_IFDIR } from "../../base/stat-flags.ts";
import { chmod, chown, SAME_ID, setTimes } from "./attributes.ts";
import { type Credentials, isSafeToLink, MAY_EXEC, MAY_READ, permit } from "./credentials.ts";
import { putDentry, useDentry } from "./dentry-users.ts";
import { fail } from "./fault.ts";
import { type Dentry, Directory, type Inode, RegularFile, SymbolicLink } from "./inode.ts";
import { lock, lockKindOf, unlock } from "./lock.ts";
import { link, mkdir, symlink } from "./make.ts";
import { IN_ATTRIB, IN_MODIFY, type Listener, Mark, Queue, tellChange } from "./notify.ts";
import { appends, type OpenFile, open } from "./open.ts";
import { rename, rmdir, unlink } from "./remove.ts";
import { dropPrivileges, MAX_FILE_BYTES, setSize } from "./set-size.ts";
import { type Ending, resolve, type Walker } from "./walk.ts";

const ROOT_MODE = 0o755;
const FOLLOWING: Ending = { follows: true };
const NOT_FOLLOWING: Ending = { follows: false };
/** Position of a read or write that goes on where the last one ended. */
export const CURRENT = -1;
/** At a time. */
const COPIED_BYTES = 1 << 16;

/** The file system that tasks share. */
export class ModelFileSystem {
  readonly root = new Directory({ ino: 1, mode: S_IFDIR | ROOT_MODE, uid: 0, gid: 0 });
  /** As fs.protected_hardlinks. */
  readonly protectsHardlinks: boolean;
  readonly queue = new Queue();
  #lastIno = 1;

  constructor(protectsHardlinks: boolean) {
    this.protectsHardlinks = protectsHardlinks;
  }

  newIno(): number {
    return ++this.#lastIno;
  }
}

/** An inode, and the name that it was reached by. */
interface Reached {
  readonly inode: Inode;
  readonly dentry: Dentry | undefined;
}

export class ModelTask implements Walker {
  readonly who: Credentials;
  root: Directory;
  cwd: Directory;
  reached: Dentry | undefined;
  /** umask: bits that new files do not get. */
  mask = 0o022;
  readonly #fileSystem: ModelFileSystem;
  readonly #files = new Map<number, OpenFile>();

  constructor(fileSystem: ModelFileSystem, who: Credentials) {
    this.#fileSystem = fileSystem;
    this.who = who;
    this.root = fileSystem.root;
    this.cwd = fileSystem.root;
  }

  newIno(): number {
    return this.#fileSystem.newIno();
  }

  mayLink(inode: Inode): boolean {
    return !this.#fileSystem.protectsHardlinks || isSafeToLink(this.who, inode, inode instanceof RegularFile);
  }

  // Names

  mkdir(path: string, mode: number): void {
    mkdir(this, path, mode);
  }
  symlink(target: string, path: string): void {
    symlink(this, target, path);
  }
  link(from: string, to: string): void {
    link(this, from, to);
  }
  unlink(path: string): void {
    unlink(this, path);
  }
  rmdir(path: string): void {
    rmdir(this, path);
  }
  rename(from: string, to: string): void {
    rename(this, from, to);
  }
  /** @throws EINVAL for what is no symbolic link */
  readlink(path: string): string {
    const inode = resolve(this, path, NOT_FOLLOWING);
    if (!(inode instanceof SymbolicLink)) fail("EINVAL");
    inode.accessed();
    return inode.target;
  }

  // Attributes

  stat(path: string): Inode {
    return resolve(this, path, FOLLOWING);
  }
  lstat(path: string): Inode {
    return resolve(this, path, NOT_FOLLOWING);
  }
  /** @param mask of MAY_* @throws EACCES */
  access(path: string, mask: number): void {
    permit(this.who, resolve(this, path, FOLLOWING), mask);
  }
  chmod(path: string, mode: number): void {
    this.#chmod(this.#reach(path, FOLLOWING), mode);
  }
  chown(path: string, uid: number, gid: number): void {
    this.#chown(this.#reach(path, FOLLOWING), uid, gid);
  }
  lchown(path: string, uid: number, gid: number): void {
    this.#chown(this.#reach(path, NOT_FOLLOWING), uid, gid);
  }
  utimes(path: string, atimeMs: number, mtimeMs: number): void {
    this.#setTimes(this.#reach(path, FOLLOWING), atimeMs, mtimeMs);
  }
  lutimes(path: string, atimeMs: number, mtimeMs: number): void {
    this.#setTimes(this.#reach(path, NOT_FOLLOWING), atimeMs, mtimeMs);
  }
  #reach(path: string, ending: Ending): Reached {
    const inode = resolve(this, path, ending);
    return { inode, dentry: this.reached };
  }
  #chmod({ inode, dentry }: Reached, mode: number): void {
    chmod(this.who, inode, mode);
    tellChange(inode, dentry, IN_ATTRIB);
  }
  #chown({ inode, dentry }: Reached, uid: number, gid: number): void {
    const { mode } = inode;
    chown(this.who, inode, uid, gid);
    if (uid !== SAME_ID || gid !== SAME_ID || inode.mode !== mode) tellChange(inode, dentry, IN_ATTRIB);
  }
  #setTimes({ inode, dentry }: Reached, atimeMs: number, mtimeMs: number): void {
    setTimes(this.who, inode, atimeMs, mtimeMs);
    tellChange(inode, dentry, IN_ATTRIB);
  }

  /**
   * Watches what a path leads to.
   *
   * @returns its mark, which all have that watch it @throws EACCES for what may not be read
   */
  watch(path: string, listener: Listener): Mark {
    const inode = resolve(this, path, FOLLOWING);
    permit(this.who, inode, MAY_READ);
    inode.mark ??= new Mark(inode, this.#fileSystem.queue);
    inode.mark.listeners.add(listener);
    return inode.mark;
  }
  /** The last who goes takes the mark along. */
  unwatch(mark: Mark, listener: Listener): void {
    mark.listeners.delete(listener);
    if (mark.listeners.size === 0) mark.end();
  }

  // The process

  /** @throws EACCES */
  chdir(path: string): void {
    const dir = resolve(this, path, { follows: true, isDirectory: true }) as Directory;
    permit(this.who, dir, MAY_EXEC);
    this.goTo(dir);
  }
  /** Makes a directory the working directory, whoever may go there. */
  goTo(dir: Directory): void {
    const before = this.cwd.dentry;
    if (dir.dentry !== undefined) useDentry(dir.dentry);
    this.cwd = dir;
    if (before !== undefined) putDentry(before);
  }
  /** Makes a directory the root, and goes there. */
  chroot(path: string): void {
    this.root = this.stat(path) as Directory;
    if (this.root.dentry !== undefined) useDentry(this.root.dentry);
    this.goTo(this.root);
  }
  /** @throws ENOENT for a directory that has been removed, or is not below the root */
  getcwd(): string {
    if (this.cwd.isDead) fail("ENOENT");
    let path = "";
    for (let dir = this.cwd; dir !== this.root; dir = dir.parent) {
      if (dir.isRoot) fail("ENOENT");
      path = `/${dir.dentry?.name}${path}`;
    }
    return path || "/";
  }
  /** @returns the mask before */
  umask(mask: number): number {
    const before = this.mask;
    this.mask = mask & 0o777;
    return before;
  }

  // Descriptors

  /** @returns the lowest number that is free */
  open(path: string, flags: number, mode: number): number {
    const file = open(this, path, flags, mode);
    if (file.dentry !== undefined) useDentry(file.dentry);
    let fd = 0;
    while (this.#files.has(fd)) fd++;
    this.#files.set(fd, file);
    return fd;
  }
  /** @throws EBADF */
  close(fd: number): void {
    const file = this.#files.get(fd) ?? fail("EBADF");
    this.#files.delete(fd);
    unlock(file);
    const { dentry } = file;
    if (dentry !== undefined) putDentry(dentry);
  }
  /** @throws EBADF */
  fstat(fd: number): Inode {
    return (this.#files.get(fd) ?? fail("EBADF")).inode;
  }
  /** @throws EBADF also for one that stands for a name alone */
  #file(fd: number): OpenFile {
    const file = this.#files.get(fd);
    return file === undefined || file.isPath ? fail("EBADF") : file;
  }
  fchmod(fd: number, mode: number): void {
    this.#chmod(this.#file(fd), mode);
  }
  fchown(fd: number, uid: number, gid: number): void {
    this.#chown(this.#file(fd), uid, gid);
  }
  futimes(fd: number, atimeMs: number, mtimeMs: number): void {
    this.#setTimes(this.#file(fd), atimeMs, mtimeMs);
  }
  /** Memory is as safe as it gets. @throws EBADF */
  fsync(fd: number): void {
    this.#file(fd);
  }
  /** LOCK_MAND is not looked at any further, nor is its descriptor. @throws EINVAL for what is no operation, EBADF, EAGAIN */
  flock(fd: number, operation: number): void {
    if (operation & LOCK_MAND) return;
    const kind = lockKindOf(operation);
    const file = this.#file(fd);
    if (kind === undefined) unlock(file);
    else lock(file, kind);
  }
  /** @throws EBADF, EINVAL for what is not open to be written, EFBIG */
  ftruncate(fd: number, size: number): void {
    const { inode, dentry, isWritable } = this.#file(fd);
    if (!(inode instanceof RegularFile) || !isWritable) fail("EINVAL");
    setSize(this.who, inode, dentry, size);
  }

  /**
   * The names in an open directory, newest first.
   *
   * @throws ENOENT for one that has been removed
   */
  getdents(fd: number): (readonly [name: string, inode: Inode])[] {
    const { inode, flags } = this.#file(fd);
    if (!(inode instanceof Directory)) fail("ENOTDIR");
    if (inode.isDead) fail("ENOENT");
    inode.accessed(flags);
    return inode.list();
  }

  /**
   * Fills buffers, one after the other.
   *
   * @param pos where; CURRENT goes on where the last read or write ended
   * @returns bytes read; 0 at the end
   * @throws EBADF for what is not open to be read, EISDIR
   */
  read(fd: number, buffers: readonly Uint8Array[], pos: number): number {
    const file = this.#file(fd);
    if (!file.isReadable) fail("EBADF");
    // A vector of nothing is nothing, of whatever it would be read; one buffer is read(2), which looks.
    if (buffers.length > 1 && buffers.every(({ length }) => length === 0)) return 0;
    const { inode, flags } = file;
    if (!(inode instanceof RegularFile)) fail("EISDIR");
    let count = 0;
    const start = pos === CURRENT ? file.pos : pos;
    for (const buffer of buffers) count += inode.data.read(start + count, buffer);
    inode.accessed(flags);
    if (pos === CURRENT) file.pos += count;
    return count;
  }

  /**
   * Writes buffers, one after the other: at the end of the file with O_APPEND, wherever `pos` is.
   *
   * @returns bytes written: fewer where the file would become too large
   * @throws EBADF for what is not open to be written, EFBIG where not one byte fits
   */
  write(fd: number, buffers: readonly Uint8Array[], pos: number): number {
    const file = this.#file(fd);
    if (!file.isWritable) fail("EBADF");
    const count = this.#put(file, buffers, pos);
    if (count > 0) tellChange(file.inode, file.dentry, IN_MODIFY);
    return count;
  }

  /** Copies from one open file to another, and tells of it once. @param length bytes, which the first has @throws as read() and write() */
  copyFileRange(from: number, to: number, length: number): void {
    const file = this.#file(to);
    const chunk = new Uint8Array(Math.min(length, COPIED_BYTES));
    for (let left = length; left > 0; ) {
      const count = this.read(from, [chunk.subarray(0, left)], CURRENT);
      left -= this.#put(file, [chunk.subarray(0, count)], CURRENT);
    }
    tellChange(file.inode, file.dentry, IN_MODIFY);
  }

  /** @returns as write() @throws EFBIG */
  #put(file: OpenFile, buffers: readonly Uint8Array[], pos: number): number {
    const { data } = file.inode as RegularFile;
    let left = buffers.reduce((sum, { length }) => sum + length, 0);
    if (left === 0) return 0;
    const isCurrent = pos === CURRENT;
    const start = appends(file) ? data.size : isCurrent ? file.pos : pos;
    if (start >= MAX_FILE_BYTES) fail("EFBIG");
    left = Math.min(left, MAX_FILE_BYTES - start);
    dropPrivileges(this.who, file.inode as RegularFile, file.dentry);
    file.inode.modified();
    let at = start;
    for (const buffer of buffers) {
      const part = buffer.subarray(0, Math.max(0, start + left - at));
      data.write(at, part);
      at += part.length;
    }
    if (isCurrent) file.pos = at;
    return at - start;
  }
}
