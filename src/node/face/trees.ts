/** cp, glob and openAsBlob, in their three forms. */
import type { PathLike } from "./arguments.ts";
import type { Callback, DoneCallback } from "./callback.ts";
import type { Dirent } from "./dir.ts";
import type { FileUrl, PlatformBlob } from "./platform-types.ts";

interface CpSettings {
  /** Links are copied as what they lead to. Default false. */
  dereference?: boolean | undefined;
  /** With `force: false`: what exists is an error. Default false. */
  errorOnExist?: boolean | undefined;
  /** What exists is replaced; directories are filled. Default true. */
  force?: boolean | undefined;
  /** Mode of copyFile: union of COPYFILE_*. */
  mode?: number | undefined;
  /** Times go along, to the millisecond. Default false. */
  preserveTimestamps?: boolean | undefined;
  /** Directories are copied, with all below. Default false. */
  recursive?: boolean | undefined;
  /** Links keep their text; else a relative one is made to lead from the root. Default false. */
  verbatimSymlinks?: boolean | undefined;
}

export interface CpSyncOptions extends CpSettings {
  /** Whether an entry is copied, with all below it. */
  filter?: ((source: string, destination: string) => boolean) | undefined;
}

export interface CpOptions extends CpSettings {
  filter?: ((source: string, destination: string) => boolean | Promise<boolean>) | undefined;
}

interface GlobSettings {
  /** What patterns start at. Default: the working directory. */
  cwd?: string | FileUrl | undefined;
  /** `**` and `*` go through links to directories. Default false. */
  followSymlinks?: boolean | undefined;
}

/** Results are paths. */
export interface GlobOptions extends GlobSettings {
  withFileTypes?: false | undefined;
  /** Patterns, or a function: what is left out, with all below. */
  exclude?: ((name: string) => boolean) | readonly string[] | undefined;
}

/** Results are entries. */
export interface GlobEntryOptions extends GlobSettings {
  withFileTypes: true;
  exclude?: ((entry: Dirent) => boolean) | readonly string[] | undefined;
}

/** Which of the two is not known. */
export interface AnyGlobOptions extends GlobSettings {
  withFileTypes?: boolean | undefined;
  exclude?: ((match: never) => boolean) | readonly string[] | undefined;
}

type Patterns = string | readonly string[];

export interface TreeFace {
  cp(source: PathLike, destination: PathLike, callback: DoneCallback): void;
  cp(source: PathLike, destination: PathLike, options: CpOptions, callback: DoneCallback): void;
  cpSync(source: PathLike, destination: PathLike, options?: CpSyncOptions): void;
  glob(pattern: Patterns, callback: Callback<string[]>): void;
  glob(pattern: Patterns, options: GlobOptions, callback: Callback<string[]>): void;
  glob(pattern: Patterns, options: GlobEntryOptions, callback: Callback<Dirent[]>): void;
  glob(pattern: Patterns, options: AnyGlobOptions, callback: Callback<string[] | Dirent[]>): void;
  globSync(pattern: Patterns, options?: GlobOptions): string[];
  globSync(pattern: Patterns, options: GlobEntryOptions): Dirent[];
  globSync(pattern: Patterns, options: AnyGlobOptions): string[] | Dirent[];
  /** A Blob with what the file holds now. */
  openAsBlob(path: PathLike, options?: { type?: string | undefined }): Promise<PlatformBlob>;
  openAsBlobSync(path: PathLike, options?: { type?: string | undefined }): PlatformBlob;
}

/** Those of fs.promises. */
export interface TreePromises {
  cp(source: PathLike, destination: PathLike, options?: CpOptions): Promise<void>;
  glob(pattern: Patterns, options?: GlobOptions): AsyncGenerator<string, undefined, unknown>;
  glob(pattern: Patterns, options: GlobEntryOptions): AsyncGenerator<Dirent, undefined, unknown>;
  glob(pattern: Patterns, options: AnyGlobOptions): AsyncGenerator<string | Dirent, undefined, unknown>;
}
