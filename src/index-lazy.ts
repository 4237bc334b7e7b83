/**
 * Mounting a tree that is asked for what is in it: of an entry of its own (lazy.ts).
 *
 * Does not own: the file system (fs/lazyfs/).
 */
import type { LazyEntry, LazyLimits, LazyTree } from "./fs/lazyfs/lazy-tree.ts";
import { lazyfs, type MountedTree, mountTree } from "./fs/lazyfs/lazyfs.ts";
import type { FolioKernel } from "./index-kernel.ts";
import { checkKnown } from "./index-options.ts";
import { argTypeError, argValueError } from "./node/errors.ts";
import { checkBoolean, checkInteger, checkObject } from "./node/validators.ts";
import type { Path } from "./vfs/syscalls.ts";

/** Where a tree is mounted, and how. */
export interface LazyMountOptions extends LazyLimits {
  /** A directory. */
  readonly target: string;
  /** What the mount table says it is of; default "lazyfs". */
  readonly source?: string | undefined;
  /** Union of MS_*; it is read-only anyway. */
  readonly flags?: number | undefined;
}

/** A mounted tree. It ends with its mount: kernel.umount(), kernel.umountAsync(). */
export interface LazyMountHandle {
  /**
   * What is known of a path and of all below it may be wrong: it is asked for anew when it is next wanted. Files that are open
   * stay so, and are then what their path leads to, or ESTALE. A name at which something is mounted stays.
   *
   * @param path in the mount, from a slash on; left out: all
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is no such path
   */
  invalidate(path?: string): void;
}

const LIMITS = ["maxEntries", "maxFileBytes", "statLoads", "onError"];
const OPTIONS = [...LIMITS, "target", "source", "flags"];
const CALLS = ["list", "load", "loadFile", "lookup"] as const;

function checkTree(tree: LazyTree): void {
  checkObject(tree, "tree");
  for (const name of CALLS) {
    if (tree[name] !== undefined && typeof tree[name] !== "function") {
      throw argTypeError(`tree.${name}`, "function", tree[name]);
    }
  }
  if (tree.list === undefined) throw argTypeError("tree.list", "function", undefined);
  if ((tree.load === undefined) === (tree.loadFile === undefined)) {
    throw argValueError("tree", tree, "must have either load or loadFile");
  }
}

function checkLimits({ maxEntries, maxFileBytes, statLoads, onError }: LazyLimits): void {
  if (maxEntries !== undefined) checkInteger(maxEntries, "options.maxEntries", 0);
  if (maxFileBytes !== undefined) checkInteger(maxFileBytes, "options.maxFileBytes", 0);
  if (statLoads !== undefined) checkBoolean(statLoads, "options.statLoads");
  if (onError !== undefined && typeof onError !== "function") {
    throw argTypeError("options.onError", "function", onError);
  }
}

/** A path in the mount as invalidate() has it: without the slash at the end. */
function toTreePath(path: unknown): string {
  if (typeof path !== "string") throw argTypeError("path", "string", path);
  const names = path.split("/");
  const isPath = path.startsWith("/") && !names.some((name) => name === "." || name === "..") && !path.includes("\0");
  if (!isPath) throw argValueError("path", path, "must begin with a slash, without . and ..");
  return names.map((name) => (name === "" ? "" : `/${name}`)).join("");
}

/**
 * Mounts a tree of functions: read-only, asked for names and contents when they are wanted, which are kept as other files with a
 * store are. No snapshot has it.
 *
 * @param kernel fs.kernel of who may mount
 * @throws ERR_INVALID_ARG_TYPE ... for arguments; as kernel.mount(): EPERM, ENOENT, EINVAL, ENOTDIR, ENOMEM
 */
export function mountLazy<Entry extends LazyEntry>(
  kernel: FolioKernel,
  tree: LazyTree<Entry>,
  options: LazyMountOptions,
): LazyMountHandle {
  const asked = tree as unknown as LazyTree;
  checkTree(asked);
  checkObject(options, "options");
  checkKnown(options, OPTIONS);
  checkLimits(options);
  const { target, source = lazyfs.name, flags = 0 } = options;
  const { vfs } = kernel;
  if (!vfs.registeredTypes().includes(lazyfs)) kernel.registerFileSystem(lazyfs);
  const request = { type: lazyfs.name, target: target as Path as string, source, flags };
  const mounted: MountedTree = mountTree(vfs, asked, options, () => kernel.mount(request));
  return { invalidate: (path = "/") => mounted.invalidate(toTreePath(path)) };
}
