/** The synchronous face. */
import type {
  Encoding,
  Mode,
  OpendirOptions,
  OpenMode,
  PathLike,
  ReadOptions,
  WriteFileOptions,
  WriteOptions,
} from "./arguments.ts";
import type { Dir } from "./dir.ts";
import type {
  AnsweringCalls,
  DescriptorCalls,
  FoundStatCall,
  NameCall,
  PathCalls,
  ReadFileCall,
  StatCall,
  SyncForms,
} from "./forms.ts";

/** A directory that goes with the block it was made in. */
export interface DisposableDirectory {
  path: string;
  remove(): void;
  [Symbol.dispose](): void;
}

export interface SyncFace extends SyncForms<PathCalls & DescriptorCalls & AnsweringCalls<"sync">> {
  appendFileSync(
    file: PathLike | number,
    data: string | ArrayBufferView,
    options?: WriteFileOptions | Encoding | null,
  ): void;
  existsSync(path: PathLike): boolean;
  fstatSync: FoundStatCall<"sync", [fd: number]>;
  lstatSync: StatCall<"sync">;
  mkdtempDisposableSync(
    prefix: string,
    options?: { encoding?: Encoding | null | undefined } | Encoding | null,
  ): DisposableDirectory;
  opendirSync(path: PathLike, options?: OpendirOptions): Dir;
  openSync(path: PathLike, flags?: OpenMode, mode?: Mode | null): number;
  readFileSync: ReadFileCall<"sync", [file: PathLike | number]>;
  readSync(
    fd: number,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    position: number | bigint | null,
  ): number;
  readSync(fd: number, buffer: ArrayBufferView, options?: ReadOptions): number;
  readvSync(fd: number, buffers: readonly ArrayBufferView[], position?: number | null): number;
  realpathSync: NameCall<"sync"> & { native: NameCall<"sync"> };
  writeFileSync(
    file: PathLike | number,
    data: string | ArrayBufferView,
    options?: WriteFileOptions | Encoding | null,
  ): void;
  writeSync(
    fd: number,
    buffer: ArrayBufferView,
    offset?: number | null,
    length?: number | null,
    position?: number | null,
  ): number;
  writeSync(fd: number, buffer: ArrayBufferView, options?: WriteOptions): number;
  writeSync(fd: number, text: string, position?: number | null, encoding?: Encoding | null): number;
  writevSync(fd: number, buffers: readonly ArrayBufferView[], position?: number | null): number;
}
