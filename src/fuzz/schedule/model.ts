/**
 * A small file system, as a sequential machine: what calls of several chains may come to (linearize.ts).
 *
 * One step each, as on Linux, are: to look up a name, and to make, take, link or move one (under the lock of the directories); to list a
 * directory; to read or write what lies in one page; to cut a file. A write has its file's lock (i_rwsem) from its first page to its
 * last, so that other writes and cuts come before or behind it; reads have none, and may see a part of it. Who reads or writes at the
 * file's position has that for as long (f_pos_lock).
 *
 * A call that may be EAGAIN, or fail since a store has, has made whatever steps it has made by then, and no part of one.
 *
 * Does not own: which calls may be EAGAIN (machine.ts), the forms of calls (perform-async.ts).
 */
import { type AsyncCall, CELLS_A_PAGE, HOLE, SHARED_SLOT } from "./async-call.ts";
import type { Spec, Stage } from "./linearize.ts";

/** A call, whether it may fail with EAGAIN where it cannot go on, and what else it may fail with: faults of stores so far. */
export interface ModelCall {
  readonly call: AsyncCall;
  readonly mayEagain: boolean;
  readonly faults: ReadonlySet<string>;
}

interface Node {
  /** A character a cell; undefined = a directory. */
  readonly cells?: string;
  readonly names: Readonly<Record<string, number>>;
  readonly nlink: number;
  /** Permission bits. */
  readonly mode: number;
  /** A directory that has been removed. */
  readonly isDead: boolean;
  /** The call that writes; 0 = none. */
  readonly lock: number;
}

interface OpenFile {
  readonly ino: number;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly appends: boolean;
  /** Cells. */
  readonly pos: number;
  /** The call that reads or writes at the position; 0 = none. */
  readonly lock: number;
}

export interface ModelState {
  readonly nodes: Readonly<Record<number, Node>>;
  /** By slotKey(). */
  readonly files: Readonly<Record<string, OpenFile>>;
}

export interface ModelStage extends Stage {
  /** Number of its next step. */
  readonly pc: number;
  readonly dir: number;
  readonly otherDir: number;
  readonly ino: number;
  /** Where it reads or writes next, and how much is left; cells. */
  readonly pos: number;
  readonly left: number;
  /** What it has read, or how much it has written. */
  readonly got: string;
  readonly answer?: string;
}

export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;

const ROOT = 0;
/** Numbers of calls begin here, and so do those of the files that they make. */
export const FIRST_ID = 100;
/** Of what is made, with a umask of 0o022. */
const NEW_MODE = 0o644;
const NEW_DIR_MODE = 0o755;
const NO_STAGE: ModelStage = { pc: 0, dir: ROOT, otherDir: ROOT, ino: -1, pos: 0, left: 0, got: "", answer: undefined };

interface On {
  readonly state: ModelState;
  readonly id: number;
  readonly call: AsyncCall;
  readonly stage: ModelStage;
}
type Next = readonly [ModelState, ModelStage];
/** A step of a call; undefined = it has to wait. */
type Step = (on: On) => Next | undefined;

// --- Parts of states --------------------------------------------------------------------------------------------------

/** Names in order, so that equal records are equal text. */
function withEntry<T>(record: Readonly<Record<string, T>>, key: string, value: T | undefined): Record<string, T> {
  const entries = Object.entries(record).filter(([other]) => other !== key);
  if (value !== undefined) entries.push([key, value]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fileNode(cells: string): Node {
  return { cells, names: {}, nlink: 1, mode: NEW_MODE, isDead: false, lock: 0 };
}

function dirNode(names: Readonly<Record<string, number>>): Node {
  return { cells: undefined, names, nlink: 2, mode: NEW_DIR_MODE, isDead: false, lock: 0 };
}

function withNode(state: ModelState, ino: number, change: Partial<Node>): ModelState {
  return { ...state, nodes: { ...state.nodes, [ino]: { ...state.nodes[ino], ...change } } };
}

function withName(state: ModelState, dir: number, name: string, ino: number | undefined): ModelState {
  return withNode(state, dir, { names: withEntry(state.nodes[dir].names, name, ino) });
}

function withFile(state: ModelState, key: string, file: OpenFile | undefined): ModelState {
  return { ...state, files: withEntry(state.files, key, file) };
}

function isDir({ cells }: Node): boolean {
  return cells === undefined;
}

function slotKey({ task, args }: AsyncCall, arg = 0): string {
  return args[arg] === SHARED_SLOT ? SHARED_SLOT : `${task}.${args[arg]}`;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function childOf(state: ModelState, dir: number, name: string): number | undefined {
  return state.nodes[dir].isDead ? undefined : state.nodes[dir].names[name];
}

/** Whether a directory is another one, or lies above it. */
function isAbove(state: ModelState, ino: number, below: number): boolean {
  return ino === below || Object.values(state.nodes[ino].names).some((child) => isAbove(state, child, below));
}

/** One name of it less. */
function withoutLink(state: ModelState, ino: number): ModelState {
  const node = state.nodes[ino];
  return withNode(state, ino, isDir(node) ? { isDead: true } : { nlink: node.nlink - 1 });
}

/** What a call has locked is free. */
function unlocked(state: ModelState, id: number): ModelState {
  let next = state;
  for (const [ino, { lock }] of Object.entries(state.nodes))
    if (lock === id) next = withNode(next, Number(ino), { lock: 0 });
  for (const [key, file] of Object.entries(state.files))
    if (file.lock === id) next = withFile(next, key, { ...file, lock: 0 });
  return next;
}

// --- Steps ------------------------------------------------------------------------------------------------------------

function goOn({ state, stage }: On, change: Partial<ModelStage> = {}, next = state): Next {
  return [next, { ...stage, pc: stage.pc + 1, ...change }];
}

function done({ state, id, stage }: On, answer: string, next = state): Next {
  return [unlocked(next, id), { ...stage, answer }];
}

/** Finds the directory of a path of one or two names. */
function walk(arg: number, into: "dir" | "otherDir"): Step {
  return (on) => {
    const parts = String(on.call.args[arg]).split("/");
    if (parts.length === 1) return goOn(on, { [into]: ROOT });
    const dir = childOf(on.state, ROOT, parts[0]);
    if (dir === undefined) return done(on, "ENOENT");
    return isDir(on.state.nodes[dir]) ? goOn(on, { [into]: dir }) : done(on, "ENOTDIR");
  };
}

/** Looks the last name up, as create(); the path of no name is the root. @param writes whether a directory is EISDIR */
function lookup(arg: number, writes = false): Step {
  return (on) => {
    const name = lastName(String(on.call.args[arg]));
    const ino = name === "" ? ROOT : childOf(on.state, on.stage.dir, name);
    if (ino === undefined) return done(on, "ENOENT");
    return writes && isDir(on.state.nodes[ino]) ? done(on, "EISDIR") : goOn(on, { ino, left: 1 });
  };
}

/** Finds a file, or makes it. What was there may have to be cut: `left` is 1 then. */
function create(arg: number, isExclusive: boolean): Step {
  return (on) => {
    const { state, stage, id } = on;
    const name = lastName(String(on.call.args[arg]));
    const ino = childOf(state, stage.dir, name);
    if (ino !== undefined && isExclusive) return done(on, "EEXIST");
    if (ino !== undefined) return isDir(state.nodes[ino]) ? done(on, "EISDIR") : goOn(on, { ino, left: 1 });
    if (state.nodes[stage.dir].isDead) return done(on, "ENOENT");
    const made = { ...state, nodes: { ...state.nodes, [id]: fileNode("") } };
    return goOn(on, { ino: id, left: 0 }, withName(made, stage.dir, name, id));
  };
}

function cut(cells: string, length: number): string {
  return cells.slice(0, length).padEnd(length, HOLE);
}

/** Cuts the file, when nobody writes to it. @param isNeeded else it goes on */
function truncate(length: (call: AsyncCall) => number, isNeeded = (_on: On) => true): Step {
  return (on) => {
    const { state, stage } = on;
    if (!isNeeded(on)) return goOn(on);
    const { lock, cells = "" } = state.nodes[stage.ino];
    if (lock !== 0) return undefined;
    return goOn(on, {}, withNode(state, stage.ino, { cells: cut(cells, length(on.call)) }));
  };
}

const emptied = truncate(
  () => 0,
  ({ stage }) => stage.left > 0,
);

const ok: Step = (on) => done(on, "ok");

/** The inode of an open file; "none" where the slot is empty. @param check what else is to hold of it */
function fileOf(check: (file: OpenFile, node: Node) => string | undefined = () => undefined): Step {
  return (on) => {
    const file = on.state.files[slotKey(on.call)];
    if (file === undefined) return done(on, "none");
    const wrong = check(file, on.state.nodes[file.ino]);
    return wrong === undefined ? goOn(on, { ino: file.ino }) : done(on, wrong);
  };
}

/** Begins to read or write: at the position that is given, or at the file's, which nobody else has then. */
const takePosition: Step = (on) => {
  const { state, call, id } = on;
  const [, at, length] = call.args;
  const key = slotKey(call);
  const file = state.files[key];
  if (at !== null) return goOn(on, { pos: at as number, left: length as number });
  if (file === undefined || file.lock !== 0) return undefined; // whose file is closed by now has had its position before
  return goOn(on, { pos: file.pos, left: length as number }, withFile(state, key, { ...file, lock: id }));
};

/** Where a call at the file's position has ended, that goes on. */
function doneAt(on: On, answer: string): Next {
  const { state, call, id, stage } = on;
  const key = slotKey(call);
  const file = state.files[key];
  if (file?.lock !== id) return done(on, answer);
  return done(on, answer, withFile(state, key, { ...file, pos: stage.pos }));
}

/** Has the file's lock. @param appends whether it goes on at its end */
function lockFile(appends: (on: On) => boolean): Step {
  return (on) => {
    const { state, stage, id } = on;
    const { lock, cells = "" } = state.nodes[stage.ino];
    if (lock !== 0) return undefined;
    return goOn(on, appends(on) ? { pos: cells.length } : {}, withNode(state, stage.ino, { lock: id }));
  };
}

function pieceOf({ pos, left }: ModelStage): number {
  return Math.min(left, CELLS_A_PAGE - (pos % CELLS_A_PAGE));
}

/** Reads what lies in one page, again and again. */
const readPiece: Step = (on) => {
  const { cells = "" } = on.state.nodes[on.stage.ino];
  const { pos, left, got } = on.stage;
  const piece = cells.slice(pos, pos + pieceOf(on.stage));
  if (piece === "") return doneAt(on, `read ${got}`);
  const { length } = piece;
  return goOn(on, { pc: on.stage.pc, pos: pos + length, left: left - length, got: got + piece });
};

/** Writes what lies in one page, again and again; the character is the last argument. @param answer of how many cells */
function writePiece(answer: (cells: number) => string): Step {
  return (on) => {
    const { state, stage, call } = on;
    const { pos, left, got } = stage;
    const length = pieceOf(stage);
    if (length === 0) return doneAt(on, answer(got.length));
    const piece = String(call.args.at(-1)).repeat(length);
    const { cells = "" } = state.nodes[stage.ino];
    const written = cells.slice(0, pos).padEnd(pos, HOLE) + piece + cells.slice(pos + length);
    const change = { pc: stage.pc, pos: pos + length, left: left - length, got: got + piece };
    return goOn(on, change, withNode(state, stage.ino, { cells: written }));
  };
}

/** Node asks for the size before it reads a whole file, and reads no more than that; what has none it reads to its end. */
const readSize: Step = (on) => {
  const { cells } = on.state.nodes[on.stage.ino];
  if (cells === undefined) return done(on, "EISDIR");
  return goOn(on, { left: cells.length || Number.MAX_SAFE_INTEGER });
};

function describe(node: Node): string {
  const { cells, nlink, mode } = node;
  return `${isDir(node) ? "directory" : `file of ${cells?.length}, ${nlink} links`}, mode ${mode.toString(8)}`;
}

const stat: Step = (on) => done(on, describe(on.state.nodes[on.stage.ino]));

/** The mode is the last argument. */
const chmod: Step = (on) => done(on, "ok", withNode(on.state, on.stage.ino, { mode: on.call.args[1] as number }));

const list: Step = (on) => {
  const node = on.state.nodes[on.stage.ino];
  return done(on, isDir(node) ? `names ${Object.keys(node.names).join(" ")}` : "ENOTDIR");
};

const rename: Step = (on) => {
  const { state, stage, call } = on;
  const [from, to] = call.args.map((path) => lastName(String(path)));
  const old = childOf(state, stage.dir, from);
  if (old === undefined || state.nodes[stage.otherDir].isDead) return done(on, "ENOENT");
  const target = childOf(state, stage.otherDir, to);
  if (isAbove(state, old, stage.otherDir)) return done(on, "EINVAL");
  if (target !== undefined && isAbove(state, target, stage.dir)) return done(on, "ENOTEMPTY");
  if (target === old) return done(on, "ok");
  const refused = target === undefined ? undefined : cannotReplace(state.nodes[old], state.nodes[target]);
  if (refused !== undefined) return done(on, refused);
  const without = withName(target === undefined ? state : withoutLink(state, target), stage.dir, from, undefined);
  return done(on, "ok", withName(without, stage.otherDir, to, old));
};

function cannotReplace(old: Node, target: Node): string | undefined {
  if (isDir(old) && !isDir(target)) return "ENOTDIR";
  if (!isDir(old) && isDir(target)) return "EISDIR";
  return Object.keys(target.names).length > 0 ? "ENOTEMPTY" : undefined;
}

const link: Step = (on) => {
  const { state, stage, call } = on;
  const name = lastName(String(call.args[1]));
  const { isDead, names } = state.nodes[stage.otherDir];
  const node = state.nodes[stage.ino];
  if (isDead) return done(on, "ENOENT");
  if (names[name] !== undefined) return done(on, "EEXIST");
  if (isDir(node)) return done(on, "EPERM");
  if (node.nlink === 0) return done(on, "ENOENT");
  const linked = withNode(state, stage.ino, { nlink: node.nlink + 1 });
  return done(on, "ok", withName(linked, stage.otherDir, name, stage.ino));
};

/** @param isOf what it has to be @param wrong what it is else */
function remove(isOf: (node: Node) => boolean, wrong: string): Step {
  return (on) => {
    const { state, stage, call } = on;
    const name = lastName(String(call.args[0]));
    const ino = childOf(state, stage.dir, name);
    if (ino === undefined) return done(on, "ENOENT");
    if (!isOf(state.nodes[ino])) return done(on, wrong);
    if (Object.keys(state.nodes[ino].names).length > 0) return done(on, "ENOTEMPTY");
    return done(on, "ok", withName(withoutLink(state, ino), stage.dir, name, undefined));
  };
}

const mkdir: Step = (on) => {
  const { state, stage, call, id } = on;
  const name = lastName(String(call.args[0]));
  if (childOf(state, stage.dir, name) !== undefined) return done(on, "EEXIST");
  if (state.nodes[stage.dir].isDead) return done(on, "ENOENT");
  const made = { ...state, nodes: { ...state.nodes, [id]: dirNode({}) } };
  return done(on, "ok", withName(made, stage.dir, name, id));
};

/** Puts an open file into its slot. */
const install: Step = (on) => {
  const { state, stage, call } = on;
  const flags = call.args[2] as number;
  const file = {
    ino: stage.ino,
    reads: (flags & O_WRONLY) === 0,
    writes: (flags & (O_WRONLY | O_RDWR)) !== 0,
    appends: (flags & O_APPEND) !== 0,
    pos: 0,
    lock: 0,
  };
  return done(on, "ok", withFile(state, slotKey(call, 1), file));
};

const isFree: Step = (on) => (on.state.files[slotKey(on.call, 1)] === undefined ? goOn(on) : done(on, "full"));

/** Path, slot, flags. */
function open({ args }: AsyncCall): readonly Step[] {
  const flags = args[2] as number;
  const writes = (flags & (O_WRONLY | O_RDWR)) !== 0;
  const find = (flags & O_CREAT) !== 0 ? create(0, (flags & O_EXCL) !== 0) : lookup(0, writes);
  return [isFree, walk(0, "dir"), find, ...((flags & O_TRUNC) !== 0 ? [emptied] : []), install];
}

const close: Step = (on) => done(on, "ok", withFile(on.state, slotKey(on.call), undefined));

const isReadable = fileOf(({ reads }, node) => (reads ? (isDir(node) ? "EISDIR" : undefined) : "EBADF"));
const isWritable = fileOf(({ writes }) => (writes ? undefined : "EBADF"));
const isCuttable = fileOf(({ writes }) => (writes ? undefined : "EINVAL"));
const slotAppends = ({ state, call }: On): boolean => state.files[slotKey(call)]?.appends === true;
const wrote = (cells: number): string => `wrote ${cells}`;
const isDone = (): string => "ok";
const takeLength: Step = (on) => goOn(on, { pos: 0, left: on.call.args[1] as number });

const readFile = [walk(0, "dir"), lookup(0), readSize, readPiece];
const writeFile = [walk(0, "dir"), create(0, false), emptied, takeLength, lockFile(() => false), writePiece(isDone)];

/** Steps by call; abortRead and abortWrite are calls that somebody gives up at some moment. */
const PROGRAMS: Readonly<Record<string, readonly Step[] | ((call: AsyncCall) => readonly Step[])>> = {
  open,
  close: [fileOf(), close],
  read: [isReadable, takePosition, readPiece],
  write: [isWritable, takePosition, lockFile(slotAppends), writePiece(wrote)],
  ftruncate: [isCuttable, truncate(({ args }) => args[1] as number), ok],
  fsync: [fileOf(), ok],
  fdatasync: [fileOf(), ok],
  fstat: [fileOf(), stat],
  fchmod: [fileOf(), chmod],
  chmod: [walk(0, "dir"), lookup(0), chmod],
  stat: [walk(0, "dir"), lookup(0), stat],
  truncate: [walk(0, "dir"), lookup(0, true), truncate(({ args }) => args[1] as number), ok],
  readFile,
  writeFile,
  appendFile: [walk(0, "dir"), create(0, false), takeLength, lockFile(() => true), writePiece(isDone)],
  abortRead: readFile,
  abortWrite: writeFile,
  rename: [walk(0, "dir"), walk(1, "otherDir"), rename],
  link: [walk(0, "dir"), lookup(0), walk(1, "otherDir"), link],
  unlink: [walk(0, "dir"), remove((node) => !isDir(node), "EISDIR")],
  rmdir: [walk(0, "dir"), remove(isDir, "ENOTDIR")],
  mkdir: [walk(0, "dir"), mkdir],
  readdir: [walk(0, "dir"), lookup(0), list],
  sync: [ok],
  drop: [ok],
  press: [ok],
};

function programOf(call: AsyncCall): readonly Step[] {
  const program = PROGRAMS[call.call];
  return typeof program === "function" ? program(call) : program;
}

/** Cells that a call has moved, where it may end with fewer than it was asked for. */
function shortAnswer(call: AsyncCall, { got, pc }: ModelStage): string | undefined {
  if (got === "" || pc === 0) return undefined;
  if (call.call === "read") return `read ${got}`;
  return call.call === "write" ? wrote(got.length) : undefined;
}

function* steps(state: ModelState, id: number, of: ModelCall, stage: ModelStage): Generator<Next> {
  const { call, mayEagain, faults } = of;
  const on = { state, id, call, stage };
  const next = programOf(call)[stage.pc](on);
  if (next !== undefined) yield next;
  if (mayEagain) yield done(on, "EAGAIN");
  for (const fault of faults) yield done(on, fault);
  if (!mayEagain && faults.size === 0) return;
  const short = shortAnswer(call, stage);
  if (short !== undefined) yield doneAt(on, short);
}

/** What machines have before the first call: machine.ts makes it. No program names what is in `z`. */
export const FIRST_FILES: Readonly<Record<string, string>> = { a: "AAAAAA", "s/a": "BBB", "z/a": "CC" };
export const FIRST_DIRECTORIES: readonly string[] = ["s", "z"];
/** What the shared descriptor is of. */
export const SHARED_PATH = "a";

export const FILE_SYSTEM: Spec<ModelState, ModelCall, ModelStage> = {
  initial: {
    nodes: {
      [ROOT]: dirNode({ a: 1, s: 2, z: 4 }),
      1: fileNode(FIRST_FILES.a),
      2: dirNode({ a: 3 }),
      3: fileNode(FIRST_FILES["s/a"]),
      4: dirNode({ a: 5 }),
      5: fileNode(FIRST_FILES["z/a"]),
    },
    files: { [SHARED_SLOT]: { ino: 1, reads: true, writes: true, appends: false, pos: 0, lock: 0 } },
  },
  begin: () => NO_STAGE,
  steps,
  stop: unlocked,
};
