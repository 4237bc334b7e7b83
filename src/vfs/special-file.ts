/**
 * Operations of open files whose data is not their file system's: fifos, and devices of memory. They are those of the type of file,
 * whatever the file system has in its tables.
 *
 * Does not own: what they do (pipe.ts, mem-devices.ts), how fifos are opened (pipe.ts).
 *
 * @see Linux fs/inode.c init_special_inode(), fs/char_dev.c chrdev_open()
 */
import type { InodeHandle } from "../base/handles.ts";
import { S_IFCHR } from "../base/stat-flags.ts";
import { INODE_RDEV, INODE_SB, SB_MEMORY, SUPER_BLOCK_FLAGS } from "../wasm/layout.ts";
import { typeOf } from "./attr.ts";
import type { FileOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { DEVTMPFS, memDeviceOperations } from "./mem-devices.ts";

/** By type, S_IFMT of the mode, where they are the same for all files of it. */
const operationsOfType = new Map<number, FileOperations>();

/** Says what open files of a type can do. */
export function registerSpecialFile(type: number, operations: FileOperations): void {
  operationsOfType.set(type, operations);
}

/** Those of a special file, on a file system in memory: others have none. */
export function specialOperations(kernel: Kernel, inode: InodeHandle): FileOperations | undefined {
  const { u32 } = kernel.core;
  if (!(u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_MEMORY)) return undefined;
  const type = typeOf(kernel.core, inode);
  if (type !== S_IFCHR) return operationsOfType.get(type);
  const hasDevices = kernel.registeredTypes().some(({ name }) => name === DEVTMPFS);
  return hasDevices ? memDeviceOperations(u32[(inode << 3) + INODE_RDEV]) : undefined;
}

/** Operations of an open file. */
export function fileOperationsOf(kernel: Kernel, inode: InodeHandle): FileOperations {
  return specialOperations(kernel, inode) ?? kernel.tableOf(inode).file;
}
