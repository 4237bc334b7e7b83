/**
 * Changes between trees as programs see them (`fs.kernel.diff()`, `layer.diff()`).
 *
 * Does not own: how they are found (fs/overlay/diff-tree.ts).
 */
import { EAGAIN, ENOMEM, ENOSPC } from "./base/errno.ts";
import type { ByteRange } from "./fs/overlay/diff-data.ts";
import type { ChangedField } from "./fs/overlay/diff-entry.ts";
import type { DiffFailure, RawChange } from "./fs/overlay/diff-tree.ts";
import { DiffWait } from "./fs/overlay/diff-wait.ts";
import { diffPaths } from "./fs/overlay/layer-mount.ts";
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
}

/** Changes with paths as options say. */
export type TreeChanges<Options extends DiffOptions> = TreeChange<
  Options extends { encoding: "buffer" } ? Bytes : string
>[];

function toBytes(path: string): Uint8Array {
  return Uint8Array.from(path === "" ? "." : path, (char) => char.charCodeAt(0));
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function checkDiffOptions(options: DiffOptions): void {
  checkKnown(options, ["encoding"]);
  const { encoding } = options;
  if (encoding !== undefined && encoding !== "utf8" && encoding !== "buffer")
    throw argValueError("options.encoding", encoding, "must be 'utf8' or 'buffer'");
}

/** @param at where the tree is, for errors @throws what failed */
export function shownChanges<Options extends DiffOptions>(
  found: RawChange[] | DiffFailure,
  at: Path,
  { encoding }: Options,
): TreeChanges<Options> {
  if (!Array.isArray(found))
    // Nothing is written: what there is no space for is in memory.
    throw uvException(
      found.rc === -ENOSPC ? -ENOMEM : found.rc,
      "diff",
      found.path === "" ? at : joinBytes(at, toBytes(found.path)),
    );
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
export async function diffAsync<Options extends DiffOptions>(
  task: Task,
  a: PathLike,
  b: PathLike,
  options = {} as Options,
): Promise<TreeChanges<Options>> {
  const [from, to] = [task.fromCwd(toPath(a, "a")), task.fromCwd(toPath(b, "b"))];
  checkDiffOptions(options);
  const found = await diffWaiting(
    (wait) => diffPaths(task, from, to, wait),
    ({ changes }) => changes,
  );
  return shownChanges(found.changes, found.at, options);
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
  const { changes, at } = diffPaths(task, task.fromCwd(from), task.fromCwd(to));
  return shownChanges(changes, at, options);
}
