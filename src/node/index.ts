/**
 * The node:fs face of a task.
 *
 * `createFace` puts together the three forms of every operation. The result is a plain object of own, enumerable
 * properties whose functions need no `this`, so that it can be destructured, spread and cloned.
 */

import { F_OK, R_OK, W_OK, X_OK } from "../base/stat-flags.ts";
import type { Syscalls } from "../vfs/syscalls.ts";
import { whileWaiting } from "../vfs/waiting.ts";
import { callbackForms } from "./callback-forms.ts";
import { constants } from "./constants.ts";
import { Dir, dirOperations } from "./dir.ts";
import { Dirent } from "./dirent.ts";
import { FileHandle, kHandle } from "./file-handle.ts";
import { memfsOperations } from "./memfs-compat.ts";
import type { BeyondNode, DeclaredFace, NodeFs } from "./node-fs.ts";
import { orRefusing } from "./not-implemented.ts";
import { resolveFrom } from "./operations/absolute-path.ts";
import { createOperations, type Operations } from "./operations/index.ts";
import { DISPOSE } from "./platform.ts";
import { createPromises } from "./promises.ts";
import { DeprecatedStats } from "./stats.ts";
import type { StreamForms, StreamsPart } from "./streams-part.ts";
import {
  beginAtCaller,
  deriveCallback1,
  deriveCallback2,
  deriveCallback3,
  deriveDefaulted2,
  deriveOptional2,
  deriveOptional3,
  deriveSync,
  type Operation,
} from "./surfaces.ts";
import { Failure } from "./uv-errors.ts";
import { toUnixSeconds } from "./validators.ts";

/** Every function that the declarations name must be there; the compiler says which one is not. */
type Surface = Record<keyof DeclaredFace | keyof BeyondNode, unknown> & Record<string, unknown>;

/** Names of derived functions as callers see them, in stacks and in `name`. */
function nameAll<T extends object>(surface: T): T {
  for (const [name, value] of Object.entries(surface)) {
    // Classes keep their names; the right ones are left alone, since this is done for every face.
    if (typeof value !== "function" || value.name === name || name[0] < "_") continue;
    Object.defineProperty(value, "name", { value: name, configurable: true });
  }
  return surface;
}

/** What parts of a face use of the bundle that the face is in: classes that callers compare, and state. */
const SHARED = { whileWaiting, Dirent };

export type SharedParts = typeof SHARED;

/** Makes what entries have brought for a face, by name; for `promises` too. */
export type FacePart = (
  sys: Syscalls,
  ops: Operations,
  shared: SharedParts,
) => Readonly<Record<string, unknown>> & { readonly promises: object };

/** What a face has only where an entry has brought it. */
export interface FaceParts {
  readonly streams?: StreamsPart | undefined;
  /** All else: index-face-parts.ts. */
  readonly face?: FacePart | undefined;
}

/**
 * The face of one task.
 *
 * @param sys system calls of the task; used for as long as the face is
 * @param parts what entries have brought with them
 * @returns an object shaped as `node:fs`, with what Linux has beyond it
 */
export function createFace(sys: Syscalls, parts: FaceParts = {}): NodeFs {
  const ops = createOperations(sys);
  const brought = parts.face?.(sys, ops, SHARED);
  const later = orRefusing(brought);
  const dirs = dirOperations(sys);
  const callbacks = callbackForms(ops);
  const memfs = memfsOperations(sys, ops);
  const streams =
    parts.streams?.(ops, () => surface, FileHandle.prototype, kHandle) ?? (orRefusing() as unknown as StreamForms);

  const realpathSync = Object.assign(deriveSync(ops.realpath, 2), { native: deriveSync(ops.realpathNative, 2) });
  const realpath = Object.assign(deriveOptional2(ops.realpath), { native: deriveOptional2(ops.realpathNative) });

  const mkdtempDisposable: Operation<Parameters<typeof ops.mkdtemp.commit>[0], object> = {
    prepare: ops.mkdtemp.prepare,
    commit(request) {
      const path = ops.mkdtemp.commit(request);
      if (path instanceof Failure) return path;
      const full = resolveFrom(ops.workingDirectory(), path); // for remove(), wherever the task stands then
      const remove = (): void => ops.removeSync(full, remove);
      return { path, remove, [DISPOSE]: remove };
    },
  };

  const surface: Surface = {
    // All in one literal: V8 makes a dictionary of an object that gets many properties by a spread, and then looks up
    // every call of the face in it, 4 to 6 ns on Node 20.
    appendFile: callbacks.appendFile,
    appendFileSync: ops.appendFileSync,
    access: deriveOptional2(ops.access),
    accessSync: ops.accessSync,
    chown: deriveCallback3(ops.chown),
    chownSync: deriveSync(ops.chown, 3),
    chmod: deriveCallback2(ops.chmod),
    chmodSync: ops.chmodSync,
    close: callbacks.close,
    closeSync: ops.closeSync,
    copyFile: deriveOptional3(ops.copyFile),
    copyFileSync: deriveSync(ops.copyFile, 3),
    exists: callbacks.exists,
    existsSync: ops.existsSync,
    fchown: deriveCallback3(ops.fchown),
    fchownSync: deriveSync(ops.fchown, 3),
    fchmod: deriveCallback2(ops.fchmod),
    fchmodSync: deriveSync(ops.fchmod, 2),
    fdatasync: deriveCallback1(ops.fdatasync),
    fdatasyncSync: deriveSync(ops.fdatasync, 1),
    fstat: deriveDefaulted2(ops.fstat),
    fstatSync: ops.fstatSync,
    fsync: deriveCallback1(ops.fsync),
    fsyncSync: deriveSync(ops.fsync, 1),
    ftruncate: deriveDefaulted2(ops.ftruncate),
    ftruncateSync: deriveSync(ops.ftruncate, "1?"),
    futimes: deriveCallback3(ops.futimes),
    futimesSync: deriveSync(ops.futimes, 3),
    lchown: deriveCallback3(ops.lchown),
    lchownSync: deriveSync(ops.lchown, 3),
    // As in Node on Linux: the names are there, the functions are not.
    lchmod: undefined,
    lchmodSync: undefined,
    link: deriveCallback2(ops.link),
    linkSync: ops.linkSync,
    lstat: deriveDefaulted2(ops.lstat),
    lstatSync: ops.lstatSync,
    lutimes: deriveCallback3(ops.lutimes),
    lutimesSync: deriveSync(ops.lutimes, 3),
    mkdir: deriveOptional2(ops.mkdir),
    mkdirSync: ops.mkdirSync,
    mkdtemp: deriveOptional2(ops.mkdtemp),
    mkdtempSync: deriveSync(ops.mkdtemp, 2),
    mkdtempDisposableSync: deriveSync(mkdtempDisposable, 2),
    open: callbacks.open,
    openSync: ops.openSync,
    readdir: deriveOptional2(ops.readdir),
    readdirSync: ops.readdirSync,
    read: callbacks.read,
    readSync: ops.readSync,
    readv: callbacks.readv,
    readvSync: ops.readvSync,
    readFile: callbacks.readFile,
    readFileSync: ops.readFileSync,
    readlink: deriveOptional2(ops.readlink),
    readlinkSync: deriveSync(ops.readlink, 2),
    realpath,
    realpathSync,
    rename: deriveCallback2(ops.rename),
    renameSync: ops.renameSync,
    rm: callbacks.rm,
    rmSync: ops.rmSync,
    rmdir: deriveOptional2(ops.rmdir),
    rmdirSync: deriveSync(ops.rmdir, 2),
    stat: deriveDefaulted2(ops.stat),
    statfs: deriveDefaulted2(ops.statfs),
    statSync: ops.statSync,
    statfsSync: deriveSync(ops.statfs, "1?"),
    symlink: callbacks.symlink,
    symlinkSync: deriveSync(ops.symlink, 3),
    truncate: deriveOptional2(ops.truncate),
    truncateSync: deriveSync(ops.truncate, 2),
    unlink: deriveCallback1(ops.unlink),
    unlinkSync: ops.unlinkSync,
    utimes: deriveCallback3(ops.utimes),
    utimesSync: deriveSync(ops.utimes, 3),
    writeFile: callbacks.writeFile,
    writeFileSync: ops.writeFileSync,
    write: callbacks.write,
    writeSync: ops.writeSync,
    writev: callbacks.writev,
    writevSync: ops.writevSync,
    Dirent,
    Stats: DeprecatedStats,
    F_OK,
    R_OK,
    W_OK,
    X_OK,
    _toUnixTimestamp: beginAtCaller((time, name) => toUnixSeconds(time, name as string | undefined), "1?"),
    Dir,
    opendir: deriveOptional2(dirs.opendir),
    opendirSync: dirs.opendirSync,
    constants,
    mknodSync: beginAtCaller(ops.mknodSync, "2?"),
    utimensSync: beginAtCaller(ops.utimensSync, "3?"),
    fallocateSync: beginAtCaller(ops.fallocateSync, 4),
    lseekSync: beginAtCaller(ops.lseekSync, 3),
    renameat2Sync: beginAtCaller(ops.renameat2Sync, "2?"),
    copyFileRangeSync: beginAtCaller(ops.copyFileRangeSync, 5),
    syncSync: ops.syncSync,
    flockSync: beginAtCaller(ops.flockSync, 2),
    fromJSON: beginAtCaller(memfs.fromJSON as never, 2),
    toJSON: beginAtCaller(memfs.toJSON as never, 4),
    reset: memfs.reset,
    cp: later.cp,
    cpSync: later.cpSync,
    createReadStream: streams.createReadStream,
    createWriteStream: streams.createWriteStream,
    glob: later.glob,
    globSync: later.globSync,
    openAsBlob: later.openAsBlob,
    openAsBlobSync: later.openAsBlobSync,
    unwatchFile: later.unwatchFile,
    watch: later.watch,
    watchFile: later.watchFile,
    ReadStream: streams.ReadStream,
    WriteStream: streams.WriteStream,
    FileReadStream: streams.FileReadStream,
    FileWriteStream: streams.FileWriteStream,
    Utf8Stream: streams.Utf8Stream,
    promises: nameAll(createPromises(ops, dirs, brought?.promises)),
  };
  return nameAll(surface) as unknown as NodeFs;
}

export { Dir } from "./dir.ts";
export { Dirent } from "./dirent.ts";
export type { DirectoryJson } from "./face/directory-json.ts";
export { FileHandle } from "./file-handle.ts";
export type { BeyondNode, NodeFs, NodeFsPromises, Timespec, UtimensOptions } from "./node-fs.ts";
export { BigIntStats, StatFs, Stats } from "./stats.ts";
