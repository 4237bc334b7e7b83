/**
 * What JavaScript holds of a hostfs mount: its store, its options, and which inode stands for what of the host. It goes with
 * the mount, and is never in snapshots.
 *
 * Does not own: the operations (hostfs.ts), the records (assembly/fs/inode.ts).
 */
import type { BigIntStats } from "node:fs";
import { ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../base/stat-flags.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { pathsChanged } from "../../vfs/path-cache.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { STAT_GID, STAT_INO, STAT_MODE, STAT_NLINK, STAT_SIZE, STAT_UID } from "../../vfs/syscalls.ts";
import { INODE_GID, INODE_MODE, INODE_UID } from "../../wasm/layout.ts";
import { hostAttributes } from "./host-attributes.ts";
import { fdKey, type HostNode, isNode } from "./host-root.ts";
import type { HostStore } from "./host-store.ts";
import type { HostOptions } from "./options.ts";

/** Kinds of inodes: indexes into the type's tables. */
export const FILE = 0;
export const DIRECTORY = 1;
export const SYMLINK = 2;
export const SPECIAL = 3;

/** An inode of ours that stands for one of the host. */
export interface HostInode {
  readonly node: HostNode;
  /** STAT_*, as they were at `checkedMs`. */
  values: Float64Array;
  /** Of performance.now(); -Infinity = ask again. */
  checkedMs: number;
  /** Open files, and those of them that write. */
  opens: number;
  writers: number;
  /** It has lost a name while it was open: its descriptors are kept until it is closed. */
  isHeld: boolean;
  /** The node's name may be one that it has lost: the next walk to it, by whichever name, gives it that one. */
  isNameLost: boolean;
}

export interface HostMount {
  readonly store: HostStore;
  options: HostOptions;
  readonly inodes: Map<InodeHandle, HostInode>;
  /** By fdKey(); the latest inode that stands for it. */
  readonly handles: Map<string, InodeHandle>;
}

const mountsOf = new WeakMap<Kernel, Map<number, HostMount>>();

export function setHostMount({ kernel, handle }: SuperBlock, mount: HostMount): void {
  const mounts = mountsOf.get(kernel) ?? new Map<number, HostMount>();
  mountsOf.set(kernel, mounts);
  mounts.set(handle, mount);
}

/** Undefined: the super block has not come so far. */
export function hostMount({ kernel, handle }: SuperBlock): HostMount | undefined {
  return mountsOf.get(kernel)?.get(handle);
}

export function dropHostMount({ kernel, handle }: SuperBlock): void {
  mountsOf.get(kernel)?.delete(handle);
}

/** The mount of an inode that is in use. */
export function mountOf(kernel: Kernel, inode: InodeHandle): HostMount {
  return hostMount(kernel.sbOf(inode)) as HostMount;
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
  const values = hostAttributes(mount.options, stats);
  const known: HostInode = {
    node,
    values,
    checkedMs: Number.NEGATIVE_INFINITY,
    opens: 0,
    writers: 0,
    isHeld: false,
    isNameLost: false,
  };
  mount.inodes.set(handle, known);
  mount.handles.set(fdKey(node), handle);
  const inode = new Inode(kernel, handle);
  inode.kind = kindOf(node.type);
  inode.ino = values[STAT_INO];
  take(kernel, mount, handle, known, stats);
}

/** Makes `dentry` positive: by the inode that stands for this already, or by a new one. @returns 0 or -ENOMEM */
export function instantiate(
  kernel: Kernel,
  sb: SuperBlock,
  dentry: DentryHandle,
  node: HostNode,
  stats: BigIntStats,
): number {
  const { x } = kernel.core;
  const mount = hostMount(sb) as HostMount;
  const known = node.type === S_IFDIR ? undefined : mount.handles.get(fdKey(node));
  const state = known === undefined ? undefined : mount.inodes.get(known);
  if (known !== undefined && state) {
    x.iget(known);
    moveNode(state, node.parent, node.name);
    take(kernel, mount, known, state, stats);
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
export function moveNode(state: HostInode, parent: HostNode | undefined, name: Uint8Array): void {
  state.node.parent = parent;
  state.node.name = name;
  state.isNameLost = false;
}

/** Are the attributes still to be believed? */
export function isFresh({ options }: HostMount, { checkedMs }: HostInode): boolean {
  return performance.now() - checkedMs < options.ttlMs;
}

/** Asks the host for attributes. @returns 0; -ESTALE where it is not there any more ... */
export function refresh(kernel: Kernel, mount: HostMount, handle: InodeHandle, state: HostInode): number {
  const stats = mount.store.stat(state.node);
  if (typeof stats === "number") return stats;
  if (!isNode(state.node, stats)) return -ESTALE;
  take(kernel, mount, handle, state, stats);
  return 0;
}

/** Enters attributes into the record; what permission checks and path caches stand on is told to them. */
export function take(
  kernel: Kernel,
  { options }: HostMount,
  handle: InodeHandle,
  state: HostInode,
  stats: BigIntStats,
): void {
  const { core } = kernel;
  const values = hostAttributes(options, stats);
  state.values = values;
  state.checkedMs = performance.now();
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
  inode.size = values[STAT_SIZE];
}
