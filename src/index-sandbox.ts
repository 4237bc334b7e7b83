/**
 * What the adapters for sandboxes have in common: a file system with limits of its own, and the changes that their interfaces ask
 * for in one call where node:fs has several.
 *
 * Paths are taken as those interfaces take them: from the root, `.` and `..` gone before the first link is followed.
 *
 * Does not own: the interfaces (just-bash.ts, cloudflare-shell.ts, agentfs.ts), docs/sandboxes.md.
 */
import { EINVAL, EISDIR, ENOENT, EPERM } from "./base/errno.ts";
import { createFsSync, type FolioFs, MS_REMOUNT } from "./index.ts";
import { checkKnown } from "./index-options.ts";
import { argValueError } from "./node/errors.ts";
import { uvException } from "./node/uv-errors.ts";
import { checkInteger, checkObject } from "./node/validators.ts";

/** A file system of its own with limits, or one that is there. */
export interface SandboxOptions {
  /** Bytes that files may have, all together; then ENOSPC. Default 64 MiB. */
  readonly size?: number | undefined;
  /** Files, directories and links that there may be; then ENOSPC. Default 16 384. */
  readonly nr_inodes?: number | undefined;
  /**
   * A face to work on instead, with the rights, the root and the limits that it has: `kernel.task({ root, uid })`. In a browser's
   * page there is no other way, since kernels are not made at once there.
   */
  readonly fs?: FolioFs | undefined;
}

/** Text encodings, as agentfs-sdk has them: Node's. */
export type AgentEncoding = SandboxEncoding | "utf16le" | "utf-16le" | "ucs2" | "ucs-2" | "base64url";
/** Text encodings, as just-bash has them. */
export type SandboxEncoding = "utf8" | "utf-8" | "ascii" | "binary" | "base64" | "hex" | "latin1";

const SIZE = 64 * 2 ** 20;
const NR_INODES = 16_384;
const MIN_SIZE = 4096;
/** What a name and its inode take at most of the kernel's memory, beside the data; and the kernel itself. */
const INODE_BYTES = 1024;
const KERNEL_BYTES = 8 * 2 ** 20;
const MAX_MEMORY_BYTES = 2 ** 32 - 65536;

/**
 * The file system of an adapter.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_VALUE for options
 */
export function sandboxFs(options: SandboxOptions = {}): FolioFs {
  checkObject(options, "options");
  checkKnown(options, ["size", "nr_inodes", "fs"]);
  const { size, nr_inodes, fs } = options;
  if (fs !== undefined) {
    checkObject(fs, "options.fs");
    if (size === undefined && nr_inodes === undefined) return fs;
    throw argValueError("options", options, "has limits, which are those of its fs");
  }
  return limitedFs(size ?? SIZE, nr_inodes ?? NR_INODES);
}

function limitedFs(size: number, nrInodes: number): FolioFs {
  checkInteger(size, "options.size", MIN_SIZE);
  checkInteger(nrInodes, "options.nr_inodes", 2);
  const memoryLimit = Math.min(size + nrInodes * INODE_BYTES + KERNEL_BYTES, MAX_MEMORY_BYTES);
  const fs = createFsSync({ memoryLimit });
  fs.kernel.mount({ target: "/", flags: MS_REMOUNT, data: `size=${size},nr_inodes=${nrInodes}` });
  return fs;
}

/** A path from the root, without `.`, `..` and slashes too many. */
export function normalizePath(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

/** A path as seen from a directory. */
export function resolvePath(base: string, path: string): string {
  return normalizePath(path.startsWith("/") ? path : `${base}/${path}`);
}

/** The path of a name in a directory. */
export function joinPath(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

function dirname(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/** Has a call failed because something is not there, or no directory on the way to it? */
function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

/** The changes that node:fs has no single call for. Paths are checked and from the root: at(). */
export class SandboxFiles {
  readonly fs: FolioFs;

  constructor(options: SandboxOptions | undefined) {
    this.fs = sandboxFs(options);
  }

  /** A path as the file system has it. @throws ENOENT for one with a NUL, as these interfaces have it */
  at(path: string, syscall: string): string {
    if (path.includes("\0")) throw uvException(-ENOENT, syscall, path.replaceAll("\0", "\\0"));
    return normalizePath(path);
  }

  /** Makes a change; where the directory of `path` is missing it is made, with those above it. */
  async #withParents(path: string, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      const parent = dirname(path);
      if (codeOf(error) !== "ENOENT" || (await this.exists(parent))) throw error;
      await this.fs.promises.mkdir(parent, { recursive: true });
      await change();
    }
  }

  /** Writes or appends to a file; its directory is made where it is missing. */
  write(path: string, data: string | Uint8Array, encoding: AgentEncoding, flag: "w" | "a"): Promise<void> {
    return this.#withParents(path, () => this.fs.promises.writeFile(path, data, { encoding, flag }));
  }

  async exists(path: string): Promise<boolean> {
    try {
      await this.fs.promises.access(path);
      return true;
    } catch {
      return false;
    }
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#withParents(path, () => this.fs.promises.symlink(target, path));
  }

  link(existing: string, path: string): Promise<void> {
    return this.#withParents(path, () => this.fs.promises.link(existing, path));
  }

  /**
   * Removes a file, a link, or a directory: an empty one, or with all that is in it. The root stays.
   *
   * @throws EPERM for the root; ENOENT, ENOTDIR, unless forced; ENOTEMPTY
   */
  async remove(path: string, isRecursive: boolean, isForced: boolean): Promise<void> {
    if (path === "/") {
      if (isForced) return;
      throw uvException(-EPERM, "rm", path);
    }
    const { promises } = this.fs;
    try {
      const isDirectory = (await promises.lstat(path)).isDirectory();
      if (!isDirectory) await promises.unlink(path);
      else if (isRecursive) await promises.rm(path, { recursive: true });
      else await promises.rmdir(path);
    } catch (error) {
      if (!isForced || !isMissing(error)) throw error;
    }
  }

  /**
   * Copies a file, a link, or a directory with all that is in it; into a directory that is there already, too.
   *
   * @throws EISDIR for a directory, unless recursive; EINVAL into itself
   */
  async copy(from: string, to: string, isRecursive: boolean): Promise<void> {
    const { promises } = this.fs;
    const stats = await promises.lstat(from);
    if (stats.isSymbolicLink()) {
      await this.remove(to, false, true);
      await this.symlink(await promises.readlink(from), to);
    } else if (!stats.isDirectory()) await this.#withParents(to, () => promises.copyFile(from, to));
    else if (!isRecursive) throw uvException(-EISDIR, "cp", from);
    else if (`${to}/`.startsWith(from === "/" ? "/" : `${from}/`)) throw uvException(-EINVAL, "cp", from, to);
    else {
      await promises.mkdir(to, { recursive: true });
      for (const name of await promises.readdir(from)) await this.copy(joinPath(from, name), joinPath(to, name), true);
    }
  }

  /** Renames; onto a directory that is not empty, or another file system, by copies. */
  async move(from: string, to: string): Promise<void> {
    try {
      await this.#withParents(to, () => this.fs.promises.rename(from, to));
    } catch (error) {
      if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EXDEV") throw error;
      await this.copy(from, to, true);
      await this.remove(from, true, false);
    }
  }

  /** All paths below a directory, parents first; what cannot be read is left out. */
  allPaths(directory = "/"): string[] {
    const paths: string[] = [];
    for (const entry of this.#entries(directory)) {
      const path = joinPath(directory, entry.name);
      paths.push(path);
      if (entry.isDirectory()) for (const below of this.allPaths(path)) paths.push(below);
    }
    return paths;
  }

  /** As allPaths(), and waits for stores. @throws what listing a directory does */
  async allPathsLater(directory: string): Promise<string[]> {
    const paths: string[] = [];
    for (const entry of await this.fs.promises.readdir(directory, { withFileTypes: true })) {
      const path = joinPath(directory, entry.name);
      paths.push(path);
      if (entry.isDirectory()) for (const below of await this.allPathsLater(path)) paths.push(below);
    }
    return paths;
  }

  #entries(directory: string): { name: string; isDirectory(): boolean }[] {
    try {
      return this.fs.readdirSync(directory, { withFileTypes: true });
    } catch {
      return []; // a store that has to be waited for, or no permission
    }
  }
}
