// Entry points: tasks and credentials. Records are given by handle (address >> 5).
import { ENOMEM } from "../abi";
import { deref, handle, isNil, nil, slot } from "../kernel";
import { Mount } from "../mount";
import { allocCred, allocTask, Cred, freeTask, putCred, setTaskCwd, setTaskRoot, Task } from "../task";
import { Dentry } from "../dentry";

/** @returns handle of new credentials, whose groups are at `credGroups()`; -ENOMEM */
export function credNew(uid: u32, gid: u32, nrGroups: u32): i32 {
  const cred = allocCred(uid, gid, nrGroups);
  return isNil(cred) ? -ENOMEM : handle<Cred>(cred);
}

/** Address of the supplementary groups, 0 = none. */
export function credGroups(cred: u32): u32 {
  return <u32>deref<Cred>(cred).groups;
}

export function credPut(cred: u32): void {
  putCred(deref<Cred>(cred));
}

/** Makes a task at a place; takes over the credentials. @returns handle or -ENOMEM */
export function taskNew(cred: u32, umask: u32, mnt: u32, dentry: u32): i32 {
  const task = allocTask(deref<Cred>(cred), umask, deref<Mount>(mnt), deref<Dentry>(dentry));
  return isNil(task) ? -ENOMEM : handle<Task>(task);
}

export function taskFree(task: u32): void {
  freeTask(deref<Task>(task));
}

/** Makes `task` the one whose calls are served from now on. */
export function setCurrent(task: u32): void {
  slot().current = task ? deref<Task>(task) : nil<Task>();
}

export function taskSetCwd(task: u32, mnt: u32, dentry: u32): void {
  setTaskCwd(deref<Task>(task), deref<Mount>(mnt), deref<Dentry>(dentry));
}

export function taskSetRoot(task: u32, mnt: u32, dentry: u32): void {
  setTaskRoot(deref<Task>(task), deref<Mount>(mnt), deref<Dentry>(dentry));
}
