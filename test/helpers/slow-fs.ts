/**
 * A file system whose store takes its time: every change of a name is a question that waits in a list until the test has
 * it answered. Names are looked up at once.
 *
 * Each question is logged when it is asked, so that a test sees how often the store was asked for what.
 */
import {
  type Answer,
  ATTR_ATIME,
  ATTR_GID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_SIZE,
  ATTR_UID,
  Dentry,
  type DentryHandle,
  EAGAIN,
  ENOTEMPTY,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  libfs,
  stat,
} from "../../src/index.ts";
import { PATH_A } from "../../src/wasm/core.ts";
import { nameOf } from "./remote-fs.ts";

const { fileRemovePrivs, setattrCopy, setattrPrepare, truncateSetsize } = libfs;

export interface SlowNode {
  mode: number;
  target?: string;
  children?: Map<string, SlowNode>;
}

interface Question {
  what: string;
  answer(rc: number): void;
}

export class SlowFs {
  readonly root: SlowNode = { mode: stat.S_IFDIR | 0o777, children: new Map() };
  /** Every question so far, in order. */
  readonly log: string[] = [];
  readonly questions: Question[] = [];
  readonly type: FileSystemType;
  /** Answers at once, as a store on this machine would. */
  isFast = false;
  readonly #nodes = new Map<InodeHandle, SlowNode>();
  readonly #inodes = new Map<SlowNode, InodeHandle>();

  constructor() {
    this.type = {
      name: "slowfs",
      fsFlags: 0,
      tables: [{ inode: this.#operations(), file: this.#fileOperations(), mapping: {} }],
      superOps: {
        evictInode: (_kernel, inode) => {
          const node = this.#node(inode);
          this.#nodes.delete(inode);
          this.#inodes.delete(node);
        },
      },
      fillSuper: (sb) => {
        const rc = sb.makeRoot(0o777, 0, 0, 0);
        if (rc === 0) this.#remember(new Dentry(sb.kernel, sb.root).inode, this.root);
        return rc;
      },
    };
  }

  /** Answers the oldest question that waits, or that of a number. @param rc 0, or a negated errno: nothing is changed */
  async answer(rc = 0, number = 0): Promise<void> {
    this.questions.splice(number, 1)[0].answer(rc);
    await settled();
  }

  /** Answers whatever waits until nothing does. */
  async answerAll(): Promise<void> {
    await settled();
    while (this.questions.length > 0) await this.answer();
  }

  /** Paths of all that the store has, sorted. */
  paths(node = this.root, at = ""): string[] {
    const below = [...(node.children ?? [])].flatMap(([name, child]) => [
      `${at}/${name}`,
      ...this.paths(child, `${at}/${name}`),
    ]);
    return below.sort();
  }

  #node(inode: InodeHandle): SlowNode {
    const node = this.#nodes.get(inode);
    if (!node) throw new Error(`slowfs: inode ${inode} is not known, or has been evicted`);
    return node;
  }

  #children(dir: InodeHandle): Map<string, SlowNode> {
    return this.#node(dir).children as Map<string, SlowNode>;
  }

  #remember(inode: InodeHandle, node: SlowNode): void {
    this.#nodes.set(inode, node);
    this.#inodes.set(node, inode);
  }

  #instantiate(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, node: SlowNode): number {
    const { x } = kernel.core;
    const known = this.#inodes.get(node);
    if (known !== undefined) {
      x.iget(known);
      x.dInstantiate(dentry, known);
      return 0;
    }
    const inode = x.inodeNew(kernel.sbOf(dir).handle, node.mode, 0, 0, kernel.now()) as InodeHandle;
    if (inode < 0) return inode;
    this.#remember(inode, node);
    x.dInstantiate(dentry, inode);
    return 0;
  }

  /** Asks the store, which then does `change`. */
  #ask(kernel: Kernel, what: string, change: () => number): Answer {
    if (!this.isFast && !kernel.mayWait) return -EAGAIN;
    this.log.push(what);
    if (this.isFast) return change();
    return new Promise((resolve) => {
      this.questions.push({ what, answer: (rc) => resolve(rc < 0 ? rc : change) });
    });
  }

  #make(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, what: string, node: SlowNode): Answer {
    const name = nameOf(kernel, dentry);
    return this.#ask(kernel, `${what} ${name}`, () => {
      const rc = this.#instantiate(kernel, dir, dentry, node);
      if (rc < 0) return rc;
      this.#children(dir).set(name, node);
      kernel.core.x.dAdd(dentry);
      return 0;
    });
  }

  #remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, what: string): Answer {
    const name = nameOf(kernel, dentry);
    return this.#ask(kernel, `${what} ${name}`, () => {
      this.#children(dir).delete(name);
      return 0;
    });
  }

  #operations(): InodeOperations {
    return {
      lookup: (kernel, dir, dentry) => {
        const node = this.#children(dir).get(nameOf(kernel, dentry));
        return node ? this.#instantiate(kernel, dir, dentry, node) : 0;
      },
      create: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, "create", { mode }),
      mkdir: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, "mkdir", { mode, children: new Map() }),
      mknod: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, "mknod", { mode }),
      symlink: (kernel, dir, dentry, length) => {
        const target = Buffer.from(kernel.core.u8.subarray(PATH_A, PATH_A + length)).toString();
        return this.#make(kernel, dir, dentry, "symlink", { mode: stat.S_IFLNK | 0o777, target });
      },
      link: (kernel, inode, dir, dentry) => {
        const node = this.#node(inode);
        return this.#make(kernel, dir, dentry, "link", node);
      },
      getLink: (_kernel, inode) => Buffer.from(this.#node(inode).target ?? ""),
      unlink: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "unlink"),
      rmdir: (kernel, dir, dentry) => {
        const { children } = this.#node(new Dentry(kernel, dentry).inode);
        return children?.size ? -ENOTEMPTY : this.#remove(kernel, dir, dentry, "rmdir");
      },
      setattr: (kernel, inode, attr) => {
        const refused = setattrPrepare(kernel, inode, attr);
        if (refused < 0) return refused;
        return this.#ask(kernel, `setattr ${namesOf(attr.valid)}`, () => {
          if (attr.valid & ATTR_SIZE) truncateSetsize(kernel, inode, attr.size);
          setattrCopy(kernel, inode, attr);
          this.#node(inode).mode = new Inode(kernel, inode).mode;
          return 0;
        });
      },
      rename: (kernel, oldDir, oldDentry, newDir, newDentry) => {
        const [from, to] = [nameOf(kernel, oldDentry), nameOf(kernel, newDentry)];
        return this.#ask(kernel, `rename ${from} ${to}`, () => {
          const node = this.#children(oldDir).get(from) as SlowNode;
          this.#children(oldDir).delete(from);
          this.#children(newDir).set(to, node);
          return 0;
        });
      },
    };
  }

  #fileOperations(): FileSystemType["tables"][number]["file"] {
    return {
      iterate: (_kernel, dir, emit) => {
        for (const [name, { mode }] of this.#children(dir)) if (!emit(name, (mode >> 12) & 15)) break;
        return 0;
      },
      write: (kernel, file, _buffer, _offset, length) => {
        const inode = Inode.ofFile(kernel, file);
        const refused = fileRemovePrivs(kernel, inode.handle, file);
        if (refused < 0) return refused;
        inode.size += length;
        return length;
      },
      read: () => 0,
    };
  }
}

/** What a change is to change, but for the ctime. */
function namesOf(valid: number): string {
  const names = {
    mode: ATTR_MODE,
    uid: ATTR_UID,
    gid: ATTR_GID,
    size: ATTR_SIZE,
    atime: ATTR_ATIME,
    mtime: ATTR_MTIME,
  };
  return Object.entries(names)
    .filter(([, flag]) => valid & flag)
    .map(([name]) => name)
    .join();
}

/** Promises that can settle without the store have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
