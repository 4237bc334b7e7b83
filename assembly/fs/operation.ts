// Operations in flight: changes that wait for the answer of a store, and what they hold meanwhile (in Linux: what lies on the
// stack of a process that sleeps in a system call).
//
//   kernel.operations ─► Operation ─► Operation ...    each tagged with its owner slot
//
// An operation holds what it was begun with, and has i_rwsem of all these inodes: of the directories that it changes and of
// what their names stand for. Until it has ended nobody else changes names in there, or attributes; whoever finds a lock
// taken has changed nothing and waits. The locks are asked for together, so nobody waits for one with another in hand.
import { Dentry, dget, dput } from "./dentry";
import { File, fput } from "./file";
import { iget, Inode, iput } from "./inode";
import { isNil, kernel, nil, slot } from "../kernel";
import { Mount, mntget, mntput } from "./mount";
import { kfree, kmalloc } from "../mm/slab";

/** A change that waits for a store. All it refers to it holds; nil is nothing. */
// @ts-ignore: decorator
@unmanaged export class Operation {
  number: u32; // what the locks it has say, never 0
  owner: u32; // slot number
  next: Operation;
  prev: Operation;
  mnt: Mount;
  dir: Dentry; // directory of `dentry`, locked
  dentry: Dentry; // the name that changes
  otherDir: Dentry; // of a rename: where the name goes, locked
  otherDentry: Dentry;
  inode: Inode; // what `dentry` stood for, or what changes, locked
  otherInode: Inode; // what `otherDentry` stood for, locked
  file: File; // by which it is done
}

// @ts-ignore: decorator
@inline function inodeOf(dentry: Dentry): Inode {
  return isNil(dentry) ? nil<Inode>() : dentry.inode;
}

/** Number of the operation that has one of the locks which an operation on these would take, 0 = none. */
export function lockOwner(dir: Dentry, dentry: Dentry, otherDir: Dentry, otherDentry: Dentry, inode: Inode): u32 {
  return ownerOf(inodeOf(dir)) || ownerOf(inodeOf(dentry)) || ownerOf(inodeOf(otherDir)) || ownerOf(inodeOf(otherDentry)) || ownerOf(inode);
}

function ownerOf(inode: Inode): u32 {
  return isNil(inode) ? 0 : inode.rwsem;
}

/**
 * Begins an operation: takes references and locks. Precondition: nobody has the locks.
 *
 * @param inode what changes, where `dentry` is nil or has none yet
 * @returns nil when memory ran out: nothing is held
 */
export function beginOperation(
  mnt: Mount, dir: Dentry, dentry: Dentry, otherDir: Dentry, otherDentry: Dentry, inode: Inode, file: File,
): Operation {
  const operation = changetype<Operation>(kmalloc(offsetof<Operation>()));
  if (isNil(operation)) return operation;
  link(operation);
  operation.mnt = mnt;
  operation.dir = dir;
  operation.dentry = dentry;
  operation.otherDir = otherDir;
  operation.otherDentry = otherDentry;
  operation.inode = isNil(inode) ? inodeOf(dentry) : inode;
  operation.otherInode = inodeOf(otherDentry);
  operation.file = file;
  if (!isNil(mnt)) mntget(mnt);
  if (!isNil(dir)) dget(dir);
  if (!isNil(dentry)) dget(dentry);
  if (!isNil(otherDir)) dget(otherDir);
  if (!isNil(otherDentry)) dget(otherDentry);
  if (!isNil(operation.inode)) iget(operation.inode);
  if (!isNil(operation.otherInode)) iget(operation.otherInode);
  if (!isNil(file)) file.count++;
  setLocks(operation, operation.number);
  return operation;
}

function link(operation: Operation): void {
  const k = kernel();
  if (++k.lastOperation == 0) k.lastOperation = 1;
  operation.number = k.lastOperation;
  operation.owner = slot().number;
  operation.prev = nil<Operation>();
  operation.next = k.operations;
  if (!isNil(operation.next)) operation.next.prev = operation;
  k.operations = operation;
}

function setLocks(operation: Operation, number: u32): void {
  if (!isNil(operation.dir)) operation.dir.inode.rwsem = number;
  if (!isNil(operation.otherDir)) operation.otherDir.inode.rwsem = number;
  if (!isNil(operation.inode)) operation.inode.rwsem = number;
  if (!isNil(operation.otherInode)) operation.otherInode.rwsem = number;
}

/** Ends an operation: all that it holds goes. */
export function endOperation(operation: Operation): void {
  const k = kernel();
  if (isNil(operation.prev)) k.operations = operation.next;
  else operation.prev.next = operation.next;
  if (!isNil(operation.next)) operation.next.prev = operation.prev;
  setLocks(operation, 0);
  if (!isNil(operation.file)) fput(operation.file);
  if (!isNil(operation.otherInode)) iput(operation.otherInode);
  if (!isNil(operation.inode)) iput(operation.inode);
  if (!isNil(operation.otherDentry)) dput(operation.otherDentry);
  if (!isNil(operation.otherDir)) dput(operation.otherDir);
  if (!isNil(operation.dentry)) dput(operation.dentry);
  if (!isNil(operation.dir)) dput(operation.dir);
  if (!isNil(operation.mnt)) mntput(operation.mnt);
  kfree(changetype<usize>(operation));
}

/** Ends all operations of a slot, which nobody will go on with. */
export function dropOperations(owner: u32): void {
  let operation = kernel().operations;
  while (!isNil(operation)) {
    const next = operation.next;
    if (operation.owner == owner) endOperation(operation);
    operation = next;
  }
}
