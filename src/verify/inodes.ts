/** Inodes: what each says of itself. Its names are checked in dentries.ts, its pages in page-index.ts, what one of an overlay stands for in stacks.ts. */

import { EIO, ENOSPC } from "../base/errno.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../base/stat-flags.ts";
import {
  AS_CLASS,
  AS_EIO,
  AS_ENOSPC,
  AS_FREE_PAGE,
  AS_NO_ACCOUNTING,
  AS_NO_STORE,
  AS_SHARED,
  AS_SWAPBACKED,
  AS_UNEVICTABLE,
  CACHE_INODE,
  I_APPEND,
  I_DEAD,
  I_HASHED,
  I_IMMUTABLE,
  I_LRU,
  I_NOATIME,
  I_OVL_INUSE,
  I_REFERENCED,
  I_SWAPFILE,
  I_SYMLINK_BODY,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_BTIME_NSEC,
  INODE_BTIME_SEC,
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_DIRTIED_CS,
  INODE_FLOCKS,
  INODE_HASH_NEXT,
  INODE_INO,
  INODE_IO_NEXT,
  INODE_IO_PREV,
  INODE_KIND,
  INODE_LRU_NEXT,
  INODE_LRU_PREV,
  INODE_MAPPING,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_NLINK,
  INODE_NR_PAGES,
  INODE_PRIVATE0,
  INODE_PRIVATE1,
  INODE_RWSEM,
  INODE_SB,
  INODE_SB_NEXT,
  INODE_SB_PREV,
  INODE_SIZE,
  INODE_STATE,
  INODE_WB_ERR,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_NR_INODES,
  KERNEL_NR_UNUSED_INODES,
  KERNEL_TOTAL_SWAP_PAGES,
  KERNEL_UNUSED_INODE_HEAD,
  KERNEL_UNUSED_INODE_TAIL,
  PATH_MAX,
  SB_EVICT,
  SB_FREE_PAGE,
  SB_SWAPBACKED,
  SHORT_SYMLINK_LEN,
  SUPER_BLOCK_NR_INODES,
  XA_NR_MARKS,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import { NSEC_PER_SEC } from "./kernel-block.ts";
import type { Memory, Visited } from "./memory.ts";
import { isCount, type SoundSuper } from "./supers.ts";
import { checkXattrs } from "./xattrs.ts";

/** Inodes whose own words are sound, by address. */
export class Inodes {
  readonly #memory: Memory;
  readonly #supers: ReadonlyMap<number, SoundSuper>;

  constructor(memory: Memory, supers: ReadonlyMap<number, SoundSuper>) {
    this.#memory = memory;
    this.#supers = supers;
  }

  /** Addresses, ascending. */
  get all(): Uint32Array {
    return this.#memory.slabs.records(CACHE_INODE);
  }

  sb(address: number): SoundSuper {
    return this.#supers.get(this.#word(address, INODE_SB)) as SoundSuper;
  }

  /** S_IF* of its mode. */
  type(address: number): number {
    return this.#word(address, INODE_MODE) & S_IFMT;
  }

  state(address: number): number {
    return this.#word(address, INODE_STATE);
  }

  isDir(address: number): boolean {
    return this.type(address) === S_IFDIR;
  }

  isFile(address: number): boolean {
    return this.type(address) === S_IFREG;
  }

  #word(address: number, field: number): number {
    return this.#memory.u32[this.#memory.image.at(address) + field];
  }
}

const TYPES = [S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK];
const MODE_BITS = S_IFMT | 0o7777;
const STATES =
  I_DEAD |
  I_IMMUTABLE |
  I_APPEND |
  I_NOATIME |
  I_SYMLINK_BODY |
  I_SWAPFILE |
  I_HASHED |
  I_LRU |
  I_REFERENCED |
  I_OVL_INUSE;
const SECONDS = [INODE_ATIME_SEC, INODE_MTIME_SEC, INODE_CTIME_SEC, INODE_BTIME_SEC];
const NANOSECONDS = [INODE_ATIME_NSEC, INODE_MTIME_NSEC, INODE_CTIME_NSEC, INODE_BTIME_NSEC];
/** Locks, and places on lists of stores. */
const NOTHING = [INODE_RWSEM, INODE_FLOCKS, INODE_IO_NEXT, INODE_IO_PREV];
const MAX_BYTES = 2 ** 44;
const MARKS = 2 ** XA_NR_MARKS - 1;
const IN_MEMORY = AS_NO_STORE | AS_NO_ACCOUNTING;
const ERRNO_MASK = 0xfff;
/** Where the address space lies in an inode. */
const MAPPING_OFFSET = INODE_XA_HEAD * 4;
/** Zeros that are wanted behind the target of a link, for who reads words. */
const LINK_TAIL = 8;

/** Address of the address space in an inode. */
export function ownMapping(inode: number): number {
  return inode + MAPPING_OFFSET;
}

/** Address of the inode that an address space lies in. */
export function hostOf(mapping: number): number {
  return mapping - MAPPING_OFFSET;
}

/** What the inodes of a super block add up to. */
export interface Sums {
  nrInodes: number;
  /** Pages of targets of long links; those of files are added by page-index.ts. */
  nrBlocks: number;
  /** Links beyond the first of what is no directory. */
  nrLinks: number;
  /** Bytes that extended attributes count. */
  xattrSpace: number;
}

/** @returns inodes, and sums by address of their super block @throws SnapshotError */
export function checkInodes(
  memory: Memory,
  supers: ReadonlyMap<number, SoundSuper>,
): { inodes: Inodes; sums: Map<number, Sums> } {
  const inodes = new Inodes(memory, supers);
  let nr = 0;
  const sums = new Map<number, Sums>();
  const list = { cache: CACHE_INODE, next: INODE_SB_NEXT, prev: INODE_SB_PREV, marks: memory.marks(), what: "inodes" };
  for (const sb of supers.values()) {
    const sum: Sums = { nrInodes: 0, nrBlocks: 0, nrLinks: 0, xattrSpace: 0 };
    memory.walk(sb.inodes, list, (address, at) => checkInode(memory, { address, at }, sb, sum));
    demand(
      sum.nrInodes === memory.u32[sb.at + SUPER_BLOCK_NR_INODES],
      "a super block has another number of inodes",
      sb.address,
    );
    sums.set(sb.address, sum);
    nr += sum.nrInodes;
  }
  demand(nr === inodes.all.length, "an inode is of no super block");
  demand(nr === memory.kernel(KERNEL_NR_INODES), "nrInodes is not the number of inodes");
  checkUnused(memory, inodes);
  return { inodes, sums };
}

function checkInode(memory: Memory, record: Visited, sb: SoundSuper, sum: Sums): void {
  const { u32, f64 } = memory;
  const { address, at } = record;
  demand(u32[at + INODE_SB] === sb.address, "an inode is of another super block than it says", address);
  const mode = u32[at + INODE_MODE];
  const state = u32[at + INODE_STATE];
  const isDir = (mode & S_IFMT) === S_IFDIR;
  demand((mode & ~MODE_BITS) === 0 && TYPES.includes(mode & S_IFMT), "an inode is of no type", address);
  demand(sb.type.isKind(u32[at + INODE_KIND], mode), "an inode is of another kind than its type", address);
  demand((state & ~STATES) === 0, "an inode is in a state that no snapshot has", address);
  for (const field of NOTHING) demand(u32[at + field] === 0, "somebody is at work on an inode", address);
  for (const field of SECONDS) demand(Number.isInteger(f64[(at >>> 1) + field]), "a time is no number", address);
  for (const field of NANOSECONDS) demand(u32[at + field] < NSEC_PER_SEC, "a time is no number", address);
  const size = f64[(at >>> 1) + INODE_SIZE];
  demand(isCount(size) && size <= MAX_BYTES, "an inode has a size that there is none of", address);
  demand(isCount(f64[(at >>> 1) + INODE_INO]), "the number of an inode is none", address);
  checkLists(memory, record, sb, state);
  checkMapping(memory, record, sb, mode);
  const isLink = (mode & S_IFMT) === S_IFLNK;
  const hasBody = (state & I_SYMLINK_BODY) !== 0;
  demand(isLink || !hasBody, "something else than a link has a target", address);
  if (isLink && sb.isOwn) demand(hasBody !== sb.isStacked, "a link has no target, or one that is another's", address);
  if (hasBody) sum.nrBlocks += checkTarget(memory, record, size);
  sum.nrInodes++;
  const nlink = u32[at + INODE_NLINK];
  if (!isDir && nlink > 1) sum.nrLinks += nlink - 1;
  sum.xattrSpace += checkXattrs(memory, record);
}

/** What is on no list leads nowhere. Whether what is hashed is on its chain is told in inode-hash.ts. */
function checkLists({ u32 }: Memory, { address, at }: Visited, sb: SoundSuper, state: number): void {
  if (!(state & I_HASHED)) demand(u32[at + INODE_HASH_NEXT] === 0, "an inode is on a chain, but not hashed", address);
  if (!(state & I_LRU))
    demand(
      !u32[at + INODE_LRU_NEXT] && !u32[at + INODE_LRU_PREV],
      "an inode is in use, but on the list of unused ones",
      address,
    );
  else
    demand((state & I_HASHED) !== 0 && (sb.flags & SB_EVICT) !== 0, "an inode is unused, but cannot be found", address);
}

/** Its address space, and which one it has its pages from. */
function checkMapping(memory: Memory, { address, at }: Visited, sb: SoundSuper, mode: number): void {
  const { u32 } = memory;
  const flags = u32[at + INODE_XA_FLAGS];
  const errno = u32[at + INODE_WB_ERR] & ERRNO_MASK;
  demand(errno === 0 || errno === EIO || errno === ENOSPC, "an inode has an error that there is none of", address);
  const known = MARKS | AS_CLASS | AS_SHARED | AS_EIO | AS_ENOSPC | (sb.flags & SB_FREE_PAGE ? AS_FREE_PAGE : 0);
  demand((flags & ~known) === 0, "an address space is of no kind", address);
  if (sb.isStacked) {
    demand(
      !u32[at + INODE_XA_HEAD] && !u32[at + INODE_NR_PAGES] && !u32[at + INODE_DIRTIED_CS],
      "an inode of an overlay has pages of its own",
      address,
    );
    return;
  }
  demand(u32[at + INODE_MAPPING] === ownMapping(address), "an inode has the pages of another", address);
  const isSwapped = memory.kernel(KERNEL_TOTAL_SWAP_PAGES) > 0 && (sb.flags & SB_SWAPBACKED) !== 0;
  const lists = isSwapped ? AS_SWAPBACKED : AS_UNEVICTABLE;
  demand(
    (flags & AS_CLASS) === (IN_MEMORY | lists),
    "an address space is of another class than those in memory",
    address,
  );
  if ((mode & S_IFMT) !== S_IFREG)
    demand(!u32[at + INODE_XA_HEAD] && !u32[at + INODE_DIRTIED_CS], "something else than a file has pages", address);
}

/** @returns blocks that the target counts */
function checkTarget(memory: Memory, { address, at }: Visited, size: number): number {
  const { u32 } = memory;
  const body = u32[at + INODE_PRIVATE0];
  const length = u32[at + INODE_PRIVATE1];
  demand(length > 0 && length < PATH_MAX && length === size, "the target of a link is of no length", address);
  memory.claims.claim(body, length + LINK_TAIL, "the target of a link");
  const bytes = memory.image.bytesFrom(body, length + LINK_TAIL);
  demand(
    bytes.indexOf(0) === length && bytes.subarray(length).every((byte) => byte === 0),
    "the target of a link does not end",
    address,
  );
  return length >= SHORT_SYMLINK_LEN ? 1 : 0;
}

/** The list of those that are known by number alone. */
function checkUnused(memory: Memory, inodes: Inodes): void {
  const list = {
    cache: CACHE_INODE,
    next: INODE_LRU_NEXT,
    prev: INODE_LRU_PREV,
    marks: memory.marks(),
    what: "unused inodes",
  };
  let nr = 0;
  const tail = memory.walk(memory.kernel(KERNEL_UNUSED_INODE_HEAD), list, (address) => {
    demand((inodes.state(address) & I_LRU) !== 0, "an inode is on the list of unused ones, but does not know", address);
    nr++;
  });
  let nrFlagged = 0;
  for (const address of inodes.all) if (inodes.state(address) & I_LRU) nrFlagged++;
  demand(
    nr === nrFlagged && nr === memory.kernel(KERNEL_NR_UNUSED_INODES),
    "other inodes are unused than are on the list of those",
  );
  demand(tail === memory.kernel(KERNEL_UNUSED_INODE_TAIL), "the list of unused inodes has another end");
}
