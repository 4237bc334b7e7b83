/**
 * Attributes of inodes: mode, owner and times.
 *
 * @see Linux fs/attr.c setattr_prepare(), setattr_copy(), fs/open.c chown_common()
 */
import { S_IALLUGO, S_IFMT, S_ISGID } from "../../base/stat-flags.ts";
import {
  type Credentials,
  isCapable,
  isInGroup,
  isOwnerOrCapable,
  mayHaveSetgid,
  withoutSetid,
} from "./credentials.ts";
import { fail } from "./fault.ts";
import { Directory, type Inode } from "./inode.ts";

/** An id that is to stay as it is. */
export const SAME_ID = -1;

/** Sets permissions; setgid is lost to who is not in the group. @throws EPERM for others than the owner */
export function chmod(who: Credentials, inode: Inode, mode: number): void {
  if (!isOwnerOrCapable(who, inode)) fail("EPERM");
  inode.mode = (inode.mode & S_IFMT) | withSetgidFor(who, inode.gid, mode & S_IALLUGO);
  inode.changed();
}

function withSetgidFor(who: Credentials, gid: number, mode: number): number {
  return mayHaveSetgid(who, gid) ? mode : mode & ~S_ISGID;
}

/**
 * Owners may give a file to a group that they are in; root may do all. No file but a directory keeps its setuid.
 *
 * @param uid, gid -1 leaves one as it is @throws EPERM
 */
export function chown(who: Credentials, inode: Inode, uid: number, gid: number): void {
  const isOwner = who.uid === inode.uid;
  if (uid !== SAME_ID && !(isOwner && uid === inode.uid) && !isCapable(who)) fail("EPERM");
  const isOwnGroup = gid === inode.gid || isInGroup(who, gid);
  if (gid !== SAME_ID && !(isOwner && isOwnGroup) && !isCapable(who)) fail("EPERM");
  const newGid = gid === SAME_ID ? inode.gid : gid;
  let { mode } = inode;
  if (!(inode instanceof Directory)) mode = withoutSetid(who, inode);
  if (mode !== inode.mode) {
    if (!isOwnerOrCapable(who, inode)) fail("EPERM");
    inode.mode = withSetgidFor(who, newGid, mode);
  }
  if (uid !== SAME_ID) inode.uid = uid;
  inode.gid = newGid;
  inode.changed();
}

/** @param atimeMs, mtimeMs since 1970 @throws EPERM for others than the owner */
export function setTimes(who: Credentials, inode: Inode, atimeMs: number, mtimeMs: number): void {
  if (!isOwnerOrCapable(who, inode)) fail("EPERM");
  inode.atimeMs = atimeMs;
  inode.mtimeMs = mtimeMs;
  inode.changed();
}
