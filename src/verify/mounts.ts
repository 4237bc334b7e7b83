/** Mounts: one tree, and beside it those of layers, which super blocks of overlays have. */
import {
  CACHE_DENTRY,
  CACHE_MOUNT,
  CACHE_SUPER_BLOCK,
  KERNEL_MOUNTS,
  KERNEL_ROOT_MOUNT,
  MNT_EXPIRY_MARK,
  MNT_INTERNAL,
  MNT_LAYER,
  MNT_LAYER_RDONLY,
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_READONLY,
  MNT_RELATIME,
  MNT_STRICTATIME,
  MOUNT_CHILD_NEXT,
  MOUNT_CHILD_PREV,
  MOUNT_CHILDREN,
  MOUNT_FLAGS,
  MOUNT_MOUNTPOINT,
  MOUNT_NEXT,
  MOUNT_PARENT,
  MOUNT_PREV,
  MOUNT_ROOT,
  MOUNT_SB,
  MOUNT_SOURCE,
  MOUNT_SOURCE_LENGTH,
  MOUNT_WRITERS,
} from "../wasm/layout.ts";
import { checkAcyclic } from "./acyclic.ts";
import { demand } from "./demand.ts";
import type { Memory, Visited } from "./memory.ts";
import { claimText } from "./supers.ts";

/** A mount whose own words are sound. */
export interface SoundMount extends Visited {
  readonly sb: number;
  readonly root: number;
  /** Address of the one that it is in, 0 = none. */
  readonly parent: number;
  readonly mountpoint: number;
  readonly isLayer: boolean;
}

const KNOWN =
  MNT_READONLY |
  MNT_NOSUID |
  MNT_NODEV |
  MNT_NOEXEC |
  MNT_NOATIME |
  MNT_NODIRATIME |
  MNT_RELATIME |
  MNT_STRICTATIME |
  MNT_EXPIRY_MARK |
  MNT_INTERNAL |
  MNT_LAYER |
  MNT_LAYER_RDONLY;

/** @returns by address @throws SnapshotError */
export function checkMounts(memory: Memory): Map<number, SoundMount> {
  const mounts = new Map<number, SoundMount>();
  const list = { cache: CACHE_MOUNT, next: MOUNT_NEXT, prev: MOUNT_PREV, marks: memory.marks(), what: "mounts" };
  memory.walk(memory.kernel(KERNEL_MOUNTS), list, (address, at) => {
    mounts.set(address, checkMount(memory, { address, at }));
  });
  demand(mounts.size === memory.slabs.records(CACHE_MOUNT).length, "a mount is not on the list of mounts");
  checkTree(memory, mounts);
  return mounts;
}

function checkMount(memory: Memory, record: Visited): SoundMount {
  const { u32 } = memory;
  const { address, at } = record;
  const flags = u32[at + MOUNT_FLAGS];
  demand(
    (flags & ~KNOWN) === 0 && u32[at + MOUNT_WRITERS] === 0,
    "a mount is in a state that no snapshot has",
    address,
  );
  const isLayer = (flags & MNT_LAYER) !== 0;
  demand(isLayer === ((flags & MNT_INTERNAL) !== 0), "a mount is in no tree, and no layer", address);
  memory.hold(CACHE_SUPER_BLOCK, u32[at + MOUNT_SB], "the super block of a mount");
  memory.hold(CACHE_DENTRY, u32[at + MOUNT_ROOT], "the root of a mount");
  memory.hold(CACHE_MOUNT, address, "a mount"); // by its place, in the tree or beside it
  const parent = u32[at + MOUNT_PARENT];
  const mountpoint = u32[at + MOUNT_MOUNTPOINT];
  demand((parent === 0) === (mountpoint === 0), "a mount has a place in no other", address);
  if (parent !== 0) {
    memory.hold(CACHE_MOUNT, parent, "the mount that another is in");
    memory.hold(CACHE_DENTRY, mountpoint, "the place of a mount");
  }
  claimText(memory, u32[at + MOUNT_SOURCE], u32[at + MOUNT_SOURCE_LENGTH], "the source of a mount");
  return { ...record, sb: u32[at + MOUNT_SB], root: u32[at + MOUNT_ROOT], parent, mountpoint, isLayer };
}

function checkTree(memory: Memory, mounts: ReadonlyMap<number, SoundMount>): void {
  const { u32 } = memory;
  const rootMount = memory.kernel(KERNEL_ROOT_MOUNT);
  const root = mounts.get(rootMount);
  demand(root !== undefined && root.parent === 0 && !root.isLayer, "the root of the tree of mounts is none");
  const marks = memory.marks();
  let nrBelow = 0;
  for (const { address, at, parent, isLayer } of mounts.values()) {
    demand(isLayer ? parent === 0 : parent !== 0 || address === rootMount, "a mount is in no tree", address);
    if (parent === 0)
      demand(
        !u32[at + MOUNT_CHILD_NEXT] && !u32[at + MOUNT_CHILD_PREV],
        "a mount is in no tree, but on a list",
        address,
      );
    else nrBelow++;
    const list = {
      cache: CACHE_MOUNT,
      next: MOUNT_CHILD_NEXT,
      prev: MOUNT_CHILD_PREV,
      marks,
      what: "mounts in a mount",
    };
    memory.walk(u32[at + MOUNT_CHILDREN], list, (child, childAt) => {
      demand(u32[childAt + MOUNT_PARENT] === address, "a mount is on the list of another", child);
      nrBelow--;
    });
  }
  demand(nrBelow === 0, "a mount is not on the list of the one that it is in");
  checkAcyclic(memory, CACHE_MOUNT, (address) => mounts.get(address)?.parent ?? 0, "mounts");
}
