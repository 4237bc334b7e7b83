/**
 * Inodes and dentries as file systems see them: flyweights over the records (assembly/fs/inode.ts, assembly/fs/dentry.ts), made
 * anew at will. They hold no reference: what they look at must be held by somebody for as long as they are used.
 */
import type { DentryHandle, FileHandle, InodeHandle } from "../base/handles.ts";
import {
  DENTRY_INODE,
  DENTRY_LONG_NAME,
  DENTRY_NAME,
  DENTRY_NAME_LEN,
  DENTRY_PARENT,
  FILE_INODE,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_BTIME_NSEC,
  INODE_BTIME_SEC,
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_GENERATION,
  INODE_GID,
  INODE_INO,
  INODE_KIND,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_NLINK,
  INODE_PRIVATE0,
  INODE_RDEV,
  INODE_SIZE,
  INODE_STATE,
  INODE_UID,
} from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import { pathsChanged } from "./path-cache.ts";

/** The four times of an inode. */
export type InodeTime = "atime" | "mtime" | "ctime" | "btime";

const TIMES: Record<InodeTime, readonly [sec: number, nsec: number]> = {
  atime: [INODE_ATIME_SEC, INODE_ATIME_NSEC],
  mtime: [INODE_MTIME_SEC, INODE_MTIME_NSEC],
  ctime: [INODE_CTIME_SEC, INODE_CTIME_NSEC],
  btime: [INODE_BTIME_SEC, INODE_BTIME_NSEC],
};

/** @see Linux struct inode */
export class Inode {
  readonly kernel: Kernel;
  readonly handle: InodeHandle;

  constructor(kernel: Kernel, handle: InodeHandle) {
    this.kernel = kernel;
    this.handle = handle;
  }

  /** The inode of an open file. */
  static ofFile(kernel: Kernel, file: FileHandle): Inode {
    return new Inode(kernel, (kernel.core.u32[(file << 3) + FILE_INODE] >>> 5) as InodeHandle);
  }

  /** Type and permission bits. */
  get mode(): number {
    return this.#get(INODE_MODE);
  }
  set mode(mode: number) {
    this.#set(INODE_MODE, mode);
    pathsChanged(this.kernel.core);
  }
  get uid(): number {
    return this.#get(INODE_UID);
  }
  set uid(uid: number) {
    this.#set(INODE_UID, uid);
    pathsChanged(this.kernel.core);
  }
  get gid(): number {
    return this.#get(INODE_GID);
  }
  set gid(gid: number) {
    this.#set(INODE_GID, gid);
    pathsChanged(this.kernel.core);
  }
  /** Device number of a device node. */
  set rdev(dev: number) {
    this.#set(INODE_RDEV, dev);
  }
  /** I_*. */
  get state(): number {
    return this.#get(INODE_STATE);
  }
  /** Differs between two users of the same record. */
  get generation(): number {
    return this.#get(INODE_GENERATION);
  }
  get nlink(): number {
    return this.#get(INODE_NLINK);
  }
  set nlink(links: number) {
    this.#set(INODE_NLINK, links);
  }
  /** Index of its operations in the type's tables. */
  get kind(): number {
    return this.#get(INODE_KIND);
  }
  set kind(kind: number) {
    this.#set(INODE_KIND, kind);
  }
  /** Bytes. */
  get size(): number {
    return this.kernel.core.f64[(this.handle << 2) + INODE_SIZE];
  }
  set size(bytes: number) {
    this.kernel.core.f64[(this.handle << 2) + INODE_SIZE] = bytes;
  }
  /** Number of the inode; the kernel gives one, a file system may give its own. */
  get ino(): number {
    return this.kernel.core.f64[(this.handle << 2) + INODE_INO];
  }
  set ino(ino: number) {
    this.kernel.core.f64[(this.handle << 2) + INODE_INO] = ino;
  }

  /** A time, in seconds since the epoch and nanoseconds. */
  getTime(which: InodeTime): { sec: number; nsec: number } {
    const [sec, nsec] = TIMES[which];
    return { sec: this.kernel.core.f64[(this.handle << 2) + sec], nsec: this.#get(nsec) };
  }
  setTime(which: InodeTime, sec: number, nsec: number): void {
    const [secField, nsecField] = TIMES[which];
    this.kernel.core.f64[(this.handle << 2) + secField] = sec;
    this.#set(nsecField, nsec);
  }

  /** One of the file system's own four words. @param i 0 to 3; symbolic links of libfs use 0 and 1 */
  getPrivate(i: number): number {
    return this.#get(INODE_PRIVATE0 + i);
  }
  setPrivate(i: number, value: number): void {
    this.#set(INODE_PRIVATE0 + i, value);
  }

  #get(field: number): number {
    return this.kernel.core.u32[(this.handle << 3) + field];
  }
  #set(field: number, value: number): void {
    this.kernel.core.u32[(this.handle << 3) + field] = value;
  }
}

/** @see Linux struct dentry */
export class Dentry {
  readonly kernel: Kernel;
  readonly handle: DentryHandle;

  constructor(kernel: Kernel, handle: DentryHandle) {
    this.kernel = kernel;
    this.handle = handle;
  }

  /** The name's bytes, a copy. */
  get name(): Uint8Array {
    const { u8, u32 } = this.kernel.core;
    const at = u32[(this.handle << 3) + DENTRY_LONG_NAME] || this.handle * 32 + DENTRY_NAME;
    const length = u8[this.handle * 32 + DENTRY_NAME_LEN * 2] | (u8[this.handle * 32 + DENTRY_NAME_LEN * 2 + 1] << 8);
    return u8.slice(at, at + length);
  }
  /** 0 = negative. */
  get inode(): InodeHandle {
    return (this.kernel.core.u32[(this.handle << 3) + DENTRY_INODE] >>> 5) as InodeHandle;
  }
  /** The root of a file system is its own. */
  get parent(): DentryHandle {
    return (this.kernel.core.u32[(this.handle << 3) + DENTRY_PARENT] >>> 5) as DentryHandle;
  }
}
