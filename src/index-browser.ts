/**
 * foliofs: a fast in-memory file system with the face of node:fs. This entry has the single-threaded core inside; the
 * entry "foliofs/shared" adds the one for shared memory.
 */
export type { StdioStreams } from "./fs/stdio.ts";
export { createFs, createFsSync, restoreFs, restoreFsSync } from "./index-create.ts";
export type {
  Descriptor,
  FaceOptions,
  FileSystemInfo,
  FolioFs,
  FolioKernel,
  UmountOptions,
  Views,
} from "./index-kernel.ts";
export type { FsOptions } from "./index-options.ts";
export * from "./index-vfs.ts";
export type {
  BigIntStats,
  BigIntStatsFs,
  Bytes,
  Dir,
  Dirent,
  ErrnoException,
  NodeFileHandle,
  PathLike,
  Stats,
  StatsFs,
} from "./node/face/names.ts";
export type { LinuxCalls } from "./node/linux/index.ts";
export type { FlockHeld, FlockRequest } from "./node/linux/locks.ts";
export type { FaultError, Mapping, MmapOptions } from "./node/mapping.ts";
export type { NodeFs, NodeFsPromises } from "./node/node-fs.ts";
export type { PageView } from "./node/page-view.ts";
export type { FolioTask } from "./node/task-face.ts";

// Last, and so in the bundle: what is written in JavaScript then has gzip's window to itself.
import { RELEASE_TEXT } from "./wasm/core-binary.ts";
import { registerCore } from "./wasm/core-module.ts";
import { textToCore } from "./wasm/core-text.ts";

registerCore(false, () => textToCore(RELEASE_TEXT));
