/**
 * Calls whose synchronous and promise forms differ in nothing but when the answer comes, each written once.
 *
 * Does not own: the callback forms, whose overloads are their own (callbacks.ts).
 */
import type {
  BigIntOptions,
  BytesOption,
  Encoding,
  EncodingOptions,
  MkdirOptions,
  Mode,
  PathLike,
  ReaddirOptions,
  ReadFileOptions,
  ReadIntoOptions,
  RmOptions,
  StatOptions,
  SymlinkType,
  TextOption,
  TimeLike,
} from "./arguments.ts";
import type { Dirent } from "./dir.ts";
import type { Bytes } from "./platform-types.ts";
import type { BigIntStats, BigIntStatsFs, Stats, StatsFs } from "./stats.ts";

/** When an answer comes: at once, or later. */
export type Form = "sync" | "promise";
export type In<F extends Form, Result> = F extends "sync" ? Result : Promise<Result>;

/** Calls without a result, on paths. */
export interface PathCalls {
  access(path: PathLike, mode?: number): void;
  chmod(path: PathLike, mode: Mode): void;
  chown(path: PathLike, uid: number, gid: number): void;
  copyFile(source: PathLike, destination: PathLike, mode?: number): void;
  lchown(path: PathLike, uid: number, gid: number): void;
  link(existingPath: PathLike, newPath: PathLike): void;
  lutimes(path: PathLike, atime: TimeLike, mtime: TimeLike): void;
  rename(oldPath: PathLike, newPath: PathLike): void;
  rm(path: PathLike, options?: RmOptions): void;
  rmdir(path: PathLike): void;
  symlink(target: PathLike, path: PathLike, type?: SymlinkType | null): void;
  truncate(path: PathLike, length?: number): void;
  unlink(path: PathLike): void;
  utimes(path: PathLike, atime: TimeLike, mtime: TimeLike): void;
}

/** Calls without a result, on descriptors; FileHandle has the promise forms. */
export interface DescriptorCalls {
  close(fd: number): void;
  fchmod(fd: number, mode: Mode): void;
  fchown(fd: number, uid: number, gid: number): void;
  fdatasync(fd: number): void;
  fsync(fd: number): void;
  ftruncate(fd: number, length?: number): void;
  futimes(fd: number, atime: TimeLike, mtime: TimeLike): void;
}

/** stat and lstat. */
export interface StatCall<F extends Form> {
  (
    path: PathLike,
    options?: StatOptions & { bigint?: false | undefined; throwIfNoEntry?: true | undefined },
  ): In<F, Stats>;
  (path: PathLike, options: StatOptions & { bigint: true; throwIfNoEntry?: true | undefined }): In<F, BigIntStats>;
  (
    path: PathLike,
    options: StatOptions & { bigint?: false | undefined; throwIfNoEntry: false },
  ): In<F, Stats | undefined>;
  (path: PathLike, options: StatOptions & { bigint: true; throwIfNoEntry: false }): In<F, BigIntStats | undefined>;
  (path: PathLike, options: StatOptions & { throwIfNoEntry?: true | undefined }): In<F, Stats | BigIntStats>;
  (path: PathLike, options?: StatOptions): In<F, Stats | BigIntStats | undefined>;
}

/** lstat's promise form, fstat and FileHandle.stat: always with an answer. */
export interface FoundStatCall<F extends Form, Args extends unknown[]> {
  (...args: [...args: Args, options?: BigIntOptions & { bigint?: false | undefined }]): In<F, Stats>;
  (...args: [...args: Args, options: BigIntOptions & { bigint: true }]): In<F, BigIntStats>;
  (...args: [...args: Args, options?: BigIntOptions]): In<F, Stats | BigIntStats>;
}

export interface StatfsCall<F extends Form> {
  (path: PathLike, options?: BigIntOptions & { bigint?: false | undefined }): In<F, StatsFs>;
  (path: PathLike, options: BigIntOptions & { bigint: true }): In<F, BigIntStatsFs>;
  (path: PathLike, options?: BigIntOptions): In<F, StatsFs | BigIntStatsFs>;
}

/** readlink, realpath, mkdtemp: a path in, a path out. */
export interface NameCall<F extends Form, Name = PathLike> {
  (path: Name, options?: TextOption): In<F, string>;
  (path: Name, options: BytesOption): In<F, Bytes>;
  (path: Name, options?: TextOption | BytesOption): In<F, string | Bytes>;
}

/** @returns the first directory made, when recursive */
export interface MkdirCall<F extends Form> {
  (path: PathLike, options: MkdirOptions & { recursive: true }): In<F, string | undefined>;
  (path: PathLike, options?: Mode | (MkdirOptions & { recursive?: false | undefined }) | null): In<F, void>;
  (path: PathLike, options?: Mode | MkdirOptions | null): In<F, string | undefined>;
}

/** Options of readdir for names as text, and for names as bytes. */
export type TextNames = EncodingOptions & { recursive?: boolean | undefined; withFileTypes?: false | undefined };
export type ByteNames = { encoding: "buffer"; recursive?: boolean | undefined; withFileTypes?: false | undefined };
export type TextEntries = EncodingOptions & { recursive?: boolean | undefined; withFileTypes: true };
export type ByteEntries = { encoding: "buffer"; recursive?: boolean | undefined; withFileTypes: true };
export type AnyListing = string[] | Bytes[] | Dirent[] | Dirent<Bytes>[];

export interface ReaddirCall<F extends Form> {
  (path: PathLike, options?: TextNames | Encoding | null): In<F, string[]>;
  (path: PathLike, options: ByteNames | "buffer"): In<F, Bytes[]>;
  (path: PathLike, options: TextEntries): In<F, Dirent[]>;
  (path: PathLike, options: ByteEntries): In<F, Dirent<Bytes>[]>;
  (path: PathLike, options?: ReaddirOptions | Encoding | "buffer" | null): In<F, AnyListing>;
}

/** Contents whole, of what `Args` names. */
export interface ReadFileCall<F extends Form, Args extends unknown[]> {
  <View extends ArrayBufferView>(...args: [...args: Args, options: ReadIntoOptions<View>]): In<F, View>;
  (...args: [...args: Args, options?: (ReadFileOptions & { encoding?: null | undefined }) | null]): In<F, Bytes>;
  (...args: [...args: Args, options: (ReadFileOptions & { encoding: Encoding }) | Encoding]): In<F, string>;
  (...args: [...args: Args, options?: ReadFileOptions | Encoding | null]): In<F, string | Bytes>;
}

/** Calls with a result that every form has. */
export interface AnsweringCalls<F extends Form> {
  mkdir: MkdirCall<F>;
  mkdtemp: NameCall<F, string>;
  readdir: ReaddirCall<F>;
  readlink: NameCall<F>;
  stat: StatCall<F>;
  statfs: StatfsCall<F>;
}

/** Synchronous forms: the name with `Sync` behind it. */
export type SyncForms<Calls> = { [Name in keyof Calls & string as `${Name}Sync`]: Calls[Name] };

/** Promise forms of calls that are written in their synchronous form. */
export type PromiseForms<Calls> = {
  [Name in keyof Calls]: Calls[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Result>
    : never;
};
