/**
 * Volumes as memfs has them, on foliofs.
 *
 * Where it differs: errors, links and permissions are the kernel's; listings and JSON come sorted; of relative paths only what they begin
 * with of `.` and `..` is text, the rest is walked.
 *
 * @see memfs, docs/node.md and docs/volumes.md
 */
import { createFsSync } from "./index.ts";
import type { FolioFs } from "./index-kernel.ts";
import { encodeUtf8 } from "./node/encoding.ts";
import type { DirectoryJson, NestedDirectoryJson } from "./node/face/directory-json.ts";
import { pathBelow, resolvePath } from "./node/paths.ts";
import { printTree, type TreeOptions } from "./node/print-tree.ts";
import type { Path } from "./vfs/syscalls.ts";

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

/** The face of a volume, and the directory that relative paths are told from. */
class Holder {
  readonly face: FolioFs;
  readonly promises: FolioFs["promises"];
  readonly cwd: () => string;

  /** @param cwd asked at each call @param process who the volume's task is */
  constructor(cwd: () => string, process: VolumeProcess | undefined) {
    const who = { uid: process?.getuid?.() ?? 0, gid: process?.getgid?.() ?? 0 };
    this.cwd = cwd;
    this.face = cwd === atRoot ? createFsSync(who) : faceAt(cwd, who);
    const { promises } = this.face;
    const mkdir: Call = (...args) => this.mkdir(args, promises.mkdir as Call);
    this.promises = { ...promises, mkdir } as FolioFs["promises"];
  }

  /** mkdir in one of its forms; with all above of a relative path first the directory it is told from, where the walk begins. */
  mkdir(args: unknown[], form: Call): unknown {
    const [path, options] = args as [Path, { recursive?: unknown } | null | undefined];
    const isRelative = (typeof path === "string" || ArrayBuffer.isView(path)) && path.length > 0 && !isAbsolute(path);
    if (isRelative && options?.recursive === true) this.face.mkdirSync(this.cwd(), { recursive: true });
    return form(...args);
  }
}

function atRoot(): string {
  return "/";
}

/** A face whose relative paths are put behind `cwd()` as text, whether there is such a directory or not. */
function faceAt(cwd: () => string, who: { uid: number; gid: number }): FolioFs {
  const { kernel } = createFsSync(who);
  const face = kernel.task({ ...who, cwd: true });
  const task = kernel.taskOf(face);
  task.fromCwd = (path) => (path.length === 0 || isAbsolute(path) ? path : pathFrom(cwd(), path));
  task.getcwd = () => encodeUtf8(cwd());
  return face;
}

const [DOT, SLASH] = [0x2e, 0x2f];

function codeAt(path: Path, i: number): number {
  return typeof path === "string" ? path.charCodeAt(i) : path[i];
}

function isAbsolute(path: Path): boolean {
  return codeAt(path, 0) === SLASH;
}

/** `path` from `base` on; what it begins with of `.` and `..` is taken out as text, since `base` may not be there. */
function pathFrom(base: string, path: Path): Path {
  let start = base;
  let at = 0;
  for (;;) {
    let end = at;
    while (end < path.length && end - at < 2 && codeAt(path, end) === DOT) end++;
    if (end < path.length && codeAt(path, end) !== SLASH) break;
    if (end - at === 2) start = resolvePath(start, "..");
    at = end + 1;
    if (end >= path.length) return start;
  }
  return pathBelow(start, typeof path === "string" ? path.slice(at) : path.subarray(at));
}

function hostCwd(): string {
  const { process } = globalThis as { process?: VolumeProcess };
  return process?.cwd?.() ?? "/";
}

/** Where a process stands, as memfs asks it. */
function cwdOf(process: VolumeProcess | undefined): () => string {
  return process === undefined ? hostCwd : () => process.cwd?.() ?? "/";
}

function holderOf(volume: Volume): Holder {
  const known = faces.get(volume);
  if (known !== undefined) return known;
  const made = new Holder(hostCwd, undefined);
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
  /** A new volume with these files. @param cwd what relative paths of `json` start at; by default the process's directory */
  static fromJSON(json: DirectoryJson, cwd?: string, options?: VolumeOptions): Volume {
    return Volume.fromNestedJSON(json as NestedDirectoryJson, cwd, options);
  }

  /** As fromJSON(); objects are directories. */
  static fromNestedJSON(json: NestedDirectoryJson, cwd?: string, options?: VolumeOptions): Volume {
    const volume = new Volume();
    faces.set(volume, new Holder(cwdOf(options?.process), options?.process));
    volume.fromNestedJSON(json, cwd);
    return volume;
  }

  get promises(): FolioFs["promises"] {
    return holderOf(this).promises;
  }

  /** Adds files. @param cwd what relative paths of `json` start at; by default the process's directory */
  fromJSON(json: DirectoryJson, cwd?: string): void {
    this.fromNestedJSON(json as NestedDirectoryJson, cwd);
  }

  /** As fromJSON(); objects are directories. */
  fromNestedJSON(json: NestedDirectoryJson, cwd?: string): void {
    const { face, cwd: own } = holderOf(this);
    face.fromJSON(toNested(json), cwd ?? own());
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
    holderOf(this).face.reset();
  }
}

export interface Volume extends Omit<FolioFs, Own> {}

/** Of a volume they are what a face shows, not methods. */
const IS_CLASS = /^[A-Z]/;

/** Of the volume that all share. */
const common = new Holder(atRoot, undefined);
const sample = common.face;

function isMethod(name: string): boolean {
  return typeof sample[name as keyof FolioFs] === "function" && !IS_CLASS.test(name) && !(name in Volume.prototype);
}

function methodOf(name: string): Call {
  if (name !== "mkdir" && name !== "mkdirSync") {
    return function (this: Volume, ...args) {
      return (holderOf(this).face as unknown as Record<string, Call>)[name](...args);
    };
  }
  return function (this: Volume, ...args) {
    const holder = holderOf(this);
    return holder.mkdir(args, holder.face[name] as Call);
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
  /** What relative paths of the files start at. Default: the process's directory where a process is given, else `/`. */
  cwd?: string;
}

/** A new volume with these files, and its object like node:fs. @param options a working directory, or options */
export function memfs(
  json: NestedDirectoryJson = {},
  options: string | MemfsOptions = "/",
): { fs: VolumeFs; vol: Volume } {
  const { cwd, process } = typeof options === "string" ? { cwd: options, process: undefined } : options;
  const at = process !== undefined ? cwdOf(process) : cwd === undefined || cwd === "/" ? atRoot : () => cwd;
  const volume = new Volume();
  faces.set(volume, new Holder(at, process));
  volume.fromNestedJSON(json, cwd);
  return { fs: createFsFromVolume(volume), vol: volume };
}

/** The volume that all share, and its object like node:fs. */
export const vol: Volume = new Volume();
faces.set(vol, common);
export const fs: VolumeFs = createFsFromVolume(vol);
