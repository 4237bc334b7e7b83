/**
 * A flat directory of files with a store and a backing device, whose pages have all operations that the engine calls, or all
 * but some: each logs the page it is called for, the page's flags and who holds i_rwsem of its file.
 *
 *   writeBegin 2 10+3: locked uptodate, i_rwsem 1
 *
 * A page's lock has no owner in memory: the call that the operation is part of holds it. i_rwsem has, an operation's number:
 * they are numbered here as they come.
 */
import { genericFileOperations } from "../../src/fs/generic-files.ts";
import { storedPages } from "../../src/fs/stored-pages.ts";
import {
  createFsSync,
  Dentry,
  type DentryHandle,
  type FileHandle,
  type FileSystemType,
  type FolioFs,
  Inode,
  type InodeHandle,
  type Kernel,
  libfs,
  type SuperBlock,
} from "../../src/index.ts";
import {
  type AddressSpaceOperations,
  type CachedPage,
  MIGRATE_ASYNC,
  type PageCache,
  type ReadaheadControl,
  WB_SYNC_ALL,
  type WritebackControl,
  type WriteControl,
} from "../../src/mm/address-space.ts";
import { migratePageCopy } from "../../src/mm/migrate.ts";
import { attachPagePrivate, detachPagePrivate, PageAt, pageFlags } from "../../src/mm/page.ts";
import { setPageDirty } from "../../src/mm/page-dirty.ts";
import { genericErrorRemovePage } from "../../src/mm/truncate.ts";
import { dSpliceAlias, iget } from "../../src/vfs/iget.ts";
import { superSetupBdi } from "../../src/vfs/super-bdi.ts";
import {
  INODE_RWSEM,
  PG_DIRTY,
  PG_LOCKED,
  PG_PRIVATE,
  PG_READAHEAD,
  PG_UPTODATE,
  PG_WRITEBACK,
} from "../../src/wasm/layout.ts";
import { nameOf } from "./remote-fs.ts";

export const PAGE = 4096;
const S_IFREG = 0o100644;
const FIRST_INO = 2;

const FLAGS: readonly (readonly [number, string])[] = [
  [PG_LOCKED, "locked"],
  [PG_UPTODATE, "uptodate"],
  [PG_DIRTY, "dirty"],
  [PG_WRITEBACK, "writeback"],
  [PG_PRIVATE, "private"],
];

/** An operation of the table. */
export type Operation = {
  [K in keyof AddressSpaceOperations]-?: NonNullable<AddressSpaceOperations[K]> extends (...args: never[]) => unknown
    ? K
    : never;
}[keyof AddressSpaceOperations];

export interface LoggingOptions {
  /** The store answers by promises. */
  isLate?: boolean;
  without?: readonly Operation[];
}

type Answer = number | undefined;

export class LoggingFs {
  readonly fs: FolioFs;
  readonly log: string[] = [];
  /** What the store has, by ino. */
  readonly files: { name: string; data: Buffer }[] = [];
  /** What is answered instead, by operation. */
  readonly verdicts: { [K in Operation]?: (line: string) => Answer } = {};
  /** How long the store takes to write, milliseconds. */
  writeMs = 0;
  /** What happens while an operation is called. */
  onCall: ((line: string) => void) | undefined;
  sb!: SuperBlock;
  readonly #options: LoggingOptions;
  readonly #owners: number[] = [];
  /** What the store has been asked for, and has not answered. */
  #nrAsked = 0;

  constructor(options: LoggingOptions = {}) {
    this.#options = options;
    this.fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [this.#type()] });
    this.fs.mkdirSync("/m");
    this.fs.kernel.mount({ type: "logfs", target: "/m" });
  }

  get kernel(): Kernel {
    return this.fs.kernel.vfs;
  }

  get isLate(): boolean {
    return this.#options.isLate === true;
  }

  /** Puts a file into the store. */
  add(name: string, bytes: number): Buffer {
    const data = Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => 1 + ((i * 7 + (i >> 12) * 31) % 250)));
    this.files.push({ name, data });
    return data;
  }

  /** The store has answered all it was asked, and what came of that, too. */
  async idle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet = this.#nrAsked === 0 ? quiet + 1 : 0) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** An operation has been called: for what comes by itself. */
  async called(operation: Operation): Promise<void> {
    while (!this.log.some((line) => line.startsWith(`${operation} `))) await this.idle();
  }

  inodeOf(fd: number): InodeHandle {
    const file = this.fileOf(fd);
    return Inode.ofFile(this.kernel, file).handle;
  }

  fileOf(fd: number): FileHandle {
    return this.kernel.tasks().next().value?.file(fd) as FileHandle;
  }

  mappingOf(fd: number): AddressSpaceOperations {
    return this.kernel.tableOf(this.inodeOf(fd)).mapping;
  }

  pageOf(fd: number, index: number): PageAt {
    const inode = this.inodeOf(fd);
    const { core } = this.kernel;
    return new PageAt(core, inode, index, core.x.findPage(inode, index));
  }

  /** Logs a call. @returns what is to be answered instead, if anything */
  #note(operation: Operation, what: string, inode: InodeHandle, pfns: readonly number[]): Answer {
    const flags = new Set(pfns.map((pfn) => this.#flagsOf(pfn)));
    const states = pfns.length === 0 ? "" : `${[...flags].join(" / ")}, `;
    const line = `${operation} ${what}: ${states}${this.#ownerOf(inode)}`;
    this.log.push(line);
    this.onCall?.(line);
    return this.verdicts[operation]?.(line);
  }

  #flagsOf(pfn: number): string {
    const flags = pageFlags(this.kernel.core, pfn);
    return FLAGS.filter(([flag]) => flags & flag)
      .map(([, name]) => name)
      .join(" ");
  }

  /** Who holds i_rwsem, numbered from 1 as they come. */
  #ownerOf(inode: InodeHandle): string {
    const owner = this.kernel.core.u32[(inode << 3) + INODE_RWSEM];
    if (owner === 0) return "i_rwsem free";
    if (!this.#owners.includes(owner)) this.#owners.push(owner);
    return `i_rwsem ${this.#owners.indexOf(owner) + 1}`;
  }

  /** The store does its work, now or later. */
  #take(work: () => number, ms = 0): number | Promise<number> {
    if (!this.isLate) return work();
    this.#nrAsked++;
    return new Promise((resolve) => {
      setTimeout(() => {
        this.#nrAsked--;
        resolve(work());
      }, ms);
    });
  }

  #dataOf(inode: InodeHandle): { name: string; data: Buffer } {
    return this.files[new Inode(this.kernel, inode).ino - FIRST_INO] ?? { name: "", data: Buffer.alloc(0) };
  }

  #fill({
    inode,
    position,
    length,
    views,
  }: {
    inode: InodeHandle;
    position: number;
    length: number;
    views: Uint8Array[];
  }) {
    const { data } = this.#dataOf(inode);
    let at = position;
    for (const view of views) {
      view.fill(0xee); // a store may leave behind what it likes where it has nothing
      view.set(data.subarray(at, at + view.length));
      at += view.length;
    }
    return Math.max(0, Math.min(length, data.length - position));
  }

  #keep(inode: InodeHandle, position: number, views: readonly Uint8Array[]): number {
    const file = this.#dataOf(inode);
    const bytes = Buffer.concat(views);
    const grown = Buffer.alloc(Math.max(file.data.length, position + bytes.length));
    file.data.copy(grown);
    grown.set(bytes, position);
    file.data = grown;
    return bytes.length;
  }

  #framesOf({ core }: PageCache, { inode, position, length }: ReadaheadControl): number[] {
    return Array.from({ length: length / PAGE }, (_, i) => core.x.findPage(inode, position / PAGE + i));
  }

  #read(operation: "readPage" | "readahead", cache: PageCache, control: ReadaheadControl): number | Promise<number> {
    const { inode, position, length } = control;
    const pfns = this.#framesOf(cache, control);
    const marker = pfns.findIndex((pfn) => pageFlags(cache.core, pfn) & PG_READAHEAD);
    const range = operation === "readPage" ? `${position / PAGE}` : `${position / PAGE}+${length / PAGE}`;
    const what = marker < 0 ? range : `${range} marker ${position / PAGE + marker}`;
    const verdict = this.#note(operation, what, inode, pfns);
    return this.#take(() => verdict ?? this.#fill({ inode, position, length, views: control.views() }));
  }

  #write(
    operation: "writePage" | "writePages",
    control: WriteControl,
    wbc: WritebackControl,
  ): number | Promise<number> {
    const { inode, index, nrPages, position, pfns } = control;
    const range = operation === "writePage" ? `${index}` : `${index}+${nrPages}`;
    const verdict = this.#note(operation, `${range} ${purposeOf(wbc)}`, inode, pfns);
    if (verdict === -11) return verdict; // at once alone
    return this.#take(() => verdict ?? this.#keep(inode, position, control.views()), this.writeMs);
  }

  #operations(): Required<Pick<AddressSpaceOperations, CalledOperation>> {
    const page = (operation: Operation, { inode, index, pfn }: CachedPage, what = "") =>
      this.#note(operation, `${index}${what}`, inode, [pfn]);
    return {
      readPage: (cache, control) => this.#read("readPage", cache, control),
      readahead: (cache, control) => this.#read("readahead", cache, control),
      writePage: (_cache, control, wbc) => this.#write("writePage", control, wbc),
      writePages: (_cache, control, wbc) => this.#write("writePages", control, wbc),
      setPageDirty: (cache, at) => {
        page("setPageDirty", at);
        return setPageDirty(cache, at.inode, at.pfn);
      },
      writeBegin: (_cache, at) => {
        const verdict = page("writeBegin", at, ` ${at.offset}+${at.bytes}`);
        return this.#take(() => verdict ?? 0);
      },
      writeEnd: (_cache, at, copied) => page("writeEnd", at, ` ${copied}`) ?? copied,
      bmap: (_cache, inode, block) => this.#note("bmap", `${block}`, inode, []) ?? block + 100,
      invalidatePage: (cache, at, offset, length) => {
        page("invalidatePage", at, ` ${offset}+${length}`);
        if (length === PAGE) detachPagePrivate(cache, at);
      },
      releasePage: (cache, at) => {
        const isRefused = page("releasePage", at) === 0;
        if (!isRefused) detachPagePrivate(cache, at);
        return !isRefused;
      },
      isDirtyWriteback: (_cache, at, state) => {
        if (page("isDirtyWriteback", at) === 1) state.isDirty = true;
      },
      freePage: (cache, at) => {
        const isThere = cache.core.x.findPage(at.inode, at.index) !== 0;
        page("freePage", at, isThere ? " still there" : "");
      },
      directIO: (_cache, { inode, isWrite, position, length, buffer }) => {
        const what = `${isWrite ? "write" : "read"} ${position}+${length}`;
        const verdict = this.#note("directIO", what, inode, []);
        return this.#take(() => {
          if (verdict !== undefined) return verdict;
          if (isWrite) return this.#keep(inode, position, [buffer]);
          return this.#fill({ inode, position, length, views: [buffer] });
        });
      },
      launderPage: (_cache, at) => {
        const verdict = page("launderPage", at);
        return this.#take(() => verdict ?? Math.min(0, this.#keep(at.inode, at.position, at.views())));
      },
      errorRemovePage: (cache, at) =>
        page("errorRemovePage", at) ?? genericErrorRemovePage(cache, this.#operations(), at),
      isolatePage: (_cache, at, mode) => page("isolatePage", at, ` mode ${mode}`) !== 0,
      putbackPage: (_cache, at) => void page("putbackPage", at),
      migratePage: (cache, from, to, mode) => {
        const verdict = this.#note("migratePage", `${from.index} mode ${mode}`, from.inode, [from.pfn, to.pfn]);
        const move = (): number => {
          if (verdict !== undefined) return verdict;
          migratePageCopy(from, to);
          const data = detachPagePrivate(cache, from);
          if (data !== undefined) attachPagePrivate(cache, to, data);
          return 0;
        };
        return mode === MIGRATE_ASYNC ? move() : this.#take(move);
      },
      isPartiallyUptodate: (_cache, at, offset, length) =>
        page("isPartiallyUptodate", at, ` ${offset}+${length}`) === 1,
    };
  }

  #type(): FileSystemType {
    const { without = [] } = this.#options;
    const all = Object.entries(this.#operations());
    const mapping = Object.fromEntries(all.filter(([name]) => !without.includes(name as Operation)));
    return {
      name: "logfs",
      fsFlags: 0,
      pages: storedPages,
      tables: [
        {
          inode: { setattr: libfs.simpleSetattr },
          file: genericFileOperations(mapping),
          mapping,
        },
        {
          inode: {
            lookup: (kernel, dir, dentry) => this.#lookup(kernel, dir, dentry),
            unlink: (kernel, _dir, dentry) => {
              new Inode(kernel, new Dentry(kernel, dentry).inode).nlink -= 1;
              return 0;
            },
          },
          file: {},
          mapping: {},
        },
      ],
      superOps: {
        readInode: (sb, handle) => {
          const inode = new Inode(sb.kernel, handle);
          inode.mode = S_IFREG;
          inode.kind = 0;
          inode.nlink = 1;
          inode.size = this.#dataOf(handle).data.length;
          return 0;
        },
      },
      fillSuper: (sb) => {
        this.sb = sb;
        superSetupBdi(sb, { name: "log" });
        return sb.makeRoot(0o755, 0, 0, 1);
      },
    };
  }

  #lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    const at = this.files.findIndex(({ name }) => name === nameOf(kernel, dentry));
    if (at < 0) return 0;
    const inode = iget(kernel.sbOf(dir), at + FIRST_INO);
    if (inode < 0) return inode;
    dSpliceAlias(kernel, inode as InodeHandle, dentry);
    return 0;
  }
}

/** The operations that the engine calls. */
export type CalledOperation = Exclude<Operation, "swapActivate" | "swapDeactivate">;

/** What a write is for, as the operation is told: "all 0-" waits for all from byte 0 on, "some" for nothing. */
function purposeOf(wbc: WritebackControl): string {
  const end = wbc.rangeEnd === Infinity ? "" : wbc.rangeEnd;
  const parts = [
    wbc.syncMode === WB_SYNC_ALL ? "all" : "some",
    `${wbc.rangeStart}-${end}`,
    wbc.rangeCyclic && "cyclic",
    wbc.forSync && "for sync",
    wbc.forBackground && "for background",
    wbc.forKupdate && "for kupdate",
    wbc.forReclaim && "for reclaim",
  ];
  return parts.filter(Boolean).join(" ");
}
