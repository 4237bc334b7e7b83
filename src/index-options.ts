/** Options of createFsSync() and its siblings, and of kernel.task(): defaults and checks. */
import { bytesOf, isBytes } from "./base/views.ts";
import type { StdioStreams } from "./fs/stdio.ts";
import { argTypeError, argValueError, outOfRangeError } from "./node/errors.ts";
import type { FileSystemType } from "./vfs/fs-type.ts";
import { MAX_FILES } from "./vfs/new-task.ts";
import type { SnapshotBytes } from "./vfs/restore.ts";
import type { KeptOptions } from "./vfs/snapshot-format.ts";
import type { CoreOptions } from "./wasm/core.ts";
import { sharedByDefault } from "./wasm/core-module.ts";

/** Who a task is and where it stands: what all that make tasks take. */
export interface TaskOptions {
  /** Whose files the task makes and may use, 0 to 2^32 - 2. */
  uid?: number;
  /** Group of the files it makes. */
  gid?: number;
  /** Supplementary groups. */
  groups?: readonly number[];
  /** Mode bits that the files it makes do not get; default 0o022. */
  umask?: number;
  /** Working directory; default: its root. true: relative paths start where the process stands, at each call. */
  cwd?: string | true;
  /**
   * Descriptors 0, 1 and 2 exist, as in a process, and the next one opened is 3. What is written to 1 and 2 goes to the
   * functions given, what is read from 0 comes from one; true: there is nothing to read, and all is swallowed.
   */
  stdio?: boolean | StdioStreams;
  /** Most open descriptors (RLIMIT_NOFILE), then EMFILE; default 2^20. Not for a table that is shared. */
  maxFiles?: number;
  /** Largest file it may write, bytes (RLIMIT_FSIZE), then EFBIG; default: none. */
  fileSizeLimit?: number;
}

/** What createFsSync() and its siblings take. Identity, umask and cwd are those of the first task. */
export interface FsOptions extends TaskOptions {
  /** Most bytes the kernel may use; 8 MiB to 4 GiB - 64 KiB. Default: half of the machine's memory, 1 GiB in browsers. */
  memoryLimit?: number;
  /** Reserve all of memoryLimit at once, so that memory never grows. Costs address space, no memory. */
  preallocate?: boolean;
  /** Use shared memory (threads). */
  shared?: boolean;
  /** The core, compiled: foliofs/core.wasm, or with `shared` foliofs/core-shared.wasm. Default: the one inside. */
  module?: WebAssembly.Module;
  /** The clock: milliseconds since the epoch, fractions allowed. */
  now?: () => number;
  /** Type of the root file system: "tmpfs", which has the whole limit and an inode for each KiB of it, or "ramfs", without limits of its own. */
  root?: "tmpfs" | "ramfs";
  /** File system types to register beside the built-in ones. */
  types?: readonly FileSystemType[];
  /** Checks the bytes of a snapshot before they are restored: verifySnapshot of `foliofs/verify`, for those of strangers. */
  verify?: SnapshotVerifier;
}

/** Looks at the bytes of a snapshot. @param options those that it is to be restored with @returns bytes that are restored in their place */
export type SnapshotVerifier = (bytes: SnapshotBytes, options: FsOptions) => SnapshotBytes;

const TASK_OPTIONS = ["uid", "gid", "groups", "umask", "cwd", "stdio", "maxFiles", "fileSizeLimit"];
const FS_OPTIONS = [
  ...TASK_OPTIONS,
  "memoryLimit",
  "preallocate",
  "shared",
  "module",
  "now",
  "root",
  "types",
  "verify",
];
const FACE_OPTIONS = [...TASK_OPTIONS, "root", "files"];
const MOUNT_OPTIONS = ["type", "target", "source", "data", "flags"];

const MIN_BYTES = 8 * 2 ** 20;
const MAX_BYTES = 2 ** 32 - 65536;
const BROWSER_BYTES = 2 ** 30;
const MAX_ID = 0xfffffffe;
const NGROUPS_MAX = 65536;

/** Asked anew each time: test runners and sandboxes put another Date in place, and take it away again. */
const wallClock = (): number => Date.now();

interface HostProcess {
  versions?: { node?: string };
  cwd?(): string;
  getBuiltinModule?(name: string): { totalmem?(): number } | undefined;
}

const hostProcess = (globalThis as { process?: HostProcess }).process;

/** Where the process stands; browsers stand at the root. */
export function hostCwd(): string {
  return hostProcess?.cwd?.() ?? "/";
}

function defaultLimit(): number {
  if (hostProcess?.versions?.node === undefined) return BROWSER_BYTES;
  const total = hostProcess.getBuiltinModule?.("node:os")?.totalmem?.();
  return total === undefined ? BROWSER_BYTES : Math.max(MIN_BYTES, Math.min(MAX_BYTES, Math.floor(total / 2)));
}

function checkNumber(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined) return;
  if (typeof value !== "number") throw argTypeError(name, "number", value);
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw outOfRangeError(name, `>= ${min} && <= ${max}`, value);
}

/** @throws ERR_INVALID_ARG_TYPE */
export function checkType(name: string, value: unknown, type: "boolean" | "function"): void {
  if (value !== undefined && typeof value !== type) throw argTypeError(name, type, value);
}

/** A misspelt option would be one left out, without a word. @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function checkKnown(options: object, known: readonly string[], name = "options"): void {
  if (options === null || typeof options !== "object") throw argTypeError(name, "Object", options);
  for (const [key, value] of Object.entries(options)) {
    if (!known.includes(key)) throw argValueError(`${name}.${key}`, value, `is unknown: there are ${known.join(", ")}`);
  }
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (an unknown one), ERR_OUT_OF_RANGE */
export function checkOptions(options: FsOptions): void {
  checkKnown(options, FS_OPTIONS);
  checkTask(options);
  checkNumber("options.memoryLimit", options.memoryLimit, MIN_BYTES, MAX_BYTES);
  for (const name of ["preallocate", "shared"] as const) checkType(`options.${name}`, options[name], "boolean");
  for (const name of ["now", "verify"] as const) checkType(`options.${name}`, options[name], "function");
  const { root = "tmpfs", module } = options;
  if (module !== undefined && Object.prototype.toString.call(module) !== "[object WebAssembly.Module]")
    throw argTypeError("options.module", "WebAssembly.Module", module);
  if (root !== "tmpfs" && root !== "ramfs") throw argValueError("options.root", root, "must be 'tmpfs' or 'ramfs'");
  if (options.types !== undefined && !Array.isArray(options.types))
    throw argTypeError("options.types", "Array", options.types);
}

/** Options of kernel.task(). @throws as checkOptions() */
export function checkFaceOptions(options: TaskOptions & { root?: string }): void {
  checkKnown(options, FACE_OPTIONS);
  checkTask(options);
  checkPath("options.root", options.root);
}

/** What kernel.mount() is asked for. @throws as checkOptions() */
export function checkMountRequest(request: object): void {
  checkKnown(request, MOUNT_OPTIONS, "request");
}

function checkPath(name: string, path: unknown): void {
  if (path === undefined) return;
  if (typeof path !== "string") throw argTypeError(name, "string", path);
  if (path.includes("\0")) throw argValueError(name, path, "must be a string without null bytes");
}

function checkTask(options: TaskOptions): void {
  const { groups, cwd } = options;
  checkNumber("options.uid", options.uid, 0, MAX_ID);
  checkNumber("options.gid", options.gid, 0, MAX_ID);
  checkNumber("options.umask", options.umask, 0, 0o777);
  if (groups !== undefined && !Array.isArray(groups)) throw argTypeError("options.groups", "Array", groups);
  checkNumber("options.groups.length", groups?.length, 0, NGROUPS_MAX);
  groups?.forEach((group, i) => {
    checkNumber(`options.groups[${i}]`, group, 0, MAX_ID);
  });
  if (cwd !== true) checkPath("options.cwd", cwd);
  checkStdio(options.stdio);
  checkNumber("options.maxFiles", options.maxFiles, 1, MAX_FILES);
  checkNumber("options.fileSizeLimit", options.fileSizeLimit, 0, Number.MAX_SAFE_INTEGER);
}

function checkStdio(streams: unknown): void {
  if (streams === undefined || typeof streams === "boolean") return;
  if (streams === null || typeof streams !== "object" || isBytes(streams))
    throw argTypeError("options.stdio", ["boolean", "Object"], streams);
  checkKnown(streams, ["stdin", "stdout", "stderr"], "options.stdio");
  for (const [name, stream] of Object.entries(streams)) checkType(`options.stdio.${name}`, stream, "function");
}

/**
 * The bytes of a snapshot, or of one and of deltas; those that `verify` gives, if it is asked for.
 *
 * @throws as checkedBytes(); as checkOptions(); what `verify` throws
 */
export function checkedSnapshot(bytes: unknown, options: FsOptions = {}): SnapshotBytes {
  const given = Array.isArray(bytes) ? bytes.map(checkedBytes) : checkedBytes(bytes);
  checkOptions(options);
  return options.verify ? options.verify(given, options) : given;
}

/** @throws ERR_INVALID_ARG_TYPE for what is no view */
export function checkedBytes(bytes: unknown): Uint8Array {
  if (!isBytes(bytes)) throw argTypeError("bytes", ["Buffer", "TypedArray", "DataView"], bytes);
  return bytesOf(bytes);
}

/** Where the standard descriptors lead; undefined: there are none. */
export function streamsOf({ stdio }: TaskOptions): StdioStreams | undefined {
  return typeof stdio === "object" ? stdio : stdio ? {} : undefined;
}

/** Options of a snapshot, with those given in their place. */
export function restoreOptions(kept: KeptOptions, given: FsOptions): FsOptions {
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...kept, ...defined };
}

/** True if the kernel's memory is to be shared. */
export function isShared(options: FsOptions): boolean {
  return options.shared ?? sharedByDefault();
}

/** What the core is made with: defaults filled in, the limit cut to whole pages of Wasm memory (64 KiB). */
export function coreOptions(options: FsOptions): CoreOptions {
  return {
    memoryLimit: Math.floor((options.memoryLimit ?? defaultLimit()) / 65536) * 65536,
    shared: isShared(options),
    preallocate: options.preallocate ?? false,
    now: options.now ?? wallClock,
  };
}
