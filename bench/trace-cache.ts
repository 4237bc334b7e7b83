/**
 * foliofs as a cache of pages: a mock store whose file is read by pages, in a memory that has room for so many.
 *
 * Data of a file in memory fills the rest, as much as leaves that room when index nodes and shadows have theirs: found by
 * trying.
 */
import type * as Foliofs from "../src/index.ts";
import type * as Store from "../src/store.ts";

const PAGE = 4096;
const MEMORY = 16 * 2 ** 20;
const DIRECTORY = 0;
const FILE = 1;
const TRIES = 8;
/** Index nodes, and what the root has. */
const FIRST_GUESS = 80;

export interface Replay {
  /** 0 to 1. */
  readonly hits: number;
  /** Pages that were cached at the end. */
  readonly cached: number;
  readonly nsPerRead: number;
}

export class TraceCache {
  readonly #foliofs: typeof Foliofs;
  readonly #store: typeof Store;

  constructor(foliofs: typeof Foliofs, store: typeof Store) {
    this.#foliofs = foliofs;
    this.#store = store;
  }

  /** Reads the pages of a trace. */
  replay(trace: readonly number[], pages: number): Replay {
    let ballast = MEMORY / PAGE - pages - FIRST_GUESS;
    let replay = this.#try(trace, ballast);
    for (let i = 1; i < TRIES && replay.cached !== pages; i++) {
      ballast += replay.cached - pages;
      replay = this.#try(trace, ballast);
    }
    return replay;
  }

  #try(trace: readonly number[], ballast: number): Replay {
    let misses = 0;
    const fs = this.#mounted(trace.reduce((most, page) => Math.max(most, page), 0) + 1, () => misses++);
    fs.writeFileSync("/ballast", Buffer.alloc(ballast * PAGE, 1));
    const fd = fs.openSync("/m/f", "r");
    const one = Buffer.alloc(1);
    const start = process.hrtime.bigint();
    for (const page of trace) fs.readSync(fd, one, 0, 1, page * PAGE);
    const ns = Number(process.hrtime.bigint() - start);
    const { nr_inactive_file, nr_active_file } = fs.kernel.vmstat();
    fs.kernel.destroy();
    return { hits: 1 - misses / trace.length, cached: nr_inactive_file + nr_active_file, nsPerRead: ns / trace.length };
  }

  /** A file of as many pages, whose pages are read one by one. */
  #mounted(nrPages: number, onRead: () => void): Foliofs.FolioFs {
    const { createFsSync, Inode, stat } = this.#foliofs;
    const { dSpliceAlias, iget, storedFileOperations, storedPages } = this.#store;
    const mapping: Store.AddressSpaceOperations = {
      readPage: () => {
        onRead();
        return PAGE;
      },
    };
    const type: Foliofs.FileSystemType = {
      name: "tracefs",
      fsFlags: 0,
      pages: storedPages,
      tables: [
        {
          inode: {
            lookup: (kernel, dir, dentry) => {
              const inode = iget(kernel.sbOf(dir), 2);
              if (inode < 0) return inode;
              dSpliceAlias(kernel, inode as Foliofs.InodeHandle, dentry);
              return 0;
            },
          },
          file: {},
          mapping: {},
        },
        { inode: {}, file: storedFileOperations(mapping), mapping },
      ],
      superOps: {
        readInode: ({ kernel }, handle) => {
          const inode = new Inode(kernel, handle);
          inode.mode = stat.S_IFREG | 0o444;
          inode.kind = FILE;
          inode.nlink = 1;
          inode.size = nrPages * PAGE;
          return 0;
        },
      },
      fillSuper: (sb) => sb.makeRoot(stat.S_IFDIR | 0o755, 0, 0, DIRECTORY),
    };
    const fs = createFsSync({ memoryLimit: MEMORY, types: [type] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tracefs", target: "/m" });
    return fs;
  }
}
