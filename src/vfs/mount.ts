/**
 * Mounting: new file systems, binds, remounts, umount, and the mount table.
 *
 * Does not own: the records (assembly/fs/mount.ts, super.ts), what mounts forbid to other calls (mount-flags.ts).
 *
 * @see Linux fs/namespace.c path_mount(), do_umount(); mount(2), mount(8)
 */

import { EBUSY, EINVAL, ENODEV, ENOENT, ENOTDIR, EPERM } from "../base/errno.ts";
import type { DentryHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { utf8Encoder } from "../base/utf8.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import type { Core } from "../wasm/core.ts";
import {
  I_DEAD,
  INODE_NLINK,
  INODE_SB_NEXT,
  INODE_STATE,
  LOOKUP_FOLLOW,
  MNT_DETACHED,
  MNT_INTERNAL,
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_READONLY,
  MNT_RELATIME,
  MNT_STRICTATIME,
  MOUNT_CHILDREN,
  MOUNT_COUNT,
  MOUNT_FLAGS,
  MOUNT_ID,
  MOUNT_PARENT,
  MOUNT_SB,
  MOUNT_SOURCE,
  MOUNT_SOURCE_LENGTH,
  MOUNT_WRITERS,
  NR_PLAIN_KINDS,
  RESULT_ADDRESS,
  SB_DELETE_INODE,
  SB_DROP_INODE,
  SB_EVICT,
  SB_FILE,
  SB_FREE_PAGE,
  SB_GET_LINK,
  SB_GETATTR,
  SB_LOOKUP,
  SB_NOUSER,
  SB_PERMISSION,
  SB_RDONLY,
  SB_REVALIDATE,
  SB_SETATTR,
  SB_SILENT,
  SB_SYNCHRONOUS,
  SB_UNFROZEN,
  SUPER_BLOCK_ACTIVE,
  SUPER_BLOCK_INODES,
  SUPER_BLOCK_PLAIN_KINDS,
} from "../wasm/layout.ts";
import { decodeUtf8 } from "../wasm/path-buffer.ts";
import { isCapable } from "./attr.ts";
import { simpleRename, simpleUnlink } from "./dir-ops.ts";
import { type FileSystemType, FS_MEMORY, FS_NOUSER, FS_RDONLY, genericDeleteInode } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import {
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SILENT,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
} from "./mount-constants.ts";
import { inodeOf, ndMount, walk } from "./namei.ts";
import { genericFileRead } from "./read-write.ts";
import { endSuper } from "./reap-super.ts";
import { mayHaveStore, storeSupport, storeSupportIfAny } from "./store-part.ts";
import { SuperBlock } from "./super-block.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** What is to be mounted, where and how. */
export interface MountRequest {
  /** Name of a registered type; for a bind mount: none. */
  type?: string;
  /** Directory or file to mount over. */
  target: Path;
  /** What is mounted: a name for the table, the tree to bind, a device later. */
  source?: string;
  /** Options as in mount(8): "ro,noatime,size=64m". What the VFS does not know goes to the file system. */
  data?: string;
  /** Union of MS_*. */
  flags?: number;
}

/** One line of the mount table (/proc/self/mountinfo). */
export interface MountInfo {
  id: number;
  parent: number;
  type: string;
  source: string;
  target: string;
  options: string;
}

const OPTION_FLAGS: Record<string, { set?: number; clear?: number }> = {
  ro: { set: MS_RDONLY },
  rw: { clear: MS_RDONLY },
  nosuid: { set: MS_NOSUID },
  suid: { clear: MS_NOSUID },
  nodev: { set: MS_NODEV },
  dev: { clear: MS_NODEV },
  noexec: { set: MS_NOEXEC },
  exec: { clear: MS_NOEXEC },
  sync: { set: MS_SYNCHRONOUS },
  async: { clear: MS_SYNCHRONOUS },
  noatime: { set: MS_NOATIME },
  atime: { clear: MS_NOATIME },
  nodiratime: { set: MS_NODIRATIME },
  diratime: { clear: MS_NODIRATIME },
  relatime: { set: MS_RELATIME },
  silent: { set: MS_SILENT },
  loud: { clear: MS_SILENT },
  strictatime: { set: MS_STRICTATIME },
  defaults: {},
};

/** What is said of the file system; all else that mount() is told holds for the one mount. */
const SB_FLAGS: readonly (readonly [ms: number, sb: number])[] = [
  [MS_RDONLY, SB_RDONLY],
  [MS_SYNCHRONOUS, SB_SYNCHRONOUS],
];
/** Flags of a super block that a remount may change. */
const SB_REMOUNTABLE = SB_FLAGS.reduce((all, [, sb]) => all | sb, 0);

/** Flags of one mount, in the order in which tables show them. */
export const MNT_FLAGS: readonly (readonly [ms: number, mnt: number, shown: string])[] = [
  [MS_RDONLY, MNT_READONLY, "ro"],
  [MS_NOSUID, MNT_NOSUID, "nosuid"],
  [MS_NODEV, MNT_NODEV, "nodev"],
  [MS_NOEXEC, MNT_NOEXEC, "noexec"],
  [MS_NOATIME, MNT_NOATIME, "noatime"],
  [MS_NODIRATIME, MNT_NODIRATIME, "nodiratime"],
  [MS_STRICTATIME, MNT_STRICTATIME, "strictatime"],
];

/** Splits options into flags and what is the file system's. */
function parseOptions(data: string, flags: number): { flags: number; rest: string } {
  const rest: string[] = [];
  let parsed = flags;
  for (const option of data.split(",")) {
    const known = Object.hasOwn(OPTION_FLAGS, option) ? OPTION_FLAGS[option] : undefined;
    if (known) parsed = (parsed & ~(known.clear ?? 0)) | (known.set ?? 0);
    else if (option !== "") rest.push(option);
  }
  return { flags: parsed, rest: rest.join(",") };
}

function sbFlags(ms: number): number {
  return SB_FLAGS.reduce((flags, [from, to]) => (ms & from ? flags | to : flags), 0);
}

/** Access times are updated as relatime says unless something else is asked for; strictatime beats noatime. */
function mntFlags(ms: number): number {
  const flags = MNT_FLAGS.reduce((all, [from, to]) => (ms & from ? all | to : all), 0);
  if (flags & MNT_STRICTATIME) return flags & ~MNT_NOATIME;
  return flags & MNT_NOATIME ? flags : flags | MNT_RELATIME;
}

const MS_ATIME = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;
const MNT_ATIME = MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME | MNT_STRICTATIME;

/** As mntFlags(), for a mount that has flags: a remount that does not speak of access times leaves them as they are. */
function remountFlags(ms: number, before: number): number {
  const flags = mntFlags(ms);
  return ms & MS_ATIME ? flags : (flags & ~MNT_ATIME) | (before & MNT_ATIME);
}

/** Which of its operations a walk has to hand over for. */
function operationFlags(type: FileSystemType): number {
  const { tables, superOps, dentryOps } = type;
  let flags = 0;
  if (superOps?.evictInode || superOps?.readInode || superOps?.writeInode || superOps?.dropInode) flags |= SB_EVICT;
  if (superOps?.dropInode) flags |= superOps.dropInode === genericDeleteInode ? SB_DELETE_INODE : SB_DROP_INODE;
  if (mayHaveStore(type)) flags |= SB_SETATTR;
  if (dentryOps?.revalidate || dentryOps?.delete) flags |= SB_REVALIDATE;
  for (const { inode, file, mapping } of tables) {
    if (mapping.freePage || mapping.releasePage || mapping.migratePage || mapping.isolatePage) flags |= SB_FREE_PAGE;
    if (file.open || file.release || (file.read && file.read !== genericFileRead)) flags |= SB_FILE;
    if (inode.lookup) flags |= SB_LOOKUP;
    if (inode.permission) flags |= SB_PERMISSION;
    if (inode.getLink) flags |= SB_GET_LINK;
    if (inode.getattr) flags |= SB_GETATTR;
    if (inode.setattr) flags |= SB_SETATTR;
  }
  return type.fsFlags & FS_NOUSER ? flags | SB_NOUSER : flags;
}

/**
 * The kinds of inodes, a bit each, whose names the core may take away and move by itself (assembly/fs/plain-names.ts). It pins
 * none: they must be names in memory, which reclaim lets be.
 */
function plainKinds({ tables, fsFlags }: FileSystemType): number {
  if (!(fsFlags & FS_MEMORY)) return 0;
  let kinds = 0;
  for (const [kind, { inode }] of tables.slice(0, NR_PLAIN_KINDS).entries()) {
    if (inode.unlink === simpleUnlink && inode.rename === simpleRename) kinds |= 1 << kind;
  }
  return kinds;
}

/**
 * Mounts.
 *
 * @returns 0; in the order checked errors of the walk to the target; -EPERM for others than root; -ENODEV for an unknown
 *   type; -EINVAL for a pseudo file system, and for one on a device without a source; -EBUSY where its super block is
 *   mounted, read-only the one and writable the other, and where that takes time to end; what the file system answers; -ENOENT for a removed directory,
 *   and for one of a mount that is out of the tree; -ENOTDIR when target and root differ in being directories; -ENOMEM;
 *   of a remount -EINVAL where nothing is mounted, -EBUSY while the file system is frozen, and for read-only while a file is
 *   open for writing, or open and removed
 */
export function mount(task: Task, request: MountRequest): number {
  const rc = task.kernel.room(tryMount(task, request));
  return rc === TRY_AGAIN ? mount(task, request) : rc;
}

function tryMount(task: Task, request: MountRequest): number {
  const { flags, rest } = parseOptions(request.data ?? "", request.flags ?? 0);
  const { core } = task.kernel;
  const target = walk(task, request.target, LOOKUP_FOLLOW);
  if (target < 0) return target;
  if (!isCapable(task)) return -EPERM;
  if (flags & MS_REMOUNT)
    return remount(task.kernel, { mnt: ndMount(core), dentry: target as DentryHandle }, flags, rest);
  const top = core.x.walkFollowMounts() as DentryHandle; // of mounts on one place the newest is mounted over
  const place = { mnt: ndMount(core), dentry: top };
  core.x.mountGet(place.mnt);
  core.x.dget(place.dentry);
  const rc = flags & MS_BIND ? bind(task, request, place) : mountNew(task.kernel, request, place, flags, rest);
  core.x.dput(place.dentry);
  core.x.mountPut(place.mnt);
  return rc;
}

interface Place {
  mnt: MountHandle;
  dentry: DentryHandle;
}

function mountNew(kernel: Kernel, request: MountRequest, place: Place, flags: number, data: string): number {
  const id = kernel.typeIdOf(request.type ?? "");
  if (id < 0) return -ENODEV;
  const type = kernel.typeById(id);
  if (type.fsFlags & FS_NOUSER) return -EINVAL;
  const made = kernel.makeMount(type, data, flags, request.source);
  if (made < 0) return made;
  const rc = attach(kernel, made as MountHandle, place);
  if (rc < 0) dropMount(kernel, made as MountHandle);
  return rc;
}

/**
 * Makes a mount outside of the tree, of the super block that `source` has, or of a new one.
 *
 * @returns the mount or a negated errno
 */
export function makeMount(kernel: Kernel, type: FileSystemType, data: string, flags: number, source?: string): number {
  const handle = superFor(kernel, type, data, flags, source) as SuperBlockHandle;
  if (handle < 0) return handle;
  const sb = new SuperBlock(kernel, handle);
  const mnt = kernel.core.x.mountNew(handle, sb.root, mntFlags(flags));
  if (mnt > 0) setSource(kernel, mnt as MountHandle, source ?? type.name);
  else if (usersOf(sb) === 0) endSuper(sb);
  return mnt;
}

/** Finds or makes the super block of a source. @returns its handle or a negated errno @see Linux get_tree_bdev(), sget_fc() */
function superFor(kernel: Kernel, type: FileSystemType, data: string, flags: number, source?: string): number {
  const known = storeSupportIfAny()?.findSuper(kernel, type, sbFlags(flags), source);
  return known ?? newSuper(kernel, type, data, flags, source);
}

function newSuper(kernel: Kernel, type: FileSystemType, data: string, flags: number, source?: string): number {
  const { core } = kernel;
  const id = kernel.typeIdOf(type.name);
  if (id < 0) return id;
  const silent = flags & MS_SILENT ? SB_SILENT : 0;
  const handle = core.x.superNew(id, operationFlags(type) | silent | (sbFlags(flags) & ~SB_RDONLY)) as SuperBlockHandle;
  if (handle < 0) return handle;
  core.u32[(handle << 3) + SUPER_BLOCK_PLAIN_KINDS] = plainKinds(type);
  const sb = new SuperBlock(kernel, handle);
  const filled =
    storeSupportIfAny()?.setSource(sb, source) ||
    type.fillSuper(sb, data, source ?? type.name) ||
    (sb.root ? 0 : -EINVAL);
  if (filled === 0) sb.flags |= sbFlags(flags);
  else endSuper(sb);
  return filled < 0 ? filled : handle;
}

/** Mounts of a super block, and who has frozen it. */
export function usersOf({ kernel, handle }: SuperBlock): number {
  return kernel.core.u32[(handle << 3) + SUPER_BLOCK_ACTIVE];
}

/** Makes the root of the tree. @returns the mount or a negated errno */
export function mountRoot(kernel: Kernel, type: FileSystemType, data: string): number {
  const mnt = makeMount(kernel, type, data, 0, "rootfs");
  if (mnt > 0) kernel.core.x.setRootMount(mnt as MountHandle);
  return mnt;
}

function setSource({ core }: Kernel, mnt: MountHandle, source: string): void {
  const bytes = utf8Encoder.encode(source).subarray(0, 255);
  const address = core.x.kmalloc(bytes.length + 1) >>> 0;
  if (address === 0) return; // the name is for the table only
  core.u8.set(bytes, address);
  core.u32[(mnt << 3) + MOUNT_SOURCE] = address;
  core.u32[(mnt << 3) + MOUNT_SOURCE_LENGTH] = bytes.length;
}

function bind(task: Task, request: MountRequest, place: Place): number {
  const { kernel } = task;
  const { core } = kernel;
  if (request.source === undefined) return -EINVAL;
  const source = walk(task, request.source, LOOKUP_FOLLOW) as DentryHandle;
  if (source < 0) return source;
  const from = ndMount(core);
  if (!isInTree(core, from)) return -EINVAL;
  const sb = (core.u32[(from << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle;
  const mnt = core.x.mountNew(sb, source, core.u32[(from << 3) + MOUNT_FLAGS]) as MountHandle;
  if (mnt < 0) return mnt;
  setSource(kernel, mnt, request.source);
  const rc = attach(kernel, mnt, place);
  if (rc < 0) dropMount(kernel, mnt);
  return rc;
}

function attach(kernel: Kernel, mnt: MountHandle, place: Place): number {
  const { core } = kernel;
  const root = inodeOf(core, kernel.rootOf(mnt));
  if (core.u32[(inodeOf(core, place.dentry) << 3) + INODE_STATE] & I_DEAD) return -ENOENT;
  if (!isInTree(core, place.mnt)) return -ENOENT;
  if (core.x.isDirectory(root) !== core.x.isDirectory(inodeOf(core, place.dentry))) return -ENOTDIR;
  core.x.mountAttach(mnt, place.mnt, place.dentry);
  return 0;
}

/** New flags and options for a mount and its super block; with MS_BIND for the mount alone. */
function remount(kernel: Kernel, place: Place, flags: number, data: string): number {
  const { core } = kernel;
  if (!isInTree(core, place.mnt) || place.dentry !== kernel.rootOf(place.mnt)) return -EINVAL;
  const at = place.mnt << 3;
  const becomesReadOnly = flags & MS_RDONLY && !(core.u32[at + MOUNT_FLAGS] & MNT_READONLY);
  if (becomesReadOnly && core.u32[at + MOUNT_WRITERS] > 0) return -EBUSY;
  if (!(flags & MS_BIND)) {
    const sb = superOf(kernel, place.mnt);
    if (sb.frozen !== SB_UNFROZEN) return -EBUSY;
    if (flags & MS_RDONLY && !(sb.flags & SB_RDONLY) && (hasWriters(kernel, sb) || hasOrphans(sb))) return -EBUSY;
    const unwritten = flags & MS_RDONLY ? (storeSupportIfAny()?.syncFilesystem(sb, true) ?? 0) : 0;
    if (unwritten < 0) return unwritten;
    const refused = sb.type.superOps?.remount?.(sb, data, flags) ?? 0;
    if (refused < 0) return refused;
    sb.flags = (sb.flags & ~SB_REMOUNTABLE) | sbFlags(flags) | (sb.type.fsFlags & FS_RDONLY && SB_RDONLY);
  }
  core.u32[at + MOUNT_FLAGS] = remountFlags(flags, core.u32[at + MOUNT_FLAGS]);
  return 0;
}

/** The file system that is mounted. */
export function superOf(kernel: Kernel, mnt: MountHandle): SuperBlock {
  return new SuperBlock(kernel, (kernel.core.u32[(mnt << 3) + MOUNT_SB] >>> 5) as SuperBlockHandle);
}

function hasWriters(kernel: Kernel, sb: SuperBlock): boolean {
  for (const mnt of mountHandles(kernel.core)) {
    if (superOf(kernel, mnt).handle === sb.handle && kernel.core.u32[(mnt << 3) + MOUNT_WRITERS] > 0) return true;
  }
  return false;
}

/** True while there are inodes without a name: their end would be a change of the file system. */
function hasOrphans({ kernel, handle }: SuperBlock): boolean {
  const { u32 } = kernel.core;
  for (let at = u32[(handle << 3) + SUPER_BLOCK_INODES] >>> 2; at !== 0; at = u32[at + INODE_SB_NEXT] >>> 2) {
    if (u32[at + INODE_NLINK] === 0) return true;
  }
  return false;
}

/** All mounts, newest first; the one at hand may be dropped meanwhile. */
export function* mountHandles({ x }: Core): Generator<MountHandle> {
  let mnt = x.mountFirst() as MountHandle;
  while (mnt) {
    const next = x.mountNext(mnt) as MountHandle;
    yield mnt;
    mnt = next;
  }
}

// --- umount -------------------------------------------------------------------------------------------------------------

/**
 * Unmounts what is mounted at a place.
 *
 * @param flags MNT_* and UMOUNT_NOFOLLOW (umount2.ts)
 * @returns 0; in the order checked errors of the walk; -EPERM for others than root; -EINVAL (nothing is mounted there, or it
 *   is out of the tree); -EBUSY for the root of the tree and for what is in use (open files, working directories, mounts
 *   below), and for the last mount of a frozen file system that nobody could thaw any more. -EBUSY with a wait token while a
 *   store takes its time to write, to end inodes or to close files; 0 with a wait token: it has come to the last of it,
 *   putSuper and the root
 */
export function umount(task: Task, target: Path, flags = 0): number {
  if (flags) return storeSupport().umount2(task, target, flags);
  const { kernel } = task;
  const start = walk(task, target, LOOKUP_FOLLOW);
  if (start < 0) return start;
  const found = kernel.core.x.walkFollowMounts();
  const mnt = ndMount(kernel.core);
  if (!isCapable(task)) return -EPERM;
  return found !== kernel.rootOf(mnt) || !isInTree(kernel.core, mnt) ? -EINVAL : unmountIdle(kernel, mnt);
}

/** @returns as umount(), of a mount that is in the tree */
export function unmountIdle(kernel: Kernel, mnt: MountHandle): number {
  const { u32 } = kernel.core;
  const at = mnt << 3;
  if (u32[at + MOUNT_PARENT] === 0) return -EBUSY;
  const sb = superOf(kernel, mnt);
  const isBusy = u32[at + MOUNT_CHILDREN] !== 0 || u32[at + MOUNT_COUNT] > 1;
  const support = storeSupportIfAny();
  if (support?.prepareUmount(sb, isBusy) || isBusy) return -EBUSY;
  detachMount(kernel.core, mnt);
  dropMount(kernel, mnt);
  support?.waitForEnds(sb);
  return 0;
}

/** The tree holds it no longer, whoever else may. */
export function detachMount(core: Core, mnt: MountHandle): void {
  core.x.mountDetach(mnt);
  leaveTree(core, mnt);
}

/** Marks a mount that is no part of the tree any more. */
export function leaveTree({ u32 }: Core, mnt: MountHandle): void {
  const at = (mnt << 3) + MOUNT_FLAGS;
  u32[at] = (u32[at] & ~MNT_INTERNAL) | MNT_DETACHED;
}

/** Drops a reference to a mount; with its last mount a super block goes too. */
export function dropMount(kernel: Kernel, mnt: MountHandle): void {
  kernel.core.x.mountPut(mnt);
  kernel.evictInodes();
}

// --- The mount table ----------------------------------------------------------------------------------------------------

/** The mount table, oldest first, targets as `task` sees them. */
export function mountTable(task: Task): MountInfo[] {
  const { kernel } = task;
  task.enter();
  const inTree = [...mountHandles(kernel.core)].filter((mnt) => isInTree(kernel.core, mnt));
  return inTree.reverse().map((mnt) => mountInfo(kernel, mnt));
}

/** True for what can be walked to: neither the kernel's own nor detached (Linux check_mnt). */
export function isInTree({ u32 }: Core, mnt: MountHandle): boolean {
  return (u32[(mnt << 3) + MOUNT_FLAGS] & (MNT_INTERNAL | MNT_DETACHED)) === 0;
}

function mountInfo(kernel: Kernel, mnt: MountHandle): MountInfo {
  const { core } = kernel;
  const at = mnt << 3;
  const sb = superOf(kernel, mnt);
  const parent = core.u32[at + MOUNT_PARENT] >>> 5;
  const source = core.u32[at + MOUNT_SOURCE];
  const length = core.u32[at + MOUNT_SOURCE_LENGTH];
  return {
    id: core.u32[at + MOUNT_ID],
    parent: parent ? core.u32[(parent << 3) + MOUNT_ID] : 0,
    type: sb.type.name,
    source: source ? decodeUtf8(core, source, length) : "none",
    target: targetOf(kernel, mnt),
    options: shownOptions(core.u32[at + MOUNT_FLAGS], sb),
  };
}

function targetOf(kernel: Kernel, mnt: MountHandle): string {
  const { core } = kernel;
  const length = core.x.dPath(mnt, kernel.rootOf(mnt));
  return length < 0 ? "" : decodeUtf8(core, core.result(RESULT_ADDRESS), length);
}

function shownOptions(flags: number, sb: SuperBlock): string {
  const own = sb.type.superOps?.showOptions?.(sb) ?? "";
  const shown = MNT_FLAGS.filter(([, mnt, name]) => flags & mnt && name !== "ro").map(([, , name]) => name);
  if (flags & MNT_RELATIME) shown.push("relatime");
  const access = flags & MNT_READONLY || sb.flags & SB_RDONLY ? "ro" : "rw";
  return [access, ...shown, ...(own ? [own] : [])].join(",");
}
