/**
 * readv, writev and copyFileRange.
 */
import { EAGAIN, EINVAL, EOPNOTSUPP } from "../../base/errno.ts";
import { bytesOf } from "../../base/views.ts";
import type { Syscalls } from "../../vfs/syscalls.ts";
import { fromCaller, type Origin } from "../stacks.ts";
import { type Failure, failed, uvException } from "../uv-errors.ts";
import { checkBufferArray, checkFd, checkInteger, toWritePosition } from "../validators.ts";

/** Buffers still to go, with the progress made: committing again goes on where the last one stopped. */
export interface VectorRequest {
  fd: number;
  buffers: ArrayBufferView[];
  /** Of the next byte; -1 is the file's own. */
  position: number;
  /** Index of the buffer that is next. */
  next: number;
  transferred: number;
}

type Transfer = (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  before: number,
) => number;
type TransferVector = (fd: number, buffers: ArrayBufferView[], position: number) => number;

/** @throws ERR_INVALID_ARG_TYPE for anything but an array of views; descriptors are checked by the caller before */
export function toVectorRequest(fd: number, buffers: ArrayBufferView[], position: unknown): VectorRequest {
  return { fd, buffers, position: toWritePosition(position), next: 0, transferred: 0 };
}

/** Buffers that one system call takes, IOV_MAX. libuv reads with one call, and writes with as many as it takes. */
const IOV_MAX = 1024;

/** Whether the buffers of the system call that starts with number `start` have no byte between them. */
function isNothing(buffers: readonly ArrayBufferView[], start: number): boolean {
  const end = Math.min(buffers.length, start + IOV_MAX);
  for (let i = start; i < end; i++) if (buffers[i].byteLength > 0) return false;
  return true;
}

/**
 * Notes what a system call on the next `nr` buffers has come to. A failure counts only when nothing was transferred before it.
 *
 * @returns what the request comes to, if it is over with that
 */
function note(request: VectorRequest, nr: number, count: number): number | undefined {
  if (count < 0) return request.transferred && count !== -EAGAIN ? request.transferred : count;
  request.next += nr;
  request.transferred += count;
  if (request.position >= 0) request.position += count;
  return undefined;
}

/** Runs over the buffers before `end` until one comes back short. */
function transferAll(request: VectorRequest, end: number, transfer: Transfer): number {
  const { fd, buffers } = request;
  while (request.next < end) {
    const bytes = bytesOf(buffers[request.next]);
    // Last what the same system call has moved before.
    const count = transfer(fd, bytes, 0, bytes.length, request.position, request.next % IOV_MAX && request.transferred);
    const over = note(request, 1, count);
    if (over !== undefined) return over;
    if (count < bytes.length) break;
  }
  return request.transferred;
}

/** System call by system call where the file takes one for what it is, else buffer by buffer. */
function moveAll(request: VectorRequest, end: number, move: TransferVector, transfer: Transfer): number {
  const { fd, buffers, next } = request;
  if (next === end) return request.transferred;
  const part = next || buffers.length > IOV_MAX ? buffers.slice(next, Math.min(end, next + IOV_MAX)) : buffers;
  const count = move(fd, part, request.position);
  if (count === -EOPNOTSUPP) return transferAll(request, end, transfer);
  return note(request, part.length, count) ?? moveAll(request, end, move, transfer);
}

/** Synchronous forms cannot wait for the rest: what was transferred before the wait is their result. */
function countOrThrow(request: VectorRequest, outcome: number | Failure, form: Origin): number {
  if (typeof outcome === "number") return outcome;
  if (request.transferred) return request.transferred;
  throw outcome.toError(form);
}

function toSyncRequest(fd: unknown, buffers: unknown, position: unknown, form: Origin): VectorRequest {
  try {
    checkBufferArray(buffers);
    return toVectorRequest(checkFd(fd), buffers, position);
  } catch (error) {
    throw fromCaller(error, form);
  }
}

/** readv, writev and copyFileRange on the system calls of a task. */
export function vectorOperations(sys: Syscalls) {
  // Asked for each time: whoever has calls fail puts other functions there.
  const read: Transfer = (fd, bytes, offset, length, position) => sys.read(fd, bytes, offset, length, position);
  const write: Transfer = (fd, bytes, offset, length, position, before) =>
    sys.write(fd, bytes, offset, length, position, before);
  const readv: TransferVector = (fd, buffers, position) => sys.readv(fd, buffers, position);
  const writev: TransferVector = (fd, buffers, position) => sys.writev(fd, buffers, position);

  function readVector(request: VectorRequest): number {
    const { fd, buffers } = request;
    if (buffers.length === 0) return -EINVAL; // the kernel wants at least one
    // One buffer is read(2), which a directory refuses even then.
    if (buffers.length > 1 && isNothing(buffers, 0)) return sys.readvNothing(fd);
    return moveAll(request, Math.min(buffers.length, IOV_MAX), readv, read);
  }

  function commitReadv(request: VectorRequest): number | Failure {
    const count = readVector(request);
    return count < 0 ? failed(sys, count, "read") : count;
  }

  /** A call that writes nothing is the last one. */
  function writeVector(request: VectorRequest): number {
    const { fd, buffers } = request;
    let end = 0;
    while (end < buffers.length && !isNothing(buffers, end)) end += IOV_MAX;
    return end ? moveAll(request, Math.min(end, buffers.length), writev, write) : sys.writevNothing(fd);
  }

  function commitWritev(request: VectorRequest): number | Failure {
    const count = writeVector(request);
    return count < 0 ? failed(sys, count, "write") : count;
  }

  function readvSync(fd: unknown, buffers: unknown, position?: unknown): number {
    const request = toSyncRequest(fd, buffers, position, readvSync);
    return countOrThrow(request, commitReadv(request), readvSync);
  }

  function writevSync(fd: unknown, buffers: unknown, position?: unknown): number {
    if (Array.isArray(buffers) && buffers.length === 0) return 0;
    const request = toSyncRequest(fd, buffers, position, writevSync);
    return countOrThrow(request, commitWritev(request), writevSync);
  }

  function copyFileRangeSync(
    fdIn: unknown,
    positionIn: unknown,
    fdOut: unknown,
    positionOut: unknown,
    length: unknown,
  ): number {
    const from = checkFd(fdIn);
    const to = checkFd(fdOut);
    if (positionIn !== null) checkInteger(positionIn, "positionIn", 0);
    if (positionOut !== null) checkInteger(positionOut, "positionOut", 0);
    checkInteger(length, "length", 0);
    const count = sys.copyFileRange(from, positionIn ?? -1, to, positionOut ?? -1, length);
    if (count < 0) throw uvException(count, "copy_file_range");
    return count;
  }

  return { commitReadv, commitWritev, readvSync, writevSync, copyFileRangeSync };
}
