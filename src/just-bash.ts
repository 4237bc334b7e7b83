/**
 * foliofs/just-bash: the `IFileSystem` of the package just-bash, on foliofs (docs/sandboxes.md).
 *
 *   new Bash({ fs: createBashFs({ size: 64 * 2 ** 20, nr_inodes: 10_000 }) })
 *
 * Does not own: what it has in common with the other adapters (index-sandbox.ts).
 *
 * @see just-bash 3.4, dist/fs/interface.d.ts
 */
import type { FolioFs } from "./index.ts";
import { resolvePath, type SandboxEncoding, SandboxFiles, type SandboxOptions } from "./index-sandbox.ts";

export type { SandboxEncoding, SandboxOptions } from "./index-sandbox.ts";

/** How text is encoded. */
export type BashEncoding = SandboxEncoding | { readonly encoding?: SandboxEncoding | null };

/** What stat() tells; `mode` is the permission bits. */
export interface BashStat {
  isFile: boolean;
  isDirectory: boolean;
  isSymbolicLink: boolean;
  mode: number;
  /** Bytes; 0 for directories. */
  size: number;
  mtime: Date;
  dev: number;
  ino: number;
}

/** An entry of a directory. */
export interface BashDirent {
  name: string;
  isFile: boolean;
  isDirectory: boolean;
  isSymbolicLink: boolean;
}

const PERMISSIONS = 0o7777;

function encodingOf(options: BashEncoding | undefined): SandboxEncoding {
  const encoding = typeof options === "string" ? options : options?.encoding;
  return encoding ?? "utf8";
}

type Kind = { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean };

function kindOf(kind: Kind): Omit<BashDirent, "name"> {
  return {
    isFile: kind.isFile(),
    isDirectory: kind.isDirectory(),
    isSymbolicLink: kind.isSymbolicLink(),
  };
}

/**
 * A file system for just-bash. Errors are those of node:fs, with their codes; what is written gets the directories that it needs,
 * as in just-bash's own.
 */
export class BashFs {
  readonly #files: SandboxFiles;

  /** See createBashFs(). */
  constructor(options?: SandboxOptions) {
    this.#files = new SandboxFiles(options);
  }

  /** The face that it works on: for snapshots, limits, and programs on the same files. */
  get fs(): FolioFs {
    return this.#files.fs;
  }

  async readFile(path: string, options?: BashEncoding): Promise<string> {
    return this.fs.promises.readFile(this.#files.at(path, "open"), encodingOf(options));
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    const bytes = await this.fs.promises.readFile(this.#files.at(path, "open"));
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // no Buffer
  }

  async writeFile(path: string, content: string | Uint8Array, options?: BashEncoding): Promise<void> {
    return this.#files.write(this.#files.at(path, "open"), content, encodingOf(options), "w");
  }

  async appendFile(path: string, content: string | Uint8Array, options?: BashEncoding): Promise<void> {
    return this.#files.write(this.#files.at(path, "open"), content, encodingOf(options), "a");
  }

  /** For what just-bash puts there before it runs anything. */
  writeFileSync(path: string, content: string | Uint8Array): void {
    const at = this.#files.at(path, "open");
    this.mkdirSync(`${at}/..`, { recursive: true });
    this.fs.writeFileSync(at, content);
  }

  mkdirSync(path: string, options?: { recursive?: boolean }): void {
    this.fs.mkdirSync(this.#files.at(path, "mkdir"), options);
  }

  async exists(path: string): Promise<boolean> {
    return !path.includes("\0") && this.#files.exists(this.#files.at(path, "access"));
  }

  async stat(path: string): Promise<BashStat> {
    return this.#stats(await this.fs.promises.stat(this.#files.at(path, "stat")));
  }

  async lstat(path: string): Promise<BashStat> {
    return this.#stats(await this.fs.promises.lstat(this.#files.at(path, "lstat")));
  }

  #stats(stats: Kind & { mode: number; size: number; mtime: Date; dev: number; ino: number }): BashStat {
    const { mode, size, mtime, dev, ino } = stats;
    const kind = kindOf(stats);
    return { ...kind, mode: mode & PERMISSIONS, size: kind.isDirectory ? 0 : size, mtime, dev, ino };
  }

  async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    await this.fs.promises.mkdir(this.#files.at(path, "mkdir"), options);
  }

  async readdir(path: string): Promise<string[]> {
    return this.fs.promises.readdir(this.#files.at(path, "scandir"));
  }

  async readdirWithFileTypes(path: string): Promise<BashDirent[]> {
    const entries = await this.fs.promises.readdir(this.#files.at(path, "scandir"), { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, ...kindOf(entry) }));
  }

  async rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void> {
    return this.#files.remove(this.#files.at(path, "rm"), options?.recursive === true, options?.force === true);
  }

  async cp(src: string, dest: string, options?: { recursive?: boolean }): Promise<void> {
    return this.#files.copy(this.#files.at(src, "cp"), this.#files.at(dest, "cp"), options?.recursive === true);
  }

  async mv(src: string, dest: string): Promise<void> {
    return this.#files.move(this.#files.at(src, "mv"), this.#files.at(dest, "mv"));
  }

  resolvePath(base: string, path: string): string {
    return resolvePath(base, path);
  }

  /** Of directories whose store has to be waited for, only the names that are known. */
  getAllPaths(): string[] {
    return ["/", ...this.#files.allPaths()];
  }

  async chmod(path: string, mode: number): Promise<void> {
    return this.fs.promises.chmod(this.#files.at(path, "chmod"), mode);
  }

  async symlink(target: string, linkPath: string): Promise<void> {
    return this.#files.symlink(target, this.#files.at(linkPath, "symlink"));
  }

  async link(existingPath: string, newPath: string): Promise<void> {
    return this.#files.link(this.#files.at(existingPath, "link"), this.#files.at(newPath, "link"));
  }

  async readlink(path: string): Promise<string> {
    return this.fs.promises.readlink(this.#files.at(path, "readlink"));
  }

  async realpath(path: string): Promise<string> {
    return this.fs.promises.realpath(this.#files.at(path, "realpath"));
  }

  async utimes(path: string, atime: Date, mtime: Date): Promise<void> {
    return this.fs.promises.utimes(this.#files.at(path, "utimes"), atime, mtime);
  }
}

/**
 * Makes a file system for just-bash: of its own, 64 MiB and 16 384 files at most where the options do not say otherwise, or on a
 * face that is there. It reaches nothing of the host.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_VALUE for options
 */
export function createBashFs(options?: SandboxOptions): BashFs {
  return new BashFs(options);
}
