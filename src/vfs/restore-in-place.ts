/**
 * Rolling a kernel back: it goes on with the memory of another one, made from a snapshot, and its tasks live on.
 *
 * A task keeps its credentials, umask and limits. Its root and working directory are where their paths lead now; where
 * they lead nowhere, the task stands in a directory that has been removed, never in another one. Files that were open are
 * gone: their descriptors stay taken and answer -ESTALE until they are closed. Mounts that no snapshot holds are
 * unmounted.
 *
 * All that can fail is done before the first change.
 *
 * Does not own: making the other kernel (restore.ts), what standard descriptors lead to.
 */
import { ENOMEM } from "../base/errno.ts";
import type { DentryHandle, MountHandle, TaskHandle } from "../base/handles.ts";
import { S_IFDIR } from "../base/stat-flags.ts";
import {
  I_DEAD,
  INODE_KIND,
  INODE_STATE,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  RESULT_ADDRESS,
  TASK_CWD_DENTRY,
  TASK_CWD_MOUNT,
  TASK_ROOT_DENTRY,
  TASK_ROOT_MOUNT,
} from "../wasm/layout.ts";
import { FileTable } from "./file-table.ts";
import type { FileOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { dropMount, mountHandles } from "./mount.ts";
import { inodeOf, ndDentry, ndMount, walk } from "./namei.ts";
import { isLeftOut } from "./snapshot.ts";
import { storeSupportIfAny } from "./store-part.ts";
import { setCwd, setRoot, type Task } from "./task.ts";

/** Opens again what a table holds beside files, for a task of the new memory. @returns 0 or a negated errno */
export type Reopen = (table: FileTable, fresh: Task) => number;

/** A task, and the record that it will have. */
interface Successor {
  task: Task;
  fresh: Task;
}

/**
 * Makes `kernel` go on with the memory of `other`, which is used up.
 *
 * @returns 0; -ENOMEM when memory ran out, with nothing changed
 */
export function restoreInPlace(kernel: Kernel, other: Kernel, reopen: Reopen): number {
  for (const type of kernel.registeredTypes()) other.registerFileSystem(type);
  const successors = prepare(kernel, other, reopen);
  if (typeof successors === "number") return successors;
  for (const table of new Set(successors.map(({ task }) => task.files))) closeAll(successors, table);
  for (const { task } of successors) kernel.core.x.taskFree(task.handle);
  kernel.evictInodes();
  unmountLeftOut(kernel);
  storeSupportIfAny()?.endSwap(kernel.core);
  kernel.adopt(other);
  for (const { task, fresh } of successors) {
    task.handle = fresh.handle;
    task.paths.clear();
    for (const fd of fresh.files.taken()) task.files.put(fd, fresh.files.files[fd], operationsAt(fresh.files, fd));
  }
  return 0;
}

/** Makes a record for each task in the other memory. @returns a negated errno when memory ran out */
function prepare(kernel: Kernel, other: Kernel, reopen: Reopen): Successor[] | number {
  const witness = kernel.newTask({});
  const guide = other.newTask({});
  if (typeof witness === "number") return witness;
  const successors = typeof guide === "number" ? guide : succeedAll(kernel, other, { witness, guide }, reopen);
  witness.exit();
  if (typeof guide !== "number") guide.exit();
  return successors;
}

/** Tasks that see all of a tree: of the one that was, and of the one that will be. */
interface Overseers {
  witness: Task;
  guide: Task;
}

function succeedAll(kernel: Kernel, other: Kernel, overseers: Overseers, reopen: Reopen): Successor[] | number {
  const successors: Successor[] = [];
  const reopened = new Set<FileTable>();
  for (const task of kernel.tasks()) {
    if (task === overseers.witness) continue;
    const files = new FileTable(task.files.maxFiles, 0);
    const fresh = other.newTask({
      ...task.credentials,
      umask: task.umaskOf(),
      fileSizeLimit: task.fileSizeLimit,
      files,
    });
    if (typeof fresh === "number") return fresh;
    const rc = settle(task, fresh, overseers) || (reopened.has(task.files) ? 0 : reopen(task.files, fresh));
    if (rc < 0) return rc;
    reopened.add(task.files);
    storeSupportIfAny()?.copyTaskIo(task, fresh);
    successors.push({ task, fresh });
  }
  return successors;
}

/** Gives a fresh task the directories of the one before it. @returns 0 or -ENOMEM */
function settle(task: Task, fresh: Task, { witness, guide }: Overseers): number {
  const { core } = guide.kernel;
  const root = [TASK_ROOT_MOUNT, TASK_ROOT_DENTRY, setRoot] as const;
  const cwd = [TASK_CWD_MOUNT, TASK_CWD_DENTRY, setCwd] as const;
  for (const [mount, dentry, set] of [root, cwd]) {
    const path = pathOf(witness, task.handle, mount, dentry);
    const found = path === undefined ? -1 : walk(guide, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
    if (found >= 0) {
      set(core)(fresh.handle, ndMount(core), ndDentry(core));
      continue;
    }
    const removed = removedDirectory(guide.kernel);
    if (removed < 0) return -ENOMEM;
    set(core)(fresh.handle, guide.kernel.rootMount, removed as DentryHandle);
    core.x.dput(removed as DentryHandle);
  }
  return 0;
}

/** Path of a directory of a task, as the kernel's root sees it, a copy; undefined for one that has been removed. */
function pathOf(witness: Task, task: TaskHandle, mount: number, dentry: number): Uint8Array | undefined {
  const { core } = witness.kernel;
  witness.enter();
  const at = (core.u32[(task << 3) + dentry] >>> 5) as DentryHandle;
  if (core.u32[(inodeOf(core, at) << 3) + INODE_STATE] & I_DEAD) return undefined;
  const length = core.x.dPath((core.u32[(task << 3) + mount] >>> 5) as MountHandle, at);
  if (length < 0) return undefined;
  const address = core.result(RESULT_ADDRESS);
  return core.u8.slice(address, address + length);
}

/** A directory without a name, as one that has been removed while somebody stood in it. @returns its dentry, below 0 when memory ran out */
function removedDirectory(kernel: Kernel): number {
  const { core } = kernel;
  const root = kernel.rootOf(kernel.rootMount);
  const kind = core.u32[(inodeOf(core, root) << 3) + INODE_KIND];
  const dentry = core.x.simpleTmpfile(root, S_IFDIR | 0o755, kind, kernel.now()) as DentryHandle;
  if (dentry > 0) core.u32[(inodeOf(core, dentry) << 3) + INODE_STATE] |= I_DEAD;
  return dentry;
}

/** Closes all files of a table; their descriptors become stale. */
function closeAll(successors: readonly Successor[], table: FileTable): void {
  const { task } = successors.find((successor) => successor.task.files === table) as Successor;
  for (const fd of table.taken()) {
    task.close(fd);
    table.setStale(fd);
  }
}

/** Shuts down the file systems whose data lies elsewhere: they hear of it, as at any unmount. */
function unmountLeftOut(kernel: Kernel): void {
  const leftOut = [...mountHandles(kernel.core)].filter((mnt) => isLeftOut(kernel.core, mnt));
  storeSupportIfAny()?.unfreezeNow(kernel, leftOut);
  kernel.core.x.thawSupers();
  for (const mnt of leftOut) kernel.core.x.mountDetach(mnt);
  for (const mnt of leftOut) dropMount(kernel, mnt);
  storeSupportIfAny()?.putSupersNow(kernel);
}

function operationsAt(table: FileTable, fd: number): FileOperations {
  return table.operations[fd] as FileOperations;
}
