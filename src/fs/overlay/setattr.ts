/**
 * Changes of attributes through an overlay: what changes is copied up first, and the copy changes.
 *
 * @see Linux fs/overlayfs/inode.c ovl_setattr()
 */
import { EAGAIN } from "../../base/errno.ts";
import type { InodeHandle } from "../../base/handles.ts";
import { dentryOfFile } from "../../mm/page.ts";
import { setState } from "../../vfs/fileattr.ts";
import {
  type Answer,
  ATTR_FILE,
  ATTR_FORCE,
  ATTR_MTIME,
  ATTR_OPEN,
  ATTR_SIZE,
  type Attributes,
} from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { setattrCopy, setattrPrepare } from "../../vfs/setattr.ts";
import { wantWriteInode } from "../../vfs/want-write.ts";
import { resize } from "./copy-data.ts";
import { copyUpInode, METADATA } from "./copy-up.ts";
import { upperOf } from "./entry.ts";
import { copyAttributes } from "./inode.ts";
import { inodeOf, operationsOf } from "./layer-names.ts";

/** InodeOperations.setattr. @returns 0; what setattrPrepare() answers; errors of copy-up; -EFBIG; what the upper layer answers */
export function setattr(kernel: Kernel, inode: InodeHandle, attr: Attributes): Answer {
  const refused = setattrPrepare(kernel, inode, attr);
  if (refused < 0) return refused;
  const asked = attr.valid & ATTR_FILE ? dentryOfFile(kernel.core, attr.file) : undefined;
  const copied = copyUpInode(kernel, inode, attr.valid & ATTR_SIZE ? attr.size : METADATA, asked);
  if (copied < 0) return copied;
  const upper = inodeOf(kernel.core, upperOf(kernel.core, inode));
  const rc = change(kernel, upper, { ...attr, valid: (attr.valid & ~(ATTR_FILE | ATTR_OPEN)) | ATTR_FORCE });
  if (rc === 0) copyAttributes(kernel, inode);
  return rc;
}

function change(kernel: Kernel, upper: InodeHandle, attr: Attributes): number {
  const own = operationsOf(kernel, upper).setattr;
  if (own !== undefined) {
    const answer = own(kernel, upper, attr);
    return typeof answer === "number" ? answer : -EAGAIN;
  }
  const rc = attr.valid & ATTR_SIZE ? truncate(kernel, upper, attr.size) : 0;
  if (rc < 0) return rc;
  if (attr.valid & ATTR_SIZE) attr.valid &= ~ATTR_MTIME; // that has been done, as memory does it
  setattrCopy(kernel, upper, attr);
  return 0;
}

function truncate(kernel: Kernel, upper: InodeHandle, size: number): number {
  return wantWriteInode(kernel, upper) || resize(kernel, upper, size);
}

/** InodeOperations.setFlags. @returns 0; errors of copy-up @see Linux fs/overlayfs/inode.c ovl_fileattr_set() */
export function setFlags(kernel: Kernel, inode: InodeHandle, state: number): number {
  const copied = copyUpInode(kernel, inode);
  if (copied < 0) return copied;
  const rc = setState(kernel, inodeOf(kernel.core, upperOf(kernel.core, inode)), state);
  copyAttributes(kernel, inode);
  return rc;
}
