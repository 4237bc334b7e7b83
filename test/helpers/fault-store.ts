/**
 * A store with names, attributes and data, whose every call is numbered: a plan has one of them fail, and a scheduler says
 * which of those that wait is answered next. Synchronous calls are answered at once.
 *
 * Does not own: what is asked of it (fault-run.ts), what has to come of a fault (fault-check.ts).
 */
import {
  type Answer,
  ATTR_SIZE,
  Dentry,
  type DentryHandle,
  EAGAIN,
  EIO,
  ENOTEMPTY,
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
import * as libstore from "../../src/store.ts";
import { nameOf } from "./remote-fs.ts";

/** What a call answers instead: a negated errno, half of its bytes, or nothing, since it throws. */
export type Fault = number | "short" | "throw";

/** A call of the store that a fault has come to. */
export interface Failure {
  readonly nr: number;
  readonly operation: string;
  readonly ino: number;
  /** The entry of the root that it is about, or lies below. */
  readonly owner: number;
  readonly fault: Fault;
  /** Calls that had been made when it was answered. */
  readonly nrCalls: number;
  /** Bytes of the file it was about. */
  readonly start: number;
  readonly end: number;
}

export interface StoredNode {
  readonly ino: number;
  mode: number;
  mtimeSec: number;
  nlink: number;
  data: Buffer;
  readonly children?: Map<string, StoredNode>;
}

interface Waiting {
  readonly what: string;
  answer(): void;
}

/** What a call is about. */
interface Subject {
  readonly operation: string;
  readonly ino: number;
  readonly start?: number;
  readonly end?: number;
}

const FILE = 0;
const DIRECTORY = 1;
const ROOT_INO = 1;

export class FaultStore {
  readonly root: StoredNode = {
    ino: ROOT_INO,
    mode: stat.S_IFDIR | 0o755,
    mtimeSec: 1,
    nlink: 2,
    data: Buffer.alloc(0),
    children: new Map(),
  };
  readonly nodes = new Map<number, StoredNode>([[ROOT_INO, this.root]]);
  readonly waiting: Waiting[] = [];
  /** What each call was, by its number. */
  readonly calls: string[] = [];
  readonly failures: Failure[] = [];
  /** Changes of names and sizes that the store has made, each once. */
  readonly accepted: string[] = [];
  readonly type: FileSystemType = this.#type();
  /** Which calls fail. */
  plan: (nr: number, operation: string) => Fault | undefined = () => undefined;
  sb!: SuperBlock;
  readonly #owners = new Map<number, number>();
  #lastIno = ROOT_INO;
  readonly #kept = new WeakMap<object, Map<string, number>>();

  /** Answers the waiting call of a number. */
  answer(number: number): void {
    this.waiting.splice(number, 1)[0].answer();
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  /** Makes a call. @param most what it would answer where it can be short */
  #call(mayWait: boolean, about: Subject, work: (limit: number) => number, most = 0): number | Promise<number> {
    const nr = this.calls.push(`${about.operation} ${about.ino}`) - 1;
    const finish = (): number => {
      const fault = this.plan(nr, about.operation);
      if (fault === undefined || (fault === "short" && most < 2)) return work(most);
      const { operation, ino, start = 0, end = 0 } = about;
      this.failures.push({
        nr,
        operation,
        ino,
        owner: this.#owners.get(ino) ?? ROOT_INO,
        fault,
        nrCalls: this.calls.length,
        start,
        end,
      });
      if (fault === "throw") throw new Error(`call ${nr}`);
      return fault === "short" ? work(most >> 1) : fault;
    };
    if (!mayWait) return finish();
    return new Promise((resolve, reject) => {
      this.waiting.push({
        what: this.calls[nr],
        answer: () => {
          try {
            resolve(finish());
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** A change: what it does in memory comes when the store has made it. */
  #change(kernel: Kernel, about: Subject, atStore: () => void, inMemory: () => number): Answer {
    const made = this.#call(kernel.mayWait, about, () => {
      atStore();
      this.accepted.push(`${about.operation} ${about.ino}`);
      return 0;
    });
    if (typeof made === "number") return made < 0 ? made : inMemory();
    return made.then((rc) => (rc < 0 ? rc : inMemory));
  }

  /** A call of an operation that is made again for its answer, which it is given once. */
  #ask(kernel: Kernel, key: string, about: Subject, work: () => number): number {
    const { progress } = kernel;
    if (progress === undefined) return this.#call(false, about, work) as number;
    const kept = this.#kept.get(progress) ?? new Map<string, number>();
    this.#kept.set(progress, kept);
    const known = kept.get(key);
    if (known !== undefined) {
      kept.delete(key);
      return known;
    }
    const answer = this.#call(true, about, work) as Promise<number>;
    const keep = (rc: number): void => void kept.set(key, rc);
    kernel.setWaitToken(answer.then(keep, () => keep(-EIO)));
    return -EAGAIN;
  }

  // --- What the store does ----------------------------------------------------------------------------------------------

  #make(mode: number, dir: number): StoredNode {
    const isDir = (mode & stat.S_IFMT) === stat.S_IFDIR;
    const ino = ++this.#lastIno;
    const node = { ino, mode, mtimeSec: 1, nlink: isDir ? 2 : 1, data: Buffer.alloc(0) };
    const made = isDir ? { ...node, children: new Map<string, StoredNode>() } : node;
    this.nodes.set(ino, made);
    this.#owners.set(ino, this.#owners.get(dir) ?? ino);
    return made;
  }

  #node(kernel: Kernel, inode: InodeHandle): StoredNode {
    const { ino } = new Inode(kernel, inode);
    const node = this.nodes.get(ino);
    if (!node) throw new Error(`no inode ${ino} in the store`);
    return node;
  }

  #childrenOf(kernel: Kernel, dir: InodeHandle): Map<string, StoredNode> {
    return this.#node(kernel, dir).children as Map<string, StoredNode>;
  }

  #resize(node: StoredNode, size: number): void {
    const data = Buffer.alloc(size);
    node.data.copy(data);
    node.data = data;
  }

  #read(cache: libstore.PageCache, control: libstore.ReadaheadControl, operation: string): number | Promise<number> {
    const kernel = cache.owner as Kernel;
    const { ino } = new Inode(kernel, control.inode);
    const { position, length } = control;
    const fill = (): number => {
      const views = control.views(); // now: memory may have grown since
      const data = this.nodes.get(ino)?.data.subarray(position, position + length) ?? Buffer.alloc(0);
      let done = 0;
      for (const view of views) done += data.copy(view, 0, done, done + view.length);
      return data.length;
    };
    return this.#call(cache.mayWait, { operation, ino, start: position, end: position + length }, fill);
  }

  #write(cache: libstore.PageCache, control: libstore.WriteControl): number | Promise<number> {
    const { ino } = new Inode(cache.owner as Kernel, control.inode);
    const { position, length } = control;
    const store = (bytes: number): number => {
      const node = this.nodes.get(ino);
      if (!node) return bytes; // removed
      if (node.data.length < position + bytes) this.#resize(node, position + bytes);
      node.data.set(Buffer.concat(control.views()).subarray(0, bytes), position);
      return bytes;
    };
    const about = { operation: "writePages", ino, start: position, end: position + length };
    return this.#call(cache.mayWait, about, store, length);
  }

  // --- The file system --------------------------------------------------------------------------------------------------

  #create(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number, operation: string): Answer {
    const children = this.#childrenOf(kernel, dir);
    const name = nameOf(kernel, dentry);
    const { ino } = new Inode(kernel, dir);
    const sb = kernel.sbOf(dir);
    let made: StoredNode;
    const atStore = (): void => {
      made = this.#make(mode, ino);
      children.set(name, made);
    };
    return this.#change(kernel, { operation, ino }, atStore, () => {
      const inode = libstore.iget(sb, made.ino);
      if (inode < 0) return inode;
      kernel.core.x.dInstantiate(dentry, inode as InodeHandle);
      kernel.core.x.dAdd(dentry);
      return 0;
    });
  }

  #remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, operation: string): Answer {
    const children = this.#childrenOf(kernel, dir);
    const name = nameOf(kernel, dentry);
    const inode = new Dentry(kernel, dentry).inode;
    const node = this.#node(kernel, inode);
    if (node.children?.size) return -ENOTEMPTY;
    const atStore = (): void => {
      children.delete(name);
      node.nlink -= node.children ? 2 : 1;
    };
    return this.#change(kernel, { operation, ino: node.ino }, atStore, () => {
      new Inode(kernel, inode).nlink = node.nlink;
      return 0;
    });
  }

  #inodeOperations(): InodeOperations {
    return {
      lookup: (kernel, dir, dentry) => {
        const name = nameOf(kernel, dentry);
        const { ino } = new Inode(kernel, dir);
        const children = this.#childrenOf(kernel, dir);
        const found = this.#ask(
          kernel,
          `lookup ${ino} ${name}`,
          { operation: "lookup", ino },
          () => children.get(name)?.ino ?? 0,
        );
        if (found <= 0) return found;
        const inode = libstore.iget(kernel.sbOf(dir), found);
        if (inode < 0) return inode;
        libstore.dSpliceAlias(kernel, inode as InodeHandle, dentry);
        return 0;
      },
      create: (kernel, dir, dentry, mode) => this.#create(kernel, dir, dentry, mode, "create"),
      mkdir: (kernel, dir, dentry, mode) => this.#create(kernel, dir, dentry, mode, "mkdir"),
      unlink: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "unlink"),
      rmdir: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "rmdir"),
      link: (kernel, inode, dir, dentry) => {
        const node = this.#node(kernel, inode);
        const children = this.#childrenOf(kernel, dir);
        const name = nameOf(kernel, dentry);
        const atStore = (): void => {
          children.set(name, node);
          node.nlink++;
        };
        return this.#change(kernel, { operation: "link", ino: node.ino }, atStore, () => {
          new Inode(kernel, inode).nlink = node.nlink;
          kernel.core.x.iget(inode);
          kernel.core.x.dInstantiate(dentry, inode);
          kernel.core.x.dAdd(dentry);
          return 0;
        });
      },
      rename: (kernel, oldDir, oldDentry, newDir, newDentry) => {
        const [from, to] = [this.#childrenOf(kernel, oldDir), this.#childrenOf(kernel, newDir)];
        const [oldName, newName] = [nameOf(kernel, oldDentry), nameOf(kernel, newDentry)];
        const node = this.#node(kernel, new Dentry(kernel, oldDentry).inode);
        const target = new Dentry(kernel, newDentry).inode;
        const replaced = target === 0 ? undefined : this.#node(kernel, target);
        const atStore = (): void => {
          from.delete(oldName);
          to.set(newName, node);
          if (replaced) replaced.nlink -= 1;
        };
        return this.#change(kernel, { operation: "rename", ino: node.ino }, atStore, () => {
          if (replaced) new Inode(kernel, target).nlink = replaced.nlink;
          return 0;
        });
      },
      setattr: (kernel, inode, attr) => {
        const refused = libfs.setattrPrepare(kernel, inode, attr);
        if (refused < 0) return refused;
        const node = this.#node(kernel, inode);
        const inMemory = (): number => {
          if (attr.valid & ATTR_SIZE) libfs.truncateSetsize(kernel, inode, attr.size);
          libfs.setattrCopy(kernel, inode, attr);
          libstore.markInodeDirty(kernel, inode, libstore.I_DIRTY_SYNC | libstore.I_DIRTY_DATASYNC);
          return 0;
        };
        if (!(attr.valid & ATTR_SIZE)) return inMemory(); // written by writeInode
        return this.#change(
          kernel,
          { operation: "setattr", ino: node.ino },
          () => this.#resize(node, attr.size),
          inMemory,
        );
      },
    };
  }

  #superOps(): SuperOperations {
    return {
      statfs: libfs.simpleStatfs,
      readInode: ({ kernel }, handle) => {
        const inode = new Inode(kernel, handle);
        const node = this.nodes.get(inode.ino);
        if (!node) return -EIO;
        inode.mode = node.mode;
        inode.kind = node.children ? DIRECTORY : FILE;
        inode.nlink = node.nlink;
        inode.size = node.data.length;
        inode.setTime("mtime", node.mtimeSec, 0);
        return 0;
      },
      writeInode: (kernel, handle) => {
        const inode = new Inode(kernel, handle);
        const { ino, mode } = inode;
        const { sec } = inode.getTime("mtime");
        // What has changed since it was asked is asked anew: the answer is for the attributes as they were.
        return this.#ask(kernel, `writeInode ${ino} ${mode} ${sec}`, { operation: "writeInode", ino }, () => {
          const node = this.nodes.get(ino);
          if (node) [node.mode, node.mtimeSec] = [mode, sec];
          return 0;
        });
      },
      evictInode: (kernel, handle) => {
        const { ino, nlink } = new Inode(kernel, handle);
        if (nlink > 0) return;
        const over = this.#call(true, { operation: "evictInode", ino }, () => {
          this.nodes.delete(ino);
          return 0;
        });
        return (over as Promise<number>).then((rc) => {
          if (rc < 0) throw new Error(`evictInode ${ino}: ${rc}`);
        });
      },
    };
  }

  #type(): FileSystemType {
    const mapping: libstore.AddressSpaceOperations = {
      readPage: (cache, control) => this.#read(cache, control, "readPage"),
      readahead: (cache, control) => this.#read(cache, control, "readahead"),
      writeBegin: (cache, { inode, index }) =>
        this.#call(
          cache.mayWait,
          { operation: "writeBegin", ino: new Inode(cache.owner as Kernel, inode).ino, start: index },
          () => 0,
        ),
      writePages: (cache, control) => this.#write(cache, control),
    };
    return {
      name: "faultfs",
      fsFlags: 0,
      pages: libstore.storedPages,
      tables: [
        {
          inode: this.#inodeOperations(),
          file: {
            ...libstore.storedFileOperations(mapping),
            write: (kernel, file, ...args) => libstore.storedWrite(kernel, mapping, file, ...args),
            writev: (kernel, file, ...args) => libstore.storedWritev(kernel, mapping, file, ...args),
            fsync: libstore.genericFsync,
          },
          mapping,
        },
        {
          inode: this.#inodeOperations(),
          file: {
            iterate: (kernel, dir, emit) => {
              const { ino } = new Inode(kernel, dir);
              const rc = this.#ask(kernel, `iterate ${ino}`, { operation: "iterate", ino }, () => 0);
              if (rc < 0) return rc;
              for (const [name, { mode }] of this.#childrenOf(kernel, dir)) if (!emit(name, (mode >> 12) & 15)) break;
              return 0;
            },
          },
          mapping: {},
        },
      ],
      superOps: this.#superOps(),
      fillSuper: (sb) => {
        this.sb = sb;
        libstore.superSetupBdi(sb, { name: "faults" });
        const rc = sb.makeRoot(this.root.mode, 0, 0, DIRECTORY);
        if (rc < 0) return rc;
        const inode = new Dentry(sb.kernel, sb.root).inode;
        new Inode(sb.kernel, inode).ino = ROOT_INO;
        return libstore.insertInodeHash(sb.kernel, inode);
      },
    };
  }
}
