/**
 * Extended attributes of inodes in memory: a list in linear memory, so that snapshots and forks have them.
 *
 *   inode.xattrs ─► | next | nameLength | size | name … | value … |  ─► …       the last name first, as tmpfs lists them
 *
 * Does not own: the end of the list (assembly/fs/xattr.ts), who may (xattr.ts).
 *
 * @see Linux fs/xattr.c simple_xattr_set(), mm/shmem.c shmem_xattr_handler_set()
 */
import { EEXIST, ENODATA, ENOMEM, ENOSPC } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  BOGO_INODE_SIZE,
  INODE_SB,
  INODE_XATTRS,
  SB_MEMORY,
  SUPER_BLOCK_EXTRA_LINKS,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_MAX_INODES,
  SUPER_BLOCK_NR_INODES,
  SUPER_BLOCK_XATTR_SPACE,
  TOUCH_CTIME,
  XATTR_BYTES,
  XATTR_NAME_LENGTH,
  XATTR_NEXT,
  XATTR_OVERHEAD,
  XATTR_SIZE,
} from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";

/** It must not be there yet. */
export const XATTR_CREATE = 1;
/** It must be there. */
export const XATTR_REPLACE = 2;

/** A place in the list: what points to the attribute looked for, or to where it would be. */
interface Place {
  /** Index in `u32` of the pointer. */
  readonly link: number;
  /** Address of the attribute, 0 = it is not there. */
  readonly xattr: number;
}

function nameAt({ u8, u32 }: Core, xattr: number): Uint8Array {
  const at = xattr + XATTR_BYTES;
  return u8.subarray(at, at + u32[(xattr >>> 2) + XATTR_NAME_LENGTH]);
}

/** As strcmp(): below 0 where `a` comes first. */
function compareNames(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function find(core: Core, inode: InodeHandle, name: Uint8Array): Place {
  const { u32 } = core;
  let link = (inode << 3) + INODE_XATTRS;
  for (;;) {
    const xattr = u32[link];
    if (xattr === 0) return { link, xattr };
    const order = compareNames(name, nameAt(core, xattr));
    if (order === 0) return { link, xattr };
    if (order > 0) return { link, xattr: 0 };
    link = (xattr >>> 2) + XATTR_NEXT;
  }
}

/** Makes an attribute that is in no list yet. @returns its address, 0 when memory ran out */
function make(core: Core, name: Uint8Array, value: Uint8Array): number {
  const xattr = core.x.kmalloc(XATTR_BYTES + name.length + value.length) >>> 0;
  if (xattr === 0) return 0;
  const { u8, u32 } = core;
  u32[(xattr >>> 2) + XATTR_NAME_LENGTH] = name.length;
  u32[(xattr >>> 2) + XATTR_SIZE] = value.length;
  u8.set(name, xattr + XATTR_BYTES);
  u8.set(value, xattr + XATTR_BYTES + name.length);
  return xattr;
}

function spaceOf({ u32 }: Core, xattr: number): number {
  const at = xattr >>> 2;
  return XATTR_OVERHEAD + u32[at + XATTR_NAME_LENGTH] + u32[at + XATTR_SIZE];
}

/**
 * Where inodes are limited attributes count as well, by their bytes: each KiB that is begun is an inode less.
 *
 * @param more bytes, those that come; those that go are negative
 * @returns false where there is no room
 */
function charge({ f64, u32 }: Core, inode: InodeHandle, more: number): boolean {
  const sb = u32[(inode << 3) + INODE_SB];
  const words = sb >>> 2;
  const max = u32[words + SUPER_BLOCK_MAX_INODES];
  if (max === 0) return true;
  const at = (sb >>> 3) + SUPER_BLOCK_XATTR_SPACE;
  const before = Math.ceil(f64[at] / BOGO_INODE_SIZE);
  const after = Math.ceil((f64[at] + more) / BOGO_INODE_SIZE);
  const used = u32[words + SUPER_BLOCK_NR_INODES] + u32[words + SUPER_BLOCK_EXTRA_LINKS];
  if (more > 0 && used - before + after > max) return false;
  f64[at] += more;
  u32[words + SUPER_BLOCK_EXTRA_LINKS] += after - before;
  return true;
}

/** @returns the value, as it lies in memory; -ENODATA */
export function simpleXattrGet({ core }: Kernel, inode: InodeHandle, name: Uint8Array): Uint8Array | number {
  const { xattr } = find(core, inode, name);
  if (xattr === 0) return -ENODATA;
  const { u8, u32 } = core;
  const at = xattr + XATTR_BYTES + u32[(xattr >>> 2) + XATTR_NAME_LENGTH];
  return u8.subarray(at, at + u32[(xattr >>> 2) + XATTR_SIZE]);
}

/**
 * Sets or removes an attribute, and the time of change. Room is asked for what comes before what it replaces is given back, as on tmpfs.
 *
 * @param value undefined = it goes
 * @returns 0; -ENOSPC beyond the limit; -ENOSPC or -ENOMEM when memory ran out; -EEXIST; -ENODATA
 */
export function simpleXattrSet(
  kernel: Kernel,
  inode: InodeHandle,
  name: Uint8Array,
  value: Uint8Array | undefined,
  flags: number,
): number {
  const { core } = kernel;
  const space = value === undefined ? 0 : XATTR_OVERHEAD + name.length + value.length;
  if (!charge(core, inode, space)) return -ENOSPC;
  const rc = replace(core, inode, name, value, flags);
  if (rc < 0) charge(core, inode, -space);
  else {
    charge(core, inode, -rc);
    core.x.touch(inode, TOUCH_CTIME, kernel.now());
  }
  return Math.min(rc, 0);
}

/** @returns bytes that what was replaced has counted; a negated errno */
function replace(
  core: Core,
  inode: InodeHandle,
  name: Uint8Array,
  value: Uint8Array | undefined,
  flags: number,
): number {
  const made = value === undefined ? 0 : make(core, name, value);
  if (value !== undefined && made === 0) return -noRoom(core, inode);
  const { link, xattr } = find(core, inode, name);
  const refused = xattr === 0 ? flags & XATTR_REPLACE && ENODATA : flags & XATTR_CREATE && EEXIST;
  if (refused) {
    if (made !== 0) core.x.kfree(made);
    return -refused;
  }
  const { u32 } = core;
  const next = xattr === 0 ? u32[link] : u32[(xattr >>> 2) + XATTR_NEXT];
  if (made === 0) u32[link] = next;
  else {
    u32[(made >>> 2) + XATTR_NEXT] = next;
    u32[link] = made;
  }
  if (xattr === 0) return 0;
  const space = spaceOf(core, xattr);
  core.x.kfree(xattr);
  return space;
}

/** What it is that memory has run out: where that is the store, it is full. */
function noRoom({ u32 }: Core, inode: InodeHandle): number {
  return u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_MEMORY ? ENOSPC : ENOMEM;
}

/** Names of all attributes, the last first. */
export function simpleXattrList({ core }: Kernel, inode: InodeHandle): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let at = core.u32[(inode << 3) + INODE_XATTRS]; at !== 0; at = core.u32[(at >>> 2) + XATTR_NEXT])
    names.push(nameAt(core, at).slice());
  return names;
}
