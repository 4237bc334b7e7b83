/**
 * Changes between trees as programs see them (`fs.kernel.diff()`, `layer.diff()`).
 *
 * Does not own: how they are found (fs/overlay/diff-tree.ts).
 */
import { EAGAIN, EFBIG, ENOMEM, ENOSPC } from "./base/errno.ts";
import { latin1Bytes } from "./base/latin1.ts";
import type { ByteRange } from "./fs/overlay/diff-data.ts";
import type { ChangedField } from "./fs/overlay/diff-entry.ts";
import { type DiffFailure, diffTrees, type RawChange } from "./fs/overlay/diff-tree.ts";
import { DiffWait } from "./fs/overlay/diff-wait.ts";
import { type Compare, comparePaths } from "./fs/overlay/layer-mount.ts";
import { tarChanges } from "./fs/overlay/tar-changes.ts";
import { checkKnown } from "./index-options.ts";
import { argValueError } from "./node/errors.ts";
import type { Bytes, PathLike } from "./node/face/names.ts";
import { encodeName } from "./node/operations/names-encoding.ts";
import { joinBytes, toPath } from "./node/paths.ts";
import { uvException } from "./node/uv-errors.ts";
import type { Path } from "./vfs/syscalls.ts";
import type { Task } from "./vfs/task.ts";

export type { ByteRange, ChangedField };

/** One change between two trees, an old one and a new one. */
export interface TreeChange<Name extends string | Uint8Array = string> {
  /** Below the compared directories, without a slash at its start; "." is these. Of removed names in the old tree, of all others in the new. */
  path: Name;
  /** Renamed ones may have changed, too. */
  kind: "added" | "removed" | "modified" | "renamed";
  /** Of renamed ones: the path in the old tree. */
  from?: Name;
  /** st_mode, of removed ones as it was. */
  mode: number;
  /** What has changed of modified and renamed ones; after a "type" neither data, target nor rdev is compared. Empty for others. */
  changed: readonly ChangedField[];
  /** Where "data" has changed: bytes before, and now. */
  oldSize?: number;
  size?: number;
  /**
   * Where "data" has changed: pages, as bytes of the new file, that are not as before. What is behind the shorter of the two is compared
   * with zeros, as truncate() would fill it up. Sorted, apart from each other.
   */
  ranges?: readonly ByteRange[];
}

export interface DiffOptions {
  /** How paths are given: "utf8", where bytes that are none become U+FFFD, or "buffer". Default: "utf8". */
  encoding?: "utf8" | "buffer";
  /** In place of a list: the changes as the tar of an image layer (OCI), with whiteouts. */
  format?: "oci";
}

/** What kernel.diffAsync() takes: a list is all that it gives. */
export type DiffAsyncOptions = Omit<DiffOptions, "format">;

/** Changes as options say: with paths as text or bytes, or a tar. */
export type TreeChanges<Options extends DiffOptions> = Options extends { format: "oci" }
  ? Uint8Array
  : TreeChange<Options extends { encoding: "buffer" } ? Bytes : string>[];

function toBytes(path: string): Uint8Array {
  return latin1Bytes(path === "" ? "." : path);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function checkDiffOptions(options: DiffOptions, known = ["encoding", "format"]): void {
  checkKnown(options, known);
  const { encoding, format } = options;
  if (format !== undefined && format !== "oci") throw argValueError("options.format", format, "must be 'oci'");
  if (encoding !== undefined && encoding !== "utf8" && encoding !== "buffer")
    throw argValueError("options.encoding", encoding, "must be 'utf8' or 'buffer'");
}

/** What compares two directories as options say. */
export function comparing({ format }: DiffOptions): Compare<RawChange[] | Uint8Array> {
  return format === "oci" ? tarChanges : diffTrees;
}

/** Makes a comparison. @throws EFBIG for an archive that no array holds */
export function compared<T>(at: Path, compare: () => T): T {
  try {
    return compare();
  } catch (error) {
    throw error instanceof RangeError ? uvException(-EFBIG, "diff", at) : error;
  }
}

/** @param at where the tree is, for errors @throws what failed */
export function shownChanges<Options extends DiffOptions>(
  found: RawChange[] | Uint8Array | DiffFailure,
  at: Path,
  { encoding }: Options,
): TreeChanges<Options> {
  if ("rc" in found)
    // Nothing is written: what there is no space for is in memory.
    throw uvException(
      found.rc === -ENOSPC ? -ENOMEM : found.rc,
      "diff",
      found.path === "" ? at : joinBytes(at, toBytes(found.path)),
    );
  if (found instanceof Uint8Array) return found as TreeChanges<Options>;
  const shown = (path: string): string | Uint8Array => encodeName(toBytes(path), encoding);
  return found.map(({ path, kind, from, mode, changed, data }) => ({
    path: shown(path),
    kind,
    ...(from === undefined ? {} : { from: shown(from) }),
    mode,
    changed,
    ...data,
  })) as TreeChanges<Options>;
}

/** As checkDiffOptions(). */
export function checkDiffAsyncOptions(options: DiffAsyncOptions): void {
  checkDiffOptions(options, ["encoding"]);
}

/**
 * Compares until no store has to be asked any more.
 *
 * @param compare one try, whose outcome may be that of stores that are asked meanwhile
 */
export async function diffWaiting<Found>(
  compare: (wait: DiffWait) => Found,
  changesOf: (found: Found) => RawChange[] | DiffFailure,
): Promise<Found> {
  const wait = new DiffWait();
  for (;;) {
    const found = compare(wait);
    const changes = changesOf(found);
    if (Array.isArray(changes) || changes.rc !== -EAGAIN || !(await wait.answers())) return found;
  }
}

/** FolioKernel.diffAsync. */
export async function diffAsync<Options extends DiffAsyncOptions>(
  task: Task,
  a: PathLike,
  b: PathLike,
  options = {} as Options,
): Promise<TreeChanges<Options>> {
  const [from, to] = [task.fromCwd(toPath(a, "a")), task.fromCwd(toPath(b, "b"))];
  checkDiffAsyncOptions(options);
  const { found, at } = await diffWaiting(
    (wait) => comparePaths(task, from, to, diffTrees, wait),
    (tried) => tried.found,
  );
  return shownChanges(found, at, options);
}

/** FolioKernel.diff. */
export function diff<Options extends DiffOptions>(
  task: Task,
  a: PathLike,
  b: PathLike,
  options = {} as Options,
): TreeChanges<Options> {
  const [from, to] = [toPath(a, "a"), toPath(b, "b")];
  checkDiffOptions(options);
  const { found, at } = compared(to, () =>
    comparePaths(task, task.fromCwd(from), task.fromCwd(to), comparing(options)),
  );
  return shownChanges(found, at, options);
}
