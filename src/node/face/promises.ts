/** `fs.promises`. */

import type { constants } from "../constants.ts";
import type {
  Encoding,
  EncodingOptions,
  Mode,
  OpendirOptions,
  OpenMode,
  PathLike,
  Pieces,
  WriteFileOptions,
} from "./arguments.ts";
import type { Dir } from "./dir.ts";
import type { FileHandle } from "./file-handle.ts";
import type { AnsweringCalls, FoundStatCall, NameCall, PathCalls, PromiseForms, ReadFileCall } from "./forms.ts";

/** A directory that goes with the block it was made in. */
export interface AsyncDisposableDirectory {
  path: string;
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PromiseFace extends PromiseForms<PathCalls>, AnsweringCalls<"promise"> {
  readonly constants: typeof constants;
  appendFile(
    file: PathLike | FileHandle,
    data: string | ArrayBufferView | Pieces,
    options?: WriteFileOptions | Encoding | null,
  ): Promise<void>;
  /** Rejects: Linux has no way to change the mode of a link. */
  lchmod(path: PathLike, mode: Mode): Promise<void>;
  lstat: FoundStatCall<"promise", [path: PathLike]>;
  mkdtempDisposable(prefix: PathLike, options?: EncodingOptions | Encoding | null): Promise<AsyncDisposableDirectory>;
  open(path: PathLike, flags?: OpenMode, mode?: Mode): Promise<FileHandle>;
  opendir(path: PathLike, options?: OpendirOptions): Promise<Dir>;
  readFile: ReadFileCall<"promise", [file: PathLike | FileHandle]>;
  realpath: NameCall<"promise">;
  writeFile(
    file: PathLike | FileHandle,
    data: string | ArrayBufferView | Pieces,
    options?: WriteFileOptions | Encoding | null,
  ): Promise<void>;
}
