/** Super blocks: what they say of themselves. What they count is compared with what there is in accounts.ts. */

import type { FileSystemType } from "../vfs/fs-type.ts";
import {
  CACHE_DENTRY,
  CACHE_SUPER_BLOCK,
  KERNEL_SUPER_BLOCKS,
  NAME_MAX,
  NR_FS_TYPES,
  SB_COMPLETE,
  SB_STACKED,
  SUPER_BLOCK_BLOCK_SIZE,
  SUPER_BLOCK_DYING_NEXT,
  SUPER_BLOCK_FAULTERS,
  SUPER_BLOCK_FILE_KIND,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_FROZEN,
  SUPER_BLOCK_INODES,
  SUPER_BLOCK_INTERNALS,
  SUPER_BLOCK_MAX_BYTES,
  SUPER_BLOCK_NAME_MAX,
  SUPER_BLOCK_NEXT,
  SUPER_BLOCK_NEXT_INO,
  SUPER_BLOCK_PLAIN_KINDS,
  SUPER_BLOCK_PREV,
  SUPER_BLOCK_ROOT,
  SUPER_BLOCK_SOURCE,
  SUPER_BLOCK_SOURCE_LENGTH,
  SUPER_BLOCK_TYPE_ID,
  SUPER_BLOCK_UMOUNT_LOCK,
  SUPER_BLOCK_WRITERS,
  SUPER_BLOCK_XATTR_SPACE,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import type { Memory, Visited } from "./memory.ts";
import { isOwnType, type KnownType, knownType } from "./types.ts";

/** A super block whose own words are sound. */
export interface SoundSuper extends Visited {
  readonly type: KnownType;
  readonly typeName: string;
  /** Is it one of the library's own types? */
  readonly isOwn: boolean;
  readonly flags: number;
  /** All of its names are in the dcache. */
  readonly isComplete: boolean;
  readonly isStacked: boolean;
  /** Address of the root's dentry. */
  readonly root: number;
  /** Address of the first of its inodes. */
  readonly inodes: number;
}

/** 16 TiB: page indexes have 32 bits. */
const MAX_FILE_BYTES = 2 ** 44;
const MAX_BLOCK_BYTES = 2 ** 30;
/** What it counts in KiB has to fit in 32 bits. */
const MAX_XATTR_SPACE = 2 ** 41;
const MAX_SOURCE_BYTES = 4096;
/** What a freeze is about, and who is at work. */
const NOTHING = [
  SUPER_BLOCK_UMOUNT_LOCK,
  SUPER_BLOCK_FROZEN,
  SUPER_BLOCK_WRITERS,
  SUPER_BLOCK_FAULTERS,
  SUPER_BLOCK_INTERNALS,
  SUPER_BLOCK_DYING_NEXT,
];

/** @param names of types, by number @param needed names that the snapshot says it needs @returns by address @throws SnapshotError */
export function checkSupers(
  memory: Memory,
  names: readonly string[],
  needed: readonly string[],
  types: readonly FileSystemType[],
): Map<number, SoundSuper> {
  const supers = new Map<number, SoundSuper>();
  const list = {
    cache: CACHE_SUPER_BLOCK,
    next: SUPER_BLOCK_NEXT,
    prev: SUPER_BLOCK_PREV,
    marks: memory.marks(),
    what: "super blocks",
  };
  memory.walk(memory.kernel(KERNEL_SUPER_BLOCKS), list, (address, at) => {
    supers.set(address, checkSuper(memory, { address, at }, names, needed, types));
  });
  demand(
    supers.size === memory.slabs.records(CACHE_SUPER_BLOCK).length,
    "a super block is not on the list of super blocks",
  );
  return supers;
}

function checkSuper(
  memory: Memory,
  record: Visited,
  names: readonly string[],
  needed: readonly string[],
  types: readonly FileSystemType[],
): SoundSuper {
  const { u32, f64 } = memory;
  const { address, at } = record;
  const id = u32[at + SUPER_BLOCK_TYPE_ID];
  const typeName = id < NR_FS_TYPES ? names[id] : "";
  demand(needed.includes(typeName), "a super block is of a type that the snapshot does not tell of", address);
  const type = knownType(typeName, types);
  demand(
    type !== undefined,
    `nothing is known of the type ${typeName}: give it to the verifier as one of \`types\``,
    address,
  );
  const flags = u32[at + SUPER_BLOCK_FLAGS];
  demand(
    ((flags & type.always) | 0) === (type.always | 0) && (flags & ~(type.always | type.maybe)) === 0,
    `flags of a super block are not those of ${typeName}`,
    address,
  );
  const kinds = u32[at + SUPER_BLOCK_PLAIN_KINDS];
  const fileKind = u32[at + SUPER_BLOCK_FILE_KIND];
  if (isOwnType(typeName))
    demand(
      kinds === type.plainKinds && fileKind === type.fileKind,
      "a super block has other kinds of inodes than its type",
      address,
    );
  else demand(fileKind <= type.fileKind, "a super block has other kinds of inodes than its type", address);
  for (const field of NOTHING) demand(u32[at + field] === 0, "a super block is frozen, or going", address);
  const maxBytes = f64[(at >>> 1) + SUPER_BLOCK_MAX_BYTES];
  demand(maxBytes >= 0 && maxBytes <= MAX_FILE_BYTES, "a super block has files that are too large", address);
  demand(isCount(f64[(at >>> 1) + SUPER_BLOCK_NEXT_INO]), "the next number of an inode is none", address);
  const space = f64[(at >>> 1) + SUPER_BLOCK_XATTR_SPACE];
  demand(
    space >= 0 && space <= MAX_XATTR_SPACE,
    "a super block has more extended attributes than there can be",
    address,
  );
  const blockSize = u32[at + SUPER_BLOCK_BLOCK_SIZE];
  demand(
    blockSize > 0 && blockSize <= MAX_BLOCK_BYTES && u32[at + SUPER_BLOCK_NAME_MAX] <= NAME_MAX,
    "a super block has no blocks, or names that are too long",
    address,
  );
  claimText(memory, u32[at + SUPER_BLOCK_SOURCE], u32[at + SUPER_BLOCK_SOURCE_LENGTH], "a source");
  memory.hold(CACHE_DENTRY, u32[at + SUPER_BLOCK_ROOT], "the root of a super block");
  return {
    ...record,
    type,
    typeName,
    isOwn: isOwnType(typeName),
    flags,
    isComplete: (flags & SB_COMPLETE) !== 0,
    isStacked: (flags & SB_STACKED) !== 0,
    root: u32[at + SUPER_BLOCK_ROOT],
    inodes: u32[at + SUPER_BLOCK_INODES],
  };
}

/** A whole number that stays exact when more are counted. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** A text with a NUL behind it; there may be none. @throws SnapshotError */
export function claimText(memory: Memory, address: number, length: number, what: string): void {
  if (address === 0) return;
  demand(length <= MAX_SOURCE_BYTES, `${what} is too long`, address);
  memory.claims.claim(address, length + 1, what);
}
