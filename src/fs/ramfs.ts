/**
 * ramfs: files in memory, without limits. The file system to read first; tmpfs.ts is the same with limits.
 *
 * Attributes, link counts and times are as on tmpfs; its inodes and what can be done to them are libfs's (simpleTables).
 *
 * @see Linux fs/ramfs/inode.c
 */
import { EINVAL } from "../base/errno.ts";
import { type FileSystemType, FS_MEMORY, FS_SHARED, type SuperOperations } from "../vfs/fs-type.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import { SIMPLE_FILE, simpleSuperOperations, simpleTables } from "./libfs.ts";
import { type MemoryOptions, makeMemoryRoot, parseOptions, rootOptions } from "./memory-options.ts";

const RAMFS_MAGIC = 0x858458f6;
const DEFAULT_MODE = 0o755;

/** "mode=755,uid=0,gid=0"; other options are ignored, as in Linux. @returns undefined for a value that is no number */
function ownOptions(data: string): MemoryOptions | undefined {
  const own = data.split(",").filter((option) => /^(mode|uid|gid)\b/.test(option));
  return parseOptions(own.join(), 0);
}

const superOps = Object.freeze<SuperOperations>({
  ...simpleSuperOperations,
  /** @see Linux ramfs_show_options() */
  showOptions: (sb) => rootOptions(sb, DEFAULT_MODE).filter(Boolean).join(),
  remount: (_sb, data) => (ownOptions(data) ? 0 : -EINVAL), // they are those of the root as it was made
});

/** The type: options `mode`, `uid` and `gid` are those of the root directory. */
export const ramfs: FileSystemType = Object.freeze<FileSystemType>({
  name: "ramfs",
  fsFlags: FS_MEMORY | FS_SHARED,
  tables: simpleTables,
  superOps,

  fillSuper(sb: SuperBlock, data: string): number {
    const options = ownOptions(data);
    if (!options) return -EINVAL;
    sb.livesInMemory(SIMPLE_FILE);
    sb.magic = RAMFS_MAGIC;
    return makeMemoryRoot(sb, options, DEFAULT_MODE);
  },
});
