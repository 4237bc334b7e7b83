// Entry points: operations in flight.
import { ENOMEM } from "../abi";
import { Dentry } from "../fs/dentry";
import { File } from "../fs/file";
import { Inode } from "../fs/inode";
import { Mount } from "../fs/mount";
import { beginOperation, endOperation, lockOwner, Operation } from "../fs/operation";
import { deref, handle, isNil } from "../kernel";

/** Number of the operation that has a lock which one on these would take, 0 = none. Handles, 0 = nothing. */
export function operationInTheWay(dir: u32, dentry: u32, otherDir: u32, otherDentry: u32, inode: u32): u32 {
  return lockOwner(deref<Dentry>(dir), deref<Dentry>(dentry), deref<Dentry>(otherDir), deref<Dentry>(otherDentry), deref<Inode>(inode));
}

/**
 * Begins an operation that may wait for a store: it holds all that is given, and has i_rwsem of the directories, of what
 * the dentries stand for, and of `inode`. Precondition: operationInTheWay() is 0.
 *
 * @returns handle, or -ENOMEM
 */
export function operationBegin(mnt: u32, dir: u32, dentry: u32, otherDir: u32, otherDentry: u32, inode: u32, file: u32): i32 {
  const operation = beginOperation(
    deref<Mount>(mnt), deref<Dentry>(dir), deref<Dentry>(dentry), deref<Dentry>(otherDir), deref<Dentry>(otherDentry),
    deref<Inode>(inode), deref<File>(file),
  );
  return isNil(operation) ? -ENOMEM : handle<Operation>(operation);
}

/** Ends an operation. */
export function operationEnd(operation: u32): void {
  endOperation(deref<Operation>(operation));
}
