/**
 * A test disk as a file system: every call goes to the disk, nothing is kept in the page cache, so that what a program has written and
 * what it has had flushed is known call by call.
 *
 * It has no fallocate, no mappings and no extended attributes, and keeps no times of access.
 */
import { EAGAIN, EBADF, EFBIG, EINVAL, ENOTEMPTY, ENXIO, ESTALE } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import { latin1Bytes, latin1Of } from "../base/latin1.ts";
import { RENAME_NOREPLACE, S_IFDIR, S_IFLNK, S_IFMT, S_ISGID, SEEK_DATA, SEEK_HOLE } from "../base/stat-flags.ts";
import * as libfs from "../fs/libfs.ts";
import { servedCred } from "../vfs/cred.ts";
import type { Answer, FileOperations, FileSystemType, InodeOperations, SuperOperations } from "../vfs/fs-type.ts";
import { ATTR_SIZE } from "../vfs/fs-type.ts";
import { dSpliceAlias, iget, insertInodeHash } from "../vfs/iget.ts";
import { Dentry, Inode } from "../vfs/inode.ts";
import { setTimeMs } from "../vfs/inode-time.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { PATH_A } from "../wasm/core.ts";
import {
  CRED_GID,
  CRED_UID,
  FILE_MODE,
  FMODE_APPEND,
  FMODE_READ,
  FMODE_WRITE,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../wasm/layout.ts";
import { DecidedCalls } from "./decided-calls.ts";
import { type Change, type DiskNode, type DiskTree, isDirectory, ROOT_INO } from "./disk-tree.ts";
import type { CallName, FaultCall } from "./fault-call.ts";
import type { Decision, Faults } from "./faults.ts";

/** What the file system has of its disk. */
export interface DiskCalls {
  readonly tree: DiskTree;
  readonly faults: Faults<unknown>;
  change(change: Change): void;
  /** @param ino undefined = all */
  flush(ino: number | undefined): void;
}

const FILE = 0;
const DIRECTORY = 1;
const LINK = 2;

/** Files lie in one piece each. */
const MAX_FILE_BYTES = 2 ** 28;

const NO_BYTES = new Uint8Array(0);

function kindOf(mode: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return DIRECTORY;
  return type === S_IFLNK ? LINK : FILE;
}

/** Name and DT_*. */
type Entry = readonly [name: Uint8Array, type: number];

class DiskFs {
  readonly #disk: DiskCalls;
  readonly #decided = new DecidedCalls();
  /** Of open directories that are being read. */
  readonly #listings = new WeakMap<Kernel, Map<FileHandle, readonly Entry[]>>();
  /** Numbers are not given twice: the platters may still have the file of one that is gone from the cache. */
  #lastIno: number;

  constructor(disk: DiskCalls) {
    this.#disk = disk;
    this.#lastIno = [...disk.tree.nodes.keys()].reduce((most, ino) => Math.max(most, ino));
  }

  // --- Who is asked about what --------------------------------------------------------------------------------------------

  #nodeOf(kernel: Kernel, inode: InodeHandle): DiskNode {
    const node = this.#disk.tree.nodes.get(new Inode(kernel, inode).ino);
    if (node === undefined) throw new Error("foliofs: an inode that is not on the disk"); // each has its node until evictInode
    return node;
  }

  #namesOf(kernel: Kernel, dir: InodeHandle): Map<string, number> {
    return this.#nodeOf(kernel, dir).names as Map<string, number>;
  }

  /** Path of a name from the root of the disk. */
  #pathOf(kernel: Kernel, dentry: DentryHandle): string {
    const parts: string[] = [];
    for (let at = new Dentry(kernel, dentry); at.parent !== at.handle; at = new Dentry(kernel, at.parent))
      parts.unshift(shownName(kernel, at.handle));
    return `/${parts.join("/")}`;
  }

  /** Path of an inode by one of its names; undefined for one that has none. */
  #pathOfInode(ino: number): string | undefined {
    if (ino === ROOT_INO) return "/";
    for (const [dir, { names }] of this.#disk.tree.nodes)
      for (const [name, other] of names ?? []) {
        if (other !== ino) continue;
        const above = this.#pathOfInode(dir);
        return above && `${above === "/" ? "" : above}/${new TextDecoder().decode(latin1Bytes(name))}`;
      }
    return undefined;
  }

  #about(call: CallName, kernel: Kernel, inode: InodeHandle, length?: number): FaultCall {
    const path = this.#pathOfInode(new Inode(kernel, inode).ino);
    return { call, ...(path !== undefined && { path }), ...(length !== undefined && { length }) };
  }

  // --- Asking the rules ---------------------------------------------------------------------------------------------------

  /** @returns what is decided, or the answer of a call that cannot be made, now or at all */
  #ask(kernel: Kernel, call: FaultCall): Decision | number {
    const { wait } = kernel;
    const decision = this.#decided.take(wait, call) ?? this.#disk.faults.decide(call);
    if (decision.wait !== undefined) {
      if (wait !== undefined) {
        this.#decided.keep(wait, call, decision);
        kernel.setWaitToken(decision.wait as Promise<never>);
      }
      return -EAGAIN;
    }
    if (decision.errno === 0) return decision;
    this.#disk.faults.note(call, -decision.errno, true);
    return -decision.errno;
  }

  /** A change of names or attributes: what it does comes when the disk has answered. */
  #change(kernel: Kernel, call: FaultCall, work: () => number): Answer {
    const { faults } = this.#disk;
    const decision = faults.decide(call);
    const finish = (): number => {
      const rc = decision.errno === 0 ? work() : -decision.errno;
      faults.note(call, rc, decision.errno !== 0);
      return rc;
    };
    if (decision.wait === undefined) return finish();
    return kernel.mayWait ? decision.wait.then(() => finish) : -EAGAIN;
  }

  // --- Names --------------------------------------------------------------------------------------------------------------

  #make(
    kernel: Kernel,
    dir: InodeHandle,
    dentry: DentryHandle,
    mode: number,
    how: { call: CallName; rdev?: number; target?: Uint8Array },
  ): Answer {
    const { call, rdev = 0, target } = how;
    const owner = ownerOf(kernel, dir, mode);
    const name = nameOf(kernel, dentry);
    return this.#change(kernel, { call, path: this.#pathOf(kernel, dentry) }, () => {
      const ino = ++this.#lastIno;
      const now = kernel.now();
      const isDir = (owner.mode & S_IFMT) === S_IFDIR;
      const node: DiskNode = {
        ino,
        ...owner,
        nlink: isDir ? 2 : 1,
        rdev,
        birthtimeMs: now,
        mtimeMs: now,
        data: NO_BYTES,
        ...(target && { target }),
        ...(isDir && { names: new Map<string, number>() }),
      };
      this.#disk.change({ what: "inode", ino, node });
      const inode = iget(kernel.sbOf(dir), ino);
      if (inode < 0) {
        this.#disk.tree.nodes.delete(ino);
        return inode;
      }
      this.#disk.change({ what: "name", ino, dir: new Inode(kernel, dir).ino, name });
      if (isDir) this.#countLink(kernel, dir, 1);
      this.#touch(kernel, dir, TOUCH_MTIME | TOUCH_CTIME);
      dSpliceAlias(kernel, inode as InodeHandle, dentry);
      kernel.core.x.dAdd(dentry);
      return 0;
    });
  }

  #remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, call: CallName): Answer {
    const name = nameOf(kernel, dentry);
    const { inode } = new Dentry(kernel, dentry);
    const { ino } = new Inode(kernel, inode);
    const isDir = call === "rmdir";
    if (isDir && this.#namesOf(kernel, inode).size > 0) return -ENOTEMPTY;
    return this.#change(kernel, { call, path: this.#pathOf(kernel, dentry) }, () => {
      this.#disk.change({ what: "unname", ino, dir: new Inode(kernel, dir).ino, name });
      this.#countLink(kernel, inode, isDir ? -2 : -1);
      if (isDir) this.#countLink(kernel, dir, -1);
      this.#touch(kernel, inode, TOUCH_CTIME);
      this.#touch(kernel, dir, TOUCH_MTIME | TOUCH_CTIME);
      return 0;
    });
  }

  #link(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): Answer {
    const name = nameOf(kernel, dentry);
    const { ino } = new Inode(kernel, inode);
    const path = this.#pathOfInode(ino);
    return this.#change(kernel, { call: "link", ...(path && { path }), dest: this.#pathOf(kernel, dentry) }, () => {
      this.#disk.change({ what: "name", ino, dir: new Inode(kernel, dir).ino, name });
      this.#countLink(kernel, inode, 1);
      this.#touch(kernel, inode, TOUCH_CTIME);
      this.#touch(kernel, dir, TOUCH_MTIME | TOUCH_CTIME);
      kernel.core.x.iget(inode);
      kernel.core.x.dInstantiate(dentry, inode);
      kernel.core.x.dAdd(dentry);
      return 0;
    });
  }

  #rename(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, toDir: InodeHandle, toDentry: DentryHandle): Answer {
    const [name, toName] = [nameOf(kernel, dentry), nameOf(kernel, toDentry)];
    const { inode } = new Dentry(kernel, dentry);
    const replaced = new Dentry(kernel, toDentry).inode;
    const isDir = isDirectory(this.#nodeOf(kernel, inode));
    if (isDir && replaced !== 0 && this.#namesOf(kernel, replaced).size > 0) return -ENOTEMPTY;
    const call: FaultCall = {
      call: "rename",
      path: this.#pathOf(kernel, dentry),
      dest: this.#pathOf(kernel, toDentry),
    };
    return this.#change(kernel, call, () => {
      const [from, to, ino] = [dir, toDir, inode].map((handle) => new Inode(kernel, handle).ino);
      this.#disk.change({ what: "rename", ino, dir: from, name, toDir: to, toName });
      if (replaced !== 0) {
        this.#countLink(kernel, replaced, isDir ? -2 : -1);
        this.#touch(kernel, replaced, TOUCH_CTIME);
      }
      if (isDir) {
        this.#countLink(kernel, dir, -1);
        if (replaced === 0) this.#countLink(kernel, toDir, 1);
      }
      this.#touch(kernel, inode, TOUCH_CTIME);
      for (const changed of [dir, toDir]) this.#touch(kernel, changed, TOUCH_MTIME | TOUCH_CTIME);
      return 0;
    });
  }

  #countLink(kernel: Kernel, inode: InodeHandle, by: number): void {
    const record = new Inode(kernel, inode);
    record.nlink += by;
    this.#nodeOf(kernel, inode).nlink = record.nlink;
  }

  #touch(kernel: Kernel, inode: InodeHandle, which: number): void {
    kernel.core.x.touch(inode, which, kernel.now());
    this.#nodeOf(kernel, inode).mtimeMs = mtimeOf(new Inode(kernel, inode));
  }

  inodeOperations(): InodeOperations {
    return {
      lookup: (kernel, dir, dentry) => {
        const ino = this.#namesOf(kernel, dir).get(nameOf(kernel, dentry));
        if (ino === undefined) return 0;
        const inode = iget(kernel.sbOf(dir), ino);
        if (inode < 0) return inode;
        dSpliceAlias(kernel, inode as InodeHandle, dentry);
        return 0;
      },
      create: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, mode, { call: "open" }),
      mkdir: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, mode, { call: "mkdir" }),
      mknod: (kernel, dir, dentry, mode, rdev) => this.#make(kernel, dir, dentry, mode, { call: "mknod", rdev }),
      symlink: (kernel, dir, dentry, length) => {
        const target = kernel.core.u8.slice(PATH_A, PATH_A + length);
        return this.#make(kernel, dir, dentry, S_IFLNK | 0o777, { call: "symlink", target });
      },
      link: (...args) => this.#link(...args),
      unlink: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "unlink"),
      rmdir: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry, "rmdir"),
      rename: (kernel, dir, dentry, toDir, toDentry, flags) =>
        flags & ~RENAME_NOREPLACE ? -EINVAL : this.#rename(kernel, dir, dentry, toDir, toDentry),
      getLink: (kernel, inode) => this.#nodeOf(kernel, inode).target ?? -EINVAL,
      setattr: (kernel, inode, attr) => {
        const refused = libfs.setattrPrepare(kernel, inode, attr);
        if (refused < 0) return refused;
        const isSize = (attr.valid & ATTR_SIZE) !== 0;
        return this.#change(kernel, this.#about(isSize ? "ftruncate" : "fchmod", kernel, inode), () => {
          const record = new Inode(kernel, inode);
          const { ino } = record;
          if (isSize) this.#disk.change({ what: "size", ino, size: attr.size });
          if (isSize) libfs.truncateSetsize(kernel, inode, attr.size);
          libfs.setattrCopy(kernel, inode, attr);
          const { gid, mode, uid } = record;
          this.#disk.change({ what: "attributes", ino, mode, uid, gid, mtimeMs: mtimeOf(record) });
          return 0;
        });
      },
    };
  }

  // --- Data ---------------------------------------------------------------------------------------------------------------

  #read(
    kernel: Kernel,
    file: FileHandle,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number {
    if (!(kernel.core.u32[(file << 3) + FILE_MODE] & FMODE_READ)) return -EBADF;
    const { handle } = Inode.ofFile(kernel, file);
    const call = this.#about("read", kernel, handle, length);
    const decision = this.#ask(kernel, call);
    if (typeof decision === "number") return decision;
    const { data } = this.#nodeOf(kernel, handle);
    const start = position < 0 ? kernel.core.filePos(file) : position;
    const piece = data.subarray(start, start + Math.min(length, decision.most));
    buffer.set(piece, offset);
    if (position < 0) kernel.core.setFilePos(file, start + piece.length);
    this.#disk.faults.note(call, piece.length, decision.most < length);
    return piece.length;
  }

  #write(
    kernel: Kernel,
    file: FileHandle,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number {
    const mode = kernel.core.u32[(file << 3) + FILE_MODE];
    if (!(mode & FMODE_WRITE)) return -EBADF;
    if (length === 0) return 0;
    const inode = Inode.ofFile(kernel, file);
    const call = this.#about("write", kernel, inode.handle, length);
    const refused = libfs.fileRemovePrivs(kernel, inode.handle, file);
    const decision = refused < 0 ? refused : this.#ask(kernel, call);
    if (typeof decision === "number") return decision;
    const start = mode & FMODE_APPEND ? inode.size : position < 0 ? kernel.core.filePos(file) : position;
    if (start >= MAX_FILE_BYTES) return -EFBIG;
    const end = Math.min(length, decision.most, MAX_FILE_BYTES - start);
    const bytes = Uint8Array.prototype.slice.call(buffer, offset, offset + end); // a Buffer's own slice() is no copy
    this.#disk.change({ what: "data", ino: inode.ino, position: start, bytes });
    inode.size = Math.max(inode.size, start + bytes.length);
    this.#touch(kernel, inode.handle, TOUCH_MTIME | TOUCH_CTIME);
    if (position < 0) kernel.core.setFilePos(file, start + bytes.length);
    this.#disk.faults.note(call, bytes.length, decision.most < length);
    return bytes.length;
  }

  #fsync(kernel: Kernel, file: FileHandle): number {
    const inode = Inode.ofFile(kernel, file);
    const call = this.#about("fsync", kernel, inode.handle);
    const decision = this.#ask(kernel, call);
    if (typeof decision === "number") return decision;
    this.#disk.flush(inode.ino);
    this.#disk.faults.note(call, 0, false);
    return 0;
  }

  fileOperations(): FileOperations {
    return {
      read: (...args) => this.#read(...args),
      write: (...args) => this.#write(...args),
      fsync: (kernel, file) => this.#fsync(kernel, file),
      llseek: (kernel, file, offset, whence) => {
        if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return -EINVAL;
        const { size } = Inode.ofFile(kernel, file);
        if (offset >= size) return -ENXIO;
        return whence === SEEK_DATA ? offset : size; // all of it is data
      },
    };
  }

  /** Who reads an open directory in pieces goes on with what was there at first. */
  #listing(kernel: Kernel, dir: InodeHandle, file: FileHandle | undefined): readonly Entry[] {
    const listings = this.#listings.get(kernel) ?? new Map<FileHandle, readonly Entry[]>();
    this.#listings.set(kernel, listings);
    const known = file !== undefined && kernel.core.filePos(file) > 0 ? listings.get(file) : undefined;
    if (known !== undefined) return known;
    const entries = [...this.#namesOf(kernel, dir)].map(([name, ino]): Entry => {
      return [latin1Bytes(name), (this.#disk.tree.nodes.get(ino) as DiskNode).mode >> 12];
    });
    if (file !== undefined) listings.set(file, entries);
    return entries;
  }

  dirOperations(): FileOperations {
    return {
      iterate: (kernel, dir, emit, file) => {
        const call = this.#about("scandir", kernel, dir);
        const decision = this.#ask(kernel, call);
        if (typeof decision === "number") return decision;
        this.#disk.faults.note(call, 0, false);
        this.#listing(kernel, dir, file).every(([name, type]) => emit(name, type));
        return 0;
      },
      release: (kernel, _dir, file) => void this.#listings.get(kernel)?.delete(file),
      fsync: (kernel, file) => this.#fsync(kernel, file),
    };
  }

  superOperations(): SuperOperations {
    return {
      statfs: libfs.simpleStatfs,
      readInode: (sb, handle) => {
        const record = new Inode(sb.kernel, handle);
        const node = this.#disk.tree.nodes.get(record.ino);
        if (node === undefined) return -ESTALE;
        const { birthtimeMs, data, gid, mode, mtimeMs, nlink, rdev, target, uid } = node;
        Object.assign(record, { kind: kindOf(mode), mode, uid, gid, nlink, rdev, size: target?.length ?? data.length });
        for (const which of ["mtime", "ctime", "atime"] as const) setTimeMs(record, which, mtimeMs);
        setTimeMs(record, "btime", birthtimeMs);
        return 0;
      },
      evictInode: (kernel, handle) => {
        const { ino, nlink } = new Inode(kernel, handle);
        if (nlink === 0) this.#disk.tree.nodes.delete(ino);
      },
      syncFs: (sb) => {
        const decision = this.#ask(sb.kernel, { call: "sync" });
        if (typeof decision === "number") return decision;
        this.#disk.flush(undefined);
        this.#disk.faults.note({ call: "sync" }, 0, false);
        return 0;
      },
    };
  }
}

function nameOf(kernel: Kernel, dentry: DentryHandle): string {
  return latin1Of(new Dentry(kernel, dentry).name);
}

function shownName(kernel: Kernel, dentry: DentryHandle): string {
  return new TextDecoder().decode(new Dentry(kernel, dentry).name);
}

function mtimeOf(record: Inode): number {
  const { nsec, sec } = record.getTime("mtime");
  return sec * 1000 + nsec / 1e6;
}

/** Owner and mode of what is made in a directory. @see Linux fs/inode.c inode_init_owner() */
function ownerOf(kernel: Kernel, dir: InodeHandle, mode: number): { mode: number; uid: number; gid: number } {
  const { core } = kernel;
  const cred = servedCred(core);
  const { gid, mode: above } = new Inode(kernel, dir);
  const uid = core.u32[cred + CRED_UID];
  if (!(above & S_ISGID)) return { mode, uid, gid: core.u32[cred + CRED_GID] };
  return { mode: (mode & S_IFMT) === S_IFDIR ? mode | S_ISGID : mode, uid, gid };
}

/** The type of a disk. */
export function diskFs(name: string, disk: DiskCalls): FileSystemType {
  const fs = new DiskFs(disk);
  const inode = fs.inodeOperations();
  const mapping = {};
  return {
    name,
    fsFlags: 0,
    tables: [
      { inode, file: fs.fileOperations(), mapping },
      { inode, file: fs.dirOperations(), mapping },
      { inode, file: {}, mapping },
    ],
    superOps: fs.superOperations(),
    sameSource: () => true, // one disk, wherever it is mounted
    fillSuper(sb) {
      const { kernel } = sb;
      sb.maxBytes = MAX_FILE_BYTES;
      const root = disk.tree.nodes.get(ROOT_INO) as DiskNode;
      const rc = sb.makeRoot(root.mode, root.uid, root.gid, DIRECTORY);
      if (rc < 0) return rc;
      const record = new Inode(kernel, new Dentry(kernel, sb.root).inode);
      record.ino = ROOT_INO;
      record.nlink = root.nlink;
      return insertInodeHash(kernel, record.handle);
    },
  };
}
