/**
 * A flat directory of files with a backing device whose writes are logged, answered at once or when the test says so, and
 * failed at will. Pages are made dirty by hand: what writeback finds is all that counts here.
 */
import { storedMmap } from "../../src/fs/stored-mmap.ts";
import {
  createFsSync,
  Dentry,
  type DentryHandle,
  type FileHandle,
  type FileSystemType,
  type FolioFs,
  type FsOptions,
  Inode,
  type InodeHandle,
  type Kernel,
  type SuperBlock,
  stat,
} from "../../src/index.ts";
import type { AddressSpaceOperations, PageCache, WritebackControl, WriteControl } from "../../src/mm/address-space.ts";
import type { BackingDeviceOptions } from "../../src/mm/backing-dev.ts";
import { setPageDirty } from "../../src/mm/page-dirty.ts";
import { storedRead } from "../../src/mm/stored-read.ts";
import { markInodeDirty } from "../../src/vfs/dirty-inode.ts";
import { genericFsync } from "../../src/vfs/generic-fsync.ts";
import { superSetupBdi } from "../../src/vfs/super-bdi.ts";
import { I_DIRTY_SYNC } from "../../src/wasm/layout.ts";
import { nameOf } from "./remote-fs.ts";

export const PAGE = 4096;

export interface BackingOptions {
  /** Writes wait for answer(). */
  isAsync?: boolean;
  /** Pages are written one by one, by writePage. */
  isByPage?: boolean;
  bdi?: BackingDeviceOptions;
  fs?: FsOptions;
}

interface Pending {
  readonly what: string;
  answer(): void;
}

/** What a write is to answer: an errno, fewer bytes, something special. */
export type Verdict = (what: string, bytes: number, control: WriteControl, wbc: WritebackControl) => number;

export class MockBacking {
  readonly files = new Map<string, Buffer>();
  /** What was written: "file 0+4" is 4 pages from page 0 on; "inode file" its attributes. */
  readonly log: string[] = [];
  /** What the operations were told of each write. */
  readonly controls: WritebackControl[] = [];
  readonly pending: Pending[] = [];
  readonly options: BackingOptions;
  isAsync: boolean;
  verdict: Verdict | undefined;
  inodeVerdict = 0;
  /** Called before a write is answered, with what is being written. */
  onWrite: ((what: string) => void) | undefined;
  readonly fs: FolioFs;
  readonly #names = new Map<InodeHandle, string>();
  sb!: SuperBlock;

  constructor(options: BackingOptions = {}) {
    this.options = options;
    this.isAsync = options.isAsync === true;
    this.fs = createFsSync({ memoryLimit: 64 * 2 ** 20, ...options.fs, types: [this.#type()] });
    this.fs.mkdirSync("/m");
    this.fs.kernel.mount({ type: "backfs", target: "/m" });
  }

  get kernel(): Kernel {
    return this.fs.kernel.vfs;
  }

  get bdi() {
    const { bdi } = this.sb;
    if (bdi === undefined) throw new Error("no device");
    return bdi;
  }

  /** Makes a file of the store, opens it. */
  open(name: string, flags = "r+"): number {
    if (!this.files.has(name)) this.files.set(name, Buffer.alloc(0));
    return this.fs.openSync(`/m/${name}`, flags);
  }

  fileOf(fd: number): FileHandle {
    for (const task of this.kernel.tasks()) {
      const file = task.file(fd);
      if (file) return file;
    }
    throw new Error(`no file ${fd}`);
  }

  inodeOf(fd: number): InodeHandle {
    return Inode.ofFile(this.kernel, this.fileOf(fd)).handle;
  }

  /** Fills pages with a byte and marks them dirty; the file grows to their end, or to `size`. */
  dirty(fd: number, index: number, nr = 1, byte = 65, size?: number): void {
    const { kernel } = this;
    const handle = this.inodeOf(fd);
    const inode = new Inode(kernel, handle);
    inode.size = Math.max(inode.size, size ?? (index + nr) * PAGE);
    for (let at = index; at < index + nr; at++) {
      const pfn = kernel.core.x.findOrCreatePage(handle, at);
      kernel.core.u8.fill(byte, pfn * PAGE, (pfn + 1) * PAGE);
      setPageDirty(kernel, handle, pfn);
    }
  }

  dirtyInode(fd: number): void {
    markInodeDirty(this.kernel, this.inodeOf(fd), I_DIRTY_SYNC);
  }

  takeLog(): string {
    return this.log.splice(0).join(", ");
  }

  /** Answers the oldest write that waits. */
  async answer(): Promise<void> {
    this.pending.shift()?.answer();
    await turn();
  }

  async answerAll(): Promise<void> {
    await turn();
    while (this.pending.length > 0) await this.answer();
  }

  #type(): FileSystemType {
    const mapping = this.#mapping();
    return {
      name: "backfs",
      fsFlags: 0,
      tables: [
        {
          inode: {
            lookup: (kernel, dir, dentry) => this.#lookup(kernel, dir, dentry),
            setattr: () => 0,
            unlink: (kernel, _dir, dentry) => {
              const inode = new Inode(kernel, new Dentry(kernel, dentry).inode);
              inode.nlink -= 1;
              this.files.delete(nameOf(kernel, dentry));
              return 0;
            },
          },
          file: {
            read: (kernel, file, buffer, offset, length, position) =>
              storedRead(kernel, mapping, file, buffer, offset, length, position),
            fsync: genericFsync,
            mmap: storedMmap(mapping),
          },
          mapping,
        },
      ],
      superOps: {
        evictInode: (_kernel, inode) => void this.#names.delete(inode),
        writeInode: (_kernel, inode) => {
          this.log.push(`inode ${this.#names.get(inode)}`);
          return this.inodeVerdict;
        },
      },
      fillSuper: (sb) => {
        this.sb = sb;
        superSetupBdi(sb, this.options.bdi);
        return sb.makeRoot(0o755, 0, 0, 0);
      },
    };
  }

  #lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    const name = nameOf(kernel, dentry);
    const data = this.files.get(name);
    if (!data) return 0;
    const { x } = kernel.core;
    const handle = x.inodeNew(kernel.sbOf(dir).handle, stat.S_IFREG | 0o644, 0, 0, kernel.now()) as InodeHandle;
    if (handle < 0) return handle;
    new Inode(kernel, handle).size = data.length;
    this.#names.set(handle, name);
    x.dInstantiate(dentry, handle);
    return 0;
  }

  #mapping(): AddressSpaceOperations {
    const write = (cache: PageCache, control: WriteControl, wbc: WritebackControl) => this.#write(cache, control, wbc);
    return {
      readPage: (_cache, control) => {
        const data = this.files.get(this.#names.get(control.inode) ?? "") ?? Buffer.alloc(0);
        const part = data.subarray(control.position, control.position + PAGE);
        control.views()[0].set(part);
        return part.length;
      },
      ...(this.options.isByPage ? { writePage: write } : { writePages: write }),
    };
  }

  #write(_cache: PageCache, control: WriteControl, wbc: WritebackControl): number | Promise<number> {
    const name = this.#names.get(control.inode) ?? "?";
    const what = `${name} ${control.index}+${control.nrPages}`;
    this.log.push(what);
    this.controls.push({ ...wbc });
    const finish = (): number => {
      this.onWrite?.(what);
      const answer = this.verdict?.(what, control.length, control, wbc) ?? control.length;
      if (answer > 0 && answer <= control.length) this.#keep(name, control, answer);
      return answer;
    };
    if (!this.isAsync) return finish();
    return new Promise<void>((resolve) => this.pending.push({ what, answer: resolve })).then(finish);
  }

  #keep(name: string, control: WriteControl, bytes: number): void {
    const before = this.files.get(name);
    if (before === undefined) return; // removed
    const data = Buffer.alloc(Math.max(before.length, control.position + bytes));
    before.copy(data);
    let at = control.position;
    for (const view of control.views()) {
      if (at >= control.position + bytes) break;
      const part = view.subarray(0, control.position + bytes - at);
      data.set(part, at);
      at += view.length;
    }
    this.files.set(name, data);
  }
}

/** Promises that can settle without the store have settled. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
