/**
 * Making tasks: what a new one starts with, and who may make which.
 *
 * A task that is made by another is like its child: it has the maker's credentials, root and limits unless something
 * else is asked for, and to ask for what the maker does not have takes privilege.
 *
 * Does not own: the calls of a task (task.ts), working directories and roots (Task.chdir(), Task.changeRoot()).
 *
 * @see Linux kernel/fork.c, kernel/sys.c setresuid(), kernel/groups.c setgroups(); credentials(7)
 */
import { ENOMEM, EPERM } from "../base/errno.ts";
import type { CredHandle, DentryHandle, MountHandle, TaskHandle } from "../base/handles.ts";
import { TASK_ROOT_DENTRY, TASK_ROOT_MOUNT } from "../wasm/layout.ts";
import { isCapable } from "./attr.ts";
import { FileTable } from "./file-table.ts";
import { FollowingTask } from "./following-task.ts";
import type { Kernel } from "./kernel.ts";
import { Task } from "./task.ts";

/** Most descriptors a task may have (Linux fs.nr_open). */
export const MAX_FILES = 1 << 20;
const DEFAULT_UMASK = 0o022;

/** Who a task is. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** What a task is made with. */
export interface TaskOptions extends Partial<Credentials> {
  umask?: number;
  /** Another task's, to share its descriptors (CLONE_FILES). */
  files?: FileTable;
  /** Most open descriptors (RLIMIT_NOFILE). */
  maxFiles?: number;
  /** Lowest descriptor that it gives out; default 3. */
  firstFd?: number;
  /** Largest file the task may write, bytes (RLIMIT_FSIZE). */
  fileSizeLimit?: number;
  /** Where relative paths start, asked at each call; default: the working directory. */
  hostCwd?: () => string;
}

/** Makes a task at the root of its maker, or of the tree. @returns it, or -EPERM, -ENOMEM */
export function newTask(kernel: Kernel, options: TaskOptions, maker: Task | undefined): Task | number {
  if (maker && !isCapable(maker) && asksForMore(maker, options)) return -EPERM;
  const credentials = credentialsOf(options, maker?.credentials);
  const cred = newCred(kernel, credentials);
  if (cred < 0) return cred;
  const { mnt, dentry } = startOf(kernel, maker);
  const umask = options.umask ?? DEFAULT_UMASK;
  const handle = kernel.core.x.taskNew(cred, umask & 0o777, mnt, dentry) as TaskHandle;
  if (handle < 0) {
    kernel.core.x.credPut(cred);
    return handle;
  }
  const maxFiles = options.maxFiles ?? maker?.files.maxFiles ?? MAX_FILES;
  const files = options.files ?? new FileTable(maxFiles, options.firstFd);
  const task = options.hostCwd
    ? new FollowingTask(kernel, handle, files, credentials, options.hostCwd)
    : new Task(kernel, handle, files, credentials);
  const limit = options.fileSizeLimit ?? maker?.fileSizeLimit;
  if (limit !== undefined) task.fileSizeLimit = limit;
  return task;
}

/** True for other credentials than the maker's own, or limits above its own. */
function asksForMore(maker: Task, options: TaskOptions): boolean {
  const own = maker.credentials;
  const { uid, gid, groups } = credentialsOf(options, own);
  const isOther =
    uid !== own.uid ||
    gid !== own.gid ||
    groups.length !== own.groups.length ||
    groups.some((g, i) => g !== own.groups[i]);
  const { maxFiles = 0, fileSizeLimit = 0 } = options;
  return isOther || maxFiles > maker.files.maxFiles || fileSizeLimit > maker.fileSizeLimit;
}

function credentialsOf(options: TaskOptions, inherited: Credentials | undefined): Credentials {
  const { uid = inherited?.uid ?? 0, gid = inherited?.gid ?? 0, groups = inherited?.groups ?? [] } = options;
  return { uid, gid, groups: [...groups] };
}

function startOf(kernel: Kernel, maker: Task | undefined): { mnt: MountHandle; dentry: DentryHandle } {
  if (!maker) return { mnt: kernel.rootMount, dentry: kernel.rootOf(kernel.rootMount) };
  const { u32 } = kernel.core;
  const at = maker.handle << 3;
  return {
    mnt: (u32[at + TASK_ROOT_MOUNT] >>> 5) as MountHandle,
    dentry: (u32[at + TASK_ROOT_DENTRY] >>> 5) as DentryHandle,
  };
}

function newCred({ core }: Kernel, { uid, gid, groups }: Credentials): CredHandle {
  const cred = core.x.credNew(uid, gid, groups.length) as CredHandle;
  if (cred < 0) return -ENOMEM as CredHandle;
  const at = core.x.credGroups(cred) >>> 2;
  groups.forEach((group, i) => {
    core.u32[at + i] = group;
  });
  return cred;
}
