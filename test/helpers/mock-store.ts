/**
 * Files whose pages come from a store that logs what it is asked for, answers at once or when the test says so, short or
 * not at all: what a file system with a store looks like to the page cache.
 *
 * The files are those of one flat directory, made by the test.
 */

import { storedFileOperations } from "../../src/fs/stored-files.ts";
import { storedPages } from "../../src/fs/stored-pages.ts";
import { storedWrite, storedWritev } from "../../src/fs/stored-write.ts";
import {
  type AddressSpaceOperations,
  Dentry,
  type DentryHandle,
  type FileHandle,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  type PageCache,
  type ReadaheadControl,
  stat,
} from "../../src/index.ts";
import type { BackingDeviceOptions } from "../../src/mm/backing-dev.ts";
import { superSetupBdi } from "../../src/vfs/super-bdi.ts";
import { nameOf } from "./remote-fs.ts";

export const PAGE = 4096;

interface Pending {
  what: string;
  answer(): void;
}

export interface MockOptions {
  /** Reads wait for answer(). */
  isAsync?: boolean;
  hasReadahead?: boolean;
  raPages?: number;
  /** It has a backing device. */
  bdi?: BackingDeviceOptions;
  /** Further operations of its pages. */
  mapping?: AddressSpaceOperations;
  setattr?: InodeOperations["setattr"];
  /** The store hears of writes (writeBegin, writeEnd), and answers at once, or when it is told to. */
  writes?: "at once" | "later";
}

export class MockStore {
  readonly files = new Map<string, Buffer>();
  /** What was asked for: "readahead 0+4" is 4 pages from page 0 on. */
  readonly log: string[] = [];
  readonly pending: Pending[] = [];
  readonly type: FileSystemType;
  readonly options: MockOptions;
  /** What a read answers instead of what it would: an errno, or fewer bytes. */
  verdict: ((what: string, bytes: number) => number) | undefined;
  /** What happens while the store is asked. */
  onAsked: ((what: string) => void) | undefined;
  readonly #names = new Map<InodeHandle, string>();

  constructor(options: MockOptions = {}) {
    this.options = options;
    const mapping = this.#mapping();
    this.type = {
      name: "mockfs",
      fsFlags: 0,
      tables: [
        {
          inode: {
            lookup: (kernel, dir, dentry) => this.#lookup(kernel, dir, dentry),
            setattr: options.setattr ?? (() => 0),
          },
          file: {
            ...storedFileOperations(mapping),
            write: (kernel: Kernel, file: FileHandle, ...args) => storedWrite(kernel, mapping, file, ...args),
            writev: (kernel: Kernel, file: FileHandle, ...args) => storedWritev(kernel, mapping, file, ...args),
            fsync: (_kernel, _file, dataOnly, start, end) =>
              this.#note(`${dataOnly ? "fdatasync" : "fsync"} ${start}-${end}`, 0),
          },
          mapping,
        },
      ],
      pages: storedPages,
      superOps: { evictInode: (_kernel, inode) => void this.#names.delete(inode) },
      fillSuper: (sb) => {
        if (options.bdi) superSetupBdi(sb, options.bdi);
        return sb.makeRoot(0o755, 0, 0, 0);
      },
    };
  }

  /** Answers the oldest read that waits, or that of a number. */
  async answer(number = 0): Promise<void> {
    this.pending.splice(number, 1)[0].answer();
    await settled();
  }

  async answerAll(): Promise<void> {
    await settled();
    while (this.pending.length > 0) await this.answer();
  }

  takeLog(): string {
    return this.log.splice(0).join(", ");
  }

  #lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    const name = nameOf(kernel, dentry);
    const data = this.files.get(name);
    if (!data) return 0;
    const { x } = kernel.core;
    const handle = x.inodeNew(kernel.sbOf(dir).handle, stat.S_IFREG | 0o644, 0, 0, kernel.now()) as InodeHandle;
    if (handle < 0) return handle;
    const inode = new Inode(kernel, handle);
    inode.size = data.length;
    this.#names.set(handle, name);
    x.dInstantiate(new Dentry(kernel, dentry).handle, handle);
    return 0;
  }

  #mapping(): AddressSpaceOperations {
    const { hasReadahead = true, raPages } = this.options;
    return {
      readPage: (cache, control) => this.#read("readPage", cache, control),
      ...(hasReadahead && { readahead: (cache, control) => this.#read("readahead", cache, control) }),
      ...(raPages !== undefined && { raPages }),
      ...(this.options.writes && {
        writeBegin: (_cache, { index, offset, bytes }) => this.#begin(`writeBegin ${index} ${offset}+${bytes}`),
        writeEnd: (_cache, { index }, copied) => this.#note(`writeEnd ${index} ${copied}`, copied),
      }),
      ...this.options.mapping,
    };
  }

  /** @returns what it answers, unless the test says otherwise */
  #note(what: string, answer: number): number {
    this.log.push(what);
    this.onAsked?.(what);
    return this.verdict?.(what, answer) ?? answer;
  }

  #begin(what: string): number | Promise<number> {
    if (this.options.writes === "at once") return this.#note(what, 0);
    this.log.push(what);
    return new Promise((resolve) => {
      this.pending.push({ what, answer: () => resolve(this.verdict?.(what, 0) ?? 0) });
    });
  }

  #read(operation: string, _cache: PageCache, control: ReadaheadControl): number | Promise<number> {
    const what = `${operation} ${control.position / PAGE}+${control.length / PAGE}`;
    this.log.push(what);
    this.onAsked?.(what);
    const data = this.files.get(this.#names.get(control.inode) ?? "") ?? Buffer.alloc(0);
    const fill = (): number => {
      const wanted = Math.max(0, Math.min(control.length, data.length - control.position));
      const bytes = this.verdict?.(what, wanted) ?? wanted;
      let at = control.position;
      for (const view of control.views()) {
        const n = Math.max(0, Math.min(view.length, control.position + bytes - at));
        view.fill(0xee); // a store may leave behind what it likes where it has nothing
        view.set(data.subarray(at, at + n));
        at += view.length;
      }
      return bytes;
    };
    if (!this.options.isAsync) return fill();
    return new Promise((resolve) => this.pending.push({ what, answer: () => resolve(fill()) }));
  }
}

/** Promises that can settle without the store have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
