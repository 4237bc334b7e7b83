/**
 * Calls of node:fs that are made of several system calls: mkdir with parents, copyFile, readFile.
 *
 * @see Node 26 src/node_file.cc MKDirpSync(), lib/fs.js readFileSync(); libuv src/unix/fs.c uv__fs_copyfile()
 */
import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY, S_IALLUGO } from "../../base/stat-flags.ts";
import { type Fault, fail } from "./fault.ts";
import { Directory, RegularFile } from "./inode.ts";
import { CURRENT, type ModelTask } from "./task.ts";

/** Errors of mkdir that end the climb: others may be of a directory that is there. */
const FINAL = new Set(["EACCES", "ENOSPC", "ENOTDIR", "EPERM"]);

/** What stands before the last slash; all of it if there is none. */
function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? path : path.slice(0, slash);
}

/** @returns the error's code; undefined = it has been made */
function tryMkdir(task: ModelTask, path: string, mode: number): string | undefined {
  try {
    task.mkdir(path, mode);
    return undefined;
  } catch (error) {
    return (error as Fault).code;
  }
}

/** Makes a directory and what is missing above it. @returns the first that was made, if any */
export function mkdirs(task: ModelTask, path: string, mode: number): string | undefined {
  let first: string | undefined;
  /** No parent is missing: whatever is still missing cannot be made. */
  let hasParents = false;
  for (const pending = [path]; pending.length > 0; ) {
    const next = pending[pending.length - 1];
    const code = tryMkdir(task, next, mode);
    if (code === "ENOENT" && !hasParents) {
      const parent = parentOf(next);
      hasParents = parent === next;
      if (!hasParents) pending.push(parent);
      else if (pending.length > 1) pending.pop();
      continue;
    }
    if (code === undefined) first ??= next;
    else if (FINAL.has(code)) fail(code);
    else if (!(task.stat(next) instanceof Directory)) {
      fail(code === "EEXIST" && pending.length > 1 ? "ENOTDIR" : "EEXIST");
    }
    hasParents = true;
    pending.pop();
  }
  return first;
}

/** Mode of copyFile: a new file only. */
const COPYFILE_EXCL = 1;

/** Contents, times, owner where one may, and permissions. What has been begun when it fails is removed. */
export function copyFile(task: ModelTask, from: string, to: string, mode: number): void {
  const source = task.open(from, O_RDONLY, 0);
  try {
    const { atimeMs, mtimeMs, uid, gid, mode: bits, size, ino } = task.fstat(source);
    const isNew = (mode & COPYFILE_EXCL) !== 0;
    const before = { atimeMs, mtimeMs, uid, gid, bits: bits & S_IALLUGO, size };
    const copy = task.open(to, O_WRONLY | O_CREAT | (isNew ? O_EXCL : 0), before.bits);
    let isDone = false;
    try {
      if (isNew || task.fstat(copy).ino !== ino) {
        if (!isNew) task.ftruncate(copy, 0);
        fill(task, source, copy, before);
      }
      isDone = true;
    } finally {
      task.close(copy);
      if (!isDone) tryUnlink(task, to); // when it is closed: who watches it is told of its end before the directory is
    }
  } finally {
    task.close(source);
  }
}

interface Source {
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly uid: number;
  readonly gid: number;
  readonly bits: number;
  readonly size: number;
}

function fill(task: ModelTask, from: number, to: number, { atimeMs, mtimeMs, uid, gid, bits, size }: Source): void {
  task.futimes(to, atimeMs, mtimeMs);
  try {
    task.fchown(to, uid, gid);
  } catch {} // a copy of one's own
  task.fchmod(to, bits);
  if (!(task.fstat(from) instanceof RegularFile)) fail("EISDIR");
  if (size > 0) task.copyFileRange(from, to, size);
}

function tryUnlink(task: ModelTask, path: string): void {
  try {
    task.unlink(path);
  } catch {}
}

/** Bytes at once of a file that says it is empty. */
const UNKNOWN_BYTES = 1 << 16;

/** From where the descriptor is, as far as the file says that it goes. */
export function readWhole(task: ModelTask, fd: number): Buffer {
  const inode = task.fstat(fd);
  const size = inode instanceof RegularFile ? inode.size : 0;
  const bytes = Buffer.alloc(size || UNKNOWN_BYTES);
  let length = 0;
  for (;;) {
    const count = task.read(fd, [bytes.subarray(length)], CURRENT);
    length += count;
    if (count === 0 || length >= size) return bytes.subarray(0, length);
  }
}
