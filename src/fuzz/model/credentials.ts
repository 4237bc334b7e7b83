/**
 * Who makes a call, and what the bits of a mode let them do.
 *
 * Root has all capabilities, others none.
 *
 * @see Linux fs/namei.c generic_permission(), fs/inode.c inode_owner_or_capable(), fs/attr.c; capabilities(7)
 */
import { S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX } from "../../base/stat-flags.ts";
import type { TaskSpec } from "../call.ts";
import { fail } from "./fault.ts";
import type { Inode } from "./inode.ts";

export type Credentials = TaskSpec;

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

const S_IXGRP = 0o010;
const S_IXUGO = 0o111;

export function isCapable({ uid }: Credentials): boolean {
  return uid === 0;
}

export function isInGroup(who: Credentials, gid: number): boolean {
  return who.gid === gid || who.groups.includes(gid);
}

/** Owner, group or others: the first that applies decides, even if a later one would allow more. */
function bitsFor(who: Credentials, { uid, gid, mode }: Inode): number {
  if (who.uid === uid) return mode >> 6;
  return isInGroup(who, gid) ? mode >> 3 : mode;
}

/** @param mask of MAY_*; 0 asks for nothing, and is always granted */
export function isPermitted(who: Credentials, inode: Inode, mask: number): boolean {
  if ((mask & ~bitsFor(who, inode)) === 0) return true;
  if (!isCapable(who)) return false;
  // Root runs a file only if somebody may.
  return (inode.mode & S_IFMT) === S_IFDIR || (mask & MAY_EXEC) === 0 || (inode.mode & S_IXUGO) !== 0;
}

/** @throws EACCES */
export function permit(who: Credentials, inode: Inode, mask: number): void {
  if (!isPermitted(who, inode, mask)) fail("EACCES");
}

export function isOwnerOrCapable(who: Credentials, { uid }: Inode): boolean {
  return who.uid === uid || isCapable(who);
}

/** Whether one may have setgid on a file of a group. */
export function mayHaveSetgid(who: Credentials, gid: number): boolean {
  return isInGroup(who, gid) || isCapable(who);
}

/** In a directory with the sticky bit, whose file it is, or whose directory, may remove it. */
export function isKeptBySticky(who: Credentials, dir: Inode, victim: Inode): boolean {
  return (dir.mode & S_ISVTX) !== 0 && who.uid !== victim.uid && who.uid !== dir.uid && !isCapable(who);
}

/** The mode without setuid, and without setgid where that means to run as the group, or is not one's to keep. */
export function withoutSetid(who: Credentials, { mode, gid }: Inode): number {
  const dropsSetgid = (mode & S_ISGID) !== 0 && ((mode & S_IXGRP) !== 0 || !mayHaveSetgid(who, gid));
  return mode & ~S_ISUID & (dropsSetgid ? ~S_ISGID : ~0);
}

/**
 * Whether one may make a hard link to a file of somebody else's where fs.protected_hardlinks is set: to regular files without
 * setuid, not run as their group, that one may read and write.
 *
 * @see Linux fs/namei.c safe_hardlink_source(), may_linkat()
 */
export function isSafeToLink(who: Credentials, inode: Inode, isRegular: boolean): boolean {
  if (isOwnerOrCapable(who, inode)) return true;
  const runsAsGroup = (inode.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
  return isRegular && (inode.mode & S_ISUID) === 0 && !runsAsGroup && isPermitted(who, inode, MAY_READ | MAY_WRITE);
}
