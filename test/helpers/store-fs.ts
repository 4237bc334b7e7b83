/**
 * A file system with a store: inodes have numbers, are read by readInode, changed in memory and written by writeInode.
 * Every operation is logged; any of them may be slow (it waits until settle() is called) or fail.
 */
import * as libstore from "../../src/fs/libfs-store.ts";
import {
  Dentry,
  type DentryHandle,
  EAGAIN,
  ENOTEMPTY,
  ESTALE,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  libfs,
  type SuperBlock,
  type SuperOperations,
  stat,
} from "../../src/index.ts";

/** A file as the store has it. */
export interface StoreNode {
  ino: number;
  mode: number;
  uid: number;
  nlink: number;
  size: number;
  mtimeSec: number;
  children?: Map<string, StoreNode>;
}

const ROOT_INO = 2;

export class StoreFs {
  readonly type: FileSystemType;
  readonly root: StoreNode = this.#node(stat.S_IFDIR | 0o755, ROOT_INO);
  /** All that the store has, removed files included until they are evicted. */
  readonly nodes = new Map<number, StoreNode>([[ROOT_INO, this.root]]);
  readonly log: string[] = [];
  /** Names of operations that wait for settle(). */
  readonly slow = new Set<string>();
  /** Negated errno that an operation answers, or with which its promise fails. */
  readonly failing = new Map<string, number>();
  #lastIno = 100;
  #nrEnds = 0;
  readonly #pending = new Map<string, { isOver: boolean; token: Promise<void>; settle: () => void }>();

  constructor(name = "storefs", more: Partial<SuperOperations> = {}) {
    this.type = this.#type(name, more);
  }

  /** The log since the last call, joined. */
  takeLog(): string {
    return this.log.splice(0).join(", ");
  }

  /** Makes a file at the store, behind the kernel's back. */
  add(name: string, node: Partial<StoreNode> = {}, dir = this.root): StoreNode {
    const made = { ...this.#node(stat.S_IFREG | 0o644, ++this.#lastIno), ...node };
    if ((made.mode & stat.S_IFMT) === stat.S_IFDIR) made.children ??= new Map();
    this.nodes.set(made.ino, made);
    dir.children?.set(name, made);
    return made;
  }

  /** All that is waited for is over. @returns how many there were */
  settle(): number {
    let nr = 0;
    for (const pending of this.#pending.values()) {
      if (!pending.isOver) nr++;
      pending.isOver = true;
      pending.settle();
    }
    return nr;
  }

  /** Settles, turn by turn, until nobody waits any more. */
  async settleAll(): Promise<void> {
    for (let idle = 0; idle < 5; idle++) {
      if (this.settle() > 0) idle = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #node(mode: number, ino: number): StoreNode {
    const isDir = (mode & stat.S_IFMT) === stat.S_IFDIR;
    const node = { ino, mode, uid: 0, nlink: isDir ? 2 : 1, size: 0, mtimeSec: 1 };
    return isDir ? { ...node, children: new Map() } : node;
  }

  /** Logs a call, and answers for the store: 0; what fails; -EAGAIN while it is slow, until it is asked again after settle(). */
  #ask(kernel: Kernel, operation: string, on: string | number): number {
    const key = `${operation} ${on}`;
    const known = this.#pending.get(key);
    if (!known) this.log.push(key);
    if (!this.slow.has(operation)) {
      known?.settle(); // who has waited asks again, and is logged again
      this.#pending.delete(key);
      return this.failing.get(operation) ?? 0;
    }
    if (known?.isOver) {
      this.#pending.delete(key);
      return this.failing.get(operation) ?? 0;
    }
    kernel.setWaitToken((known ?? this.#wait(key)).token);
    return -EAGAIN;
  }

  /** Logs an end, and does it: at once, or when it is settled. */
  #end(operation: string, on: string | number, end: () => void): void | Promise<void> {
    const key = `${operation} ${on}`;
    this.log.push(key);
    const error = this.failing.get(operation);
    if (!this.slow.has(operation)) {
      if (error) throw new Error(key);
      return end();
    }
    const unique = `${key} (${++this.#nrEnds})`;
    return this.#wait(unique).token.then(() => {
      this.#pending.delete(unique);
      this.log.push(`${key} over`);
      if (error) throw new Error(key);
      end();
    });
  }

  #wait(key: string) {
    let settle = (): void => {};
    const token = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const pending = { isOver: false, token, settle };
    this.#pending.set(key, pending);
    return pending;
  }

  nodeOf(kernel: Kernel, inode: InodeHandle): StoreNode {
    const { ino } = new Inode(kernel, inode);
    const node = this.nodes.get(ino);
    if (!node) throw new Error(`storefs: no inode ${ino}`);
    return node;
  }

  #childrenOf(kernel: Kernel, dir: InodeHandle): Map<string, StoreNode> {
    return this.nodeOf(kernel, dir).children as Map<string, StoreNode>;
  }

  #make(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number): number {
    const rc = this.#ask(kernel, "create", nameOf(kernel, dentry));
    if (rc < 0) return rc;
    const node = this.#node(mode, ++this.#lastIno);
    this.nodes.set(node.ino, node);
    const inode = libstore.iget(kernel.sbOf(dir), node.ino) as InodeHandle;
    if (inode < 0) {
      this.nodes.delete(node.ino);
      return inode;
    }
    this.#childrenOf(kernel, dir).set(nameOf(kernel, dentry), node);
    kernel.core.x.dInstantiate(dentry, inode);
    kernel.core.x.dAdd(dentry);
    return 0;
  }

  #unlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    const inode = new Dentry(kernel, dentry).inode;
    const node = this.nodeOf(kernel, inode);
    this.#childrenOf(kernel, dir).delete(nameOf(kernel, dentry));
    node.nlink = node.children ? 0 : node.nlink - 1;
    new Inode(kernel, inode).nlink = node.nlink;
    return 0;
  }

  #inodeOperations(): InodeOperations {
    const make: InodeOperations["create"] = (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, mode);
    return {
      lookup: (kernel, dir, dentry) => {
        const name = nameOf(kernel, dentry);
        const rc = this.#ask(kernel, "lookup", name);
        if (rc < 0) return rc;
        const node = this.#childrenOf(kernel, dir).get(name);
        if (!node) return 0;
        const inode = libstore.iget(kernel.sbOf(dir), node.ino) as InodeHandle;
        if (inode < 0) return inode;
        libstore.dSpliceAlias(kernel, inode, dentry);
        return 0;
      },
      create: make,
      mkdir: make,
      link: (kernel, inode, dir, dentry) => {
        const node = this.nodeOf(kernel, inode);
        this.#childrenOf(kernel, dir).set(nameOf(kernel, dentry), node);
        new Inode(kernel, inode).nlink = ++node.nlink;
        kernel.core.x.iget(inode);
        kernel.core.x.dInstantiate(dentry, inode);
        kernel.core.x.dAdd(dentry);
        return 0;
      },
      unlink: (kernel, dir, dentry) => this.#unlink(kernel, dir, dentry),
      rmdir: (kernel, dir, dentry) => {
        const { children } = this.nodeOf(kernel, new Dentry(kernel, dentry).inode);
        return children?.size ? -ENOTEMPTY : this.#unlink(kernel, dir, dentry);
      },
    };
  }

  #superOps(more: Partial<SuperOperations>): SuperOperations {
    return {
      statfs: libfs.simpleStatfs,
      readInode: (sb: SuperBlock, handle) => {
        const inode = new Inode(sb.kernel, handle);
        const rc = this.#ask(sb.kernel, "readInode", inode.ino);
        if (rc < 0) return rc;
        const node = this.nodes.get(inode.ino);
        if (!node) return -ESTALE;
        inode.mode = node.mode;
        inode.uid = node.uid;
        inode.nlink = node.nlink;
        inode.size = node.size;
        inode.setTime("mtime", node.mtimeSec, 0);
        return 0;
      },
      dirtyInode: (kernel, inode, flags) => {
        this.log.push(`dirtyInode ${new Inode(kernel, inode).ino} ${flags.toString(16)}`);
      },
      writeInode: (kernel, handle, { sync }) => {
        const inode = new Inode(kernel, handle);
        const rc = this.#ask(kernel, "writeInode", `${inode.ino}${sync ? "" : " async"}`);
        if (rc < 0) return rc;
        const node = this.nodeOf(kernel, handle);
        node.mode = inode.mode;
        node.uid = inode.uid;
        node.size = inode.size;
        node.mtimeSec = inode.getTime("mtime").sec;
        return 0;
      },
      evictInode: (kernel, handle) => {
        const { ino } = new Inode(kernel, handle);
        return this.#end("evictInode", ino, () => {
          if (this.nodes.get(ino)?.nlink === 0) this.nodes.delete(ino);
        });
      },
      syncFs: (sb, wait) => this.#ask(sb.kernel, "syncFs", wait ? "wait" : "start"),
      putSuper: () => this.#end("putSuper", "", () => {}),
      ...more,
    };
  }

  #type(name: string, more: Partial<SuperOperations>): FileSystemType {
    return {
      name,
      fsFlags: 0,
      tables: [
        {
          inode: this.#inodeOperations(),
          file: {
            read: (kernel, file, buffer, offset, length, position) => {
              const inode = Inode.ofFile(kernel, file);
              const start = position < 0 ? kernel.core.filePos(file) : position;
              const n = Math.max(0, Math.min(length, inode.size - start));
              buffer.fill(0x61, offset, offset + n);
              if (position < 0) kernel.core.setFilePos(file, start + n);
              return n;
            },
            write: (kernel, file, _buffer, _offset, length, position) => {
              const inode = Inode.ofFile(kernel, file);
              const start = position < 0 ? kernel.core.filePos(file) : position;
              inode.size = Math.max(inode.size, start + length);
              libstore.markInodeDirty(kernel, inode.handle, libstore.I_DIRTY_SYNC | libstore.I_DIRTY_DATASYNC);
              if (position < 0) kernel.core.setFilePos(file, start + length);
              return length;
            },
            iterate: (kernel, dir, emit) => {
              for (const [child, { mode }] of this.#childrenOf(kernel, dir)) if (!emit(child, mode >> 12)) break;
              return 0;
            },
            fsync: libstore.genericFsync,
            release: (kernel, inode) => this.#end("release", new Inode(kernel, inode).ino, () => {}),
          },
          mapping: {},
        },
      ],
      superOps: this.#superOps(more),
      fillSuper: (sb) => {
        const rc = sb.makeRoot(this.root.mode, 0, 0, 0);
        if (rc < 0) return rc;
        const inode = new Dentry(sb.kernel, sb.root).inode;
        new Inode(sb.kernel, inode).ino = ROOT_INO;
        return libstore.insertInodeHash(sb.kernel, inode);
      },
    };
  }
}

function nameOf(kernel: Kernel, dentry: DentryHandle): string {
  return Buffer.from(new Dentry(kernel, dentry).name).toString();
}
