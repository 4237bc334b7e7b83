/**
 * A kernel: one memory, the file system types that are registered with it, its mounts and its tasks.
 *
 * All state of the file systems lies in the core's memory. What is kept here is named by it (types, by the names in
 * memory) or may be rebuilt (tasks' descriptor tables are the one exception: they are a process's own).
 *
 * Does not own: the system calls (task.ts and what it calls), the shape users see (index-kernel.ts).
 */
import { EAGAIN, EBUSY, EEXIST, EINVAL, ENODEV, ENOMEM, ENOSPC } from "../base/errno.ts";
import { goneObject } from "../base/gone.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { type PageReads, TRY_AGAIN } from "../mm/address-space.ts";
import type { BackingDevice } from "../mm/backing-dev.ts";
import type { Progress } from "../mm/progress.ts";
import type { VmLimits } from "../mm/vm-limits.ts";
import { Core, type CoreOptions, SLOT } from "../wasm/core.ts";
import {
  FS_TYPE_NAME_BYTES,
  HANDOVER_SWAP_IN,
  INODE_KIND,
  INODE_SB,
  KERNEL_BLOCK,
  KERNEL_FS_TYPES,
  KERNEL_ROOT_MOUNT,
  KERNEL_TOUCH_MS,
  MOUNT_ROOT,
  NR_FS_TYPES,
  SLOT_DYING,
  SLOT_EVICTING,
  SUPER_BLOCK_TYPE_ID,
} from "../wasm/layout.ts";
import type { Ends } from "./evict.ts";
import type { FileTable } from "./file-table.ts";
import type { Waiters } from "./freeze.ts";
import { type FileSystemType, type InodeTable, isTypeName } from "./fs-type.ts";
import type { Fsnotify } from "./fsnotify.ts";
import type { Lost } from "./lost.ts";
import { makeMount } from "./mount.ts";
import { newTask, type TaskOptions } from "./new-task.ts";
import { genericFileRead } from "./read-write.ts";
import type { DirCache } from "./readdir.ts";
import { newDirCache } from "./readdir.ts";
import { reapSupers } from "./reap-super.ts";
import { needsStoreSupport, storeSupport, storeSupportIfAny } from "./store-part.ts";
import { SuperBlock } from "./super-block.ts";
import type { Task } from "./task.ts";
import { currentWait, type PendingChanges, type Wait, whileWaiting } from "./waiting.ts";

const { random } = Math;
const Weak = WeakRef;

/** Index of the kernel block in `u32`. */
export const KERNEL = KERNEL_BLOCK >>> 2;
/** Index in `f64` of the time that was last given to an inode. */
const LAST_MS = (KERNEL_BLOCK >>> 3) + KERNEL_TOUCH_MS;
const BACKWARDS_MS = 1000;

const live = new Set<WeakRef<Kernel>>();

/** Kernels that are neither destroyed nor collected; for checks after tests. */
export function* liveKernels(): Generator<Kernel> {
  for (const ref of live) {
    const kernel = ref.deref();
    if (kernel) yield kernel;
    else live.delete(ref);
  }
}

/** Who is to know when locks may have changed. */
export interface LockObserver {
  /** A descriptor is being closed, its file is still there. */
  closing(table: FileTable, file: FileHandle): void;
  /** Takes or gives up the lock of flock(2). @param how 0 shared, 1 exclusive, 2 none @returns 0, -EAGAIN, -ENOMEM */
  flock(file: FileHandle, how: number): number;
}

/** One memory with the types, mounts and tasks over it. */
export class Kernel {
  core: Core;
  /** The task whose calls the core serves at present. */
  current: Task | undefined;
  /** Listings of directories, each with the version of what it shows. */
  readonly dirCache: DirCache = newDirCache();
  /** Inodes and open files whose store takes time for their end (evict.ts). */
  readonly ends: Ends = new Map();
  /** Who waits for something to change: a super block to be thawed, or to lose its last writer (freeze.ts); locks of an inode (locks.ts). */
  readonly waiters = new Map<SuperBlockHandle | InodeHandle, Waiters>();
  /** Is told what becomes of locks, once somebody has one on a range, or waits for one (locks.ts). */
  locks: LockObserver | undefined = undefined;
  /** Changes that wait for a store, by the number of their operation in memory. */
  readonly pendingChanges: PendingChanges = new Map();
  /** Reads of pages that are under way. */
  readonly pageReads: PageReads = { tokens: new Map(), failures: new Map() };
  /** Backing devices, by the handle of their super block (super-bdi.ts). */
  readonly bdis = new Map<number, BackingDevice>();
  /** What file systems keep of their super blocks, by handle (s_fs_info). */
  readonly fsInfo = new Map<number, unknown>();
  /** What file systems know of the walk that hands over: when it began (of performance.now()), and whose attributes are true. */
  readonly walked = { ms: 0, inode: 0 };
  /** How much may be dirty; none until a file system with a device is mounted. */
  vm: VmLimits | undefined = undefined;
  /** Who watches, while somebody does. */
  fsnotify: Fsnotify | undefined = undefined;
  readonly #registered = new Map<string, FileSystemType>();
  readonly #typesById: (FileSystemType | undefined)[] = [];
  /** Their tables, in arrays of our own: V8 reads frozen ones 4 ns slower. */
  readonly #tablesById: InodeTable[][] = [];
  readonly #self = new Weak(this);
  readonly #tasks = new Set<WeakRef<Task>>();
  /** The time that stands still; null = from the next now() on, undefined = it runs. */
  #heldMs: number | null | undefined;
  #waitToken: Promise<void> | undefined;

  constructor(core: Core) {
    this.core = core;
    core.clock = () => this.now();
    live.add(this.#self);
  }

  /** Boots a kernel in new memory; it has no mount yet. @returns undefined when memory ran out */
  static boot(module: WebAssembly.Module, options: CoreOptions): Kernel | undefined {
    const core = new Core(module, options);
    const seed = (random() * 2 ** 32) >>> 0;
    return core.x.boot(Math.floor(options.memoryLimit / 4096), seed) ? new Kernel(core) : undefined;
  }

  /** Milliseconds since the epoch. Never goes back by less than a second, so that times of files keep their order. */
  now(): number {
    return this.#heldMs === undefined ? this.#readClock() : (this.#heldMs ??= this.#readClock());
  }

  #readClock(): number {
    const { now } = this.core;
    const ms = now();
    const last = this.core.f64[LAST_MS];
    return ms < last && last - ms < BACKWARDS_MS ? last : ms;
  }

  /** From the next now() on the clock stands still, until it is released. */
  holdTime(hold: boolean): void {
    this.#heldMs = hold ? null : undefined;
  }

  // --- File system types ------------------------------------------------------------------------------------------

  /**
   * @returns 0; -EINVAL for a name that cannot be one, -EEXIST when it is taken, -ENOSPC when there are too many
   * @throws Error that names the entry to import, for one that needs what no entry has brought
   */
  registerFileSystem(type: FileSystemType): number {
    if (!isTypeName(type.name)) return -EINVAL;
    const support = needsStoreSupport(type) ? storeSupport() : undefined;
    if (this.#registered.has(type.name)) return -EEXIST;
    const id = this.#typeId(type.name);
    if (id < 0) return id;
    this.#registered.set(type.name, type);
    this.#typesById[id] = type;
    this.#tablesById[id] = support?.accountedTables(type, genericFileRead) ?? [...type.tables];
    return 0;
  }

  /** As makeMount() of mount.ts. Types are told by their operations, which those of another entry's bundle are not. */
  makeMount(type: FileSystemType, data: string, flags: number, source?: string): number {
    return makeMount(this, type, data, flags, source);
  }

  /** @returns 0; -EINVAL when it is not registered, -EBUSY while it is mounted */
  unregisterFileSystem(type: FileSystemType): number {
    if (this.#registered.get(type.name) !== type) return -EINVAL;
    const id = this.#typeId(type.name);
    for (const sb of this.superBlocks()) if (sb.type === type) return -EBUSY;
    this.#registered.delete(type.name);
    this.#typesById[id] = undefined;
    this.#tablesById[id] = [];
    return 0;
  }

  /** Number of a registered type. @returns -ENODEV when there is none of the name */
  typeIdOf(name: string): number {
    return this.#registered.has(name) ? this.#typeId(name) : -ENODEV;
  }

  /** The registered type of a number that memory holds. */
  typeById(id: number): FileSystemType {
    return this.#typesById[id] as FileSystemType;
  }

  /** Types that are registered, in the order of their numbers. */
  registeredTypes(): FileSystemType[] {
    return [...this.#registered.values()];
  }

  /** Place of a name in the table in memory; added if it is not there. */
  #typeId(name: string): number {
    for (let id = 0; id < NR_FS_TYPES; id++) {
      const at = this.#nameAt(id);
      if (at === name) return id;
      if (at !== "") continue;
      for (let i = 0; i < name.length; i++) this.core.u8[nameAddress(id) + i] = name.charCodeAt(i);
      return id;
    }
    return -ENOSPC;
  }

  #nameAt(id: number): string {
    let name = "";
    for (let at = nameAddress(id); this.core.u8[at] !== 0; at++) name += String.fromCharCode(this.core.u8[at]);
    return name;
  }

  /** The type of file system that an inode belongs to. */
  typeOf(inode: InodeHandle): FileSystemType {
    const { u32 } = this.core;
    const sb = u32[(inode << 3) + INODE_SB];
    return this.#typesById[u32[(sb >>> 2) + SUPER_BLOCK_TYPE_ID]] as FileSystemType;
  }

  /** Operations of an inode. */
  tableOf(inode: InodeHandle): InodeTable {
    const { u32 } = this.core;
    const at = inode << 3;
    return this.#tablesById[u32[(u32[at + INODE_SB] >>> 2) + SUPER_BLOCK_TYPE_ID]][u32[at + INODE_KIND]];
  }

  /** The super block of an inode. */
  sbOf(inode: InodeHandle): SuperBlock {
    return new SuperBlock(this, (this.core.u32[(inode << 3) + INODE_SB] >>> 5) as SuperBlockHandle);
  }

  /** What the pages of an inode are written back to. */
  bdiOf(inode: InodeHandle): BackingDevice | undefined {
    return this.bdis.get(this.core.u32[(inode << 3) + INODE_SB] >>> 5);
  }

  /** The device of a super block goes, if it has one. */
  unregisterBdi(sb: number): void {
    this.bdis.get(sb)?.unregister();
    this.bdis.delete(sb);
  }

  /** All super blocks, newest first; the one at hand may be freed meanwhile. */
  *superBlocks(): Generator<SuperBlock> {
    let handle = this.core.x.superFirst() as SuperBlockHandle;
    while (handle) {
      const next = this.core.x.superNext(handle) as SuperBlockHandle;
      yield new SuperBlock(this, handle);
      handle = next;
    }
  }

  // --- Tasks --------------------------------------------------------------------------------------------------------

  /** The mount at the root of the tree, 0 = none yet. */
  get rootMount(): MountHandle {
    return (this.core.u32[KERNEL + KERNEL_ROOT_MOUNT] >>> 5) as MountHandle;
  }

  /** Root dentry of a mount. */
  rootOf(mnt: MountHandle): DentryHandle {
    return (this.core.u32[(mnt << 3) + MOUNT_ROOT] >>> 5) as DentryHandle;
  }

  /** Makes a task (new-task.ts). @param maker whose it is to make, and whose right is asked; none: the kernel's own */
  newTask(options: TaskOptions, maker?: Task): Task | number {
    const task = newTask(this, options, maker);
    if (typeof task === "number") {
      const rc = this.room(task);
      return rc === TRY_AGAIN ? this.newTask(options, maker) : rc;
    }
    this.#tasks.add(new Weak(task));
    return task;
  }

  /** Tasks that have not ended, as far as anybody has a hold on them. */
  *tasks(): Generator<Task> {
    for (const ref of this.#tasks) {
      const task = ref.deref();
      if (task?.kernel === this) yield task;
      else this.#tasks.delete(ref);
    }
  }

  // --- Life ---------------------------------------------------------------------------------------------------------

  /**
   * Ends inodes that have lost their last reference (evict.ts), and super blocks that have lost their last user; tells who
   * watches.
   *
   * @returns how many: who has found no memory may try again if there were some (assembly/mm/reclaim.ts)
   */
  evictInodes(): number {
    const { u32 } = this.core;
    this.fsnotify?.reap();
    return (u32[SLOT + SLOT_EVICTING] | u32[SLOT + SLOT_DYING]) === 0 ? 0 : this.#endAll();
  }

  #endAll(): number {
    const nr = this.core.u32[SLOT + SLOT_EVICTING] === 0 ? 0 : storeSupport().evictInodes(this);
    reapSupers(this);
    return nr;
  }

  /** The call that is being made waits for the end of a record. @returns -EAGAIN, with a wait token */
  waitForEnd(record: InodeHandle): number {
    const end = this.ends.get(record);
    if (end !== undefined) this.setWaitToken(end.over);
    return -EAGAIN;
  }

  /**
   * Makes room where a call has failed for want of memory and changed nothing, and brings in the page that it has found in a
   * swap area.
   *
   * @param rc what it has answered
   * @param file the open file that it is about, which it keeps where it has to wait
   * @returns TRY_AGAIN when there is room now, or the page; -EAGAIN with a token of a store or device; -EIO for a page that cannot be
   *   read; else rc
   */
  room(rc: number, file?: FileHandle): number {
    if (rc !== -ENOSPC && rc !== -ENOMEM && rc !== -HANDOVER_SWAP_IN) return rc;
    return this.evictInodes() > 0 ? TRY_AGAIN : (storeSupportIfAny()?.makeRoom(this, rc, file) ?? rc);
  }

  /** Drops unused dentries, the inodes that go with them, and the core's spare memory. */
  dropDentries(): void {
    this.core.x.dropDentries();
    this.evictInodes();
    this.core.x.reclaim();
  }

  /** Drops listings of directories and clean pages of files with a store (bit 0), and what dropDentries() does (bit 1). */
  dropCaches(what: number): void {
    if (what & 1) {
      this.dirCache.clear();
      for (const sb of this.superBlocks()) sb.type.pages?.drop(sb);
    }
    if (what & 2) this.dropDentries();
  }

  /**
   * What the call that is being made waits for; for file systems, just before they answer -EAGAIN. It belongs to that
   * call: the next one forgets it. To tell that one, nobody is served until it enters, which costs others nothing.
   */
  setWaitToken(token: Promise<void>): void {
    this.#waitToken = token;
    this.current = undefined;
  }
  /** The call goes on, as the task whose call the core serves, unless it has to wait. */
  resume(task: Task | undefined): void {
    if (this.#waitToken === undefined) this.current = task;
  }
  /** What setWaitToken() was told in the last call, once. */
  takeWaitToken(): Promise<void> | undefined {
    const token = this.#waitToken;
    this.#waitToken = undefined;
    return token;
  }

  /**
   * May the call that is being made wait? Then an operation that changes names or attributes may answer a promise of its
   * answer; else it answers at once, -EAGAIN if it cannot, and has asked its store for nothing.
   */
  get mayWait(): boolean {
    return currentWait() !== undefined;
  }

  /** What it waits with, if it may. */
  get wait(): Wait | undefined {
    return currentWait();
  }

  /** What the call that is being made has under way, if it may wait; for what moves data. */
  get progress(): Progress | undefined {
    const wait = currentWait();
    if (wait) wait.progress ??= {};
    return wait?.progress;
  }

  /** It is the page cache of itself (PageCache). */
  get owner(): Kernel {
    return this;
  }

  /** whileWaiting() of the kernel's own entry, for parts that may be in another: what is waited with is known there. */
  readonly whileWaiting = whileWaiting;

  /** Does work in the midst of a call that is no part of it, such as an operation of a file system's. */
  nested<R>(work: () => R): R {
    const { current } = this;
    try {
      return whileWaiting(work, undefined, undefined);
    } finally {
      current?.enter();
    }
  }

  /** Checks every invariant of memory, in the debug build. @throws Error that says which is broken */
  verify(): void {
    this.core.x.verify?.();
    for (const bdi of this.bdis.values()) bdi.verify();
  }

  /**
   * Goes on with the memory of another kernel, which is used up; types are registered anew in it. What tasks hold in the
   * memory before must have been let go, and theirs in the new one be given to them (restore.ts).
   */
  adopt(other: Kernel): void {
    this.#forget();
    this.core = other.core;
    this.core.clock = () => this.now();
    this.#typesById.length = 0;
    this.#typesById.push(...other.#typesById);
    live.delete(other.#self);
  }

  /**
   * Gives the memory back; every later call throws.
   *
   * @returns what is lost with it: changes that no store has, and ends that no store has heard the last of
   */
  destroy(): Lost {
    const lost = (this.core !== destroyedCore && storeSupportIfAny()?.lostBy(this)) || NOTHING;
    this.#forget();
    live.delete(this.#self);
    this.core = destroyedCore;
    return lost;
  }

  /** What is known beside the memory goes, which will be another. */
  #forget(): void {
    for (const sb of this.bdis.keys()) this.unregisterBdi(sb);
    this.ends.clear();
    this.pendingChanges.clear();
    this.pageReads.tokens.clear();
    this.pageReads.failures.clear();
    this.dirCache.clear();
    this.current = undefined;
    for (const { wake } of this.waiters.values()) wake();
    this.waiters.clear();
  }
}

function nameAddress(id: number): number {
  return KERNEL_BLOCK + KERNEL_FS_TYPES + id * FS_TYPE_NAME_BYTES;
}

/** What a kernel loses that has been destroyed before, or had file systems in memory alone. */
const NOTHING: Lost = Object.freeze({ dirtyInodes: 0, dirtyPages: 0, pendingEnds: 0, pendingChanges: 0 });

const destroyedCore = goneObject<Core>("kernel has been destroyed");
