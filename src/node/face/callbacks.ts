/** The callback face. */
import type {
  BigIntOptions,
  BytesOption,
  Encoding,
  MkdirOptions,
  Mode,
  OpendirOptions,
  OpenMode,
  PathLike,
  ReaddirOptions,
  ReadFileOptions,
  ReadIntoOptions,
  ReadOptions,
  RmOptions,
  StatOptions,
  SymlinkType,
  TextOption,
  WriteFileOptions,
  WriteOptions,
} from "./arguments.ts";
import type { Callback, DoneCallback, TransferCallback } from "./callback.ts";
import type { Dir, Dirent } from "./dir.ts";
import type {
  AnyListing,
  ByteEntries,
  ByteNames,
  DescriptorCalls,
  PathCalls,
  TextEntries,
  TextNames,
} from "./forms.ts";
import type { Bytes } from "./platform-types.ts";
import type { BigIntStats, BigIntStatsFs, Stats, StatsFs } from "./stats.ts";

/** Callback forms of calls without a result and without an argument that may be left out. */
type DoneForms<Calls> = {
  [Name in keyof Calls]: Calls[Name] extends (...args: infer Args) => void
    ? (...args: [...args: Args, callback: DoneCallback]) => void
    : never;
};

type OptionalPathCalls = "access" | "copyFile" | "rm" | "symlink" | "truncate";
type OptionalDescriptorCalls = "close" | "ftruncate";

interface StatForms {
  (path: PathLike, callback: Callback<Stats>): void;
  (
    path: PathLike,
    options: (StatOptions & { bigint?: false | undefined; throwIfNoEntry?: true | undefined }) | undefined,
    callback: Callback<Stats>,
  ): void;
  (
    path: PathLike,
    options: StatOptions & { bigint: true; throwIfNoEntry?: true | undefined },
    callback: Callback<BigIntStats>,
  ): void;
  (
    path: PathLike,
    options: StatOptions & { bigint?: false | undefined; throwIfNoEntry: false },
    callback: Callback<Stats | undefined>,
  ): void;
  (
    path: PathLike,
    options: StatOptions & { bigint: true; throwIfNoEntry: false },
    callback: Callback<BigIntStats | undefined>,
  ): void;
  (
    path: PathLike,
    options: StatOptions & { throwIfNoEntry?: true | undefined },
    callback: Callback<Stats | BigIntStats>,
  ): void;
  (path: PathLike, options: StatOptions | undefined, callback: Callback<Stats | BigIntStats | undefined>): void;
}

/** fstat, lstat and statfs. */
interface BigIntForms<File, Numbers, BigInts> {
  (file: File, callback: Callback<Numbers>): void;
  (
    file: File,
    options: (BigIntOptions & { bigint?: false | undefined }) | undefined,
    callback: Callback<Numbers>,
  ): void;
  (file: File, options: BigIntOptions & { bigint: true }, callback: Callback<BigInts>): void;
  (file: File, options: BigIntOptions | undefined, callback: Callback<Numbers | BigInts>): void;
}

/** readlink, realpath and mkdtemp. */
interface NameForms<Name> {
  (path: Name, callback: Callback<string>): void;
  (path: Name, options: TextOption, callback: Callback<string>): void;
  (path: Name, options: BytesOption, callback: Callback<Bytes>): void;
  (path: Name, options: TextOption | BytesOption, callback: Callback<string | Bytes>): void;
}

interface VectorForms {
  <Views extends readonly ArrayBufferView[]>(fd: number, buffers: Views, callback: TransferCallback<Views>): void;
  <Views extends readonly ArrayBufferView[]>(
    fd: number,
    buffers: Views,
    position: number | null,
    callback: TransferCallback<Views>,
  ): void;
}

interface WriteFileForms {
  (file: PathLike | number, data: string | ArrayBufferView, callback: DoneCallback): void;
  (
    file: PathLike | number,
    data: string | ArrayBufferView,
    options: WriteFileOptions | Encoding | null | undefined,
    callback: DoneCallback,
  ): void;
}

export interface CallbackFace
  extends DoneForms<Omit<PathCalls, OptionalPathCalls> & Omit<DescriptorCalls, OptionalDescriptorCalls>> {
  access(path: PathLike, callback: DoneCallback): void;
  access(path: PathLike, mode: number | undefined, callback: DoneCallback): void;
  appendFile: WriteFileForms;
  /** Without a callback a failure is thrown. */
  close(fd: number, callback?: DoneCallback): void;
  copyFile(source: PathLike, destination: PathLike, callback: DoneCallback): void;
  copyFile(source: PathLike, destination: PathLike, mode: number | undefined, callback: DoneCallback): void;
  exists(path: PathLike, callback: (exists: boolean) => void): void;
  fstat: BigIntForms<number, Stats, BigIntStats>;
  ftruncate(fd: number, callback: DoneCallback): void;
  ftruncate(fd: number, length: number | undefined, callback: DoneCallback): void;
  lstat: BigIntForms<PathLike, Stats, BigIntStats>;
  mkdir(path: PathLike, callback: DoneCallback): void;
  mkdir(path: PathLike, options: MkdirOptions & { recursive: true }, callback: Callback<string | undefined>): void;
  mkdir(
    path: PathLike,
    options: Mode | (MkdirOptions & { recursive?: false | undefined }) | null | undefined,
    callback: DoneCallback,
  ): void;
  mkdir(path: PathLike, options: Mode | MkdirOptions | null | undefined, callback: Callback<string | undefined>): void;
  mkdtemp: NameForms<string>;
  open(path: PathLike, callback: Callback<number>): void;
  open(path: PathLike, flags: OpenMode | undefined, callback: Callback<number>): void;
  open(path: PathLike, flags: OpenMode | undefined, mode: Mode | null | undefined, callback: Callback<number>): void;
  opendir(path: PathLike, callback: Callback<Dir>): void;
  opendir(path: PathLike, options: OpendirOptions | undefined, callback: Callback<Dir>): void;
  read(fd: number, callback: TransferCallback<Bytes>): void;
  read<View extends ArrayBufferView>(fd: number, buffer: View, callback: TransferCallback<View>): void;
  read<View extends ArrayBufferView>(
    fd: number,
    options: ReadOptions & { buffer: View },
    callback: TransferCallback<View>,
  ): void;
  read(fd: number, options: ReadOptions, callback: TransferCallback<Bytes>): void;
  read<View extends ArrayBufferView>(
    fd: number,
    buffer: View,
    options: ReadOptions,
    callback: TransferCallback<View>,
  ): void;
  read<View extends ArrayBufferView>(
    fd: number,
    buffer: View,
    offset: number,
    length: number,
    position: number | bigint | null,
    callback: TransferCallback<View>,
  ): void;
  readdir(path: PathLike, callback: Callback<string[]>): void;
  readdir(path: PathLike, options: TextNames | Encoding | null | undefined, callback: Callback<string[]>): void;
  readdir(path: PathLike, options: ByteNames | "buffer", callback: Callback<Bytes[]>): void;
  readdir(path: PathLike, options: TextEntries, callback: Callback<Dirent[]>): void;
  readdir(path: PathLike, options: ByteEntries, callback: Callback<Dirent<Bytes>[]>): void;
  readdir(
    path: PathLike,
    options: ReaddirOptions | Encoding | "buffer" | null | undefined,
    callback: Callback<AnyListing>,
  ): void;
  readFile(file: PathLike | number, callback: Callback<Bytes>): void;
  readFile<View extends ArrayBufferView>(
    file: PathLike | number,
    options: ReadIntoOptions<View>,
    callback: Callback<View>,
  ): void;
  readFile(
    file: PathLike | number,
    options: (ReadFileOptions & { encoding?: null | undefined }) | null | undefined,
    callback: Callback<Bytes>,
  ): void;
  readFile(
    file: PathLike | number,
    options: (ReadFileOptions & { encoding: Encoding }) | Encoding,
    callback: Callback<string>,
  ): void;
  readFile(
    file: PathLike | number,
    options: ReadFileOptions | Encoding | null | undefined,
    callback: Callback<string | Bytes>,
  ): void;
  readlink: NameForms<PathLike>;
  readv: VectorForms;
  realpath: NameForms<PathLike> & { native: NameForms<PathLike> };
  rm(path: PathLike, callback: DoneCallback): void;
  rm(path: PathLike, options: RmOptions | undefined, callback: DoneCallback): void;
  stat: StatForms;
  statfs: BigIntForms<PathLike, StatsFs, BigIntStatsFs>;
  symlink(target: PathLike, path: PathLike, callback: DoneCallback): void;
  symlink(target: PathLike, path: PathLike, type: SymlinkType | null | undefined, callback: DoneCallback): void;
  truncate(path: PathLike, callback: DoneCallback): void;
  truncate(path: PathLike, length: number | undefined, callback: DoneCallback): void;
  write<View extends ArrayBufferView>(fd: number, buffer: View, callback: TransferCallback<View>): void;
  write<View extends ArrayBufferView>(
    fd: number,
    buffer: View,
    options: WriteOptions,
    callback: TransferCallback<View>,
  ): void;
  write<View extends ArrayBufferView>(
    fd: number,
    buffer: View,
    offset: number | null | undefined,
    callback: TransferCallback<View>,
  ): void;
  write<View extends ArrayBufferView>(
    fd: number,
    buffer: View,
    offset: number | null | undefined,
    length: number | null | undefined,
    callback: TransferCallback<View>,
  ): void;
  write<View extends ArrayBufferView>(
    fd: number,
    buffer: View,
    offset: number | null | undefined,
    length: number | null | undefined,
    position: number | null | undefined,
    callback: TransferCallback<View>,
  ): void;
  write(fd: number, text: string, callback: TransferCallback<string>): void;
  write(fd: number, text: string, position: number | null | undefined, callback: TransferCallback<string>): void;
  write(
    fd: number,
    text: string,
    position: number | null | undefined,
    encoding: Encoding | null | undefined,
    callback: TransferCallback<string>,
  ): void;
  writeFile: WriteFileForms;
  writev: VectorForms;
}
