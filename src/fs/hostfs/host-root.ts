/**
 * Paths of the host that cannot lead out of the mounted folder.
 *
 * On Linux every access starts from a descriptor of the directory and takes one step, /proc/self/fd/N/name, which never
 * follows `name` where that is a link: what another process swaps meanwhile is met by an operation in this directory, or
 * found not to be what was expected (-ESTALE). Descriptors of directories are opened with O_PATH, so that they need no
 * right to read, and open nothing. A descriptor that has gone is opened again from the root, step by step.
 *
 *   root (always open) ── "a" ── "b"        directory(b): b's descriptor, or a's and /proc/self/fd/A/b
 *
 * Of files a place is taken first (O_PATH) and looked at; only what is the expected regular file is opened, by its place:
 * fifos and devices are never opened, whoever puts one there at what moment.
 *
 * Mount points below the folder are not entered (-EXDEV), as with openat2() and RESOLVE_NO_XDEV; binds of the same device
 * cannot be told. Elsewhere than on Linux paths are joined, and compared with realpath() and the inode before each use:
 * that stops hostile trees, and leaves a moment for races.
 *
 * Does not own: what is done by the paths (host-store.ts), which descriptors stay open (fd-cache.ts).
 *
 * @see Linux path_resolution(7), proc_pid_fd(5), openat2(2)
 */
import nodeFs from "node:fs";
import process from "node:process";
import { EACCES, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EOPNOTSUPP, ESTALE, EXDEV } from "../../base/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { FdCache, Lent } from "./fd-cache.ts";
import { attempt } from "./host-errno.ts";
import { host, type Steps } from "./host-steps.ts";

const { O_APPEND, O_DIRECTORY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR, O_WRONLY } = nodeFs.constants;
/** Not among Node's constants. */
const O_PATH = 0o10000000;
const IS_LINUX = process.platform === "linux";
const SLASH = "/".charCodeAt(0);
const DOT = ".".charCodeAt(0);
const NO_BYTES = Buffer.alloc(0);

/** What a name of the host leads to: one object for an inode, at the name where it was last seen. */
export class HostNode {
  readonly dev: bigint;
  readonly ino: bigint;
  /** S_IFMT of its mode. */
  readonly type: number;
  /** Undefined: the root. */
  parent: HostNode | undefined;
  /** Raw bytes, one component; empty for the root. */
  name: Uint8Array;
  /** The host lets us write it, and not read, as was seen when it was last opened to write. */
  isWriteOnly = false;
  /** Its place is kept open (HostRoot.holdPlace()): it is reached by that, and by no name. */
  hasPlace = false;
  #key: string | undefined;
  #writeKey: string | undefined;
  /** What `path` is made of, and was. */
  #base: string | undefined;
  #named: Uint8Array | undefined;
  #path: string | undefined;

  /** A node for what `stats` tell of. @param name is copied */
  constructor({ dev, ino, mode }: nodeFs.BigIntStats, parent: HostNode | undefined, name: Uint8Array) {
    this.dev = dev;
    this.ino = ino;
    this.type = Number(mode) & S_IFMT;
    this.parent = parent;
    this.name = name.slice();
  }

  /**
   * Tells it from every other; the descriptor that it is read by, or walked from, goes by it. With its type, since the host may give
   * the number of a directory that has been removed, and is still known here, to a file.
   */
  get key(): string {
    this.#key ??= `${this.dev}:${this.ino}:${this.type}`;
    return this.#key;
  }

  /** Its whole path, as it was when it was last seen; undefined for names that no string can stand for. */
  get path(): string | undefined {
    if (!this.parent) return this.#path;
    const base = this.parent.path;
    if (base !== this.#base || this.name !== this.#named) {
      const name = Buffer.from(this.name).toString();
      const isText = base !== undefined && Buffer.from(name).equals(this.name);
      this.#base = base;
      this.#named = this.name;
      this.#path = isText ? `${base}/${name}` : undefined;
    }
    return this.#path;
  }

  /** Of the folder itself. */
  set rootPath(path: string) {
    this.#path = path;
  }

  /** As `key`, of the descriptors that a file is written by, and appended to. */
  get writeKey(): string {
    this.#writeKey ??= `${this.key}:w`;
    return this.#writeKey;
  }
  get appendKey(): string {
    return `${this.key}:a`;
  }

  /** As `key`, of the place that stands for it without a name. */
  get placeKey(): string {
    return `${this.key}:p`;
  }
}

export function isNode(node: HostNode, stats: nodeFs.BigIntStats): boolean {
  return stats.ino === node.ino && stats.dev === node.dev && (Number(stats.mode) & S_IFMT) === node.type;
}

/** May it be a name in a directory? Whatever stands for another place, or for more than one step, may not. */
function isName(name: Uint8Array): boolean {
  if (name.length === 0 || name.includes(SLASH) || name.includes(0)) return false;
  return !(name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT)));
}

function descriptorPath(fd: number): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}`);
}

function placePath(fd: number, name: Uint8Array): Buffer {
  const base = `/proc/self/fd/${fd}/`;
  const path = Buffer.allocUnsafe(base.length + name.length);
  path.write(base, "latin1");
  path.set(name, base.length);
  return path;
}

export class HostRoot {
  readonly root: HostNode;
  readonly #place: Lent;
  /** Real path of the folder; used where there is no /proc. */
  readonly #path: string;
  readonly #fds: FdCache;
  /** Descriptors that files are only written by. */
  readonly #writeOnly = new Set<number>();
  /** Works that start from the folder's own descriptor. */
  #nrUsers = 0;
  #isClosed = false;

  private constructor(root: HostNode, fd: number, path: string, fds: FdCache) {
    this.root = root;
    root.rootPath = path;
    this.#place = { fd };
    this.#path = path;
    this.#fds = fds;
  }

  /** Opens the folder; links that lead to it are followed. @returns -ENOENT, -ENOTDIR and other errors of the host */
  static open(source: string, fds: FdCache): HostRoot | number {
    const path = attempt(() => nodeFs.realpathSync(source));
    if (typeof path === "number") return path;
    const fd = attempt(() => nodeFs.openSync(path, IS_LINUX ? O_PATH | O_DIRECTORY : O_RDONLY | O_DIRECTORY));
    if (fd < 0) return fd;
    const stats = attempt(() => nodeFs.fstatSync(fd, { bigint: true }));
    if (typeof stats !== "number" && stats.isDirectory())
      return new HostRoot(new HostNode(stats, undefined, NO_BYTES), fd, path, fds);
    nodeFs.closeSync(fd);
    return typeof stats === "number" ? stats : -ENOTDIR;
  }

  /** Closes every descriptor, once: those that works use when these are over. */
  close(): void {
    if (this.#isClosed) return;
    this.#fds.closeAll();
    this.#isClosed = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#isClosed && this.#nrUsers === 0) attempt(() => nodeFs.closeSync(this.#place.fd));
  }

  /**
   * Lends the path of a name in a directory, which must not be followed: to lstat, readlink, mkdir, rename ... or open with
   * O_NOFOLLOW.
   *
   * @returns -EINVAL for what is no name; errors of directory()
   */
  *at<T>(dir: HostNode, name: Uint8Array, call: (path: Buffer) => Steps<T>): Steps<T | number> {
    if (!isName(name)) return -EINVAL;
    if (IS_LINUX) return yield* this.directory(dir, (fd) => call(placePath(fd, name)));
    const base = yield* this.#joined(dir);
    return typeof base === "number" ? base : yield* call(Buffer.concat([base, Buffer.of(SLASH), name]));
  }

  /** Lends the path of a directory itself. @returns as directory() */
  *of<T>(dir: HostNode, call: (path: Buffer) => Steps<T>): Steps<T | number> {
    if (IS_LINUX) return yield* this.directory(dir, (fd) => call(descriptorPath(fd)));
    const path = yield* this.#joined(dir);
    return typeof path === "number" ? path : yield* call(path);
  }

  /**
   * Lends the descriptor of a directory. Linux only.
   *
   * @returns -ESTALE where it is not at its name any more, -EXDEV for a mount point, errors of the host
   */
  *directory<T>(dir: HostNode, use: (fd: number) => Steps<T>): Steps<T | number> {
    const lent = yield* this.#reach(dir);
    if (typeof lent === "number") return lent;
    try {
      return yield* use(lent.fd);
    } finally {
      this.#giveBack(lent);
    }
  }

  /** Walks to a directory from the nearest that is open. @returns its descriptor, lent */
  *#reach(dir: HostNode): Steps<Lent | number> {
    const steps: HostNode[] = [];
    let node: HostNode | undefined = dir;
    for (; node.parent && this.#fds.find(node.key) === undefined; node = node.parent) steps.push(node);
    let base = node.parent ? yield* this.#fds.take(node.key, gone) : this.#takePlace();
    for (const step of steps.reverse()) {
      if (typeof base === "number") return base;
      const from: Lent = base;
      base = yield* this.#fds.take(step.key, () => this.#openStep(from.fd, step));
      this.#giveBack(from);
    }
    return base;
  }

  #takePlace(): Lent | number {
    if (this.#isClosed) return -ESTALE;
    this.#nrUsers++;
    return this.#place;
  }

  #giveBack(lent: Lent): void {
    if (lent !== this.#place) {
      this.#fds.giveBack(lent);
      return;
    }
    this.#nrUsers--;
    this.#closeUnused();
  }

  *#openStep(from: number, node: HostNode): Steps<number> {
    if (node.dev !== this.root.dev) return -EXDEV;
    if (!isName(node.name)) return -EINVAL;
    return yield* openPlace(placePath(from, node.name), node, O_DIRECTORY);
  }

  /**
   * Opens a regular file that is where `node` says.
   *
   * @param writable to read and write, or to write alone where the host refuses to let it be read (`isWriteOnly`); else to read
   * @returns a descriptor, the caller's; -ESTALE if there is something else now; -EISDIR, -ELOOP, -ENXIO for what is no
   *   regular file; errors of directory() and of the host
   */
  *openFile(node: HostNode, writable: boolean): Steps<number> {
    if (node.type !== S_IFREG) return node.type === S_IFDIR ? -EISDIR : node.type === S_IFLNK ? -ELOOP : -ENXIO;
    const fd = yield* this.#open(node, writable ? O_RDWR : O_RDONLY);
    if (!writable) return fd;
    node.isWriteOnly = fd === -EACCES;
    if (!node.isWriteOnly) return fd;
    const toWrite = yield* this.#open(node, O_WRONLY);
    if (toWrite >= 0) this.#writeOnly.add(toWrite);
    return toWrite;
  }

  *#open(node: HostNode, access: number): Steps<number> {
    if (!node.parent) return -EISDIR;
    if (IS_LINUX) return yield* this.byPlace(node, (place) => host("open", place, access));
    return yield* this.at(node.parent, node.name, (path) => openChecked(path, node, access));
  }

  /** Keeps the place of what is about to lose its name. Linux only: nothing is kept elsewhere. @returns 0; as openFile() */
  *holdPlace(node: HostNode): Steps<number> {
    if (!IS_LINUX || !node.parent || node.hasPlace) return 0;
    const place = yield* this.#fds.withRoom(() =>
      this.at(node.parent as HostNode, node.name, (path) => openPlace(path, node, 0)),
    );
    if (place < 0) return place;
    this.#fds.add(node.placeKey, place);
    this.#fds.keep(node.placeKey);
    node.hasPlace = true;
    return 0;
  }

  /** It has a name again, or nobody needs it any more. */
  dropPlace(node: HostNode): void {
    if (!node.hasPlace) return;
    node.hasPlace = false;
    this.#fds.forget(node.placeKey);
  }

  /** The descriptor that a file is written by, whoever has opened it. @returns undefined = it is not open */
  findToWrite(node: HostNode): number | undefined {
    const fd = this.#fds.find(node.writeKey);
    if (fd !== undefined) node.isWriteOnly = this.#writeOnly.has(fd);
    return fd;
  }

  /** A descriptor has been closed. */
  forget(fd: number): void {
    this.#writeOnly.delete(fd);
  }

  /**
   * Lends a path that leads to the node itself, for calls that follow links: nothing is opened. Linux only.
   *
   * @returns -EOPNOTSUPP elsewhere; as openFile()
   */
  *byPlace<T>(node: HostNode, call: (path: Buffer) => Steps<T>): Steps<T | number> {
    if (!node.parent) return yield* this.of(node, call);
    if (!IS_LINUX) return -EOPNOTSUPP;
    if (node.hasPlace) return yield* this.#fds.lend(node.placeKey, gone, (fd) => call(descriptorPath(fd)));
    return yield* this.at(node.parent, node.name, function* (path): Steps<T | number> {
      const place = yield* openPlace(path, node, 0);
      if (place < 0) return place;
      const answer = yield* call(descriptorPath(place));
      nodeFs.closeSync(place);
      return answer;
    });
  }

  /** Opens a file once more, to append. @param fd of the file @returns a descriptor, the caller's */
  *openAppending(node: HostNode, fd: number): Steps<number> {
    const access = (node.isWriteOnly ? O_WRONLY : O_RDWR) | O_APPEND;
    if (IS_LINUX) return yield* host("open", `/proc/self/fd/${fd}`, access);
    if (!node.parent) return -EISDIR;
    return yield* this.at(node.parent, node.name, (path) => openChecked(path, node, access));
  }

  /** Best effort where there is no /proc: the path, if it is still no detour and leads to what is expected. */
  *#joined(dir: HostNode): Steps<Buffer | number> {
    const names: Buffer[] = [];
    for (let node = dir; node.parent; node = node.parent) {
      if (!isName(node.name)) return -EINVAL;
      names.unshift(Buffer.of(SLASH), Buffer.from(node.name));
    }
    const path = Buffer.concat([Buffer.from(this.#path), ...names]);
    const real = yield* host("realpath", path);
    if (typeof real === "number") return real === -ENOENT ? -ESTALE : real;
    const stats = yield* host("lstat", path);
    if (typeof stats === "number") return stats;
    return real.equals(path) && isNode(dir, stats) ? path : -ESTALE;
  }
}

/** For a descriptor that is there. */
// biome-ignore lint/correctness/useYield: it asks nobody
function* gone(): Steps<number> {
  return -ESTALE;
}

/** Takes the place `path` without opening what is there. @returns a descriptor; -ESTALE if it is not `node` */
function* openPlace(path: Buffer, node: HostNode, flags: number): Steps<number> {
  return yield* checked(yield* host("open", path, O_PATH | O_NOFOLLOW | flags), node);
}

/** Opens at once, where there are no places: a fifo that has come meanwhile does not make us wait. */
function* openChecked(path: Buffer, node: HostNode, access: number): Steps<number> {
  const before = yield* host("lstat", path);
  if (typeof before === "number") return before === -ENOENT ? -ESTALE : before;
  if (!isNode(node, before)) return -ESTALE;
  return yield* checked(yield* host("open", path, access | O_NOFOLLOW | O_NONBLOCK), node);
}

function* checked(fd: number, node: HostNode): Steps<number> {
  if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return -ESTALE;
  if (fd < 0) return fd;
  const stats = yield* host("fstat", fd);
  if (typeof stats !== "number" && isNode(node, stats)) return fd;
  nodeFs.closeSync(fd);
  return typeof stats === "number" ? stats : -ESTALE;
}
