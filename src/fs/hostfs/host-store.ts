/**
 * The synchronous half of the store: names, attributes and data of a host folder by node:fs. Every call answers a value or a
 * negated errno, and takes one step from a directory (host-root.ts).
 *
 * Files that are open here and lose their name here keep their descriptor (hold()).
 *
 * Does not own: what of it is cached and for how long (hostfs.ts), paths (host-root.ts), descriptors (fd-cache.ts).
 */
import nodeFs from "node:fs";
import { EINVAL, EOPNOTSUPP, ESTALE } from "../../base/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { FdCache } from "./fd-cache.ts";
import { attempt } from "./host-errno.ts";
import { fdKey, type HostNode, HostRoot, isNode } from "./host-root.ts";
import type { HostNative } from "./native.ts";

const { O_CREAT, O_DIRECTORY = 0, O_EXCL, O_NOFOLLOW = 0, O_RDONLY, O_RDWR } = nodeFs.constants;
const MODE_BITS = 0o7777;
/** Of a file that is being made: nobody else's before it has its mode. */
const NEW_MODE = 0o600;
/** Names that are read of a directory at once. */
const DIR_BATCH = 1024;

/** A node with its attributes, as the host has them. */
export interface Found {
  readonly node: HostNode;
  readonly stats: nodeFs.BigIntStats;
}

/** Changes of attributes; what is undefined stays. Times in seconds, to the microsecond. */
export interface HostChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: number;
  readonly mtime?: number;
}

/** Takes the next name of a directory; false stops. @param type S_IFMT >> 12, 0 = unknown */
export type TakeName = (name: Uint8Array, type: number) => boolean;

const OK = 0;

/** What node:fs returns where it returns nothing. */
function done(answer: unknown): number {
  return typeof answer === "number" && answer < 0 ? answer : OK;
}

export class HostStore {
  readonly fds: FdCache;
  readonly root: HostNode;
  readonly #root: HostRoot;
  readonly #native: HostNative | undefined;

  private constructor(root: HostRoot, fds: FdCache, native: HostNative | undefined) {
    this.root = root.root;
    this.fds = fds;
    this.#root = root;
    this.#native = native;
  }

  /** Opens the folder `source`. @returns a negated errno, then nothing is open */
  static open(source: string, maxFds: number, native?: HostNative): HostStore | number {
    const fds = new FdCache(maxFds, (fd) => attempt(() => nodeFs.closeSync(fd)));
    const root = HostRoot.open(source, fds);
    return typeof root === "number" ? root : new HostStore(root, fds, native);
  }

  /** Closes every descriptor. */
  close(): void {
    this.#root.close();
  }

  // --- Names ------------------------------------------------------------------------------------------------------------

  /** What a name leads to; a link itself. @returns -ENOENT ... */
  lookup(parent: HostNode, name: Uint8Array): Found | number {
    const stats = this.#by(parent, name, (path) => nodeFs.lstatSync(path, { bigint: true }));
    if (typeof stats === "number") return stats;
    const type = Number(stats.mode) & S_IFMT;
    return { node: { dev: stats.dev, ino: stats.ino, type, parent, name: name.slice() }, stats };
  }

  /** Attributes of a node, if it is still at its name or its file is kept open. @returns -ESTALE ... */
  stat(node: HostNode): nodeFs.BigIntStats | number {
    const fd = node.type === S_IFREG ? (this.fds.find(fdKey(node, true)) ?? this.fds.find(fdKey(node))) : undefined;
    if (fd !== undefined) return attempt(() => nodeFs.fstatSync(fd, { bigint: true }));
    const stats = node.parent
      ? this.#by(node.parent, node.name, (path) => nodeFs.lstatSync(path, { bigint: true }))
      : this.#of(node, (path) => nodeFs.statSync(path, { bigint: true }));
    return typeof stats === "number" || isNode(node, stats) ? stats : -ESTALE;
  }

  /** Gives the names of a directory in pieces, in the host's order. */
  readdir(dir: HostNode, take: TakeName): number {
    const options = { encoding: "buffer", bufferSize: DIR_BATCH } as unknown as nodeFs.OpenDirOptions;
    const open = this.fds.withRoom<nodeFs.Dir>(() =>
      this.#of(dir, (path) => nodeFs.opendirSync(path as never, options)),
    );
    if (typeof open === "number") return open;
    try {
      return done(attempt(() => takeAll(open, take)));
    } finally {
      open.closeSync();
    }
  }

  readlink(node: HostNode): Uint8Array | number {
    if (node.type !== S_IFLNK || !node.parent) return -EINVAL;
    return this.#by(node.parent, node.name, (path) => nodeFs.readlinkSync(path, { encoding: "buffer" }));
  }

  /** Makes a regular file, never taking one that is there. @param mode permission bits, without umask @returns -EEXIST ... */
  create(dir: HostNode, name: Uint8Array, mode: number): Found | number {
    const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR;
    const path = this.#root.at(dir, name);
    if (typeof path === "number") return path;
    const fd = this.fds.withRoom(() => attempt(() => nodeFs.openSync(path, flags, NEW_MODE)));
    if (fd < 0) return fd;
    attempt(() => nodeFs.fchmodSync(fd, mode & MODE_BITS));
    const stats = attempt(() => nodeFs.fstatSync(fd, { bigint: true }));
    if (typeof stats === "number") {
      nodeFs.closeSync(fd);
      return stats;
    }
    const node: HostNode = { dev: stats.dev, ino: stats.ino, type: S_IFREG, parent: dir, name: name.slice() };
    this.fds.open(fdKey(node, true), () => fd);
    return { node, stats };
  }

  /** Makes a directory. @param mode as for create() */
  mkdir(dir: HostNode, name: Uint8Array, mode: number): Found | number {
    const made = this.#by(dir, name, (path) => nodeFs.mkdirSync(path, NEW_MODE | 0o100));
    if (done(made) < 0) return made as unknown as number;
    const found = this.lookup(dir, name);
    if (typeof found === "number") return found;
    if (found.node.type !== S_IFDIR) return -ESTALE;
    const refused = this.change(found.node, { mode });
    return refused < 0 ? refused : this.lookup(dir, name);
  }

  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array): Found | number {
    const made = this.#by(dir, name, (path) => nodeFs.symlinkSync(Buffer.from(target), path));
    return done(made) < 0 ? (made as unknown as number) : this.lookup(dir, name);
  }

  mknod(dir: HostNode, name: Uint8Array, mode: number, dev: number): Found | number {
    const make = this.#native?.mknod;
    if (!make) return -EOPNOTSUPP;
    const fd = this.#root.directory(dir);
    const rc = fd < 0 ? fd : make(fd, name, mode, dev);
    return rc < 0 ? rc : this.lookup(dir, name);
  }

  /** Gives a file another name; a link is not followed. */
  link(node: HostNode, dir: HostNode, name: Uint8Array): number {
    if (!node.parent) return -EINVAL;
    return this.#byTwo(node.parent, node.name, dir, name, (from, to) => nodeFs.linkSync(from, to));
  }

  unlink(dir: HostNode, name: Uint8Array): number {
    return done(this.#by(dir, name, (path) => nodeFs.unlinkSync(path)));
  }

  rmdir(dir: HostNode, node: HostNode, name: Uint8Array): number {
    const rc = done(this.#by(dir, name, (path) => nodeFs.rmdirSync(path)));
    if (rc === OK) this.fds.forget(fdKey(node));
    return rc;
  }

  /** @param flags RENAME_*, which need a helper @returns -EINVAL for flags without one ... */
  rename(oldDir: HostNode, oldName: Uint8Array, newDir: HostNode, newName: Uint8Array, flags: number): number {
    if (flags === 0) {
      return this.#byTwo(oldDir, oldName, newDir, newName, (from, to) => nodeFs.renameSync(from, to));
    }
    const rename = this.#native?.rename;
    if (!rename) return -EINVAL;
    return this.#withBoth(oldDir, newDir, (from, to) => rename(from, oldName, to, newName, flags));
  }

  // --- Attributes -------------------------------------------------------------------------------------------------------

  /** Changes attributes: of files by descriptor, so that it is this inode and no other. @returns the first error */
  change(node: HostNode, change: HostChange): number {
    if (change.size !== undefined) {
      const { size } = change;
      const rc = this.withFile(node, true, (fd) => done(attempt(() => nodeFs.ftruncateSync(fd, size))));
      if (rc < 0) return rc;
    }
    const { uid, gid, mode } = change;
    if (uid !== undefined || gid !== undefined) {
      const rc = this.#apply(node, (path) => nodeFs.lchownSync(path, uid ?? -1, gid ?? -1));
      if (rc < 0) return rc;
    }
    if (mode !== undefined) {
      const rc = this.#setMode(node, mode & MODE_BITS);
      if (rc < 0) return rc;
    }
    return this.#setTimes(node, change);
  }

  /** chmod() follows links, so it is given a descriptor that has been looked at. */
  #setMode(node: HostNode, mode: number): number {
    if (node.type === S_IFLNK) return -EOPNOTSUPP;
    if (node.type === S_IFDIR) return done(this.#of(node, (path) => nodeFs.chmodSync(path, mode)));
    if (node.type !== S_IFREG) return -EOPNOTSUPP; // to have a descriptor would be to open it
    return this.withFile(node, false, (fd) => done(attempt(() => nodeFs.fchmodSync(fd, mode))));
  }

  #setTimes(node: HostNode, { atime, mtime }: HostChange): number {
    if (atime === undefined && mtime === undefined) return OK;
    const stats = this.stat(node);
    if (typeof stats === "number") return stats;
    const [a, m] = [atime ?? Number(stats.atimeNs) / 1e9, mtime ?? Number(stats.mtimeNs) / 1e9];
    return this.#apply(node, (path) => nodeFs.lutimesSync(path, a, m));
  }

  /** A call on the node by a path that it does not follow. */
  #apply(node: HostNode, call: (path: Buffer) => void): number {
    if (!node.parent) return done(this.#of(node, call));
    return done(
      this.#by(node.parent, node.name, (path) => {
        if (!isNode(node, nodeFs.lstatSync(path, { bigint: true })))
          throw Object.assign(new Error(), { code: "ESTALE" });
        call(path);
      }),
    );
  }

  /** @returns statfs of the folder */
  statfs(): nodeFs.BigIntStatsFs | number {
    return this.#of(this.root, (path) => nodeFs.statfsSync(path, { bigint: true }));
  }

  // --- Data -------------------------------------------------------------------------------------------------------------

  /** Lends `use` a descriptor of a file for one call. @param writable a descriptor to write by also reads */
  withFile(node: HostNode, writable: boolean, use: (fd: number) => number): number {
    const known = writable ? undefined : this.fds.find(fdKey(node, true));
    const fd = known ?? this.fds.open(fdKey(node, writable), () => this.#root.openFile(node, writable));
    return fd < 0 ? fd : use(fd);
  }

  /** Reads into views, one behind the other. @returns bytes, 0 at the end */
  preadv(node: HostNode, views: readonly Uint8Array[], position: number): number {
    return this.withFile(node, false, (fd) => attempt(() => nodeFs.readvSync(fd, views, position)));
  }

  /** Writes views, one behind the other. @returns bytes */
  pwritev(node: HostNode, views: readonly Uint8Array[], position: number): number {
    return this.withFile(node, true, (fd) => attempt(() => nodeFs.writevSync(fd, views, position)));
  }

  /** Of files and directories. @param dataOnly as for fdatasync() */
  fsync(node: HostNode, dataOnly: boolean): number {
    const sync = dataOnly ? nodeFs.fdatasyncSync : nodeFs.fsyncSync;
    if (node.type === S_IFDIR) return this.#syncDirectory(node, sync);
    return this.withFile(node, false, (fd) => done(attempt(() => sync(fd))));
  }

  /** The descriptor that stands for a directory is a place only, which cannot be synced. */
  #syncDirectory(dir: HostNode, sync: (fd: number) => void): number {
    const open = () => this.#of(dir, (path) => nodeFs.openSync(path, O_RDONLY | O_DIRECTORY));
    const fd = this.fds.withRoom(open);
    if (fd < 0) return fd;
    const rc = done(attempt(() => sync(fd)));
    nodeFs.closeSync(fd);
    return rc;
  }

  /** Opens a file's descriptor and keeps it: it is about to lose its name. @returns 0 or a negated errno */
  hold(node: HostNode, writable: boolean): number {
    const rc = this.withFile(node, writable, () => OK);
    if (rc === OK) {
      const key = fdKey(node, writable);
      this.fds.keep(this.fds.find(key) === undefined ? fdKey(node, true) : key);
    }
    return rc;
  }

  /** Nobody has the file open any more. */
  drop(node: HostNode): void {
    this.fds.forget(fdKey(node));
    this.fds.forget(fdKey(node, true));
  }

  // --- Steps ------------------------------------------------------------------------------------------------------------

  /** A call on a name in a directory, which must not follow it. */
  #by<T>(dir: HostNode, name: Uint8Array, call: (path: Buffer) => T): T | number {
    const path = this.#root.at(dir, name);
    return typeof path === "number" ? path : attempt(() => call(path));
  }

  /** A call on a directory itself. */
  #of<T>(dir: HostNode, call: (path: Buffer) => T): T | number {
    const path = this.#root.pathOf(dir);
    return typeof path === "number" ? path : attempt(() => call(path));
  }

  #byTwo(
    oldDir: HostNode,
    oldName: Uint8Array,
    newDir: HostNode,
    newName: Uint8Array,
    call: (from: Buffer, to: Buffer) => void,
  ): number {
    return this.#keeping(oldDir, () => {
      const to = this.#root.at(newDir, newName);
      if (typeof to === "number") return to;
      return done(this.#by(oldDir, oldName, (from) => call(from, to)));
    });
  }

  #withBoth(oldDir: HostNode, newDir: HostNode, call: (from: number, to: number) => number): number {
    return this.#keeping(oldDir, () => {
      const to = this.#root.directory(newDir);
      if (to < 0) return to;
      const from = this.#root.directory(oldDir);
      return from < 0 ? from : call(from, to);
    });
  }

  /** Opens one directory and keeps it, so that opening a second does not close it, nor it the second. */
  #keeping(dir: HostNode, call: () => number): number {
    const path = this.#root.pathOf(dir);
    if (typeof path === "number") return path;
    this.fds.keep(fdKey(dir));
    const rc = call();
    this.fds.letGo(fdKey(dir));
    return rc;
  }
}

function takeAll(dir: nodeFs.Dir, take: TakeName): void {
  for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
    if (!take(entry.name as unknown as Uint8Array, typeOfEntry(entry))) return;
  }
}

/** S_IFMT >> 12, as in struct dirent. */
function typeOfEntry(entry: nodeFs.Dirent): number {
  if (entry.isFile()) return 8;
  if (entry.isDirectory()) return 4;
  if (entry.isSymbolicLink()) return 10;
  if (entry.isFIFO()) return 1;
  if (entry.isSocket()) return 12;
  if (entry.isCharacterDevice()) return 2;
  return entry.isBlockDevice() ? 6 : 0;
}
