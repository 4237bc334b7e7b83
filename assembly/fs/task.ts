// Tasks and credentials (Linux: struct task_struct, fs_struct, cred), as far as a file system needs them.
//
// A task holds counts on its credentials and on the mounts and dentries of its working and root directory; it is tagged
// with its owner slot, so that what it holds can be dropped with the slot.
import { CACHE_CRED, CACHE_TASK, CAP_ALL } from "../abi";
import { Dentry, dget, dput } from "./dentry";
import { isNil, nil, slot } from "../kernel";
import { Mount, mntget, mntput } from "./mount";
import { kfree, kmalloc, kmemCacheAlloc, kmemCacheFree } from "../mm/slab";

/** Who a task is to file systems. */
// @ts-ignore: decorator
@unmanaged export class Cred {
  count: u32;
  uid: u32; // fsuid
  gid: u32; // fsgid
  caps: u32; // CAP_ALL for uid 0
  nrGroups: u32;
  groups: usize; // address of supplementary groups, u32 each; 0 = none
  reserved0: u32;
  reserved1: u32;
}

/** A process, as far as file systems see one. */
// @ts-ignore: decorator
@unmanaged export class Task {
  cred: Cred;
  umask: u32;
  rootMount: Mount;
  rootDentry: Dentry;
  cwdMount: Mount;
  cwdDentry: Dentry;
  owner: u32; // slot number
  next: Task; // list of the slot's tasks
  prev: Task;
  reserved: u32;
  fileSizeLimit: f64; // RLIMIT_FSIZE, bytes
  // What it has moved, where a file system has a store (Linux struct task_io_accounting)
  rchar: f64; // bytes read, from wherever
  wchar: f64; // bytes written, to wherever
  syscr: f64; // reads
  syscw: f64; // writes
  readBytes: f64; // bytes that a store had to give
  writeBytes: f64; // bytes that a store is to take
  cancelledWriteBytes: f64; // of these, bytes that were cut off before
}

/** Makes credentials with one reference; the caller fills `groups`. @returns nil when memory ran out */
export function allocCred(uid: u32, gid: u32, nrGroups: u32): Cred {
  const cred = changetype<Cred>(kmemCacheAlloc(CACHE_CRED));
  if (isNil(cred)) return cred;
  cred.count = 1;
  cred.uid = uid;
  cred.gid = gid;
  cred.caps = uid == 0 ? CAP_ALL : 0;
  if (nrGroups) {
    cred.groups = kmalloc(nrGroups * 4);
    if (!cred.groups) {
      kmemCacheFree(changetype<usize>(cred));
      return nil<Cred>();
    }
    cred.nrGroups = nrGroups;
  }
  return cred;
}

/** Drops a reference; the last one frees the credentials. */
export function putCred(cred: Cred): void {
  if (--cred.count) return;
  if (cred.groups) kfree(cred.groups);
  kmemCacheFree(changetype<usize>(cred));
}

/** True if `gid` is the task's group or one of its supplementary groups (Linux in_group_p). */
export function inGroup(cred: Cred, gid: u32): bool {
  if (cred.gid == gid) return true;
  for (let i: u32 = 0; i < cred.nrGroups; i++) if (load<u32>(cred.groups + (<usize>i << 2)) == gid) return true;
  return false;
}

/** Makes a task of this slot; takes over the reference on `cred`. @returns nil when memory ran out */
export function allocTask(cred: Cred, umask: u32, mnt: Mount, dentry: Dentry): Task {
  const task = changetype<Task>(kmemCacheAlloc(CACHE_TASK));
  if (isNil(task)) return task;
  const s = slot();
  task.cred = cred;
  task.umask = umask;
  task.owner = s.number;
  task.fileSizeLimit = Infinity;
  task.rootMount = mnt;
  task.rootDentry = dentry;
  task.cwdMount = mnt;
  task.cwdDentry = dentry;
  mnt.count += 2;
  dentry.count += 2;
  task.next = s.tasks;
  if (!isNil(task.next)) task.next.prev = task;
  s.tasks = task;
  return task;
}

/** Ends a task of this slot: what it holds goes. Its open files are not its own, they hang on the slot. */
export function freeTask(task: Task): void {
  const s = slot();
  if (isNil(task.prev)) s.tasks = task.next;
  else task.prev.next = task.next;
  if (!isNil(task.next)) task.next.prev = task.prev;
  if (s.current == task) s.current = nil<Task>();
  dput(task.rootDentry);
  dput(task.cwdDentry);
  mntput(task.rootMount);
  mntput(task.cwdMount);
  putCred(task.cred);
  kmemCacheFree(changetype<usize>(task));
}

/** Changes the working directory. The new place is held before the old one is let go. */
export function setTaskCwd(task: Task, mnt: Mount, dentry: Dentry): void {
  mntget(mnt);
  dget(dentry);
  dput(task.cwdDentry);
  mntput(task.cwdMount);
  task.cwdMount = mnt;
  task.cwdDentry = dentry;
}

/** Changes the root directory. The new place is held before the old one is let go. */
export function setTaskRoot(task: Task, mnt: Mount, dentry: Dentry): void {
  mntget(mnt);
  dget(dentry);
  dput(task.rootDentry);
  mntput(task.rootMount);
  task.rootMount = mnt;
  task.rootDentry = dentry;
  slot().lastDirLen = 0;
}
