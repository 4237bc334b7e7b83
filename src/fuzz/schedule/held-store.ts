/**
 * A file system whose store answers when it is told to: names, attributes, pages. Whatever it is asked for by callback and promise calls
 * is held; synchronous calls are answered at once where it has a synchronous half, else with EAGAIN.
 *
 * Does not own: what comes next (scheduler.ts), what the store keeps (disk.ts).
 */
import {
  type Answer,
  ATTR_SIZE,
  Dentry,
  type DentryHandle,
  EAGAIN,
  EIO,
  ENOTEMPTY,
  type FileHandle,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  libfs,
  type SuperOperations,
} from "../../index.ts";
import * as store from "../../store.ts";
import { Disk, type DiskNode, isDirectory, ROOT_INO } from "./disk.ts";

/** What a call of a store is about. */
export interface StoreCall {
  /** From 0 on. */
  readonly nr: number;
  readonly operation: string;
  readonly ino: number;
  /** Bytes of the file that it is about: from here to before `end`. */
  readonly start: number;
  readonly end: number;
}

/** What a call answers in the place of what it would: a negated errno, half of its bytes, or a promise that fails, which is EIO. */
export type StoreFault = number | "short" | "throw";

export interface HeldStoreOptions {
  /** Keeps an answer until the promise does. */
  readonly hold: (name: string) => Promise<void>;
  /** Synchronous calls are answered at once. */
  readonly hasSyncHalf: boolean;
  /** Which calls fail; asked when they are answered. */
  readonly plan?: (call: StoreCall) => StoreFault | undefined;
  /** Hears of each answer: bytes, 0 or a negated errno. */
  readonly answered?: (call: StoreCall, answer: number) => void;
}

const FILE = 0;
const DIRECTORY = 1;
const ROOT_MODE = 0o40755;

type DirEmit = Parameters<NonNullable<NonNullable<FileSystemType["tables"][number]["file"]>["iterate"]>>[2];

function nameOf(kernel: Kernel, dentry: DentryHandle): string {
  return Buffer.from(new Dentry(kernel, dentry).name).toString();
}

function inoOf(kernel: Kernel, inode: InodeHandle): number {
  return new Inode(kernel, inode).ino;
}

/** @param most bytes */
function answerOf(fault: StoreFault | undefined, most: number, work: (most: number) => number): number {
  if (fault === "throw") return -EIO;
  if (typeof fault === "number") return fault;
  return work(fault === "short" && most > 1 ? most >> 1 : most);
}

export class HeldStore {
  readonly disk: Disk;
  readonly type: FileSystemType;
  /** All answers come at once, as long as files are laid out. */
  isQuick = true;
  /** What each call was that had an answer of its own, by its number: "lookup 1". */
  readonly calls: string[] = [];
  readonly #options: HeldStoreOptions;
  /** Questions of calls that are made again for their answers. */
  readonly #answered = new WeakMap<object, Map<string, number>>();

  constructor(options: HeldStoreOptions, disk = new Disk()) {
    this.#options = options;
    this.disk = disk;
    this.type = this.#type();
  }

  // --- Being asked ------------------------------------------------------------------------------------------------------

  /** @param work with the bytes that it may move at most */
  #call(
    mayWait: boolean,
    operation: string,
    ino: number,
    work: (most: number) => number,
    [start, end] = [0, 0],
  ): number | Promise<number> {
    const { hold, plan, answered } = this.#options;
    const what = `${operation} ${ino}`;
    const call = { nr: this.calls.push(what) - 1, operation, ino, start, end };
    const isNow = this.isQuick || !mayWait;
    const finish = (): number => {
      const fault = plan?.(call);
      const answer = answerOf(fault, end - start, work);
      answered?.(call, answer);
      // At once, only writing back bears it.
      if (fault === "throw" && (!isNow || operation === "writePages")) throw new Error(`call ${call.nr} of the store`);
      return answer;
    };
    return isNow ? finish() : hold(what).then(finish);
  }

  /** Whether a change cannot be made by this call, which may not wait. */
  #isRefused(kernel: Kernel): boolean {
    return !this.isQuick && !kernel.mayWait && !this.#options.hasSyncHalf;
  }

  /** A change of names or sizes: what it does in memory comes when the store has made it. */
  #change(kernel: Kernel, operation: string, ino: number, atStore: () => void, inMemory: () => number): Answer {
    if (this.#isRefused(kernel)) return -EAGAIN;
    const made = this.#call(kernel.mayWait, operation, ino, () => {
      atStore();
      return 0;
    });
    if (typeof made === "number") return made < 0 ? made : inMemory();
    return made.then((rc) => (rc < 0 ? rc : inMemory));
  }

  /** A call of an operation that is made again for its answer, which it is given once. @param key of what is asked for */
  #ask(kernel: Kernel, key: string, operation: string, ino: number, work = (): number => 0): number {
    const { progress } = kernel;
    if (this.isQuick || progress === undefined) {
      return this.#isRefused(kernel) ? -EAGAIN : (this.#call(false, operation, ino, work) as number);
    }
    const answered = this.#answered.get(progress) ?? new Map<string, number>();
    this.#answered.set(progress, answered);
    const known = answered.get(key);
    if (known !== undefined) {
      answered.delete(key);
      return known;
    }
    const asked = this.#call(true, operation, ino, work) as Promise<number>;
    const keep = (rc: number): void => void answered.set(key, rc);
    kernel.setWaitToken(asked.then(keep, () => keep(-EIO)));
    return -EAGAIN;
  }

  // --- Names ------------------------------------------------------------------------------------------------------------

  #node(kernel: Kernel, inode: InodeHandle): DiskNode {
    return this.disk.node(inoOf(kernel, inode));
  }

  #create(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number, operation: string): Answer {
    const name = nameOf(kernel, dentry);
    const parent = inoOf(kernel, dir);
    const sb = kernel.sbOf(dir);
    let ino = 0;
    const atStore = (): void => {
      ino = this.disk.make(parent, name, mode);
    };
    return this.#change(kernel, operation, parent, atStore, () => {
      const inode = store.iget(sb, ino);
      if (inode < 0) return inode;
      kernel.core.x.dInstantiate(dentry, inode as InodeHandle);
      kernel.core.x.dAdd(dentry);
      return 0;
    });
  }

  #remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, operation: string): Answer {
    const name = nameOf(kernel, dentry);
    const parent = inoOf(kernel, dir);
    const inode = new Dentry(kernel, dentry).inode;
    const ino = inoOf(kernel, inode);
    if ((this.disk.node(ino).children?.size ?? 0) > 0) return -ENOTEMPTY;
    const atStore = (): void => this.disk.remove(parent, name);
    return this.#change(kernel, operation, ino, atStore, () => this.#takeNlink(kernel, inode));
  }

  #takeNlink(kernel: Kernel, inode: InodeHandle): number {
    new Inode(kernel, inode).nlink = this.#node(kernel, inode).nlink;
    return 0;
  }

  #link(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): Answer {
    const [ino, parent, name] = [inoOf(kernel, inode), inoOf(kernel, dir), nameOf(kernel, dentry)];
    const atStore = (): void => this.disk.link(ino, parent, name);
    return this.#change(kernel, "link", ino, atStore, () => {
      kernel.core.x.iget(inode);
      kernel.core.x.dInstantiate(dentry, inode);
      kernel.core.x.dAdd(dentry);
      return this.#takeNlink(kernel, inode);
    });
  }

  #rename(
    kernel: Kernel,
    [oldDir, newDir]: readonly InodeHandle[],
    [oldDentry, newDentry]: readonly DentryHandle[],
  ): Answer {
    const [from, to] = [inoOf(kernel, oldDir), inoOf(kernel, newDir)];
    const [oldName, newName] = [nameOf(kernel, oldDentry), nameOf(kernel, newDentry)];
    const target = new Dentry(kernel, newDentry).inode;
    if (target !== 0 && (this.#node(kernel, target).children?.size ?? 0) > 0) return -ENOTEMPTY;
    const atStore = (): void => this.disk.rename(from, oldName, to, newName);
    return this.#change(kernel, "rename", from, atStore, () => (target === 0 ? 0 : this.#takeNlink(kernel, target)));
  }

  #lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    const name = nameOf(kernel, dentry);
    const parent = inoOf(kernel, dir);
    const rc = this.#ask(kernel, `lookup ${parent} ${name}`, "lookup", parent);
    const ino = rc < 0 ? undefined : this.disk.node(parent).children?.get(name); // as it is now
    if (ino === undefined) return rc;
    const inode = store.iget(kernel.sbOf(dir), ino);
    if (inode < 0) return inode;
    store.dSpliceAlias(kernel, inode as InodeHandle, dentry);
    return 0;
  }

  #setattr(kernel: Kernel, inode: InodeHandle, attr: Parameters<NonNullable<InodeOperations["setattr"]>>[2]): Answer {
    const refused = libfs.setattrPrepare(kernel, inode, attr);
    if (refused < 0) return refused;
    const ino = inoOf(kernel, inode);
    const inMemory = (): number => {
      if (attr.valid & ATTR_SIZE) libfs.truncateSetsize(kernel, inode, attr.size);
      libfs.setattrCopy(kernel, inode, attr);
      store.markInodeDirty(kernel, inode, store.I_DIRTY_SYNC | store.I_DIRTY_DATASYNC);
      return 0;
    };
    if (!(attr.valid & ATTR_SIZE)) return inMemory(); // writeInode has it written
    return this.#change(kernel, "setattr", ino, () => this.disk.resize(ino, attr.size), inMemory);
  }

  #inodeOperations(): InodeOperations {
    return {
      lookup: (kernel, dir, dentry) => this.#lookup(kernel, dir, dentry),
      create: (kernel, dir, dentry, mode) => this.#create(kernel, dir, dentry, mode, "create"),
      mkdir: (kernel, dir, dentry, mode) => this.#create(kernel, dir, dentry, mode, "mkdir"),
      unlink: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "unlink"),
      rmdir: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "rmdir"),
      link: (kernel, inode, dir, dentry) => this.#link(kernel, inode, dir, dentry),
      rename: (kernel, oldDir, oldDentry, newDir, newDentry) =>
        this.#rename(kernel, [oldDir, newDir], [oldDentry, newDentry]),
      setattr: (kernel, inode, attr) => this.#setattr(kernel, inode, attr),
    };
  }

  // --- Pages ------------------------------------------------------------------------------------------------------------

  #read(cache: store.PageCache, control: store.ReadaheadControl, operation: string): number | Promise<number> {
    const ino = inoOf(cache.owner as Kernel, control.inode);
    const { position, length } = control;
    const fill = (): number => {
      const data = this.disk.read(ino, position, length);
      let done = 0;
      for (const view of control.views()) {
        view.fill(0xee); // a store may leave behind what it likes where it has nothing
        view.set(data.subarray(done, done + view.length));
        done += view.length;
      }
      return data.length;
    };
    const mayWait = cache.mayWait || !this.#options.hasSyncHalf; // who may not wait finds the page the next time
    return this.#call(mayWait, operation, ino, fill, [position, position + length]);
  }

  #write(cache: store.PageCache, control: store.WriteControl): number | Promise<number> {
    const ino = inoOf(cache.owner as Kernel, control.inode);
    const { position, length } = control;
    const keep = (bytes: number): number => {
      this.disk.write(ino, position, Buffer.concat(control.views()).subarray(0, bytes));
      return bytes;
    };
    const mayWait = cache.mayWait || !this.#options.hasSyncHalf;
    return this.#call(mayWait, "writePages", ino, keep, [position, position + length]);
  }

  /** What has been written is safe when the store says so. */
  #flush(kernel: Kernel, ino: number): number {
    return this.#ask(kernel, `flush ${ino}`, "flush", ino, () => this.disk.flush());
  }

  #tables(): FileSystemType["tables"] {
    const mapping: store.AddressSpaceOperations = {
      readPage: (cache, control) => this.#read(cache, control, "readPage"),
      readahead: (cache, control) => this.#read(cache, control, "readahead"),
      writeBegin: (cache, { inode }) =>
        this.#call(cache.mayWait, "writeBegin", inoOf(cache.owner as Kernel, inode), () => 0),
      writePages: (cache, control) => this.#write(cache, control),
    };
    const fsync = (kernel: Kernel, file: FileHandle, dataOnly: boolean, start?: number, end?: number): number => {
      const rc = store.genericFsync(kernel, file, dataOnly, start, end);
      return rc < 0 || !this.disk.hasCache ? rc : this.#flush(kernel, Inode.ofFile(kernel, file).ino);
    };
    return [
      {
        inode: this.#inodeOperations(),
        file: {
          ...store.storedFileOperations(mapping),
          write: (kernel, file, ...args) => store.storedWrite(kernel, mapping, file, ...args),
          writev: (kernel, file, ...args) => store.storedWritev(kernel, mapping, file, ...args),
          fsync,
        },
        mapping,
      },
      {
        inode: this.#inodeOperations(),
        file: { iterate: (kernel, dir, emit) => this.#iterate(kernel, dir, emit), fsync },
        mapping: {},
      },
    ];
  }

  #iterate(kernel: Kernel, dir: InodeHandle, emit: DirEmit): number {
    const ino = inoOf(kernel, dir);
    const rc = this.#ask(kernel, `iterate ${ino}`, "iterate", ino);
    if (rc < 0) return rc;
    for (const [name, child] of this.disk.node(ino).children ?? []) {
      if (!emit(name, (this.disk.node(child).mode >> 12) & 0xf)) break;
    }
    return 0;
  }

  // --- Inodes -----------------------------------------------------------------------------------------------------------

  #superOps(): SuperOperations {
    return {
      statfs: libfs.simpleStatfs,
      readInode: ({ kernel }, handle) => {
        const inode = new Inode(kernel, handle);
        const node = this.disk.node(inode.ino);
        inode.mode = node.mode;
        inode.kind = isDirectory(node) ? DIRECTORY : FILE;
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
        return this.#ask(kernel, `writeInode ${ino} ${mode} ${sec}`, "writeInode", ino, () => {
          this.disk.setAttributes(ino, mode, sec);
          return 0;
        });
      },
      evictInode: (kernel, handle) => {
        const { ino, nlink } = new Inode(kernel, handle);
        if (nlink > 0) return;
        const over = this.#call(true, "evictInode", ino, () => {
          this.disk.forget(ino);
          return 0;
        });
        if (typeof over === "number") return;
        return over.then((rc) => {
          if (rc < 0) throw new Error(`evictInode ${ino}: ${rc}`);
        });
      },
    };
  }

  #type(): FileSystemType {
    return {
      name: "heldfs",
      fsFlags: 0,
      pages: store.storedPages,
      tables: this.#tables(),
      superOps: this.#superOps(),
      fillSuper: (sb) => {
        store.superSetupBdi(sb, { name: "held" });
        const rc = sb.makeRoot(ROOT_MODE & 0o7777, 0, 0, DIRECTORY);
        if (rc < 0) return rc;
        const inode = new Dentry(sb.kernel, sb.root).inode;
        new Inode(sb.kernel, inode).ino = ROOT_INO;
        return store.insertInodeHash(sb.kernel, inode);
      },
    };
  }
}
