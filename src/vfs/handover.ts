/**
 * What walks hand over: names, permissions, links and their truth, where a file system has a say. It is asked with the
 * walk put aside, and the walk goes on with its answer (ADR 16).
 *
 * Part of what file systems with a store bring with them (store-support.ts).
 */
import { ENOMEM } from "../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../base/handles.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  BOOT_SLOT,
  DENTRY_COUNT,
  DENTRY_PARENT,
  HANDOVER_GET_LINK,
  HANDOVER_LOOKUP,
  HANDOVER_PERMISSION,
  HANDOVER_REVALIDATE,
  MAY_EXEC,
  NAME_MAX,
  OWNER_SLOT_BYTES,
  SLOT_DYING,
  SLOT_EVICTING,
  SLOT_FILES,
  SLOT_ND_CANDIDATE,
  SLOT_ND_LAST,
  SLOT_ND_LAST_LEN,
  SLOT_ND_LINK_BODY,
  SLOT_ND_LINK_INODE,
  SLOT_ND_PERMITTED,
  SLOT_ND_REVALIDATED,
  SLOT_ND_SUPPLIED,
  SLOT_SCRATCH,
  SLOT_SPARE_FILE,
  SLOT_TASKS,
} from "../wasm/layout.ts";
import type { DentryOperations, InodeOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { inodeOf, nd, ndDentry, ndMount, ndParent } from "./namei.ts";
import { ndJumpLink } from "./nd-jump-link.ts";
import { waitForInode } from "./operation.ts";

const NO_DENTRY = 0 as DentryHandle;

/** Answers what a walk asks for until it ends. @param rc what the walk answered, a handover */
export function handOver(kernel: Kernel, rc: number): number {
  const { core, walked } = kernel;
  const bodies: number[] = [];
  let answer = rc;
  walked.ms = 0;
  walked.inode = 0;
  while (answer <= -HANDOVER_LOOKUP) answer = goOn(kernel, -answer, bodies);
  if (bodies.length > 0) keepLast(core);
  for (const body of bodies) core.x.kfree(body);
  evictAside(kernel, answer < 0 ? NO_DENTRY : ndParent(core));
  return answer;
}

/** Answers what the walk has asked for last, and walks on. @returns as walk() */
function goOn(kernel: Kernel, code: number, bodies: number[]): number {
  const { core } = kernel;
  const link = nd(core, SLOT_ND_LINK_INODE) as InodeHandle;
  const jump = code === HANDOVER_GET_LINK ? kernel.tableOf(link).inode.jumpLink : undefined;
  if (jump) return jumpFrom(kernel, link, jump);
  let refused = makeRoom(kernel, answerHandover(kernel, code, bodies));
  while (refused === TRY_AGAIN) refused = makeRoom(kernel, answerHandover(kernel, code, bodies));
  return refused < 0 ? refused : core.x.walkResume();
}

/** Goes to the place that a link stands for, and on from there. @returns as walk() */
function jumpFrom(kernel: Kernel, link: InodeHandle, jump: NonNullable<InodeOperations["jumpLink"]>): number {
  const { core } = kernel;
  core.x.iget(link);
  const place = withWalkAside(kernel, NO_DENTRY, () => jump(kernel, link));
  core.x.iput(link);
  return typeof place === "number" ? place : ndJumpLink(core, place) || core.x.walkResume();
}

/** As Kernel.evictInodes(), in the middle of a walk. @param parent as for withWalkAside() */
function evictAside(kernel: Kernel, parent: DentryHandle): void {
  if (kernel.core.u32[SLOT + SLOT_EVICTING] !== 0) withWalkAside(kernel, parent, () => kernel.evictInodes());
}

/** As Kernel.room(), in the middle of a walk. */
function makeRoom(kernel: Kernel, rc: number): number {
  return rc === -ENOMEM ? withWalkAside(kernel, NO_DENTRY, () => kernel.room(rc)) : rc;
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
const NOT_OF_THE_WALK = [SLOT_FILES, SLOT_TASKS, SLOT_EVICTING, SLOT_DYING, SLOT_SPARE_FILE];

/** Where walks are put aside, by how many are: operations walk themselves. Kept, since making one costs more than filling it. */
const asides: Uint32Array[] = [];
let nrAside = 0;

/**
 * Calls an operation of a file system in the middle of a walk, or before what the walk has found is used. It may make
 * calls of its own, as whichever task: the walk is put aside meanwhile, and the place where it stands is held, from
 * other walks and from whoever needs memory.
 *
 * @param parent directory of the last component, where the walk has come to it, else 0
 */
function withWalkAside<T>(kernel: Kernel, parent: DentryHandle, operation: () => T): T {
  const { core, current } = kernel;
  asides[nrAside] ??= new Uint32Array(OWNER_SLOT_BYTES / 4);
  const aside = asides[nrAside];
  aside.set(core.u32.subarray(SLOT, SLOT + aside.length));
  const dentry = ndDentry(core);
  const mnt = ndMount(core);
  if (dentry) core.x.dget(dentry); // 0: a walk to a missing name
  if (parent) core.x.dget(parent);
  core.x.mountGet(mnt);
  nrAside++;
  try {
    return operation();
  } finally {
    nrAside--;
    for (const field of NOT_OF_THE_WALK) aside[field] = core.u32[SLOT + field];
    core.u32.set(aside, SLOT);
    kernel.resume(current);
    if (dentry) core.x.dput(dentry);
    if (parent) core.x.dput(parent);
    core.x.mountPut(mnt);
  }
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
  const locked = waitForInode(kernel, dir);
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
  const answer = rc === 0 ? invalidate(kernel, dentry) : rc;
  core.x.dput(dentry);
  return answer;
}

/** Drops a name that is not true, when no change is under way in its directory, which may be what has made it so. */
function invalidate(kernel: Kernel, dentry: DentryHandle): number {
  const { core } = kernel;
  const locked = waitForInode(kernel, inodeOf(core, (core.u32[(dentry << 3) + DENTRY_PARENT] >>> 5) as DentryHandle));
  return locked < 0 ? locked : core.x.dInvalidate(dentry) ? 0 : 1;
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

/** Asks a file system for its permission. Precondition: as for namei.ts inodePermission(). */
export function askPermission(
  kernel: Kernel,
  inode: InodeHandle,
  mask: number,
  own: NonNullable<InodeOperations["permission"]>,
): number {
  return withWalkAside(kernel, ndParent(kernel.core), () => own(kernel, inode, mask));
}
