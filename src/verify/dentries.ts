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
import type { Inodes } from "./inodes.ts";
import type { Memory, Visited } from "./memory.ts";
import type { SoundMount } from "./mounts.ts";

/** Dentries whose own words are sound, by address. */
export class Dentries {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Addresses, ascending. */
  get all(): Uint32Array {
    return this.#memory.slabs.records(CACHE_DENTRY);
  }

  flags(address: number): number {
    return this.#word(address, FLAGS_WORD) & 0xffff;
  }

  /** Address of the one that it is a name in, itself at a root. */
  parent(address: number): number {
    return this.#word(address, DENTRY_PARENT);
  }

  /** Address of its inode, 0 = it is negative. */
  inode(address: number): number {
    return this.#word(address, DENTRY_INODE);
  }

  nameLength(address: number): number {
    return this.#word(address, FLAGS_WORD) >>> 16;
  }

  /** Where its name begins, in the bytes of the image. */
  nameAt(address: number): number {
    return nameAt(this.#memory, this.#memory.image.at(address));
  }

  #word(address: number, field: number): number {
    return this.#memory.u32[this.#memory.image.at(address) + field];
  }
}

function nameAt({ image, u32 }: Memory, at: number): number {
  const long = u32[at + DENTRY_LONG_NAME];
  return long ? image.byteAt(long) : at * 4 + DENTRY_NAME;
}

const KNOWN = DCACHE_HASHED | DCACHE_PERSISTENT | DCACHE_MOUNTED | DCACHE_LRU | DCACHE_CHILD | DCACHE_REFERENCED;
/** Flags and length of the name are halves of one word. */
const FLAGS_WORD = DENTRY_FLAGS >> 1;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes behind a long name that are there: who reads it takes words. */
const NAME_TAIL = 8;

/** @throws SnapshotError */
export function checkDentries(memory: Memory, inodes: Inodes, mounts: ReadonlyMap<number, SoundMount>): Dentries {
  const dentries = new Dentries(memory);
  for (const address of dentries.all) checkDentry(memory, { address, at: memory.image.at(address) });
  demand(dentries.all.length === memory.kernel(KERNEL_NR_DENTRIES), "nrDentries is not the number of dentries");
  checkAcyclic(memory, CACHE_DENTRY, (address) => dentries.parent(address), "directories");
  for (const address of dentries.all) checkPlace(address, dentries, inodes);
  checkSiblings(memory, dentries);
  checkAliases(memory, dentries, inodes);
  checkUnused(memory, dentries);
  checkMountpoints(memory, dentries, inodes, mounts);
  return dentries;
}

function checkDentry(memory: Memory, record: Visited): void {
  const { u32 } = memory;
  const { address, at } = record;
  const flags = u32[at + FLAGS_WORD] & 0xffff;
  const nameLen = u32[at + FLAGS_WORD] >>> 16;
  demand((flags & ~KNOWN) === 0, "a dentry is in a state that there is none of", address);
  const parent = u32[at + DENTRY_PARENT];
  if (parent !== address) memory.hold(CACHE_DENTRY, parent, "the parent of a dentry");
  if (flags & DCACHE_PERSISTENT) memory.hold(CACHE_DENTRY, address, "a dentry"); // by its name
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
  checkName(memory, record, nameLen, isHashed);
}

function checkName(memory: Memory, { address, at }: Visited, length: number, isHashed: boolean): void {
  const { image } = memory;
  const { u8 } = image;
  const long = memory.u32[at + DENTRY_LONG_NAME];
  demand(length <= NAME_MAX && (length > 0 || !isHashed), "a name is of no length", address);
  demand((long !== 0) === length > DNAME_INLINE_LEN, "a name is in the wrong place", address);
  if (long !== 0) memory.claims.claim(long, length + NAME_TAIL, "a long name");
  const inline = at * 4 + DENTRY_NAME;
  const name = nameAt(memory, at);
  for (let i = name; i < name + length; i++)
    demand(u8[i] !== 0 && u8[i] !== SLASH, "a name has a NUL or a slash in it", address);
  for (let i = inline + (long ? 0 : length); i < inline + DNAME_INLINE_LEN; i++)
    demand(u8[i] === 0, "bytes behind a name are not zeros", address);
  const isDots = u8[name] === DOT && (length === 1 || (length === 2 && u8[name + 1] === DOT));
  demand(!isDots, "a name is that of a directory itself, or of the one above", address);
}

/** It is a name in a directory of its file system. */
function checkPlace(address: number, dentries: Dentries, inodes: Inodes): void {
  const inode = dentries.inode(address);
  const dir = dentries.inode(dentries.parent(address));
  demand(dir !== 0, "a dentry is in a directory that is none", address);
  const sb = inodes.sb(dir);
  demand(inode === 0 || inodes.sb(inode) === sb, "a dentry is of another file system than its directory", address);
  demand(inodes.isDir(dir), "a dentry is in something else than a directory", address);
  const flags = dentries.flags(address);
  const isLasting = (flags & DCACHE_PERSISTENT) !== 0;
  demand(!isLasting || sb.isComplete, "a name lasts, where names are only cached", address);
  demand(isLasting || !(flags & DCACHE_CHILD) || !sb.isComplete, "a name is cached, where names last", address);
}

function checkSiblings(memory: Memory, dentries: Dentries): void {
  const { u32, f64, image } = memory;
  const list = {
    cache: CACHE_DENTRY,
    next: DENTRY_SIBLING_NEXT,
    prev: DENTRY_SIBLING_PREV,
    marks: memory.marks(),
    what: "names in a directory",
  };
  let nr = 0;
  for (const address of dentries.all) {
    const first = u32[image.at(address) + DENTRY_CHILDREN];
    if (first === 0) continue;
    let above = memory.kernelNumber(KERNEL_NEXT_COOKIE);
    memory.walk(first, list, (child, at) => {
      demand(
        dentries.parent(child) === address && (dentries.flags(child) & DCACHE_CHILD) !== 0,
        "a dentry is on the list of another directory",
        child,
      );
      const cookie = f64[(at >>> 1) + DENTRY_COOKIE];
      demand(cookie > 0 && cookie < above, "positions in a directory do not descend", child);
      above = cookie;
      nr++;
    });
  }
  for (const address of dentries.all) if (dentries.flags(address) & DCACHE_CHILD) nr--;
  demand(nr === 0, "a dentry is on no list of names");
}

function checkAliases(memory: Memory, dentries: Dentries, inodes: Inodes): void {
  const list = {
    cache: CACHE_DENTRY,
    next: DENTRY_ALIAS_NEXT,
    prev: DENTRY_ALIAS_PREV,
    marks: memory.marks(),
    what: "names of an inode",
  };
  let nr = 0;
  for (const inode of inodes.all) {
    let nrOwn = 0;
    memory.walk(memory.u32[memory.image.at(inode) + INODE_ALIASES], list, (address) => {
      demand(dentries.inode(address) === inode, "a dentry is on the list of another inode", address);
      nrOwn++;
    });
    const hasOnePlace = inodes.isDir(inode) && inodes.sb(inode).isComplete;
    demand(!hasOnePlace || nrOwn === 1, "a directory is in no place, or in two", inode);
    nr += nrOwn;
  }
  for (const address of dentries.all) if (dentries.inode(address) !== 0) nr--;
  demand(nr === 0, "a dentry is on no list of names of its inode");
}

/** The lists of unused names: those of something, and those of nothing. */
function checkUnused(memory: Memory, dentries: Dentries): void {
  const marks = memory.marks();
  const lists = [
    [KERNEL_NEGATIVE_HEAD, KERNEL_NEGATIVE_TAIL, KERNEL_NR_NEGATIVE, KERNEL_MAX_NEGATIVE],
    [KERNEL_UNUSED_HEAD, KERNEL_UNUSED_TAIL, KERNEL_NR_UNUSED, KERNEL_MAX_UNUSED],
  ] as const;
  let nrListed = 0;
  for (const [i, [head, tail, count, max]] of lists.entries()) {
    const list = { cache: CACHE_DENTRY, next: DENTRY_LRU_NEXT, prev: DENTRY_LRU_PREV, marks, what: "unused names" };
    let nr = 0;
    const last = memory.walk(memory.kernel(head), list, (address) => {
      demand(
        (dentries.flags(address) & DCACHE_LRU) !== 0 && (dentries.inode(address) === 0) === (i === 0),
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
  for (const address of dentries.all) if (dentries.flags(address) & DCACHE_LRU) nrListed--;
  demand(nrListed === 0, "an unused name is on no list");
}

/** Who is mounted over knows, and each mount has its root and its place in the right file system. */
function checkMountpoints(
  memory: Memory,
  dentries: Dentries,
  inodes: Inodes,
  mounts: ReadonlyMap<number, SoundMount>,
): void {
  const mountpoints = new Set<number>();
  const top = dentries.inode((mounts.get(memory.kernel(KERNEL_ROOT_MOUNT)) as SoundMount).root);
  demand(top !== 0 && inodes.isDir(top), "the root of the tree is no directory");
  for (const { address, sb, root, parent, mountpoint } of mounts.values()) {
    const shown = dentries.inode(root);
    demand(shown !== 0 && inodes.sb(shown).address === sb, "the root of a mount is of another file system", address);
    if (parent === 0) continue;
    const place = dentries.inode(mountpoint);
    demand(
      place !== 0 && inodes.sb(place).address === mounts.get(parent)?.sb,
      "the place of a mount is of another file system",
      address,
    );
    demand(
      inodes.isDir(place) === inodes.isDir(shown),
      "a directory is mounted over something else, or the other way round",
      address,
    );
    mountpoints.add(mountpoint);
  }
  for (const address of dentries.all)
    demand(
      ((dentries.flags(address) & DCACHE_MOUNTED) !== 0) === mountpoints.has(address),
      "a dentry does not know whether something is mounted there",
      address,
    );
}
