/**
 * Reads and writes of files in memory that come to a page which is in a swap area, or need room for one: they go on when it is there.
 *
 * A call that has to wait for a device begins again as if it had done nothing, unless much is done, or it appends: then it ends, and
 * tells how much.
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { filemapRead, filemapWrite } from "../mm/filemap.ts";
import { FILE_MODE, FMODE_APPEND } from "../wasm/layout.ts";
import { holdFile, letGo } from "./drop-file.ts";
import { endTry } from "./kept-file.ts";
import type { Kernel } from "./kernel.ts";

/** Bytes that are not read or written again. */
const MUCH = 1 << 18;

/**
 * Goes on with what has answered `first`.
 *
 * @param move does more: is given what is done, answers bytes or a negated errno
 * @returns bytes; without any -EAGAIN with a token, or what stands in the way
 */
function goOn(
  kernel: Kernel,
  file: FileHandle,
  length: number,
  position: number,
  first: number,
  move: (done: number) => number,
): number {
  const core = holdFile(kernel, file);
  let done = 0;
  let n = first;
  try {
    for (;;) {
      if (n > 0) done += n;
      if (n === 0 || done >= length) return done;
      const rc = n < 0 ? kernel.room(n) : TRY_AGAIN;
      if (rc !== TRY_AGAIN) return stop(kernel, file, position, done, rc);
      n = move(done);
    }
  } finally {
    letGo(kernel, file, core);
  }
}

/** @returns what a call answers that has done some and cannot go on */
function stop(kernel: Kernel, file: FileHandle, position: number, done: number, rc: number): number {
  const { core } = kernel;
  if (rc !== -EAGAIN) return done || rc;
  const isOver = done > 0 && (!kernel.mayWait || done >= MUCH || core.u32[(file << 3) + FILE_MODE] & FMODE_APPEND);
  if (isOver) {
    kernel.takeWaitToken();
    return done;
  }
  if (position < 0) core.setFilePos(file, core.filePos(file) - done);
  return endTry(kernel, file, position, rc);
}

/** Goes on with a read. @param first what filemapRead() has answered @returns as that; -EAGAIN with a token; -EIO; -ENOMEM */
export function readOn(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  first: number,
): number {
  const n = goOn(kernel, file, length, position, first, (done) => {
    const at = position < 0 ? position : position + done;
    return filemapRead(kernel.core, file, buffer, offset + done, length - done, at);
  });
  return n === -EAGAIN ? n : endTry(kernel, file, position, n);
}

/** Goes on with a write. @param first what filemapWrite() has answered @returns as that; -EAGAIN with a token; -EIO */
export function writeOn(
  kernel: Kernel,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  first: number,
): number {
  const n = goOn(kernel, file, length, position, first, (done) => {
    const at = position < 0 ? position : position + done;
    return filemapWrite(kernel.core, file, buffer, offset + done, length - done, at, kernel.now());
  });
  return n === -EAGAIN ? n : endTry(kernel, file, position, n);
}
