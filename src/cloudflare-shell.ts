/**
 * foliofs/cloudflare-shell: the `FileSystem` of the package @cloudflare/shell, on foliofs (docs/sandboxes.md).
 *
 *   new FileSystemStateBackend(createShellFs({ size: 64 * 2 ** 20 }))
 *
 * Does not own: what it has in common with the other adapters (index-sandbox.ts).
 *
 * @see @cloudflare/shell 0.4, src/fs/interface.ts
 */
import type { FolioFs } from "./index.ts";
import { resolvePath, SandboxFiles, type SandboxOptions } from "./index-sandbox.ts";
import { globMatcher } from "./index-sandbox-glob.ts";

export type { SandboxOptions } from "./index-sandbox.ts";

export type ShellEntryType = "file" | "directory" | "symlink";

/** What stat() tells; `mode` is the permission bits. */
export interface ShellStat {
  type: ShellEntryType;
  /** Bytes; 0 for directories. */
  size: number;
  mtime: Date;
  mode: number;
}

/** An entry of a directory. */
export interface ShellDirent {
  name: string;
  type: ShellEntryType;
}

const PERMISSIONS = 0o7777;

/** What the interface has no word for, as fifos, is a file to it. */
function typeOf(kind: { isDirectory(): boolean; isSymbolicLink(): boolean }): ShellEntryType {
  if (kind.isDirectory()) return "directory";
  return kind.isSymbolicLink() ? "symlink" : "file";
}

function statOf(stats: Parameters<typeof typeOf>[0] & { size: number; mtime: Date; mode: number }): ShellStat {
  const type = typeOf(stats);
  const { size, mtime, mode } = stats;
  return { type, size: type === "directory" ? 0 : size, mtime, mode: mode & PERMISSIONS };
}

/** A file system for @cloudflare/shell. Errors are those of node:fs, with their codes. */
export class ShellFs {
  readonly #files: SandboxFiles;

  /** See createShellFs(). */
  constructor(options?: SandboxOptions) {
    this.#files = new SandboxFiles(options);
  }

  /** The face that it works on: for snapshots, limits, and programs on the same files. */
  get fs(): FolioFs {
    return this.#files.fs;
  }

  async readFile(path: string): Promise<string> {
    return this.fs.promises.readFile(this.#files.at(path, "open"), "utf8");
  }

  async readFileBytes(path: string): Promise<Uint8Array> {
    const bytes = await this.fs.promises.readFile(this.#files.at(path, "open"));
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // no Buffer
  }

  async writeFile(path: string, content: string): Promise<void> {
    return this.#files.write(this.#files.at(path, "open"), content, "utf8", "w");
  }

  async writeFileBytes(path: string, content: Uint8Array): Promise<void> {
    return this.#files.write(this.#files.at(path, "open"), content, "utf8", "w");
  }

  async appendFile(path: string, content: string | Uint8Array): Promise<void> {
    return this.#files.write(this.#files.at(path, "open"), content, "utf8", "a");
  }

  async exists(path: string): Promise<boolean> {
    return !path.includes("\0") && this.#files.exists(this.#files.at(path, "access"));
  }

  async stat(path: string): Promise<ShellStat> {
    return statOf(await this.fs.promises.stat(this.#files.at(path, "stat")));
  }

  async lstat(path: string): Promise<ShellStat> {
    return statOf(await this.fs.promises.lstat(this.#files.at(path, "lstat")));
  }

  async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    await this.fs.promises.mkdir(this.#files.at(path, "mkdir"), options);
  }

  async readdir(path: string): Promise<string[]> {
    return this.fs.promises.readdir(this.#files.at(path, "scandir"));
  }

  async readdirWithFileTypes(path: string): Promise<ShellDirent[]> {
    const entries = await this.fs.promises.readdir(this.#files.at(path, "scandir"), { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
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

  async symlink(target: string, linkPath: string): Promise<void> {
    return this.#files.symlink(target, this.#files.at(linkPath, "symlink"));
  }

  async readlink(path: string): Promise<string> {
    return this.fs.promises.readlink(this.#files.at(path, "readlink"));
  }

  async realpath(path: string): Promise<string> {
    return this.fs.promises.realpath(this.#files.at(path, "realpath"));
  }

  resolvePath(base: string, path: string): string {
    return resolvePath(base, path);
  }

  /** Paths that fit, from the root, sorted (index-sandbox-glob.ts). */
  async glob(pattern: string): Promise<string[]> {
    const fits = globMatcher(pattern);
    const paths = await this.#files.allPathsLater("/");
    return paths.filter(fits).sort();
  }
}

/**
 * Makes a file system for @cloudflare/shell: of its own, 64 MiB and 16 384 files at most where the options do not say otherwise, or
 * on a face that is there. It reaches nothing of the host.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_VALUE for options
 */
export function createShellFs(options?: SandboxOptions): ShellFs {
  return new ShellFs(options);
}
