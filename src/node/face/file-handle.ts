/** FileHandle: an open file of `fs.promises`. */
import type {
  Encoding,
  EncodingOptions,
  Mode,
  Pieces,
  ReadOptions,
  TimeLike,
  WriteFileOptions,
  WriteOptions,
} from "./arguments.ts";
import type { FoundStatCall, ReadFileCall } from "./forms.ts";
import type { Bytes, Signal } from "./platform-types.ts";
import type { HandleStreams } from "./streams.ts";

export interface FileHandle extends HandleStreams {
  readonly fd: number;
  appendFile(
    data: string | ArrayBufferView | Pieces,
    options?: (EncodingOptions & { signal?: Signal | undefined }) | Encoding | null,
  ): Promise<void>;
  chmod(mode: Mode): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  close(): Promise<void>;
  datasync(): Promise<void>;
  read<View extends ArrayBufferView>(
    buffer: View,
    offset?: number | null,
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: View }>;
  read<View extends ArrayBufferView>(buffer: View, options?: ReadOptions): Promise<{ bytesRead: number; buffer: View }>;
  read<View extends ArrayBufferView>(
    options: ReadOptions & { buffer: View },
  ): Promise<{ bytesRead: number; buffer: View }>;
  read(options?: ReadOptions): Promise<{ bytesRead: number; buffer: Bytes }>;
  readFile: ReadFileCall<"promise", []>;
  readv<Views extends readonly ArrayBufferView[]>(
    buffers: Views,
    position?: number | null,
  ): Promise<{ bytesRead: number; buffers: Views }>;
  stat: FoundStatCall<"promise", []>;
  sync(): Promise<void>;
  truncate(length?: number): Promise<void>;
  utimes(atime: TimeLike, mtime: TimeLike): Promise<void>;
  write<View extends ArrayBufferView>(
    buffer: View,
    offset?: number | null,
    length?: number | null,
    position?: number | null,
  ): Promise<{ bytesWritten: number; buffer: View }>;
  write<View extends ArrayBufferView>(
    buffer: View,
    options?: WriteOptions,
  ): Promise<{ bytesWritten: number; buffer: View }>;
  write(
    text: string,
    position?: number | null,
    encoding?: Encoding | null,
  ): Promise<{ bytesWritten: number; buffer: string }>;
  writeFile(data: string | ArrayBufferView | Pieces, options?: WriteFileOptions | Encoding | null): Promise<void>;
  writev<Views extends readonly ArrayBufferView[]>(
    buffers: Views,
    position?: number | null,
  ): Promise<{ bytesWritten: number; buffers: Views }>;
  [Symbol.asyncDispose](): Promise<void>;
}
