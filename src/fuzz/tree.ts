/**
 * The whole of a tree, one line a name: what checkpoints compare.
 *
 * Files are looked at without being read where they are large: in a few places, those in which the generator writes.
 */
import { createHash } from "node:crypto";
import { type Detail, describeBytes, describeStats } from "./describe.ts";
import type { NodeFs } from "./perform.ts";

const READ_BYTES = 1 << 17;
/** Where programs write in large files. */
const PLACES = [0, 2 ** 31, 2 ** 32, 2 ** 40];
const O_RDONLY_NOATIME = 0o1000000;

/** @param root path of the tree @param names the directory's names, as bytes of latin1, are sorted */
export function describeTree(fs: NodeFs, root: string, detail: Detail): string[] {
  const lines: string[] = [];
  visit(fs, Buffer.from(root === "" ? "/" : root), ".", { lines, detail, inodes: new Map() });
  return lines;
}

interface Told {
  readonly lines: string[];
  readonly detail: Detail;
  /** Inodes by the order in which they come up: two names of one file have one number. */
  readonly inodes: Map<number | bigint, number>;
}

function visit(fs: NodeFs, path: Buffer, shown: string, told: Told): void {
  const stats = fs.lstatSync(path);
  if (!told.inodes.has(stats.ino)) told.inodes.set(stats.ino, told.inodes.size);
  const words = [shown, `#${told.inodes.get(stats.ino)}`, describeStats(stats, told.detail)];
  if (stats.isSymbolicLink()) words.push(`-> ${JSON.stringify(fs.readlinkSync(path, "latin1"))}`);
  if (stats.isFile()) words.push(contentOf(fs, path, stats.size));
  told.lines.push(words.join(" "));
  if (!stats.isDirectory()) return;
  for (const name of fs.readdirSync(path, { encoding: "buffer" })) {
    const below = Buffer.concat([path, Buffer.from(path.at(-1) === 0x2f ? "" : "/"), name]);
    visit(fs, below, `${shown}/${name.toString("latin1")}`, told);
  }
}

function contentOf(fs: NodeFs, path: Buffer, size: number): string {
  const fd = fs.openSync(path, O_RDONLY_NOATIME);
  try {
    if (size <= READ_BYTES) return describeBytes(readAt(fs, fd, 0, size));
    const hash = createHash("sha1");
    for (const place of [...PLACES, size - READ_BYTES]) {
      if (place < size) hash.update(readAt(fs, fd, Math.max(0, place - READ_BYTES / 2), READ_BYTES));
    }
    return hash.digest("base64url");
  } finally {
    fs.closeSync(fd);
  }
}

function readAt(fs: NodeFs, fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}
