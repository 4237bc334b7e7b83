// Open file descriptions (Linux: struct file). Each is on the list of the slot that owns it.
//
// Who holds what: a file holds a count on its mount, its dentry and its credentials; the dentry holds the inode. Several
// descriptors may share one file (count).
import { AS_NO_STORE, CACHE_FILE, ENOMEM, FMODE_FLOCK, FMODE_WRITE } from "../abi";
import { dget, dput, Dentry } from "./dentry";
import { errseqSample } from "../mm/errseq";
import { dropLock } from "./flock";
import { Inode } from "./inode";
import { isNil, kernel, nil, slot } from "../kernel";
import { Mount, mntput } from "./mount";
import { kmemCacheAlloc, kmemCacheFree, zeroObject } from "../mm/slab";
import { Cred, putCred, Task } from "./task";

/** An open file description. */
// @ts-ignore: decorator
@unmanaged export class File {
  flags: u32; // O_* as opened
  mode: u32; // FMODE_*
  pos: f64; // bytes
  inode: Inode; // of the dentry; immutable
  dentry: Dentry; // immutable
  mnt: Mount; // immutable
  cred: Cred; // of who opened it; immutable
  count: u32; // descriptors and calls that hold it
  owner: u32; // slot number
  next: File; // list of the slot's files
  prev: File;
  wbErr: u32; // errseq sample
  raStart: u32; // readahead window, pages
  raSize: u32;
  raAsync: u32;
  dirCookie: f64; // directories: names below this cookie are still to come
  dirHint: Dentry; // directories: where the list went on; checked before use
  private0: u32;
  private1: u32;
  raPrev: u32; // page that the last read ended in, plus 1; 0 = nothing has been read
  raPages: u32; // most pages to read ahead, plus 1; 0 = as the file system has it
  sbErr: u32; // errseq sample of the super block, for syncfs
}

/** Opens: makes a file with one reference. @returns nil when memory ran out */
export function allocFile(task: Task, mnt: Mount, dentry: Dentry, flags: u32, mode: u32): File {
  if (reserveFile()) return nil<File>();
  const s = slot();
  const file = s.spareFile;
  s.spareFile = nil<File>();
  file.flags = flags;
  file.mode = mode;
  file.inode = dentry.inode;
  file.dentry = dentry;
  file.mnt = mnt;
  file.cred = task.cred;
  file.count = 1;
  file.owner = s.number;
  file.dirCookie = Infinity;
  // Memory has no writeback that could fail, and an inode's last line is a cache miss of its own.
  const mapping = dentry.inode.mapping;
  if (!(mapping.flags & AS_NO_STORE)) {
    file.wbErr = errseqSample(mapping.wbErr);
    file.sbErr = errseqSample(dentry.inode.sb.wbErr);
  }
  dget(dentry);
  mnt.count++;
  task.cred.count++;
  if (mode & FMODE_WRITE) mnt.writers++;
  file.next = s.files;
  if (!isNil(file.next)) file.next.prev = file;
  s.files = file;
  kernel().nrFiles++;
  return file;
}

/**
 * Makes sure that the next allocFile() cannot fail: for opens that change something first. Nobody need take it back: a
 * spare file is what the last close leaves, too.
 *
 * @returns 0 or -ENOMEM
 */
export function reserveFile(): i32 {
  const s = slot();
  if (isNil(s.spareFile)) s.spareFile = changetype<File>(kmemCacheAlloc(CACHE_FILE));
  return isNil(s.spareFile) ? -ENOMEM : 0;
}

/** Gives the spare file back. */
export function dropSpareFile(): void {
  const s = slot();
  if (!isNil(s.spareFile)) kmemCacheFree(changetype<usize>(s.spareFile));
  s.spareFile = nil<File>();
}

/** Drops a reference; the last one closes the file. */
export function fput(file: File): void {
  if (--file.count) return;
  if (file.mode & FMODE_FLOCK) dropLock(file, 1);
  if (file.mode & FMODE_WRITE) file.mnt.writers--;
  if (isNil(file.prev)) slot().files = file.next;
  else file.prev.next = file.next;
  if (!isNil(file.next)) file.next.prev = file.prev;
  kernel().nrFiles--;
  dput(file.dentry);
  mntput(file.mnt);
  putCred(file.cred);
  const s = slot();
  if (isNil(s.spareFile)) { // 8% of an open and close
    zeroObject(changetype<usize>(file), offsetof<File>());
    s.spareFile = file;
  } else kmemCacheFree(changetype<usize>(file));
}
