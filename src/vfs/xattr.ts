/**
 * Extended attributes: what is checked before a file system is asked.
 *
 * Names and sizes come first, since they are copied from the caller before anything is looked up; then the path, a read-only mount,
 * what the kind of name allows, and what the file system says.
 *
 * Does not own: attributes of inodes in memory (simple-xattr.ts), Node's shape of the calls (node/linux/xattr.ts).
 *
 * @see Linux fs/xattr.c setxattr_copy(), xattr_permission(), xattr_resolve_name(); security/commoncap.c cap_inode_setxattr()
 */
import { E2BIG, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { S_IFDIR, S_IFMT, S_IFREG, S_ISVTX } from "../base/stat-flags.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import {
  I_APPEND,
  I_IMMUTABLE,
  INODE_MODE,
  INODE_SB,
  INODE_STATE,
  MAY_READ,
  MAY_WRITE,
  SB_MEMORY,
  SUPER_BLOCK_FLAGS,
  XATTR_NAME_MAX,
  XATTR_SIZE_MAX,
} from "../wasm/layout.ts";
import { isCapable, ownerOrCapable } from "./attr.ts";
import { type FileTarget, findTarget } from "./file-target.ts";
import type { XattrHandler } from "./fs-type.ts";
import { FS_ATTRIB } from "./fsnotify-events.ts";
import type { Kernel } from "./kernel.ts";
import { inodePermission } from "./namei.ts";
import { simpleXattrGet, simpleXattrList, simpleXattrSet, XATTR_CREATE, XATTR_REPLACE } from "./simple-xattr.ts";
import type { Task } from "./task.ts";
import { wantWrite } from "./want-write.ts";

/** Bytes of a list of names, each with its NUL. */
export const XATTR_LIST_MAX = 65536;

const SIMPLE: readonly XattrHandler[] = ["user.", "trusted.", "security."].map((prefix) => ({
  prefix,
  get: simpleXattrGet,
  set: simpleXattrSet,
}));

/** Value of security.capability: a header of version 2 or 3, and as many bytes as that has. @see Linux validheader() */
const CAPABILITY = "security.capability";
const BYTES_OF_VERSION: Readonly<Record<number, number>> = { 2: 20, 3: 24 };

function startsWith(name: Uint8Array, prefix: string): boolean {
  for (let i = 0; i < prefix.length; i++) if (name[i] !== prefix.charCodeAt(i)) return false;
  return true;
}

function isNamed(name: Uint8Array, text: string): boolean {
  return name.length === text.length && startsWith(name, text);
}

function livesInMemory({ core: { u32 } }: Kernel, inode: InodeHandle): boolean {
  return (u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_MEMORY) !== 0;
}

function handlersOf(kernel: Kernel, inode: InodeHandle): readonly XattrHandler[] {
  return kernel.sbOf(inode).type.xattrs ?? (livesInMemory(kernel, inode) ? SIMPLE : []);
}

/** Who serves a name. @returns -EOPNOTSUPP for a kind that there is not; -EINVAL for nothing behind its beginning */
export function handlerOf(kernel: Kernel, inode: InodeHandle, name: Uint8Array): XattrHandler | number {
  const handler = handlersOf(kernel, inode).find(({ prefix }) => startsWith(name, prefix));
  if (handler === undefined) return -EOPNOTSUPP;
  return name.length === handler.prefix.length ? -EINVAL : handler;
}

/** @returns -ERANGE for a name of no bytes, or of more than 255 */
function checkName(name: Uint8Array): number {
  return name.length === 0 || name.length > XATTR_NAME_MAX ? -ERANGE : 0;
}

/** @param mask MAY_READ or MAY_WRITE @returns 0 or a negated errno @see Linux xattr_permission() */
function xattrPermission(task: Task, inode: InodeHandle, name: Uint8Array, mask: number): number {
  const { core } = task.kernel;
  const writes = mask === MAY_WRITE;
  if (writes && core.u32[(inode << 3) + INODE_STATE] & (I_IMMUTABLE | I_APPEND)) return -EPERM;
  if (startsWith(name, "security.") || startsWith(name, "system.")) return 0;
  const refused = writes ? -EPERM : -ENODATA;
  if (startsWith(name, "trusted.")) return isCapable(task) ? 0 : refused;
  if (startsWith(name, "user.")) {
    const mode = core.u32[(inode << 3) + INODE_MODE];
    const type = mode & S_IFMT;
    if (type !== S_IFREG && type !== S_IFDIR) return refused;
    if (writes && type === S_IFDIR && mode & S_ISVTX && !ownerOrCapable(task, inode)) return -EPERM;
  }
  return inodePermission(task.kernel, inode, mask);
}

/** What is for root among security.*: all but to set what a program may do, which only has to look like it. */
function securityPermission(task: Task, name: Uint8Array, removes: boolean): number {
  if (!startsWith(name, "security.") || (!removes && isNamed(name, CAPABILITY))) return 0;
  return isCapable(task) ? 0 : -EPERM;
}

/** @see Linux security/commoncap.c cap_convert_nscap() */
function checkCapability(task: Task, name: Uint8Array, value: Uint8Array): number {
  if (value.length === 0 || !isNamed(name, CAPABILITY)) return 0;
  if (BYTES_OF_VERSION[value[3]] !== value.length || value[1] || value[2]) return -EINVAL;
  return isCapable(task) ? 0 : -EPERM;
}

/**
 * Gets an attribute.
 *
 * @returns a copy of its value; -ERANGE; errors of the walk, -EBADF; -ENODATA for what the caller must not see, -EACCES; -EOPNOTSUPP,
 *   -EINVAL; -ENODATA; -EAGAIN of a store
 */
export function getxattr(task: Task, target: FileTarget, name: Uint8Array): Uint8Array | number {
  const bad = checkName(name);
  if (bad) return bad;
  const found = findTarget(task, target);
  if (typeof found === "number") return found;
  const { kernel } = task;
  const denied = xattrPermission(task, found.inode, name, MAY_READ);
  if (denied) return denied;
  const handler = handlerOf(kernel, found.inode, name);
  return typeof handler === "number" ? handler : handler.get(kernel, found.inode, name);
}

/**
 * Names of the attributes that the caller may know of. Nobody needs a right to the file itself.
 *
 * @returns errors of the walk, -EBADF; what the file system answers; -E2BIG for names of more than 64 KiB together
 */
export function listxattr(task: Task, target: FileTarget): readonly Uint8Array[] | number {
  const found = findTarget(task, target);
  if (typeof found === "number") return found;
  const all = listOf(task.kernel, found.inode);
  if (typeof all === "number") return all;
  const seen = isCapable(task) ? all : all.filter((name) => !startsWith(name, "trusted."));
  return seen.reduce((bytes, name) => bytes + name.length + 1, 0) > XATTR_LIST_MAX ? -E2BIG : seen;
}

/** Names of all attributes of an inode, whoever asks. @returns or what the file system answers */
export function listOf(kernel: Kernel, inode: InodeHandle): readonly Uint8Array[] | number {
  const own = kernel.tableOf(inode).inode.listxattr?.(kernel, inode);
  return own ?? (livesInMemory(kernel, inode) ? simpleXattrList(kernel, inode) : []);
}

/**
 * Sets an attribute.
 *
 * @param flags XATTR_CREATE, XATTR_REPLACE
 * @returns 0; -EINVAL for other flags; -ERANGE; -E2BIG for a value of more than 64 KiB; errors of the walk, -EBADF; -EROFS; -EINVAL for
 *   a security.capability that is none; -EPERM, -EACCES; -EOPNOTSUPP, -EINVAL; -ENOSPC; -EEXIST, -ENODATA; -EAGAIN of a store
 */
export function setxattr(task: Task, target: FileTarget, name: Uint8Array, value: Uint8Array, flags: number): number {
  if (flags & ~(XATTR_CREATE | XATTR_REPLACE)) return -EINVAL;
  const bad = checkName(name) || (value.length > XATTR_SIZE_MAX ? -E2BIG : 0);
  return bad || change(task, target, name, value, flags);
}

/** Removes an attribute. @returns as setxattr(); -ENODATA where there is none */
export function removexattr(task: Task, target: FileTarget, name: Uint8Array): number {
  return checkName(name) || change(task, target, name, undefined, XATTR_REPLACE);
}

function change(
  task: Task,
  target: FileTarget,
  name: Uint8Array,
  value: Uint8Array | undefined,
  flags: number,
): number {
  const { kernel } = task;
  const found = findTarget(task, target);
  if (typeof found === "number") return found;
  const { inode, mnt } = found;
  const refused =
    wantWrite(kernel, mnt) ||
    (value === undefined ? 0 : checkCapability(task, name, value)) ||
    xattrPermission(task, inode, name, MAY_WRITE) ||
    securityPermission(task, name, value === undefined);
  if (refused) return refused;
  const handler = handlerOf(kernel, inode, name);
  if (typeof handler === "number") return handler;
  const rc = kernel.room(handler.set?.(kernel, inode, name, value, flags) ?? -EOPNOTSUPP);
  if (rc === 0) kernel.fsnotify?.changed(found, FS_ATTRIB); // fsnotify_xattr()
  return rc === TRY_AGAIN ? change(task, target, name, value, flags) : rc;
}
