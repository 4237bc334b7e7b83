/**
 * read and write with one buffer: the synchronous forms, which are the hottest calls of all, and the halves that the
 * callback forms and FileHandle share.
 *
 * Does not own: vectors (vectors.ts), whole files (read-file.ts, write-file.ts).
 */
import { bytesOf } from "../../base/views.ts";
import type { Syscalls } from "../../vfs/syscalls.ts";
import { encodeText } from "../encoding.ts";
import { argValueError } from "../errors.ts";
import { fromCaller } from "../stacks.ts";
import { type Failure, failed, uvException, writeException } from "../uv-errors.ts";
import {
  checkBuffer,
  checkFd,
  checkInteger,
  checkObjectOrNull,
  checkReadRange,
  checkString,
  checkTextEncoding,
  checkWriteRange,
  toReadPosition,
  toWritePosition,
} from "../validators.ts";
import { leastOf, sizeOf } from "../views.ts";

/** One read or write, checked. `position` -1 is the file's own. */
export interface TransferRequest {
  fd: number;
  bytes: Uint8Array;
  offset: number;
  length: number;
  position: number;
}

interface RangeOptions {
  offset?: unknown;
  length?: unknown;
  position?: unknown;
}

const NO_OPTIONS: RangeOptions = Object.freeze({});

/** The range to read, or undefined when there is nothing to read. Node leaves the descriptor unchecked in that case. */
export function toReadRange(
  buffer: ArrayBufferView,
  offset: unknown,
  length: unknown,
  position: unknown,
): Omit<TransferRequest, "fd"> | undefined {
  if (offset === undefined || offset === null) offset = 0;
  else checkInteger(offset, "offset", 0);
  const size = (length as number) | 0;
  const at = toReadPosition(position, size);
  if (size === 0) return undefined;
  const bytes = bytesOf(buffer);
  const room = leastOf(buffer, bytes);
  if (room === 0) throw argValueError("buffer", buffer, "is empty and cannot be written");
  checkReadRange(offset as number, size, room);
  return { bytes, offset: offset as number, length: size, position: at };
}

/** Bytes that count of what may turn out to be no view. */
function roomOf(buffer: ArrayBufferView): number {
  return ArrayBuffer.isView(buffer) ? sizeOf(buffer) : ((buffer as ArrayBufferView | undefined)?.byteLength as number);
}

/** Offset, length and position out of an options object; the length defaults to the rest of the buffer. */
export function fromReadOptions(
  buffer: ArrayBufferView,
  options: RangeOptions | null | undefined,
): Required<RangeOptions> {
  const { offset = 0, length = roomOf(buffer) - (offset as number), position = null } = options ?? NO_OPTIONS;
  return { offset, length, position };
}

/** The range to write from a buffer. An object in the place of the offset holds all three. */
export function toWriteRange(
  buffer: ArrayBufferView,
  offset: unknown,
  length: unknown,
  position: unknown,
): Omit<TransferRequest, "fd"> {
  if (typeof offset === "object") ({ offset, length, position } = fromReadOptions(buffer, offset as RangeOptions));
  if (offset === undefined || offset === null) offset = 0;
  else checkInteger(offset, "offset", 0);
  const start = offset as number;
  const bytes = bytesOf(buffer);
  const room = leastOf(buffer, bytes);
  const size = typeof length === "number" ? length : room - start;
  checkWriteRange(start, size, room);
  return { bytes, offset: start, length: size, position: toWritePosition(position) };
}

/** A text as one write. Node's binding takes what is no encoding for UTF-8, "buffer" included. */
export function toTextRange(text: string, position: unknown, encoding: unknown): Omit<TransferRequest, "fd"> {
  const bytes = encodeText(text, encoding === "buffer" ? "utf8" : (encoding as string));
  return { bytes, offset: 0, length: bytes.length, position: toWritePosition(position) };
}

/** read and write on the system calls of a task. */
export function readWriteOperations(sys: Syscalls) {
  function commitRead({ fd, bytes, offset, length, position }: TransferRequest): number | Failure {
    const count = sys.read(fd, bytes, offset, length, position);
    return count < 0 ? failed(sys, count, "read") : count;
  }

  function commitWrite({ fd, bytes, offset, length, position }: TransferRequest): number | Failure {
    const count = sys.write(fd, bytes, offset, length, position);
    return count < 0 ? failed(sys, count, "write") : count;
  }

  function readOther(
    nrArguments: number,
    fd: unknown,
    buffer: unknown,
    offset: unknown,
    length: unknown,
    position: unknown,
  ): number {
    checkBuffer(buffer);
    if (nrArguments <= 3 || typeof offset === "object") {
      if (offset !== undefined) checkObjectOrNull(offset, "options");
      ({ offset, length, position } = fromReadOptions(buffer, offset as RangeOptions));
      // Of all forms, this one alone does not take null.
      checkInteger(offset, "offset", 0);
    }
    const range = toReadRange(buffer, offset, length, position);
    if (range === undefined) return 0;
    const count = sys.read(checkFd(fd), range.bytes, range.offset, range.length, range.position);
    if (count < 0) throw uvException(count, "read", undefined, undefined, readSync);
    return count;
  }

  function readSync(fd: unknown, buffer: unknown, offset?: unknown, length?: unknown, position?: unknown): number {
    // Fast path: same result. It knows this realm's class alone, since to ask for the brand would take 7 of 38 ns.
    if (
      buffer instanceof Uint8Array &&
      typeof offset === "number" &&
      typeof length === "number" &&
      (offset | 0) === offset &&
      (length | 0) === length &&
      offset >= 0 &&
      length > 0 &&
      offset + length <= buffer.length
    ) {
      const isCurrent = position === null || position === undefined;
      if (isCurrent || (Number.isSafeInteger(position) && (position as number) >= -1)) {
        const count = sys.read(checkFd(fd, readSync), buffer, offset, length, isCurrent ? -1 : (position as number));
        if (count < 0) throw uvException(count, "read", undefined, undefined, readSync);
        return count;
      }
    }
    try {
      // biome-ignore lint/complexity/noArguments: Node tells its overloads apart by their number of arguments
      return readOther(arguments.length, fd, buffer, offset, length, position);
    } catch (error) {
      throw fromCaller(error, readSync);
    }
  }

  function writeOther(fd: unknown, data: unknown, offset: unknown, length: unknown, position: unknown): number {
    if (ArrayBuffer.isView(data)) {
      if (data instanceof Uint8Array && offset === undefined && length === undefined) {
        // Fast path: same result.
        const { byteLength } = data;
        if (byteLength === (byteLength | 0) && byteLength >= 0) {
          return finishWrite(sys.write(checkFd(fd), data, 0, byteLength, toWritePosition(position)));
        }
      }
      const range = toWriteRange(data, offset, length, position);
      return finishWrite(sys.write(checkFd(fd), range.bytes, range.offset, range.length, range.position));
    }
    checkString(data, "buffer");
    checkTextEncoding(data, length);
    const range = toTextRange(data, offset, length);
    return finishWrite(sys.write(checkFd(fd), range.bytes, 0, range.length, range.position));
  }

  function finishWrite(count: number): number {
    if (count < 0) throw writeException(count, writeSync);
    return count;
  }

  function writeSync(fd: unknown, data: unknown, offset?: unknown, length?: unknown, position?: unknown): number {
    // Fast path: same result, as that of readSync.
    if (
      data instanceof Uint8Array &&
      typeof offset === "number" &&
      typeof length === "number" &&
      (offset | 0) === offset &&
      (length | 0) === length &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= data.length
    ) {
      const count = sys.write(
        checkFd(fd, writeSync),
        data,
        offset,
        length,
        position === null ? -1 : toWritePosition(position),
      );
      if (count < 0) throw writeException(count, writeSync);
      return count;
    }
    try {
      return writeOther(fd, data, offset, length, position);
    } catch (error) {
      throw fromCaller(error, writeSync);
    }
  }

  return { commitRead, commitWrite, readSync, writeSync };
}
