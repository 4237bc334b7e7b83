/** All data of a file, of whatever file system, without its holes where it lies in memory. */
import { EIO } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { O_RDONLY } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { FMODE_READ, INODE_SIZE } from "../../wasm/layout.ts";
import type { TarPiece } from "../tar/entry.ts";
import { isPlain, type LayerFile } from "./copy-data.ts";
import { closeLayer, openLayer, operationsOf } from "./layer-file.ts";
import { inodeOf } from "./layer-names.ts";
import { bottomData } from "./stack-parts.ts";

const CHUNK_BYTES = 1 << 20;

/** What a file holds. */
export interface FileData {
  readonly size: number;
  readonly pieces: TarPiece[];
}

/** @returns copies; -EAGAIN of a store with a token; what a file system answers; -EIO when less is there than it says */
export function readPieces(kernel: Kernel, { mnt, dentry }: LayerFile): FileData | number {
  const file = openLayer(kernel, mnt, dentry, O_RDONLY, FMODE_READ);
  if (file < 0) return file;
  const inode = bottomData(kernel, inodeOf(kernel.core, dentry)); // it is open, so these are there
  const data = isPlain(kernel, inode) ? readRanges(kernel, file, inode) : readToEnd(kernel, file);
  void closeLayer(kernel, file);
  return data;
}

/** Fills a buffer, or as much of it as there is. @returns bytes; a negated errno */
function fill(kernel: Kernel, file: FileHandle, buffer: Uint8Array, pos: number): number {
  const { read } = operationsOf(kernel, file);
  for (let done = 0; done < buffer.length; ) {
    const n = read?.(kernel, file, buffer, done, buffer.length - done, pos + done) ?? -EIO;
    if (n < 0) return n;
    if (n === 0) return done;
    done += n;
  }
  return buffer.length;
}

function readRanges(kernel: Kernel, file: FileHandle, inode: InodeHandle): FileData | number {
  const { core } = kernel;
  const size = core.f64[(inode << 2) + INODE_SIZE];
  const pieces: TarPiece[] = [];
  for (let at = 0; at < size; ) {
    const start = core.x.seekData(inode, at);
    if (start < 0) break; // nothing but a hole up to the end
    at = Math.min(core.x.seekHole(inode, start), size);
    const bytes = new Uint8Array(at - start);
    const n = fill(kernel, file, bytes, start);
    if (n < bytes.length) return n < 0 ? n : -EIO;
    pieces.push({ at: start, bytes });
  }
  return { size, pieces };
}

/** Whatever size it says. */
function readToEnd(kernel: Kernel, file: FileHandle): FileData | number {
  const pieces: TarPiece[] = [];
  for (let size = 0; ; ) {
    const bytes = new Uint8Array(CHUNK_BYTES);
    const n = fill(kernel, file, bytes, size);
    if (n < 0) return n;
    if (n > 0) pieces.push({ at: size, bytes: bytes.subarray(0, n) });
    size += n;
    if (n < CHUNK_BYTES) return { size, pieces };
  }
}
