/** The functions that a stream calls, over a FileHandle: its methods do the work, so that a program's own are called. */
import type { OpenFile } from "../open-file.ts";
import { inTick } from "../settle.ts";
import type { StreamCalls } from "./file-stream.ts";

/** A FileHandle, as streams use it. */
export interface HandleLike {
  readonly fd: number;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  once(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  close(): Promise<void>;
  sync(): Promise<void>;
  read(buffer: ArrayBufferView, offset?: number, length?: number, position?: unknown): Promise<object>;
  write(buffer: unknown, offset?: number, length?: number, position?: unknown): Promise<object>;
  writev(buffers: unknown, position?: unknown): Promise<object>;
}

type Callback = (error: unknown, ...results: never[]) => void;

/** Settles into a callback, whose own errors are nobody's rejection. */
function hand(promise: Promise<unknown>, callback: Callback, countName: string, data?: unknown): void {
  promise.then(
    (value) => (callback as (...args: unknown[]) => void)(null, (value as Record<string, unknown>)?.[countName], data),
    (error) => (callback as (...args: unknown[]) => void)(error, 0, data),
  );
}

/** @param file what the handle stands for: the stream's reference on it is let go with its close */
export function handleCalls(handle: HandleLike, file: OpenFile): StreamCalls {
  return {
    // Never asked for: the file is open.
    open: undefined as never,
    close(_fd, callback) {
      file.put();
      // Node closes on another thread: what waits for a tick comes before, such as the `end` of a stream that its last
      // data destroyed. A handle that is closed has nothing to wait for, there either.
      const done = file.fd === -1 ? callback : (error: unknown) => inTick(callback, error);
      handle.close().then(done, done);
    },
    fsync: (_fd, callback) => hand(handle.sync(), callback as Callback, ""),
    read: (_fd, buffer, offset, length, position, callback) =>
      hand(handle.read(buffer, offset, length, position), callback as Callback, "bytesRead", buffer),
    write: (_fd, buffer, offset, length, position, callback) =>
      hand(handle.write(buffer, offset, length, position), callback as Callback, "bytesWritten", buffer),
    writev: (_fd, buffers, position, callback) =>
      hand(handle.writev(buffers, position), callback as Callback, "bytesWritten", buffers),
  };
}
