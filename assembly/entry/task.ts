// Entry points: tasks and credentials. Records are given by handle (address >> 5).
import { ENOMEM } from "../abi";
import { deref, handle, isNil, nil, slot } from "../kernel";
import { Mount } from "../fs/mount";
import { allocCred, allocTask, Cred, freeTask, putCred, setTaskCwd, setTaskRoot, Task } from "../fs/task";
import { Dentry } from "../fs/dentry";

/** Makes credentials; the caller fills the groups at credGroups(). @returns handle, with one reference; -ENOMEM */
export function credNew(uid: u32, gid: u32, nrGroups: u32): i32 {
  const cred = allocCred(uid, gid, nrGroups);
  return isNil(cred) ? -ENOMEM : handle<Cred>(cred);
}

/** Address of the supplementary groups, 0 = none. */
export function credGroups(cred: u32): u32 {
  return <u32>deref<Cred>(cred).groups;
}

/** Drops a reference; the last one frees the credentials. */
export function credPut(cred: u32): void {
  putCred(deref<Cred>(cred));
}

/** Makes a task at a place; takes over the credentials. @returns handle or -ENOMEM */
export function taskNew(cred: u32, umask: u32, mnt: u32, dentry: u32): i32 {
  const task = allocTask(deref<Cred>(cred), umask, deref<Mount>(mnt), deref<Dentry>(dentry));
  return isNil(task) ? -ENOMEM : handle<Task>(task);
}

/** Ends a task: its credentials and its hold on working and root directory go. Its files are the descriptor table's. */
export function taskFree(task: u32): void {
  freeTask(deref<Task>(task));
}

/** Makes `task` the one whose calls are served from now on. */
export function setCurrent(task: u32): void {
  const s = slot();
  s.current = task ? deref<Task>(task) : nil<Task>();
  s.lastDirLen = 0; // another root, other credentials
}

/** Changes the working directory; the task takes counts of its own on mount and dentry. */
export function taskSetCwd(task: u32, mnt: u32, dentry: u32): void {
  setTaskCwd(deref<Task>(task), deref<Mount>(mnt), deref<Dentry>(dentry));
}

/** Changes the root directory; the task takes counts of its own on mount and dentry. */
export function taskSetRoot(task: u32, mnt: u32, dentry: u32): void {
  setTaskRoot(deref<Task>(task), deref<Mount>(mnt), deref<Dentry>(dentry));
}
