/**
 * A tree with patches applied, in thought: what each file comes to, and whether all of them fit.
 *
 * Does not own: the real tree (given), how it is changed.
 */

import { latin1Bytes, latin1Of } from "../base/latin1.ts";
import { applyBinary } from "./binary-patch.ts";
import { blobId } from "./blob-id.ts";
import { type FilePatch, MODE_EXECUTABLE, MODE_FILE, MODE_LINK } from "./file-patch.ts";
import { applyHunks, Misfit } from "./hunk.ts";
import { PatchError } from "./patch-error.ts";

const S_IFMT = 0o170000;
const NO_ID = "0".repeat(40);
const NO_BYTES = new Uint8Array(0);

/** What is at a path before. "other" = neither file, link nor directory. */
export type Found = { mode: number; read(): Uint8Array } | "directory" | "other" | undefined;

/** The tree as it is. Paths are bytes as Latin-1 text. */
export interface RealTree {
  find(path: string): Found;
  list(path: string): string[];
}

/** What a file comes to. */
export interface PatchedFile {
  /** Of git: 100644, 100755 or 120000. */
  mode: number;
  /** undefined = as the file at `source`. */
  content: Uint8Array | undefined;
  /** Whose attributes it has; undefined = it is new. */
  source: string | undefined;
}

function conflict(path: string, message: string, hunk?: number): PatchError {
  return new PatchError("ERR_PATCH_CONFLICT", message, path, hunk);
}

function gitMode(mode: number): number {
  if ((mode & S_IFMT) === MODE_LINK) return MODE_LINK;
  return mode & 0o100 ? MODE_EXECUTABLE : MODE_FILE;
}

/** What patches make of a tree. */
export class PatchTree {
  readonly #real: RealTree;
  /** By path what there will be; undefined = nothing. */
  readonly files = new Map<string, PatchedFile | undefined>();
  /** Paths that lose their file to a rename, or lose it. */
  readonly #leaving: Set<string>;

  /** @throws PatchError ERR_PATCH_CONFLICT */
  constructor(real: RealTree, patches: readonly FilePatch[]) {
    this.#real = real;
    this.#leaving = new Set(
      patches.filter(({ kind }) => kind === "removed" || kind === "renamed").map(({ from }) => from),
    );
    for (const patch of patches) this.#apply(patch);
    this.#checkPlaces();
  }

  #apply(patch: FilePatch): void {
    const { kind, from, path } = patch;
    if (patch.isWithheld) throw conflict(path, "is binary, and the patch does not have its content");
    const before = kind === "added" ? undefined : this.#before(patch);
    if (path !== from || kind === "added") this.#checkFree(path);
    const after = kind === "removed" ? this.#removed(patch, before as Before) : this.#after(patch, before);
    if (kind === "renamed" && !this.#isTaken(from)) this.files.set(from, undefined);
    this.files.set(path, after);
  }

  /** Has another patch put something there? */
  #isTaken(path: string): boolean {
    return this.files.get(path) !== undefined;
  }

  /** The file that a patch begins with: renames and copies are of the tree as it is. */
  #before({ kind, from, oldMode }: FilePatch): Before {
    const isLater = kind !== "renamed" && kind !== "copied" && this.files.has(from);
    const before = isLater ? this.files.get(from) && this.#earlier(from) : this.#found(from);
    if (before === undefined) throw conflict(from, "there is no such file");
    if (oldMode !== undefined && (oldMode & S_IFMT) !== (before.mode & S_IFMT))
      throw conflict(from, "is a file of another type");
    return before;
  }

  /** What an earlier patch has made. */
  #earlier(path: string): Before {
    const { mode, content, source } = this.files.get(path) as PatchedFile;
    return { mode, source, read: () => content ?? (this.#found(source as string) as Before).read() };
  }

  #found(path: string): Before | undefined {
    this.#checkParents(path);
    const found = this.#real.find(path);
    if (typeof found === "string") throw conflict(path, `is ${found === "other" ? "no regular file" : "a directory"}`);
    return found && { mode: gitMode(found.mode), source: path, read: () => found.read() };
  }

  /** Nothing is looked for behind symbolic links. */
  #checkParents(path: string): void {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const found = this.#real.find(path.slice(0, end));
      if (typeof found === "object" && gitMode(found.mode) === MODE_LINK)
        throw conflict(path, "is behind a symbolic link");
    }
  }

  #checkFree(path: string): void {
    if (this.files.has(path) ? this.#isTaken(path) : this.#isThere(path)) throw conflict(path, "is there already");
  }

  #isThere(path: string): boolean {
    const found = this.#real.find(path);
    return found !== undefined && found !== "directory" && !this.#leaving.has(path);
  }

  #removed(patch: FilePatch, before: Before): undefined {
    const rest = this.#content(patch, before) ?? before.read();
    if (rest.length > 0) throw conflict(patch.from, "has more in it than what is removed");
  }

  #after(patch: FilePatch, before: Before | undefined): PatchedFile {
    const content = this.#content(patch, before);
    const mode = patch.mode === undefined ? (before?.mode ?? MODE_FILE) : gitMode(patch.mode);
    const isOther = before !== undefined && (mode & S_IFMT) !== (before.mode & S_IFMT);
    if (isOther) throw conflict(patch.path, "cannot become a file of another type");
    return { mode, content, source: before?.source };
  }

  /** @returns undefined where it is as before */
  #content(patch: FilePatch, before: Before | undefined): Uint8Array | undefined {
    const { path, binary, hunks, kind } = patch;
    if (binary !== undefined) return this.#binaryContent(patch, before?.read() ?? NO_BYTES);
    if (hunks.length === 0) return kind === "added" ? NO_BYTES : undefined;
    const text = applyHunks(before === undefined ? "" : latin1Of(before.read()), hunks);
    if (text instanceof Misfit) throw conflict(path, "does not fit", text.hunk + 1);
    return latin1Bytes(text);
  }

  #binaryContent({ path, binary, oldId, id, kind }: FilePatch, before: Uint8Array): Uint8Array {
    if (kind !== "added") this.#checkId(path, oldId, before);
    const forth = binary?.forth;
    const content = forth && applyBinary(forth, before);
    if (content === undefined) throw conflict(path, "has another content than what the patch is of");
    if (kind !== "removed") this.#checkId(path, id, content);
    return content;
  }

  #checkId(path: string, id: string | undefined, content: Uint8Array): void {
    if (id !== undefined && id !== NO_ID && id !== blobId(content))
      throw conflict(path, "has another content than what the patch is of");
  }

  // --- Places -----------------------------------------------------------------------------------------------------------

  /** What is there when all is done: undefined = nothing. */
  #finally(path: string): Found | PatchedFile {
    return this.files.has(path) ? this.files.get(path) : this.#real.find(path);
  }

  #checkPlaces(): void {
    for (const [path, file] of this.files) {
      if (file === undefined) continue;
      for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
        const parent = this.#finally(path.slice(0, end));
        if (parent !== undefined && parent !== "directory")
          throw conflict(path, `there is no place for it: ${path.slice(0, end)} is no directory`);
      }
      if (this.#real.find(path) === "directory") this.#checkEmptied(path, path);
    }
  }

  /** A directory gives way to a file when all that is in it goes. */
  #checkEmptied(path: string, dir: string): void {
    for (const name of this.#real.list(dir)) {
      const child = `${dir}/${name}`;
      if (this.#real.find(child) === "directory") this.#checkEmptied(path, child);
      else if (this.#finally(child) !== undefined) throw conflict(path, "is a directory that is not empty");
    }
  }
}

/** A file before a patch. */
interface Before {
  mode: number;
  source: string | undefined;
  read(): Uint8Array;
}
