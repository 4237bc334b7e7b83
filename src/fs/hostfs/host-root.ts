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
import { EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, ESTALE, EXDEV } from "../../base/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { FdCache } from "./fd-cache.ts";
import { attempt } from "./host-errno.ts";

const { O_DIRECTORY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR } = nodeFs.constants;
/** Not among Node's constants. */
const O_PATH = 0o10000000;
const IS_LINUX = process.platform === "linux";
const SLASH = "/".charCodeAt(0);
const DOT = ".".charCodeAt(0);

/** What a name of the host leads to: one object for an inode, at the name where it was last seen. */
export interface HostNode {
  readonly dev: bigint;
  readonly ino: bigint;
  /** S_IFMT of its mode. */
  readonly type: number;
  /** Undefined: the root. */
  parent: HostNode | undefined;
  /** Raw bytes, one component; empty for the root. */
  name: Uint8Array;
}

/** @param writable true for the descriptor that files are written by */
export function fdKey({ dev, ino }: HostNode, writable = false): string {
  return writable ? `${dev}:${ino}:w` : `${dev}:${ino}`;
}

export function isNode(node: HostNode, stats: nodeFs.BigIntStats): boolean {
  return stats.ino === node.ino && stats.dev === node.dev && (Number(stats.mode) & S_IFMT) === node.type;
}

/** May it be a name in a directory? Whatever stands for another place, or for more than one step, may not. */
function isName(name: Uint8Array): boolean {
  if (name.length === 0 || name.includes(SLASH) || name.includes(0)) return false;
  return !(name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT)));
}

export class HostRoot {
  readonly root: HostNode;
  readonly #fd: number;
  /** Real path of the folder; used where there is no /proc. */
  readonly #path: string;
  readonly #fds: FdCache;

  private constructor(root: HostNode, fd: number, path: string, fds: FdCache) {
    this.root = root;
    this.#fd = fd;
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
    if (typeof stats !== "number" && stats.isDirectory()) {
      const { dev, ino } = stats;
      return new HostRoot({ dev, ino, type: S_IFDIR, parent: undefined, name: new Uint8Array() }, fd, path, fds);
    }
    nodeFs.closeSync(fd);
    return typeof stats === "number" ? stats : -ENOTDIR;
  }

  close(): void {
    this.#fds.closeAll();
    attempt(() => nodeFs.closeSync(this.#fd));
  }

  /**
   * The path of a name in a directory, good for one call, which must not follow it: lstat, readlink, mkdir, rename ... or
   * open with O_NOFOLLOW.
   *
   * @returns -EINVAL for what is no name; errors of directory()
   */
  at(dir: HostNode, name: Uint8Array): Buffer | number {
    if (!isName(name)) return -EINVAL;
    const base = this.pathOf(dir);
    return typeof base === "number" ? base : Buffer.concat([base, Buffer.of(SLASH), name]);
  }

  /** The path of a directory itself, good for one call. @returns as directory() */
  pathOf(dir: HostNode): Buffer | number {
    if (!IS_LINUX) return this.#joined(dir);
    const fd = this.directory(dir);
    return fd < 0 ? fd : Buffer.from(`/proc/self/fd/${fd}`);
  }

  /**
   * The descriptor of a directory, valid until the next call. Linux only.
   *
   * @returns -ESTALE where it is not at its name any more, -EXDEV for a mount point, errors of the host
   */
  directory(dir: HostNode): number {
    const steps: HostNode[] = [];
    let base = this.#fd;
    for (let node: HostNode | undefined = dir; node?.parent; node = node.parent) {
      const known = this.#fds.find(fdKey(node));
      if (known !== undefined) {
        base = known;
        break;
      }
      steps.push(node);
    }
    for (const node of steps.reverse()) {
      const from = base;
      base = this.#fds.open(fdKey(node), () => this.#openStep(from, node));
      if (base < 0) return base;
    }
    return base;
  }

  #openStep(from: number, node: HostNode): number {
    if (node.dev !== this.root.dev) return -EXDEV;
    if (!isName(node.name)) return -EINVAL;
    const path = Buffer.concat([Buffer.from(`/proc/self/fd/${from}/`), node.name]);
    return openPlace(path, node, O_DIRECTORY);
  }

  /**
   * Opens a regular file that is where `node` says.
   *
   * @param writable to read and write, else to read
   * @returns a descriptor, the caller's; -ESTALE if there is something else now; -EISDIR, -ELOOP, -ENXIO for what is no
   *   regular file; errors of directory() and of the host
   */
  openFile(node: HostNode, writable: boolean): number {
    if (node.type !== S_IFREG) return node.type === S_IFDIR ? -EISDIR : node.type === S_IFLNK ? -ELOOP : -ENXIO;
    if (!node.parent) return -EISDIR;
    const path = this.at(node.parent, node.name);
    if (typeof path === "number") return path;
    const access = writable ? O_RDWR : O_RDONLY;
    if (!IS_LINUX) return openChecked(path, node, access);
    const place = openPlace(path, node, 0);
    if (place < 0) return place;
    const fd = attempt(() => nodeFs.openSync(`/proc/self/fd/${place}`, access));
    nodeFs.closeSync(place);
    return fd;
  }

  /** Best effort where there is no /proc: the path, if it is still no detour and leads to what is expected. */
  #joined(dir: HostNode): Buffer | number {
    const names: Buffer[] = [];
    for (let node = dir; node.parent; node = node.parent) {
      if (!isName(node.name)) return -EINVAL;
      names.unshift(Buffer.of(SLASH), Buffer.from(node.name));
    }
    const path = Buffer.concat([Buffer.from(this.#path), ...names]);
    const real = attempt(() => nodeFs.realpathSync.native(path, { encoding: "buffer" }));
    if (typeof real === "number") return real === -ENOENT ? -ESTALE : real;
    const stats = attempt(() => nodeFs.lstatSync(path, { bigint: true }));
    if (typeof stats === "number") return stats;
    return real.equals(path) && isNode(dir, stats) ? path : -ESTALE;
  }
}

/** Takes the place `path` without opening what is there. @returns a descriptor; -ESTALE if it is not `node` */
function openPlace(path: Buffer, node: HostNode, flags: number): number {
  return checked(
    attempt(() => nodeFs.openSync(path as unknown as string, O_PATH | O_NOFOLLOW | flags)),
    node,
  );
}

/** Opens at once, where there are no places: a fifo that has come meanwhile does not make us wait. */
function openChecked(path: Buffer, node: HostNode, access: number): number {
  const before = attempt(() => nodeFs.lstatSync(path, { bigint: true }));
  if (typeof before === "number") return before === -ENOENT ? -ESTALE : before;
  if (!isNode(node, before)) return -ESTALE;
  return checked(
    attempt(() => nodeFs.openSync(path, access | O_NOFOLLOW | O_NONBLOCK)),
    node,
  );
}

function checked(fd: number, node: HostNode): number {
  if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return -ESTALE;
  if (fd < 0) return fd;
  const stats = attempt(() => nodeFs.fstatSync(fd, { bigint: true }));
  if (typeof stats !== "number" && isNode(node, stats)) return fd;
  nodeFs.closeSync(fd);
  return typeof stats === "number" ? stats : -ESTALE;
}
