/**
 * What a store keeps: nodes by number, with names, bytes and modes; and what of it would be left if the power went now.
 *
 * What has been written since the last flush is a list of effects. A cut of power keeps those of names and sizes up to some moment, in
 * order, as a journal does, and of the blocks that were written before that any number.
 */
import type { Random } from "../random.ts";

export interface DiskNode {
  readonly ino: number;
  mode: number;
  mtimeSec: number;
  nlink: number;
  data: Buffer;
  /** Name to number. */
  readonly children?: Map<string, number>;
}

export const ROOT_INO = 1;
const S_IFMT = 0o170000;
const S_IFDIR = 0o40000;
/** What a disk writes as a whole, or not at all. */
export const BLOCK_BYTES = 512;

export function isDirectory({ mode }: DiskNode): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

type Nodes = Map<number, DiskNode>;

/** @param isData of blocks, which come in any order */
interface Effect {
  readonly isData: boolean;
  readonly make: (nodes: Nodes) => void;
}

export interface DiskOptions {
  readonly nodes?: ReadonlyMap<number, DiskNode>;
  /** Whether what is written is safe after a flush alone: true unless said otherwise. */
  readonly hasCache?: boolean;
}

export class Disk {
  readonly hasCache: boolean;
  /** Those without a name among them. */
  readonly nodes: Nodes;
  /** What is safe. */
  readonly #stable: Nodes;
  #effects: Effect[] = [];
  #lastIno: number;

  constructor({ nodes = firstNodes(), hasCache = true }: DiskOptions = {}) {
    this.hasCache = hasCache;
    this.nodes = copyOf(nodes);
    this.#stable = hasCache ? copyOf(nodes) : this.nodes;
    this.#lastIno = Math.max(...nodes.keys());
  }

  /** @throws Error when there is none */
  node(ino: number): DiskNode {
    const node = this.nodes.get(ino);
    if (node === undefined) throw new Error(`the store has no node ${ino}`);
    return node;
  }

  read(ino: number, position: number, length: number): Uint8Array {
    return this.nodes.get(ino)?.data.subarray(position, position + length) ?? new Uint8Array();
  }

  /** It is all there at once, and of each block a cut of power says whether it is. */
  write(ino: number, position: number, bytes: Uint8Array): void {
    writeTo(this.nodes.get(ino), position, bytes);
    for (let at = 0; this.hasCache && at < bytes.length; at += BLOCK_BYTES) {
      const block = Buffer.from(bytes.subarray(at, at + BLOCK_BYTES));
      this.#effects.push({ isData: true, make: (nodes) => writeTo(nodes.get(ino), position + at, block) });
    }
  }

  resize(ino: number, size: number): void {
    this.#effect((nodes) => {
      const node = nodes.get(ino);
      if (node !== undefined) node.data = sized(node.data, size);
    });
  }

  setAttributes(ino: number, mode: number, mtimeSec: number): void {
    this.#effect((nodes) => {
      const node = nodes.get(ino);
      if (node !== undefined) Object.assign(node, { mode, mtimeSec });
    });
  }

  /** @returns the number of the new node */
  make(parent: number, name: string, mode: number): number {
    const ino = ++this.#lastIno;
    this.#effect((nodes) => {
      nodes.set(ino, newNode(ino, mode));
      nodes.get(parent)?.children?.set(name, ino);
    });
    return ino;
  }

  link(ino: number, parent: number, name: string): void {
    this.#effect((nodes) => {
      nodes.get(parent)?.children?.set(name, ino);
      addLinks(nodes.get(ino), 1);
    });
  }

  remove(parent: number, name: string): void {
    this.#effect((nodes) => take(nodes, parent, name));
  }

  rename(from: number, name: string, to: number, newName: string): void {
    this.#effect((nodes) => {
      const ino = nodes.get(from)?.children?.get(name);
      if (ino === undefined) throw new Error(`the store has no ${name} in ${from} to rename`);
      nodes.get(from)?.children?.delete(name);
      take(nodes, to, newName);
      nodes.get(to)?.children?.set(newName, ino);
    });
  }

  /** A node without names is nobody's any more. */
  forget(ino: number): void {
    this.#effect((nodes) => void nodes.delete(ino));
  }

  /** All is safe. @returns 0 */
  flush(): number {
    for (const { make } of this.#effects) make(this.#stable);
    this.#effects = [];
    return 0;
  }

  /** The disk after a cut of power: what was not flushed may be there or not. */
  cutPower(random: Random): Disk {
    const nodes = copyOf(this.#stable);
    const last = random(this.#effects.length + 1);
    for (const { isData, make } of this.#effects.slice(0, last)) if (!isData || random(2) === 0) make(nodes);
    return new Disk({ nodes });
  }

  #effect(make: Effect["make"]): void {
    make(this.nodes);
    if (this.hasCache) this.#effects.push({ isData: false, make });
  }
}

function newNode(ino: number, mode: number): DiskNode {
  const node = { ino, mode, mtimeSec: 0, nlink: 1, data: Buffer.alloc(0) };
  return isDirectory(node) ? { ...node, nlink: 2, children: new Map<string, number>() } : node;
}

function firstNodes(): Nodes {
  return new Map([[ROOT_INO, newNode(ROOT_INO, S_IFDIR | 0o755)]]);
}

function copyOf(nodes: ReadonlyMap<number, DiskNode>): Nodes {
  return new Map(
    [...nodes].map(([ino, node]) => {
      const names = node.children === undefined ? {} : { children: new Map(node.children) };
      return [ino, { ...node, data: Buffer.from(node.data), ...names }];
    }),
  );
}

function sized(data: Buffer, size: number): Buffer {
  const after = Buffer.alloc(size);
  data.copy(after);
  return after;
}

function writeTo(node: DiskNode | undefined, position: number, bytes: Uint8Array): void {
  if (node === undefined) return; // removed
  const end = position + bytes.length;
  if (node.data.length < end) node.data = sized(node.data, end);
  node.data.set(bytes, position);
}

function addLinks(node: DiskNode | undefined, nr: number): void {
  if (node !== undefined) node.nlink += nr;
}

/** Takes a name away, if it is there. */
function take(nodes: Nodes, parent: number, name: string): void {
  const children = nodes.get(parent)?.children;
  const ino = children?.get(name);
  const node = ino === undefined ? undefined : nodes.get(ino);
  if (node === undefined) return;
  children?.delete(name);
  addLinks(node, isDirectory(node) ? -2 : -1);
}
