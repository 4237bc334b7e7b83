/**
 * Names in one layer, by their directory: found, made and taken away there as the file system of the layer does it, whoever the
 * caller is. What a walk would check the overlay has checked.
 *
 * Names go by path buffer B: buffer A may have what the caller's operation is about.
 *
 * @see Linux fs/namei.c lookup_one(), vfs_create() and its kin
 */
import { EAGAIN, EEXIST, EPERM, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { RENAME_EXCHANGE, S_IFCHR, S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import type { InodeOperations } from "../../vfs/fs-type.ts";
import { Dentry } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { type Core, PATH_B } from "../../wasm/core.ts";
import {
  DCACHE_HASHED,
  DENTRY_CHILDREN,
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  I_DEAD,
  INODE_MODE,
  INODE_RDEV,
  INODE_STATE,
  LOOKUP_PATH_B,
} from "../../wasm/layout.ts";

const WORD_BYTES = 8;

export function inodeOf({ u32 }: Core, dentry: DentryHandle): InodeHandle {
  return (u32[(dentry << 3) + DENTRY_INODE] >>> 5) as InodeHandle;
}

export function parentOf({ u32 }: Core, dentry: DentryHandle): DentryHandle {
  return (u32[(dentry << 3) + DENTRY_PARENT] >>> 5) as DentryHandle;
}

export function nameOf(kernel: Kernel, dentry: DentryHandle): Uint8Array {
  return new Dentry(kernel, dentry).name;
}

/** Has it a name that walks find? */
export function isHashed({ u32 }: Core, dentry: DentryHandle): boolean {
  return ((u32[(dentry << 3) + (DENTRY_FLAGS >> 1)] >>> ((DENTRY_FLAGS & 1) * 16)) & DCACHE_HASHED) !== 0;
}

export function typeOf({ u32 }: Core, inode: InodeHandle): number {
  return u32[(inode << 3) + INODE_MODE] & S_IFMT;
}

export function isDirectory(core: Core, inode: InodeHandle): boolean {
  return typeOf(core, inode) === S_IFDIR;
}

export function isDead({ u32 }: Core, inode: InodeHandle): boolean {
  return (u32[(inode << 3) + INODE_STATE] & I_DEAD) !== 0;
}

/** A character device 0:0: what hides a name of lower layers. @see Linux ovl_is_whiteout() */
export function isWhiteout(core: Core, inode: InodeHandle): boolean {
  return typeOf(core, inode) === S_IFCHR && core.u32[(inode << 3) + INODE_RDEV] === 0;
}

/** Operations of the file system that a directory, or whatever it is, belongs to. */
export function operationsOf(kernel: Kernel, inode: InodeHandle): InodeOperations {
  return kernel.tableOf(inode).inode;
}

/** What an operation of a layer in memory has answered: it never waits. */
export function now(answer: unknown): number {
  return typeof answer === "number" ? answer : -EAGAIN;
}

function putName({ u8 }: Core, name: Uint8Array): number {
  u8.set(name, PATH_B);
  u8.fill(0, PATH_B + name.length, PATH_B + name.length + WORD_BYTES);
  return name.length;
}

/** Is a cached name still true? @returns 1, 0, or a negated errno */
export function revalidate(kernel: Kernel, dentry: DentryHandle): number {
  const { x } = kernel.core;
  const parent = parentOf(kernel.core, dentry);
  const { dentryOps } = kernel.typeOf(inodeOf(kernel.core, parent));
  if (dentryOps?.isTrue?.(kernel, dentry)) return 1;
  const rc = dentryOps?.revalidate?.(kernel, dentry) ?? 1;
  return rc === 0 && !x.dInvalidate(dentry) ? 1 : rc;
}

/**
 * Finds a name in a directory of a layer, by the dcache or its file system.
 *
 * @returns its dentry with a reference; 0 = it is not there; what the file system answers: -EAGAIN with a token, -EIO ...
 */
export function lookupOne(kernel: Kernel, dir: DentryHandle, name: Uint8Array): DentryHandle {
  const { core } = kernel;
  const known = core.x.dLookup(dir, putName(core, name), LOOKUP_PATH_B) as DentryHandle;
  if (known) {
    core.x.dget(known);
    const rc = revalidate(kernel, known);
    if (rc === 1 && inodeOf(core, known)) return known;
    core.x.dput(known);
    if (rc !== 0) return Math.min(rc, 0) as DentryHandle; // it is known to be missing, or nobody can say
  }
  const { lookup } = operationsOf(kernel, inodeOf(core, dir));
  return lookup === undefined ? (0 as DentryHandle) : ask(kernel, dir, name, lookup);
}

function ask(
  kernel: Kernel,
  dir: DentryHandle,
  name: Uint8Array,
  lookup: NonNullable<InodeOperations["lookup"]>,
): DentryHandle {
  const { core } = kernel;
  const dentry = newName(kernel, dir, name);
  if (dentry < 0) return dentry;
  const rc = lookup(kernel, inodeOf(core, dir), dentry);
  const found = rc < 0 ? rc : (core.x.dAddUnlessKnown(dentry) as DentryHandle);
  if (found > 0) core.x.dget(found as DentryHandle);
  core.x.dput(dentry);
  if (found < 0 || inodeOf(core, found as DentryHandle)) return found as DentryHandle;
  core.x.dput(found as DentryHandle);
  return 0 as DentryHandle;
}

/** A dentry without an inode, for a name that is about to be made. @returns it with a reference; -ENOSPC, -ENOMEM */
export function newName({ core }: Kernel, dir: DentryHandle, name: Uint8Array): DentryHandle {
  return core.x.dAlloc(dir, putName(core, name), LOOKUP_PATH_B) as DentryHandle;
}

/** What makes a file behind a name of a layer. @returns 0 or a negated errno */
export type Make = (operations: InodeOperations, dir: InodeHandle, dentry: DentryHandle) => number;

/** Makes a name in a directory of a layer in memory. @returns its dentry with a reference; -ENOSPC ... */
export function makeName(kernel: Kernel, dir: DentryHandle, name: Uint8Array, make: Make): DentryHandle {
  const { core } = kernel;
  const dentry = newName(kernel, dir, name);
  if (dentry < 0) return dentry;
  const inode = inodeOf(core, dir);
  const rc = isDead(core, inode) ? -ESTALE : make(operationsOf(kernel, inode), inode, dentry);
  if (rc >= 0) return dentry;
  core.x.dput(dentry);
  return rc as DentryHandle;
}

/** Takes a name away from a directory of a layer in memory. The caller's reference stays. @returns 0 or a negated errno */
export function removeName(kernel: Kernel, dentry: DentryHandle): number {
  const { core } = kernel;
  const dir = inodeOf(core, parentOf(core, dentry));
  const operations = operationsOf(kernel, dir);
  const remove = isDirectory(core, inodeOf(core, dentry)) ? operations.rmdir : operations.unlink;
  const rc = now(remove?.(kernel, dir, dentry) ?? -EPERM);
  if (rc >= 0) core.x.dDelete(dentry);
  return Math.min(rc, 0);
}

/** Moves a name within a layer in memory, or swaps two. @param target what it replaces, or newName() @returns 0 or a negated errno */
export function moveNameIn(kernel: Kernel, dentry: DentryHandle, target: DentryHandle, flags: number): number {
  const { core } = kernel;
  const [from, to] = [inodeOf(core, parentOf(core, dentry)), inodeOf(core, parentOf(core, target))];
  if (isDead(core, to) || !isHashed(core, dentry) || isBelowItself(core, dentry, target)) return -ESTALE;
  const rc = now(operationsOf(kernel, from).rename?.(kernel, from, dentry, to, target, flags) ?? -EPERM);
  if (rc < 0) return rc;
  if (flags & RENAME_EXCHANGE) core.x.dExchange(dentry, target);
  else core.x.dMove(dentry, target);
  return 0;
}

/** Would something come to lie below itself? Somebody has moved directories directly, then. @see Linux lock_rename(), whose trap this is */
function isBelowItself(core: Core, dentry: DentryHandle, target: DentryHandle): boolean {
  if (core.x.isSubdir(parentOf(core, target), dentry)) return true;
  return inodeOf(core, target) !== 0 && core.x.isSubdir(parentOf(core, dentry), target) !== 0;
}

/** Moves a name to a free one. @returns 0; -ENOSPC; -EEXIST when it is not free */
export function moveToFree(kernel: Kernel, dentry: DentryHandle, dir: DentryHandle, name: Uint8Array): number {
  const { core } = kernel;
  const taken = lookupOne(kernel, dir, name);
  if (taken !== 0) {
    if (taken > 0) core.x.dput(taken);
    return taken < 0 ? taken : -EEXIST;
  }
  const free = newName(kernel, dir, name);
  if (free < 0) return free;
  const rc = moveNameIn(kernel, dentry, free, 0);
  core.x.dput(free);
  return rc;
}

/** Names of a directory whose names all lie in memory, newest first; the one at hand may be taken away. */
export function* childrenOf(core: Core, dir: DentryHandle): Generator<DentryHandle> {
  let child = (core.u32[(dir << 3) + DENTRY_CHILDREN] >>> 5) as DentryHandle;
  while (child) {
    const after = (core.u32[(child << 3) + DENTRY_SIBLING_NEXT] >>> 5) as DentryHandle;
    if (inodeOf(core, child)) yield child;
    child = after;
  }
}

/** Forgets which names a directory does not have: they hold it, and it would not go when it is removed. @see Linux shrink_dcache_parent() */
export function dropMissingNames(core: Core, dir: DentryHandle): void {
  for (const name of cachedNames(core, dir)) if (inodeOf(core, name) === 0) core.x.dInvalidate(name);
}

/** All names of a directory that are cached, the missing ones, too. */
export function cachedNames({ u32 }: Core, dir: DentryHandle): DentryHandle[] {
  const names: DentryHandle[] = [];
  for (let child = u32[(dir << 3) + DENTRY_CHILDREN] >>> 5; child !== 0; ) {
    names.push(child as DentryHandle);
    child = u32[(child << 3) + DENTRY_SIBLING_NEXT] >>> 5;
  }
  return names;
}
