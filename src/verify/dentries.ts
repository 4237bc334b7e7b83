/**
 * Dentries: trees without rings, whose lists have each name once.
 *
 * Does not own: the hash (dentry-hash.ts), links that names come to (links.ts).
 */
import {
  CACHE_DENTRY,
  CACHE_INODE,
  DCACHE_CHILD,
  DCACHE_HASHED,
  DCACHE_LRU,
  DCACHE_MOUNTED,
  DCACHE_PERSISTENT,
  DCACHE_REFERENCED,
  DENTRY_ALIAS_NEXT,
  DENTRY_ALIAS_PREV,
  DENTRY_CHILDREN,
  DENTRY_COOKIE,
  DENTRY_COUNT,
  DENTRY_FLAGS,
  DENTRY_HASH_NEXT,
  DENTRY_INODE,
  DENTRY_LONG_NAME,
  DENTRY_LRU_NEXT,
  DENTRY_LRU_PREV,
  DENTRY_NAME,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  DENTRY_SIBLING_PREV,
  DNAME_INLINE_LEN,
  INODE_ALIASES,
  KERNEL_MAX_NEGATIVE,
  KERNEL_MAX_UNUSED,
  KERNEL_NEGATIVE_HEAD,
  KERNEL_NEGATIVE_TAIL,
  KERNEL_NEXT_COOKIE,
  KERNEL_NR_DENTRIES,
  KERNEL_NR_NEGATIVE,
  KERNEL_NR_UNUSED,
  KERNEL_ROOT_MOUNT,
  KERNEL_UNUSED_HEAD,
  KERNEL_UNUSED_TAIL,
  NAME_MAX,
} from "../wasm/layout.ts";
import { checkAcyclic } from "./acyclic.ts";
import { demand } from "./demand.ts";
import type { SoundInode } from "./inodes.ts";
import type { Memory, Visited } from "./memory.ts";
import type { SoundMount } from "./mounts.ts";

/** A dentry whose own words are sound. */
export interface SoundDentry extends Visited {
  readonly flags: number;
  /** Address of the one that it is a name in, itself at a root. */
  readonly parent: number;
  /** undefined = negative. */
  readonly inode: SoundInode | undefined;
  readonly nameLen: number;
  /** Where its name begins, in the bytes of the image. */
  readonly nameAt: number;
}

const KNOWN = DCACHE_HASHED | DCACHE_PERSISTENT | DCACHE_MOUNTED | DCACHE_LRU | DCACHE_CHILD | DCACHE_REFERENCED;
/** Flags and length of the name are halves of one word. */
const FLAGS_WORD = DENTRY_FLAGS >> 1;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes behind a long name that are there: who reads it takes words. */
const NAME_TAIL = 8;

/** @returns by address @throws SnapshotError */
export function checkDentries(
  memory: Memory,
  inodes: ReadonlyMap<number, SoundInode>,
  mounts: ReadonlyMap<number, SoundMount>,
): Map<number, SoundDentry> {
  const dentries = new Map<number, SoundDentry>();
  for (const address of memory.slabs.records(CACHE_DENTRY)) {
    const number = memory.slabs.numberOf(CACHE_DENTRY, address, "a dentry");
    dentries.set(address, checkDentry(memory, { address, at: memory.image.at(address), number }, inodes));
  }
  demand(dentries.size === memory.kernel(KERNEL_NR_DENTRIES), "nrDentries is not the number of dentries");
  checkAcyclic(dentries.keys(), (address) => (dentries.get(address) as SoundDentry).parent, "directories");
  for (const dentry of dentries.values()) checkPlace(dentry, dentries);
  checkSiblings(memory, dentries);
  checkAliases(memory, dentries, inodes);
  checkUnused(memory, dentries);
  checkMountpoints(memory, dentries, mounts);
  return dentries;
}

function checkDentry(memory: Memory, record: Visited, inodes: ReadonlyMap<number, SoundInode>): SoundDentry {
  const { u32 } = memory;
  const { address, at, number } = record;
  const flags = u32[at + FLAGS_WORD] & 0xffff;
  const nameLen = u32[at + FLAGS_WORD] >>> 16;
  demand((flags & ~KNOWN) === 0, "a dentry is in a state that there is none of", address);
  const parent = u32[at + DENTRY_PARENT];
  if (parent !== address) memory.hold(CACHE_DENTRY, parent, "the parent of a dentry");
  if (flags & DCACHE_PERSISTENT) memory.references[number]++;
  const inodeAddress = u32[at + DENTRY_INODE];
  if (inodeAddress !== 0) memory.hold(CACHE_INODE, inodeAddress, "the inode of a dentry");
  const isHashed = (flags & DCACHE_HASHED) !== 0;
  demand(
    isHashed === ((flags & DCACHE_CHILD) !== 0),
    "a dentry is hashed, but in no directory, or the other way round",
    address,
  );
  demand(!isHashed || parent !== address, "a root has a name", address);
  demand(isHashed || u32[at + DENTRY_HASH_NEXT] === 0, "a dentry is not hashed, but on a chain", address);
  demand(
    isHashed || (!u32[at + DENTRY_SIBLING_NEXT] && !u32[at + DENTRY_SIBLING_PREV]),
    "a dentry is in no directory, but on a list",
    address,
  );
  demand(isHashed || u32[at + DENTRY_COUNT] > 0, "a dentry is held by nobody, and not to be found", address);
  demand(!(flags & DCACHE_PERSISTENT) || (isHashed && inodeAddress !== 0), "a lasting name is none", address);
  if (flags & DCACHE_LRU) demand(!(flags & DCACHE_PERSISTENT), "a lasting name is on a list of unused ones", address);
  else
    demand(
      u32[at + DENTRY_COUNT] > 0 && !u32[at + DENTRY_LRU_NEXT] && !u32[at + DENTRY_LRU_PREV],
      "a dentry is unused, but on no list of those",
      address,
    );
  if (inodeAddress === 0)
    demand(
      !u32[at + DENTRY_ALIAS_NEXT] && !u32[at + DENTRY_ALIAS_PREV],
      "a name of nothing is a name of something",
      address,
    );
  const nameAt = checkName(memory, record, nameLen, isHashed);
  return { ...record, flags, parent, inode: inodes.get(inodeAddress), nameLen, nameAt };
}

/** @returns where it begins in the bytes of the image */
function checkName(memory: Memory, { address, at }: Visited, length: number, isHashed: boolean): number {
  const { image } = memory;
  const { u8 } = image;
  const long = memory.u32[at + DENTRY_LONG_NAME];
  demand(length <= NAME_MAX && (length > 0 || !isHashed), "a name is of no length", address);
  demand((long !== 0) === length > DNAME_INLINE_LEN, "a name is in the wrong place", address);
  if (long !== 0) memory.claims.claim(long, length + NAME_TAIL, "a long name");
  const inline = at * 4 + DENTRY_NAME;
  const name = long ? image.byteAt(long) : inline;
  for (let i = name; i < name + length; i++)
    demand(u8[i] !== 0 && u8[i] !== SLASH, "a name has a NUL or a slash in it", address);
  for (let i = inline + (long ? 0 : length); i < inline + DNAME_INLINE_LEN; i++)
    demand(u8[i] === 0, "bytes behind a name are not zeros", address);
  const isDots = u8[name] === DOT && (length === 1 || (length === 2 && u8[name + 1] === DOT));
  demand(!isDots, "a name is that of a directory itself, or of the one above", address);
  return name;
}

/** It is a name in a directory of its file system. */
function checkPlace({ address, flags, parent, inode }: SoundDentry, dentries: ReadonlyMap<number, SoundDentry>): void {
  const dir = dentries.get(parent)?.inode;
  demand(dir !== undefined, "a dentry is in a directory that is none", address);
  demand(inode === undefined || inode.sb === dir.sb, "a dentry is of another file system than its directory", address);
  demand(dir.isDir, "a dentry is in something else than a directory", address);
  const isLasting = (flags & DCACHE_PERSISTENT) !== 0;
  demand(!isLasting || dir.sb.isComplete, "a name lasts, where names are only cached", address);
  demand(isLasting || !(flags & DCACHE_CHILD) || !dir.sb.isComplete, "a name is cached, where names last", address);
}

function checkSiblings(memory: Memory, dentries: ReadonlyMap<number, SoundDentry>): void {
  const { u32, f64 } = memory;
  const list = {
    cache: CACHE_DENTRY,
    next: DENTRY_SIBLING_NEXT,
    prev: DENTRY_SIBLING_PREV,
    marks: memory.marks(),
    what: "names in a directory",
  };
  let nr = 0;
  for (const { address, at } of dentries.values()) {
    if (u32[at + DENTRY_CHILDREN] === 0) continue;
    let above = memory.kernelNumber(KERNEL_NEXT_COOKIE);
    memory.walk(u32[at + DENTRY_CHILDREN], list, (child) => {
      const { flags, parent } = dentries.get(child.address) as SoundDentry;
      demand(
        parent === address && (flags & DCACHE_CHILD) !== 0,
        "a dentry is on the list of another directory",
        child.address,
      );
      const cookie = f64[(child.at >>> 1) + DENTRY_COOKIE];
      demand(cookie > 0 && cookie < above, "positions in a directory do not descend", child.address);
      above = cookie;
      nr++;
    });
  }
  for (const { flags } of dentries.values()) if (flags & DCACHE_CHILD) nr--;
  demand(nr === 0, "a dentry is on no list of names");
}

function checkAliases(
  memory: Memory,
  dentries: ReadonlyMap<number, SoundDentry>,
  inodes: ReadonlyMap<number, SoundInode>,
): void {
  const list = {
    cache: CACHE_DENTRY,
    next: DENTRY_ALIAS_NEXT,
    prev: DENTRY_ALIAS_PREV,
    marks: memory.marks(),
    what: "names of an inode",
  };
  let nr = 0;
  for (const inode of inodes.values()) {
    let nrOwn = 0;
    memory.walk(memory.u32[inode.at + INODE_ALIASES], list, ({ address }) => {
      demand(dentries.get(address)?.inode === inode, "a dentry is on the list of another inode", address);
      nrOwn++;
    });
    demand(!inode.isDir || !inode.sb.isComplete || nrOwn === 1, "a directory is in no place, or in two", inode.address);
    nr += nrOwn;
  }
  for (const { inode } of dentries.values()) if (inode) nr--;
  demand(nr === 0, "a dentry is on no list of names of its inode");
}

/** The lists of unused names: those of something, and those of nothing. */
function checkUnused(memory: Memory, dentries: ReadonlyMap<number, SoundDentry>): void {
  const marks = memory.marks();
  const lists = [
    [KERNEL_NEGATIVE_HEAD, KERNEL_NEGATIVE_TAIL, KERNEL_NR_NEGATIVE, KERNEL_MAX_NEGATIVE],
    [KERNEL_UNUSED_HEAD, KERNEL_UNUSED_TAIL, KERNEL_NR_UNUSED, KERNEL_MAX_UNUSED],
  ] as const;
  let nrListed = 0;
  for (const [i, [head, tail, count, max]] of lists.entries()) {
    const list = { cache: CACHE_DENTRY, next: DENTRY_LRU_NEXT, prev: DENTRY_LRU_PREV, marks, what: "unused names" };
    let nr = 0;
    const last = memory.walk(memory.kernel(head), list, ({ address }) => {
      const { flags, inode } = dentries.get(address) as SoundDentry;
      demand(
        (flags & DCACHE_LRU) !== 0 && (inode === undefined) === (i === 0),
        "a dentry is on a list of unused ones that is not its own",
        address,
      );
      nr++;
    });
    demand(
      last === memory.kernel(tail) && nr === memory.kernel(count),
      "a list of unused names counts otherwise, or has another end",
    );
    demand(nr <= memory.kernel(max), "there are more unused names than there may be");
    nrListed += nr;
  }
  for (const { flags } of dentries.values()) if (flags & DCACHE_LRU) nrListed--;
  demand(nrListed === 0, "an unused name is on no list");
}

/** Who is mounted over knows, and each mount has its root and its place in the right file system. */
function checkMountpoints(
  memory: Memory,
  dentries: ReadonlyMap<number, SoundDentry>,
  mounts: ReadonlyMap<number, SoundMount>,
): void {
  const mountpoints = new Set<number>();
  const top = dentries.get(mounts.get(memory.kernel(KERNEL_ROOT_MOUNT))?.root ?? 0)?.inode;
  demand(top?.isDir === true, "the root of the tree is no directory");
  for (const { address, sb, root, parent, mountpoint } of mounts.values()) {
    const shown = dentries.get(root)?.inode;
    demand(shown !== undefined && shown.sb.address === sb, "the root of a mount is of another file system", address);
    if (parent === 0) continue;
    const place = dentries.get(mountpoint)?.inode;
    demand(
      place !== undefined && place.sb.address === mounts.get(parent)?.sb,
      "the place of a mount is of another file system",
      address,
    );
    demand(place.isDir === shown.isDir, "a directory is mounted over something else, or the other way round", address);
    mountpoints.add(mountpoint);
  }
  for (const { address, flags } of dentries.values())
    demand(
      ((flags & DCACHE_MOUNTED) !== 0) === mountpoints.has(address),
      "a dentry does not know whether something is mounted there",
      address,
    );
}
