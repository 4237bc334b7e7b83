/**
 * Work on files that share pages, beside a model of their bytes: one operation at a time, so that what fails can be made shorter.
 * The machine goes on as its own fork, or as what its snapshot restores, with what it shares.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../src/base/mman.ts";
import type { FolioFs } from "../../src/index.ts";
import { cloneBytes } from "../../src/vfs/clone-file-range.ts";
import { inodeOf } from "./mock-scene.ts";

const PAGE = 4096;
const NR_FILES = 6;
/** Largest file, bytes. */
const MAX_SIZE = 70 * PAGE;
const PUNCH_HOLE = 3; // with KEEP_SIZE
const ZERO_RANGE = 0x11;
const FULL = ["ENOSPC", "ENOMEM"];

const KINDS = [
  "write",
  "write",
  "write",
  "append",
  "truncate",
  "punch",
  "zero",
  "allocate",
  "ficlone",
  "ficlone",
  "ficlonerange",
  "ficlonerange",
  "lend",
  "copyFile",
  "cloneFile",
  "copyFileRange",
  "map",
  "mapPrivately",
  "hold",
  "release",
  "unlink",
  "compact",
  "shrink",
  "fork",
  "snapshot",
  "compare",
] as const;

/** One operation: what it is, two files, and three numbers that it makes of what it needs. */
export const cloneOperation = fc.record({
  kind: fc.constantFrom(...KINDS),
  a: fc.nat({ max: NR_FILES - 1 }),
  b: fc.nat({ max: NR_FILES - 1 }),
  x: fc.nat({ max: MAX_SIZE }),
  y: fc.nat({ max: MAX_SIZE }),
  /** Allocation that fails, and all after it; 0 = none does. */
  failAfter: fc.integer({ min: -20, max: 12 }),
});
type Operation = typeof cloneOperation extends fc.Arbitrary<infer O> ? O : never;

export interface CloneMachine {
  fs: FolioFs;
  /** The machine again, from the bytes of a snapshot; undefined: no snapshots are taken. */
  restore?: (bytes: Uint8Array) => FolioFs;
  /** May calls fail for want of room without a fault? */
  isTight: boolean;
  /** Have allocations fail. */
  hasFaults: boolean;
  /** Is called before each operation. */
  before?: () => void;
}

export class CloneScript {
  readonly #machine: CloneMachine;
  readonly #files = new Map<string, Buffer>();
  readonly #views: { release(): void }[] = [];
  readonly nrDone = new Map<string, number>();
  #mark = 1;

  constructor(machine: CloneMachine) {
    this.#machine = machine;
  }

  get #fs(): FolioFs {
    return this.#machine.fs;
  }

  /** Files are on two file systems. */
  #path(n: number): string {
    return `${n % 3 === 2 ? "/u" : "/t"}/f${n}`;
  }

  #file(path: string): Buffer {
    return this.#files.get(path) ?? Buffer.alloc(0);
  }

  run(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.#machine.before?.();
      this.step(operation);
      this.#fs.kernel.verify();
    }
    for (const view of this.#views.splice(0)) view.release();
    this.compareAll();
    this.#fs.kernel.verify();
  }

  step(operation: Operation): void {
    const { kind, failAfter } = operation;
    const { x } = this.#fs.kernel.vfs.core;
    if (this.#machine.hasFaults && failAfter > 0) x.setFailAfter(failAfter);
    try {
      this[kind](operation);
      this.nrDone.set(kind, (this.nrDone.get(kind) ?? 0) + 1);
    } catch (error) {
      const mayFail = this.#machine.isTight || (this.#machine.hasFaults && failAfter > 0);
      if (!mayFail || !FULL.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    } finally {
      if (this.#machine.hasFaults) this.#fs.kernel.vfs.core.x.setFailAfter(0);
    }
    if (operation.a === operation.b) this.#compare(this.#path(operation.a));
  }

  /** Without faults: to look, and to have descriptors. */
  #calmly<T>(call: () => T): T {
    const { core } = this.#fs.kernel.vfs;
    const fault = core.u32.length; // memory may grow here
    assert.ok(fault > 0);
    core.x.setFailAfter(0);
    return call();
  }

  #withFile<T>(path: string, use: (fd: number) => T, failAfter = 0): T {
    const fd = this.#calmly(() => this.#fs.openSync(path, "a+"));
    this.#fs.closeSync(fd);
    if (!this.#files.has(path)) this.#files.set(path, Buffer.alloc(0));
    const rw = this.#fs.openSync(path, "r+");
    if (this.#machine.hasFaults && failAfter > 0) this.#fs.kernel.vfs.core.x.setFailAfter(failAfter);
    try {
      return use(rw);
    } finally {
      this.#fs.kernel.vfs.core.x.setFailAfter(0);
      this.#fs.closeSync(rw);
    }
  }

  #fresh(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    const mark = this.#mark++;
    for (let i = 0; i < length; i++) bytes[i] = (mark * 37 + (i >>> 5)) | 1;
    return bytes;
  }

  #put(path: string, at: number, bytes: Buffer): void {
    const file = this.#file(path);
    const after = Buffer.alloc(Math.max(file.length, at + bytes.length));
    after.set(file);
    after.set(bytes, at);
    this.#files.set(path, after);
  }

  write({ a, x, y, failAfter }: Operation): void {
    const path = this.#path(a);
    const at = Math.min(x, MAX_SIZE - 1);
    const bytes = this.#fresh(1 + (y % Math.min(20 * PAGE, MAX_SIZE - at)));
    this.#withFile(
      path,
      (fd) => {
        for (let done = 0; done < bytes.length; ) {
          const n = this.#fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
          this.#put(path, at + done, bytes.subarray(done, done + n));
          done += n;
        }
      },
      failAfter,
    );
  }

  append({ a, x }: Operation): void {
    const path = this.#path(a);
    const at = this.#file(path).length;
    if (at < MAX_SIZE) this.write({ kind: "write", a, b: a, x: at, y: x % PAGE, failAfter: 0 });
  }

  truncate({ a, x, failAfter }: Operation): void {
    const path = this.#path(a);
    const size = x % 3 === 0 ? x - (x % PAGE) : x;
    this.#withFile(path, (fd) => this.#fs.ftruncateSync(fd, size), failAfter);
    const after = Buffer.alloc(size);
    after.set(this.#file(path).subarray(0, size));
    this.#files.set(path, after);
  }

  #fallocate(mode: number, { a, x, y, failAfter }: Operation): [path: string, at: number, end: number] {
    const path = this.#path(a);
    const length = 1 + (y % (12 * PAGE));
    this.#withFile(path, (fd) => this.#fs.fallocateSync(fd, mode, x, length), failAfter);
    return [path, x, Math.min(x + length, this.#file(path).length)];
  }

  punch(operation: Operation): void {
    const [path, at, end] = this.#fallocate(PUNCH_HOLE, operation);
    if (at < end) this.#file(path).fill(0, at, end);
  }

  zero(operation: Operation): void {
    const path = this.#path(operation.a);
    const length = 1 + (operation.y % (12 * PAGE));
    const file = this.#file(path);
    try {
      this.#fallocate(ZERO_RANGE, operation);
    } catch (error) {
      if (!FULL.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      // What it was to zero may be zeros by now, or as before.
      const now = this.#calmly(() => this.#fs.readFileSync(path));
      if (now.equals(file)) throw error;
    }
    const end = Math.min(operation.x + length, file.length);
    if (operation.x < end) file.fill(0, operation.x, end);
  }

  allocate(operation: Operation): void {
    this.#fallocate(1, { ...operation, y: operation.y % (4 * PAGE) });
  }

  #source(path: string): Buffer {
    this.#withFile(path, () => {});
    return Buffer.from(this.#file(path));
  }

  ficlone({ a, b, failAfter }: Operation): void {
    const [from, to] = [this.#path(a), this.#path(b)];
    if (from === to || from.slice(0, 2) !== to.slice(0, 2)) return;
    const bytes = this.#source(from);
    if (bytes.length % PAGE !== 0 && this.#file(to).length > bytes.length) return; // EINVAL
    this.#withFile(from, (src) =>
      this.#withFile(to, (dest) => this.#fs.kernel.linux.ficloneSync(dest, src), failAfter),
    );
    this.#put(to, 0, bytes);
  }

  ficlonerange({ a, b, x, y, failAfter }: Operation): void {
    const [from, to] = [this.#path(a), this.#path(b)];
    if (from.slice(0, 2) !== to.slice(0, 2)) return;
    const bytes = this.#source(from);
    const srcOffset = (x % (bytes.length + 1)) - ((x % (bytes.length + 1)) % PAGE);
    const destOffset = y - (y % PAGE);
    const rest = bytes.length - srcOffset;
    let srcLength = Math.min(rest, ((x ^ y) % 20) * PAGE);
    if (rest === 0 || srcLength === 0) return;
    if (srcLength % PAGE !== 0 && destOffset + srcLength < this.#file(to).length) srcLength -= srcLength % PAGE;
    const taken = Math.ceil(srcLength / PAGE) * PAGE;
    if (srcLength === 0 || (from === to && srcOffset < destOffset + taken && destOffset < srcOffset + taken)) return;
    if (destOffset + srcLength > MAX_SIZE) return;
    this.#withFile(from, (src) =>
      this.#withFile(
        to,
        (dest) => this.#fs.kernel.linux.ficlonerangeSync(dest, src, { srcOffset, srcLength, destOffset }),
        failAfter,
      ),
    );
    this.#put(to, destOffset, bytes.subarray(srcOffset, srcOffset + srcLength));
  }

  /** What overlay does: a fresh file of one file system gets the pages of another's. */
  lend({ a, b, failAfter }: Operation): void {
    const [from, to] = [this.#path(a), this.#path(b)];
    if (from === to) return;
    const bytes = this.#source(from);
    if (bytes.length === 0) return;
    this.#withFile(to, (fd) => {
      this.#fs.ftruncateSync(fd, 0);
      this.#files.set(to, Buffer.alloc(0));
      const { vfs } = this.#fs.kernel;
      const src = this.#fs.openSync(from, "r");
      const [source, sink] = [src, fd].map((of) => inodeOf(vfs, of));
      this.#fs.closeSync(src);
      if (this.#machine.hasFaults && failAfter > 0) vfs.core.x.setFailAfter(failAfter);
      const isOneMount = this.#fs.statSync(from).dev === this.#fs.statSync(to).dev;
      const charge = isOneMount ? "all" : "none";
      const rc = cloneBytes(vfs, { from: source, posIn: 0, to: sink, posOut: 0, length: bytes.length, charge });
      vfs.core.x.setFailAfter(0);
      if (rc < 0) throw Object.assign(new Error("lend"), { code: rc === -28 ? "ENOSPC" : rc === -12 ? "ENOMEM" : rc });
    });
    this.#files.set(to, bytes);
  }

  #copy({ a, b }: Operation, mode: number): void {
    const [from, to] = [this.#path(a), this.#path(b)];
    if (from === to) return;
    const bytes = this.#source(from);
    this.#files.delete(to); // on failure it is gone
    this.#fs.copyFileSync(from, to, mode);
    this.#files.set(to, bytes);
  }
  copyFile(operation: Operation): void {
    this.#copy(operation, 0);
  }
  cloneFile(operation: Operation): void {
    this.#copy(operation, this.#fs.constants.COPYFILE_FICLONE);
  }

  copyFileRange({ a, b, x, y, failAfter }: Operation): void {
    const [from, to] = [this.#path(a), this.#path(b)];
    const bytes = this.#source(from);
    const at = x % (bytes.length + 1);
    const want = Math.min(y % (10 * PAGE), bytes.length - at, MAX_SIZE - y);
    if (want <= 0 || (from === to && at < y + want && y < at + want)) return;
    this.#withFile(from, (src) =>
      this.#withFile(
        to,
        (dest) => {
          const n = this.#fs.copyFileRangeSync(src, at, dest, y, want);
          this.#put(to, y, bytes.subarray(at, at + n));
        },
        failAfter,
      ),
    );
  }

  map({ a, x, y, failAfter }: Operation): void {
    const path = this.#path(a);
    const file = this.#file(path);
    if (file.length === 0) return;
    const at = x % file.length;
    const bytes = this.#fresh(Math.min(1 + (y % (5 * PAGE)), file.length - at));
    this.#withFile(path, (fd) => {
      const mapping = this.#fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
      try {
        const got = Buffer.alloc(bytes.length);
        for (let done = 0; done < got.length; ) done += mapping.copy(got, done, at + done, at + got.length);
        assert.ok(got.equals(file.subarray(at, at + got.length)), `mapping of ${path}`);
        if (this.#machine.hasFaults && failAfter > 0) this.#fs.kernel.vfs.core.x.setFailAfter(failAfter);
        for (let done = 0; done < bytes.length; ) {
          const n = mapping.set(bytes.subarray(done), at + done);
          this.#put(path, at + done, bytes.subarray(done, done + n));
          done += n;
        }
      } catch (error) {
        // How much has been stored nobody tells.
        this.#fs.kernel.vfs.core.x.setFailAfter(0);
        const now = this.#fs.readFileSync(path);
        const model = this.#file(path);
        for (let i = 0; i < bytes.length && now[at + i] === bytes[i]; i++) model[at + i] = bytes[i];
        throw error;
      } finally {
        this.#fs.kernel.vfs.core.x.setFailAfter(0);
        mapping.munmap();
      }
    });
  }

  mapPrivately({ a, x }: Operation): void {
    const path = this.#path(a);
    const file = this.#file(path);
    if (file.length === 0) return;
    const at = x % file.length;
    this.#withFile(path, (fd) => {
      const mapping = this.#fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE });
      try {
        mapping.set(Buffer.from([1]), at);
      } finally {
        mapping.munmap();
      }
    });
  }

  /** Pins pages; a view shows what is written to the file, as far as its pages stay. */
  hold({ a, x, y }: Operation): void {
    const path = this.#path(a);
    const file = this.#file(path);
    if (file.length === 0) return;
    const at = x % file.length;
    this.#withFile(path, (fd) => {
      const view = this.#fs.readView(fd, at, 1 + (y % (3 * PAGE)));
      assert.ok(view.bytes.equals(file.subarray(at, at + view.length)), `view of ${path}`);
      this.#views.push(view);
      const bytes = this.#fresh(1);
      if (view.length === 0) return;
      this.#fs.writeSync(fd, bytes, 0, 1, at);
      this.#put(path, at, bytes);
      assert.equal(view.bytes[0], bytes[0], "a view shows what is written");
    });
  }
  release(): void {
    this.#views.pop()?.release();
  }

  unlink({ a }: Operation): void {
    const path = this.#path(a);
    if (this.#files.delete(path)) this.#fs.unlinkSync(path);
  }

  compact(): void {
    this.#fs.kernel.compact();
  }
  shrink(): void {
    for (const view of this.#views.splice(0)) view.release();
    this.#calmly(() => this.#fs.kernel.shrink());
  }

  fork(): void {
    if (this.#machine.restore === undefined) return;
    const before = this.#fs;
    for (const view of this.#views.splice(0)) view.release();
    this.#machine.fs = this.#calmly(() => before.kernel.fork()).fs as FolioFs;
    before.kernel.destroy();
  }
  snapshot(): void {
    const { restore } = this.#machine;
    if (restore === undefined) return;
    const before = this.#fs;
    const bytes = this.#calmly(() => before.kernel.snapshot());
    this.#machine.fs = restore(bytes);
    for (const view of this.#views.splice(0)) view.release();
    before.kernel.destroy();
  }

  compare(): void {
    this.#calmly(() => this.compareAll());
  }

  #compare(path: string): void {
    const file = this.#files.get(path);
    assert.equal(this.#fs.existsSync(path), file !== undefined, path);
    if (file === undefined) return;
    const got = this.#fs.readFileSync(path);
    assert.equal(got.length, file.length, path);
    const at = got.findIndex((byte, i) => byte !== file[i]);
    assert.equal(at, -1, `${path} at ${at}`);
  }

  /** All files are what they should be. */
  compareAll(): void {
    for (let n = 0; n < NR_FILES; n++) this.#compare(this.#path(n));
  }

  removeAll(): void {
    for (const path of this.#files.keys()) this.#fs.unlinkSync(path);
    this.#files.clear();
  }
}
