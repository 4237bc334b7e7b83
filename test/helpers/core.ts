/**
 * The compiled core alone, without VFS and face, for the model tests of assembly/: booting one, reading its records,
 * a small file system in it (`World`), and the runner of random operations.
 *
 * FOLIOFS_BUILD names the build (debug where it is unset), FOLIOFS_MODEL_OPS the operations a structure gets (10 000),
 * FOLIOFS_SEED the seed of all random tests. fast-check prints the seed of a failure, and the shrunk operations.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import type {
  CredHandle,
  DentryHandle,
  FileHandle,
  InodeHandle,
  MountHandle,
  SuperBlockHandle,
  TaskHandle,
} from "../../src/base/handles.ts";
import { Core, PATH_A, PATH_B } from "../../src/wasm/core.ts";
import {
  DENTRY_INODE,
  FILE_DENTRY,
  FIRST_FREE_PFN,
  FMODE_READ,
  INODE_SIZE,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  KERNEL_NR_FREE,
  KERNEL_ROOT_MOUNT,
  LOOKUP_LAST,
  LOOKUP_OPEN,
  LOOKUP_PATH_B,
  MNT_RELATIME,
  O_CREAT,
  PAGE_BYTES,
  PAGE_SHIFT,
  RESULT_ADDRESS,
  SB_COMPLETE,
  SB_MEMORY,
  SECTION_DESCRIPTOR_FRAMES,
  SECTION_FRAMES,
  SUPER_BLOCK_FILE_KIND,
  SUPER_BLOCK_PLAIN_KINDS,
  XA_SHADOW,
} from "../../src/wasm/layout.ts";
import { readCore } from "../setup/core-coverage.ts";

export const BUILD: string = process.env.FOLIOFS_BUILD ?? "debug";
export const IS_DEBUG = BUILD === "debug";
export const IS_SHARED = BUILD === "release-shared";
export const NR_OPERATIONS = Number(process.env.FOLIOFS_MODEL_OPS ?? 10_000);

/** Index of the kernel block in `u32`; `<< 1` less for its f64 fields: see layout.ts. */
export const KERNEL = KERNEL_BLOCK >>> 2;
export const NOW_MS = 1_700_000_000_000;
const MIB = 2 ** 20;

export const coreModule = new WebAssembly.Module(readCore(BUILD));

export interface BootOptions {
  /** Memory limit, a multiple of 64 KiB; default 64 MiB. */
  limitBytes?: number;
  now?: () => number;
  preallocate?: boolean;
  seed?: number;
}

/** Boots a core with nothing in it. */
export function bootCore(options: BootOptions = {}): Core {
  const core = new Core(coreModule, {
    memoryLimit: options.limitBytes ?? 64 * MIB,
    shared: IS_SHARED,
    preallocate: options.preallocate ?? false,
    now: options.now ?? (() => NOW_MS),
  });
  assert.equal(core.x.boot(core.options.memoryLimit / 4096, options.seed ?? 1), 1);
  return core;
}

// --- Records ----------------------------------------------------------------------------------------------------------

/** A u32 field of the kernel block. @param field KERNEL_* of a u32 */
export function kernelWord(core: Core, field: number): number {
  return core.u32[KERNEL + field];
}

/** A u32 field of a record given by its handle. */
export function word(core: Core, handle: number, field: number): number {
  return core.u32[(handle << 3) + field];
}

/** An f64 field of a record given by its handle. */
export function double(core: Core, handle: number, field: number): number {
  return core.f64[(handle << 2) + field];
}

/** A u16 field of a record given by its handle. */
export function half(core: Core, handle: number, field: number): number {
  return new Uint16Array(core.arrayBuffer)[(handle << 4) + field];
}

/** The handle that a record's field points to. */
export function pointed<T extends number>(core: Core, handle: number, field: number): T {
  return (word(core, handle, field) >>> 5) as T;
}

/** A field of a frame's descriptor. @param field PAGE_* index */
export function pageWord(core: Core, pfn: number, field: number): number {
  return core.u32[pageAt(pfn) + field];
}

/** Index of a frame's descriptor in `u32`. */
export function pageAt(pfn: number): number {
  const section = pfn & ~(SECTION_FRAMES - 1);
  return ((section << PAGE_SHIFT) >>> 2) + (pfn - section) * (PAGE_BYTES >>> 2);
}

/** The 4096 bytes of a frame. Valid until the core grows. */
export function frame(core: Core, pfn: number): Uint8Array {
  return core.u8.subarray(pfn * 4096, (pfn + 1) * 4096);
}

export function resultAddress(core: Core): number {
  return core.result(RESULT_ADDRESS);
}

/** Puts bytes into path buffer A (or B). @returns their number */
export function putBytes(core: Core, bytes: string | Uint8Array, at: number = PATH_A): number {
  const raw = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  core.u8.set(raw, at);
  return raw.length;
}

// --- Checks -----------------------------------------------------------------------------------------------------------

/** Checks all of memory, on the debug build. */
export function verify(core: Core): void {
  core.x.verify?.();
}

/** Frames in use after reclaim: what a core that has been torn down must have as few of as a new one. */
export function framesInUse(core: Core): number {
  core.x.reclaim();
  const end = kernelWord(core, KERNEL_END_PFN);
  const sections = Math.ceil(end / SECTION_FRAMES);
  const reserved = FIRST_FREE_PFN + (sections - 1) * SECTION_DESCRIPTOR_FRAMES;
  return end - reserved - kernelWord(core, KERNEL_NR_FREE);
}

/** Frames that a core uses which has just booted: the first two segments of the dentry hash, and their directory. */
export const FRAMES_OF_EMPTY_CORE = 3;

/** Checks that nothing has been left behind in a core. */
export function assertEmpty(core: Core): void {
  verify(core);
  assert.equal(framesInUse(core), FRAMES_OF_EMPTY_CORE, "frames are still in use");
  verify(core);
}

/** A number from fast-check, to be taken modulo whatever there is: it shrinks towards 0. */
export const anyNumber = fc.nat({ max: 2 ** 30 });

/** Some shadow, but none of those that stand for promised pages. */
export function shadowOf(any: number): number {
  return ((any % 2 ** 29) << 2) | XA_SHADOW;
}

/**
 * Runs random operations in sequences of up to `length`, NR_OPERATIONS in all, each sequence on a fresh system.
 *
 * @param run carries a sequence out, compares with its model, and tears everything down
 */
export function checkModel<Op>(operation: fc.Arbitrary<Op>, length: number, run: (ops: Op[]) => void): void {
  const sequence = fc.array(operation, { minLength: 1, maxLength: length, size: "max" });
  const seed = process.env.FOLIOFS_SEED;
  fc.assert(fc.property(sequence, run), {
    numRuns: Math.max(2, Math.ceil((2 * NR_OPERATIONS) / length)), // sequences are half as long on average
    endOnFailure: false,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}

// --- A file system in a core --------------------------------------------------------------------------------------------

export interface WorldOptions extends BootOptions {
  /** Flags of the super block; default: one that lives in memory. */
  sbFlags?: number;
  uid?: number;
  gid?: number;
}

/** A core with one file system, mounted as the root, and one task. */
export class World {
  readonly core: Core;
  readonly sb: SuperBlockHandle;
  readonly root: DentryHandle;
  readonly mnt: MountHandle;
  readonly task: TaskHandle;
  readonly tasks: TaskHandle[] = [];
  nowMs = NOW_MS;

  constructor(options: WorldOptions = {}) {
    const core = bootCore(options);
    this.core = core;
    this.sb = core.x.superNew(0, options.sbFlags ?? SB_MEMORY | SB_COMPLETE) as SuperBlockHandle;
    core.u32[(this.sb << 3) + SUPER_BLOCK_PLAIN_KINDS] = 1;
    core.u32[(this.sb << 3) + SUPER_BLOCK_FILE_KIND] = 1;
    this.root = core.x.makeRoot(this.sb, 0o755, 0, 0, 0, NOW_MS) as DentryHandle;
    this.mnt = core.x.mountNew(this.sb, this.root, MNT_RELATIME) as MountHandle;
    core.x.setRootMount(this.mnt);
    this.task = this.newTask(options.uid ?? 0, options.gid ?? 0);
    core.x.setCurrent(this.task);
  }

  get x(): Core["x"] {
    return this.core.x;
  }

  newTask(uid: number, gid: number, groups: number[] = []): TaskHandle {
    const { core } = this;
    const cred = core.x.credNew(uid, gid, groups.length) as CredHandle;
    core.u32.set(groups, core.x.credGroups(cred) >>> 2);
    const task = core.x.taskNew(cred, 0o022, this.mnt, this.root) as TaskHandle;
    this.tasks.push(task);
    return task;
  }

  // Names. Each takes the parent's dentry and answers a dentry that the name itself keeps alive, or a negated errno.

  /** Makes a file, directory, fifo ... by its mode. */
  make(parent: DentryHandle, name: string | Uint8Array, mode: number): DentryHandle {
    const { x } = this;
    const dentry = x.dAlloc(parent, putBytes(this.core, name), 0) as DentryHandle;
    if (dentry < 0) return dentry;
    const rc = x.simpleMknod(dentry, mode, 0, 0, this.nowMs);
    x.dput(dentry);
    return rc < 0 ? (rc as DentryHandle) : dentry;
  }

  /** Makes a regular file and closes it. @returns its dentry; 0 when it is no plain one, or memory ran out; a negated errno */
  makeByPath(path: string | Uint8Array, perm: number): DentryHandle {
    const { core, x } = this;
    const lookup = LOOKUP_LAST | LOOKUP_OPEN;
    const file = x.openPath(putBytes(core, path), lookup, O_CREAT, FMODE_READ, 0, perm) as FileHandle;
    if (file <= 0) return file as number as DentryHandle;
    const dentry = pointed<DentryHandle>(core, file, FILE_DENTRY);
    x.filePut(file);
    return dentry;
  }

  /** @returns 0; -EOPNOTSUPP when it is no plain one, or memory ran out; a negated errno */
  mkdirByPath(path: string | Uint8Array, perm: number): number {
    return this.x.mkdirPlain(putBytes(this.core, path), perm);
  }

  makeLink(parent: DentryHandle, name: string | Uint8Array, target: string | Uint8Array): DentryHandle {
    const { x } = this;
    const dentry = x.dAlloc(parent, putBytes(this.core, name), 0) as DentryHandle;
    if (dentry < 0) return dentry;
    const rc = x.simpleSymlink(dentry, putBytes(this.core, target, PATH_B), LOOKUP_PATH_B, 0, this.nowMs);
    x.dput(dentry);
    return rc < 0 ? (rc as DentryHandle) : dentry;
  }

  hardLink(inode: InodeHandle, parent: DentryHandle, name: string | Uint8Array): DentryHandle {
    const { x } = this;
    const dentry = x.dAlloc(parent, putBytes(this.core, name), 0) as DentryHandle;
    if (dentry < 0) return dentry;
    x.simpleLink(inode, dentry, this.nowMs);
    x.dput(dentry);
    return dentry;
  }

  find(parent: DentryHandle, name: string | Uint8Array): DentryHandle {
    return this.x.dLookup(parent, putBytes(this.core, name), 0) as DentryHandle;
  }

  unlink(dentry: DentryHandle): void {
    this.x.simpleUnlink(dentry, this.nowMs);
    this.x.dDelete(dentry);
  }

  /** @returns 0; -EOPNOTSUPP when it is no plain one */
  unlinkByPath(path: string | Uint8Array): number {
    return this.x.unlinkPlain(putBytes(this.core, path), this.nowMs);
  }

  rmdir(dentry: DentryHandle): number {
    const rc = this.x.simpleRmdir(dentry, this.nowMs);
    if (rc === 0) this.x.dDelete(dentry);
    return rc;
  }

  /** Moves to a new name, or over `replaced`. */
  rename(dentry: DentryHandle, parent: DentryHandle, name: string | Uint8Array, replaced: DentryHandle): number {
    const { x } = this;
    const target = replaced || (x.dAlloc(parent, putBytes(this.core, name), 0) as DentryHandle);
    if (target < 0) return target;
    const rc = x.simpleRename(dentry, target, this.nowMs);
    if (rc === 0) x.dMove(dentry, target);
    if (!replaced) x.dput(target);
    return rc;
  }

  /** @returns 0; -EOPNOTSUPP when it is no plain rename, or memory ran out */
  renameByPath(from: string | Uint8Array, to: string | Uint8Array): number {
    const { core, x } = this;
    return x.renamePlain(putBytes(core, from), putBytes(core, to, PATH_B), this.nowMs);
  }

  exchange(a: DentryHandle, b: DentryHandle): void {
    this.x.simpleExchange(a, b, this.nowMs);
    this.x.dExchange(a, b);
  }

  inodeOf(dentry: DentryHandle): InodeHandle {
    return pointed<InodeHandle>(this.core, dentry, DENTRY_INODE);
  }

  walk(path: string | Uint8Array, flags: number): number {
    return this.x.walk(putBytes(this.core, path), 0 as FileHandle, flags);
  }

  sizeOf(inode: InodeHandle): number {
    return double(this.core, inode, INODE_SIZE);
  }

  // Data, as the VFS moves it: piece by piece.

  /** @returns bytes written, or a negated errno */
  write(file: FileHandle, bytes: Uint8Array, pos: number): number {
    const { core } = this;
    let written = 0;
    const early = bytes.length & 1; // both ways are to be the same
    let n = core.x.writeBegin(file, pos, bytes.length, this.nowMs, early);
    while (n > 0) {
      core.u8.set(bytes.subarray(written, written + n), resultAddress(core));
      if (n !== bytes.length || early === 0) core.x.writeEnd(n);
      written += n;
      if (written === bytes.length) return written;
      n = core.x.writeNext(bytes.length - written);
    }
    return written || n;
  }

  /** @returns the bytes read, or a negated errno */
  read(file: FileHandle, len: number, pos: number): Uint8Array | number {
    const { core } = this;
    const bytes = new Uint8Array(len);
    let done = 0;
    let n = core.x.readBegin(file, pos, len);
    while (n > 0) {
      const at = resultAddress(core);
      if (at) bytes.set(core.u8.subarray(at, at + n), done);
      done += n;
      if (done === len) break;
      n = core.x.readNext(file, pos < 0 ? core.filePos(file) : pos + done, len - done, pos < 0 ? 1 : 0);
    }
    return n < 0 ? n : bytes.subarray(0, done);
  }

  // The end.

  /** Drops everything and checks that memory is as after boot. */
  dispose(): void {
    const { core } = this;
    const { x } = core;
    verify(core);
    x.releaseSlot();
    if (kernelWord(core, KERNEL_ROOT_MOUNT) === this.mnt << 5) x.setRootMount(0 as MountHandle);
    x.mountPut(this.mnt);
    x.superShrink(this.sb);
    x.superFree(this.sb);
    assertEmpty(core);
  }
}
