/**
 * Performs calls as one task, on whatever has the face of node:fs: foliofs, another file system, or the host's kernel in a
 * child process.
 *
 * Open files are kept in slots, so that calls can name descriptors before there are any. A slot keeps nothing of a file
 * that has been closed: calls on it fail with EBADF, on a number that nobody has.
 */
import { LOCK_NB } from "../base/stat-flags.ts";
import type { NodeModule } from "../node/face/node-types.ts";
import type { Arg, Call, Hex, Outcome } from "./call.ts";
import { bytesOf, makeView, outsideOf, viewWith } from "./data-view.ts";
import { optionsThat, type Victim } from "./deeds.ts";
import { type Detail, describeBytes, describeDirents, describeError, describeStats } from "./describe.ts";
import { bytesFor } from "./pattern.ts";
import { describeTree } from "./tree.ts";
import { EVENTS, Watched } from "./watched.ts";

/** The face of node:fs. */
export type NodeFs = NodeModule;

/** A task: a face of node:fs, and what `process` has for the process. */
export interface TaskFace {
  readonly fs: NodeFs;
  chdir(path: string | Buffer): void;
  /** @returns the mask before */
  umask(mask: number): number;
  cwd(): string;
  /** flock(2), where it can be asked for. */
  flock?(fd: number, operation: number): void;
  /** Node keeps what process.cwd() has said until the next chdir(); has it look again. */
  forgetCwd?(): void;
  /** It has no working directory of its own: relative paths begin at the root. */
  readonly hasNoCwd?: boolean;
}

/** A descriptor that is never open. */
const NO_FD = 1_000_000;
export const FIRST_UMASK = 0o022;

/** Says whether a call may be made: see confine.ts. */
export type MayCall = (call: string, paths: readonly (string | Buffer)[]) => boolean;

type Path = string | Buffer;
/** A form of writeSync() that the types of Node 20 have not. */
type WriteByOptions = (fd: number, buffer: NodeJS.ArrayBufferView, options: object) => number;

/** What calls are made on. */
interface Hands {
  readonly fs: NodeFs;
  readonly task: TaskFace;
  readonly root: string;
  readonly detail: Detail;
  /** What was read. */
  describe(bytes: Uint8Array): string;
  path(arg: Arg): Path;
  /** What a symbolic link says. */
  target(arg: Arg): Path;
  readonly watched: Watched;
  fd(arg: Arg): number;
  put(slot: Arg, fd: number): void;
  drop(slot: Arg): void;
}

type Performer = (on: Hands, args: readonly Arg[]) => unknown;

/** Reads by buffers of so many bytes each. @param view what they are */
function readInto(
  on: Hands,
  lengths: readonly number[],
  view: Arg,
  read: (buffers: readonly NodeJS.ArrayBufferView[]) => number,
): string {
  const buffers = lengths.map((length) => makeView(view as number, length));
  const nrRead = read(buffers);
  const bytes = buffers.length === 1 ? bytesOf(buffers[0]) : Buffer.concat(buffers.map(bytesOf));
  return `${nrRead} ${on.describe(bytes.subarray(0, nrRead))}${buffers.map((one) => outsideOf(one, view as number)).join("")}`;
}

/** Buffers with so many bytes each. */
function filled(lengths: readonly Arg[], seed: Arg, view: Arg): NodeJS.ArrayBufferView[] {
  return lengths.map((length) => viewWith(view as number, bytesFor(length as number, seed as number)));
}

function victimOf(on: Hands, slot: Arg, view: NodeJS.ArrayBufferView): Victim {
  return {
    view,
    truncate: (size) => on.fs.ftruncateSync(on.fd(slot), size),
    close: () => closeSlot(on, slot),
  };
}

function closeSlot(on: Hands, slot: Arg): void {
  const fd = on.fd(slot);
  on.drop(slot);
  on.fs.closeSync(fd);
}

/** A path in an answer, without the folder of an oracle that has no root of its own. */
function withoutRoot(path: string | Buffer | undefined, root: string): string {
  if (path === undefined) return "undefined";
  const text = typeof path === "string" ? path : path.toString("latin1");
  return JSON.stringify(root !== "" && text.startsWith(root) ? text.slice(root.length) || "/" : text);
}

/** What is larger is not read whole, nor copied: a file of a terabyte of holes is soon made. */
const MOST_WHOLE_BYTES = 1 << 24;
const TOO_LARGE = "too large to read whole";

function isTooLarge(stat: () => { readonly size: number }): boolean {
  try {
    return stat().size > MOST_WHOLE_BYTES;
  } catch {
    return false;
  }
}

/** By name: the path arguments that come first, and what is done. */
const CALLS: Readonly<Record<string, readonly [nrPaths: number, perform: Performer]>> = {
  open: [
    1,
    (on, [path, slot, flags, mode]) => {
      const fd = on.fs.openSync(on.path(path), flags as number, mode as number);
      on.put(slot, fd);
    },
  ],
  close: [0, (on, [slot]) => closeSlot(on, slot)],
  read: [
    0,
    (on, [slot, length, position, view]) => {
      const fd = on.fd(slot);
      return readInto(on, [length as number], view, ([buffer]) =>
        on.fs.readSync(fd, buffer, 0, length as number, position as number | null),
      );
    },
  ],
  readv: [
    0,
    (on, [slot, one, two, position, view]) => {
      const fd = on.fd(slot);
      return readInto(on, [one as number, two as number], view, (buffers) =>
        on.fs.readvSync(fd, buffers, position as number),
      );
    },
  ],
  readBy: [
    0,
    (on, [slot, length, position, view, deed]) => {
      const fd = on.fd(slot);
      return readInto(on, [length as number], view, ([buffer]) =>
        on.fs.readSync(fd, buffer, optionsThat(deed, victimOf(on, slot, buffer), { length, position })),
      );
    },
  ],
  write: [
    0,
    (on, [slot, length, seed, position, view]) =>
      on.fs.writeSync(on.fd(slot), filled([length], seed, view)[0], 0, length as number, position as number | null),
  ],
  writev: [
    0,
    (on, [slot, one, two, seed, position, view]) =>
      on.fs.writevSync(on.fd(slot), filled([one, two], seed, view), position as number | undefined),
  ],
  writeBy: [
    0,
    (on, [slot, length, seed, position, view, deed]) => {
      const fd = on.fd(slot);
      const [buffer] = filled([length], seed, view);
      const options = optionsThat(deed, victimOf(on, slot, buffer), { length, position });
      return (on.fs.writeSync as unknown as WriteByOptions)(fd, buffer, options);
    },
  ],
  ftruncate: [0, (on, [slot, size]) => on.fs.ftruncateSync(on.fd(slot), size as number)],
  fstat: [0, (on, [slot]) => describeStats(on.fs.fstatSync(on.fd(slot)), on.detail)],
  fchmod: [0, (on, [slot, mode]) => on.fs.fchmodSync(on.fd(slot), mode as number)],
  fchown: [0, (on, [slot, uid, gid]) => on.fs.fchownSync(on.fd(slot), uid as number, gid as number)],
  futimes: [0, (on, [slot, atime, mtime]) => on.fs.futimesSync(on.fd(slot), atime as number, mtime as number)],
  fsync: [0, (on, [slot]) => on.fs.fsyncSync(on.fd(slot))],
  fdatasync: [0, (on, [slot]) => on.fs.fdatasyncSync(on.fd(slot))],
  flock: [
    0,
    (on, [slot, operation]) => {
      if (on.task.flock === undefined) throw new Error("there are no locks");
      // None waits, whatever a shorter program makes of the operation.
      on.task.flock(on.fd(slot), (operation as number) | LOCK_NB);
    },
  ],
  readFd: [
    0,
    (on, [slot]) => {
      const fd = on.fd(slot);
      return isTooLarge(() => on.fs.fstatSync(fd)) ? TOO_LARGE : on.describe(on.fs.readFileSync(fd));
    },
  ],

  stat: [1, (on, [path]) => describeStats(on.fs.statSync(on.path(path)), on.detail)],
  lstat: [1, (on, [path]) => describeStats(on.fs.lstatSync(on.path(path)), on.detail)],
  access: [1, (on, [path, mode]) => on.fs.accessSync(on.path(path), mode as number)],
  exists: [1, (on, [path]) => on.fs.existsSync(on.path(path))],
  mkdir: [1, (on, [path, mode]) => on.fs.mkdirSync(on.path(path), mode as number)],
  mkdirs: [
    1,
    (on, [path, mode]) =>
      withoutRoot(on.fs.mkdirSync(on.path(path), { recursive: true, mode: mode as number }), on.root),
  ],
  rmdir: [1, (on, [path]) => on.fs.rmdirSync(on.path(path))],
  unlink: [1, (on, [path]) => on.fs.unlinkSync(on.path(path))],
  rename: [2, (on, [from, to]) => on.fs.renameSync(on.path(from), on.path(to))],
  link: [2, (on, [from, to]) => on.fs.linkSync(on.path(from), on.path(to))],
  symlink: [1, (on, [path, target]) => on.fs.symlinkSync(on.target(target), on.path(path))],
  readlink: [1, (on, [path]) => withoutRoot(on.fs.readlinkSync(on.path(path), { encoding: "buffer" }), on.root)],
  realpath: [1, (on, [path]) => withoutRoot(on.fs.realpathSync.native(on.path(path), { encoding: "buffer" }), on.root)],
  realpathJs: [
    1,
    (on, [path]) => {
      on.task.forgetCwd?.();
      return withoutRoot(on.fs.realpathSync(on.path(path)), on.root);
    },
  ],
  chmod: [1, (on, [path, mode]) => on.fs.chmodSync(on.path(path), mode as number)],
  chown: [1, (on, [path, uid, gid]) => on.fs.chownSync(on.path(path), uid as number, gid as number)],
  lchown: [1, (on, [path, uid, gid]) => on.fs.lchownSync(on.path(path), uid as number, gid as number)],
  utimes: [1, (on, [path, atime, mtime]) => on.fs.utimesSync(on.path(path), atime as number, mtime as number)],
  lutimes: [1, (on, [path, atime, mtime]) => on.fs.lutimesSync(on.path(path), atime as number, mtime as number)],
  truncate: [1, (on, [path, size]) => on.fs.truncateSync(on.path(path), size as number)],
  readdir: [
    1,
    (on, [path]) =>
      on.fs
        .readdirSync(on.path(path), { encoding: "buffer" })
        .map((name) => JSON.stringify(name.toString("latin1")))
        .join(" "),
  ],
  readdirTypes: [1, (on, [path]) => describeDirents(on.fs.readdirSync(on.path(path), { withFileTypes: true }))],
  readFile: [
    1,
    (on, [name]) => {
      const path = on.path(name);
      return isTooLarge(() => on.fs.statSync(path)) ? TOO_LARGE : on.describe(on.fs.readFileSync(path));
    },
  ],
  writeFile: [
    1,
    (on, [path, length, seed, view]) => on.fs.writeFileSync(on.path(path), filled([length], seed, view)[0]),
  ],
  appendFile: [
    1,
    (on, [path, length, seed, view]) =>
      on.fs.appendFileSync(on.path(path), filled([length], seed, view)[0] as Uint8Array),
  ],
  copyFile: [
    2,
    (on, [from, to, mode]) => {
      const source = on.path(from);
      if (isTooLarge(() => on.fs.statSync(source))) return TOO_LARGE;
      on.fs.copyFileSync(source, on.path(to), mode as number);
    },
  ],

  chdir: [1, (on, [path]) => on.task.chdir(on.path(path))],
  cwd: [
    0,
    (on) => {
      on.task.forgetCwd?.();
      return withoutRoot(on.task.cwd(), on.root);
    },
  ],
  umask: [0, (on, [mask]) => on.task.umask(mask as number)],
  watch: [1, (on, [path, slot]) => on.watched.watch(on.fs, on.path(path), slot)],
  unwatch: [0, (on, [slot]) => on.watched.close(slot)],
  [EVENTS]: [0, (on) => on.watched.take()],
  /** A checkpoint. Of the first task alone, who is root: others may not see all. */
  tree: [0, (on) => describeTree(on.fs, on.root, on.detail).join("\n")],
};

export const CALL_NAMES: readonly string[] = Object.keys(CALLS);

export interface PerformerOptions {
  /** Where `/` is, without a slash at its end: "" for a task that has a root of its own. */
  readonly root: string;
  readonly detail: Detail;
  /** How bytes that were read are told; describeBytes() if left out. */
  readonly describe?: (bytes: Uint8Array) => string;
  /** All calls may be made if left out. */
  readonly mayCall?: MayCall;
}

/** One task's calls. */
export class TaskPerformer {
  readonly #hands: Hands;
  readonly #slots = new Map<Arg, number>();
  readonly #watched = new Watched();
  readonly #task: TaskFace;
  readonly #options: PerformerOptions;

  constructor(task: TaskFace, options: PerformerOptions) {
    this.#task = task;
    this.#options = options;
    const { root, detail, describe = describeBytes } = options;
    this.#hands = {
      fs: task.fs,
      task,
      root,
      detail,
      describe,
      watched: this.#watched,
      path: (arg) => (task.hasNoCwd ? fromTop(toPath(arg, root)) : toPath(arg, root)),
      target: (arg) => toPath(arg, root),
      fd: (slot) => this.#slots.get(slot) ?? NO_FD,
      put: (slot, fd) => {
        this.#closeSlot(slot);
        this.#slots.set(slot, fd);
      },
      drop: (slot) => void this.#slots.delete(slot),
    };
  }

  /** @returns what came of it @throws Error when there is no such call */
  perform({ call, args }: Call): Outcome {
    const known = CALLS[call];
    if (known === undefined) throw new Error(`there is no call ${call}`);
    const [nrPaths, perform] = known;
    const { mayCall, root, detail } = this.#options;
    if (
      mayCall !== undefined &&
      !mayCall(
        call,
        args.slice(0, nrPaths).map((arg) => toPath(arg, root)),
      )
    )
      return null;
    try {
      const value = perform(this.#hands, args);
      return value === undefined ? "ok" : String(value);
    } catch (error) {
      return describeError(error, detail);
    }
  }

  /** Whether anything has been watched since the last reset(). */
  get hasWatched(): boolean {
    return this.#watched.isUsed;
  }

  /** As at the beginning of a program. */
  reset(): void {
    this.#watched.reset();
    for (const slot of this.#slots.keys()) this.#closeSlot(slot);
    this.#slots.clear();
    this.#task.umask(FIRST_UMASK);
    this.#task.chdir(this.#options.root || "/");
  }

  #closeSlot(slot: Arg): void {
    const fd = this.#slots.get(slot);
    if (fd !== undefined) this.#task.fs.closeSync(fd);
  }
}

function fromTop(path: Path): Path {
  if (typeof path === "string") return path.startsWith("/") || path === "" ? path : `/${path}`;
  return path[0] === 0x2f ? path : Buffer.concat([Buffer.from("/"), path]);
}

/** Absolute paths begin at the root. */
function toPath(arg: Arg, root: string): Path {
  if (typeof arg === "string") return root !== "" && arg.startsWith("/") ? root + arg : arg;
  const bytes = Buffer.from((arg as Hex).hex, "hex");
  return root !== "" && bytes[0] === 0x2f ? Buffer.concat([Buffer.from(root), bytes]) : bytes;
}
