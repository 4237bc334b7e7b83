/**
 * What a kernel's memory is used for, frame by frame, and what is kept outside of it.
 *
 * Frames are counted by walking the descriptors (1 ms for 512 MiB), so the kinds add up to the size of the memory whatever the
 * counters say.
 *
 * @see Linux Documentation/filesystems/proc.rst (meminfo), mm/memcontrol.c
 */
import type { InodeHandle } from "../base/handles.ts";
import { pageFlags } from "../mm/page.ts";
import { eachData } from "../mm/page-index.ts";
import { LAST_INDEX } from "../mm/page-state.ts";
import { inodesThatShare, isShared } from "../mm/shared-frames.ts";
import { swapHostBytes } from "../mm/swap-state.ts";
import { pteFrame, vmAreas } from "../mm/vm-area.ts";
import type { Core } from "../wasm/core.ts";
import { partNamed, registerPart } from "../wasm/core-module.ts";
import {
  CACHE_DENTRY,
  CACHE_INODE,
  CACHE_KMALLOC_32,
  CACHE_XA_NODE,
  DENTRY_BYTES,
  DENTRY_INODE,
  DENTRY_LONG_NAME,
  DENTRY_NAME_LEN,
  DENTRY_PARENT,
  I_SYMLINK_BODY,
  INODE_BYTES,
  INODE_PRIVATE1,
  INODE_SB,
  INODE_STATE,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KERNEL_MIN_FREE,
  KERNEL_NR_RESERVED,
  KMEM_CACHE_BYTES,
  MAX_SWAPFILES,
  MOUNT_ID,
  MOUNT_SB,
  PAGE_MAPPING,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_SIZE,
  PG_BUDDY,
  PG_BUFFER,
  PG_HWPOISON,
  PG_PCP,
  PG_RESERVED,
  PG_SHARED,
  PG_SLAB,
  PG_TABLE,
  PTE_ANON,
  SUPER_BLOCK_DEV,
  SUPER_BLOCK_USED_BLOCKS,
} from "../wasm/layout.ts";
import { descriptor, endPfn } from "./frames.ts";
import type { Kernel } from "./kernel.ts";
import { kmemCaches } from "./kmem-cache.ts";
import { mountHandles, mountTable } from "./mount.ts";
import { mapFrames } from "./swapon.ts";
import type { Task } from "./task.ts";

/** Bytes of linear memory by kind: all of them together are its size. */
export interface UsageByKind {
  /** Pages of files, and private copies of them. */
  data: number;
  /** Dentries, and the strings of long names, symbolic links and extended attributes. */
  names: number;
  inodes: number;
  /** Nodes of page indexes. */
  indexNodes: number;
  /** Open files, tasks, credentials, mounts, super blocks, and what file systems have made caches for. */
  records: number;
  /** Descriptors of frames, the kernel block and the slots, hash tables, page tables of mappings, maps of swap areas. */
  tables: number;
  /** Frames that are broken: nobody's any more (HardwareCorrupted in meminfo). */
  poisoned: number;
  /** Of the free frames those that are kept for who frees others (min_free_kbytes). */
  reserve: number;
  /** All others, with what the memory has, but has not needed yet. */
  free: number;
}

/** Bytes of linear memory that a file system has. */
export interface FileSystemUsage {
  /** Where it is mounted: the place that was first, of several. */
  target: string;
  type: string;
  /** Its number, as `stat().dev` tells it. */
  dev: number;
  /** Pages that one of its files alone has, and that are in memory. */
  data: number;
  /** Pages that its files share among themselves or with those of others, as often as its files have them. */
  shared: number;
  /** Names, and the targets of symbolic links. */
  names: number;
  inodes: number;
  /** What counts against its `size`: pages wherever they are, promised ones among them; shared ones, but for those of another file system. */
  charged: number;
}

/** What `kernel.usage()` tells. */
export interface Usage extends UsageByKind {
  /** Size of the memory: the sum of all kinds. */
  memory: number;
  /** Bytes that fallocate() has promised, and that nobody has written yet: part of no kind. */
  promised: number;
  /** Of `data` what several files have, each page once. */
  shared: number;
  /** Every file system that is mounted, once. */
  mounts: FileSystemUsage[];
  /** Bytes beside the memory, as far as they can be told: what the kernel keeps in JavaScript, by what it is. All has its limit. */
  outside: Record<string, number>;
}

/** Bytes of a number in an array of V8's. */
const WORD_BYTES = 8;
/** Of a string of a name, with its place in an array or a map: an estimate. */
const NAME_BYTES = 48;
const PATH_BYTES = 128;
const WORDS_PER_PATH = 4;
const MIN_STRING_BYTES = 32;

/** What a slab of a cache of the core's counts as, by its number. */
function kindOfCache(id: number): keyof UsageByKind {
  if (id === CACHE_DENTRY || id >= CACHE_KMALLOC_32) return "names";
  if (id === CACHE_INODE) return "inodes";
  return id === CACHE_XA_NODE ? "indexNodes" : "records";
}

/** Uses of memory by its super blocks, by address. */
type BySuper = Map<number, Pick<FileSystemUsage, "data" | "shared" | "names" | "inodes">>;

/** Frames of what file systems have made caches for, of mappings, and of maps of swap areas. */
function* knownFrames(kernel: Kernel): Generator<[pfn: number, keyof UsageByKind]> {
  const { core } = kernel;
  for (const { slabs } of kmemCaches(kernel)) for (const pfn of slabs) yield [pfn, "records"];
  for (let i = 0; i < MAX_SWAPFILES; i++) for (const pfn of mapFrames(core, i)) yield [pfn, "tables"];
  for (const area of vmAreas(core)) {
    for (const pfn of area.tables()) yield [pfn, "tables"];
    for (const i of area.entries(0, area.nrPages - 1))
      if (area.pte(i) & PTE_ANON) yield [pteFrame(area.pte(i)), "data"];
  }
}

/** One pass over all frames. */
class FrameCount {
  readonly kinds: UsageByKind = {
    data: 0,
    names: 0,
    inodes: 0,
    indexNodes: 0,
    records: 0,
    tables: 0,
    poisoned: 0,
    reserve: 0,
    free: 0,
  };
  readonly bySuper: BySuper = new Map();
  /** Bytes of pages of several files. */
  shared = 0;
  readonly #core: Core;
  /** Frames that do not say what they are for. */
  readonly #known: ReadonlyMap<number, keyof UsageByKind>;

  constructor(kernel: Kernel) {
    this.#core = kernel.core;
    this.#known = new Map(knownFrames(kernel));
    const end = endPfn(this.#core);
    for (let pfn = 0; pfn < end; ) {
      const nr = this.#sizeOf(pfn);
      this.kinds[this.#kindOf(pfn)] += nr * PAGE_SIZE;
      pfn += nr;
    }
    for (const inode of inodesThatShare(this.#core))
      this.#of(inode << 3).shared += nrShared(this.#core, inode) * PAGE_SIZE;
  }

  /** Frames of a free block, else one. */
  #sizeOf(pfn: number): number {
    return pageFlags(this.#core, pfn) & PG_BUDDY ? 1 << this.#core.u32[descriptor(pfn) + PAGE_PRIVATE_LOW] : 1;
  }

  #kindOf(pfn: number): keyof UsageByKind {
    const flags = pageFlags(this.#core, pfn);
    if (flags & (PG_BUDDY | PG_PCP)) return "free";
    if (flags & (PG_RESERVED | PG_TABLE)) return "tables";
    if (flags & PG_SLAB) return this.#countSlab(pfn);
    const known = this.#known.get(pfn);
    if (known !== undefined) return known;
    if (flags & PG_BUFFER) return "names"; // a string: other buffers are there in the midst of calls only
    if (flags & PG_HWPOISON) return "poisoned";
    if (flags & PG_SHARED) this.shared += PAGE_SIZE;
    const mapping = this.#core.u32[descriptor(pfn) + PAGE_MAPPING];
    if (mapping !== 0) this.#of((mapping >>> 2) - INODE_XA_HEAD).data += PAGE_SIZE;
    return "data"; // one that has left the cache while somebody uses it, too
  }

  #countSlab(pfn: number): keyof UsageByKind {
    const { u32 } = this.#core;
    const at = descriptor(pfn);
    const id = (u32[at + PAGE_MAPPING] - KERNEL_BLOCK - KERNEL_CACHES) / KMEM_CACHE_BYTES;
    const first = (pfn * PAGE_SIZE) >>> 2;
    if (id === CACHE_DENTRY) this.#countEach(first, u32[at + PAGE_PRIVATE_HIGH], DENTRY_BYTES, this.#countDentry);
    if (id === CACHE_INODE) this.#countEach(first, u32[at + PAGE_PRIVATE_HIGH], INODE_BYTES, this.#countInode);
    return kindOfCache(id);
  }

  #countEach(first: number, nr: number, bytes: number, count: (at: number) => void): void {
    for (let i = 0; i < nr; i++) count(first + (i * bytes) / 4);
  }

  readonly #countDentry = (at: number): void => {
    const { u32 } = this.#core;
    const parent = u32[at + DENTRY_PARENT]; // a free object has none
    const inode = parent === 0 ? 0 : u32[(parent >>> 2) + DENTRY_INODE] || u32[at + DENTRY_INODE];
    if (inode === 0) return;
    const length = new Uint16Array(this.#core.arrayBuffer, at * 4 + DENTRY_NAME_LEN * 2, 1)[0];
    const long = u32[at + DENTRY_LONG_NAME] === 0 ? 0 : stringBytes(length);
    this.#of(inode >>> 2).names += DENTRY_BYTES + long;
  };

  readonly #countInode = (at: number): void => {
    const { u32 } = this.#core;
    if (u32[at + INODE_SB] === 0) return;
    const of = this.#of(at);
    of.inodes += INODE_BYTES;
    if (u32[at + INODE_STATE] & I_SYMLINK_BODY) of.names += stringBytes(u32[at + INODE_PRIVATE1]);
  };

  /** @param inode index in `u32` */
  #of(inode: number) {
    const sb = this.#core.u32[inode + INODE_SB];
    let known = this.bySuper.get(sb);
    if (known === undefined) {
      known = { data: 0, shared: 0, names: 0, inodes: 0 };
      this.bySuper.set(sb, known);
    }
    return known;
  }
}

/** Pages of a file that others have, too. */
function nrShared(core: Core, inode: InodeHandle): number {
  let nr = 0;
  eachData(core, inode, 0, LAST_INDEX, (_, entry) => {
    if ((entry & 3) === 0 && isShared(core, entry >>> 2)) nr++;
    return true;
  });
  return nr;
}

/** What a string takes: a power of two, with some bytes for who reads it by words. */
function stringBytes(length: number): number {
  return Math.max(MIN_STRING_BYTES, 2 ** Math.ceil(Math.log2(length + 8)));
}

/** What the memory of a task's kernel is used for. */
export function usage(task: Task): Usage {
  const { kernel } = task;
  const { core } = kernel;
  const { kinds, bySuper, shared } = new FrameCount(kernel);
  const memory = core.arrayBuffer.byteLength;
  const word = (field: number): number => core.u32[(KERNEL_BLOCK >>> 2) + field];
  kinds.reserve = Math.min(kinds.free, word(KERNEL_MIN_FREE) * PAGE_SIZE);
  kinds.free += memory - endPfn(core) * PAGE_SIZE - kinds.reserve;
  return {
    memory,
    ...kinds,
    promised: word(KERNEL_NR_RESERVED) * PAGE_SIZE,
    shared,
    mounts: byFileSystem(task, bySuper),
    outside: outsideOf(kernel),
  };
}

function byFileSystem(task: Task, bySuper: BySuper): FileSystemUsage[] {
  const { u32 } = task.kernel.core;
  const supers = new Map([...mountHandles(task.kernel.core)].map((mnt) => [u32[(mnt << 3) + MOUNT_ID], mnt << 3]));
  const told = new Map<number, FileSystemUsage>();
  for (const { id, target, type } of mountTable(task)) {
    const sb = u32[(supers.get(id) as number) + MOUNT_SB];
    if (told.has(sb)) continue;
    const own = bySuper.get(sb) ?? { data: 0, shared: 0, names: 0, inodes: 0 };
    const at = sb >>> 2;
    told.set(sb, {
      target,
      type,
      dev: u32[at + SUPER_BLOCK_DEV],
      ...own,
      charged: u32[at + SUPER_BLOCK_USED_BLOCKS] * PAGE_SIZE,
    });
  }
  return [...told.values()];
}

// --- Outside of the memory ------------------------------------------------------------------------------------------------

const SOURCES_PART = "usage_sources";
/** All copies of this file know the same: each entry has one. */
const sources = (partNamed(SOURCES_PART) ?? new WeakMap()) as WeakMap<Kernel, Map<string, () => number>>;
registerPart(SOURCES_PART, sources);

/**
 * Has `kernel.usage().outside` tell what a file system, a device or a pool keeps outside of the memory.
 *
 * @param name one that nobody else has; who has had it before is told no more
 * @param bytes how many they are at present; undefined = there are none any more
 */
export function reportUsage(kernel: Kernel, name: string, bytes: (() => number) | undefined): void {
  const known = sources.get(kernel) ?? new Map<string, () => number>();
  sources.set(kernel, known);
  if (bytes === undefined) known.delete(name);
  else known.set(name, bytes);
}

function outsideOf(kernel: Kernel): Record<string, number> {
  const tasks = [...kernel.tasks()];
  const tables = new Set(tasks.map(({ files }) => files));
  const outside: Record<string, number> = {
    descriptors: sum([...tables], ({ files }) => files.length * 2 * WORD_BYTES),
    paths: sum(tasks, ({ paths }) => paths.words.byteLength + (paths.words.length / WORDS_PER_PATH) * PATH_BYTES),
    swap: swapHostBytes(kernel.core),
    listings: sum([...kernel.dirCache.values()], ({ listing }) => listing.names.length * NAME_BYTES),
  };
  for (const [name, bytes] of sources.get(kernel) ?? []) outside[name] = bytes();
  return outside;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
