/**
 * tmpfs: files in memory, with limits on blocks and inodes; the root of a kernel, unless it is asked for another.
 *
 * Pages are counted as blocks and inodes, with every link beyond the first, as inodes by the core, where they come and go
 * (assembly/block-accounts.ts, assembly/fs/libfs.ts): what is over a limit is ENOSPC at once. All else is libfs's.
 *
 * @see Linux mm/shmem.c, Documentation/filesystems/tmpfs.rst; tmpfs(5)
 */
import { EINVAL } from "../base/errno.ts";
import { type FileSystemType, FS_MEMORY, FS_SHARED, type SuperOperations } from "../vfs/fs-type.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { superOf } from "../vfs/mount.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import { STATFS_BAVAIL, STATFS_BFREE, STATFS_BLOCKS, STATFS_FFREE, STATFS_FILES } from "../vfs/syscalls.ts";
import {
  KERNEL_BLOCK,
  KERNEL_MAX_PFN,
  PAGE_SIZE,
  SB_SWAPBACKED,
  SUPER_BLOCK_EXTRA_LINKS,
  SUPER_BLOCK_MAX_BLOCKS,
  SUPER_BLOCK_MAX_INODES,
  SUPER_BLOCK_USED_BLOCKS,
} from "../wasm/layout.ts";
import { SIMPLE_FILE, simpleStatfs, simpleSuperOperations, simpleTables } from "./libfs.ts";
import { type MemoryOptions, makeMemoryRoot, parseOptions, rootOptions } from "./memory-options.ts";

const TMPFS_MAGIC = 0x01021994;
const DEFAULT_MODE = 0o1777;

/** In place of a limit on blocks there is none; larger limits are cut to what is below it, 16 TiB. */
const NO_LIMIT = 2 ** 32 - 1;

/** The word of the super block that the options of the root leave free, and its bits. */
const FLAGS = 3;
const NOSWAP = 1;
/** A remount has chosen its limits. */
const RESIZED = 2;

/** What 100% are, and double of what a mount has that does not say: the memory limit, in pages. */
function totalRam({ kernel }: SuperBlock): number {
  return kernel.core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_MAX_PFN];
}

/** @see Linux shmem_default_max_blocks() */
function defaultBlocks(sb: SuperBlock): number {
  return Math.floor(totalRam(sb) / 2);
}

/** A field of the record, as the core counts. */
function field({ kernel, handle }: SuperBlock, at: number): number {
  return kernel.core.u32[(handle << 3) + at];
}

/** Limit on blocks, 0 = none. */
function maxBlocks(sb: SuperBlock): number {
  const blocks = field(sb, SUPER_BLOCK_MAX_BLOCKS);
  return blocks === NO_LIMIT ? 0 : blocks;
}

function usedInodes(sb: SuperBlock): number {
  return sb.nrInodes + field(sb, SUPER_BLOCK_EXTRA_LINKS);
}

/** Limits that were given are in force; 0 = none. */
function setLimits({ kernel, handle }: SuperBlock, { blocks, inodes }: MemoryOptions): void {
  const { u32 } = kernel.core;
  if (blocks !== undefined)
    u32[(handle << 3) + SUPER_BLOCK_MAX_BLOCKS] = blocks === 0 ? NO_LIMIT : Math.min(blocks, NO_LIMIT - 1);
  if (inodes !== undefined) u32[(handle << 3) + SUPER_BLOCK_MAX_INODES] = Math.min(inodes, NO_LIMIT);
}

/** May a limit be put in the place of another, with so much in use? Where there is none nobody has counted. */
function mayLimit(wanted: number | undefined, limit: number, used: number): boolean {
  return !wanted || (limit !== 0 && wanted >= used);
}

const superOps = Object.freeze<SuperOperations>({
  ...simpleSuperOperations,

  /** Where there is no limit the numbers are 0. @see Linux shmem_statfs() */
  statfs(sb, values) {
    const blocks = maxBlocks(sb);
    const inodes = field(sb, SUPER_BLOCK_MAX_INODES);
    values[STATFS_BLOCKS] = blocks;
    values[STATFS_BFREE] = values[STATFS_BAVAIL] = blocks && blocks - field(sb, SUPER_BLOCK_USED_BLOCKS);
    values[STATFS_FILES] = inodes;
    values[STATFS_FFREE] = inodes && inodes - usedInodes(sb);
    return simpleStatfs(sb, values);
  },

  /** What is not the default, in Linux's order. @see Linux shmem_show_options() */
  showOptions(sb) {
    const blocks = maxBlocks(sb);
    const inodes = field(sb, SUPER_BLOCK_MAX_INODES);
    return [
      blocks !== defaultBlocks(sb) && `size=${blocks * (PAGE_SIZE / 1024)}k`,
      inodes !== defaultBlocks(sb) && `nr_inodes=${inodes}`,
      ...rootOptions(sb, DEFAULT_MODE),
      (sb.getPrivate(FLAGS) & NOSWAP) !== 0 && "noswap",
    ]
      .filter(Boolean)
      .join();
  },

  /**
   * New limits, no lower than what is in use; mode and owner are those of the root as it was made, and noswap stays as it is.
   *
   * @returns 0; -EINVAL for options that are wrong, a limit below what is in use or where there was none, and for swap
   *   that is to be forbidden now @see Linux shmem_reconfigure()
   */
  remount(sb, data) {
    const options = parseOptions(data, totalRam(sb));
    if (!options || (options.noswap && !(sb.getPrivate(FLAGS) & NOSWAP))) return -EINVAL;
    const isRoom = mayLimit(options.blocks, maxBlocks(sb), field(sb, SUPER_BLOCK_USED_BLOCKS));
    if (!isRoom || !mayLimit(options.inodes, field(sb, SUPER_BLOCK_MAX_INODES), usedInodes(sb))) return -EINVAL;
    setLimits(sb, options);
    if ((options.blocks ?? options.inodes) !== undefined) sb.setPrivate(FLAGS, sb.getPrivate(FLAGS) | RESIZED);
    return 0;
  },
});

/**
 * The type: options `size`, `nr_blocks` and `nr_inodes` are its limits, `mode`, `uid` and `gid` those of the root directory,
 * `noswap` keeps its pages in memory.
 */
export const tmpfs: FileSystemType = Object.freeze<FileSystemType>({
  name: "tmpfs",
  fsFlags: FS_MEMORY | FS_SHARED,
  tables: simpleTables,
  superOps,

  fillSuper(sb: SuperBlock, data: string): number {
    const options = parseOptions(data, totalRam(sb));
    if (!options) return -EINVAL;
    const half = defaultBlocks(sb);
    sb.livesInMemory(SIMPLE_FILE);
    sb.magic = TMPFS_MAGIC;
    setLimits(sb, { blocks: half, inodes: half, ...options });
    if (options.noswap) sb.setPrivate(FLAGS, NOSWAP);
    else sb.flags |= SB_SWAPBACKED;
    return makeMemoryRoot(sb, options, DEFAULT_MODE);
  },
});

/**
 * Gives the root of a kernel all of its memory, and an inode for each KiB of that; a remount may say otherwise. What is
 * restored with another memory limit follows that, but for what is in use.
 */
export function fitRoot(kernel: Kernel): void {
  const sb = superOf(kernel, kernel.rootMount);
  if (sb.type !== tmpfs || sb.getPrivate(FLAGS) & RESIZED) return;
  const blocks = totalRam(sb);
  const inodes = blocks * (PAGE_SIZE / 1024);
  setLimits(sb, {
    blocks: Math.max(blocks, field(sb, SUPER_BLOCK_USED_BLOCKS)),
    inodes: Math.max(inodes, usedInodes(sb)),
  });
}
