/** Options of createFsSync() and its siblings: defaults and checks. */
import { argTypeError, outOfRangeError } from "./node/errors.ts";
import type { FileSystemType } from "./vfs/fs-type.ts";
import type { TaskOptions } from "./vfs/kernel.ts";
import type { CoreOptions } from "./wasm/core.ts";
import { sharedByDefault } from "./wasm/core-module.ts";

/** What createFsSync() and its siblings take. */
export interface FsOptions {
  /** Most bytes the kernel may use; 8 MiB to 4 GiB - 64 KiB. Default: half of the machine's memory, 1 GiB in browsers. */
  memoryLimit?: number;
  /** Reserve all of memoryLimit at once, so that memory never grows. Costs address space, no memory. */
  preallocate?: boolean;
  /** Use shared memory (threads). */
  shared?: boolean;
  /** Identity of the first task. The root directory belongs to it. */
  uid?: number;
  /** Group of the first task, and of the root directory. */
  gid?: number;
  /** Supplementary groups of the first task. */
  groups?: readonly number[];
  /** Mode bits that files of the first task do not get; default 0o022. */
  umask?: number;
  /** Working directory of the first task. */
  cwd?: string;
  /** The clock: milliseconds since the epoch, fractions allowed. */
  now?: () => number;
  /** File system types to register beside the built-in ones. */
  types?: readonly FileSystemType[];
}

const MIN_BYTES = 8 * 2 ** 20;
const MAX_BYTES = 2 ** 32 - 65536;
const BROWSER_BYTES = 2 ** 30;
const MAX_ID = 0xfffffffe;
const NGROUPS_MAX = 65536;

/** Asked anew each time: test runners and sandboxes put another Date in place, and take it away again. */
const wallClock = (): number => Date.now();

interface HostProcess {
  versions?: { node?: string };
  getBuiltinModule?(name: string): { totalmem?(): number } | undefined;
}

function defaultLimit(): number {
  const host = (globalThis as { process?: HostProcess }).process;
  if (host?.versions?.node === undefined) return BROWSER_BYTES;
  const total = host.getBuiltinModule?.("node:os")?.totalmem?.();
  return total === undefined ? BROWSER_BYTES : Math.max(MIN_BYTES, Math.min(MAX_BYTES, Math.floor(total / 2)));
}

function checkNumber(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined) return;
  if (typeof value !== "number") throw argTypeError(name, "number", value);
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw outOfRangeError(name, `>= ${min} && <= ${max}`, value);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkOptions(options: FsOptions): void {
  checkTaskOptions(options);
  checkNumber("options.memoryLimit", options.memoryLimit, MIN_BYTES, MAX_BYTES);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkTaskOptions(options: Omit<TaskOptions, "files">): void {
  if (options === null || typeof options !== "object") throw argTypeError("options", "Object", options);
  checkNumber("options.uid", options.uid, 0, MAX_ID);
  checkNumber("options.gid", options.gid, 0, MAX_ID);
  checkNumber("options.umask", options.umask, 0, 0o777);
  if (options.groups !== undefined && !Array.isArray(options.groups))
    throw argTypeError("options.groups", "Array", options.groups);
  for (const name of ["cwd", "root"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "string")
      throw argTypeError(`options.${name}`, "string", options[name]);
  }
  checkNumber("options.maxFiles", options.maxFiles, 1, 2 ** 20);
  checkNumber("options.fileSizeLimit", options.fileSizeLimit, 0, Number.MAX_SAFE_INTEGER);
  checkNumber("options.groups.length", options.groups?.length, 0, NGROUPS_MAX);
  options.groups?.forEach((group, i) => {
    checkNumber(`options.groups[${i}]`, group, 0, MAX_ID);
  });
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
