/** The ways to a file system: new, or from a snapshot; at once, or with the core compiled off the main thread. */

import { ENOMEM } from "./base/errno.ts";
import { ramfs } from "./fs/ramfs.ts";
import { fitRoot, tmpfs } from "./fs/tmpfs.ts";
import { type FolioFs, startTask } from "./index-kernel.ts";
import {
  checkedSnapshot,
  checkOptions,
  coreOptions,
  type FsOptions,
  isShared,
  restoreOptions,
} from "./index-options.ts";
import { uvException } from "./node/uv-errors.ts";
import type { FileSystemType } from "./vfs/fs-type.ts";
import { Kernel } from "./vfs/kernel.ts";
import { mountRoot } from "./vfs/mount.ts";
import { openSnapshot, restoreCore, type SnapshotBytes } from "./vfs/restore.ts";
import { checkedCore, compileCore, coreModule } from "./wasm/core-module.ts";

const BUILT_IN = [ramfs, tmpfs];

function typesOf({ types = [] }: FsOptions): FileSystemType[] {
  return [...BUILT_IN, ...types];
}

function register(kernel: Kernel, options: FsOptions): void {
  for (const type of typesOf(options)) {
    const rc = kernel.registerFileSystem(type);
    if (rc < 0) throw uvException(rc, "register_filesystem", type.name);
  }
}

function boot(module: WebAssembly.Module, options: FsOptions): FolioFs {
  const kernel = Kernel.boot(module, coreOptions(options));
  if (!kernel) throw uvException(-ENOMEM, "boot");
  register(kernel, options);
  const { uid = 0, gid = 0, root } = options;
  const mounted = mountRoot(kernel, root === "ramfs" ? ramfs : tmpfs, `mode=755,uid=${uid},gid=${gid}`);
  if (mounted < 0) throw uvException(mounted, "mount", "/");
  fitRoot(kernel);
  return startTask(kernel, module, options, { makesCwd: true });
}

function restore(module: WebAssembly.Module, bytes: SnapshotBytes, given: FsOptions): FolioFs {
  const snapshot = openSnapshot(bytes, module, isShared(given));
  const options = restoreOptions(snapshot.meta.options, given);
  checkOptions(options);
  const kernel = restoreCore(snapshot, module, coreOptions(options), typesOf(options));
  register(kernel, options);
  fitRoot(kernel);
  return startTask(kernel, module, options, { keepsCwd: given.cwd === undefined });
}

/** The core to use: the one given, or the one that was registered. */
function moduleOf(options: FsOptions, registered: typeof coreModule): WebAssembly.Module;
function moduleOf(options: FsOptions, registered: typeof compileCore): WebAssembly.Module | Promise<WebAssembly.Module>;
function moduleOf(options: FsOptions, registered: (shared: boolean) => unknown): unknown {
  return options.module ? checkedCore(options.module) : registered(isShared(options));
}

/**
 * Makes an empty file system.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for options; Error where WebAssembly or SharedArrayBuffer is missing
 */
export function createFsSync(options: FsOptions = {}): FolioFs {
  checkOptions(options);
  return boot(moduleOf(options, coreModule), options);
}

/** As createFsSync(), with the core compiled off the main thread: for browsers' main threads. */
export async function createFs(options: FsOptions = {}): Promise<FolioFs> {
  checkOptions(options);
  return boot(await moduleOf(options, compileCore), options);
}

/**
 * Makes the file system that `kernel.snapshot()` gave the bytes of, with the options that it had unless others are given.
 *
 * @param bytes a snapshot; or one and the deltas since, in an array, each made with those before it as `since`. Deltas need
 *   `import "foliofs/store"` in browsers. Bytes of strangers are checked by `options.verify`
 * @throws ERR_INVALID_SNAPSHOT when the bytes are damaged, of another version, or do not fit; as createFsSync()
 */
export function restoreFsSync(bytes: SnapshotBytes, options: FsOptions = {}): FolioFs {
  const given = checkedSnapshot(bytes, options);
  return restore(moduleOf(options, coreModule), given, options);
}

/** As restoreFsSync(), with the core compiled off the main thread. */
export async function restoreFs(bytes: SnapshotBytes, options: FsOptions = {}): Promise<FolioFs> {
  const given = checkedSnapshot(bytes, options);
  return restore(await moduleOf(options, compileCore), given, options);
}
