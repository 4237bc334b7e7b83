/**
 * foliofs/agentfs: the `FileSystem` of the package agentfs-sdk, on foliofs (docs/sandboxes.md).
 *
 *   const fs = createAgentFs({ size: 64 * 2 ** 20 });      // FileSystem
 *   new AgentFsWrapper({ fs: { fs } })                      // agentfs-sdk/just-bash
 *
 * Times are whole seconds, as there. What the interface says counts, where its own implementation does not have it yet: links are
 * followed.
 *
 * Does not own: what it has in common with the other adapters (index-sandbox.ts).
 *
 * @see agentfs-sdk 0.6, dist/filesystem/interface.d.ts
 */
import { EINVAL, EISDIR, EPERM } from "./base/errno.ts";
import type { Bytes, FolioFs, Stats } from "./index.ts";
import { type AgentEncoding, joinPath, SandboxFiles, type SandboxOptions } from "./index-sandbox.ts";
import { uvException } from "./node/uv-errors.ts";

export type { AgentEncoding, SandboxOptions } from "./index-sandbox.ts";

/** What stat() tells. Times are seconds since the epoch; `mode` has the type's bits. */
export interface AgentStats {
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  size: number;
  atime: number;
  mtime: number;
  ctime: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** An entry of a directory, with its attributes. */
export interface AgentDirEntry {
  name: string;
  stats: AgentStats;
}

/** What is in use: inodes, and bytes of files in pages of 4096. */
export interface AgentFilesystemStats {
  inodes: number;
  bytesUsed: number;
}

type Handle = Awaited<ReturnType<FolioFs["promises"]["open"]>>;

const MS = 1000;

function statsOf(stats: Stats): AgentStats {
  const { ino, mode, nlink, uid, gid, size, atimeMs, mtimeMs, ctimeMs } = stats;
  return {
    ...{ ino, mode, nlink, uid, gid },
    size: stats.isDirectory() ? 0 : size,
    atime: Math.floor(atimeMs / MS),
    mtime: Math.floor(mtimeMs / MS),
    ctime: Math.floor(ctimeMs / MS),
    isFile: () => stats.isFile(),
    isDirectory: () => stats.isDirectory(),
    isSymbolicLink: () => stats.isSymbolicLink(),
  };
}

/** The interface has no close: files are closed when their handles are collected. */
const handles = new FinalizationRegistry<Handle>((handle) => void handle.close().catch(() => {}));

/** An open file. It stays the same file when its name changes or goes. */
export class AgentFileHandle {
  readonly #handle: Handle;

  /** @internal */
  constructor(handle: Handle) {
    this.#handle = handle;
    handles.register(this, handle, this);
  }

  /** Fewer bytes at the end of the file. */
  async pread(offset: number, size: number): Promise<Bytes> {
    const { bytesRead, buffer } = await this.#handle.read({ length: size, position: offset, buffer: newBytes(size) });
    return (buffer as Bytes).subarray(0, bytesRead) as Bytes;
  }

  async pwrite(offset: number, data: Uint8Array): Promise<void> {
    for (let done = 0; done < data.length; ) {
      done += (await this.#handle.write(data, done, data.length - done, offset + done)).bytesWritten;
    }
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
  }

  async fsync(): Promise<void> {
    await this.#handle.sync();
  }

  async fstat(): Promise<AgentStats> {
    return statsOf(await this.#handle.stat());
  }

  /** Not of the interface: for who will not wait for the collector. */
  async close(): Promise<void> {
    handles.unregister(this);
    await this.#handle.close();
  }
}

/** As many bytes, in a Buffer where the platform has one. */
function newBytes(size: number): Bytes {
  const { Buffer } = globalThis as { Buffer?: { alloc(size: number): Bytes } };
  return Buffer?.alloc(size) ?? (new Uint8Array(size) as Bytes);
}

function encodingOf(options: AgentEncoding | { encoding?: AgentEncoding } | undefined): AgentEncoding | undefined {
  return typeof options === "string" ? options : options?.encoding;
}

/** A file system for agentfs-sdk. Errors are those of node:fs, with their codes. */
export class AgentFs {
  readonly #files: SandboxFiles;

  /** See createAgentFs(). */
  constructor(options?: SandboxOptions) {
    this.#files = new SandboxFiles(options);
  }

  /** The face that it works on: for snapshots, limits, and programs on the same files. */
  get face(): FolioFs {
    return this.#files.fs;
  }

  get #promises(): FolioFs["promises"] {
    return this.#files.fs.promises;
  }

  /** As at() of the files, of what may be removed or renamed. @throws EPERM for the root */
  #below(path: string, syscall: string): string {
    const at = this.#files.at(path, syscall);
    if (at === "/") throw uvException(-EPERM, syscall, at);
    return at;
  }

  async stat(path: string): Promise<AgentStats> {
    return statsOf(await this.#promises.stat(this.#files.at(path, "stat")));
  }

  async lstat(path: string): Promise<AgentStats> {
    return statsOf(await this.#promises.lstat(this.#files.at(path, "lstat")));
  }

  async readFile(path: string): Promise<Bytes>;
  async readFile(path: string, options: AgentEncoding | { encoding: AgentEncoding }): Promise<string>;
  async readFile(path: string, options?: AgentEncoding | { encoding?: AgentEncoding }): Promise<Bytes | string>;
  async readFile(path: string, options?: AgentEncoding | { encoding?: AgentEncoding }): Promise<Bytes | string> {
    const encoding = encodingOf(options) ?? null;
    return this.#promises.readFile(this.#files.at(path, "open"), encoding) as Promise<Bytes | string>;
  }

  async writeFile(
    path: string,
    data: string | Uint8Array,
    options?: AgentEncoding | { encoding?: AgentEncoding },
  ): Promise<void> {
    return this.#files.write(this.#files.at(path, "open"), data, encodingOf(options) ?? "utf8", "w");
  }

  async readdir(path: string): Promise<string[]> {
    return this.#promises.readdir(this.#files.at(path, "scandir"));
  }

  async readdirPlus(path: string): Promise<AgentDirEntry[]> {
    const at = this.#files.at(path, "scandir");
    const entries: AgentDirEntry[] = [];
    for (const name of await this.#promises.readdir(at))
      entries.push({ name, stats: await this.lstat(joinPath(at, name)) });
    return entries;
  }

  async mkdir(path: string): Promise<void> {
    await this.#promises.mkdir(this.#files.at(path, "mkdir"));
  }

  async rmdir(path: string): Promise<void> {
    return this.#promises.rmdir(this.#below(path, "rmdir"));
  }

  async unlink(path: string): Promise<void> {
    return this.#promises.unlink(this.#below(path, "unlink"));
  }

  /** @throws EPERM for the root; EISDIR for a directory, unless recursive; ENOENT, unless forced */
  async rm(path: string, options?: { force?: boolean; recursive?: boolean }): Promise<void> {
    const at = this.#below(path, "rm");
    const { force = false, recursive = false } = options ?? {};
    if (!recursive && (await this.#isDirectory(at))) throw uvException(-EISDIR, "rm", at);
    return this.#files.remove(at, recursive, force);
  }

  async #isDirectory(path: string): Promise<boolean> {
    try {
      return (await this.#promises.lstat(path)).isDirectory();
    } catch {
      return false; // who removes it is told
    }
  }

  async rename(oldPath: string, newPath: string): Promise<void> {
    return this.#promises.rename(this.#below(oldPath, "rename"), this.#below(newPath, "rename"));
  }

  /** @throws EINVAL onto itself */
  async copyFile(src: string, dest: string): Promise<void> {
    const [from, to] = [this.#files.at(src, "copyfile"), this.#files.at(dest, "copyfile")];
    if (from === to) throw uvException(-EINVAL, "copyfile", from, to);
    if ((await this.#promises.stat(from)).isDirectory()) throw uvException(-EISDIR, "copyfile", from, to);
    return this.#promises.copyFile(from, to);
  }

  async symlink(target: string, linkpath: string): Promise<void> {
    return this.#promises.symlink(target, this.#files.at(linkpath, "symlink"));
  }

  async readlink(path: string): Promise<string> {
    return this.#promises.readlink(this.#files.at(path, "readlink"));
  }

  async access(path: string): Promise<void> {
    return this.#promises.access(this.#files.at(path, "access"));
  }

  async statfs(): Promise<AgentFilesystemStats> {
    const { blocks, bfree, bsize, files, ffree } = await this.#promises.statfs("/");
    return { inodes: files - ffree, bytesUsed: (blocks - bfree) * bsize };
  }

  /** For reading, and for writing where that is allowed. */
  async open(path: string): Promise<AgentFileHandle> {
    const at = this.#files.at(path, "open");
    try {
      return new AgentFileHandle(await this.#promises.open(at, "r+"));
    } catch (error) {
      if (!["EACCES", "EROFS"].includes((error as { code?: string }).code ?? "")) throw error;
      return new AgentFileHandle(await this.#promises.open(at, "r"));
    }
  }
}

/**
 * Makes a file system for agentfs-sdk: of its own, 64 MiB and 16 384 files at most where the options do not say otherwise, or on a
 * face that is there. It reaches nothing of the host.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_VALUE for options
 */
export function createAgentFs(options?: SandboxOptions): AgentFs {
  return new AgentFs(options);
}
