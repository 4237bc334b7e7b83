/**
 * What has changed between two trees.
 *
 *   directory a    parts  U1 ─ L        names that the parts in common alone have are the same in both, and are not looked at:
 *   directory b    parts  U2 ─ L        those of U1 and U2 are looked up on both sides, whiteouts among them
 *
 * A directory that is of no overlay has one part, itself. So layers over one tree are compared in time in proportion to what they have
 * changed, and trees with nothing in common name by name.
 *
 * Names on one side alone are noted, not entered: those that stand for the same file become renames, and are compared with what they were.
 * Then directories that are left are entered, level by level, and names in them may be renames, too: until nothing new comes up.
 *
 * All of it is one call: nobody changes anything meanwhile. Mount points are what lies below the mount.
 *
 * Does not own: what is asked of one name (diff-entry.ts), data (diff-data.ts).
 */
import { EAGAIN } from "../../base/errno.ts";
import type { DentryHandle } from "../../base/handles.ts";
import { S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_MODE, STAT_NLINK } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import { MAY_EXEC, MAY_READ } from "../../wasm/layout.ts";
import type { LayerFile } from "./copy-data.ts";
import { compareData, type DataChange, type DataProgress, newProgress } from "./diff-data.ts";
import {
  type ChangedField,
  compareAttributes,
  type Described,
  describe,
  findName,
  isDir,
  marksOf,
  mayAccess,
  typeOf,
} from "./diff-entry.ts";
import type { DiffWait } from "./diff-wait.ts";
import { firstLower, upperOf } from "./entry.ts";
import { inodeOf } from "./layer-names.ts";
import { keyOf, listLayer } from "./readdir.ts";
import { bottomInode, isStacked, partsOf } from "./stack-parts.ts";

/** One change; paths are bytes as Latin-1 text, "" is the root. */
export interface RawChange {
  readonly kind: "added" | "removed" | "modified" | "renamed";
  readonly path: string;
  readonly from?: string;
  readonly mode: number;
  readonly changed: readonly ChangedField[];
  readonly data?: DataChange;
}

/** A name that one side alone has. */
interface Lonely extends Described {
  readonly path: string;
  isEntered: boolean;
  /** marksOf() it, when they have been asked for. */
  marks?: readonly string[];
}

/** A failure, and where. */
export interface DiffFailure {
  readonly rc: number;
  readonly path: string;
}

type Side = "a" | "b";
const SIDES = ["a", "b"] as const;

/** Directories by what a layer has of them: new ones, those that it has not changed, or no layer has, and those that are in it and below. */
const FRESH = 0;
const LOWER = 1;
const MOVED = 2;

/**
 * Compares two directories.
 *
 * @param wait of a comparison that may wait, which is tried again after -EAGAIN
 * @returns changes, sorted by path, parents first; or what failed
 */
export function diffTrees(task: Task, a: LayerFile, b: LayerFile, wait?: DiffWait): RawChange[] | DiffFailure {
  const diff = new TreeDiff(task, wait);
  try {
    const rc = diff.run(a, b);
    return rc < 0 ? { rc, path: diff.path } : diff.changes();
  } finally {
    diff.letGo();
  }
}

class TreeDiff {
  readonly #task: Task;
  readonly #kernel: Kernel;
  readonly #wait: DiffWait | undefined;
  readonly #changes: RawChange[] = [];
  /** Names of one side alone: removed ones, and added ones. */
  readonly #lonely = { a: new Map<string, Lonely>(), b: new Map<string, Lonely>() };
  /** Names of one side alone that have become renames. */
  readonly #paired = { a: new Set<string>(), b: new Set<string>() };
  readonly #held: DentryHandle[] = [];
  /** What is being looked at. */
  path = "";

  constructor(task: Task, wait: DiffWait | undefined) {
    this.#task = task;
    this.#kernel = task.kernel;
    this.#wait = wait;
  }

  run(a: LayerFile, b: LayerFile): number {
    let rc = this.#orLater(this.#comparePair("", "", a, b));
    if (rc < 0) return rc;
    do rc = this.#wait?.hasAsked ? -EAGAIN : this.#goOn();
    while (rc > 0);
    return rc;
  }

  /** What is not known before a store has answered is left for the next try. @returns 0 then, if others may be asked meanwhile */
  #orLater(rc: number): number {
    if (rc === 0) this.#wait?.noteDone();
    return rc === -EAGAIN && this.#wait?.note(this.#kernel) ? 0 : rc;
  }

  changes(): RawChange[] {
    const all = [...this.#changes];
    for (const { path, stat } of this.#lonely.a.values())
      all.push({ kind: "removed", path, mode: stat[STAT_MODE], changed: [] });
    for (const { path, stat } of this.#lonely.b.values())
      all.push({ kind: "added", path, mode: stat[STAT_MODE], changed: [] });
    const keyed = all.map((change) => ({ change, key: change.path.replaceAll("/", "\0") })); // below all bytes of names
    return keyed.sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0)).map(({ change }) => change);
  }

  letGo(): void {
    for (const dentry of this.#held) this.#kernel.core.x.dput(dentry);
    this.#kernel.evictInodes();
  }

  /** @returns 1 if something has come up; 0; a negated errno */
  #goOn(): number {
    const paired = this.#pairRenamed();
    return paired === 0 ? this.#enter() : paired;
  }

  // --- Names on both sides ----------------------------------------------------------------------------------------------

  #comparePair(from: string, path: string, a: LayerFile, b: LayerFile, isRenamed = false): number {
    this.path = path;
    const described = this.#describePair(a, b);
    if (typeof described === "number") return described;
    const [left, right] = described;
    const changed = this.#isSame(left, right) ? [] : compareAttributes(this.#task, left, right);
    if (typeof changed === "number") return changed;
    const data = this.#compareFiles(from, path, left, right);
    if (typeof data === "number") return data;
    if (data) changed.unshift("data"); // there is no "type" before it
    if (isRenamed || changed.length > 0)
      this.#changes.push({
        kind: isRenamed ? "renamed" : "modified",
        path,
        ...(isRenamed ? { from } : {}),
        mode: right.stat[STAT_MODE],
        changed,
        ...(data ? { data } : {}),
      });
    if (isDir(left) && isDir(right)) return this.#compareDirectories(from, path, left, right);
    if (isDir(left)) return this.#list("a", from, left);
    return isDir(right) ? this.#list("b", path, right) : 0;
  }

  #describePair(a: LayerFile, b: LayerFile): [Described, Described] | number {
    const left = describe(this.#kernel, a.dentry);
    if (typeof left === "number") return left;
    const right = describe(this.#kernel, b.dentry);
    if (typeof right === "number") return right;
    return [
      { mnt: a.mnt, dentry: a.dentry, stat: left },
      { mnt: b.mnt, dentry: b.dentry, stat: right },
    ];
  }

  /** Are they one file? */
  #isSame(a: LayerFile, b: LayerFile): boolean {
    const { core } = this.#kernel;
    const [from, to] = [inodeOf(core, a.dentry), inodeOf(core, b.dentry)];
    return bottomInode(this.#kernel, from) === bottomInode(this.#kernel, to);
  }

  #compareFiles(from: string, path: string, a: Described, b: Described): DataChange | undefined | number {
    if (typeOf(a) !== S_IFREG || typeOf(b) !== S_IFREG || this.#isSame(a, b)) return undefined;
    const denied = mayAccess(this.#kernel, a, MAY_READ) || mayAccess(this.#kernel, b, MAY_READ);
    if (denied) return denied;
    const compare = (progress: DataProgress): DataChange | undefined | number =>
      compareData(this.#kernel, a, b, progress);
    if (this.#wait === undefined) return compare(newProgress());
    return this.#wait.compare({ path: from, stat: a.stat }, { path, stat: b.stat }, compare);
  }

  #compareDirectories(from: string, path: string, a: LayerFile, b: LayerFile): number {
    const names = this.#namesToCompare(a.dentry, b.dentry);
    if (typeof names === "number") return names;
    if (names.size === 0) return 0;
    const denied = this.#mayList(a) || this.#mayList(b);
    if (denied) return denied;
    for (const [key, name] of names) {
      const rc = this.#orLater(this.#compareName(join(from, key), join(path, key), a, b, name));
      if (rc < 0) return rc;
    }
    return 0;
  }

  #mayList(dir: LayerFile): number {
    return mayAccess(this.#kernel, dir, MAY_READ | MAY_EXEC);
  }

  /** Names of parts that only one of two directories has. */
  #namesToCompare(a: DentryHandle, b: DentryHandle): Map<string, Uint8Array> | number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const parts = partsOf(kernel, a);
    const others = partsOf(kernel, b);
    const isCommon = (): boolean =>
      parts.length > 0 &&
      others.length > 0 &&
      inodeOf(core, parts.at(-1) as DentryHandle) === inodeOf(core, others.at(-1) as DentryHandle);
    while (isCommon()) {
      parts.pop();
      others.pop();
    }
    const names = new Map<string, Uint8Array>();
    for (const part of [...parts, ...others]) {
      const entries = listLayer(kernel, part);
      if (typeof entries === "number") return entries;
      for (const { name } of entries) names.set(keyOf(name), name);
    }
    return names;
  }

  #compareName(from: string, path: string, a: LayerFile, b: LayerFile, name: Uint8Array): number {
    this.path = path;
    const left = this.#find(a, name);
    if (left < 0) return left;
    const right = this.#find(b, name);
    const wasPaired = this.#paired.a.has(from) || this.#paired.b.has(path);
    const isPair = left > 0 && right > 0 && !wasPaired;
    let rc: number = Math.min(right, 0);
    if (rc === 0 && isPair)
      rc = this.#comparePair(from, path, { mnt: a.mnt, dentry: left }, { mnt: b.mnt, dentry: right });
    if (rc === 0 && left && !isPair) rc = this.#note("a", from, { mnt: a.mnt, dentry: left });
    if (rc === 0 && right && !isPair) rc = this.#note("b", path, { mnt: b.mnt, dentry: right });
    if (left) this.#kernel.core.x.dput(left);
    if (right > 0) this.#kernel.core.x.dput(right);
    return rc;
  }

  #find({ dentry }: LayerFile, name: Uint8Array): DentryHandle {
    return findName(this.#kernel, dentry, name);
  }

  // --- Names on one side ------------------------------------------------------------------------------------------------

  #note(side: Side, path: string, { mnt, dentry }: LayerFile): number {
    if (this.#paired[side].has(path) || this.#lonely[side].has(path)) return 0;
    const stat = describe(this.#kernel, dentry);
    if (typeof stat === "number") return stat;
    this.#kernel.core.x.dget(dentry);
    this.#held.push(dentry);
    this.#lonely[side].set(path, { mnt, dentry, path, stat, isEntered: false });
    return 0;
  }

  /** Notes all that is in a directory. */
  #list(side: Side, path: string, dir: LayerFile): number {
    this.path = path;
    const denied = this.#mayList(dir);
    if (denied) return denied;
    const entries = listLayer(this.#kernel, dir.dentry);
    if (typeof entries === "number") return entries;
    for (const { name } of entries) {
      const rc = this.#orLater(this.#noteName(side, path, dir, name));
      if (rc < 0) return rc;
    }
    return 0;
  }

  #noteName(side: Side, path: string, dir: LayerFile, name: Uint8Array): number {
    const found = this.#find(dir, name);
    if (found <= 0) return found;
    const rc = this.#note(side, join(path, keyOf(name)), { mnt: dir.mnt, dentry: found });
    this.#kernel.core.x.dput(found);
    return rc;
  }

  /**
   * Enters directories that have not been, one level: first those that cannot have been renamed, and last those that have, for what
   * they were may come up in others; it would be in vain then to have looked at all that is in them.
   *
   * @returns 1 if there were some; 0; a negated errno
   */
  #enter(): number {
    const left = SIDES.flatMap((side) =>
      [...this.#lonely[side].values()]
        .filter((entry) => !entry.isEntered && isDir(entry))
        .map((entry) => ({ side, entry, rank: this.#rankOf(entry) })),
    );
    if (left.length === 0) return 0;
    const first = left.reduce((least, { rank }) => Math.min(least, rank), MOVED);
    for (const { side, entry, rank } of left) {
      if (rank !== first) continue;
      entry.isEntered = true;
      const rc = this.#orLater(this.#list(side, entry.path, entry));
      if (rc < 0) return rc;
    }
    return 1;
  }

  #rankOf({ dentry }: Lonely): number {
    const { core } = this.#kernel;
    const inode = inodeOf(core, dentry);
    if (!isStacked(this.#kernel, inode) || upperOf(core, inode) === 0) return LOWER;
    return firstLower(core, inode) === undefined ? FRESH : MOVED;
  }

  /**
   * Finds names of both sides that stand for one file. Directories come first, from the root down, for they take along what is in them.
   *
   * @returns 1 if there were some; 0; a negated errno
   */
  #pairRenamed(): number {
    const added = new Map<string, Lonely>();
    for (const entry of this.#lonely.b.values()) {
      const marks = this.#marks(entry);
      if (typeof marks === "number") return marks;
      for (const mark of marks) if (!added.has(mark)) added.set(mark, entry);
    }
    if (added.size === 0) return 0;
    const removed = [...this.#lonely.a.values()].sort(
      (x, y) => Number(isDir(y)) - Number(isDir(x)) || depthOf(x) - depthOf(y),
    );
    let nr = 0;
    for (const entry of removed) {
      if (this.#lonely.a.get(entry.path) !== entry) continue;
      const marks = this.#marks(entry);
      if (typeof marks === "number") return marks;
      const mark = marks.find((each) => added.has(each));
      const partner = mark === undefined ? undefined : (added.get(mark) as Lonely);
      if (partner === undefined || this.#lonely.b.get(partner.path) !== partner) continue;
      if (typeOf(partner) !== typeOf(entry)) continue;
      const rc = this.#orLater(this.#pair(entry, partner));
      if (rc < 0) return rc;
      nr = 1;
    }
    return nr;
  }

  /** A file with several names is known by none. */
  #marks(entry: Lonely): readonly string[] | number {
    if (entry.marks !== undefined) return entry.marks;
    const isOne = isDir(entry) || entry.stat[STAT_NLINK] <= 1;
    const marks = isOne ? marksOf(this.#kernel, inodeOf(this.#kernel.core, entry.dentry)) : [];
    if (typeof marks !== "number") entry.marks = marks;
    return marks;
  }

  #pair(removed: Lonely, added: Lonely): number {
    this.#take("a", removed);
    this.#take("b", added);
    return this.#comparePair(removed.path, added.path, removed, added, true);
  }

  /** What has been noted of names in it is found again when they are compared. */
  #take(side: Side, { path, isEntered }: Lonely): void {
    const lonely = this.#lonely[side];
    lonely.delete(path);
    this.#paired[side].add(path);
    if (!isEntered) return;
    for (const key of lonely.keys()) if (key.startsWith(`${path}/`)) lonely.delete(key);
  }
}

function join(dir: string, name: string): string {
  return dir === "" ? name : `${dir}/${name}`;
}

function depthOf({ path }: Lonely): number {
  return path.split("/").length;
}
