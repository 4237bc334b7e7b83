// flock(2) locks: whole-file advisory locks that belong to open file descriptions.
//
// The records hang on the inode; the holder is an open file, itself tagged with its owner slot, and its locks go with
// it. Nobody sleeps here: who must wait gets -EAGAIN.
//
// Compare Linux fs/locks.c flock_lock_inode(); POSIX record locks come later and are another list.
import { EAGAIN, ENOMEM, FMODE_FLOCK } from "../abi";
import { File } from "./file";
import { Inode } from "./inode";
import { isNil, nil } from "../kernel";
import { kfree, kmalloc } from "../mm/slab";

/** A lock that an open file holds. */
// @ts-ignore: decorator
@unmanaged export class FileLock {
  next: FileLock;
  file: File; // holder
  exclusive: u32; // 0 shared, 1 exclusive
  reserved: u32;
}

// @ts-ignore: decorator
@inline function head(inode: Inode): FileLock {
  return changetype<FileLock>(inode.flocks);
}

/**
 * Takes, converts or keeps a lock.
 *
 * @returns 0; -EAGAIN when another file's lock is in the way: a lock that was to be converted is gone then, as in Linux,
 *   where it is dropped before the new one is asked for; -ENOMEM
 */
export function setLock(file: File, exclusive: u32): i32 {
  const inode = file.inode;
  let own = nil<FileLock>();
  let inTheWay = false;
  for (let lock = head(inode); !isNil(lock); lock = lock.next) {
    if (lock.file == file) own = lock;
    else if (exclusive | lock.exclusive) inTheWay = true;
  }
  if (inTheWay) {
    dropLock(file);
    return -EAGAIN;
  }
  if (isNil(own)) {
    own = changetype<FileLock>(kmalloc(offsetof<FileLock>()));
    if (isNil(own)) return -ENOMEM;
    own.file = file;
    own.next = head(inode);
    inode.flocks = changetype<usize>(own);
    file.mode |= FMODE_FLOCK;
  }
  own.exclusive = exclusive;
  return 0;
}

/** Drops the lock that `file` holds, if any. */
export function dropLock(file: File): void {
  const inode = file.inode;
  let prev = nil<FileLock>();
  for (let lock = head(inode); !isNil(lock); lock = lock.next) {
    if (lock.file == file) {
      if (isNil(prev)) inode.flocks = changetype<usize>(lock.next);
      else prev.next = lock.next;
      kfree(changetype<usize>(lock));
      return;
    }
    prev = lock;
  }
}

/** Drops all locks of an inode that goes. */
export function dropLocks(inode: Inode): void {
  while (inode.flocks) {
    const lock = head(inode);
    inode.flocks = changetype<usize>(lock.next);
    kfree(changetype<usize>(lock));
  }
}
