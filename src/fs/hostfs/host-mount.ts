/**
 * What JavaScript holds of a hostfs mount: its store, its options, and which inode stands for what of the host. It goes with
 * the mount, and is never in snapshots.
 *
 * Does not own: the operations (hostfs.ts), the records (assembly/fs/inode.ts).
 */
import type { BigIntStats } from "node:fs";
import { ESTALE } from "../../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../base/stat-flags.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { pathsChanged } from "../../vfs/path-cache.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { STAT_GID, STAT_MODE, STAT_NLINK, STAT_SIZE, STAT_UID } from "../../vfs/syscalls.ts";
import { reportUsage } from "../../vfs/usage.ts";
import { I_EVICTING, INODE_GID, INODE_MODE, INODE_SB, INODE_UID } from "../../wasm/layout.ts";
import { ask, isOfThisCall, type Subject } from "./host-ask.ts";
import { hostAttributes, NR_VALUES } from "./host-attributes.ts";
import { dropCleanPages, dropPages } from "./host-pages.ts";
import { type HostNode, isNode } from "./host-root.ts";
import type { HostEntry } from "./host-steps.ts";
import type { Found, HostStore } from "./host-store.ts";
import { moment } from "./moment.ts";
import type { HostOptions } from "./options.ts";

/** Kinds of inodes: indexes into the type's tables. */
export const FILE = 0;
export const DIRECTORY = 1;
export const SYMLINK = 2;
export const SPECIAL = 3;

/** An inode of ours that stands for one of the host. */
export interface HostInode extends Subject {
  /** Of moment(): tells it from all others, whose handles it may have in turn. Questions about it go by that. */
  readonly serial: number;
  readonly node: HostNode;
  /** STAT_*, as they were at `checkedMs`. */
  readonly values: Float64Array;
  /** Of performance.now(); -Infinity = ask again. */
  checkedMs: number;
  /** The host has been read from, which may have changed atime: attributes are shown as it has them now. */
  isAtimeOld: boolean;
  /** What the host said of the file that its pages are of; undefined = it has been changed here since. */
  seen: BigIntStats | undefined;
  /** Writes to the host that are under way. */
  nrWrites: number;
  /** Runs of pages that have been written back, or are on their way. */
  nrRuns: number;
  /** Written here, and the host does not have all of it yet (host-dirty.ts). */
  isOurs: boolean;
  /** A write to it is being made. */
  isInWrite: boolean;
  /** A write waits, with the lock of the file: when that is free. */
  lockedUntil: Promise<void> | undefined;
  /** The host's mtime since what was ours has been written back. */
  flushedNs: bigint | undefined;
  /** Open files, and those of them that write. */
  opens: number;
  writers: number;
  /** It has lost a name while it was open: its descriptors are kept until it is closed. */
  isHeld: boolean;
  /** The node's name may be one that it has lost: the next walk to it, by whichever name, gives it that one. */
  isNameLost: boolean;
}

export interface HostMount {
  /** As of HostInode. Effects go by that and HostNode.key: an inode that is dropped and read again is the same. */
  readonly serial: number;
  readonly store: HostStore;
  options: HostOptions;
  readonly inodes: Map<InodeHandle, HostInode>;
  /** By HostNode.key; the latest inode that stands for it. */
  readonly handles: Map<string, InodeHandle>;
  /** What open directories were when they were read from their start. */
  readonly listings: Map<FileHandle, readonly HostEntry[]>;
  /** Of moment(): when an inode has gone that had been changed here. What was asked before may be from before the change. */
  lostAt: number;
  /** Files that are ours. */
  nrOurs: number;
  /** Of kernel.vmstat(). */
  readonly counters: { hostfs_dirty_conflicts: number };
  /** What the host has been asked to write and has not answered: each writes it at once, for the end of the process. */
  readonly unanswered: Set<() => void>;
}

/** What JavaScript keeps of an inode, its attributes and its place on the host: measured on Node 20. */
const INODE_HEAP_BYTES = 2000;
/** Of an entry of a listing, and of a descriptor: estimates. */
const ENTRY_HEAP_BYTES = 200;

export function setHostMount(sb: SuperBlock, mount: HostMount): void {
  sb.kernel.fsInfo.set(sb.handle, mount);
  reportUsage(sb.kernel, usageName(sb), () => heapBytes(mount));
}

/** As many inodes as the core has, listings of directories that are open, descriptors up to the mount's limit. */
function heapBytes({ inodes, listings, store }: HostMount): number {
  let nrEntries = store.fds.size;
  for (const listing of listings.values()) nrEntries += listing.length;
  return inodes.size * INODE_HEAP_BYTES + nrEntries * ENTRY_HEAP_BYTES;
}

function usageName({ dev }: SuperBlock): string {
  return `hostfs-${dev}`;
}

/** Undefined: the super block has not come so far. */
export function hostMount({ kernel, handle }: SuperBlock): HostMount | undefined {
  return hostMountOf(kernel, handle);
}

/** As hostMount(). @param sb handle of the super block */
export function hostMountOf(kernel: Kernel, sb: number): HostMount | undefined {
  return kernel.fsInfo.get(sb) as HostMount | undefined;
}

export function dropHostMount(sb: SuperBlock): void {
  sb.kernel.fsInfo.delete(sb.handle);
  reportUsage(sb.kernel, usageName(sb), undefined);
}

/** What stands behind an inode that is in use. */
export function stateOf(kernel: Kernel, inode: InodeHandle): HostInode {
  return stateIn(mountOf(kernel, inode), inode);
}

/** As stateOf(), of an inode of this mount. */
export function stateIn({ inodes }: HostMount, inode: InodeHandle): HostInode {
  const state = inodes.get(inode);
  if (!state) throw new Error(`hostfs: inode ${inode} is not known, or has been evicted`);
  return state;
}

/** The mount of an inode that is in use. */
export function mountOf(kernel: Kernel, inode: InodeHandle): HostMount {
  return kernel.fsInfo.get(kernel.core.u32[(inode << 3) + INODE_SB] >>> 5) as HostMount;
}

function kindOf(type: number): number {
  return type === S_IFREG ? FILE : type === S_IFDIR ? DIRECTORY : type === S_IFLNK ? SYMLINK : SPECIAL;
}

/** Makes `handle` stand for `node`. */
export function remember(
  kernel: Kernel,
  mount: HostMount,
  handle: InodeHandle,
  node: HostNode,
  stats: BigIntStats,
): void {
  const known: HostInode = {
    serial: moment(),
    node,
    values: new Float64Array(NR_VALUES),
    checkedMs: Number.NEGATIVE_INFINITY,
    changedAt: 0,
    isAtimeOld: false,
    seen: undefined,
    nrWrites: 0,
    nrRuns: 0,
    isOurs: false,
    isInWrite: false,
    lockedUntil: undefined,
    flushedNs: undefined,
    opens: 0,
    writers: 0,
    isHeld: false,
    isNameLost: false,
  };
  mount.inodes.set(handle, known);
  mount.handles.set(node.key, handle);
  const inode = new Inode(kernel, handle);
  inode.kind = kindOf(node.type);
  inode.ino = Number(stats.ino);
  take(kernel, mount, handle, known, stats);
}

/** Is what was found perhaps from before a change of ours, to an inode that is not known any more, or is on its way out? */
export function isStale(kernel: Kernel, mount: HostMount, { node, askedAt }: Found): boolean {
  const known = mount.handles.get(node.key);
  if (known === undefined) return askedAt < mount.lostAt;
  return (new Inode(kernel, known).state & I_EVICTING) !== 0;
}

/** Makes `dentry` positive: by the inode that stands for this already, or by a new one. @returns 0 or -ENOMEM */
export function instantiate(
  kernel: Kernel,
  sb: SuperBlock,
  dentry: DentryHandle,
  { node, stats, askedAt }: Found,
): number {
  const { x } = kernel.core;
  const mount = hostMount(sb) as HostMount;
  const known = node.type === S_IFDIR ? undefined : mount.handles.get(node.key);
  const state = known === undefined ? undefined : mount.inodes.get(known);
  if (known !== undefined && state) {
    x.iget(known);
    moveNode(mount, state, node.parent, node.name);
    if (state.changedAt < askedAt) take(kernel, mount, known, state, stats);
    x.dInstantiate(dentry, known);
    return 0;
  }
  const handle = x.inodeNew(sb.handle, Number(stats.mode), 0, 0, kernel.now()) as InodeHandle;
  if (handle < 0) return handle;
  remember(kernel, mount, handle, node, stats);
  x.dInstantiate(dentry, handle);
  return 0;
}

/** It is found at this name from now on. */
export function moveNode({ store }: HostMount, state: HostInode, parent: HostNode | undefined, name: Uint8Array): void {
  state.node.parent = parent;
  state.node.name = name;
  state.isNameLost = false;
  store.dropPlace(state.node);
}

/** Are the attributes still to be believed? */
export function isFresh(kernel: Kernel, { options }: HostMount, { checkedMs }: HostInode): boolean {
  return performance.now() - checkedMs < options.ttlMs || isOfThisCall(kernel, checkedMs);
}

/** Attributes have changed by what we did: they are asked for when next wanted. */
export function expire(state: HostInode): void {
  state.changedAt = moment();
  state.checkedMs = Number.NEGATIVE_INFINITY;
}

/** Asks the host for attributes. @returns 0; -ESTALE where it is not there any more ...; -EAGAIN as ask() */
export function refresh(kernel: Kernel, mount: HostMount, handle: InodeHandle, state: HostInode): number {
  if (isOutOfReach(kernel, handle, state)) return -ESTALE;
  const stats = ask(kernel, `stat ${state.serial}`, state, () => mount.store.stat(state.node));
  if (typeof stats === "number") return stats;
  if (!isNode(state.node, stats)) return -ESTALE;
  take(kernel, mount, handle, state, stats);
  return 0;
}

/** Has it lost its last name while nobody had it open, and has no place? Another may have its name and its number by now. */
function isOutOfReach(kernel: Kernel, inode: InodeHandle, { isNameLost, opens, node }: HostInode): boolean {
  return isNameLost && opens === 0 && !node.hasPlace && new Inode(kernel, inode).nlink === 0;
}

/** Is it a directory that has been removed here? The host cannot be asked for one, whoever has it open. */
export function isRemoved(kernel: Kernel, inode: InodeHandle): boolean {
  return stateOf(kernel, inode).node.type === S_IFDIR && new Inode(kernel, inode).nlink === 0;
}

/** Notes that the host has been read from. */
export function hostWasRead(state: HostInode): HostInode {
  state.isAtimeOld = true;
  return state;
}

/** Of performance.now(), as it was when the walk under way first asked: a clock costs a tenth of a stat. */
function walkMs({ walked }: Kernel): number {
  if (walked.ms === 0) walked.ms = performance.now();
  return walked.ms;
}

/** Are the attributes still to be believed, by the time of the walk under way? Then its end need not ask again. */
export function isFreshInWalk(
  kernel: Kernel,
  { options }: HostMount,
  inode: InodeHandle,
  { checkedMs }: HostInode,
): boolean {
  if (walkMs(kernel) - checkedMs >= options.ttlMs && !isOfThisCall(kernel, checkedMs)) return false;
  kernel.walked.inode = inode;
  return true;
}

/** As refresh(), unless the attributes are still to be believed. */
export function refreshOld(kernel: Kernel, mount: HostMount, handle: InodeHandle, state: HostInode): number {
  return isFresh(kernel, mount, state) ? 0 : refresh(kernel, mount, handle, state);
}

/** Is the file what it was, as far as its times and size tell? */
export function isSame(a: BigIntStats | undefined, b: BigIntStats): boolean {
  return hasSameData(a, b) && a?.ctimeNs === b.ctimeNs;
}

/** As isSame(), though it may have another name, mode or owner. */
export function hasSameData(a: BigIntStats | undefined, b: BigIntStats): boolean {
  return a !== undefined && a.mtimeNs === b.mtimeNs && a.size === b.size;
}

/**
 * Enters attributes into the record; what permission checks and path caches stand on is told to them. Pages of a file that
 * has changed on the host go. A file that is ours does not become smaller.
 */
export function take(
  kernel: Kernel,
  mount: HostMount,
  handle: InodeHandle,
  state: HostInode,
  stats: BigIntStats,
): void {
  const { core } = kernel;
  const { options } = mount;
  const { seen } = state;
  // Fast path: same result. What has the same ctime has the same owner, mode and links.
  if (isSame(seen, stats) && seen?.atimeNs === stats.atimeNs && state.checkedMs !== Number.NEGATIVE_INFINITY) {
    state.checkedMs = performance.now();
    state.isAtimeOld = false;
    return;
  }
  const values = hostAttributes(options, stats, state.values);
  // What is being written back changes the host's times, and is looked at when that is over.
  if (!state.isOurs || state.nrWrites === 0) {
    if (!isSame(seen, stats)) hasChanged(kernel, mount, handle, state, stats);
    state.seen = stats;
  }
  state.checkedMs = performance.now();
  state.isAtimeOld = false;
  const at = handle << 3;
  const [mode, uid, gid] = [values[STAT_MODE], values[STAT_UID], values[STAT_GID]];
  if (core.u32[at + INODE_MODE] !== mode || core.u32[at + INODE_UID] !== uid || core.u32[at + INODE_GID] !== gid) {
    core.u32[at + INODE_MODE] = mode;
    core.u32[at + INODE_UID] = uid;
    core.u32[at + INODE_GID] = gid;
    pathsChanged(core);
  }
  const inode = new Inode(kernel, handle);
  inode.nlink = values[STAT_NLINK];
  inode.size = state.isOurs ? Math.max(inode.size, values[STAT_SIZE]) : values[STAT_SIZE];
}

/**
 * Perhaps somebody else has changed a file: its pages go, but for what is ours. Where ctime alone has changed it may have been
 * us, by a name, and is no conflict.
 */
export function hasChanged(
  kernel: Kernel,
  { counters }: HostMount,
  inode: InodeHandle,
  { isOurs, seen }: HostInode,
  stats: BigIntStats,
): void {
  if (!isOurs) {
    dropPages(kernel, inode);
    return;
  }
  if (seen === undefined) return; // our own change, which nobody has looked at
  if (!hasSameData(seen, stats)) counters.hostfs_dirty_conflicts++;
  dropCleanPages(kernel, inode);
}
