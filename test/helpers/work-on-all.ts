/** Does something to every file of a file system, whatever it is: to find what is not as the core takes it to be. */
import type { FolioFs } from "../../src/index.ts";

const MAX_DEPTH = 12;
const MAX_NAMES = 400;
const MAX_PIECES = 12;

/** @param tell is told of every error, most of which are in order */
export function workOn(fs: FolioFs, tell: (error: unknown) => void): void {
  const work = new Work(fs, tell);
  work.directory(Buffer.from("/"), 0);
  work.machine();
  work.removeAll();
  work.fill();
  work.machine();
}

class Work {
  readonly #fs: FolioFs;
  readonly #tell: (error: unknown) => void;
  #nr = 0;

  constructor(fs: FolioFs, tell: (error: unknown) => void) {
    this.#fs = fs;
    this.#tell = tell;
  }

  #try(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      this.#tell(error);
    }
  }

  directory(dir: Buffer, depth: number): void {
    const fs = this.#fs;
    let names: Buffer[] = [];
    this.#try(() => {
      names = fs.readdirSync(dir, { encoding: "buffer" }) as unknown as Buffer[];
    });
    this.#try(() => this.#readPieces(dir));
    for (const name of names.slice(0, MAX_NAMES)) {
      const path = dir.length === 1 ? Buffer.concat([dir, name]) : Buffer.concat([dir, Buffer.from("/"), name]);
      this.#try(() => this.#any(path, depth));
    }
    this.#change(dir);
  }

  #readPieces(dir: Buffer): void {
    const opened = this.#fs.opendirSync(dir.toString("latin1"), {
      encoding: "latin1" as BufferEncoding,
      bufferSize: 3,
    });
    for (let i = 0; i < MAX_PIECES && opened.readSync() !== null; i++);
    opened.closeSync();
  }

  #any(path: Buffer, depth: number): void {
    const fs = this.#fs;
    const { linux } = fs.kernel;
    const stat = fs.lstatSync(path);
    this.#try(() => fs.lstatSync(path, { bigint: true }));
    this.#try(() => {
      for (const name of linux.llistxattrSync(path)) linux.lgetxattrSync(path, name);
    });
    if (stat.isSymbolicLink()) {
      this.#try(() => fs.readlinkSync(path));
      this.#try(() => fs.statSync(path));
      this.#try(() => fs.realpathSync.native(path));
    } else if (stat.isDirectory()) {
      if (depth < MAX_DEPTH && this.#nr++ < MAX_NAMES) this.directory(path, depth + 1);
      this.#try(() => fs.statfsSync(path));
    } else if (stat.isFile()) this.#try(() => this.#file(path));
    this.#try(() => fs.chmodSync(path, 0o700));
    this.#try(() => fs.utimesSync(path, 1, 2));
    this.#try(() => linux.setxattrSync(path, "user.new", Buffer.alloc(100), 0));
  }

  #file(path: Buffer): void {
    const fs = this.#fs;
    const fd = fs.openSync(path, "r+");
    const bytes = Buffer.alloc(9000);
    try {
      for (let i = 0; i < MAX_PIECES && fs.readSync(fd, bytes, 0, bytes.length, null) > 0; i++);
      this.#try(() => fs.writeSync(fd, "w", 100));
      this.#try(() => fs.writeSync(fd, bytes, 0, 9000, 5000));
      this.#try(() => fs.ftruncateSync(fd, 6000));
      this.#try(() => fs.writeSync(fd, "w", 100_000));
      this.#try(() => fs.writeSync(fd, "w", 4096 * 300));
    } finally {
      fs.closeSync(fd);
    }
  }

  #change(dir: Buffer): void {
    const fs = this.#fs;
    const at = (name: string): Buffer => Buffer.concat([dir, Buffer.from(`/${name}`)]);
    this.#try(() => fs.writeFileSync(at("new"), "n".repeat(20_000)));
    this.#try(() => fs.mkdirSync(at("new-directory")));
    this.#try(() => fs.renameSync(at("new"), at("new-directory/other")));
    this.#try(() => fs.linkSync(at("new-directory/other"), at("third")));
    this.#try(() => fs.symlinkSync("third", at("new-link")));
    this.#try(() => fs.unlinkSync(at("third")));
  }

  machine(): void {
    const { kernel } = this.#fs;
    this.#try(() => kernel.mounts());
    this.#try(() => kernel.dropCaches(3));
    this.#try(() => kernel.compact());
    this.#try(() => kernel.vmstat());
    this.#try(() => kernel.shrink());
    this.#try(() => kernel.fork().destroy());
    this.#try(() => kernel.sync());
  }

  removeAll(): void {
    const fs = this.#fs;
    let names: Buffer[] = [];
    this.#try(() => {
      names = fs.readdirSync("/", { encoding: "buffer" }) as unknown as Buffer[];
    });
    for (const name of names) {
      const path = Buffer.concat([Buffer.from("/"), name]);
      this.#try(() => fs.rmSync(path.toString("latin1"), { recursive: true }));
      this.#try(() => fs.rmSync(path as never, { recursive: true, force: true }));
    }
    for (const { target } of fs.kernel.mounts().slice(1).reverse()) this.#try(() => fs.kernel.umount(target));
  }

  /** Takes memory that was free, and gives it back. */
  fill(): void {
    const fs = this.#fs;
    for (let i = 0; i < 150; i++) this.#try(() => fs.writeFileSync(`/z${i}`, "z".repeat(i * 200)));
    this.#try(() => fs.writeFileSync("/large", Buffer.alloc(3_000_000, 1)));
    for (let i = 0; i < 150; i += 2) this.#try(() => fs.unlinkSync(`/z${i}`));
    this.#try(() => fs.truncateSync("/large", 1_000_000));
  }
}
