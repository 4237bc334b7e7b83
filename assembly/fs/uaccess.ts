// Copies between the page cache and addresses in linear memory, and between two files (Linux: copy_from_iter,
// copy_page_from_iter, splice).
//
// A user's buffer outside of linear memory is copied by JavaScript, which the pieces of read-write.ts serve; these loops
// serve all data that lies in linear memory itself.
import { RESULT_ADDRESS, SLOT_NO_MIGRATE, SLOT_RESULT } from "../abi";
import { prepareWrite, readPiece } from "./read-write";
import { Inode } from "./inode";
import { slot } from "../kernel";

// @ts-ignore: decorator
@inline function resultAddress(): usize {
  return <usize>load<f64>(changetype<usize>(slot()) + SLOT_RESULT + (RESULT_ADDRESS << 3));
}

/** Copies `len` bytes at `src` into the file at `pos`; the size follows. @returns bytes copied, short when memory ran out on the way; -ENOSPC or -ENOMEM if none */
export function copyFromUser(inode: Inode, pos: f64, src: usize, len: u32): i32 {
  let copied: u32 = 0;
  while (copied < len) {
    const n = prepareWrite(inode, pos + <f64>copied, len - copied);
    if (n < 0) return copied ? copied : n;
    memory.copy(resultAddress(), src + copied, n);
    copied += n;
    inode.size = max<f64>(inode.size, pos + <f64>copied);
  }
  return copied;
}

/** Copies up to `len` bytes of the file at `pos` to `dst`; holes as zeros. @returns bytes copied, short at the end of the file */
export function copyToUser(inode: Inode, pos: f64, dst: usize, len: u32): i32 {
  let copied: u32 = 0;
  while (copied < len) {
    const n = readPiece(inode, pos + <f64>copied, len - copied);
    if (n < 0 && !copied) return n;
    if (n <= 0) break;
    const from = resultAddress();
    if (from) memory.copy(dst + copied, from, n);
    else memory.fill(dst + copied, 0, n);
    copied += n;
  }
  return copied;
}

/** Copies bytes from one file to another (or within one); holes as zeros, as tmpfs does. @returns bytes copied; short at the end of the source or when memory ran out; -ENOSPC or -ENOMEM if none */
export function copyMapping(from: Inode, posFrom: f64, to: Inode, posTo: f64, len: f64): f64 {
  slot().flags |= SLOT_NO_MIGRATE; // the piece of the source stays where it is while room for its copy is made
  const copied = copyPieces(from, posFrom, to, posTo, len);
  slot().flags &= ~SLOT_NO_MIGRATE;
  return copied;
}

function copyPieces(from: Inode, posFrom: f64, to: Inode, posTo: f64, len: f64): f64 {
  const end = min<f64>(len, from.size - posFrom); // as the source is now: within one file it may grow on the way
  let copied: f64 = 0;
  while (copied < end) {
    const want = <u32>min<f64>(end - copied, 1048576);
    const piece = readPiece(from, posFrom + copied, want);
    if (piece < 0 && copied == 0) return piece;
    if (piece <= 0) break;
    const src = resultAddress();
    const n = prepareWrite(to, posTo + copied, piece);
    if (n < 0) return copied ? copied : <f64>n;
    if (src) memory.copy(resultAddress(), src, n);
    else memory.fill(resultAddress(), 0, n);
    copied += <f64>n;
    to.size = max<f64>(to.size, posTo + copied);
  }
  return copied;
}
