/**
 * The two realpaths of Node, which are both made of single calls: the C library's, and Node's own.
 *
 * @see glibc stdlib/canonicalize.c realpath_stk(); Node 26 lib/fs.js realpathSync()
 */
import { posix } from "node:path";
import { Fault, fail } from "./fault.ts";
import { SymbolicLink } from "./inode.ts";
import { bytesOfPath, textOf } from "./node-arguments.ts";
import type { ModelTask } from "./task.ts";

const MAX_LINKS = 40;
/** What can follow only a directory, though no name is looked up in it: a slash at the end, `.` there, `..` anywhere next. */
const WANTS_DIRECTORY = /^(\/+\.)*\/+(\.\.?)?$|^(\/+\.)*\/+\.\.\//;

/** Takes the last name off a path; of the root there is none. */
function withoutLast(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The target of a link; undefined of what is there and is none. @throws errors of readlink */
function targetOf(task: ModelTask, path: string): string | undefined {
  try {
    return task.readlink(path);
  } catch (error) {
    if ((error as Fault).code === "EINVAL") return undefined;
    throw error;
  }
}

/**
 * Reads one component after the other as a link, below the path found so far; `.` and `..` are taken off that as text.
 *
 * @throws ENOENT, ELOOP, and what reading links fails with
 */
export function libraryRealpath(task: ModelTask, path: string): string {
  if (path === "") fail("ENOENT");
  let found = path.startsWith("/") ? "" : task.getcwd().replace(/^\/$/, "");
  let nrLinks = 0;
  for (let rest = path; ; ) {
    rest = rest.replace(/^\/+/, "");
    if (rest === "") return found || "/";
    const [name] = rest.split("/", 1);
    rest = rest.slice(name.length);
    if (name === ".") continue;
    if (name === "..") {
      found = withoutLast(found);
      continue;
    }
    const child = `${found}/${name}`;
    const target = libraryStep(task, child, rest);
    if (target === undefined) {
      found = child;
      continue;
    }
    if (++nrLinks > MAX_LINKS) fail("ELOOP");
    if (target.startsWith("/")) found = "";
    rest = target + rest;
  }
}

/** @returns the target where it is a link */
function libraryStep(task: ModelTask, path: string, rest: string): string | undefined {
  if (!WANTS_DIRECTORY.test(rest)) return targetOf(task, path);
  let target: string | undefined;
  try {
    target = task.readlink(path);
  } catch {
    task.stat(`${path}/`); // whatever it failed with, this fails with better
  }
  return target;
}

/** A path made absolute as text. @throws what process.cwd() throws */
function absolute(cwd: () => string, path: string): string {
  return posix.resolve(path.startsWith("/") ? "/" : cwd(), path);
}

/** A call with its name on what it fails with. */
function named<T>(syscall: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof Fault) error.syscall ??= syscall;
    throw error;
  }
}

/** What a walk of Node's that never ends fails with here: programs do without it. */
export const ENDLESS = "ENDLESS";
/** Links that no walk comes to which ends. */
const MAX_STEPS = 2_000;

/** Node's own walk: on text, from the left, and over again from the root after each link. @throws with the names of single calls; ENDLESS */
export function nodeRealpath(task: ModelTask, given: string, cwd: () => string): string {
  const plain = new Set<string>();
  const targets = new Map<number, string>();
  let path = absolute(cwd, given);
  let nrLinks = 0;
  for (let pos = 1; pos < path.length; ) {
    const slash = path.indexOf("/", pos);
    const end = slash < 0 ? path.length : slash;
    const [above, base] = [path.slice(0, pos), path.slice(0, end)];
    pos = slash < 0 ? end : end + 1;
    if (plain.has(base)) continue;
    const bytes = bytesOfPath(base);
    const inode = named("lstat", () => task.lstat(bytes));
    if (!(inode instanceof SymbolicLink)) {
      plain.add(base);
      continue;
    }
    if (++nrLinks > MAX_STEPS) fail(ENDLESS);
    let target = targets.get(inode.ino);
    if (target === undefined) {
      named("stat", () => task.stat(bytes));
      target = textOf(named("readlink", () => task.readlink(bytes)));
      targets.set(inode.ino, target);
    }
    path = posix.resolve(above, target, path.slice(pos));
    pos = 1;
  }
  return path;
}
