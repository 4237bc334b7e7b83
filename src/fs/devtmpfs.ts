/**
 * devtmpfs: a tmpfs without limits in which the devices of memory are: null, zero, full, random and urandom.
 *
 * Where the type is registered its devices work, by whatever node of their number (mknod, too), on mounts of file systems in memory
 * that are not nodev. Files, links and directories can be made in it as in ramfs. Every mount is a file system of its own, where Linux has
 * one for all.
 *
 * Does not own: what the devices do (vfs/mem-devices.ts).
 *
 * @see Linux drivers/base/devtmpfs.c, drivers/char/mem.c
 */
import { EINVAL } from "../base/errno.ts";
import type { DentryHandle } from "../base/handles.ts";
import { S_IFCHR } from "../base/stat-flags.ts";
import { type FileSystemType, FS_MEMORY, FS_SHARED } from "../vfs/fs-type.ts";
import { DEVTMPFS, memDevices } from "../vfs/mem-devices.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import { PATH_A, SLOT } from "../wasm/core.ts";
import {
  SB_FILE,
  SLOT_ND_LAST,
  SLOT_ND_LAST_LEN,
  SLOT_ND_PARENT,
  SUPER_BLOCK_PLAIN_KINDS,
  SUPER_BLOCK_ROOT,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import { SIMPLE_DIRECTORY, SIMPLE_FILE, simpleMknod, simpleSuperOperations, simpleTables } from "./libfs.ts";
import { makeMemoryRoot, parseOptions } from "./memory-options.ts";

const TMPFS_MAGIC = 0x01021994;
const DEFAULT_MODE = 0o755;
const SPECIAL = 3;

/** Fields of the walk's state that say which name is to be made. */
const NAME_FIELDS = [SLOT_ND_PARENT, SLOT_ND_LAST, SLOT_ND_LAST_LEN];

/** Makes a node in the root, which no path leads to yet. @returns 0, -ENOSPC */
function makeNode({ kernel, handle }: SuperBlock, name: string, dev: number): number {
  const { core } = kernel;
  const length = putPath(core, name, PATH_A);
  core.u8.fill(0, PATH_A + length, PATH_A + length + 8); // names are read in words
  const before = NAME_FIELDS.map((field) => core.u32[SLOT + field]);
  core.u32[SLOT + SLOT_ND_PARENT] = core.u32[(handle << 3) + SUPER_BLOCK_ROOT];
  core.u32[SLOT + SLOT_ND_LAST] = PATH_A;
  core.u32[SLOT + SLOT_ND_LAST_LEN] = length;
  const dentry = core.x.dAllocLast() as DentryHandle;
  for (const [i, field] of NAME_FIELDS.entries()) core.u32[SLOT + field] = before[i];
  if (dentry < 0) return dentry;
  const rc = simpleMknod(kernel, dentry, S_IFCHR | 0o666, dev, SPECIAL);
  core.x.dput(dentry);
  return rc;
}

/**
 * Says that its operations are libfs's, which the core knows by itself. The kernel cannot tell where it is of another entry than this type, with
 * a libfs of its own.
 */
function declarePlainTables(sb: SuperBlock): void {
  sb.flags &= ~SB_FILE;
  sb.kernel.core.u32[(sb.handle << 3) + SUPER_BLOCK_PLAIN_KINDS] = 1 << SIMPLE_DIRECTORY;
}

/** The type: options `mode`, `uid` and `gid` are those of the root directory. */
export const devtmpfs: FileSystemType = Object.freeze<FileSystemType>({
  name: DEVTMPFS,
  fsFlags: FS_MEMORY | FS_SHARED,
  tables: simpleTables,
  superOps: simpleSuperOperations,

  fillSuper(sb: SuperBlock, data: string): number {
    const options = parseOptions(data, 0);
    if (!options) return -EINVAL;
    sb.livesInMemory(SIMPLE_FILE);
    declarePlainTables(sb);
    sb.magic = TMPFS_MAGIC;
    const rc = makeMemoryRoot(sb, options, DEFAULT_MODE);
    if (rc < 0) return rc;
    for (const { name, dev } of memDevices) {
      const made = makeNode(sb, name, dev);
      if (made < 0) return made;
    }
    return 0;
  },
});
