/**
 * What becomes untrue: names, attributes and contents of a path and of all below it are asked for anew.
 *
 * Who has a file open goes on with it, as it is from then on; ESTALE where it is no more, or something else.
 *
 * @see Linux fs/fuse/dir.c fuse_reverse_inval_entry(), fs/fuse/inode.c fuse_reverse_inval_inode()
 */
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { pathsChanged } from "../../vfs/path-cache.ts";
import {
  DCACHE_HASHED,
  DENTRY_ALIAS_NEXT,
  DENTRY_CHILDREN,
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_SIBLING_NEXT,
  INODE_ALIASES,
} from "../../wasm/layout.ts";
import { forgetContent, type LazyInode } from "./lazy-inode.ts";
import type { LazyMount } from "./lazy-mount.ts";

/** Forgets what is known of a path. @param path "" is the root's */
export function invalidate(kernel: Kernel, mount: LazyMount, path: string): void {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const isIn = (other: string): boolean => other === path || other.startsWith(`${path}/`);
  mount.epoch++;
  mount.asked.clear();
  mount.unheard.clear();
  mount.listings.forget((dir) => isIn(dir) || dir === parent);
  const inodes = [...mount.inodes].filter(([, state]) => isIn(state.path));
  for (const [inode, state] of inodes) makeStale(kernel, mount, inode, state);
  for (const [inode] of inodes) if (mount.inodes.has(inode)) drop(kernel, namesOf(kernel, inode));
  const [above] = [...mount.inodes].find(([, state]) => state.path === parent) ?? [];
  if (above !== undefined) drop(kernel, missingIn(kernel, above));
  pathsChanged(kernel.core);
  kernel.evictInodes();
}

function makeStale(kernel: Kernel, mount: LazyMount, inode: InodeHandle, state: LazyInode): void {
  if (!state.isStale) mount.nrStale++;
  state.isStale = true;
  forgetContent(kernel, mount, inode, state);
}

/** What leads to an inode, roots included. */
function namesOf({ core: { u32 } }: Kernel, inode: InodeHandle): DentryHandle[] {
  return chain(u32[(inode << 3) + INODE_ALIASES], (name) => u32[(name << 3) + DENTRY_ALIAS_NEXT]);
}

/** Names that are known not to be in a directory: they may have come. */
function missingIn(kernel: Kernel, dir: InodeHandle): DentryHandle[] {
  const { u32 } = kernel.core;
  const names = namesOf(kernel, dir).flatMap((name) =>
    chain(u32[(name << 3) + DENTRY_CHILDREN], (child) => u32[(child << 3) + DENTRY_SIBLING_NEXT]),
  );
  return names.filter((name) => u32[(name << 3) + DENTRY_INODE] === 0);
}

/** A list of dentries. @param first address, 0 = none @param next of the one behind */
function chain(first: number, next: (dentry: DentryHandle) => number): DentryHandle[] {
  const dentries: DentryHandle[] = [];
  for (let at = (first >>> 5) as DentryHandle; at !== 0; at = (next(at) >>> 5) as DentryHandle) dentries.push(at);
  return dentries;
}

/** Names go, with all below, unless something is mounted there; roots, which have none, stay. */
function drop({ core }: Kernel, names: readonly DentryHandle[]): void {
  for (const name of names) core.x.dget(name);
  for (const name of names) {
    if (core.u8[name * 32 + DENTRY_FLAGS * 2] & DCACHE_HASHED) core.x.dInvalidate(name);
  }
  for (const name of names) core.x.dput(name);
}
