/**
 * The model of a tree of names, beside the core's dcache: directories with their entries newest first, inodes with
 * their links. Names are latin1 strings, one character a byte.
 */
import { strict as assert } from "node:assert";
import { ENOTEMPTY, EOPNOTSUPP } from "../../src/base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../src/base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../src/base/stat-flags.ts";
import { INODE_MODE, INODE_NLINK, INODE_SIZE, PATH_MAX, RESULT_EXTRA, RESULT_LENGTH } from "../../src/wasm/layout.ts";
import { double, type World, word } from "./core.ts";

const NO_DENTRY = 0 as DentryHandle;

export interface Name {
  name: string;
  parent: Directory;
  node: Node;
  /** A rename moves it. */
  dentry: DentryHandle;
}

export interface Node {
  type: number;
  inode: InodeHandle;
  names: Set<Name>;
}

export interface Directory extends Node {
  /** Newest first. */
  entries: Name[];
  dentry: DentryHandle;
}

export function bytesOf(name: string): Buffer {
  return Buffer.from(name, "latin1");
}

export class NameTree {
  readonly world: World;
  readonly root: Directory;
  readonly directories: Directory[] = [];
  /** All names, in no order. */
  readonly names: Name[] = [];

  constructor(world: World) {
    this.world = world;
    const { root } = world;
    this.root = { type: S_IFDIR, inode: world.inodeOf(root), names: new Set(), entries: [], dentry: root };
    this.directories.push(this.root);
  }

  find(parent: Directory, name: string): Name | undefined {
    return parent.entries.find((entry) => entry.name === name);
  }

  #add(parent: Directory, name: string, dentry: DentryHandle, node: Node): Name {
    const entry = { name, parent, node, dentry };
    node.names.add(entry);
    parent.entries.unshift(entry);
    this.names.push(entry);
    return entry;
  }

  #drop(entry: Name): void {
    entry.parent.entries.splice(entry.parent.entries.indexOf(entry), 1);
    this.names.splice(this.names.indexOf(entry), 1);
    entry.node.names.delete(entry);
    if (isDirectory(entry.node)) this.directories.splice(this.directories.indexOf(entry.node), 1);
  }

  /** Makes a file, directory or symbolic link, unless the name is taken. @param any odd = a file or directory by path, where that can be walked */
  make(parent: Directory, name: string, type: number, any = 0): Name | undefined {
    if (this.find(parent, name)) return undefined;
    const dentry = this.#make(parent, name, type, any);
    assert.ok(dentry > 0);
    const { world } = this;
    const node: Node = { type, inode: world.inodeOf(dentry), names: new Set() };
    if (type === S_IFDIR) {
      const directory: Directory = Object.assign(node, { entries: [], dentry });
      this.directories.push(directory);
    }
    return this.#add(parent, name, dentry, node);
  }

  #make(parent: Directory, name: string, type: number, any: number): DentryHandle {
    const { world } = this;
    const path = `${this.pathOf(parent)}/${name}`;
    if (type === S_IFLNK) return world.makeLink(parent.dentry, bytesOf(name), `to/${name.length}`);
    if (type === S_IFREG && any % 2 === 1 && isWalkable(path)) return world.makeByPath(bytesOf(path), 0o777);
    if (type === S_IFDIR && any % 2 === 1 && isWalkable(path)) {
      assert.equal(world.mkdirByPath(bytesOf(path), 0o777), 0);
      return world.find(parent.dentry, bytesOf(name));
    }
    return world.make(parent.dentry, bytesOf(name), type | 0o755);
  }

  link(source: Name, parent: Directory, name: string): void {
    if (isDirectory(source.node) || this.find(parent, name)) return;
    const dentry = this.world.hardLink(source.node.inode, parent.dentry, bytesOf(name));
    assert.equal(this.world.inodeOf(dentry), source.node.inode);
    this.#add(parent, name, dentry, source.node);
  }

  /** @param any odd = by path, where it can be walked */
  remove(entry: Name, any = 0): void {
    const path = this.pathOf(entry);
    const byPath = any % 2 === 1 && isWalkable(path);
    const rc = byPath ? this.world.unlinkByPath(bytesOf(path)) : -EOPNOTSUPP;
    if (byPath) assert.equal(rc, isDirectory(entry.node) ? -EOPNOTSUPP : 0);
    if (rc === 0) {
      this.#drop(entry);
      return;
    }
    if (isDirectory(entry.node)) {
      assert.equal(this.world.rmdir(entry.dentry), entry.node.entries.length > 0 ? -ENOTEMPTY : 0);
      if (entry.node.entries.length > 0) return;
    } else this.world.unlink(entry.dentry);
    this.#drop(entry);
  }

  /** Removes a directory with all that is below it. */
  removeTree(entry: Name): void {
    if (!isDirectory(entry.node)) return;
    assert.equal(this.world.x.simpleRemoveTree(entry.dentry, this.world.nowMs), 0);
    this.#dropTree(entry);
  }

  #dropTree(entry: Name): void {
    if (isDirectory(entry.node)) for (const below of [...entry.node.entries]) this.#dropTree(below);
    this.#drop(entry);
  }

  /** @param any odd = by paths, where those can be walked */
  rename(entry: Name, parent: Directory, name: string, any = 0): void {
    const replaced = this.find(parent, name);
    if (isDirectory(entry.node) && this.isInside(parent, entry.node)) return;
    if (replaced?.node === entry.node) return;
    if (replaced && isDirectory(replaced.node) !== isDirectory(entry.node)) return;
    if (replaced && isDirectory(replaced.node) && this.isInside(entry.parent, replaced.node)) return;
    const [from, to] = [this.pathOf(entry), `${this.pathOf(parent)}/${name}`];
    const byPath = any % 2 === 1 && isWalkable(from) && isWalkable(to);
    let rc = byPath ? this.world.renameByPath(bytesOf(from), bytesOf(to)) : -EOPNOTSUPP;
    if (byPath) assert.equal(rc, isDirectory(entry.node) ? -EOPNOTSUPP : 0);
    if (rc !== 0) rc = this.world.rename(entry.dentry, parent.dentry, bytesOf(name), replaced?.dentry ?? NO_DENTRY);
    const isFull = replaced !== undefined && isDirectory(replaced.node) && replaced.node.entries.length > 0;
    assert.equal(rc, isFull ? -ENOTEMPTY : 0);
    if (isFull) return;
    if (replaced) this.#drop(replaced);
    entry.parent.entries.splice(entry.parent.entries.indexOf(entry), 1);
    entry.parent = parent;
    entry.name = name;
    parent.entries.unshift(entry);
  }

  exchange(a: Name, b: Name): void {
    if (a.node === b.node) return;
    if (isDirectory(a.node) && this.isInside(b.parent, a.node)) return;
    if (isDirectory(b.node) && this.isInside(a.parent, b.node)) return;
    this.world.exchange(a.dentry, b.dentry);
    const [atA, atB] = [a.parent.entries.indexOf(a), b.parent.entries.indexOf(b)];
    a.parent.entries[atA] = b;
    b.parent.entries[atB] = a;
    [a.parent, b.parent] = [b.parent, a.parent];
    [a.name, b.name] = [b.name, a.name];
  }

  isInside(directory: Directory, ancestor: Node): boolean {
    for (let at: Directory = directory; ; at = parentOf(at)) {
      if (at === ancestor) return true;
      if (at === this.root) return false;
    }
  }

  /** Path of a name, or of a directory; "" for the root. */
  pathOf(at: Name | Directory): string {
    if ("parent" in at) return `${this.pathOf(at.parent)}/${at.name}`;
    const [name] = at.names;
    return name ? this.pathOf(name) : "";
  }

  // --- Comparison with the core ---------------------------------------------------------------------------------------

  check(): void {
    for (const directory of this.directories) this.checkDirectory(directory);
    for (const { node } of this.names) {
      if (!isDirectory(node)) assert.equal(word(this.world.core, node.inode, INODE_NLINK), node.names.size);
    }
  }

  checkDirectory(directory: Directory): void {
    const { core, x } = this.world;
    const { entries, inode, dentry } = directory;
    const subdirectories = entries.filter(({ node }) => isDirectory(node)).length;
    assert.equal(word(core, inode, INODE_NLINK), 2 + subdirectories);
    assert.equal(double(core, inode, INODE_SIZE), 40 + 20 * entries.length);
    assert.equal(word(core, inode, INODE_MODE) & S_IFMT, S_IFDIR);
    assert.equal(x.hasChildren(dentry), entries.length > 0 ? 1 : 0);
    for (const entry of entries) this.checkEntry(entry);
    const expected = entries.map(({ name }) => name).sort((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)));
    assert.deepEqual(this.sortedNames(dentry, 2048).names, expected);
  }

  checkEntry(entry: Name): void {
    const { world } = this;
    assert.equal(world.find(entry.parent.dentry, bytesOf(entry.name)), entry.dentry);
    assert.equal(world.inodeOf(entry.dentry), entry.node.inode);
    assert.equal(word(world.core, entry.node.inode, INODE_MODE) & S_IFMT, entry.node.type);
  }

  /** Names and types as packNames() gives them, in portions of `bytes`. */
  sortedNames(dentry: DentryHandle, bytes: number): { names: string[]; types: number[] } {
    const { core, x } = this.world;
    const at = x.kmalloc(bytes) >>> 0;
    const names: string[] = [];
    const types: number[] = [];
    x.readdirSorted(dentry);
    for (let n = x.packNames(at, bytes); n > 0; n = x.packNames(at, bytes)) this.unpack(at, bytes, n, names, types);
    x.kfree(at);
    assert.equal(core.result(RESULT_LENGTH), 0);
    return { names, types };
  }

  /** Takes `n` names out of a buffer. */
  unpack(at: number, bytes: number, n: number, names: string[], types: number[]): void {
    const { core } = this.world;
    const text = Buffer.from(core.u8.slice(at, at + core.result(RESULT_LENGTH))).toString("latin1");
    const parts = text.split("\0").slice(0, -1);
    assert.equal(parts.length, n);
    names.push(...parts);
    for (let i = 1; i <= n; i++) types.push(core.u8[at + bytes - i]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: every byte of ASCII counts
    if (core.result(RESULT_EXTRA) === 1) assert.match(text, /^[\x00-\x7f]*$/);
  }
}

/** Names of any bytes include "." and "..", which a walk takes for something else. */
function isWalkable(path: string): boolean {
  return path.length < PATH_MAX && !path.split("/").some((name) => name === "." || name === "..");
}

export function isDirectory(node: Node): node is Directory {
  return node.type === S_IFDIR;
}

function parentOf(directory: Directory): Directory {
  const [name] = directory.names;
  return name.parent;
}

export const FILE_TYPES = [S_IFREG, S_IFREG, S_IFDIR, S_IFLNK];
