/**
 * What a directory may be: operations as the states that each leads through. One that fails leaves any of them, or what was
 * before.
 *
 * Does not own: which of the states are true (whoever looks).
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";

/** What a name stands for: one object, however many names it has. */
export interface Node {
  type: "file" | "directory" | "link";
  /** Content, or the target of a link. */
  bytes: Buffer;
  mode: number;
}
export type State = ReadonlyMap<string, Node>;

export interface Operation {
  readonly what: string;
  /** Of files; directories are called `name`.d, links `name`.l. */
  readonly name: string;
  /** Second name of rename and link. */
  readonly other: string;
  /** Position, size or mode. */
  readonly at: number;
  /** Bytes that are written, each of them `fill`. */
  readonly length: number;
  readonly fill: number;
}

const PAGE = 4096;
const NOTHING = Buffer.alloc(0);
type Stages = readonly State[] | "ENOENT" | "EEXIST";
type Change = (state: Map<string, Node>) => void;

/** The same change of one node, whichever of the copies it is in. */
function onNode(name: string, change: (node: Node) => void): Change {
  return (state) => change(state.get(name) as Node);
}

function adding(name: string, type: Node["type"], mode: number, bytes = NOTHING): Change {
  return (state) => void state.set(name, { type, mode, bytes });
}

function writing(name: string, from: number, length: number, fill: number): Change {
  return onNode(name, (node) => {
    node.bytes = resized(node.bytes, Math.max(node.bytes.length, from + length)).fill(fill, from, from + length);
  });
}

function resized(bytes: Buffer, size: number): Buffer {
  const copy = Buffer.alloc(size);
  bytes.copy(copy);
  return copy;
}

/** @returns what the operation leads through, its success last; or the error that it has to answer */
export function stagesOf(before: State, operation: Operation): Stages {
  const changes = CHANGES[operation.what](before, operation);
  return typeof changes === "string" ? changes : statesAfter(before, changes);
}

function statesAfter(before: State, changes: readonly Change[]): State[] {
  const stages: State[] = [];
  for (const change of changes) {
    const next = copyOf(stages.at(-1) ?? before);
    change(next);
    stages.push(next);
  }
  return stages.length > 0 ? stages : [before];
}

type Changes = (before: State, operation: Operation) => readonly Change[] | "ENOENT" | "EEXIST";

const write: Changes = (before, { name, length, fill }) => [
  before.has(name) ? onNode(name, (node) => void (node.bytes = NOTHING)) : adding(name, "file", 0o644),
  writing(name, 0, length, fill),
];
/** Half of the buffer may have gone before it is written. */
const shrinking: Changes = (before, operation) => {
  const [emptied, written] = write(before, operation) as Change[];
  return [emptied, writing(operation.name, 0, operation.length >> 1, operation.fill), written];
};
const nothing: Changes = (before, { name }) => (before.has(name) ? [] : "ENOENT");

const CHANGES: Readonly<Record<string, Changes>> = {
  write,
  abortWrite: write,
  shrink: shrinking,
  detach: write,
  append: (before, { name, length, fill }) => [
    ...(before.has(name) ? [] : [adding(name, "file", 0o644)]),
    writing(name, before.get(name)?.bytes.length ?? 0, length, fill),
  ],
  pwrite: (before, { name, at, length, fill }) => {
    // Each page may have to be read before, which may fail.
    const ends = Array.from(
      { length: Math.ceil(length / PAGE) },
      (_, i) => (Math.floor(at / PAGE) + i + 1) * PAGE - at,
    );
    const pieces = [...ends.filter((end) => end < length), length];
    return before.has(name) ? pieces.map((piece) => writing(name, at, piece, fill)) : "ENOENT";
  },
  truncate: (before, { name, at }) =>
    before.has(name) ? [onNode(name, (node) => void (node.bytes = resized(node.bytes.subarray(0, at), at)))] : "ENOENT",
  chmod: (before, { name, at }) =>
    before.has(name) ? [onNode(name, (node) => void (node.mode = modeOf(at)))] : "ENOENT",
  rename: (before, { name, other }) => {
    const node = before.get(name);
    if (node === undefined) return "ENOENT";
    // Two names of one file: nothing happens.
    return before.get(other) === node ? [] : [(state) => void state.set(other, state.get(name) as Node).delete(name)];
  },
  link: (before, { name, other }) => {
    if (!before.has(name)) return "ENOENT";
    return before.has(other) ? "EEXIST" : [(state) => void state.set(other, state.get(name) as Node)];
  },
  unlink: (before, { name }) => removing(before, name),
  mkdir: (before, { name }) => (before.has(`${name}.d`) ? "EEXIST" : [adding(`${name}.d`, "directory", 0o755)]),
  rmdir: (before, { name }) => removing(before, `${name}.d`),
  symlink: (before, { name, other }) =>
    before.has(`${name}.l`) ? "EEXIST" : [adding(`${name}.l`, "link", 0o777, Buffer.from(other))],
  unlinkLink: (before, { name }) => removing(before, `${name}.l`),
  read: nothing,
  stat: nothing,
  abortRead: nothing,
};

function removing(before: State, name: string): readonly Change[] | "ENOENT" {
  return before.has(name) ? [(state) => void state.delete(name)] : "ENOENT";
}

/** Always the owner's to read and write. */
export function modeOf(at: number): number {
  return 0o600 | (at & 0o77);
}

function copyOf(state: State): Map<string, Node> {
  const copies = new Map<Node, Node>();
  for (const node of state.values()) copies.set(node, { ...node });
  return new Map([...state].map(([name, node]) => [name, copies.get(node) as Node]));
}

/** Those that differ. */
export function distinct(states: readonly State[]): State[] {
  return states.length === 1 ? [...states] : [...new Map(states.map((state) => [keyOf(state), state])).values()];
}

function keyOf(state: State): string {
  const entries = [...state].sort(([a], [b]) => (a < b ? -1 : 1));
  const nodes = entries.map(([, node]) => node);
  return entries
    .map(([name, node]) => `${name} ${nodes.indexOf(node)} ${node.mode} ${node.bytes.toString("latin1")}`)
    .join();
}

/**
 * How a folder of the host differs from a state.
 *
 * @param hasContent whose content is looked at
 * @returns undefined = not at all
 */
export function differenceOf(
  folder: string,
  state: State,
  hasContent: (name: string, ino: bigint) => boolean,
): string | undefined {
  const names = nodeFs.readdirSync(folder).sort();
  const expected = [...state.keys()].sort();
  if (names.join() !== expected.join()) return `[${names}] for [${expected}]`;
  for (const [name, node] of state) {
    const path = `${folder}/${name}`;
    const stats = nodeFs.lstatSync(path, { bigint: true });
    const mode = Number(stats.mode) & 0o777;
    if (mode !== node.mode) return `mode of ${name}: ${mode.toString(8)} for ${node.mode.toString(8)}`;
    if (node.type === "directory") assert.ok(stats.isDirectory(), name);
    else if ((node.type === "link" || hasContent(name, stats.ino)) && !contentOf(path, node.type).equals(node.bytes))
      return `content of ${name}: ${stats.size} bytes for ${node.bytes.length}`;
  }
  return undefined;
}

export function contentOf(path: string, type: Node["type"]): Buffer {
  return type === "link" ? nodeFs.readlinkSync(path, { encoding: "buffer" }) : nodeFs.readFileSync(path);
}
