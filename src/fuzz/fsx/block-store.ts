/**
 * A file system with a store that keeps bytes of files in arrays, and answers at once: what is written to its files comes to the store
 * by writeback, by pages that have to go, and round the cache. It has all modes of fallocate(), and knows its holes.
 *
 * The files are those of one flat directory, made by who makes the store.
 */
import {
  ATTR_SIZE,
  Dentry,
  type DentryHandle,
  EINVAL,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  type FileHandle,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type Kernel,
  libfs,
  stat,
} from "../../index.ts";
import * as store from "../../store.ts";
import { PAGE } from "./private-pages.ts";

const FILE = 0;
const DIRECTORY = 1;
const DT_REG = 8;
const FIRST_INO = 2;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const COLLAPSE_RANGE = 8;
const ZERO_RANGE = 0x10;
const INSERT_RANGE = 0x20;
const KNOWN_MODES = KEEP_SIZE | PUNCH_HOLE | COLLAPSE_RANGE | ZERO_RANGE | INSERT_RANGE;
const SEEK_DATA = 3;
/** Little may be dirty: writers write back all the time. */
const DIRTY_BYTES = 128 * 1024;

class StoredFile {
  readonly name: string;
  mode = 0o644;
  data: Buffer = Buffer.alloc(0);

  constructor(name: string) {
    this.name = name;
  }

  resize(size: number): void {
    const data = Buffer.alloc(size);
    this.data.copy(data);
    this.data = data;
  }

  /** Fills views. @returns bytes, which end where the file does */
  read(position: number, views: readonly Uint8Array[]): number {
    let at = position;
    for (const view of views) at += this.data.copy(view, 0, Math.min(at, this.data.length), at + view.length);
    return at - position;
  }

  /** Takes the first `length` bytes of views. */
  write(position: number, views: readonly Uint8Array[], length: number): number {
    if (position + length > this.data.length) this.resize(position + length);
    let at = position;
    for (const view of views) {
      const piece = view.subarray(0, position + length - at);
      this.data.set(piece, at);
      at += piece.length;
    }
    return length;
  }
}

export class BlockStore {
  readonly #files: readonly StoredFile[];

  constructor(names: readonly string[]) {
    this.#files = names.map((name) => new StoredFile(name));
  }

  /** Bytes of a file, by its number. */
  content(file: number): Uint8Array {
    return this.#files[file].data;
  }

  #fileOf(kernel: Kernel, inode: InodeHandle): StoredFile {
    return this.#files[new Inode(kernel, inode).ino - FIRST_INO];
  }

  #lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    const name = new TextDecoder().decode(new Dentry(kernel, dentry).name);
    const file = this.#files.findIndex((one) => one.name === name);
    if (file < 0) return 0;
    const inode = store.iget(kernel.sbOf(dir), FIRST_INO + file);
    if (inode > 0) store.dSpliceAlias(kernel, inode as InodeHandle, dentry);
    return Math.min(0, inode);
  }

  readonly #mapping: store.AddressSpaceOperations = {
    readPage: (cache, control) => this.#read(cache, control),
    readahead: (cache, control) => this.#read(cache, control),
    writePages: (cache, control) =>
      this.#fileOf(cache.owner as Kernel, control.inode).write(control.position, control.views(), control.length),
    directIO: (cache, { inode, isWrite, position, buffer }) => {
      const file = this.#fileOf(cache.owner as Kernel, inode);
      return isWrite ? file.write(position, [buffer], buffer.length) : file.read(position, [buffer]);
    },
  };

  #read(cache: store.PageCache, control: store.ReadaheadControl): number {
    return this.#fileOf(cache.owner as Kernel, control.inode).read(control.position, control.views());
  }

  /**
   * The store first, then the pages: what is left of a page that a hole has a part of stays as it is. What moves is written before.
   *
   * @see Linux fs/ext4/extents.c ext4_fallocate()
   */
  #fallocate(kernel: Kernel, handle: FileHandle, mode: number, offset: number, length: number): number {
    if (mode & ~KNOWN_MODES) return -EOPNOTSUPP;
    const inode = Inode.ofFile(kernel, handle);
    const file = this.#fileOf(kernel, inode.handle);
    const end = offset + length;
    if (mode & (COLLAPSE_RANGE | INSERT_RANGE)) return this.#move(kernel, inode, file, mode, offset, length);
    if (mode & (PUNCH_HOLE | ZERO_RANGE)) {
      file.data.fill(0, Math.min(offset, file.data.length), Math.min(end, file.data.length));
      store.truncatePagecacheRange(kernel, this.#mapping, inode.handle, offset, end);
    }
    if (!(mode & KEEP_SIZE) && end > inode.size) setSize(kernel, inode, end);
    return 0;
  }

  #move(kernel: Kernel, inode: Inode, file: StoredFile, mode: number, offset: number, length: number): number {
    const isInsert = (mode & INSERT_RANGE) !== 0;
    const { handle, size } = inode;
    if (offset % PAGE !== 0 || length % PAGE !== 0) return -EINVAL;
    if (isInsert ? offset >= size : offset + length >= size) return -EINVAL;
    const rc = store.filemapWriteAndWaitRange(kernel, handle, offset, Number.POSITIVE_INFINITY);
    if (rc < 0) return rc;
    if (file.data.length < size) file.resize(size);
    const behind = file.data.subarray(isInsert ? offset : offset + length);
    const hole = Buffer.alloc(isInsert ? length : 0);
    file.data = Buffer.concat([file.data.subarray(0, offset), hole, behind]);
    store.truncatePagecacheRange(kernel, this.#mapping, handle, offset, Number.POSITIVE_INFINITY);
    setSize(kernel, inode, size + (isInsert ? length : -length));
    return 0;
  }

  /** Pages that are zeros at the store are its holes. What is dirty is written before. */
  #llseek(kernel: Kernel, handle: FileHandle, offset: number, whence: number): number {
    const { handle: inode, size } = Inode.ofFile(kernel, handle);
    if (offset < 0 || offset >= size) return -ENXIO;
    const rc = store.filemapWriteAndWaitRange(kernel, inode, 0, Number.POSITIVE_INFINITY);
    if (rc < 0) return rc;
    const { data } = this.#fileOf(kernel, inode);
    for (let at = offset; at < size; at = (Math.floor(at / PAGE) + 1) * PAGE) {
      const first = at - (at % PAGE);
      const isHole = data.subarray(first, first + PAGE).every((byte) => byte === 0);
      if (isHole !== (whence === SEEK_DATA)) return at;
    }
    return whence === SEEK_DATA ? -ENXIO : size;
  }

  /** The type of file system: one for each store. */
  readonly type: FileSystemType = {
    name: "blockstore",
    fsFlags: 0,
    pages: store.storedPages,
    tables: [
      {
        inode: {
          setattr: (kernel, inode, attr) => {
            const refused = libfs.setattrPrepare(kernel, inode, attr);
            if (refused < 0) return refused;
            if (attr.valid & ATTR_SIZE) this.#fileOf(kernel, inode).resize(attr.size);
            return libfs.simpleSetattr(kernel, inode, attr);
          },
        },
        file: {
          ...store.genericFileOperations(this.#mapping),
          fallocate: (...args) => this.#fallocate(...args),
          llseek: (...args) => this.#llseek(...args),
        },
        mapping: this.#mapping,
      },
      {
        inode: { lookup: (kernel, dir, dentry) => this.#lookup(kernel, dir, dentry) },
        file: {
          iterate: (_kernel, _dir, emit) => {
            for (const { name } of this.#files) if (!emit(name, DT_REG)) break;
            return 0;
          },
        },
        mapping: {},
      },
    ],
    superOps: {
      statfs: libfs.simpleStatfs,
      readInode: ({ kernel }, handle) => {
        const inode = new Inode(kernel, handle);
        const file = this.#files[inode.ino - FIRST_INO];
        if (file === undefined) return -ENOENT;
        Object.assign(inode, { kind: FILE, mode: file.mode | stat.S_IFREG, nlink: 1, size: file.data.length });
        return 0;
      },
      /** The size goes with the attributes. */
      writeInode: (kernel, handle) => {
        const { ino, mode, size } = new Inode(kernel, handle);
        const file = this.#files[ino - FIRST_INO];
        if (file === undefined) return 0; // the root
        file.mode = mode & stat.S_IALLUGO;
        if (size > file.data.length) file.resize(size);
        return 0;
      },
    },
    fillSuper: (sb) => {
      store.superSetupBdi(sb, { name: "blockstore" });
      store.dirtyLimits(sb.kernel).dirty_bytes = DIRTY_BYTES;
      return sb.makeRoot(0o755, 0, 0, DIRECTORY);
    },
  };
}

function setSize(kernel: Kernel, inode: Inode, size: number): void {
  libfs.truncateSetsize(kernel, inode.handle, size); // with what private mappings have copied behind it
  store.markInodeDirty(kernel, inode.handle, store.I_DIRTY_SYNC | store.I_DIRTY_DATASYNC);
}
