/**
 * Random work on files in memory that are larger than memory, beside a model of their bytes. Made again when a device has failed: then
 * it has to succeed, and nothing may be lost.
 */
import { strict as assert } from "node:assert";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../src/base/mman.ts";
import type { FolioFs } from "../../src/index.ts";
import { type Random, seededRandom } from "./random.ts";

const PAGE = 4096;
const NR_FILES = 5;
/** Largest file, and largest write, bytes. */
const MAX_SIZE = 5 * 2 ** 20;
const MAX_WRITE = 600_000;
/** A file that is smaller is filled. */
const MIN_SIZE = 2 ** 20;

const MAX_TRIES = 20;

/** Errors that a device's failure may become. */
const OF_DEVICES = ["EIO", "ENOSPC"];

export class SwapScript {
  readonly #fs: FolioFs;
  readonly #dir: string;
  readonly #random: Random;
  readonly #files = new Map<string, Buffer>();
  /** Has a device failed since the call began? */
  hasFailed = false;
  nrRepeated = 0;
  #mark = 0;

  constructor(fs: FolioFs, dir: string, seed: number) {
    this.#fs = fs;
    this.#dir = dir;
    this.#random = seededRandom(seed);
  }

  get bytes(): number {
    return [...this.#files.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Makes a call; again as long as a device has failed it. */
  #call<T>(call: () => T): T {
    for (let tries = 0; ; tries++) {
      this.hasFailed = false;
      try {
        return call();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        assert.ok(this.hasFailed && OF_DEVICES.includes(code ?? ""), `${error} without cause`);
        assert.ok(tries < MAX_TRIES, `${error}, again and again`);
        this.#fs.kernel.verify();
        this.nrRepeated++;
      }
    }
  }

  #path(): string {
    return `${this.#dir}/f${this.#random(NR_FILES)}`;
  }

  /** Bytes that no other write has, and that shrink when they are compressed. */
  #fresh(length: number): Buffer {
    const words = new Uint32Array(Math.ceil(length / 4) + 1);
    const mark = ++this.#mark * 65_536;
    for (let i = 0; i < words.length; i++) words[i] = mark + ((i >>> 3) & 0xffff);
    return Buffer.from(words.buffer, 0, length);
  }

  step(): void {
    const path = this.#path();
    const file = this.#files.get(path);
    const kind = this.#random(100);
    if (file === undefined || file.length < MIN_SIZE) this.#write(path, file ?? Buffer.alloc(0), 0, MAX_SIZE / 2);
    else if (kind < 40) this.#writeSome(path, file);
    else if (kind < 45) this.#compare(path, file);
    else if (kind < 70) this.#read(path, file);
    else if (kind < 78) this.#truncate(path, file);
    else if (kind < 86) this.#punch(path, file);
    else if (kind < 92) this.#copy(path, file);
    else if (kind < 96) this.#append(path, file);
    else if (kind < 98) this.#rename(path, file);
    else this.#remove(path);
  }

  #writeSome(path: string, file: Buffer): void {
    const at = this.#random(MAX_SIZE - MAX_WRITE);
    this.#write(path, file, at, 1 + this.#random(this.#random(4) === 0 ? MAX_WRITE : 3 * PAGE));
  }

  #write(path: string, file: Buffer, at: number, length: number): void {
    const fs = this.#fs;
    const bytes = this.#fresh(length);
    this.#withFile(path, "a+", () => {});
    this.#withFile(path, "r+", (fd) => {
      for (let done = 0; done < bytes.length; )
        done += this.#call(() => fs.writeSync(fd, bytes, done, bytes.length - done, at + done));
    });
    const after = Buffer.alloc(Math.max(file.length, at + bytes.length));
    after.set(file);
    after.set(bytes, at);
    this.#files.set(path, after);
  }

  #withFile(path: string, flags: string, use: (fd: number) => void): void {
    const fd = this.#call(() => this.#fs.openSync(path, flags));
    try {
      use(fd);
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  #read(path: string, file: Buffer): void {
    const at = this.#random(file.length);
    const wanted = 1 + this.#random(this.#random(4) === 0 ? MAX_WRITE : 2 * PAGE);
    const expected = file.subarray(at, at + wanted);
    const got = Buffer.alloc(wanted);
    this.#withFile(path, "r", (fd) => {
      let done = 0;
      while (done < expected.length) {
        const n = this.#call(() => this.#fs.readSync(fd, got, done, wanted - done, at + done));
        assert.ok(n > 0);
        done += n;
      }
    });
    assert.ok(got.subarray(0, expected.length).equals(expected), `${path} at ${at}`);
  }

  #compare(path: string, file: Buffer): void {
    const got = this.#call(() => this.#fs.readFileSync(path));
    assert.equal(got.length, file.length);
    assert.ok(got.equals(file), path);
  }

  #truncate(path: string, file: Buffer): void {
    const size = this.#random(4) === 0 ? this.#random(file.length) : file.length + PAGE - this.#random(20 * PAGE);
    this.#call(() => this.#fs.truncateSync(path, size));
    const after = Buffer.alloc(size);
    after.set(file.subarray(0, size));
    this.#files.set(path, after);
  }

  #punch(path: string, file: Buffer): void {
    const at = this.#random(file.length);
    const length = 1 + this.#random(40 * PAGE);
    const mode = this.#random(2) ? 3 : 0x11; // PUNCH_HOLE or ZERO_RANGE, KEEP_SIZE
    this.#withFile(path, "r+", (fd) => this.#call(() => this.#fs.fallocateSync(fd, mode, at, length)));
    file.fill(0, at, Math.min(at + length, file.length));
  }

  #copy(path: string, file: Buffer): void {
    const to = this.#path();
    if (to === path || file.length > MAX_SIZE / 2) return;
    this.#call(() => this.#fs.copyFileSync(path, to));
    this.#files.set(to, Buffer.from(file));
  }

  #append(path: string, file: Buffer): void {
    const bytes = this.#fresh(1 + this.#random(2 * PAGE));
    const size = file.length;
    this.#call(() => {
      if (this.#fs.statSync(path).size !== size) this.#fs.truncateSync(path, size); // of a try before
      this.#fs.appendFileSync(path, bytes);
    });
    this.#files.set(path, Buffer.concat([file, bytes]));
  }

  #rename(path: string, file: Buffer): void {
    const to = this.#path();
    this.#fs.renameSync(path, to);
    this.#files.delete(path);
    this.#files.set(to, file);
  }

  #remove(path: string): void {
    this.#fs.unlinkSync(path);
    this.#files.delete(path);
  }

  /** Stores by a shared mapping of a file; another one, and a view, show them. */
  map(): void {
    const path = this.#path();
    const file = this.#files.get(path);
    if (file === undefined || file.length === 0) return;
    const fs = this.#fs;
    const at = this.#random(file.length);
    const bytes = this.#fresh(Math.min(1 + this.#random(8 * PAGE), file.length - at));
    this.#withFile(path, "r+", (fd) => {
      const [one, other] = [0, 1].map(() => fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED }));
      try {
        for (let done = 0; done < bytes.length; ) done += this.#call(() => one.set(bytes.subarray(done), at + done));
        file.set(bytes, at);
        const got = Buffer.alloc(bytes.length);
        for (let done = 0; done < got.length; )
          done += this.#call(() => other.copy(got, done, at + done, at + got.length));
        assert.ok(got.equals(bytes), `mapping of ${path} at ${at}`);
        const view = this.#call(() => fs.readView(fd, at, bytes.length));
        assert.ok(view.bytes.equals(bytes.subarray(0, view.length)), `view of ${path} at ${at}`);
        view.release();
      } finally {
        one.munmap();
        other.munmap();
      }
    });
  }

  /** All files are what they should be. */
  compareAll(): void {
    for (const [path, file] of this.#files) this.#compare(path, file);
  }

  removeAll(): void {
    for (const path of this.#files.keys()) this.#fs.unlinkSync(path);
    this.#files.clear();
  }
}
