/**
 * Patches of what two directories have in difference, as programs see them (foliofs/patch, docs/patches.md).
 *
 * Does not own: what differs (kernel.diff()), the form of patches (patch/).
 */

import { latin1Bytes, latin1Of } from "./base/latin1.ts";
import { utf8Decoder } from "./base/utf8.ts";
import type { TreeChange } from "./index-diff.ts";
import type { FolioFs } from "./index-kernel.ts";
import { checkKnown } from "./index-options.ts";
import type { Bytes, PathLike } from "./node/face/names.ts";
import { joinBytes, toPath } from "./node/paths.ts";
import { checkBoolean, checkInteger, checkObject } from "./node/validators.ts";
import { MODE_EXECUTABLE, MODE_FILE, MODE_LINK } from "./patch/file-patch.ts";
import { type FileSide, type FormatTools, formatFile, type StructuredPatch } from "./patch/format-file.ts";
import type { Path } from "./vfs/syscalls.ts";

export interface FormatPatchOptions {
  /** Lines around what has changed. Default: 3. */
  context?: number | undefined;
  /** Whether contents that are no text are in it; else it says only that they differ, and cannot be applied. Default: true. */
  binary?: boolean | undefined;
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IXUSR = 0o100;

/**
 * Says how one directory becomes another, as git does.
 *
 * @param a the old one @param b the new one
 * @returns "" where nothing has changed that a patch can tell (docs/patches.md)
 */
export function formatPatch(
  fs: FolioFs,
  a: PathLike,
  b: PathLike,
  options: FormatPatchOptions,
  structuredPatch: StructuredPatch,
): string {
  checkObject(options, "options");
  checkKnown(options, ["context", "binary"]);
  const { context = 3, binary = true } = options;
  checkInteger(context, "options.context", 0);
  checkBoolean(binary, "options.binary");
  const tools = { structuredPatch, context, hasBinary: binary };
  const formatter = new Formatter(fs, toPath(a, "a"), toPath(b, "b"), tools);
  return utf8Decoder.decode(latin1Bytes(formatter.run()));
}

/** A file that has changed, by its paths; undefined = it was not there, or is no more. */
interface ChangedFile {
  from: string | undefined;
  to: string | undefined;
}

class Formatter {
  readonly #fs: FolioFs;
  readonly #a: Path;
  readonly #b: Path;
  readonly #tools: FormatTools;
  /** By path in b, renamed ones as in a. */
  readonly #renamed = new Map<string, string>();
  /** By path in b, what is told: true of what has been in the same directory before, with the same type. */
  readonly #told = new Map<string, boolean>();

  constructor(fs: FolioFs, a: Path, b: Path, tools: FormatTools) {
    this.#fs = fs;
    this.#a = a;
    this.#b = b;
    this.#tools = tools;
  }

  run(): string {
    const changes = this.#fs.kernel.diff(this.#a as PathLike, this.#b as PathLike, { encoding: "buffer" });
    for (const { kind, path, from, changed } of changes) {
      if (from !== undefined) this.#renamed.set(latin1Of(path), latin1Of(from));
      if (kind !== "removed") this.#told.set(latin1Of(path), kind === "modified" && !changed.includes("type"));
    }
    return changes.map((change) => this.#change(change)).join("");
  }

  #change({ kind, path: bytes }: TreeChange<Bytes>): string {
    const path = latin1Of(bytes);
    if (kind === "removed") return this.#file({ from: path, to: undefined });
    if (kind === "added") return this.#file({ from: undefined, to: path });
    const from = this.#before(path);
    return this.#file({ from, to: path }) + (kind === "renamed" ? this.#below(path) : "");
  }

  /** The path in a of what was there already. */
  #before(path: string): string {
    const from = this.#renamed.get(path);
    if (from !== undefined || path === ".") return from ?? path;
    const slash = path.lastIndexOf("/");
    return slash < 0 ? path : `${this.#before(path.slice(0, slash))}${path.slice(slash)}`;
  }

  /** What a renamed directory has taken along, which is told nowhere else. */
  #below(dir: string): string {
    if (!this.#fs.lstatSync(this.#at(this.#b, dir)).isDirectory()) return "";
    const names = this.#fs.readdirSync(this.#at(this.#b, dir), { encoding: "buffer" }) as Uint8Array[];
    return names.map((name) => this.#takenAlong(`${dir}/${latin1Of(name)}`)).join("");
  }

  /** That a directory has changed says nothing of what is in it; what is new, or from elsewhere, is told with all that is in it. */
  #takenAlong(path: string): string {
    const isAsBefore = this.#told.get(path);
    if (isAsBefore === undefined) return this.#file({ from: this.#before(path), to: path }) + this.#below(path);
    return isAsBefore ? this.#below(path) : "";
  }

  #at(root: Path, path: string): Buffer {
    return joinBytes(root, latin1Bytes(path)) as Buffer;
  }

  #file({ from, to }: ChangedFile): string {
    const old = from === undefined ? undefined : this.#side(this.#a, from);
    const now = to === undefined ? undefined : this.#side(this.#b, to);
    if (old === undefined && now === undefined) return "";
    const isOther = old !== undefined && now !== undefined && ((old.mode ^ now.mode) & S_IFMT) !== 0;
    if (!isOther) return formatFile(old, now, this.#tools);
    return formatFile(old, undefined, this.#tools) + formatFile(undefined, now, this.#tools);
  }

  /** @returns undefined for what no patch can tell */
  #side(root: Path, path: string): FileSide | undefined {
    const at = this.#at(root, path);
    const { mode } = this.#fs.lstatSync(at);
    const type = mode & S_IFMT;
    if (type === S_IFREG) {
      const content = this.#fs.readFileSync(at) as Uint8Array;
      return { path, mode: mode & S_IXUSR ? MODE_EXECUTABLE : MODE_FILE, content };
    }
    if (type !== MODE_LINK) return undefined;
    return {
      path,
      mode: MODE_LINK,
      content: this.#fs.readlinkSync(at, { encoding: "buffer" }) as unknown as Uint8Array,
    };
  }
}
