/**
 * An upper layer from a tar, as GNU tar would unpack it into an empty directory: later entries take the place of earlier ones, hard links
 * lead to what has come before, directories that no entry is of are made. Nothing is ever followed: a name below a symbolic link is
 * wrong, as are absolute names and `..`.
 *
 * What kernels say to themselves (`trusted.overlay.origin`, `nlink`, `impure`, `uuid` and others) is dropped. A file whose data is elsewhere
 * (`metacopy`) cannot be had.
 *
 * Does not own: the form of a tar (fs/tar/), that nothing is left of what fails (layer-mount.ts).
 */
import { E2BIG, ENOSPC, EOPNOTSUPP, EPERM, ERANGE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { latin1Bytes, latin1Of } from "../../base/latin1.ts";
import { O_RDWR, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import {
  FMODE_READ,
  FMODE_WRITE,
  I_APPEND,
  I_IMMUTABLE,
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_GID,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_STATE,
  INODE_UID,
  XATTR_NAME_MAX,
  XATTR_SIZE_MAX,
} from "../../wasm/layout.ts";
import { shownName, type TarEntry, TarError, type TarTime } from "../tar/entry.ts";
import { type LayerFile, resize } from "./copy-data.ts";
import { putTarget } from "./copy-up.ts";
import type { DiffFailure } from "./diff-tree.ts";
import { closeLayer, operationsOf as fileOperationsOf, openLayer } from "./layer-file.ts";
import { inodeOf, isDirectory, isWhiteout, lookupOne, makeName, now, operationsOf, removeName } from "./layer-names.ts";
import { setLayerXattr } from "./layer-xattr.ts";
import { escaped, isPrivateXattr } from "./own-xattr.ts";
import { OPAQUE, ORIGIN, PATH_MAX, PROTATTR, REDIRECT } from "./tar-upper.ts";

const NAME_MAX = 255;
const METACOPY = "trusted.overlay.metacopy";
/** Of all symbolic links, whatever an entry says. */
const LINK_MODE = S_IFLNK | 0o777;
/** Made where no entry tells more. */
const IMPLIED_MODE = S_IFDIR | 0o755;

/** Names that lead to an entry: none = the directory itself. */
export type Names = readonly string[];

/** What is made of entries, and of names that no entry is of. */
export interface UntarOptions {
  /** foliofs has saved it: when files were changed is told. */
  readonly isSaved?: boolean;
  /** What files have been copied from means something here. */
  readonly keepsOrigins?: boolean;
  /** Of a directory that entries lie below: what it is. @returns undefined = as tar makes it; a negated errno */
  readonly implied?: (names: Names) => ImpliedDirectory | undefined | number;
  /**
   * Entries are as the overlay shows them, as those of image layers: devices 0:0 are none that it can have, what looks like an attribute of its
   * own is a program's. Whiteouts are made by hide() alone, and a directory in the place of one is opaque.
   */
  readonly isShown?: boolean;
}

/** As a directory is. */
export type ImpliedDirectory = Pick<TarEntry, "mode" | "uid" | "gid" | "mtime" | "xattrs">;

/** The names that a path is made of. @throws TarError for paths that lead out, and names that cannot be */
export function namesOf(path: string): Names {
  const refuse = (why: string): never => {
    throw new TarError(`the tar has a name ${why}: ${shownName(path)}`);
  };
  if (path.startsWith("/")) refuse("that is absolute");
  if (path.includes("\0")) refuse("with a NUL");
  if (path === "") refuse("that is empty");
  if (path.length >= PATH_MAX) refuse("that is too long");
  const names = split(path);
  if (names.includes("..")) refuse("with ..");
  if (names.some((name) => name.length > NAME_MAX)) refuse("that is too long");
  return names;
}

function isWhiteoutEntry({ mode, rdev }: TarEntry): boolean {
  return (mode & S_IFMT) === S_IFCHR && rdev === 0;
}

/** Names of a path, without "." and what is between slashes too many. */
function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** @throws TarError for a symbolic link that cannot be */
function checkTarget({ mode, name, link }: TarEntry): void {
  if ((mode & S_IFMT) !== S_IFLNK) return;
  if (link === "" || link.length >= PATH_MAX || link.includes("\0"))
    throw new TarError(`the tar has a symbolic link that leads nowhere: ${shownName(name)}`);
}

/** Unpacks entries into an empty directory in memory. Whoever holds it calls finish(), and letGo() at the end. */
export class UpperUntar {
  readonly #kernel: Kernel;
  readonly #root: LayerFile;
  readonly #options: UntarOptions;
  /** Directories that have been come by, by their paths, with references. */
  readonly #directories = new Map<string, DentryHandle>();
  /** The directory itself is as old as it was, where no entry is of it. */
  readonly #rootTime: TarTime;
  /** What directories become when all is in them. */
  readonly #later = new Map<DentryHandle, TarEntry | ImpliedDirectory>();

  constructor(kernel: Kernel, root: LayerFile, options: UntarOptions) {
    this.#kernel = kernel;
    this.#root = root;
    this.#options = options;
    kernel.core.x.dget(root.dentry);
    this.#directories.set("", root.dentry);
    const [inode, { u32, f64 }] = [inodeOf(kernel.core, root.dentry), kernel.core];
    this.#rootTime = { sec: f64[(inode << 2) + INODE_MTIME_SEC], nsec: u32[(inode << 3) + INODE_MTIME_NSEC] };
  }

  /** @returns 0; -ENOSPC; -EFBIG; -EOPNOTSUPP, -E2BIG, -ERANGE of extended attributes @throws TarError */
  add(entry: TarEntry): 0 | DiffFailure {
    const rc = this.put(namesOf(entry.name), entry);
    return rc < 0 ? { rc, path: entry.name } : 0;
  }

  /** As add(), by names. */
  put(names: Names, entry: TarEntry): number {
    if (this.#options.isShown && isWhiteoutEntry(entry)) return -EPERM;
    if (names.length === 0) return this.#putRoot(entry);
    const dir = this.directory(names.slice(0, -1));
    if (dir < 0) return dir;
    const isDir = (entry.mode & S_IFMT) === S_IFDIR;
    const known = this.#find(dir, names[names.length - 1]);
    if (known < 0) return known;
    if (known > 0) return Math.min(0, this.#putAgain(known, names, dir, entry));
    return isDir ? this.#putDirectory(names, dir, entry) : this.#putFile(names, dir, entry);
  }

  #putRoot(entry: TarEntry): number {
    if ((entry.mode & S_IFMT) !== S_IFDIR)
      throw new TarError("the tar has a file in the place of the directory itself");
    this.#later.set(this.#root.dentry, entry);
    return 0;
  }

  #find(dir: DentryHandle, name: string): DentryHandle {
    return lookupOne(this.#kernel, dir, latin1Bytes(name));
  }

  /** A name that comes again is what it is the last time; but a directory stays one. */
  #putAgain(known: DentryHandle, names: Names, dir: DentryHandle, entry: TarEntry): number {
    const { core } = this.#kernel;
    const wasDir = isDirectory(core, inodeOf(core, known));
    if (this.#isHidden(known)) return this.#uncover(known, names, dir, entry);
    const isDir = (entry.mode & S_IFMT) === S_IFDIR;
    const isItself = (entry.mode & S_IFMT) === 0 && split(entry.link).join("/") === names.join("/");
    if (wasDir && isDir) this.#later.set(known, entry); // #directories holds it
    const rc = wasDir || isDir || isItself ? 0 : removeName(this.#kernel, known);
    core.x.dput(known);
    if (wasDir !== isDir)
      throw new TarError(`the tar has a directory and a file of the same name: ${shownName(entry.name)}`);
    return isDir || isItself || rc < 0 ? rc : this.#putFile(names, dir, entry);
  }

  #isHidden(known: DentryHandle): boolean {
    const { core } = this.#kernel;
    return this.#options.isShown === true && isWhiteout(core, inodeOf(core, known));
  }

  /** Takes the place of a whiteout, and drops the reference on it. A directory hides what the whiteout has hidden. */
  #uncover(known: DentryHandle, names: Names, dir: DentryHandle, entry: TarEntry | undefined): DentryHandle {
    const rc = removeName(this.#kernel, known);
    this.#kernel.core.x.dput(known);
    if (rc < 0) return rc as DentryHandle;
    if (entry !== undefined && (entry.mode & S_IFMT) !== S_IFDIR)
      return this.#putFile(names, dir, entry) as DentryHandle;
    const made = this.#makeDirectory(names, dir, entry);
    const hidden = made < 0 ? made : this.#markOpaque(made);
    return hidden < 0 ? (hidden as DentryHandle) : made;
  }

  #markOpaque(dir: DentryHandle): number {
    return setLayerXattr(this.#kernel, inodeOf(this.#kernel.core, dir), latin1Bytes(OPAQUE), latin1Bytes("y"));
  }

  /** Nothing of the lower layers shows in a directory. @returns 0 or a negated errno */
  hideAll(names: Names): number {
    const dir = this.directory(names);
    return dir < 0 ? dir : this.#markOpaque(dir);
  }

  /** A name of the lower layers does not show: where there is another one by now, a directory is opaque. @returns 0 or a negated errno */
  hide(names: Names): number {
    const dir = this.directory(names.slice(0, -1));
    if (dir < 0) return dir;
    const name = names[names.length - 1];
    const known = this.#find(dir, name);
    if (known < 0) return known;
    const { core } = this.#kernel;
    if (known > 0) {
      const rc = isDirectory(core, inodeOf(core, known)) ? this.#markOpaque(known) : 0;
      core.x.dput(known);
      return rc;
    }
    const made = makeName(this.#kernel, dir, latin1Bytes(name), ({ mknod }, parent, dentry) =>
      now(mknod?.(this.#kernel, parent, dentry, S_IFCHR, 0) ?? -EPERM),
    );
    if (made > 0) core.x.dput(made);
    return Math.min(made, 0);
  }

  /** A directory, which is made where it is missing. It is held until the end. @returns a negated errno @throws TarError where it is none */
  directory(names: Names): DentryHandle {
    const path = names.join("/");
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const parent = this.directory(names.slice(0, -1));
    if (parent < 0) return parent;
    const found = this.#find(parent, names[names.length - 1]);
    if (found < 0) return found;
    if (found > 0 && this.#isHidden(found)) return this.#uncover(found, names, parent, undefined);
    if (found > 0) {
      this.#kernel.core.x.dput(found);
      throw new TarError(`the tar has names below ${shownName(path)}, which is no directory`);
    }
    const implied = this.#options.implied?.(names);
    return typeof implied === "number" ? (implied as DentryHandle) : this.#makeDirectory(names, parent, implied);
  }

  #putDirectory(names: Names, dir: DentryHandle, entry: TarEntry): number {
    return Math.min(0, this.#makeDirectory(names, dir, entry));
  }

  #makeDirectory(names: Names, dir: DentryHandle, later: TarEntry | ImpliedDirectory | undefined): DentryHandle {
    const made = makeName(this.#kernel, dir, latin1Bytes(names[names.length - 1]), ({ mkdir }, parent, dentry) =>
      now(mkdir?.(this.#kernel, parent, dentry, IMPLIED_MODE) ?? -EPERM),
    );
    if (made < 0) return made;
    this.#directories.set(names.join("/"), made);
    if (later) this.#later.set(made, later);
    return made;
  }

  #putFile(names: Names, dir: DentryHandle, entry: TarEntry): number {
    checkTarget(entry);
    const isLink = (entry.mode & S_IFMT) === 0;
    const linked = isLink ? this.#linked(entry) : (0 as DentryHandle);
    if (linked < 0) return linked;
    const made = makeName(this.#kernel, dir, latin1Bytes(names[names.length - 1]), ({ link }, parent, dentry) =>
      isLink
        ? now(link?.(this.#kernel, inodeOf(this.#kernel.core, linked), parent, dentry) ?? -EPERM)
        : this.#make(entry, parent, dentry),
    );
    if (isLink) this.#kernel.core.x.dput(linked);
    if (made < 0) return made;
    const rc = isLink ? this.#changedBefore(made, entry) : this.#fill(made, entry);
    this.#kernel.core.x.dput(made);
    return rc;
  }

  /** The file that a hard link leads to, with a reference. @throws TarError where it is not there */
  #linked({ name, link }: TarEntry): DentryHandle {
    const names = namesOf(link);
    const dir = this.#directories.get(names.slice(0, -1).join("/"));
    const found =
      dir === undefined || names.length === 0 ? (0 as DentryHandle) : this.#find(dir, names[names.length - 1]);
    const { core } = this.#kernel;
    if (found < 0 || (found > 0 && !isDirectory(core, inodeOf(core, found)) && !this.#isHidden(found))) return found;
    if (found > 0) core.x.dput(found);
    throw new TarError(`the tar links ${shownName(name)} to ${shownName(link)}, which is no file before it`);
  }

  #make({ mode, rdev, link }: TarEntry, dir: InodeHandle, dentry: DentryHandle): number {
    const kernel = this.#kernel;
    const { create, mknod, symlink } = operationsOf(kernel, dir);
    switch (mode & S_IFMT) {
      case S_IFREG:
        return now(create?.(kernel, dir, dentry, mode) ?? -EPERM);
      case S_IFLNK:
        return now(symlink?.(kernel, dir, dentry, putTarget(kernel, latin1Bytes(link))) ?? -EPERM);
      default:
        return now(mknod?.(kernel, dir, dentry, mode, rdev) ?? -EPERM);
    }
  }

  /** Another name has changed the file now, which it had before. */
  #changedBefore(made: DentryHandle, { ctime }: TarEntry): number {
    if (this.#options.isSaved && ctime)
      this.#setTime(inodeOf(this.#kernel.core, made), INODE_CTIME_SEC, INODE_CTIME_NSEC, ctime);
    return 0;
  }

  #fill(made: DentryHandle, entry: TarEntry): number {
    const isFile = (entry.mode & S_IFMT) === S_IFREG;
    const rc = isFile ? this.#write(made, entry) : 0;
    return rc || this.#setAttributes(inodeOf(this.#kernel.core, made), entry);
  }

  #write(dentry: DentryHandle, { size, pieces }: TarEntry): number {
    const kernel = this.#kernel;
    const last = pieces.at(-1);
    const end = last === undefined ? 0 : last.at + last.bytes.length;
    let rc = 0;
    if (pieces.length > 0) {
      const file = openLayer(kernel, this.#root.mnt, dentry, O_RDWR, FMODE_READ | FMODE_WRITE);
      if (file < 0) return file;
      const { write } = fileOperationsOf(kernel, file);
      for (const { at, bytes } of pieces)
        for (let done = 0; done < bytes.length && rc >= 0; done += rc)
          rc = write?.(kernel, file, bytes, done, bytes.length - done, at + done) || -ENOSPC;
      void closeLayer(kernel, file);
    }
    if (rc < 0 || end === size) return Math.min(rc, 0);
    return resize(kernel, inodeOf(kernel.core, dentry), size);
  }

  /** Directories become what they are, now that nothing is made in them any more. @returns 0; -ENOSPC ... */
  finish(): 0 | DiffFailure {
    const { core } = this.#kernel;
    this.#setTime(inodeOf(core, this.#root.dentry), INODE_MTIME_SEC, INODE_MTIME_NSEC, this.#rootTime);
    for (const [dentry, entry] of this.#later) {
      const rc = this.#setAttributes(inodeOf(core, dentry), entry);
      if (rc < 0) return { rc, path: "name" in entry ? entry.name : "" };
    }
    return 0;
  }

  #setAttributes(inode: InodeHandle, entry: TarEntry | ImpliedDirectory): number {
    const { u32 } = this.#kernel.core;
    const rc = this.#setXattrs(inode, entry);
    if (rc < 0) return rc;
    const at = inode << 3;
    u32[at + INODE_MODE] = (entry.mode & S_IFMT) === S_IFLNK ? LINK_MODE : entry.mode;
    u32[at + INODE_UID] = entry.uid;
    u32[at + INODE_GID] = entry.gid;
    this.#setTime(inode, INODE_MTIME_SEC, INODE_MTIME_NSEC, entry.mtime);
    if (!("name" in entry && this.#options.isSaved)) return 0;
    this.#setTime(inode, INODE_CTIME_SEC, INODE_CTIME_NSEC, entry.ctime ?? entry.mtime);
    return 0;
  }

  #setTime(inode: InodeHandle, secAt: number, nsecAt: number, { sec, nsec }: TarTime): void {
    const { u32, f64 } = this.#kernel.core;
    f64[(inode << 2) + secAt] = sec;
    u32[(inode << 3) + nsecAt] = nsec;
  }

  #setXattrs(inode: InodeHandle, entry: TarEntry | ImpliedDirectory): number {
    for (const [name, value] of entry.xattrs) {
      const bytes = this.#options.isShown ? escaped(latin1Bytes(name)) : latin1Bytes(name);
      if (isPrivateXattr(bytes) && name === METACOPY) return -EOPNOTSUPP;
      if (isPrivateXattr(bytes) && name === PROTATTR) this.#setFlags(inode, latin1Of(value));
      if (isPrivateXattr(bytes) && !this.#isKept(name)) continue;
      if (bytes.length > XATTR_NAME_MAX || bytes.includes(0)) return -ERANGE;
      if (value.length > XATTR_SIZE_MAX) return -E2BIG;
      const rc = setLayerXattr(this.#kernel, inode, bytes, value);
      if (rc < 0) return rc;
    }
    return 0;
  }

  #isKept(name: string): boolean {
    return name === OPAQUE || name === REDIRECT || (name === ORIGIN && this.#options.keepsOrigins === true);
  }

  /** Append-only and immutable, of files and directories. */
  #setFlags(inode: InodeHandle, letters: string): void {
    const { core } = this.#kernel;
    const type = core.u32[(inode << 3) + INODE_MODE] & S_IFMT;
    if (type !== S_IFREG && type !== S_IFDIR) return;
    const state = (letters.includes("a") ? I_APPEND : 0) | (letters.includes("i") ? I_IMMUTABLE : 0);
    core.u32[(inode << 3) + INODE_STATE] |= state;
  }

  letGo(): void {
    for (const dentry of this.#directories.values()) this.#kernel.core.x.dput(dentry);
    this.#directories.clear();
  }
}
