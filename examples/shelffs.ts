/**
 * shelffs: a file system with a store behind it, to copy. The store is a shelf of files in one row, which takes its time; the
 * page cache stands in front of it: reads come ahead of the reader, writes are collected and go out by the run.
 *
 *   const shelf = new Shelf();
 *   fs.kernel.registerFileSystem(shelffs(shelf));
 *   fs.kernel.mount({ type: "shelffs", target: "/shelf" });
 *   await fs.promises.writeFile("/shelf/note", "text");
 *   await fs.kernel.syncAsync(); // or an fsync, an umount, or half a minute: the shelf has it
 *
 * Where a call may wait (promises, callbacks) operations answer promises; synchronous calls get an answer at once. A store
 * without such an answer gives -EAGAIN to them, and has to be used by promises.
 */
import {
  ATTR_SIZE,
  Dentry,
  type DentryHandle,
  ENOENT,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type Kernel,
  libfs,
  stat,
} from "../src/index.ts"; // in a project of your own: from "foliofs"
import * as store from "../src/store.ts"; // from "foliofs/store"

/** Kinds of inodes: indexes into `tables` below. */
const FILE = 0;
const DIRECTORY = 1;
const DT_REG = 8;

/** Without a name it has been removed, and is open. */
type ShelfFile = { name: string; mode: number; data: Uint8Array };

/** The store: what a server, a database or a disk would be. */
export class Shelf {
  /** By number. */
  readonly files = new Map<number, ShelfFile>();
  /** What it has been asked to do with data, in order. */
  readonly log: string[] = [];
  #lastIno = 1;

  find(name: string): number {
    for (const [ino, file] of this.files) if (file.name === name) return ino;
    return 0;
  }

  add(name: string, mode: number): number {
    this.files.set(++this.#lastIno, { name, mode, data: new Uint8Array() });
    return this.#lastIno;
  }

  resize(file: ShelfFile, size: number): void {
    const data = new Uint8Array(size);
    data.set(file.data.subarray(0, size));
    file.data = data;
  }

  /** Fills views, or takes what is in them. @returns bytes: reads end where the file does */
  move(file: ShelfFile, position: number, views: Uint8Array[], isWrite: boolean): number {
    let at = position;
    for (const view of views) {
      if (isWrite && at + view.length > file.data.length) this.resize(file, at + view.length);
      const piece = file.data.subarray(at, at + view.length);
      if (isWrite) piece.set(view);
      else view.set(piece);
      at += piece.length;
    }
    this.log.push(`${isWrite ? "write" : "read"} ${position}+${at - position}`);
    return at - position;
  }
}

export function shelffs(shelf: Shelf): FileSystemType {
  const nameOf = (kernel: Kernel, dentry: DentryHandle) => new TextDecoder().decode(new Dentry(kernel, dentry).name);
  const fileOf = (kernel: Kernel, inode: InodeHandle): ShelfFile => {
    const file = shelf.files.get(new Inode(kernel, inode).ino);
    if (file === undefined) throw new Error("not on the shelf"); // each inode has its file until evictInode
    return file;
  };
  /** Moves pages now, or in a while. */
  const move =
    (isWrite: boolean) =>
    (cache: store.PageCache, pages: store.ReadaheadControl | store.WriteControl): number | Promise<number> => {
      const file = fileOf(cache.owner as Kernel, pages.inode);
      // The views are asked for when the bytes move: memory may have grown since the call, and arrays of it from before have no bytes.
      const work = () => shelf.move(file, pages.position, pages.views(), isWrite);
      return cache.mayWait ? new Promise((resolve) => setTimeout(() => resolve(work()), 1)) : work();
    };
  const mapping: store.AddressSpaceOperations = {
    readPage: move(false), // one page, when part of it is overwritten or readahead was in vain
    readahead: move(false),
    writePages: move(true),
  };

  return {
    name: "shelffs",
    fsFlags: 0,
    pages: store.storedPages,
    tables: [
      {
        inode: {
          /** The store first, then the record, which cannot fail; other attributes come by writeInode. */
          setattr(kernel, inode, attr) {
            const refused = libfs.setattrPrepare(kernel, inode, attr);
            if (refused < 0) return refused;
            if (attr.valid & ATTR_SIZE) shelf.resize(fileOf(kernel, inode), attr.size);
            return libfs.simpleSetattr(kernel, inode, attr);
          },
        },
        file: store.genericFileOperations(mapping),
        mapping,
      },
      {
        inode: {
          lookup(kernel, dir, dentry) {
            const ino = shelf.find(nameOf(kernel, dentry));
            if (ino === 0) return 0; // the name stays negative
            const inode = store.iget(kernel.sbOf(dir), ino);
            if (inode > 0) store.dSpliceAlias(kernel, inode as InodeHandle, dentry);
            return Math.min(0, inode);
          },
          create(kernel, dir, dentry, mode) {
            const inode = store.iget(kernel.sbOf(dir), shelf.add(nameOf(kernel, dentry), mode));
            if (inode < 0) return inode;
            store.dSpliceAlias(kernel, inode as InodeHandle, dentry);
            kernel.core.x.dAdd(dentry);
            return 0;
          },
          unlink(kernel, _dir, dentry) {
            const { inode } = new Dentry(kernel, dentry);
            new Inode(kernel, inode).nlink -= 1;
            fileOf(kernel, inode).name = ""; // the bytes go with the inode: it may be open
            return 0;
          },
        },
        file: {
          iterate(_kernel, _dir, emit) {
            for (const { name } of shelf.files.values()) if (name !== "" && !emit(name, DT_REG)) break;
            return 0;
          },
        },
        mapping: {},
      },
    ],

    superOps: {
      statfs: libfs.simpleStatfs,
      readInode(sb, handle) {
        const inode = new Inode(sb.kernel, handle);
        const file = shelf.files.get(inode.ino);
        if (file === undefined) return -ENOENT;
        Object.assign(inode, { kind: FILE, mode: file.mode | stat.S_IFREG, nlink: 1, size: file.data.length });
        return 0;
      },
      writeInode(kernel, handle) {
        const { ino, mode } = new Inode(kernel, handle);
        const file = shelf.files.get(ino);
        if (file !== undefined) file.mode = mode; // the root directory has none
        return 0;
      },
      evictInode(kernel, handle) {
        const { ino, nlink } = new Inode(kernel, handle);
        if (nlink === 0) shelf.files.delete(ino);
      },
    },

    fillSuper(sb) {
      store.superSetupBdi(sb, { name: "shelf" });
      return sb.makeRoot(0o755, 0, 0, DIRECTORY);
    },
  };
}
