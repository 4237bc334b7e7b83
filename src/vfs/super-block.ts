/**
 * A super block as file systems see it: a flyweight over the record (assembly/fs/super.ts), made anew at will.
 *
 * Does not own: when one is made and shut down (mount.ts).
 */
import type { DentryHandle, SuperBlockHandle } from "../base/handles.ts";
import type { BackingDevice } from "../mm/backing-dev.ts";
import {
  SB_COMPLETE,
  SB_MEMORY,
  SB_SILENT,
  SUPER_BLOCK_BLOCK_SIZE,
  SUPER_BLOCK_DEV,
  SUPER_BLOCK_FILE_KIND,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_FROZEN,
  SUPER_BLOCK_MAGIC,
  SUPER_BLOCK_MAX_BYTES,
  SUPER_BLOCK_MAX_LINKS,
  SUPER_BLOCK_NR_INODES,
  SUPER_BLOCK_PRIVATE0,
  SUPER_BLOCK_ROOT,
  SUPER_BLOCK_SOURCE,
  SUPER_BLOCK_SOURCE_LENGTH,
  SUPER_BLOCK_TYPE_ID,
} from "../wasm/layout.ts";
import { decodeUtf8 } from "../wasm/path-buffer.ts";
import type { FileSystemType } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";

/** A mounted file system. Fields are the record's own, read and written in place. */
export class SuperBlock {
  readonly kernel: Kernel;
  readonly handle: SuperBlockHandle;

  constructor(kernel: Kernel, handle: SuperBlockHandle) {
    this.kernel = kernel;
    this.handle = handle;
  }

  /** Type of file system; immutable. */
  get type(): FileSystemType {
    return this.kernel.typeById(this.#get(SUPER_BLOCK_TYPE_ID));
  }
  /** Union of SB_*. */
  get flags(): number {
    return this.#get(SUPER_BLOCK_FLAGS);
  }
  set flags(flags: number) {
    this.#set(SUPER_BLOCK_FLAGS, flags);
  }
  /** What it is mounted from, undefined = nothing was said, or nobody may ask: there are file systems in memory alone. */
  get source(): string | undefined {
    const address = this.#get(SUPER_BLOCK_SOURCE);
    return address === 0 ? undefined : decodeUtf8(this.kernel.core, address, this.#get(SUPER_BLOCK_SOURCE_LENGTH));
  }
  /** How far it is frozen: SB_UNFROZEN to SB_FREEZE_COMPLETE. */
  get frozen(): number {
    return this.#get(SUPER_BLOCK_FROZEN);
  }
  /** True if nothing is to be said of what is wrong with it ("silent"). */
  get isSilent(): boolean {
    return (this.flags & SB_SILENT) !== 0;
  }
  /** What its files are written back to, if superSetupBdi() has been called. */
  get bdi(): BackingDevice | undefined {
    return this.kernel.bdis.get(this.handle);
  }
  /** Root dentry, 0 = none yet. */
  get root(): DentryHandle {
    return (this.#get(SUPER_BLOCK_ROOT) >>> 5) as DentryHandle;
  }
  /** Device number, st_dev of its files; immutable. */
  get dev(): number {
    return this.#get(SUPER_BLOCK_DEV);
  }
  /** f_type of statfs. */
  get magic(): number {
    return this.#get(SUPER_BLOCK_MAGIC);
  }
  set magic(magic: number) {
    this.#set(SUPER_BLOCK_MAGIC, magic);
  }
  /** f_bsize of statfs and st_blksize, bytes. */
  get blockSize(): number {
    return this.#get(SUPER_BLOCK_BLOCK_SIZE);
  }
  set blockSize(bytes: number) {
    this.#set(SUPER_BLOCK_BLOCK_SIZE, bytes);
  }
  /** Largest file size in bytes, at most 2^44. */
  set maxBytes(bytes: number) {
    this.kernel.core.f64[(this.handle << 2) + SUPER_BLOCK_MAX_BYTES] = bytes;
  }
  /** Most links of one inode, 0 = no limit. */
  get maxLinks(): number {
    return this.#get(SUPER_BLOCK_MAX_LINKS);
  }
  set maxLinks(links: number) {
    this.#set(SUPER_BLOCK_MAX_LINKS, links);
  }
  /** Inodes in memory. */
  get nrInodes(): number {
    return this.#get(SUPER_BLOCK_NR_INODES);
  }

  /** One of the file system's own four words. @param i 0 to 3 */
  getPrivate(i: number): number {
    return this.#get(SUPER_BLOCK_PRIVATE0 + i);
  }
  /** Changes one of the file system's own four words. @param i 0 to 3 */
  setPrivate(i: number, value: number): void {
    this.#set(SUPER_BLOCK_PRIVATE0 + i, value);
  }

  /**
   * Its names and data lie in memory alone: it is part of snapshots, and lookups never leave the core.
   *
   * @param fileKind index in the type's tables of regular files, where these and directories, of their parent's kind, need
   *   nothing but libfs.simpleMknod() to be made: the core does it by itself, where unlink and rename are libfs's
   */
  livesInMemory(fileKind = -1): void {
    this.flags |= SB_MEMORY | SB_COMPLETE;
    this.#set(SUPER_BLOCK_FILE_KIND, fileKind + 1);
  }

  /**
   * Makes the root directory.
   *
   * @param kind index of its operations in the type's tables
   * @returns 0 or -ENOMEM
   */
  makeRoot(mode: number, uid: number, gid: number, kind: number): number {
    const rc = this.kernel.core.x.makeRoot(this.handle, mode, uid, gid, kind, this.kernel.now());
    return rc < 0 ? rc : 0;
  }

  #get(field: number): number {
    return this.kernel.core.u32[(this.handle << 3) + field];
  }
  #set(field: number, value: number): void {
    this.kernel.core.u32[(this.handle << 3) + field] = value;
  }
}
