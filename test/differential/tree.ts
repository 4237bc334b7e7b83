/**
 * The trees that cases start from, and the dump that shows what a call did to them.
 *
 * Every entry gets a fixed old mtime and an atime far ahead (which relatime never moves), so that the dump can tell
 * a time that the call changed ("now") from one that it left.
 */
import { createHash } from "node:crypto";
import { S_IFIFO } from "../../src/base/stat-flags.ts";
import { emptyRoot, type Subject } from "../helpers/subject.ts";
import { describeTime, maskText } from "./describe.ts";

export const OLD_MTIME = 1_000_000_000;
export const AHEAD_ATIME = 4_000_000_000;
export const NAME_255 = "n".repeat(255);
/** 0xff and 0xfe occur nowhere in UTF-8. */
export const RAW_NAME = Buffer.from([0x72, 0x61, 0x77, 0xff, 0xfe]);
export const BIG_BYTES = 20_000;

export type TreeName = "battery" | "data" | "empty";

/** Bytes that differ from page to page, so that a mixed-up page shows. */
export function pattern(nrBytes: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(nrBytes);
  for (let i = 0; i < nrBytes; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed) & 0xff;
  return bytes;
}

const BIG = pattern(BIG_BYTES);

function buildFiles({ fs, root }: Subject): void {
  fs.writeFileSync(`${root}/file`, "hello world\n");
  fs.writeFileSync(`${root}/empty`, "");
  fs.writeFileSync(`${root}/exec`, "#!/bin/sh\n", { mode: 0o755 });
  fs.writeFileSync(`${root}/readonly`, "read only", { mode: 0o444 });
  fs.writeFileSync(`${root}/big`, BIG);
  fs.writeFileSync(`${root}/hard1`, "two names");
  fs.linkSync(`${root}/hard1`, `${root}/hard2`);
}

function buildOddNames({ fs, root }: Subject): void {
  fs.writeFileSync(`${root}/back\\slash`, "backslash");
  fs.writeFileSync(`${root}/ünï-😀`, "unicode");
  fs.writeFileSync(`${root}/sp ace%20`, "space");
  fs.writeFileSync(`${root}/${NAME_255}`, "longest");
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), RAW_NAME]), "raw");
}

function buildDirectories({ fs, root }: Subject): void {
  fs.mkdirSync(`${root}/dir/sub/deep`, { recursive: true });
  fs.mkdirSync(`${root}/emptydir`);
  fs.mkdirSync(`${root}/otherdir`);
  fs.writeFileSync(`${root}/dir/file`, "in dir");
  fs.writeFileSync(`${root}/dir/sub/leaf`, "leaf");
  fs.writeFileSync(`${root}/otherdir/kept`, "kept");
}

function buildLinks({ fs, root }: Subject): void {
  fs.symlinkSync("file", `${root}/l-file`);
  fs.symlinkSync("l-file", `${root}/l-l-file`);
  fs.symlinkSync(`${root}/file`, `${root}/l-absolute`);
  fs.symlinkSync("dir", `${root}/l-dir`);
  fs.symlinkSync("emptydir", `${root}/l-emptydir`);
  fs.symlinkSync("dir/sub", `${root}/l-sub`);
  fs.symlinkSync("dir/", `${root}/l-dir-slash`);
  fs.symlinkSync("file/", `${root}/l-file-slash`);
  fs.symlinkSync("missing", `${root}/l-dangling`);
  fs.symlinkSync("missing/deep", `${root}/l-dangling-deep`);
  fs.symlinkSync("file/under", `${root}/l-under-file`);
  fs.symlinkSync("l-loop", `${root}/l-loop`);
  fs.symlinkSync("l-loop-b", `${root}/l-loop-a`);
  fs.symlinkSync("l-loop-a", `${root}/l-loop-b`);
  fs.symlinkSync(".", `${root}/l-here`);
  fs.symlinkSync("../dir/sub", `${root}/otherdir/l-sub`);
}

/** A fifo per subject, outside its root, so that building a tree needs a cheap link() only. */
function linkFifo({ fs, root }: Subject): void {
  const shelf = `${root}.fifo`;
  if (!fs.existsSync(shelf)) fs.mknodSync(shelf, S_IFIFO | 0o644, 0);
  fs.linkSync(shelf, `${root}/fifo`);
}

/** Removes what `linkFifo` left beside the root. */
export function clearShelf({ fs, root }: Subject): void {
  fs.rmSync(`${root}.fifo`, { force: true });
}

function buildData({ fs, root }: Subject): void {
  fs.writeFileSync(`${root}/file`, "hello world\n");
  fs.writeFileSync(`${root}/empty`, "");
  fs.writeFileSync(`${root}/big`, BIG);
  fs.mkdirSync(`${root}/dir`);
}

/** Gives all entries below `directory` the fixed times, deepest first. */
function settleTimes(subject: Subject, directory: Buffer): void {
  for (const name of subject.fs.readdirSync(directory, { encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), name]);
    if (subject.fs.lstatSync(path).isDirectory()) settleTimes(subject, path);
    else subject.fs.lutimesSync(path, AHEAD_ATIME, OLD_MTIME);
  }
  subject.fs.utimesSync(directory, AHEAD_ATIME, OLD_MTIME);
}

/** Replaces all that is in the subject's root by a fresh tree. */
export function buildTree(subject: Subject, name: TreeName): void {
  const root = Buffer.from(subject.root);
  emptyRoot(subject);
  subject.fs.chmodSync(root, 0o755);
  subject.fs.chownSync(root, 0, 0);
  if (name === "data") buildData(subject);
  if (name === "battery") {
    for (const build of [buildFiles, buildOddNames, buildDirectories, buildLinks, linkFifo]) build(subject);
  }
  settleTimes(subject, root);
  subject.layers?.sink();
}

/** Contents up to this size are shown whole or as a digest; larger files (sparse ones) by size alone. */
const DIGEST_BYTES = 1 << 20;
const SHOWN_BYTES = 64;

function contentOf(subject: Subject, path: Buffer, size: number): string {
  if (size > DIGEST_BYTES) return "(large)";
  const bytes = subject.fs.readFileSync(path);
  if (bytes.length <= SHOWN_BYTES) return JSON.stringify(maskText(bytes.toString("latin1"), subject.root));
  return `sha1 ${createHash("sha1").update(bytes).digest("hex")}`;
}

function lineOf(subject: Subject, path: Buffer): string {
  const stats = subject.fs.lstatSync(path);
  const words = [
    stats.mode.toString(8),
    `nlink=${stats.nlink}`,
    `owner=${stats.uid}:${stats.gid}`,
    `size=${stats.size}`,
    `blocks=${stats.blocks}`,
    `rdev=${stats.rdev}`,
    `atime=${describeTime(stats.atimeMs)}`,
    `mtime=${describeTime(stats.mtimeMs)}`,
  ];
  if (stats.isSymbolicLink()) words.push(`-> ${maskText(subject.fs.readlinkSync(path, "latin1"), subject.root)}`);
  if (stats.isFile()) words.push(contentOf(subject, path, stats.size));
  return words.join(" ");
}

/** One line for each entry of the tree, by its name relative to the root (as latin1: names are bytes). */
export type Dump = Map<string, string>;

function dumpInto(subject: Subject, path: Buffer, name: string, dump: Dump): void {
  dump.set(maskText(name, subject.root), lineOf(subject, path));
  if (!subject.fs.lstatSync(path).isDirectory()) return;

  for (const child of subject.fs.readdirSync(path, { encoding: "buffer" })) {
    const childPath = Buffer.concat([path, Buffer.from("/"), child]);
    dumpInto(subject, childPath, `${name}/${child.toString("latin1")}`, dump);
  }
}

/** Dumps the whole tree below the subject's root, the root included (as "."). */
export function dumpTree(subject: Subject): Dump {
  const dump: Dump = new Map();
  dumpInto(subject, Buffer.from(subject.root), ".", dump);
  return dump;
}

/** What differs from `before` to `after`: removed (-), added (+) and changed (~) lines. */
export function changes(before: Dump, after: Dump): string[] {
  const lines: string[] = [];
  for (const [name, line] of before) if (!after.has(name)) lines.push(`- ${name} ${line}`);
  for (const [name, line] of after) {
    const old = before.get(name);
    if (old === undefined) lines.push(`+ ${name} ${line}`);
    else if (old !== line) lines.push(`~ ${name} ${line}`);
  }
  return lines;
}
