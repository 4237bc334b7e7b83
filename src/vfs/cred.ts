/**
 * Credentials: who a task is, and what that lets it do to an inode.
 *
 * Does not own: the record (assembly/fs/task.ts), the check of the mode bits (assembly/fs/permission.ts).
 *
 * @see Linux include/linux/cred.h, fs/inode.c inode_owner_or_capable()
 */
import type { InodeHandle } from "../base/handles.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  CRED_CAPS,
  CRED_GID,
  CRED_GROUPS,
  CRED_NR_GROUPS,
  CRED_UID,
  INODE_UID,
  SLOT_CURRENT,
  TASK_CRED,
} from "../wasm/layout.ts";
import type { Task } from "./task.ts";

/** Place of a task's credentials in `u32`. */
export function credOf(task: Task): number {
  const { u32 } = task.kernel.core;
  return u32[(task.handle << 3) + TASK_CRED] >>> 2;
}

/** Place in `u32` of the credentials of the task that is being served. */
export function servedCred({ u32 }: Core): number {
  return u32[(u32[SLOT + SLOT_CURRENT] >>> 2) + TASK_CRED] >>> 2;
}

/** True for root. */
export function isCapable(task: Task): boolean {
  return task.kernel.core.u32[credOf(task) + CRED_CAPS] !== 0;
}

/** True for credentials that are root's. */
export function hasCaps({ u32 }: Core, cred: number): boolean {
  return u32[cred + CRED_CAPS] !== 0;
}

/** The user whose files the task makes. */
export function uidOf(task: Task): number {
  return task.kernel.core.u32[credOf(task) + CRED_UID];
}

/** True for the inode's owner and for root (Linux inode_owner_or_capable). */
export function ownerOrCapable(task: Task, inode: InodeHandle): boolean {
  return owns(task.kernel.core, credOf(task), inode);
}

/** As ownerOrCapable(), for credentials. */
export function owns({ u32 }: Core, cred: number, inode: InodeHandle): boolean {
  return u32[cred + CRED_CAPS] !== 0 || u32[cred + CRED_UID] === u32[(inode << 3) + INODE_UID];
}

/** Is the group one of these credentials'? */
export function inGroup({ u32 }: Core, cred: number, gid: number): boolean {
  if (u32[cred + CRED_GID] === gid) return true;
  const groups = u32[cred + CRED_GROUPS] >>> 2;
  for (let i = 0; i < u32[cred + CRED_NR_GROUPS]; i++) if (u32[groups + i] === gid) return true;
  return false;
}
