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
import {
  type AddressSpaceOperations,
  dSpliceAlias,
  genericFsync,
  I_DIRTY_DATASYNC,
  I_DIRTY_SYNC,
  iget,
  markInodeDirty,
  storedFileOperations,
  storedPages,
  storedWrite,
  storedWritev,
  superSetupBdi,
} from "../src/store.ts"; // from "foliofs/store"

const FILE = 0;
const DIRECTORY = 1;
const DT_REG = 8;

/** The store: what a server, a database or a disk would be. */
export class Shelf {
  readonly files = new Map<number, { name: string; mode: number; data: Uint8Array }>();
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

  rename(ino: number, name: string): void {
    const file = this.files.get(ino);
    if (file !== undefined) file.name = name;
  }

  resize(ino: number, size: number): void {
    const file = this.files.get(ino);
    if (file === undefined || file.data.length === size) return;
    const data = new Uint8Array(size);
    data.set(file.data.subarray(0, size));
    file.data = data;
  }

  /** @returns bytes: fewer at the end of the file */
  read(ino: number, position: number, views: Uint8Array[]): number {
    const data = this.files.get(ino)?.data.subarray(position) ?? new Uint8Array();
    let done = 0;
    for (const view of views) {
      const piece = data.subarray(done, done + view.length);
      view.set(piece);
      done += piece.length;
    }
    this.log.push(`read ${position}+${done}`);
    return done;
  }

  write(ino: number, position: number, views: Uint8Array[]): number {
    const length = views.reduce((sum, view) => sum + view.length, 0);
    const size = this.files.get(ino)?.data.length ?? 0;
    this.resize(ino, Math.max(size, position + length));
    let at = position;
    for (const view of views) {
      this.files.get(ino)?.data.set(view, at);
      at += view.length;
    }
    this.log.push(`write ${position}+${length}`);
    return length;
  }
}

function nameOf(kernel: Kernel, dentry: DentryHandle): string {
  return new TextDecoder().decode(new Dentry(kernel, dentry).name);
}

export function shelffs(shelf: Shelf): FileSystemType {
  const inoOf = (kernel: Kernel, inode: InodeHandle): number => new Inode(kernel, inode).ino;
  /** Now, or in a while. */
  const take = (mayWait: boolean, work: () => number): number | Promise<number> =>
    mayWait ? new Promise((resolve) => setTimeout(() => resolve(work()), 1)) : work();

  const read: AddressSpaceOperations["readPage"] = (cache, pages) =>
    take(cache.mayWait, () => shelf.read(inoOf(cache.owner as Kernel, pages.inode), pages.position, pages.views()));
  const mapping: AddressSpaceOperations = {
    readPage: read, // one page, when part of it is overwritten or readahead was in vain
    readahead: read,
    writePages: (cache, pages) =>
      take(cache.mayWait, () => shelf.write(inoOf(cache.owner as Kernel, pages.inode), pages.position, pages.views())),
  };

  return {
    name: "shelffs",
    fsFlags: 0,
    pages: storedPages,
    tables: [
      {
        inode: {
          /** The store first, then the record, which cannot fail. */
          setattr(kernel, inode, attr) {
            const refused = libfs.setattrPrepare(kernel, inode, attr);
            if (refused < 0) return refused;
            if (attr.valid & ATTR_SIZE) {
              shelf.resize(inoOf(kernel, inode), attr.size);
              libfs.truncateSetsize(kernel, inode, attr.size);
            }
            libfs.setattrCopy(kernel, inode, attr);
            markInodeDirty(kernel, inode, I_DIRTY_SYNC | I_DIRTY_DATASYNC);
            return 0;
          },
        },
        file: {
          ...storedFileOperations(mapping),
          write: (kernel, file, ...args) => storedWrite(kernel, mapping, file, ...args),
          writev: (kernel, file, ...args) => storedWritev(kernel, mapping, file, ...args),
          fsync: genericFsync,
        },
        mapping,
      },
      {
        inode: {
          lookup(kernel, dir, dentry) {
            const ino = shelf.find(nameOf(kernel, dentry));
            if (ino === 0) return 0; // the name stays negative
            const inode = iget(kernel.sbOf(dir), ino);
            if (inode < 0) return inode;
            dSpliceAlias(kernel, inode as InodeHandle, dentry);
            return 0;
          },
          create(kernel, dir, dentry, mode) {
            const inode = iget(kernel.sbOf(dir), shelf.add(nameOf(kernel, dentry), mode));
            if (inode < 0) return inode;
            kernel.core.x.dInstantiate(dentry, inode as InodeHandle);
            kernel.core.x.dAdd(dentry);
            return 0;
          },
          unlink(kernel, _dir, dentry) {
            const inode = new Inode(kernel, new Dentry(kernel, dentry).inode);
            inode.nlink -= 1;
            shelf.rename(inode.ino, "");
            return 0; // the bytes go with the inode: it may be open
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
        inode.mode = file.mode | stat.S_IFREG;
        inode.kind = FILE;
        inode.nlink = 1;
        inode.size = file.data.length;
        return 0;
      },
      writeInode(kernel, handle) {
        const { ino, mode } = new Inode(kernel, handle);
        const file = shelf.files.get(ino);
        if (file !== undefined) file.mode = mode;
        return 0;
      },
      evictInode(kernel, handle) {
        const { ino, nlink } = new Inode(kernel, handle);
        if (nlink === 0) shelf.files.delete(ino);
      },
    },

    fillSuper(sb) {
      superSetupBdi(sb, { name: "shelf" });
      return sb.makeRoot(0o755, 0, 0, DIRECTORY);
    },
  };
}
