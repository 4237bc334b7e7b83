/**
 * What is on a disk: files by number, names in directories; and changes of it, which can be made again on another state of it, in part
 * or out of order.
 *
 * Does not own: which changes are on the platters (power-cut.ts), what a kernel sees of it (disk-fs.ts).
 */
import { S_IFDIR, S_IFMT } from "../base/stat-flags.ts";

export const ROOT_INO = 2;

/** A file, directory or link. Names are bytes, written as Latin-1. */
export interface DiskNode {
  readonly ino: number;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  readonly rdev: number;
  readonly birthtimeMs: number;
  mtimeMs: number;
  /** Of regular files: as long as the file is. */
  data: Uint8Array;
  /** Of symbolic links. */
  readonly target?: Uint8Array;
  /** Of directories. */
  readonly names?: Map<string, number>;
}

/** A change, by the numbers of what it is about. */
export type Change =
  | { readonly what: "inode"; readonly ino: number; readonly node: DiskNode }
  | { readonly what: "name" | "unname"; readonly ino: number; readonly dir: number; readonly name: string }
  | {
      readonly what: "rename";
      readonly ino: number;
      readonly dir: number;
      readonly name: string;
      readonly toDir: number;
      readonly toName: string;
    }
  | { readonly what: "data"; readonly ino: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly what: "size"; readonly ino: number; readonly size: number }
  | {
      readonly what: "attributes";
      readonly ino: number;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly mtimeMs: number;
    };

export function isDirectory({ mode }: DiskNode): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

function copyOf(node: DiskNode): DiskNode {
  return { ...node, data: node.data.slice(), ...(node.names && { names: new Map(node.names) }) };
}

function resized(data: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(data.subarray(0, size));
  return bytes;
}

/** A state of a disk. */
export class DiskTree {
  readonly nodes: Map<number, DiskNode>;

  constructor(nodes = new Map<number, DiskNode>()) {
    this.nodes = nodes;
  }

  /** An empty one. */
  static formatted(): DiskTree {
    const root = {
      ino: ROOT_INO,
      mode: S_IFDIR | 0o755,
      uid: 0,
      gid: 0,
      nlink: 2,
      rdev: 0,
      birthtimeMs: 0,
      mtimeMs: 0,
    };
    return new DiskTree(new Map([[ROOT_INO, { ...root, data: new Uint8Array(0), names: new Map() }]]));
  }

  clone(): DiskTree {
    return new DiskTree(new Map([...this.nodes].map(([ino, node]) => [ino, copyOf(node)])));
  }

  /** Makes a change, as far as what it is about is there. */
  apply(change: Change): void {
    const node = this.nodes.get(change.ino);
    switch (change.what) {
      case "inode":
        this.nodes.set(change.ino, copyOf(change.node));
        break;
      case "name":
        this.nodes.get(change.dir)?.names?.set(change.name, change.ino);
        break;
      case "unname":
        this.#removeName(change.dir, change.name, change.ino);
        break;
      case "rename":
        this.#removeName(change.dir, change.name, change.ino);
        this.nodes.get(change.toDir)?.names?.set(change.toName, change.ino);
        break;
      case "data":
        if (node) writeData(node, change.position, change.bytes);
        break;
      case "size":
        if (node) node.data = resized(node.data, change.size);
        break;
      case "attributes":
        if (node) Object.assign(node, { mode: change.mode, uid: change.uid, gid: change.gid, mtimeMs: change.mtimeMs });
    }
  }

  #removeName(dir: number, name: string, ino: number): void {
    const names = this.nodes.get(dir)?.names;
    if (names?.get(name) === ino) names.delete(name);
  }

  /** As fsck: names of what is not there go, and what has no name; links are counted. A directory keeps one name. */
  repair(): void {
    const found = new Map<number, number>([[ROOT_INO, 2]]);
    const root = this.nodes.get(ROOT_INO);
    for (const dirs = root ? [root] : []; dirs.length > 0; ) {
      const dir = dirs.pop() as DiskNode;
      for (const [name, ino] of dir.names ?? []) {
        const node = this.nodes.get(ino);
        const isSecond = node !== undefined && isDirectory(node) && found.has(ino);
        if (node === undefined || isSecond) {
          dir.names?.delete(name);
          continue;
        }
        found.set(ino, (found.get(ino) ?? 0) + (isDirectory(node) ? 2 : 1));
        if (!isDirectory(node)) continue;
        found.set(dir.ino, (found.get(dir.ino) as number) + 1);
        dirs.push(node);
      }
    }
    for (const [ino, node] of this.nodes) {
      const nlink = found.get(ino);
      if (nlink === undefined) this.nodes.delete(ino);
      else node.nlink = nlink;
    }
  }
}

function writeData(node: DiskNode, position: number, bytes: Uint8Array): void {
  const end = position + bytes.length;
  if (end > node.data.length) node.data = resized(node.data, end);
  node.data.set(bytes, position);
}
