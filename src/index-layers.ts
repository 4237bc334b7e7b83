/**
 * Layers as programs see them (`fs.kernel.layer()`), as a part of its own (wasm/core-module.ts): foliofs/layers brings it.
 *
 * Does not own: how they are made (fs/overlay/layer-mount.ts).
 */
import { EFBIG, EINVAL, EPERM } from "./base/errno.ts";
import { latin1Bytes } from "./base/latin1.ts";
import { type DiffFailure, diffTrees } from "./fs/overlay/diff-tree.ts";
import {
  commitLayer,
  compareLayer,
  forkLayer,
  type LayerRequest,
  type LayerUsage,
  layerAt,
  layerUsage,
  lowerPathsOf,
  type MountedLayer,
  mountLayer,
} from "./fs/overlay/layer-mount.ts";
import { type LayerForm, loadLayer, saveLayer, saveLayerTar } from "./fs/overlay/layer-tar.ts";
import { tarChanges } from "./fs/overlay/tar-changes.ts";
import {
  checkDiffAsyncOptions,
  checkDiffOptions,
  compared,
  comparing,
  type DiffAsyncOptions,
  type DiffOptions,
  diff,
  diffAsync,
  diffWaiting,
  shownChanges,
  type TreeChanges,
} from "./index-diff.ts";
import { checkedBytes, checkKnown } from "./index-options.ts";
import { argTypeError, argValueError } from "./node/errors.ts";
import { joinBytes, toPath } from "./node/paths.ts";
import { uvException } from "./node/uv-errors.ts";
import { checkBoolean, checkInteger, checkObject, checkOneOf } from "./node/validators.ts";
import { isCapable } from "./vfs/attr.ts";
import { umount } from "./vfs/mount.ts";
import type { Task } from "./vfs/task.ts";
import { registerPart } from "./wasm/core-module.ts";

/** Limits of a layer, and where it shows. */
export interface LayerLimits {
  /** Most bytes of what it changes: a number, or with a unit as tmpfs's. Default: half of the memory limit. */
  size?: number | string;
  /** Most files, directories and the like that it makes or changes, removed lower names among them. What is
   * noted of these in extended attributes counts as on tmpfs: an inode for each KiB that is begun. */
  nr_inodes?: number;
}

export interface LayerOptions extends LayerLimits {
  /** Directories that it shows, the uppermost first. */
  lower: string | readonly string[];
  /** A directory, over which it is mounted. */
  target: string;
  /** Files of which only the mode, owner, times, name or extended attributes change keep their data below, where that is slow or no memory:
   * it comes up when they are written to. Default: false. */
  metacopy?: boolean;
}

/** What a tar is. */
export interface TarOptions {
  /** "overlay": of an upper directory of the kernel's overlayfs; "oci": of a layer of a container image. Default: "overlay". */
  format?: "overlay" | "oci";
}

const LIMITS = ["size", "nr_inodes"];
const FORMATS = ["overlay", "oci"];
const SIZE = /^\d+[kmgtpe]?%?$/i;

function lowersOf(lower: unknown): string[] {
  const lowers = Array.isArray(lower) ? [...lower] : [lower];
  for (const path of lowers) if (typeof path !== "string") throw argTypeError("options.lower", "string", path);
  if (lowers.length === 0) throw argValueError("options.lower", lower, "must name a directory");
  return lowers.map((path) => toPath(path, "options.lower") as string);
}

function targetOf(target: unknown, name: string): string {
  if (typeof target !== "string") throw argTypeError(name, "string", target);
  return toPath(target, name) as string;
}

function limitsOf({ size, nr_inodes }: LayerLimits): Pick<LayerRequest, "size" | "inodes"> {
  if (typeof size === "number") checkInteger(size, "options.size", 1);
  else if (size !== undefined && typeof size !== "string") throw argTypeError("options.size", "number or string", size);
  else if (size !== undefined && !SIZE.test(size)) throw argValueError("options.size", size, "is no size");
  if (nr_inodes !== undefined) checkInteger(nr_inodes, "options.nr_inodes", 1);
  return { size: size === undefined ? undefined : String(size), inodes: nr_inodes };
}

function formOf(format: TarOptions["format"] = "overlay"): "overlay" | "oci" {
  checkOneOf(format, "options.format", FORMATS);
  return format;
}

function orThrow<T>(result: T | number, syscall: string, path: string): T {
  if (typeof result === "number") throw uvException(result, syscall, path);
  return result as T;
}

/** @param path of the layer @throws what failed, at which file */
function tarOrThrow<T extends object>(result: T | DiffFailure, syscall: string, path: string): T {
  if (!("rc" in result)) return result;
  throw uvException(result.rc, syscall, result.path === "" ? path : joinBytes(path, latin1Bytes(result.path)));
}

/** A tree that shows other directories, and keeps what is changed in it apart, within limits. */
export class Layer {
  readonly #task: Task;
  readonly #request: LayerRequest;
  #mounted: MountedLayer;
  /** Where it shows. */
  readonly target: string;

  /** @internal */
  constructor(task: Task, request: LayerRequest, mounted: MountedLayer) {
    this.#task = task;
    this.#request = request;
    this.#mounted = mounted;
    this.target = request.target;
  }

  /** What it has changed, and may change. @throws EINVAL when it is there no more */
  usage(): LayerUsage {
    return layerUsage(this.#task.kernel, this.#check("usage"));
  }

  /** Throws all changes away. @throws EBUSY while files are open on it, or tasks stand there; EINVAL */
  reset(): void {
    const request = this.#requestOf(this.#check("reset"));
    this.drop();
    this.#mounted = orThrow(mountLayer(this.#task, request), "layer", this.target);
  }

  /**
   * Moves all changes down into the directory right below, which lies in memory: all or nothing. The layer shows what it has shown, and
   * has nothing of its own any more, but for files that are open for writing, or mapped.
   *
   * @throws EINVAL when it is there no more; EPERM; EROFS for a directory that cannot be written to; EBUSY where something is mounted on
   *   what would go; ESTALE; ENOSPC beyond the limits of that directory's file system: then nothing has changed
   */
  commit(): void {
    const rc = commitLayer(this.#task, this.#check("commit"));
    if (rc < 0) throw uvException(rc, "commit", this.target);
  }

  /** Ends it, and throws its changes away. @throws EBUSY, EINVAL */
  drop(): void {
    this.#check("drop");
    const rc = umount(this.#task, this.target);
    if (rc < 0) throw uvException(rc, "umount", this.target);
  }

  /**
   * Makes another layer with the same state, over the same directories. What either changes from here on the other does not see.
   *
   * @param limits left out: those of this one
   * @throws as kernel.layer(); ENOSPC where its state is beyond the limits
   */
  fork(target: string, limits: LayerLimits = {}): Layer {
    const from = this.#check("fork");
    checkKnown(limits, LIMITS, "limits");
    const { size = this.#request.size, inodes = this.#request.inodes } = limitsOf(limits);
    const request = { ...this.#requestOf(from), target: fromCwd(this.#task, targetOf(target, "target")), size, inodes };
    const forked = forkLayer(this.#task, from, request);
    return new Layer(this.#task, request, orThrow(forked, "layer", request.target));
  }

  /**
   * Tells what it has changed of what lies below, in time that is in proportion to that. As kernel.diff() of both.
   *
   * @throws EINVAL when it is there no more; errors of kernel.diff(); ENOMEM
   */
  diff<Options extends DiffOptions = DiffOptions>(options: Options = {} as Options): TreeChanges<Options> {
    const from = this.#check("diff");
    checkDiffOptions(options);
    const { target } = this;
    const found = compared(target, () => compareLayer(this.#task, from, target, comparing(options)));
    return shownChanges(found, target, options);
  }

  #requestOf(mounted: MountedLayer): LayerRequest {
    return { ...this.#request, lowers: lowerPathsOf(this.#task.kernel, mounted) };
  }

  /** As diff(), and waits for stores: see kernel.diffAsync(). */
  async diffAsync<Options extends DiffAsyncOptions = DiffAsyncOptions>(
    options: Options = {} as Options,
  ): Promise<TreeChanges<Options>> {
    this.#check("diff");
    checkDiffAsyncOptions(options);
    const found = await diffWaiting(
      (wait) => compareLayer(this.#task, this.#check("diff"), this.target, diffTrees, wait),
      (changes) => changes,
    );
    return shownChanges(found, this.target, options);
  }

  /**
   * Saves what it has changed, by itself: kernel.load() has it again, over the same directories or others.
   *
   * @throws EINVAL when it is there no more; EPERM for a task that may not mount; EFBIG when no array holds it; EAGAIN for what is in a
   *   swap area that takes time; ENOMEM
   */
  save(): Uint8Array {
    return this.#saved("save", saveLayer);
  }

  /**
   * As save(), as `tar --xattrs --xattrs-include='*'` packs an upper directory of the kernel's overlayfs, which mounts what GNU tar unpacks:
   * with whiteouts, and opaque and moved directories; or as an image layer.
   *
   * @throws EINVAL of an image layer, for a name that would be a whiteout there; as save()
   */
  saveTar(options: TarOptions = {}): Uint8Array {
    checkKnown(options, ["format"]);
    if (formOf(options.format) === "overlay") return this.#saved("saveTar", saveLayerTar);
    return this.#saved("saveTar", (task, from) => compareLayer(task, from, this.target, tarChanges));
  }

  #saved(syscall: string, save: typeof saveLayer): Uint8Array {
    const from = this.#check(syscall);
    if (!isCapable(this.#task)) throw uvException(-EPERM, syscall, this.target);
    try {
      return tarOrThrow(save(this.#task, from), syscall, this.target);
    } catch (error) {
      throw error instanceof RangeError ? uvException(-EFBIG, syscall, this.target) : error;
    }
  }

  /** Is what is mounted there still this one? */
  #check(syscall: string): MountedLayer {
    const found = layerAt(this.#task, this.target);
    if (found?.sb !== this.#mounted.sb || found.dev !== this.#mounted.dev)
      throw uvException(-EINVAL, syscall, this.target);
    return found;
  }
}

function fromCwd(task: Task, path: string): string {
  return task.fromCwd(path) as string;
}

function requestOf(task: Task, options: LayerOptions): LayerRequest {
  checkObject(options, "options");
  checkKnown(options, ["lower", "target", "metacopy", ...LIMITS]);
  const { metacopy = false } = options;
  checkBoolean(metacopy, "options.metacopy");
  return {
    metacopy,
    lowers: lowersOf(options.lower).map((path) => fromCwd(task, path)),
    target: fromCwd(task, targetOf(options.target, "options.target")),
    ...limitsOf(options),
  };
}

function layer(task: Task, options: LayerOptions): Layer {
  const request = requestOf(task, options);
  return new Layer(task, request, orThrow(mountLayer(task, request), "layer", request.target));
}

function loaded(task: Task, bytes: Uint8Array, options: LayerOptions, form: LayerForm): Layer {
  const given = checkedBytes(bytes);
  const request = requestOf(task, options);
  const syscall = form === "saved" ? "load" : "loadTar";
  return new Layer(task, request, tarOrThrow(loadLayer(task, request, given, form), syscall, request.target));
}

/** FolioKernel.load. */
function load(task: Task, bytes: Uint8Array, options: LayerOptions): Layer {
  return loaded(task, bytes, options, "saved");
}

/** FolioKernel.loadTar. */
function loadTar(task: Task, bytes: Uint8Array, options: LayerOptions & TarOptions): Layer {
  checkObject(options, "options");
  const { format, ...rest } = options;
  return loaded(task, bytes, rest, formOf(format));
}

const LAYERS = { layer, load, loadTar, diff, diffAsync };

export type LayersPart = typeof LAYERS;

/** For entry points. */
export function registerLayers(): void {
  registerPart("layers", LAYERS);
}
