/**
 * foliofs/bare: foliofs without a core inside, for Workers and where a page's policy lets no inlined bytes be compiled. The
 * core is `foliofs/core.wasm` (or `foliofs/core-shared.wasm`): compiled by the program, and given as `options.module`.
 */
export type { StdioStreams } from "./fs/stdio.ts";
export { createFs, createFsSync, restoreFs, restoreFsSync } from "./index-create.ts";
export type { SnapshotOptions } from "./index-delta.ts";
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
  ReadStream,
  Stats,
  StatsFs,
  WriteStream,
} from "./node/face/names.ts";
export type { LinuxCalls } from "./node/linux/index.ts";
export type { FlockHeld, FlockRequest } from "./node/linux/locks.ts";
export type { FaultError, Mapping, MmapOptions } from "./node/mapping.ts";
export type { NodeFs, NodeFsPromises } from "./node/node-fs.ts";
export type { PageView } from "./node/page-view.ts";
export type { FolioTask } from "./node/task-face.ts";
