/**
 * The tasks behind faces: made from options, and told as options again for snapshots and forks.
 *
 * Does not own: the checks of options (index-options.ts), what a task may ask for (vfs/new-task.ts).
 */
import { EEXIST, EPERM } from "./base/errno.ts";
import { openStdio } from "./fs/stdio.ts";
import { hostCwd, streamsOf, type TaskOptions } from "./index-options.ts";
import { decodeUtf8 } from "./node/encoding.ts";
import { argValueError } from "./node/errors.ts";
import { type SystemCallError, uvException } from "./node/uv-errors.ts";
import { isCapable } from "./vfs/attr.ts";
import type { FileTable } from "./vfs/file-table.ts";
import type { Kernel } from "./vfs/kernel.ts";
import { MAX_FILES } from "./vfs/new-task.ts";
import type { KeptOptions } from "./vfs/snapshot-format.ts";
import type { Task } from "./vfs/task.ts";

/** What all faces of a kernel have in common. */
export interface Machine {
  readonly module: WebAssembly.Module;
  /** Options of the kernel that its snapshots keep. */
  readonly kept: Pick<KeptOptions, "memoryLimit" | "preallocate">;
  /** The task of whoever made the kernel. */
  readonly first: Task;
}

/** What a face's task is made with. */
interface FaceTask extends TaskOptions {
  root?: string;
  /** Another task's descriptors. */
  table?: FileTable;
  /** Its working directory is made, as by mkdir -p. */
  makesCwd?: boolean;
  /** A working directory that is not there is no error: the task stands at its root then. */
  keepsCwd?: boolean;
}

/**
 * Makes the task of a face. @param maker the task that asks for it; undefined for the first one of a kernel
 * @throws EPERM, ENOMEM; ENOENT, ENOTDIR, EACCES, naming the option, for directories; ERR_INVALID_ARG_VALUE for standard
 *   descriptors in a table that another task has
 */
export function newFaceTask(kernel: Kernel, options: FaceTask, maker: Task | undefined): Task {
  const { root, cwd, stdio, table, makesCwd, keepsCwd, ...rest } = options;
  const streams = streamsOf(options);
  if (table && streams) throw argValueError("options.stdio", stdio, "is for a descriptor table of its own");
  if (root !== undefined && maker && !isCapable(maker)) throw optionError(-EPERM, "chroot", "root", root);
  const hostsCwd = cwd === true ? { hostCwd } : {};
  const own = { ...rest, ...hostsCwd, files: table, firstFd: streams && 0 };
  const task = kernel.newTask(own, maker);
  if (typeof task === "number") throw uvException(task, "task");
  try {
    if (root !== undefined) check(task.changeRoot(root), "chroot", "root", root);
    const start = cwd === true ? hostCwd() : cwd;
    if (start !== undefined && makesCwd) check(makeDirectories(task, start), "mkdir", "cwd", start);
    if (typeof cwd === "string" && !keepsCwd) check(task.chdir(cwd), "chdir", "cwd", cwd);
    if (typeof cwd === "string" && keepsCwd) task.chdir(cwd);
    const opened = streams ? openStdio(task, streams) : 0;
    if (opened < 0) throw uvException(opened, "task");
    return task;
  } catch (error) {
    task.exit();
    throw error;
  }
}

function check(rc: number, syscall: string, option: string, path: string): void {
  if (rc < 0) throw optionError(rc, syscall, option, path);
}

/** A failed call, with the option it was made for in the place of its name. */
function optionError(rc: number, syscall: string, option: string, path: string): SystemCallError {
  const error = uvException(rc, `options.${option}`, path);
  error.syscall = syscall;
  return error;
}

/** As mkdir -p. */
function makeDirectories(task: Task, path: string): number {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const rc = path === "/" ? 0 : task.mkdir(end < 0 ? path : path.slice(0, end), 0o777);
    if (rc < 0 && rc !== -EEXIST) return rc;
    if (end < 0) return 0;
  }
}

/** What options are where nobody says anything. */
const DEFAULTS: KeptOptions = { uid: 0, gid: 0, umask: 0o022, cwd: "/", maxFiles: MAX_FILES, fileSizeLimit: Infinity };

/** Options that make another kernel with the first task of this one behave as this one does, defaults left out. */
export function keptOptions({ kept, first }: Machine): KeptOptions {
  const { uid, gid, groups } = first.credentials;
  const options: KeptOptions = {
    ...kept,
    uid,
    gid,
    groups: groups.length > 0 ? groups : undefined,
    umask: first.umaskOf(),
    cwd: first.followsHost ? true : cwdOf(first),
    maxFiles: first.files.maxFiles,
    fileSizeLimit: first.fileSizeLimit,
  };
  const changed = Object.entries(options).filter(([name, value]) => value !== DEFAULTS[name as keyof KeptOptions]);
  return Object.fromEntries(changed);
}

/** The root, for a working directory that has been removed. */
function cwdOf(task: Task): string {
  const path = task.getcwd();
  return typeof path === "number" ? "/" : decodeUtf8(path);
}
