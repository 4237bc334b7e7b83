/**
 * Inodes and names of proc: looked up in the tree, and true for as long as the task and the descriptor are there.
 *
 * Does not own: the tree (tree.ts), what is read from it (proc.ts).
 *
 * @see Linux fs/proc/base.c proc_pid_lookup(), pid_revalidate(), fd.c tid_fd_revalidate(), generic.c proc_lookup_de()
 */
import { ENOENT, EPERM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IALLUGO, S_IFDIR, S_IFLNK, S_IFREG } from "../../base/stat-flags.ts";
import { utf8Decoder, utf8Encoder } from "../../base/utf8.ts";
import {
  ATTR_GID,
  ATTR_MODE,
  ATTR_UID,
  type Attributes,
  type DirEmit,
  type InodeOperations,
  type LinkPlace,
} from "../../vfs/fs-type.ts";
import { dSpliceAlias, iget } from "../../vfs/iget.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { setattrCopy, setattrPrepare } from "../../vfs/setattr.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { STAT_NLINK } from "../../vfs/syscalls.ts";
import { I_IMMUTABLE, INODE_GID, INODE_MODE, INODE_STATE, INODE_UID } from "../../wasm/layout.ts";
import type { NumberedEntries, ProcEntry } from "./entry.ts";
import { mountsLink } from "./links.ts";
import { sysctlPermission } from "./sysctl.ts";
import { childIno, isSysctl, isThere, numberedIno, type ProcPlace, placeOf, ROOT } from "./tree.ts";

/** Kinds of inodes: indexes into the type's tables. */
export const DIRECTORY = 0;
const FILE = 1;
const TASK_FILE = 2;
const SYSCTL = 3;
const SYSCTL_DIRECTORY = 4;
const LINK = 5;
const PLACE_LINK = 6;

/** Linux's, whatever the text is. */
const FD_LINK_BYTES = 64;
const MOUNTS_LINK_BYTES = "self/mounts".length;
/** From the type in a mode to that of an entry (DT_*). */
const DT_SHIFT = 12;
const PROC_NUMBER = /^(?:0|[1-9]\d{0,8})$/;

/** What an inode is, and whom it is about. */
export function placeAt(kernel: Kernel, inode: InodeHandle): ProcPlace {
  return placeOf(kernel, new Inode(kernel, inode).ino);
}

function kindOf({ entry, pid }: ProcPlace): number {
  if (entry.children) return isSysctl(entry) ? SYSCTL_DIRECTORY : DIRECTORY;
  if (entry.readlink) return entry.jump ? PLACE_LINK : LINK;
  if (entry.sysctl) return SYSCTL;
  return pid === 0 ? FILE : TASK_FILE;
}

function typeOf(entry: ProcEntry): number {
  return entry.children ? S_IFDIR : entry.readlink ? S_IFLNK : S_IFREG;
}

function modeOf(place: ProcPlace): number {
  return place.entry.modeOf?.(place) ?? place.entry.mode;
}

/** Linux does not count what is below a directory of settings. */
function nlinkOf(entry: ProcEntry): number {
  if (entry.children === undefined || isSysctl(entry)) return 1;
  return 2 + entry.children.filter(({ children }) => children).length;
}

/** Fills an inode. Its mode is written as it is: nobody has walked here yet. @returns -ENOENT when it has just gone */
export function readInode({ kernel }: SuperBlock, handle: InodeHandle): number {
  const place = placeAt(kernel, handle);
  if (!isThere(place)) return -ENOENT;
  const { entry, task } = place;
  const { u32 } = kernel.core;
  const inode = new Inode(kernel, handle);
  u32[(handle << 3) + INODE_MODE] = typeOf(entry) | modeOf(place);
  u32[(handle << 3) + INODE_UID] = task?.credentials.uid ?? 0;
  u32[(handle << 3) + INODE_GID] = task?.credentials.gid ?? 0;
  inode.kind = kindOf(place);
  inode.nlink = nlinkOf(entry);
  if (entry.isImmutable) u32[(handle << 3) + INODE_STATE] |= I_IMMUTABLE;
  if (entry.modeOf) inode.size = FD_LINK_BYTES;
  else if (entry === mountsLink) inode.size = MOUNTS_LINK_BYTES;
  return 0;
}

/** Number of the inode that a directory has by a name, 0 = none. */
function find(dir: ProcPlace, name: string): number {
  const entry = dir.entry.children?.find((child) => child.name === name);
  if (entry) return childIno(dir, entry);
  const { numbered } = dir.entry;
  return numbered && PROC_NUMBER.test(name) ? numberedIno(dir, numbered.entry, Number(name)) : 0;
}

/** A name that is not there leaves no dentry behind: it may come at any time. */
function lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const ino = find(placeAt(kernel, dir), utf8Decoder.decode(new Dentry(kernel, dentry).name));
  // An inode may be known while what it is about is gone: somebody has it open.
  if (ino === 0 || !isThere(placeOf(kernel, ino))) return -ENOENT;
  const inode = iget(kernel.sbOf(dir), ino) as InodeHandle;
  if (inode < 0) return inode;
  dSpliceAlias(kernel, inode, dentry);
  return 0;
}

/** Does a cached name still stand for what it did? A descriptor may stand for a file that is open otherwise. */
export function isTrue(kernel: Kernel, dentry: DentryHandle): boolean {
  const { inode } = new Dentry(kernel, dentry);
  if (inode === 0) return false;
  const place = placeAt(kernel, inode);
  return isThere(place) && (new Inode(kernel, inode).mode & S_IALLUGO) === modeOf(place);
}

/** Lists what is there at the moment. */
export function iterate(kernel: Kernel, dir: InodeHandle, emit: DirEmit): number {
  const place = placeAt(kernel, dir);
  const { children = [], numbered } = place.entry;
  if (!isThere(place)) return -ENOENT;
  for (const entry of children) if (!emit(entry.name, typeOf(entry) >> DT_SHIFT)) return 0;
  for (const number of numbered?.list(place) ?? []) {
    if (!emit(String(number), typeOf((numbered as NumberedEntries).entry) >> DT_SHIFT)) return 0;
  }
  return 0;
}

/** Times may be set, sizes are taken and change nothing. @returns -EPERM for mode and owner, else as setattrPrepare() */
function setattr(kernel: Kernel, inode: InodeHandle, attr: Attributes): number {
  if (attr.valid & (ATTR_MODE | ATTR_UID | ATTR_GID)) return -EPERM;
  const refused = setattrPrepare(kernel, inode, attr);
  if (refused < 0) return refused;
  setattrCopy(kernel, inode, attr);
  return 0;
}

/** The root has a link for each task's directory. */
function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  const place = placeAt(kernel, inode);
  if (place.entry === ROOT) values[STAT_NLINK] = nlinkOf(ROOT) + (ROOT.numbered?.list(place).length ?? 0);
  return 0;
}

function readlink(kernel: Kernel, inode: InodeHandle): Uint8Array | number {
  const place = placeAt(kernel, inode);
  const text = isThere(place) ? (place.entry.readlink?.(place) ?? -ENOENT) : -ENOENT;
  return typeof text === "string" ? utf8Encoder.encode(text) : text;
}

function jumpLink(kernel: Kernel, inode: InodeHandle): LinkPlace | number {
  const place = placeAt(kernel, inode);
  return isThere(place) ? (place.entry.jump?.(place) ?? -ENOENT) : -ENOENT;
}

function permission(kernel: Kernel, inode: InodeHandle, mask: number): number {
  return sysctlPermission(kernel, placeAt(kernel, inode).entry.mode, mask);
}

/** By kind. */
export const inodeOperations: readonly InodeOperations[] = [
  { lookup, getattr, setattr },
  { setattr },
  { setattr },
  { setattr, permission },
  { lookup, setattr, permission },
  { setattr, getLink: readlink },
  { setattr, getLink: readlink, jumpLink },
];
