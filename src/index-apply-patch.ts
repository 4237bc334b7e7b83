/**
 * Patches applied to a directory, as programs see them (foliofs/patch, docs/patches.md).
 *
 * All is read and made in memory first (patch/patch-tree.ts). Then new files are written into a directory beside; when all of them are there, old
 * ones move there, and new ones to their places. What fails half-way is taken back step by step.
 *
 * Does not own: what patches come to (patch/).
 */

import { latin1Bytes, latin1Of } from "./base/latin1.ts";
import { utf8Decoder, utf8Encoder } from "./base/utf8.ts";
import { bytesOf, isBytes } from "./base/views.ts";
import type { FolioFs } from "./index-kernel.ts";
import { checkKnown } from "./index-options.ts";
import { argTypeError } from "./node/errors.ts";
import type { Bytes, PathLike } from "./node/face/names.ts";
import { joinBytes, toPath } from "./node/paths.ts";
import { checkBoolean, checkInteger, checkObject } from "./node/validators.ts";
import { type FilePatch, MODE_EXECUTABLE, MODE_LINK, reversePatch } from "./patch/file-patch.ts";
import { parsePatch } from "./patch/parse-patch.ts";
import { PatchError } from "./patch/patch-error.ts";
import { type Found, type PatchedFile, PatchTree, type RealTree } from "./patch/patch-tree.ts";
import type { Path } from "./vfs/syscalls.ts";

export interface ApplyPatchOptions {
  /** Leading parts of paths that are left out, as `a/`. Default: 1. */
  strip?: number | undefined;
  /** Take it back instead. Default: false. */
  reverse?: boolean | undefined;
  /** Look only whether it fits. Default: false. */
  check?: boolean | undefined;
}

/** What a patch has done to a file. */
export interface PatchedPath {
  kind: FilePatch["kind"];
  path: string;
  /** Of renamed and copied ones: where it was, or is. */
  from?: string;
}

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const PERMISSIONS = 0o7777;
const NEW_FILE = 0o666;
const NEW_EXECUTABLE = 0o777;

function shown(path: string): string {
  return utf8Decoder.decode(latin1Bytes(path));
}

function textOf(patch: unknown): string {
  if (typeof patch === "string") return latin1Of(utf8Encoder.encode(patch));
  if (!isBytes(patch)) throw argTypeError("patch", ["string", "Buffer", "TypedArray", "DataView"], patch);
  return latin1Of(bytesOf(patch));
}

/**
 * Applies a patch to a directory, or changes nothing.
 *
 * @param patch as git writes it, or a plain unified diff
 * @returns what it has done, in the order of the patch
 * @throws ERR_INVALID_ARG_TYPE ...; PatchError; errors of the file system, with all taken back
 */
export function applyPatch(
  fs: FolioFs,
  dir: PathLike,
  patch: string | ArrayBufferView,
  options: ApplyPatchOptions = {},
): PatchedPath[] {
  const root = toPath(dir, "dir");
  checkObject(options, "options");
  checkKnown(options, ["strip", "reverse", "check"]);
  const { strip = 1, reverse = false, check = false } = options;
  checkInteger(strip, "options.strip", 0);
  checkBoolean(reverse, "options.reverse");
  checkBoolean(check, "options.check");
  const parsed = parsePatch(textOf(patch), strip);
  const patches = reverse ? parsed.reverse().map(reversed) : parsed;
  fs.readdirSync(root as PathLike); // there is such a directory, and it may be read
  const place = new Place(fs, root);
  const tree = new PatchTree(place, patches);
  if (!check) new Change(place, tree).run();
  return patches.map(({ kind, from, path }) => ({
    kind,
    path: shown(path),
    ...(from === path ? {} : { from: shown(from) }),
  }));
}

function reversed(patch: FilePatch): FilePatch {
  const back = reversePatch(patch);
  if (back === undefined)
    throw new PatchError("ERR_PATCH_CONFLICT", "cannot be taken back: the patch does not say what it was", patch.path);
  return back;
}

/** A directory, by paths below it. */
class Place implements RealTree {
  readonly fs: FolioFs;
  readonly #root: Path;

  constructor(fs: FolioFs, root: Path) {
    this.fs = fs;
    this.#root = root;
  }

  at(path: string): Buffer {
    return joinBytes(this.#root, latin1Bytes(path)) as Buffer;
  }

  /** @returns undefined where there is nothing, as behind symbolic links: they are no way */
  stat(path: string): { mode: number; uid: number; gid: number } | undefined {
    const parent = parentOf(path);
    if (parent !== undefined && ((this.stat(parent)?.mode ?? 0) & S_IFMT) !== S_IFDIR) return undefined;
    try {
      return this.fs.lstatSync(this.at(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  find(path: string): Found {
    const mode = this.stat(path)?.mode;
    if (mode === undefined) return undefined;
    const at = this.at(path);
    const { fs } = this;
    switch (mode & S_IFMT) {
      case S_IFDIR:
        return "directory";
      case MODE_LINK:
        return { mode, read: () => fs.readlinkSync(at, { encoding: "buffer" }) as unknown as Uint8Array };
      case MODE_EXECUTABLE & S_IFMT:
        return { mode, read: () => fs.readFileSync(at) as Uint8Array };
      default:
        return "other";
    }
  }

  list(path: string): string[] {
    return (this.fs.readdirSync(this.at(path), { encoding: "buffer" }) as Bytes[]).map(latin1Of);
  }
}

function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}

class Change {
  readonly #place: Place;
  readonly #files: readonly (readonly [path: string, file: PatchedFile | undefined])[];
  readonly #undo: (() => void)[] = [];
  /** Where new files wait for their places, and old ones for the end. */
  #aside = "";
  #nrAside = 0;
  /** By path, where an old file waits. */
  readonly #old = new Map<string, string>();

  constructor(place: Place, { files }: PatchTree) {
    this.#place = place;
    this.#files = [...files].filter(([path, file]) => !this.#isUnchanged(path, file));
  }

  #isUnchanged(path: string, file: PatchedFile | undefined): boolean {
    return file === undefined && this.#place.find(path) === undefined;
  }

  run(): void {
    if (this.#files.length === 0) return;
    const { fs } = this.#place;
    const aside = fs.mkdtempSync(this.#place.at(".patch-") as unknown as string, {
      encoding: "buffer",
    }) as unknown as Uint8Array;
    this.#aside = latin1Of(aside).split("/").at(-1) as string;
    try {
      this.#commit();
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      throw error;
    } finally {
      fs.rmSync(this.#place.at(this.#aside), { recursive: true, force: true });
    }
  }

  #commit(): void {
    const staged = this.#files.map(([, file]) => (file === undefined ? undefined : this.#stage(file)));
    const deepestFirst = this.#files.map(([path]) => path).sort((x, y) => y.split("/").length - x.split("/").length);
    for (const path of deepestFirst) this.#takeAway(path);
    for (const [i, [path, file]] of this.#files.entries()) if (file) this.#put(staged[i] ?? this.#moved(file), path);
    for (const [path, file] of this.#files) if (file === undefined) this.#dropEmpty(parentOf(path));
  }

  #newAside(): string {
    return `${this.#aside}/${this.#nrAside++}`;
  }

  // --- New files --------------------------------------------------------------------------------------------------------

  /** Makes a new file. @returns where it is; undefined = an old one moves as it is */
  #stage(file: PatchedFile): string | undefined {
    const { fs } = this.#place;
    const before = file.source === undefined ? undefined : this.#place.stat(file.source);
    if (file.content === undefined && this.#isMoving(file, before?.mode ?? 0)) return undefined;
    const path = this.#newAside();
    const at = this.#place.at(path);
    const content = file.content ?? this.#read(file.source as string);
    if (file.mode === MODE_LINK) fs.symlinkSync(content as Buffer<ArrayBuffer>, at);
    else {
      fs.writeFileSync(at, content, { mode: file.mode === MODE_EXECUTABLE ? NEW_EXECUTABLE : NEW_FILE });
      if (before) fs.chmodSync(at, modeAfter(before.mode, file.mode));
    }
    if (before) this.#keepOwner(at, before);
    return path;
  }

  /** Is it the only one that is made of an old file, which goes, and as that was? */
  #isMoving({ mode, source }: PatchedFile, before: number): boolean {
    const users = this.#files.filter(([, file]) => file?.source === source);
    const isLeaving = this.#files.some(([path]) => path === source);
    return (
      users.length === 1 && isLeaving && (mode === MODE_LINK || modeAfter(before, mode) === (before & PERMISSIONS))
    );
  }

  #read(path: string): Uint8Array {
    return (this.#place.find(path) as Exclude<Found, string | undefined>).read();
  }

  #keepOwner(at: Buffer, { uid, gid, mode }: { uid: number; gid: number; mode: number }): void {
    const { fs } = this.#place;
    const made = fs.lstatSync(at);
    if (made.uid === uid && made.gid === gid) return;
    try {
      fs.lchownSync(at, uid, gid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error; // then it is the caller's, as with git
      return;
    }
    if ((mode & S_IFMT) !== MODE_LINK) fs.chmodSync(at, made.mode & PERMISSIONS); // chown takes set-user-ID
  }

  // --- Places -----------------------------------------------------------------------------------------------------------

  #rename(from: string, to: string): void {
    const { fs } = this.#place;
    fs.renameSync(this.#place.at(from), this.#place.at(to));
    this.#undo.push(() => fs.renameSync(this.#place.at(to), this.#place.at(from)));
  }

  /** An old file, or a directory that gives way, waits aside. */
  #takeAway(path: string): void {
    if (this.#place.stat(path) === undefined) return;
    const aside = this.#newAside();
    this.#rename(path, aside);
    this.#old.set(path, aside);
  }

  #moved({ source }: PatchedFile): string {
    return this.#old.get(source as string) as string;
  }

  #put(from: string, path: string): void {
    this.#makeParents(parentOf(path));
    this.#rename(from, path);
  }

  #makeParents(dir: string | undefined): void {
    if (dir === undefined || this.#place.find(dir) === "directory") return;
    this.#makeParents(parentOf(dir));
    const { fs } = this.#place;
    fs.mkdirSync(this.#place.at(dir));
    this.#undo.push(() => fs.rmdirSync(this.#place.at(dir)));
  }

  /** Directories that have become empty go. */
  #dropEmpty(dir: string | undefined): void {
    if (dir === undefined || this.#place.find(dir) !== "directory" || this.#place.list(dir).length > 0) return;
    this.#rename(dir, this.#newAside());
    this.#dropEmpty(parentOf(dir));
  }
}

/** Permissions of a file that a patch has changed: git knows of one bit, which stands for all that may read. */
function modeAfter(before: number, mode: number): number {
  const isExecutable = mode === MODE_EXECUTABLE;
  if (((before & 0o100) !== 0) === isExecutable) return before & PERMISSIONS;
  return (isExecutable ? before | ((before & 0o444) >>> 2) : before & ~0o111) & PERMISSIONS;
}
