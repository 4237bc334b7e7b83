/**
 * All that can be seen of a tree through a face, as text: one line a name with every attribute, link targets, data with
 * its holes, hard links by inode number. Nothing is changed by looking: files are opened with O_NOATIME.
 */
import { createHash } from "node:crypto";
import type { FolioFs } from "../../src/index.ts";

const O_RDONLY_NOATIME = 0o1000000;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** @param root absolute path of a directory */
export function describeTree(fs: FolioFs, root = "/"): string[] {
  const lines: string[] = [];
  visit(fs, Buffer.from(root), lines);
  return lines;
}

function visit(fs: FolioFs, path: Buffer, lines: string[]): void {
  const s = fs.lstatSync(path, { bigint: true });
  const times = [s.atimeNs, s.mtimeNs, s.ctimeNs, s.birthtimeNs].join(" ");
  const attributes = `${s.dev}:${s.ino} ${s.mode.toString(8)} ${s.nlink} ${s.uid}:${s.gid} ${s.rdev} ${s.size}/${s.blocks} ${times}`;
  lines.push(`${path.toString("latin1")} ${attributes} ${contentOf(fs, path, s.isFile(), s.isSymbolicLink())}`);
  if (!s.isDirectory()) return;
  for (const name of fs.readdirSync(path, { encoding: "buffer" })) {
    visit(fs, Buffer.concat([path, path.at(-1) === 0x2f ? Buffer.of() : Buffer.from("/"), name]), lines);
  }
}

function contentOf(fs: FolioFs, path: Buffer, isFile: boolean, isLink: boolean): string {
  if (isLink) return `-> ${fs.readlinkSync(path, { encoding: "buffer" }).toString("latin1")}`;
  return isFile ? dataOf(fs, path) : "";
}

/** Where data lies, and a digest of it. */
function dataOf(fs: FolioFs, path: Buffer): string {
  const fd = fs.openSync(path, O_RDONLY_NOATIME);
  const hash = createHash("sha1");
  const runs: string[] = [];
  try {
    for (let pos = nextData(fs, fd, 0); pos >= 0; ) {
      const end = fs.lseekSync(fd, pos, SEEK_HOLE);
      const bytes = Buffer.alloc(end - pos);
      fs.readSync(fd, bytes, 0, bytes.length, pos);
      hash.update(bytes);
      runs.push(`${pos}-${end}`);
      pos = nextData(fs, fd, end);
    }
  } finally {
    fs.closeSync(fd);
  }
  return `${runs.join(",")} ${hash.digest("base64")}`;
}

/** -1 = there is none. */
function nextData(fs: FolioFs, fd: number, pos: number): number {
  try {
    return fs.lseekSync(fd, pos, SEEK_DATA);
  } catch {
    return -1;
  }
}

/** Targets, types and options of all mounts; their numbers and sources too. */
export function describeMounts(fs: FolioFs): string[] {
  return fs.kernel.mounts().map((mount) => JSON.stringify(mount));
}
