/**
 * Names of trees that are compared, whatever file systems they are of: found, listed, described and told apart, for a caller with
 * rights of its own.
 *
 * Does not own: what is compared with what (diff-tree.ts).
 */
import { EAGAIN, ENODATA, EOPNOTSUPP } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import { TRY_AGAIN } from "../../mm/address-space.ts";
import { isCapable } from "../../vfs/attr.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { inodePermission } from "../../vfs/namei.ts";
import {
  STAT_GID,
  STAT_INO,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_RDEV,
  STAT_UID,
} from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import { SLOT } from "../../wasm/core.ts";
import {
  INODE_SB,
  MAY_READ,
  SLOT_ND_DENTRY,
  SLOT_ND_MOUNT,
  SLOT_ND_PARENT,
  SUPER_BLOCK_DEV,
} from "../../wasm/layout.ts";
import type { LayerFile } from "./copy-data.ts";
import { readLink } from "./copy-up.ts";
import { firstLower, flagsOf, OVL_ORIGIN, upperOf } from "./entry.ts";
import { realInode } from "./inode.ts";
import { inodeOf, isDirectory, lookupOne } from "./layer-names.ts";
import { getLayerXattr, listLayerXattrs } from "./layer-xattr.ts";
import { originOf } from "./origin.ts";
import { keyOf } from "./readdir.ts";
import { bottomInode, isStacked } from "./stack-parts.ts";
import { statReal } from "./stat-real.ts";

const TRUSTED = "trusted.";

/** What of a file has changed. */
export type ChangedField = "type" | "data" | "mode" | "owner" | "times" | "xattr" | "target" | "rdev";

/** Attributes of a file: a copy, STAT_*. */
export function describe(kernel: Kernel, dentry: DentryHandle): Float64Array | number {
  const values = kernel.core.statValues;
  const rc = statReal(kernel, inodeOf(kernel.core, dentry), values);
  return rc < 0 ? rc : values.slice();
}

/** May the caller? Where the file stands is what it is asked of. @param mask MAY_* */
export function mayAccess(kernel: Kernel, { mnt, dentry }: LayerFile, mask: number): number {
  const { u32 } = kernel.core;
  u32[SLOT + SLOT_ND_DENTRY] = u32[SLOT + SLOT_ND_PARENT] = dentry << 5;
  u32[SLOT + SLOT_ND_MOUNT] = mnt << 5;
  return inodePermission(kernel, inodeOf(kernel.core, dentry), mask);
}

/** Finds a name. @returns its dentry with a reference; 0 = it is not there; -ENOSPC, -ENOMEM; what the file system answers */
export function findName(kernel: Kernel, dir: DentryHandle, name: Uint8Array): DentryHandle {
  for (;;) {
    const rc = kernel.room(lookupOne(kernel, dir, name));
    if (rc !== TRY_AGAIN) return rc as DentryHandle;
  }
}

/**
 * What a file is known by, wherever its name is: numbers of its inode, in its own file system, and in those below.
 *
 * Both sides of a copy-up have one in common: the copy says what the number of the lower file was.
 *
 * @returns -EAGAIN where a store has to be asked
 */
export function marksOf(kernel: Kernel, inode: InodeHandle): string[] | number {
  const { core } = kernel;
  const values = core.statValues;
  const rc = statReal(kernel, inode, values);
  if (rc < 0) return rc === -EAGAIN ? rc : [];
  const dev = core.u32[(core.u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_DEV];
  const own = `${dev}:${values[STAT_INO]}`;
  if (!isStacked(kernel, inode)) return [own];
  const isDir = isDirectory(core, inode);
  const lower = firstLower(core, inode);
  const upper = upperOf(core, inode);
  if (isDir && lower) return withMarks(own, marksOf(kernel, inodeOf(core, lower.dentry)));
  const origin = upper && flagsOf(core, inode) & OVL_ORIGIN ? originOf(kernel, inodeOf(core, upper)) : undefined;
  if (origin) return [own, `${origin.dev}:${origin.ino}`];
  return withMarks(own, marksOf(kernel, realInode(core, inode)));
}

function withMarks(own: string, marks: string[] | number): string[] | number {
  return typeof marks === "number" ? marks : [own, ...marks];
}

/** A file, with its attributes. */
export interface Described extends LayerFile {
  readonly stat: Float64Array;
}

export function typeOf({ stat }: Described): number {
  return stat[STAT_MODE] & S_IFMT;
}

export function isDir(file: Described): boolean {
  return typeOf(file) === S_IFDIR;
}

/** What of two files differs beside their data. @returns a negated errno */
export function compareAttributes(task: Task, a: Described, b: Described): ChangedField[] | number {
  const { kernel } = task;
  const { core } = kernel;
  const changed: ChangedField[] = [];
  const differs = (...fields: readonly number[]): boolean => fields.some((field) => a.stat[field] !== b.stat[field]);
  if (typeOf(a) !== typeOf(b)) changed.push("type");
  if ((a.stat[STAT_MODE] ^ b.stat[STAT_MODE]) & ~S_IFMT) changed.push("mode");
  if (differs(STAT_UID, STAT_GID)) changed.push("owner");
  if (differs(STAT_MTIME_SEC, STAT_MTIME_NSEC)) changed.push("times");
  const isOther = compareXattrs(task, a, b);
  if (typeof isOther === "number") return isOther;
  if (isOther) changed.push("xattr");
  if (changed[0] === "type") return changed;
  if (typeOf(a) === S_IFLNK) {
    const target = readLink(kernel, bottomInode(kernel, inodeOf(core, a.dentry)));
    if (typeof target === "number") return target;
    const other = readLink(kernel, bottomInode(kernel, inodeOf(core, b.dentry)));
    if (typeof other === "number") return other;
    if (!areEqual(target, other)) changed.push("target");
  } else if (typeOf(a) !== S_IFREG && typeOf(a) !== S_IFDIR && differs(STAT_RDEV)) changed.push("rdev");
  return changed;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Names that the caller may know of, as texts. */
function xattrNames(task: Task, { dentry }: LayerFile): Map<string, Uint8Array> | number {
  const names = listLayerXattrs(task.kernel, inodeOf(task.kernel.core, dentry));
  if (names === -EOPNOTSUPP) return new Map();
  if (typeof names === "number") return names;
  const known = names.map((name) => [keyOf(name), name.slice()] as const);
  return new Map(known.filter(([key]) => isCapable(task) || !key.startsWith(TRUSTED)));
}

/** @returns true where they differ; -EACCES for values that the caller may not read */
function compareXattrs(task: Task, a: LayerFile, b: LayerFile): boolean | number {
  const { kernel } = task;
  const [from, to] = [inodeOf(kernel.core, a.dentry), inodeOf(kernel.core, b.dentry)];
  const names = xattrNames(task, a);
  if (typeof names === "number") return names;
  const others = xattrNames(task, b);
  if (typeof others === "number") return others;
  if (names.size !== others.size || [...names.keys()].some((key) => !others.has(key))) return true;
  if (names.size === 0 || bottomInode(kernel, from) === bottomInode(kernel, to)) return false;
  const denied = mayAccess(kernel, a, MAY_READ) || mayAccess(kernel, b, MAY_READ);
  if (denied) return denied;
  for (const name of names.values()) {
    const value = getLayerXattr(kernel, from, name);
    const kept = typeof value === "number" ? value : value.slice();
    const other = getLayerXattr(kernel, to, name);
    for (const rc of [kept, other]) if (typeof rc === "number" && rc !== -ENODATA && rc !== -EOPNOTSUPP) return rc;
    const isSame = typeof kept === "number" || typeof other === "number" ? kept === other : areEqual(kept, other);
    if (!isSame) return true;
  }
  return false;
}
