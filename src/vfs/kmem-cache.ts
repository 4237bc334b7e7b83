/**
 * Caches that file systems with a store make for records of their own: objects of one size in linear memory.
 *
 *   object of a plain cache         zeros when it comes out; while it is free, the link to the next free one at 0
 *   object of a constructed cache   as whoever freed it has left it | link u32, behind it: the constructor runs once for each
 *
 * An object goes by its handle, its address >> 5: `core.u32[(handle << 3) + i]` is its i-th word. It stays where it is until
 * it is freed. A slab is one frame, whose descriptor has what a slab of the core has (assembly/mm/slab.ts): index = objects in
 * use, privateLow = first free object, privateHigh = objects ever handed out. To the core it is a frame that somebody has
 * pinned and locked and that is no file's: verify() lets it be, and copies of memory leave it out.
 *
 * A cache goes with the super block that owns it, or with the kernel, whatever is in it.
 *
 * Does not own: the records of the core itself, which are in snapshots. File systems that live in memory are in snapshots
 * too, and what they refer to would be missing there: they have no caches.
 *
 * @see Linux include/linux/slab.h kmem_cache_create(), mm/slab_common.c __kmem_cache_alias()
 */
import { EBUSY, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP } from "../base/errno.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import type { Core } from "../wasm/core.ts";
import { partNamed, registerPart } from "../wasm/core-module.ts";
import {
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_SIZE,
  PG_LOCKED,
  SB_MEMORY,
} from "../wasm/layout.ts";
import { descriptor } from "./frames.ts";
import { isTypeName } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";

/** Puts an object that nobody has used yet in the state in which it comes out, and is to be when it is freed. */
export type Constructor = (kernel: Kernel, object: number) => void;

const MIN_ALIGN = 32;
const LINK_BYTES = 4;

const CACHES_PART = "kmem_caches";
/** Those of one memory, in the order in which they were made. All copies of this file know the same: each entry has one. */
const caches = (partNamed(CACHES_PART) ?? new WeakMap()) as WeakMap<Core, Set<KmemCache>>;
registerPart(CACHES_PART, caches);

/** A cache of objects. Made by kmemCacheCreate(). */
export class KmemCache {
  readonly core: Core;
  readonly name: string;
  /** Handle of the super block, 0 = the kernel. */
  readonly owner: number;
  readonly size: number;
  readonly align: number;
  readonly construct: Constructor | undefined;
  /** From one object to the next, bytes. */
  readonly step: number;
  /** Where in a free object the link lies, bytes. */
  readonly link: number;
  readonly perSlab: number;
  /** How often it has been made. */
  users = 1;
  nrObjects = 0;
  /** Frames. */
  readonly slabs = new Set<number>();
  /** Those in which there is room. */
  readonly partial = new Set<number>();

  constructor(core: Core, name: string, owner: number, size: number, align: number, construct?: Constructor) {
    this.core = core;
    this.name = name;
    this.owner = owner;
    this.size = size;
    this.align = align;
    this.construct = construct;
    const unit = Math.max(align, MIN_ALIGN);
    this.step = Math.ceil(bytesOf(size, construct) / unit) * unit;
    this.link = construct ? this.step - LINK_BYTES : 0;
    this.perSlab = Math.floor(PAGE_SIZE / this.step);
  }
}

/** Those of a kernel, in the order in which they were made. */
export function kmemCaches({ core }: Kernel): KmemCache[] {
  return [...(caches.get(core) ?? [])];
}

/** Bytes that an object takes. */
function bytesOf(size: number, construct: Constructor | undefined): number {
  return construct ? size + LINK_BYTES : size;
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(n) && n > 0 && n <= PAGE_SIZE && (n & (n - 1)) === 0;
}

/**
 * Makes a cache, or takes a share in the one that the owner has by that name, if it is of the same size, alignment and
 * constructor.
 *
 * @param name 1 to 31 printable ASCII characters
 * @param size bytes of an object, 1 to 4096 (4092 with a constructor)
 * @param align a power of two up to 4096; all objects are aligned to 32
 * @param construct without it objects come out all zeros
 * @param owner left out: the kernel
 * @returns the cache; -EINVAL; -EOPNOTSUPP for an owner that lives in memory; -EEXIST where the name stands for another kind
 */
export function kmemCacheCreate(
  { core }: Kernel,
  name: string,
  size: number,
  align = 0,
  construct?: Constructor,
  owner?: SuperBlock,
): KmemCache | number {
  const isSize = Number.isInteger(size) && size > 0 && bytesOf(size, construct) <= PAGE_SIZE;
  if (!isTypeName(name) || !isSize || (align !== 0 && !isPowerOfTwo(align))) return -EINVAL;
  if (owner && owner.flags & SB_MEMORY) return -EOPNOTSUPP;
  const all = caches.get(core) ?? new Set();
  caches.set(core, all);
  const handle = owner?.handle ?? 0;
  for (const known of all) {
    if (known.name !== name || known.owner !== handle) continue;
    if (known.size !== size || known.align !== align || known.construct !== construct) return -EEXIST;
    known.users++;
    return known;
  }
  const cache = new KmemCache(core, name, handle, size, align, construct);
  all.add(cache);
  return cache;
}

/** Takes an object. @returns its handle; -ENOMEM; -EINVAL: its memory has been rolled back or is gone */
export function kmemCacheAlloc(kernel: Kernel, cache: KmemCache): number {
  const { core } = kernel;
  if (!isThere(kernel, cache)) return -EINVAL;
  const [pfn = newSlab(cache)] = cache.partial;
  if (pfn === 0) {
    const rc = kernel.room(-ENOMEM);
    return rc === TRY_AGAIN ? kmemCacheAlloc(kernel, cache) : rc;
  }
  const at = descriptor(pfn);
  const { u32 } = core;
  const freed = u32[at + PAGE_PRIVATE_LOW];
  const object = freed || pfn * PAGE_SIZE + u32[at + PAGE_PRIVATE_HIGH] * cache.step;
  if (freed) {
    u32[at + PAGE_PRIVATE_LOW] = u32[(freed + cache.link) >>> 2];
    u32[(freed + cache.link) >>> 2] = 0;
  } else u32[at + PAGE_PRIVATE_HIGH]++;
  if (++u32[at + PAGE_INDEX] === cache.perSlab) cache.partial.delete(pfn);
  cache.nrObjects++;
  if (!freed) cache.construct?.(kernel, object >>> 5);
  return object >>> 5;
}

/** Gives an object back, constructed if it has come so. @returns 0; -EINVAL for what is none of the cache's, or free */
export function kmemCacheFree(kernel: Kernel, cache: KmemCache, handle: number): number {
  const object = (handle << 5) >>> 0;
  if (!isThere(kernel, cache) || !isTaken(cache, object)) return -EINVAL;
  const { u8, u32 } = cache.core;
  const pfn = Math.floor(object / PAGE_SIZE);
  const at = descriptor(pfn);
  if (cache.construct === undefined) u8.fill(0, object, object + cache.step);
  u32[(object + cache.link) >>> 2] = u32[at + PAGE_PRIVATE_LOW];
  u32[at + PAGE_PRIVATE_LOW] = object;
  cache.nrObjects--;
  cache.partial.add(pfn);
  if (--u32[at + PAGE_INDEX] === 0 && cache.partial.size > 1) freeSlab(cache, pfn);
  return 0;
}

/** Gives a share of the cache back; with the last one it goes. @returns 0; -EBUSY while it has objects */
export function kmemCacheDestroy(kernel: Kernel, cache: KmemCache): number {
  if (!isThere(kernel, cache)) return 0;
  if (cache.users > 1) cache.users--;
  else if (cache.nrObjects > 0) return -EBUSY;
  else dropCache(cache);
  return 0;
}

/** Gives back what memory of the cache is empty. */
export function kmemCacheShrink(kernel: Kernel, cache: KmemCache): void {
  if (!isThere(kernel, cache)) return;
  for (const pfn of cache.partial) if (cache.core.u32[descriptor(pfn) + PAGE_INDEX] === 0) freeSlab(cache, pfn);
}

/** The caches of a super block go, whatever is in them. */
export function dropCachesOf({ kernel: { core }, handle }: SuperBlock): void {
  for (const cache of caches.get(core) ?? []) if (cache.owner === handle) dropCache(cache);
}

/** False for one that has been destroyed, and when the memory has been rolled back since. */
function isThere({ core }: Kernel, cache: KmemCache): boolean {
  return caches.get(core)?.has(cache) === true;
}

function isTaken({ core: { u32 }, slabs, step, link }: KmemCache, object: number): boolean {
  const pfn = Math.floor(object / PAGE_SIZE);
  const offset = object % PAGE_SIZE;
  const at = descriptor(pfn);
  if (!slabs.has(pfn) || offset % step !== 0 || offset / step >= u32[at + PAGE_PRIVATE_HIGH]) return false;
  for (let free = u32[at + PAGE_PRIVATE_LOW]; free !== 0; free = u32[(free + link) >>> 2])
    if (free === object) return false;
  return true;
}

/** @returns its frame, 0 when memory ran out */
function newSlab({ core, slabs, partial }: KmemCache): number {
  const pfn = core.x.allocBuffer(0);
  if (pfn === 0) return 0;
  core.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
  const at = descriptor(pfn);
  core.u32[at + PAGE_FLAGS] = PG_LOCKED;
  core.u32[at + PAGE_INDEX] = 0;
  core.u32[at + PAGE_PRIVATE_LOW] = 0;
  core.u32[at + PAGE_PRIVATE_HIGH] = 0;
  slabs.add(pfn);
  partial.add(pfn);
  return pfn;
}

function freeSlab({ core, slabs, partial }: KmemCache, pfn: number): void {
  slabs.delete(pfn);
  partial.delete(pfn);
  core.x.freePages(pfn, 1);
}

function dropCache(cache: KmemCache): void {
  for (const pfn of cache.slabs) freeSlab(cache, pfn);
  cache.nrObjects = 0;
  caches.get(cache.core)?.delete(cache);
}
