/**
 * Path walks as the system calls use them: a walk in the core, and the steps that a file system takes itself.
 *
 * Errors of every walk, in the order in which they are met, stand at the head of assembly/fs/namei.ts.
 *
 * Does not own: the walk (assembly/fs/namei.ts), what is done with what it finds.
 */
import { ENAMETOOLONG, ENOENT, ENOMEM } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { type Core, PATH_A, SLOT } from "../wasm/core.ts";
import {
  BOOT_SLOT,
  DENTRY_COUNT,
  DENTRY_INODE,
  FILE_DENTRY,
  FILE_MNT,
  HANDOVER_LOOKUP,
  HANDOVER_PERMISSION,
  HANDOVER_REVALIDATE,
  I_DEAD,
  INODE_SB,
  INODE_STATE,
  MAY_EXEC,
  MAY_WRITE,
  NAME_MAX,
  OWNER_SLOT_BYTES,
  SB_PERMISSION,
  SLOT_EVICTING,
  SLOT_FILES,
  SLOT_ND_CANDIDATE,
  SLOT_ND_DENTRY,
  SLOT_ND_LAST,
  SLOT_ND_LAST_LEN,
  SLOT_ND_LAST_TYPE,
  SLOT_ND_LINK_BODY,
  SLOT_ND_LINK_INODE,
  SLOT_ND_MOUNT,
  SLOT_ND_PARENT,
  SLOT_ND_PARENT_MOUNT,
  SLOT_ND_PERMITTED,
  SLOT_ND_REVALIDATED,
  SLOT_ND_SUPPLIED,
  SLOT_ND_TRAILING,
  SLOT_SCRATCH,
  SLOT_SPARE_FILE,
  SLOT_TASKS,
  SUPER_BLOCK_FLAGS,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import type { DentryOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { waitForDirectory } from "./operation.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

const NO_DENTRY = 0 as DentryHandle;

/** A handle field of the walk's state in the slot (SLOT_ND_*). */
function nd(core: Core, field: number): number {
  return core.u32[SLOT + field] >>> 5;
}
/** What the walk has found, 0 = the last component is missing. */
export function ndDentry(core: Core): DentryHandle {
  return nd(core, SLOT_ND_DENTRY) as DentryHandle;
}
/** The mount that it was found on. */
export function ndMount(core: Core): MountHandle {
  return nd(core, SLOT_ND_MOUNT) as MountHandle;
}
/** Directory of the last component. */
export function ndParent(core: Core): DentryHandle {
  return nd(core, SLOT_ND_PARENT) as DentryHandle;
}
/** The mount that the directory of the last component was found on. */
export function ndParentMount(core: Core): MountHandle {
  return nd(core, SLOT_ND_PARENT_MOUNT) as MountHandle;
}
/** LAST_* of the last component. */
export function ndLastType(core: Core): number {
  return core.u32[SLOT + SLOT_ND_LAST_TYPE];
}
/** True if the directory of the last component has been removed: no name can be made in it, or looked for. */
export function ndIsDead(core: Core): boolean {
  return (core.u32[(inodeOf(core, ndParent(core)) << 3) + INODE_STATE] & I_DEAD) !== 0;
}
/**
 * Why a last component that is missing is no name, for the caller to answer at the moment it is looked up.
 *
 * @returns 0; -ENOENT or -ENAMETOOLONG for one that is too long, in a directory that has been removed or in any other
 */
export function ndNameError(core: Core): number {
  if (core.u32[SLOT + SLOT_ND_LAST_LEN] <= NAME_MAX) return 0;
  return ndIsDead(core) ? -ENOENT : -ENAMETOOLONG;
}
/** 1 if slashes follow the last component. */
export function ndTrailing(core: Core): number {
  return core.u32[SLOT + SLOT_ND_TRAILING];
}
/** Inode of a dentry, 0 = it is negative. */
export function inodeOf(core: Core, dentry: DentryHandle): InodeHandle {
  return (core.u32[(dentry << 3) + DENTRY_INODE] >>> 5) as InodeHandle;
}

/**
 * Walks a path of the task; the result is in the slot (ndDentry, ndMount ...) until the next walk.
 *
 * @param flags LOOKUP_*
 * @param base open directory that a relative path starts from, 0 = the task's working directory
 * @returns the dentry; 0 with LOOKUP_LAST when just the last component is missing; a negated errno
 */
export function walk(task: Task, path: Path, flags: number, base = 0 as FileHandle): number {
  const { core } = task.kernel;
  task.enter();
  const len = putPath(core, path, PATH_A);
  if (len < 0) return len;
  const rc = core.x.walk(len, base, flags);
  return rc > -HANDOVER_LOOKUP ? rc : handOver(task.kernel, rc);
}

/**
 * May the task that is served? Asks the file system where it has a say.
 *
 * Precondition: a walk has just been done, or standAt() says where the inode is held.
 *
 * @param mask union of MAY_*
 */
export function inodePermission(kernel: Kernel, inode: InodeHandle, mask: number): number {
  const { core } = kernel;
  const own = kernel.tableOf(inode).inode.permission;
  return own ? withWalkAside(kernel, ndParent(core), () => own(kernel, inode, mask)) : core.x.permission(inode, mask);
}

/** Makes the place of an open file what a walk has found. */
export function standAt(core: Core, file: FileHandle): void {
  const { u32 } = core;
  const at = file << 3;
  u32[SLOT + SLOT_ND_DENTRY] = u32[at + FILE_DENTRY];
  u32[SLOT + SLOT_ND_PARENT] = u32[at + FILE_DENTRY];
  u32[SLOT + SLOT_ND_MOUNT] = u32[at + FILE_MNT];
}

/** May make a name in `dir` (assembly/fs/permission.ts mayCreate()), with a say for the file system. */
export function mayCreate(kernel: Kernel, dir: InodeHandle): number {
  return kernel.core.x.mayCreate(dir) || mayChangeNames(kernel, dir);
}

/** May take the name `victim` out of `dir` (assembly/fs/permission.ts mayDelete()), with a say for the file system. */
export function mayDelete(kernel: Kernel, dir: InodeHandle, victim: DentryHandle, wantDir: number): number {
  return kernel.core.x.mayDelete(dir, victim, wantDir) || mayChangeNames(kernel, dir);
}

function mayChangeNames(kernel: Kernel, dir: InodeHandle): number {
  const { u32 } = kernel.core;
  const sb = u32[(dir << 3) + INODE_SB] >>> 2;
  return u32[sb + SUPER_BLOCK_FLAGS] & SB_PERMISSION ? inodePermission(kernel, dir, MAY_WRITE | MAY_EXEC) : 0;
}

/** Answers what a walk asks for until it ends. @param rc what the walk answered, a handover */
export function handOver(kernel: Kernel, rc: number): number {
  const { core } = kernel;
  const bodies: number[] = [];
  let answer = rc;
  while (answer <= -HANDOVER_LOOKUP) {
    let refused = answerHandover(kernel, -answer, bodies);
    while (makesRoom(kernel, refused)) refused = answerHandover(kernel, -answer, bodies);
    answer = refused < 0 ? refused : core.x.walkResume();
  }
  if (bodies.length > 0) keepLast(core);
  for (const body of bodies) core.x.kfree(body);
  evictAside(kernel, answer < 0 ? NO_DENTRY : ndParent(core));
  return answer;
}

/** As Kernel.evictInodes(), in the middle of a walk. @param parent as for withWalkAside() */
function evictAside(kernel: Kernel, parent: DentryHandle): void {
  if (kernel.core.u32[SLOT + SLOT_EVICTING] !== 0) withWalkAside(kernel, parent, () => kernel.evictInodes());
}

/** As Kernel.hasRoomNow(), in the middle of a walk. */
function makesRoom(kernel: Kernel, rc: number): boolean {
  return rc === -ENOMEM && withWalkAside(kernel, NO_DENTRY, () => kernel.hasRoomNow(rc));
}

/** The last component may lie in the body of a link that is about to be freed. */
function keepLast(core: Core): void {
  const from = core.u32[SLOT + SLOT_ND_LAST];
  const length = core.u32[SLOT + SLOT_ND_LAST_LEN];
  if (length === 0 || length > NAME_MAX) return;
  const to = BOOT_SLOT + SLOT_SCRATCH;
  core.u8.copyWithin(to, from, from + length);
  core.u8.fill(0, to + length, to + length + 8); // readers take words
  core.u32[SLOT + SLOT_ND_LAST] = to;
}

/** What of the slot is no part of a walk, and stays as the file system's operation has left it. */
const NOT_OF_THE_WALK = [SLOT_FILES, SLOT_TASKS, SLOT_EVICTING, SLOT_SPARE_FILE];

/**
 * Calls an operation of a file system in the middle of a walk, or before what the walk has found is used. It may make
 * calls of its own, as whichever task: the walk is put aside meanwhile, and the place where it stands is held, from
 * other walks and from whoever needs memory.
 *
 * @param parent directory of the last component, where the walk has come to it, else 0
 */
function withWalkAside<T>(kernel: Kernel, parent: DentryHandle, operation: () => T): T {
  const { core, current } = kernel;
  const aside = core.u8.slice(BOOT_SLOT, BOOT_SLOT + OWNER_SLOT_BYTES);
  const dentry = ndDentry(core);
  const mnt = ndMount(core);
  if (dentry) core.x.dget(dentry); // 0: a walk to a missing name
  if (parent) core.x.dget(parent);
  core.x.mountGet(mnt);
  const result = operation();
  const words = new Uint32Array(aside.buffer);
  for (const field of NOT_OF_THE_WALK) words[field] = core.u32[SLOT + field];
  core.u8.set(aside, BOOT_SLOT);
  kernel.resume(current);
  if (dentry) core.x.dput(dentry);
  if (parent) core.x.dput(parent);
  core.x.mountPut(mnt);
  return result;
}

function answerHandover(kernel: Kernel, code: number, bodies: number[]): number {
  const { core } = kernel;
  const dentry = nd(core, SLOT_ND_CANDIDATE) as DentryHandle;
  // A name that is known to be true without any call: the walk need not be put aside.
  const isTrue = code === HANDOVER_REVALIDATE && dentryOps(kernel)?.isTrue?.(kernel, dentry);
  const [rc, field, address]: Answer = isTrue
    ? [1, SLOT_ND_REVALIDATED, dentry << 5]
    : withWalkAside(kernel, NO_DENTRY, () => ask(kernel, code, bodies));
  if (rc >= 0) core.u32[SLOT + field] = address;
  return rc;
}

/** Of the file system that the walk is in. */
function dentryOps(kernel: Kernel): DentryOperations | undefined {
  return kernel.typeOf(inodeOf(kernel.core, ndDentry(kernel.core))).dentryOps;
}

/** What a file system answered: a negated errno, or where in the slot the walk finds its answer. */
type Answer = readonly [rc: number, field: number, address: number];

function ask(kernel: Kernel, code: number, bodies: number[]): Answer {
  const { core } = kernel;
  switch (code) {
    case HANDOVER_LOOKUP: {
      const dentry = lookup(kernel);
      return [dentry, SLOT_ND_SUPPLIED, dentry << 5];
    }
    case HANDOVER_PERMISSION: {
      const inode = inodeOf(core, ndDentry(core));
      const own = kernel.tableOf(inode).inode.permission;
      const rc = own ? own(kernel, inode, MAY_EXEC) : core.x.permission(inode, MAY_EXEC);
      return [rc, SLOT_ND_PERMITTED, inode << 5];
    }
    case HANDOVER_REVALIDATE: {
      const dentry = nd(core, SLOT_ND_CANDIDATE) as DentryHandle;
      const rc = revalidate(kernel, dentry);
      return [rc, SLOT_ND_REVALIDATED, rc === 1 ? dentry << 5 : 0];
    }
    default: {
      // HANDOVER_GET_LINK
      const inode = nd(core, SLOT_ND_LINK_INODE) as InodeHandle;
      const rc = linkBody(kernel, inode, bodies);
      return [rc, SLOT_ND_LINK_BODY, bodies.at(-1) ?? 0];
    }
  }
}

/**
 * Asks the file system for a name, and keeps the answer in the dcache. An inode that is on its way out must be gone before
 * its file system can find it again.
 *
 * @returns the dentry or a negated errno
 */
function lookup(kernel: Kernel): number {
  const { core } = kernel;
  evictAside(kernel, NO_DENTRY);
  const dir = inodeOf(core, ndParent(core));
  const locked = waitForDirectory(kernel, dir);
  if (locked < 0) return locked;
  const dentry = core.x.dAllocLast();
  if (dentry < 0) return dentry;
  const rc = kernel.tableOf(dir).inode.lookup?.(kernel, dir, dentry as DentryHandle) ?? 0;
  if (rc < 0) {
    core.x.dput(dentry as DentryHandle);
    return rc;
  }
  const known = core.x.dAddUnlessKnown(dentry as DentryHandle);
  core.x.dput(dentry as DentryHandle);
  return known;
}

function revalidate(kernel: Kernel, dentry: DentryHandle): number {
  const { core } = kernel;
  const ops = dentryOps(kernel);
  const isUnused = core.u32[(dentry << 3) + DENTRY_COUNT] === 0;
  core.x.dget(dentry);
  const isDropped = isUnused && ops?.delete?.(kernel, dentry);
  const rc = isDropped ? 0 : (ops?.revalidate?.(kernel, dentry) ?? 1);
  const answer = rc === 0 && !core.x.dInvalidate(dentry) ? 1 : rc;
  core.x.dput(dentry);
  return answer;
}

/** Puts the target of a link into memory for the rest of the walk, its address into `bodies`. */
function linkBody(kernel: Kernel, inode: InodeHandle, bodies: number[]): number {
  const { core } = kernel;
  core.x.iget(inode);
  const target = kernel.tableOf(inode).inode.getLink?.(kernel, inode) ?? new Uint8Array();
  core.x.iput(inode);
  if (typeof target === "number") return target;
  const address = core.x.kmalloc(target.length + 8);
  if (address === 0) return -ENOMEM;
  core.u8.set(target, address >>> 0);
  bodies.push(address);
  return 0;
}
