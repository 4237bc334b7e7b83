// flock(2) locks: whole-file advisory locks that belong to open file descriptions. And, on the same list, the records of
// fcntl(2) locks on ranges: they are made and changed by src/vfs/record-lock.ts, which not every program has.
//
// The records hang on the inode; the holder is an open file, itself tagged with its owner slot, and its locks go with
// it. Nobody sleeps here: who must wait gets -EAGAIN.
//
// Compare Linux fs/locks.c flock_lock_inode().
import { EAGAIN, ENOMEM, FMODE_FLOCK } from "../abi";
import { File } from "./file";
import { Inode } from "./inode";
import { isNil, nil } from "../kernel";
import { kfree, kmalloc } from "../mm/slab";

/** A lock that an open file holds, or a table of descriptors that has the file. */
// @ts-ignore: decorator
@unmanaged export class FileLock {
  next: FileLock;
  file: File; // holder; of a table: the file by which it was taken
  exclusive: u32; // 0 shared, 1 exclusive; of a range, above this bit: number of the task that has taken it
  owner: u32; // 0 = of flock(2); of a range: FL_OFD, or the number of the table
  start: f64; // of a range: first byte
  end: f64; // of a range: last byte; Infinity = all that follow
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
    if (lock.owner) continue;
    if (lock.file == file) own = lock;
    else if (exclusive | lock.exclusive) inTheWay = true;
  }
  if (inTheWay) {
    dropLock(file, 0);
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

/** Drops the locks that `file` holds. @param ranges 0 = that of flock(2) alone */
export function dropLock(file: File, ranges: u32): void {
  let link = changetype<usize>(file.inode) + offsetof<Inode>("flocks");
  for (let lock = head(file.inode); !isNil(lock); lock = changetype<FileLock>(load<u32>(link))) {
    if (lock.file == file && (ranges || !lock.owner)) {
      store<u32>(link, <u32>changetype<usize>(lock.next));
      kfree(changetype<usize>(lock));
    } else link = changetype<usize>(lock);
  }
}
