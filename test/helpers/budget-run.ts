/**
 * Random work on files that are many times as large as memory may be, by several chains of calls: what is read is what was
 * written, memory never has more than its limit, and no call fails.
 *
 * Contents are known by sectors of 512 bytes, of which each write has a number of its own. Each chain has files of its own;
 * the last one makes synchronous calls, in the midst of the others' promises.
 */
import { strict as assert } from "node:assert";
import type { FolioFs } from "../../src/index.ts";
import { type Random, seededRandom } from "./random.ts";

const SECTOR = 512;
const PAGE_SIZE = 4096;
const MAX_SECTORS = 300;
const NR_CHAINS = 3;
/** Small files that are looked at meanwhile, each with its number in it, and as many names that are not there. */
const NR_NAMES = 1500;
const LOOKS = 2;

export interface BudgetOptions {
  readonly seed: number;
  /** Where the files are, and how many bytes in all. */
  readonly dir: string;
  readonly bytes: number;
  readonly memoryLimit: number;
  readonly nrSteps: number;
  readonly nrFiles?: number;
  /** No chain makes synchronous calls: what they need may be on its way. */
  readonly isAsync?: boolean;
}

/** What a file holds: the number of the write that each sector is of, 0 = zeros. */
class Model {
  readonly path: string;
  readonly sectors: Uint32Array;
  length = 0;

  constructor(path: string, nrSectors: number) {
    this.path = path;
    this.sectors = new Uint32Array(nrSectors);
  }

  cut(length: number): void {
    if (length < this.length) this.sectors.fill(0, length, this.length);
    this.length = length;
  }

  put(from: number, nr: number, write: number): void {
    this.sectors.fill(write, from, from + nr);
    this.length = Math.max(this.length, from + nr);
  }

  bytes(from: number, nr: number): Buffer {
    const words = new Uint32Array((nr * SECTOR) / 4);
    for (let i = 0; i < nr; i++) {
      const write = this.sectors[from + i];
      if (write !== 0) words.fill(write * 65_536 + ((from + i) & 0xffff), (i * SECTOR) / 4, ((i + 1) * SECTOR) / 4);
    }
    return Buffer.from(words.buffer);
  }
}

type Done = (error: NodeJS.ErrnoException | null, value?: number) => void;

class Chain {
  readonly isSync: boolean;
  readonly files: Model[];
  readonly fds: (number | undefined)[];

  constructor(isSync: boolean, files: Model[]) {
    this.isSync = isSync;
    this.files = files;
    this.fds = files.map(() => undefined);
  }
}

export class BudgetRun {
  readonly #fs: FolioFs;
  readonly #options: BudgetOptions;
  readonly #chains: Chain[];
  readonly #random: Random;
  #nrWrites = 0;
  /** Called between steps, for what else is to happen. */
  onStep: ((step: number) => void) | undefined;

  constructor(fs: FolioFs, options: BudgetOptions) {
    this.#fs = fs;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const { nrFiles = 24 } = options;
    const nrSectors = Math.floor(options.bytes / nrFiles / SECTOR);
    this.#chains = Array.from({ length: NR_CHAINS }, (_, nr) => {
      fs.mkdirSync(`${options.dir}/c${nr}`);
      const files = Array.from(
        { length: nrFiles / NR_CHAINS },
        (_f, i) => new Model(`${options.dir}/c${nr}/f${i}`, nrSectors),
      );
      return new Chain(nr === NR_CHAINS - 1 && !options.isAsync, files);
    });
  }

  async work(): Promise<void> {
    const { dir } = this.#options;
    this.#fs.mkdirSync(`${dir}/names`);
    for (let i = 0; i < NR_NAMES; i++) this.#fs.writeFileSync(`${dir}/names/${i}`, `${i}`);
    await Promise.all(this.#chains.map((chain) => this.#workOf(chain)));
  }

  async #workOf(chain: Chain): Promise<void> {
    const each = Math.floor(this.#options.nrSteps / NR_CHAINS);
    for (let step = 0; step < each; step++) {
      if (chain.isSync) await new Promise(setImmediate);
      await this.#step(chain);
      await this.#look(chain);
      this.checkLimit();
      this.onStep?.(step);
    }
  }

  /** The memory has no more than it may have. */
  checkLimit(): void {
    const bytes = this.#fs.kernel.vfs.core.memory.buffer.byteLength;
    assert.ok(bytes <= this.#options.memoryLimit, `${bytes} bytes of at most ${this.#options.memoryLimit}`);
  }

  async #step(chain: Chain): Promise<void> {
    const at = this.#random(chain.files.length);
    const file = chain.files[at];
    const kind = this.#random(100);
    if (kind < 45) return this.#write(chain, at, file);
    if (kind < 85) return this.#read(chain, at, file);
    if (kind < 90) return this.#cut(chain, at, file);
    if (kind < 95) return this.#sync(chain, at, file);
    if (kind < 98) return this.#close(chain, at);
    await this.#close(chain, at);
    await this.#remove(chain, file);
  }

  async #look(chain: Chain): Promise<void> {
    const fs = this.#fs;
    for (let i = 0; i < LOOKS; i++) {
      const number = this.#random(2 * NR_NAMES);
      const path = `${this.#options.dir}/names/${number}`;
      if (number >= NR_NAMES) {
        const is = chain.isSync
          ? fs.existsSync(path)
          : await fs.promises.access(path).then(
              () => true,
              () => false,
            );
        assert.equal(is, false, path);
      } else if (number % 3 === 0) {
        const text = chain.isSync
          ? await this.#onceFree(() => fs.readFileSync(path, "utf8"))
          : await fs.promises.readFile(path, "utf8");
        assert.equal(text, `${number}`);
      } else {
        const { size } = chain.isSync ? await this.#onceFree(() => fs.statSync(path)) : await fs.promises.stat(path);
        assert.equal(size, `${number}`.length);
      }
    }
  }

  /** EAGAIN: a promise call has just the same name looked up. */
  async #onceFree<T>(call: () => T): Promise<T> {
    for (;;) {
      try {
        return call();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      }
      await new Promise(setImmediate);
    }
  }

  #call(chain: Chain, now: () => unknown, later: (done: Done) => void): Promise<number> {
    if (chain.isSync) return Promise.resolve((now() ?? 0) as number);
    return new Promise((resolve, reject) => later((error, value) => (error ? reject(error) : resolve(value ?? 0))));
  }

  async #open(chain: Chain, at: number, { path }: Model): Promise<number> {
    const fs = this.#fs;
    const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
    chain.fds[at] ??= await this.#call(
      chain,
      () => fs.openSync(path, flags),
      (done) => fs.open(path, flags, done),
    );
    return chain.fds[at] as number;
  }

  async #write(chain: Chain, at: number, file: Model): Promise<void> {
    const fs = this.#fs;
    const from = this.#random(file.sectors.length - 1);
    const nr = Math.min(1 + this.#random(MAX_SECTORS), file.sectors.length - from);
    const fd = await this.#open(chain, at, file);
    file.put(from, nr, ++this.#nrWrites);
    const bytes = file.bytes(from, nr);
    for (let done = 0; done < bytes.length; ) {
      const position = from * SECTOR + done;
      done += await this.#call(
        chain,
        () => fs.writeSync(fd, bytes, done, bytes.length - done, position),
        (cb) => fs.write(fd, bytes, done, bytes.length - done, position, cb),
      );
    }
  }

  async #read(chain: Chain, at: number, file: Model): Promise<void> {
    if (file.length === 0) return;
    const fd = await this.#open(chain, at, file);
    const from = this.#random(file.length);
    await this.#compare(chain, fd, file, from, Math.min(1 + this.#random(MAX_SECTORS), file.length - from));
  }

  async #compare(chain: Chain, fd: number, file: Model, from: number, nr: number): Promise<void> {
    const fs = this.#fs;
    const got = Buffer.alloc(nr * SECTOR);
    for (let done = 0; done < got.length; ) {
      const position = from * SECTOR + done;
      const n = await this.#call(
        chain,
        () => fs.readSync(fd, got, done, got.length - done, position),
        (cb) => fs.read(fd, got, done, got.length - done, position, cb),
      );
      assert.ok(n > 0, `${file.path} ends at ${position}, not at ${file.length * SECTOR}`);
      done += n;
    }
    const expected = file.bytes(from, nr);
    if (got.equals(expected)) return;
    const wrong = got.findIndex((byte, i) => byte !== expected[i]);
    assert.fail(`${file.path}: byte ${from * SECTOR + wrong} is not what was written`);
  }

  async #cut(chain: Chain, at: number, file: Model): Promise<void> {
    const fs = this.#fs;
    const fd = await this.#open(chain, at, file);
    const length = this.#random(file.sectors.length);
    await this.#call(
      chain,
      () => this.#unlessBusy(() => fs.ftruncateSync(fd, length * SECTOR)),
      (done) => fs.ftruncate(fd, length * SECTOR, done),
    );
    if (this.#fs.fstatSync(fd).size === length * SECTOR) file.cut(length);
    else assert.ok(chain.isSync, `${file.path} has not been cut`);
  }

  async #sync(chain: Chain, at: number, file: Model): Promise<void> {
    const fs = this.#fs;
    const fd = await this.#open(chain, at, file);
    await this.#call(
      chain,
      () => this.#unlessBusy(() => fs.fsyncSync(fd)),
      (done) => fs.fsync(fd, done),
    );
  }

  /** EAGAIN: a promise call has had pages of the file written, and the store has not answered yet. */
  #unlessBusy(call: () => void): void {
    try {
      call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }

  async #close(chain: Chain, at: number): Promise<void> {
    const fd = chain.fds[at];
    if (fd === undefined) return;
    chain.fds[at] = undefined;
    await this.#call(
      chain,
      () => this.#fs.closeSync(fd),
      (done) => this.#fs.close(fd, done),
    );
  }

  async #remove(chain: Chain, file: Model): Promise<void> {
    const fs = this.#fs;
    await this.#call(
      chain,
      () => fs.rmSync(file.path, { force: true }),
      (done) => fs.rm(file.path, { force: true }, done),
    );
    file.cut(0);
  }

  /** All files are what they should be, read by another pair of eyes if one is given. */
  async compareAll(): Promise<void> {
    for (const chain of this.#chains)
      for (const [at, file] of chain.files.entries()) {
        const fd = await this.#open(chain, at, file);
        assert.equal(this.#fs.fstatSync(fd).size, file.length * SECTOR, `size of ${file.path}`);
        for (let from = 0; from < file.length; from += MAX_SECTORS)
          await this.#compare(chain, fd, file, from, Math.min(MAX_SECTORS, file.length - from));
        await this.#close(chain, at);
      }
  }

  /** What is there in pages: that of the files without their holes, and the names. */
  get dataBytes(): number {
    let nrSectors = 0;
    for (const { files } of this.#chains)
      for (const { sectors } of files) nrSectors += sectors.filter((write) => write !== 0).length;
    return nrSectors * SECTOR + NR_NAMES * PAGE_SIZE;
  }

  /** What each file should hold, for whoever looks at the store itself. */
  *expected(): Generator<{ path: string; bytes: Buffer }> {
    for (const { files } of this.#chains)
      for (const file of files) yield { path: file.path, bytes: file.bytes(0, file.length) };
  }
}
