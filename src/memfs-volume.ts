/**
 * Volumes as memfs has them, on foliofs.
 *
 * Where it differs: errors, links and permissions are the kernel's; listings and JSON come sorted; the working directory of a
 * volume is one of its directories, so that relative paths are told from it once it exists, and from `/` before.
 *
 * @see memfs, docs/node.md and docs/volumes.md
 */
import { createFsSync } from "./index.ts";
import type { FolioFs } from "./index-kernel.ts";
import type { DirectoryJson, NestedDirectoryJson } from "./node/face/directory-json.ts";
import { printTree, type TreeOptions } from "./node/print-tree.ts";

type Call = (...args: unknown[]) => unknown;

/** Own to foliofs or to the volume; the rest of a face is what a volume has, too. */
type Own = "kernel" | "task" | "fromJSON" | "toJSON" | "reset" | "promises";

/** What a volume asks of `process`. */
export interface VolumeProcess {
  cwd?(): string;
  getuid?(): number;
  getgid?(): number;
}

/** The third argument of Volume.fromJSON(). */
export interface VolumeOptions {
  process?: VolumeProcess;
}

const faces = new WeakMap<Volume, Holder>();

/** The face of a volume, and the directory that relative paths are to be told from. */
class Holder {
  readonly face: FolioFs;
  readonly cwd: string;
  isAtCwd = false;

  constructor(cwd: string, { process }: VolumeOptions = {}) {
    this.cwd = cwd;
    this.face = createFsSync({ uid: process?.getuid?.() ?? 0, gid: process?.getgid?.() ?? 0 });
    this.settle();
  }

  /** Goes to the working directory, once it is there. */
  settle(): void {
    if (this.isAtCwd || !this.face.existsSync(this.cwd)) return;
    this.face.task.chdir(this.cwd);
    this.isAtCwd = true;
  }

  leave(): void {
    this.face.task.chdir("/");
    this.isAtCwd = false;
  }
}

function hostCwd(): string {
  const { process } = globalThis as { process?: VolumeProcess };
  return process?.cwd?.() ?? "/";
}

function holderOf(volume: Volume): Holder {
  const known = faces.get(volume);
  if (known !== undefined) return known;
  const made = new Holder(hostCwd());
  faces.set(volume, made);
  return made;
}

/** As memfs takes it: what is neither contents nor an object is a directory. */
function toNested(json: object): NestedDirectoryJson {
  const entries = Object.entries(json).map(([name, value]) => {
    const isContents = typeof value === "string" || (typeof value === "object" && value !== null);
    return [name, isContents ? value : null];
  });
  return Object.fromEntries(entries) as NestedDirectoryJson;
}

/** A file system of its own, with the functions of node:fs as methods. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are put on the prototype, below
export class Volume {
  /** A new volume with these files. @param cwd what relative paths start at; by default the process's directory */
  static fromJSON(json: DirectoryJson, cwd?: string, options?: VolumeOptions): Volume {
    return Volume.fromNestedJSON(json as NestedDirectoryJson, cwd, options);
  }

  /** As fromJSON(); objects are directories. */
  static fromNestedJSON(json: NestedDirectoryJson, cwd?: string, options?: VolumeOptions): Volume {
    const volume = new Volume();
    faces.set(volume, new Holder(options?.process?.cwd?.() ?? cwd ?? hostCwd(), options));
    volume.fromNestedJSON(json, cwd);
    return volume;
  }

  get promises(): FolioFs["promises"] {
    return holderOf(this).face.promises;
  }

  /** Adds files. @param cwd what relative paths start at; by default the volume's directory */
  fromJSON(json: DirectoryJson, cwd?: string): void {
    this.fromNestedJSON(json as NestedDirectoryJson, cwd);
  }

  /** As fromJSON(); objects are directories. */
  fromNestedJSON(json: NestedDirectoryJson, cwd?: string): void {
    const holder = holderOf(this);
    holder.face.fromJSON(toNested(json), cwd ?? holder.cwd);
    holder.settle();
  }

  /** As fromJSON(). */
  mountSync(mountpoint: string, json: DirectoryJson): void {
    this.fromJSON(json, mountpoint);
  }

  /** Files as path to text, empty directories as path to null. */
  toJSON(
    paths?: Parameters<FolioFs["toJSON"]>[0],
    json: DirectoryJson = {},
    isRelative = false,
    asBuffer = false,
  ): DirectoryJson {
    return holderOf(this).face.toJSON(paths || undefined, json, isRelative, asBuffer);
  }

  /** The tree as text. */
  toTree(options?: TreeOptions): string {
    return printTree(holderOf(this).face, options);
  }

  /** Removes everything. */
  reset(): void {
    const holder = holderOf(this);
    holder.leave();
    holder.face.reset();
    holder.settle();
  }
}

export interface Volume extends Omit<FolioFs, Own> {}

/** Calls after which the working directory may be there. */
const MAKES_DIRECTORIES = /^(mkdir|rename|symlink|cp)/;
/** Of a volume they are what a face shows, not methods. */
const IS_CLASS = /^[A-Z]/;

/** Of the volume that all share. */
const common = new Holder("/");
const sample = common.face;

function isMethod(name: string): boolean {
  return typeof sample[name as keyof FolioFs] === "function" && !IS_CLASS.test(name) && !(name in Volume.prototype);
}

function methodOf(name: string): Call {
  const call = (volume: Volume): Call => (holderOf(volume).face as unknown as Record<string, Call>)[name];
  if (!MAKES_DIRECTORIES.test(name)) {
    return function (this: Volume, ...args) {
      return call(this)(...args);
    };
  }
  return function (this: Volume, ...args) {
    const result = call(this)(...args);
    holderOf(this).settle();
    return result;
  };
}

for (const name of Object.keys(sample).filter(isMethod)) {
  const value = methodOf(name);
  Object.defineProperty(value, "name", { value: name, configurable: true });
  if ("native" in (sample[name as keyof FolioFs] as object)) {
    Object.defineProperty(value, "native", { value: nativeOf(name), configurable: true });
  }
  Object.defineProperty(Volume.prototype, name, { value, writable: true, configurable: true });
}

/** `realpath.native` and its like: functions that work where they are bound to a volume. */
function nativeOf(name: string): Call {
  return function (this: Volume, ...args) {
    const { native } = (holderOf(this).face as unknown as Record<string, { native: Call }>)[name];
    return native(...args);
  };
}

/** Functions of a volume as an object of node:fs, bound to it. */
export type VolumeFs = Omit<FolioFs, "kernel" | "task"> & { readonly __vol: Volume };

/** Makes an object like node:fs of a volume: its functions, overridden ones too, need no `this`. */
export function createFsFromVolume(volume: Volume): VolumeFs {
  const { face } = holderOf(volume);
  const methods = volume as unknown as Record<string, Call & { native?: Call }>;
  const fs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(face)) {
    if (name === "kernel" || name === "task") continue;
    if (typeof value !== "function" || IS_CLASS.test(name)) {
      fs[name] = value;
      continue;
    }
    const bound = methods[name].bind(volume) as Call & { native?: Call };
    const { native } = methods[name];
    fs[name] = native === undefined ? bound : Object.assign(bound, { native: native.bind(volume) });
  }
  fs.promises = volume.promises;
  fs.__vol = volume;
  return fs as unknown as VolumeFs;
}

/** Options of memfs(). */
export interface MemfsOptions extends VolumeOptions {
  /** What relative paths start at. Default: the process's directory where a process is given, else `/`. */
  cwd?: string;
}

/** A new volume with these files, and its object like node:fs. @param options a working directory, or options */
export function memfs(
  json: NestedDirectoryJson = {},
  options: string | MemfsOptions = "/",
): { fs: VolumeFs; vol: Volume } {
  const { cwd, process } = typeof options === "string" ? { cwd: options, process: undefined } : options;
  const start = cwd ?? process?.cwd?.() ?? "/";
  const volume = new Volume();
  faces.set(volume, new Holder(start, process === undefined ? {} : { process }));
  volume.fromNestedJSON(json, start);
  return { fs: createFsFromVolume(volume), vol: volume };
}

/** The volume that all share, and its object like node:fs. */
export const vol: Volume = new Volume();
faces.set(vol, common);
export const fs: VolumeFs = createFsFromVolume(vol);
