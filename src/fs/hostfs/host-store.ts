/**
 * The store: names, attributes and data of a host folder by node:fs. Every work answers a value or a negated errno, takes one
 * step from a directory (host-root.ts), and is made at once or by promises (host-steps.ts).
 *
 * Files that are open here and lose their name here keep their descriptor (hold()).
 *
 * Does not own: what of it is cached and for how long (hostfs.ts), paths (host-root.ts), descriptors (fd-cache.ts).
 */
import nodeFs from "node:fs";
import process from "node:process";
import { EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESTALE } from "../../base/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { FdCache } from "./fd-cache.ts";
import { attempt } from "./host-errno.ts";
import { HostNode, HostRoot, isNode } from "./host-root.ts";
import { type HostEntry, host, runNow, type Steps } from "./host-steps.ts";
import { moment } from "./moment.ts";
import type { HostNative } from "./native.ts";

const { O_CREAT, O_DIRECTORY = 0, O_EXCL, O_NOFOLLOW = 0, O_RDONLY, O_RDWR } = nodeFs.constants;
const MODE_BITS = 0o7777;
/** Of a file that is being made: nobody else's before it has its mode. */
const NEW_MODE = 0o600;
const NEW_DIR_MODE = 0o700;
const NO_ID = -1;

/** A node with its attributes, as the host has them. */
export interface Found {
  readonly node: HostNode;
  readonly stats: nodeFs.BigIntStats;
  /** Of moment(): what has changed since then is not in `stats`. */
  readonly askedAt: number;
}

/** Changes of attributes; what is undefined stays. Times in nanoseconds, of which node:fs sets the microseconds. */
export interface HostChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: bigint;
  readonly mtime?: bigint;
  /** Nothing but ctime changes. */
  readonly isTouch?: boolean;
}

/** What something new is to have. */
export interface NewAttributes {
  /** Permission bits, without umask. */
  readonly mode: number;
  /** Undefined: as the host gives them. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

const OK = 0;

export class HostStore {
  readonly fds: FdCache;
  readonly root: HostNode;
  readonly native: HostNative;
  readonly #root: HostRoot;

  private constructor(root: HostRoot, fds: FdCache, native: HostNative) {
    this.root = root.root;
    this.fds = fds;
    this.native = native;
    this.#root = root;
  }

  /** Opens the folder `source`. @returns a negated errno, then nothing is open */
  static open(source: string, maxFds: number, native: HostNative = {}): HostStore | number {
    const fds = new FdCache(maxFds, (fd) => {
      if (typeof root !== "number") root.forget(fd);
      attempt(() => nodeFs.closeSync(fd));
    });
    const root = HostRoot.open(source, fds);
    return typeof root === "number" ? root : new HostStore(root, fds, native);
  }

  /** Closes every descriptor; those that are lent when their work is over. */
  close(): void {
    this.#root.close();
  }

  // --- Names ------------------------------------------------------------------------------------------------------------

  /** What a name leads to; a link itself. @returns -ENOENT ... */
  *lookup(parent: HostNode, name: Uint8Array): Steps<Found | number> {
    const askedAt = moment();
    const stats = yield* this.#root.at(parent, name, (path) => host("lstat", path));
    return typeof stats === "number" ? stats : { node: new HostNode(stats, parent, name), stats, askedAt };
  }

  /**
   * Attributes of a node that is where it was, as one look at its whole path tells: at once, and without safety. Another inode
   * may be met by links on the way, and is no answer.
   */
  glance(node: HostNode): nodeFs.BigIntStats | undefined {
    const { path } = node;
    const stats = path === undefined ? -EINVAL : runNow(host("lstat", path));
    return typeof stats !== "number" && isNode(node, stats) ? stats : undefined;
  }

  /** Attributes of a node, if it is still at its name, or its file or its place is kept open. @returns -ESTALE ... */
  *stat(node: HostNode): Steps<nodeFs.BigIntStats | number> {
    const open = this.#openKey(node) ?? (node.hasPlace ? node.placeKey : undefined);
    if (open !== undefined) return yield* this.fds.lend(open, isNot, (fd) => host("fstat", fd));
    const stats = node.parent
      ? yield* this.#root.at(node.parent, node.name, (path) => host("lstat", path))
      : yield* this.#root.of(node, (path) => host("stat", path));
    return typeof stats === "number" || isNode(node, stats) ? stats : -ESTALE;
  }

  /** All names of a directory, in the host's order. */
  *readdir(dir: HostNode): Steps<HostEntry[] | number> {
    return yield* this.fds.withRoom(() => this.#root.of(dir, (path) => host("readdir", path)));
  }

  *readlink(node: HostNode): Steps<Uint8Array | number> {
    if (node.type !== S_IFLNK || !node.parent) return -EINVAL;
    return yield* this.#root.at(node.parent, node.name, (path) => host("readlink", path));
  }

  /**
   * Makes a regular file, never taking one that is there. One that cannot be given its owner and mode is taken away again, as
   * all that is made here: whoever is told an error has nothing.
   *
   * @returns -EEXIST ...
   */
  *create(dir: HostNode, name: Uint8Array, attributes: NewAttributes): Steps<Found | number> {
    const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR;
    const { mode } = attributes;
    // Whoever may open it by its mode may not before it has its owner.
    const first = attributes.uid === undefined && attributes.gid === undefined ? mode & 0o777 : NEW_MODE;
    const fd = yield* this.fds.withRoom(() => this.#root.at(dir, name, (path) => host("open", path, flags, first)));
    if (fd < 0) return fd;
    const stats = yield* setUp(fd, attributes);
    if (typeof stats === "number") {
      const made = yield* host("fstat", fd);
      if (typeof made !== "number") yield* this.#unmake(dir, name, (there) => isNode(there, made));
      nodeFs.closeSync(fd);
      return stats;
    }
    const node = new HostNode(stats, dir, name);
    this.fds.add(node.writeKey, fd);
    return { node, stats, askedAt: moment() };
  }

  *mkdir(dir: HostNode, name: Uint8Array, attributes: NewAttributes): Steps<Found | number> {
    const made = yield* this.#root.at(dir, name, (path) => host("mkdir", path, NEW_DIR_MODE));
    if (made < 0) return made;
    const found = yield* this.#furnish(dir, name, attributes);
    if (typeof found === "number" && found !== -ESTALE) yield* this.#root.at(dir, name, (path) => host("rmdir", path));
    return found;
  }

  /** @returns -ESTALE: somebody has put something else in its place */
  *#furnish(dir: HostNode, name: Uint8Array, { mode, uid, gid }: NewAttributes): Steps<Found | number> {
    const found = yield* this.lookup(dir, name);
    if (typeof found === "number") return found;
    if (found.node.type !== S_IFDIR) return -ESTALE;
    const given = yield* this.#give(found, uid, gid);
    if (given < 0) return given;
    const refused = tolerated(yield* this.change(found.node, { mode }));
    return refused < 0 ? refused : yield* this.lookup(dir, name);
  }

  *symlink(dir: HostNode, name: Uint8Array, target: Uint8Array, { uid, gid }: NewAttributes): Steps<Found | number> {
    const made = yield* this.#root.at(dir, name, (path) => host("symlink", Buffer.from(target), path));
    return made < 0 ? made : yield* this.#givenTo(dir, name, S_IFLNK, uid, gid);
  }

  *mknod(dir: HostNode, name: Uint8Array, { mode, uid, gid }: NewAttributes, dev: number): Steps<Found | number> {
    const { mknod } = this.native;
    if (!mknod) return -EOPNOTSUPP;
    const rc = yield* this.#root.directory(dir, (fd) => at(() => mknod(fd, name, mode, dev)));
    return rc < 0 ? rc : yield* this.#givenTo(dir, name, mode & S_IFMT, uid, gid);
  }

  /** What has just been made, as its owner's. */
  *#givenTo(dir: HostNode, name: Uint8Array, type: number, uid?: number, gid?: number): Steps<Found | number> {
    const found = yield* this.lookup(dir, name);
    const given = typeof found === "number" ? found : yield* this.#give(found, uid, gid);
    const answer = given > 0 ? yield* this.lookup(dir, name) : given < 0 ? given : found;
    if (typeof answer === "number") yield* this.#unmake(dir, name, (there) => there.type === type);
    return answer;
  }

  /**
   * Gives what is not its owner's yet; where the host gives nothing away, it stays with whom Node runs as.
   *
   * @returns 1 if given, 0 if it stays, a negated errno
   */
  *#give({ node, stats }: Found, uid = Number(stats.uid), gid = Number(stats.gid)): Steps<number> {
    if (Number(stats.uid) === uid && Number(stats.gid) === gid) return 0;
    const rc = tolerated(yield* this.change(node, { uid, gid }));
    return rc < 0 ? rc : 1;
  }

  /** Takes away what has just been made, but not what somebody else has put in its place. */
  *#unmake(dir: HostNode, name: Uint8Array, isMade: (there: HostNode) => boolean): Steps<void> {
    const found = yield* this.lookup(dir, name);
    if (typeof found !== "number" && isMade(found.node)) yield* this.unlink(dir, name);
  }

  /** Gives a file another name; a link is not followed. */
  *link(node: HostNode, dir: HostNode, name: Uint8Array): Steps<number> {
    if (!node.parent) return -EINVAL;
    return yield* this.#byTwo(node.parent, node.name, dir, name, (from, to) => host("link", from, to));
  }

  *unlink(dir: HostNode, name: Uint8Array): Steps<number> {
    return yield* this.#root.at(dir, name, (path) => host("unlink", path));
  }

  *rmdir(dir: HostNode, node: HostNode, name: Uint8Array): Steps<number> {
    const rc = yield* this.#root.at(dir, name, (path) => host("rmdir", path));
    if (rc === OK) this.fds.forget(node.key);
    return rc;
  }

  /** @param flags RENAME_*, which need a helper @returns -EOPNOTSUPP for flags without one ... */
  *rename(oldDir: HostNode, oldName: Uint8Array, newDir: HostNode, newName: Uint8Array, flags: number): Steps<number> {
    if (flags === 0)
      return yield* this.#byTwo(oldDir, oldName, newDir, newName, (from, to) => host("rename", from, to));
    const { rename } = this.native;
    if (!rename) return -EOPNOTSUPP;
    return yield* this.#root.directory(oldDir, (from) =>
      this.#root.directory(newDir, (to) => at(() => rename(from, oldName, to, newName, flags))),
    );
  }

  // --- Attributes -------------------------------------------------------------------------------------------------------

  /** Changes attributes: of files by descriptor, so that it is this inode and no other. @returns the first error */
  *change(node: HostNode, change: HostChange): Steps<number> {
    const { size, uid, gid, mode } = change;
    if (size !== undefined) {
      const rc = yield* this.withFile(node, true, (fd) => host("ftruncate", fd, size));
      if (rc < 0) return rc;
    }
    if (uid !== undefined || gid !== undefined || change.isTouch) {
      const ids = [uid ?? NO_ID, gid ?? NO_ID] as const;
      const byFd = (fd: number): Steps<number> => host("fchown", fd, ...ids);
      const rc = yield* this.#apply(
        node,
        (path) => host("lchown", path, ...ids),
        byFd,
        (place) => host("chown", place, ...ids),
      );
      if (rc < 0) return rc;
    }
    if (mode !== undefined) {
      const rc = yield* this.#setMode(node, mode & MODE_BITS);
      if (rc < 0) return rc;
    }
    return yield* this.#setTimes(node, change);
  }

  /** chmod() follows links, so it is given a descriptor that has been looked at. */
  *#setMode(node: HostNode, mode: number): Steps<number> {
    if (node.type === S_IFDIR) return yield* this.#root.of(node, (path) => host("chmod", path, mode));
    if (node.type === S_IFREG) return yield* this.withAny(node, (fd) => host("fchmod", fd, mode));
    return node.type === S_IFLNK ? -EOPNOTSUPP : yield* this.#root.byPlace(node, (path) => host("chmod", path, mode));
  }

  *#setTimes(node: HostNode, { atime, mtime }: HostChange): Steps<number> {
    if (atime === undefined && mtime === undefined) return OK;
    const stats = yield* this.stat(node);
    if (typeof stats === "number") return stats;
    const a = atime ?? stats.atimeNs;
    const m = mtime ?? stats.mtimeNs;
    const times = [seconds(a), seconds(m)] as const;
    const byFd = (fd: number): Steps<number> => host("futimes", fd, ...times);
    return yield* this.#apply(
      node,
      (path) => host("lutimes", path, ...times),
      byFd,
      (place) => host("utimes", place, ...times),
    );
  }

  /** The descriptor of a file that is open, which may have no name any more. @returns its key */
  #openKey({ type, key, writeKey }: HostNode): string | undefined {
    if (type !== S_IFREG) return undefined;
    return [writeKey, key].find((one) => this.fds.find(one) !== undefined);
  }

  /** A call on the node: by its descriptor if there is one, or its place, else by a path that the call does not follow. */
  *#apply(
    node: HostNode,
    call: (path: Buffer) => Steps<number>,
    byFd: (fd: number) => Steps<number>,
    byPlace: (path: Buffer) => Steps<number>,
  ): Steps<number> {
    const open = this.#openKey(node);
    if (open !== undefined) return yield* this.fds.lend(open, isNot, byFd);
    if (node.hasPlace) return yield* this.#root.byPlace(node, byPlace);
    // By its path alone it would be the link in /proc that is changed, and nobody the wiser.
    if (!node.parent) return yield* this.#root.of(node, (path) => call(Buffer.concat([path, SELF])));
    return yield* this.#root.at(node.parent, node.name, function* (path): Steps<number> {
      const stats = yield* host("lstat", path);
      if (typeof stats === "number") return stats;
      return isNode(node, stats) ? yield* call(path) : -ESTALE;
    });
  }

  /** @returns statfs of the folder */
  *statfs(): Steps<nodeFs.BigIntStatsFs | number> {
    return yield* this.#root.of(this.root, (path) => host("statfs", path));
  }

  // --- Data -------------------------------------------------------------------------------------------------------------

  /** Lends a descriptor of a file. @param writable a descriptor to write by also reads, but for files that are write-only */
  *withFile<T>(node: HostNode, writable: boolean, use: (fd: number) => Steps<T>): Steps<T | number> {
    const isOpen = this.findToWrite(node) !== undefined;
    const key = writable || (isOpen && !node.isWriteOnly) ? node.writeKey : node.key;
    return yield* this.fds.lend(key, () => this.#root.openFile(node, writable), use);
  }

  /** @see HostRoot.findToWrite() */
  findToWrite(node: HostNode): number | undefined {
    return this.#root.findToWrite(node);
  }

  /** As withFile(), for calls that neither read nor write. */
  *withAny<T>(node: HostNode, use: (fd: number) => Steps<T>): Steps<T | number> {
    this.findToWrite(node);
    return yield* this.withFile(node, node.isWriteOnly, use);
  }

  /** Opens a descriptor of a file, unless there is one. @param writable as for withFile() @returns 0 or a negated errno */
  *open(node: HostNode, writable: boolean): Steps<number> {
    return yield* this.withFile(node, writable, () => at(() => OK));
  }

  /**
   * Reads into views, one behind the other, which are the host's until it has answered.
   *
   * @param views asked for when the host is: memory may have grown since the steps began
   * @returns bytes, 0 at the end
   */
  *preadv(node: HostNode, views: () => readonly Uint8Array[], position: number): Steps<number> {
    return yield* this.withFile(node, false, (fd) => host("readv", fd, views(), position));
  }

  /** Writes views, as preadv(). @returns bytes */
  *pwritev(node: HostNode, views: readonly Uint8Array[], position: number): Steps<number> {
    return yield* this.withFile(node, true, (fd) => host("writev", fd, views, position));
  }

  /** Writes a view behind the end, wherever that is by then: the host sees to it that appends do not meet. @returns bytes */
  *append(node: HostNode, view: Uint8Array): Steps<number> {
    return yield* this.withFile(node, true, (fd) =>
      this.fds.lend(
        node.appendKey,
        () => this.#root.openAppending(node, fd),
        (appending) => host("writev", appending, [view], null),
      ),
    );
  }

  /** Of files and directories. @param dataOnly as for fdatasync() */
  *fsync(node: HostNode, dataOnly: boolean): Steps<number> {
    const name = dataOnly ? "fdatasync" : "fsync";
    if (node.type === S_IFDIR) return yield* this.#syncDirectory(node, name);
    return yield* this.withAny(node, (fd) => host(name, fd));
  }

  /** The descriptor that stands for a directory is a place only, which cannot be synced. */
  *#syncDirectory(dir: HostNode, name: "fsync" | "fdatasync"): Steps<number> {
    const open = () => this.#root.of(dir, (path) => host("open", path, O_RDONLY | O_DIRECTORY));
    const fd = yield* this.fds.withRoom(open);
    if (fd < 0) return fd;
    const rc = yield* host(name, fd);
    nodeFs.closeSync(fd);
    return rc;
  }

  /** Opens a file's descriptor and keeps it: it is about to lose its name. @returns 0 or a negated errno */
  *hold(node: HostNode, writable: boolean): Steps<number> {
    return yield* this.withFile(node, writable || node.isWriteOnly, () => {
      this.fds.keep(writable || this.fds.find(node.key) === undefined ? node.writeKey : node.key);
      return at(() => OK);
    });
  }

  /** @see HostRoot.holdPlace() */
  *holdPlace(node: HostNode): Steps<number> {
    return yield* this.#root.holdPlace(node);
  }

  /** @see HostRoot.dropPlace() */
  dropPlace(node: HostNode): void {
    this.#root.dropPlace(node);
  }

  /** Nobody has the file open any more. */
  drop(node: HostNode): void {
    this.fds.forget(node.key);
    this.fds.forget(node.writeKey);
    this.fds.forget(node.appendKey);
  }

  /** As the helper does. @see fallocate(2) @returns -EOPNOTSUPP without one */
  *fallocate(node: HostNode, mode: number, offset: number, length: number): Steps<number> {
    const { fallocate } = this.native;
    if (!fallocate) return -EOPNOTSUPP;
    return yield* this.withFile(node, true, (fd) => at(() => fallocate(fd, mode, offset, length)));
  }

  /** As the helper does. @see lseek(2) @returns a position; -EOPNOTSUPP without one */
  *seek(node: HostNode, offset: number, whence: number): Steps<number> {
    const { seek } = this.native;
    if (!seek) return -EOPNOTSUPP;
    return yield* this.withFile(node, false, (fd) => at(() => seek(fd, offset, whence)));
  }

  // --- Steps ------------------------------------------------------------------------------------------------------------

  *#byTwo(
    oldDir: HostNode,
    oldName: Uint8Array,
    newDir: HostNode,
    newName: Uint8Array,
    call: (from: Buffer, to: Buffer) => Steps<number>,
  ): Steps<number> {
    return yield* this.#root.at(oldDir, oldName, (from) => this.#root.at(newDir, newName, (to) => call(from, to)));
  }
}

/** A call of the helper, which is made at once. */
// biome-ignore lint/correctness/useYield: the host is not asked by node:fs
function* at<T>(call: () => T): Steps<T> {
  return call();
}

/** For a descriptor that is open. */
const isNot = () => at(() => -ESTALE);

/** What a host answers that has no owners, or no modes, to give: what is made there is as the host makes it. */
const HAS_NONE = [-EPERM, -EOPNOTSUPP, -ENOSYS, -EINVAL];

function tolerated(rc: number): number {
  return HAS_NONE.includes(rc) ? OK : rc;
}

/** Gives a file that has just been made its owner and mode. */
function* setUp(fd: number, { mode, uid = NO_ID, gid = NO_ID }: NewAttributes): Steps<nodeFs.BigIntStats | number> {
  const given = uid === NO_ID && gid === NO_ID ? OK : tolerated(yield* host("fchown", fd, uid, gid));
  if (given < 0) return given;
  const stats = yield* host("fstat", fd);
  if (typeof stats === "number" || (Number(stats.mode) & MODE_BITS) === (mode & MODE_BITS)) return stats;
  const set = tolerated(yield* host("fchmod", fd, mode & MODE_BITS));
  return set < 0 ? set : yield* host("fstat", fd);
}

/** Behind a link to a directory: the directory. */
const SELF = Buffer.from("/.");

const SEC = 10n ** 9n;
/** From libuv 1.52 on (Node 24) times are taken as exactly as a number is; before they are cut to the microsecond. */
const isExact = Number(process.versions.uv.split(".")[1]) >= 52 || !process.versions.uv.startsWith("1.");

/** Nanoseconds as node:fs takes times. Where it cuts them, the middle of a microsecond is out of harm's way. */
function seconds(ns: bigint): number | string {
  const us = Number(ns / 1000n);
  const time = isExact ? Number(ns / SEC) + Number(ns % SEC) / 1e9 : (us + Math.sign(us) / 2) / 1e6;
  return time < 0 ? `${time}` : time;
}
