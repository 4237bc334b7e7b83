/**
 * Each address-space operation in each situation in which Linux calls it, on stores that answer at once and later: for which
 * page, with which flags and locks. The table is docs/address-space-operations.md in code.
 *
 * @see Linux Documentation/filesystems/vfs.rst, locking.rst
 */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { EBUSY, EIO, ENOSPC } from "../../../src/base/errno.ts";
import { O_DIRECT, O_DSYNC, O_RDWR, O_SYNC } from "../../../src/base/stat-flags.ts";
import {
  POSIX_FADV_DONTNEED,
  POSIX_FADV_RANDOM,
  POSIX_FADV_WILLNEED,
  simpleCommitWrite,
  simplePrepareWrite,
} from "../../../src/fs/libfs-store.ts";
import type { NodeFileHandle } from "../../../src/index.ts";
import {
  AOP_TRUNCATED_PAGE,
  AOP_WRITEPAGE_ACTIVATE,
  MIGRATE_SYNC,
  PAGE_IS_READY,
} from "../../../src/mm/address-space.ts";
import { invalidateInodePages2Range, invalidateMappingPages } from "../../../src/mm/invalidate.ts";
import { attachPagePrivate, pagePrivate } from "../../../src/mm/page.ts";
import { redirtyPageForWritepage } from "../../../src/mm/page-dirty.ts";
import { putPage, readMappingPage } from "../../../src/mm/read-cache-page.ts";
import { LAST_PAGE, truncatePagecacheRange } from "../../../src/mm/truncate.ts";
import {
  filemapFlushRange,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
} from "../../../src/mm/writeback.ts";
import { memoryFailure, softOfflinePage } from "../../../src/store.ts";
import { syncfs } from "../../../src/vfs/generic-fsync.ts";
import { dirtyLimits } from "../../../src/vfs/super-bdi.ts";
import { LoggingFs, type LoggingOptions, type Operation, PAGE } from "../../helpers/logging-fs.ts";

interface Situation {
  /** When Linux calls the operation. */
  when: string;
  without?: readonly Operation[];
  /** Brings it about; the file "f" has eight pages, and is open. */
  run(t: LoggingFs, f: NodeFileHandle): unknown;
  /** Calls of the operation. */
  log: readonly string[];
  /** Of these operations, where the order between them matters. */
  only?: readonly Operation[];
  /** Why stores that answer at once, or later, cannot come into it. */
  store?: readonly ["late" | "at once", string];
}

const NEXT = "called from the next issue on";

async function read(f: NodeFileHandle, position: number, length: number): Promise<void> {
  await f.read(Buffer.alloc(length), 0, length, position);
}

async function write(f: NodeFileHandle, position: number, length: number): Promise<void> {
  await f.write(Buffer.alloc(length, 65), 0, length, position);
}

/** Makes whole pages dirty. */
async function dirty(t: LoggingFs, f: NodeFileHandle, index: number, nr = 1): Promise<void> {
  await write(f, index * PAGE, nr * PAGE);
  t.log.length = 0;
}

/** Has pages cached, clean. */
async function cache(t: LoggingFs, f: NodeFileHandle, nr = 8): Promise<void> {
  await read(f, 0, nr * PAGE);
  await t.idle(); // readahead may go on
  t.log.length = 0;
}

/** Has a few bytes of a page written by a file system whose blocks are that small: the rest of it is not there. */
async function dirtyPart(t: LoggingFs, f: NodeFileHandle, index: number): Promise<void> {
  t.verdicts.writeBegin = () => PAGE_IS_READY;
  await write(f, index * PAGE, 512);
  t.verdicts.writeBegin = undefined;
  t.log.length = 0;
}

/** Fills memory with data that has no store, until there is none left. */
function fillMemory({ fs }: LoggingFs): void {
  const fd = fs.openSync("/full", "w");
  assert.throws(
    () => {
      for (;;) fs.writeSync(fd, Buffer.alloc(2 ** 20));
    },
    { code: "ENOSPC" },
  );
  fs.closeSync(fd);
  fs.unlinkSync("/full");
}

/** Has the last page cached, and free frames before it. */
async function lastPageBehindAGap(t: LoggingFs, f: NodeFileHandle): Promise<void> {
  t.fs.writeFileSync("/gap", Buffer.alloc(2 ** 20));
  await read(f, 7 * PAGE, 10);
  await t.idle();
  t.fs.unlinkSync("/gap");
  t.log.length = 0;
}

/** Opens the file for direct I/O, does something with it. */
async function direct(t: LoggingFs, work: (f: NodeFileHandle) => Promise<void>): Promise<void> {
  const f = await t.fs.promises.open("/m/f", O_RDWR | O_DIRECT);
  await work(f);
  await f.close();
}

/** The file has no name any more, nor is it open. */
async function remove(t: LoggingFs, f: NodeFileHandle): Promise<void> {
  await t.fs.promises.unlink("/m/f");
  await f.close();
  await t.idle();
}

/** A buffer that has `left` of its bytes when writeBegin is called. */
function shrinking(t: LoggingFs, bytes: number, left: number): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => { resize(bytes: number): void };
  const memory = new Resizable(bytes, { maxByteLength: bytes });
  t.onCall = (line) => {
    if (line.startsWith("writeBegin")) memory.resize(left);
  };
  return new Uint8Array(memory as unknown as ArrayBuffer);
}

const SITUATIONS = {
  readPage: [
    {
      when: "a page is read that is missing, and there is no readahead",
      without: ["readahead"],
      run: (_t, f) => read(f, PAGE, 10),
      log: ["readPage 1: locked, i_rwsem free"],
    },
    {
      when: "readahead has not brought it",
      run: (t, f) => {
        t.verdicts.readahead = () => -EIO;
        return read(f, 5 * PAGE, 10);
      },
      only: ["readahead", "readPage"],
      log: ["readahead 5+1: locked, i_rwsem free", "readPage 5: locked, i_rwsem free"],
    },
    {
      when: "fadvise(WILLNEED) wants pages, and there is no readahead",
      without: ["readahead"],
      run: (t, f) => t.fs.kernel.fadviseSync(f.fd, PAGE, 2 * PAGE, POSIX_FADV_WILLNEED),
      log: ["readPage 1: locked, i_rwsem free", "readPage 2: locked, i_rwsem free"],
    },
    {
      when: "a write leaves something of a page below the end of the file",
      run: (_t, f) => write(f, 2 * PAGE + 10, 3),
      only: ["writeBegin", "readPage", "readahead", "writeEnd"],
      log: [
        "writeBegin 2 10+3: locked, i_rwsem 1",
        "readPage 2: locked, i_rwsem 1",
        "writeEnd 2 3: locked uptodate, i_rwsem 1",
      ],
    },
    {
      when: "a file system reads a page for itself (readCachePage)",
      run: (t, f) =>
        t.fs.kernel.callFile(f.fd, (kernel) => {
          const page = readMappingPage(kernel, t.mappingOf(f.fd), t.inodeOf(f.fd), 6);
          if (typeof page === "number") return page;
          putPage(kernel, page);
          return 0;
        }),
      log: ["readPage 6: locked, i_rwsem free"],
    },
    {
      when: "bytes are read of which a page has not all, though some",
      run: async (t, f) => {
        await dirtyPart(t, f, 1);
        await read(f, PAGE + 1000, 10);
      },
      log: ["readPage 1: locked dirty, i_rwsem free"],
    },
    {
      when: "it has lost the page (AOP_TRUNCATED_PAGE)",
      without: ["readahead"],
      run: (t, f) => {
        let nr = 0;
        t.verdicts.readPage = () => (nr++ === 0 ? AOP_TRUNCATED_PAGE : undefined);
        return read(f, 0, 10);
      },
      log: ["readPage 0: locked, i_rwsem free", "readPage 0: locked, i_rwsem free"],
    },
  ],

  readahead: [
    {
      when: "the first page of a window is missing",
      run: (_t, f) => read(f, 0, 10),
      log: ["readahead 0+4 marker 1: locked, i_rwsem free"],
    },
    {
      when: "a reader comes to the marker",
      run: async (t, f) => {
        await read(f, 0, 10);
        t.log.length = 0;
        await read(f, PAGE, 10);
      },
      log: ["readahead 4+4 marker 4: locked, i_rwsem free"],
    },
    {
      when: "a reader jumps about: what is asked for",
      run: (t, f) => {
        t.fs.kernel.fadviseSync(f.fd, 0, 0, POSIX_FADV_RANDOM);
        return read(f, 3 * PAGE, 2 * PAGE);
      },
      log: ["readahead 3+2: locked, i_rwsem free"],
    },
    {
      when: "fadvise(WILLNEED): what is missing",
      run: async (t, f) => {
        await write(f, 2 * PAGE, PAGE);
        t.fs.kernel.fadviseSync(f.fd, PAGE, 4 * PAGE, POSIX_FADV_WILLNEED);
      },
      log: ["readahead 1+1: locked, i_rwsem free", "readahead 3+2: locked, i_rwsem free"],
    },
  ],

  writeBegin: [
    {
      when: "bytes of a page are written, for each page",
      run: (_t, f) => write(f, PAGE - 10, PAGE + 20),
      log: [
        `writeBegin 0 ${PAGE - 10}+10: locked, i_rwsem 1`,
        `writeBegin 1 0+${PAGE}: locked, i_rwsem 1`,
        "writeBegin 2 0+10: locked, i_rwsem 1",
      ],
    },
    {
      when: "several buffers are, which share a page",
      run: (_t, f) => f.writev([Buffer.alloc(10), Buffer.alloc(20), Buffer.alloc(PAGE)], 8 * PAGE),
      log: [`writeBegin 8 0+${PAGE}: locked, i_rwsem 1`, "writeBegin 9 0+30: locked, i_rwsem 1"],
    },
    {
      when: "the buffer has become shorter, and the page is not ready with what is left: again",
      run: (t, f) => f.write(shrinking(t, 100, 40), 0, 100, 9 * PAGE),
      only: ["writeBegin", "writeEnd"],
      log: [
        "writeBegin 9 0+100: locked, i_rwsem 1",
        "writeEnd 9 0: locked, i_rwsem 1",
        "writeBegin 9 0+40: locked, i_rwsem 1",
        "writeEnd 9 40: locked, i_rwsem 1",
      ],
    },
    {
      when: "two writes are made at once: one after the other",
      run: (_t, f) => Promise.all([write(f, 8 * PAGE, 2 * PAGE), write(f, 9 * PAGE, PAGE)]),
      log: [
        `writeBegin 8 0+${PAGE}: locked, i_rwsem 1`,
        `writeBegin 9 0+${PAGE}: locked, i_rwsem 1`,
        `writeBegin 9 0+${PAGE}: locked uptodate dirty, i_rwsem 2`,
      ],
    },
  ],

  writeEnd: [
    {
      when: "the bytes of a page have been copied",
      run: async (t, f) => {
        await cache(t, f);
        await write(f, PAGE - 10, 30);
      },
      log: ["writeEnd 0 10: locked uptodate, i_rwsem 1", "writeEnd 1 20: locked uptodate, i_rwsem 1"],
    },
    {
      when: "fewer have, for the buffer has become shorter",
      run: async (t, f) => {
        await cache(t, f);
        await f.write(shrinking(t, 100, 40), 0, 100, PAGE);
      },
      log: ["writeEnd 1 40: locked uptodate, i_rwsem 1"],
    },
    {
      when: "none has, since a page could not be read",
      run: (t, f) => {
        t.verdicts.readPage = () => -EIO;
        return assert.rejects(write(f, 10, 10), { code: "EIO" });
      },
      log: ["writeEnd 0 0: locked, i_rwsem 1"],
    },
    {
      when: "none has, since the write was aborted",
      store: ["late", "what is at once cannot be aborted"],
      run: async (t) => {
        const controller = new AbortController();
        t.onCall = (line) => line.startsWith("writeBegin") && queueMicrotask(() => controller.abort());
        const job = t.fs.promises.writeFile("/m/f", Buffer.alloc(10), { flag: "r+", signal: controller.signal });
        await assert.rejects(job, { name: "AbortError" });
      },
      log: ["writeEnd 0 0: locked, i_rwsem 1"],
    },
  ],

  setPageDirty: [
    {
      when: "bytes of a page count, each time",
      run: async (_t, f) => {
        await write(f, PAGE, PAGE);
        await write(f, PAGE, 10);
      },
      only: ["writeEnd", "setPageDirty"],
      log: [
        `writeEnd 1 ${PAGE}: locked, i_rwsem 1`,
        "setPageDirty 1: locked uptodate, i_rwsem 1",
        "writeEnd 1 10: locked uptodate dirty, i_rwsem 2",
        "setPageDirty 1: locked uptodate dirty, i_rwsem 2",
      ],
    },
    {
      when: "a file system has filled a page by hand (simpleCommitWrite)",
      run: async (t, f) => {
        await cache(t, f, 1);
        const page = t.pageOf(f.fd, 0);
        const { x } = t.kernel.core;
        x.tryLockPage(page.pfn);
        simplePrepareWrite(t.kernel, page, 10, 20);
        simpleCommitWrite(t.kernel, page, 10, 20);
        x.unlockPage(page.pfn);
        assert.equal(t.sb.bdi?.numbers().dirty, 1);
      },
      log: ["setPageDirty 0: locked uptodate, i_rwsem free"],
    },
    {
      when: "they do while the page is being written",
      store: ["late", "who has answered is not writing"],
      run: async (t, f) => {
        await dirty(t, f, 1);
        t.writeMs = 20;
        const synced = f.sync();
        await write(f, PAGE, 10);
        await synced;
      },
      only: ["setPageDirty"],
      log: ["setPageDirty 1: locked uptodate writeback, i_rwsem 2"],
    },
  ],

  isPartiallyUptodate: [
    {
      when: "bytes are read of a page that is not up to date as a whole",
      run: async (t, f) => {
        await dirtyPart(t, f, 1);
        t.verdicts.isPartiallyUptodate = () => 1;
        await read(f, PAGE + 10, 20);
        await read(f, PAGE - 10, 20);
      },
      log: [
        "isPartiallyUptodate 1 10+20: locked dirty, i_rwsem free",
        "isPartiallyUptodate 1 0+10: locked dirty, i_rwsem free",
      ],
    },
  ],

  writePages: [
    {
      when: "fsync",
      run: async (t, f) => {
        await dirty(t, f, 1, 3);
        await dirty(t, f, 6);
        await f.sync();
      },
      log: [
        "writePages 1+3 all 0-: uptodate writeback, i_rwsem free",
        "writePages 6+1 all 0-: uptodate writeback, i_rwsem free",
      ],
    },
    {
      when: "fdatasync",
      run: async (t, f) => {
        await dirty(t, f, 7);
        await f.datasync();
      },
      log: ["writePages 7+1 all 0-: uptodate writeback, i_rwsem free"],
    },
    {
      when: "sync_file_range: begins, of the range",
      run: async (t, f) => {
        await dirty(t, f, 0, 8);
        await t.fs.kernel.callFile(f.fd, (k, file) => syncFileRange(k, file, PAGE, PAGE, SYNC_FILE_RANGE_WRITE));
      },
      log: [`writePages 1+1 some ${PAGE}-${2 * PAGE - 1}: uptodate writeback, i_rwsem free`],
    },
    {
      when: "sync_file_range that waits before and after",
      run: async (t, f) => {
        const flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
        await dirty(t, f, 0, 8);
        await t.fs.kernel.callFile(f.fd, (k, file) => syncFileRange(k, file, 0, 2 * PAGE, flags));
      },
      log: [`writePages 0+2 all 0-${2 * PAGE - 1}: uptodate writeback, i_rwsem free`],
    },
    {
      when: "a file system wants it begun (filemapFlushRange), or fadvise(DONTNEED) does",
      run: async (t, f) => {
        await dirty(t, f, 0, 2);
        filemapFlushRange(t.kernel, t.inodeOf(f.fd), 0, PAGE - 1);
        t.kernel.takeWaitToken();
        t.fs.kernel.fadviseSync(f.fd, PAGE, PAGE, POSIX_FADV_DONTNEED);
        await t.idle();
      },
      log: [
        `writePages 0+1 some 0-${PAGE - 1}: uptodate writeback, i_rwsem free`,
        `writePages 1+1 some ${PAGE}-${2 * PAGE - 1}: uptodate writeback, i_rwsem free`,
      ],
    },
    {
      when: "syncfs",
      run: async (t, f) => {
        await dirty(t, f, 1);
        await t.fs.kernel.callFile(f.fd, syncfs);
      },
      log: ["writePages 1+1 all 0- for sync: uptodate writeback, i_rwsem free"],
    },
    {
      when: "sync",
      run: async (t, f) => {
        await dirty(t, f, 1);
        await t.fs.kernel.syncAsync();
      },
      log: ["writePages 1+1 all 0- for sync: uptodate writeback, i_rwsem free"],
    },
    {
      when: "umount",
      run: async (t, f) => {
        await dirty(t, f, 1);
        await f.close();
        await t.fs.kernel.umountAsync("/m");
      },
      log: ["writePages 1+1 all 0- for sync: uptodate writeback, i_rwsem free"],
    },
    {
      when: "an inode with a name goes (write_inode_now)",
      run: async (t, f) => {
        await dirty(t, f, 1);
        await f.close();
        t.fs.kernel.dropCaches(2);
        await t.idle();
      },
      log: ["writePages 1+1 all 0-: uptodate writeback, i_rwsem free"],
    },
    {
      when: "it has been dirty for dirty_expire_centisecs",
      run: async (t, f) => {
        const limits = dirtyLimits(t.kernel);
        limits.dirty_writeback_centisecs = 1;
        limits.dirty_expire_centisecs = 0;
        await dirty(t, f, 1);
        await t.called("writePages");
      },
      log: ["writePages 1+1 some 0- cyclic for kupdate: uptodate writeback, i_rwsem free"],
    },
    {
      when: "more is dirty than dirty_background_bytes",
      run: async (t, f) => {
        dirtyLimits(t.kernel).dirty_background_bytes = 2 * PAGE;
        await write(f, 0, 3 * PAGE);
        await t.called("writePages");
      },
      log: ["writePages 0+3 some 0- cyclic for background: uptodate writeback, i_rwsem free"],
    },
    {
      when: "more is dirty than dirty_bytes: by who writes",
      store: ["at once", "the flusher comes before while the store prepares for the write"],
      run: async (t, f) => {
        const limits = dirtyLimits(t.kernel);
        limits.dirty_bytes = 4 * PAGE;
        await write(f, 0, 5 * PAGE);
      },
      log: ["writePages 0+5 some 0- cyclic for background: uptodate writeback, i_rwsem 1"],
    },
    {
      when: "a write with O_DSYNC, of what it has written",
      run: async (t, f) => {
        await dirty(t, f, 0);
        const own = await t.fs.promises.open("/m/f", O_RDWR | O_DSYNC);
        await write(own, 2 * PAGE, 10);
        await own.close();
      },
      log: [`writePages 2+1 all ${2 * PAGE}-${2 * PAGE + 9}: uptodate writeback, i_rwsem free`],
    },
    {
      when: "a write with O_SYNC",
      run: async (t) => {
        const own = await t.fs.promises.open("/m/f", O_RDWR | O_SYNC);
        await write(own, PAGE, PAGE);
        await own.close();
      },
      log: [`writePages 1+1 all ${PAGE}-${2 * PAGE - 1}: uptodate writeback, i_rwsem free`],
    },
    {
      when: "direct I/O comes to dirty pages",
      run: async (t, f) => {
        await dirty(t, f, 0, 4);
        await direct(t, (own) => read(own, PAGE, PAGE));
        await direct(t, (own) => write(own, 2 * PAGE, PAGE));
      },
      only: ["writePages", "directIO"],
      log: [
        `writePages 1+1 all ${PAGE}-${2 * PAGE - 1}: uptodate writeback`,
        `directIO read ${PAGE}+${PAGE}`,
        `writePages 2+1 all ${2 * PAGE}-${3 * PAGE - 1}: uptodate writeback`,
        `directIO write ${2 * PAGE}+${PAGE}`,
      ],
    },
  ],

  writePage: [
    {
      when: "there is no writePages",
      without: ["writePages"],
      run: async (t, f) => {
        await dirty(t, f, 1, 2);
        await f.sync();
      },
      log: [
        "writePage 1 all 0-: uptodate writeback, i_rwsem free",
        "writePage 2 all 0-: uptodate writeback, i_rwsem free",
      ],
    },
    {
      when: "it could not write a page before (AOP_WRITEPAGE_ACTIVATE): with the next try",
      without: ["writePages"],
      run: async (t, f) => {
        t.verdicts.writePage = () => AOP_WRITEPAGE_ACTIVATE;
        await dirty(t, f, 1);
        await f.sync();
        assert.equal(t.sb.bdi?.numbers().dirty, 1);
        t.verdicts.writePage = undefined;
        await f.sync();
        assert.equal(t.sb.bdi?.numbers().dirty, 0);
      },
      log: [
        "writePage 1 all 0-: uptodate writeback, i_rwsem free",
        "writePage 1 all 0-: uptodate writeback, i_rwsem free",
      ],
    },
    {
      when: "it has given a page back (redirtyPageForWritepage), of which setPageDirty does not hear",
      without: ["writePages"],
      run: async (t, f) => {
        await dirty(t, f, 1);
        const { writePage } = t.mappingOf(f.fd);
        assert.ok(writePage);
        t.mappingOf(f.fd).writePage = (...args) => {
          const [kernel, { inode, length, pfns }, wbc] = args;
          redirtyPageForWritepage(kernel, wbc, inode, pfns[0]);
          t.mappingOf(f.fd).writePage = writePage;
          return length;
        };
        await f.sync();
        await f.sync();
      },
      only: ["writePage", "setPageDirty"],
      log: ["writePage 1 all 0-: uptodate writeback, i_rwsem free"],
    },
  ],

  invalidatePage: [
    {
      when: "a file is cut: its pages behind, and what is cut off of the last one",
      run: async (t, f) => {
        await cache(t, f);
        await dirty(t, f, 7);
        attachPagePrivate(t.kernel, t.pageOf(f.fd, 6), 1);
        await f.truncate(5 * PAGE + 100);
      },
      only: ["invalidatePage", "freePage"],
      log: [
        `invalidatePage 5 100+${PAGE - 100}: locked uptodate`,
        `invalidatePage 6 0+${PAGE}: locked uptodate private`,
        "freePage 6: locked uptodate",
        `invalidatePage 7 0+${PAGE}: locked uptodate dirty`,
        "freePage 7: locked uptodate",
      ],
    },
    {
      when: "a hole is made: whole pages, and what is cut out of those at its ends",
      run: async (t, f) => {
        await cache(t, f);
        truncatePagecacheRange(t.kernel, t.mappingOf(f.fd), t.inodeOf(f.fd), PAGE + 10, 3 * PAGE + 20);
      },
      log: [
        `invalidatePage 1 10+${PAGE - 10}: locked uptodate`,
        "invalidatePage 3 0+20: locked uptodate",
        `invalidatePage 2 0+${PAGE}: locked uptodate`,
      ],
    },
    {
      when: "a file without a name goes, however dirty it is: nothing is written",
      run: async (t, f) => {
        await dirty(t, f, 1);
        await remove(t, f);
      },
      only: ["invalidatePage", "freePage", "writePages"],
      log: [
        `invalidatePage 1 0+${PAGE}: locked uptodate dirty, i_rwsem free`,
        "freePage 1: locked uptodate, i_rwsem free",
      ],
    },
    {
      when: "an inode goes to make room, after it has been written",
      run: async (t, f) => {
        await dirty(t, f, 1);
        await f.close();
        t.fs.kernel.dropCaches(2);
        await t.idle();
      },
      only: ["invalidatePage", "writePages"],
      log: [
        "writePages 1+1 all 0-: uptodate writeback, i_rwsem free",
        `invalidatePage 1 0+${PAGE}: locked uptodate, i_rwsem free`,
      ],
    },
    {
      when: "a page could not be read",
      without: ["readahead"],
      run: (t, f) => {
        t.verdicts.readPage = () => -EIO;
        return assert.rejects(read(f, PAGE, 10), { code: "EIO" });
      },
      log: [`invalidatePage 1 0+${PAGE}: locked, i_rwsem free`],
    },
    {
      when: "a new page has got no bytes, since its write could not begin",
      run: (t, f) => {
        t.verdicts.writeBegin = () => -ENOSPC;
        return assert.rejects(write(f, 9 * PAGE, 10), { code: "ENOSPC" });
      },
      log: [`invalidatePage 9 0+${PAGE}: locked, i_rwsem 1`],
    },
  ],

  releasePage: [
    {
      when: "drop_caches wants clean pages dropped",
      run: async (t, f) => {
        await cache(t, f, 2);
        await dirty(t, f, 1);
        attachPagePrivate(t.kernel, t.pageOf(f.fd, 0), 1);
        t.fs.kernel.dropCaches(1);
      },
      only: ["releasePage", "freePage"],
      log: [
        "releasePage 0: locked uptodate private",
        "freePage 0: locked uptodate",
        "releasePage 2: locked uptodate",
        "freePage 2: locked uptodate",
        "releasePage 3: locked uptodate",
        "freePage 3: locked uptodate",
      ],
    },
    {
      when: "fadvise(DONTNEED) does, of the range; what is refused stays",
      run: async (t, f) => {
        await cache(t, f);
        t.verdicts.releasePage = (line) => (line.startsWith("releasePage 2") ? 0 : undefined);
        t.fs.kernel.fadviseSync(f.fd, PAGE, 2 * PAGE, POSIX_FADV_DONTNEED);
      },
      only: ["releasePage", "freePage"],
      log: [
        "releasePage 1: locked uptodate, i_rwsem free",
        "freePage 1: locked uptodate, i_rwsem free",
        "releasePage 2: locked uptodate, i_rwsem free",
      ],
    },
    {
      when: "a file system does (invalidateMappingPages)",
      run: async (t, f) => {
        await cache(t, f);
        invalidateMappingPages(t.kernel, t.mappingOf(f.fd), t.inodeOf(f.fd), 7, LAST_PAGE);
      },
      log: ["releasePage 7: locked uptodate, i_rwsem free"],
    },
    {
      when: "a direct write comes to cached pages",
      run: async (t, f) => {
        await cache(t, f);
        await direct(t, (own) => write(own, PAGE, PAGE));
      },
      only: ["releasePage", "directIO"],
      log: ["releasePage 1: locked uptodate", `directIO write ${PAGE}+${PAGE}`],
    },
  ],

  freePage: [
    {
      when: "a page has been cut off",
      run: async (t, f) => {
        await cache(t, f);
        await f.truncate(7 * PAGE);
      },
      log: ["freePage 7: locked uptodate, i_rwsem 1"],
    },
    {
      when: "a page has been dropped",
      run: async (t, f) => {
        await cache(t, f);
        invalidateMappingPages(t.kernel, t.mappingOf(f.fd), t.inodeOf(f.fd), 3, 3);
      },
      log: ["freePage 3: locked uptodate, i_rwsem free"],
    },
    {
      when: "its inode goes",
      run: async (t, f) => {
        await dirty(t, f, 3);
        await remove(t, f);
      },
      log: ["freePage 3: locked uptodate, i_rwsem free"],
    },
    {
      when: "it could not be read",
      run: async (t, f) => {
        t.verdicts.readahead = () => PAGE;
        t.verdicts.readPage = () => -EIO;
        await read(f, 0, 10);
      },
      log: ["freePage 1: locked, i_rwsem free", "freePage 2: locked, i_rwsem free", "freePage 3: locked, i_rwsem free"],
    },
    {
      when: "it was new, and its write could not begin",
      run: (t, f) => {
        t.verdicts.writeBegin = () => -ENOSPC;
        return assert.rejects(write(f, 9 * PAGE, 10), { code: "ENOSPC" });
      },
      log: ["freePage 9: locked, i_rwsem 1"],
    },
  ],

  launderPage: [
    {
      when: "a page that has to go is dirty (invalidateInodePages2Range)",
      run: async (t, f) => {
        await dirty(t, f, 2, 2);
        await t.fs.kernel.callFile(f.fd, (k) =>
          invalidateInodePages2Range(k, t.mappingOf(f.fd), t.inodeOf(f.fd), 2, 3),
        );
      },
      only: ["launderPage", "releasePage", "freePage", "writePages"],
      log: [2, 3].flatMap((index) => [
        `launderPage ${index}: locked uptodate, i_rwsem free`,
        `releasePage ${index}: locked uptodate, i_rwsem free`,
        `freePage ${index}: locked uptodate, i_rwsem free`,
      ]),
    },
    {
      when: "a direct write comes to a page that is dirty still, or again",
      run: async (t, f) => {
        await dirty(t, f, 1);
        t.verdicts.writePages = () => AOP_WRITEPAGE_ACTIVATE;
        await direct(t, (own) => write(own, PAGE, PAGE));
        assert.deepEqual(t.files[0].data.subarray(PAGE, 2 * PAGE), Buffer.alloc(PAGE, 65));
      },
      only: ["writePages", "launderPage", "directIO"],
      log: [
        `writePages 1+1 all ${PAGE}-${2 * PAGE - 1}: uptodate writeback`,
        "launderPage 1: locked uptodate",
        `directIO write ${PAGE}+${PAGE}`,
      ],
    },
  ],

  directIO: [
    {
      when: "a file opened with O_DIRECT is read",
      run: (t) => direct(t, (own) => read(own, 512, 1024)),
      only: ["directIO", "readPage", "readahead"],
      log: ["directIO read 512+1024"],
    },
    {
      when: "one is written",
      run: (t) => direct(t, (own) => write(own, 8 * PAGE, 512)),
      only: ["directIO", "writeBegin", "writePages"],
      log: [`directIO write ${8 * PAGE}+512`],
    },
  ],

  bmap: [
    {
      when: "kernel.bmap()",
      run: (t, f) => assert.equal(t.fs.kernel.bmap(f.fd, 7), 107),
      log: ["bmap 7: i_rwsem free"],
    },
  ],

  isDirtyWriteback: [
    {
      when: "memory is full, of pages that reclaim would have let go; what its file system has dirty stays",
      run: async (t, f) => {
        await cache(t, f);
        t.verdicts.isDirtyWriteback = (line) => (line.startsWith("isDirtyWriteback 1") ? 1 : undefined);
        fillMemory(t);
      },
      only: ["isDirtyWriteback", "releasePage"],
      log: [0, 1, 2, 3, 4, 5, 6, 7]
        .flatMap((index) => [
          `isDirtyWriteback ${index}: uptodate`,
          ...(index === 1 ? [] : [`releasePage ${index}: locked uptodate`]),
        ])
        .concat("isDirtyWriteback 1: uptodate"), // the next time, which is the last
    },
  ],

  errorRemovePage: [
    {
      when: "the frame of a clean page is broken: it is read anew",
      run: async (t, f) => {
        await cache(t, f);
        const { pfn } = t.pageOf(f.fd, 3);
        memoryFailure(t.fs.kernel, pfn);
        await read(f, 3 * PAGE, 10);
        assert.notEqual(t.pageOf(f.fd, 3).pfn, pfn);
      },
      only: ["errorRemovePage", "invalidatePage", "freePage", "readahead"],
      log: [
        "errorRemovePage 3: locked uptodate, i_rwsem free",
        `invalidatePage 3 0+${PAGE}: locked uptodate, i_rwsem free`,
        "freePage 3: locked uptodate, i_rwsem free",
        "readahead 3+1: locked, i_rwsem free",
      ],
    },
    {
      when: "that of a dirty one is: every open file hears once that it is lost",
      run: async (t, f) => {
        await dirty(t, f, 2);
        memoryFailure(t.fs.kernel, t.pageOf(f.fd, 2).pfn);
        await assert.rejects(f.sync(), { code: "EIO" });
        await f.sync();
      },
      log: ["errorRemovePage 2: locked uptodate dirty, i_rwsem free"],
    },
    {
      when: "it will not let go: the frame stays where it is",
      run: async (t, f) => {
        await cache(t, f);
        t.verdicts.errorRemovePage = () => -EBUSY;
        const { pfn } = t.pageOf(f.fd, 1);
        assert.throws(() => memoryFailure(t.fs.kernel, pfn), { code: "EBUSY" });
        assert.equal(t.pageOf(f.fd, 1).pfn, pfn);
      },
      log: ["errorRemovePage 1: locked uptodate, i_rwsem free"],
    },
  ],
  migratePage: [
    {
      when: "memory is compacted",
      run: async (t, f) => {
        await lastPageBehindAGap(t, f);
        const { pfn } = t.pageOf(f.fd, 7);
        attachPagePrivate(t.kernel, t.pageOf(f.fd, 7), 77);
        t.fs.kernel.compact();
        await t.idle();
        const page = t.pageOf(f.fd, 7);
        assert.ok(page.pfn < pfn);
        assert.equal(pagePrivate(t.kernel, page), 77);
        const got = Buffer.alloc(PAGE);
        await f.read(got, 0, PAGE, 7 * PAGE);
        assert.ok(got.equals(t.files[0].data.subarray(7 * PAGE)));
      },
      log: [`migratePage 7 mode ${MIGRATE_SYNC}: locked uptodate private / locked, i_rwsem free`],
    },
    {
      when: "a frame is to be used no more (softOfflinePage); a dirty page stays dirty",
      run: async (t, f) => {
        await dirty(t, f, 2);
        const { pfn } = t.pageOf(f.fd, 2);
        try {
          softOfflinePage(t.fs.kernel, pfn);
        } catch (error) {
          assert.deepEqual([t.isLate, (error as NodeJS.ErrnoException).code], [true, "EAGAIN"]);
          await t.idle();
        }
        assert.notEqual(t.pageOf(f.fd, 2).pfn, pfn);
        await f.sync();
        assert.deepEqual(t.files[0].data.subarray(2 * PAGE, 3 * PAGE), Buffer.alloc(PAGE, 65));
      },
      log: [`migratePage 2 mode ${MIGRATE_SYNC}: locked uptodate dirty / locked, i_rwsem free`],
    },
  ],
  isolatePage: [
    {
      when: "a page is to move; it stays if that is refused",
      run: async (t, f) => {
        await lastPageBehindAGap(t, f);
        t.verdicts.isolatePage = () => 0;
        const { pfn } = t.pageOf(f.fd, 7);
        t.fs.kernel.compact();
        assert.equal(t.pageOf(f.fd, 7).pfn, pfn);
      },
      only: ["isolatePage", "migratePage", "putbackPage"],
      log: [`isolatePage 7 mode ${MIGRATE_SYNC}: locked uptodate, i_rwsem free`],
    },
  ],
  putbackPage: [
    {
      when: "it has been isolated, and has not moved",
      run: async (t, f) => {
        await lastPageBehindAGap(t, f);
        t.verdicts.migratePage = () => -EBUSY;
        const { pfn } = t.pageOf(f.fd, 7);
        t.fs.kernel.compact();
        await t.idle();
        assert.equal(t.pageOf(f.fd, 7).pfn, pfn);
      },
      only: ["isolatePage", "migratePage", "putbackPage"],
      log: [
        `isolatePage 7 mode ${MIGRATE_SYNC}: locked uptodate, i_rwsem free`,
        `migratePage 7 mode ${MIGRATE_SYNC}: locked uptodate / locked, i_rwsem free`,
        "putbackPage 7: locked uptodate, i_rwsem free",
      ],
    },
  ],
  swapActivate: NEXT,
  swapDeactivate: NEXT,
} satisfies Record<Operation, readonly Situation[] | typeof NEXT>;

const produced = new Set<string>();

/** The calls of some operations; where i_rwsem is another's affair, without it. */
function callsOf(t: LoggingFs, { log }: Situation, operations: readonly string[]): string[] {
  const lines = t.log.filter((line) => operations.includes(line.slice(0, line.indexOf(" "))));
  const isTold = log.some((line) => line.includes("i_rwsem"));
  return isTold ? lines : lines.map((line) => line.replace(/(, |: )i_rwsem .*/, ""));
}

async function produce(operation: string, situation: Situation, options: LoggingOptions): Promise<void> {
  const t = new LoggingFs({ without: situation.without, ...options });
  t.add("f", 8 * PAGE);
  const f = await t.fs.promises.open("/m/f", "r+");
  await situation.run(t, f);
  await t.idle();
  assert.deepEqual(callsOf(t, situation, situation.only ?? [operation]), situation.log);
  t.kernel.verify();
  await f.close();
  t.fs.kernel.destroy();
  produced.add(`${operation} ${situation.when}`);
}

for (const [operation, situations] of Object.entries(SITUATIONS) as [string, readonly Situation[] | typeof NEXT][]) {
  if (situations === NEXT) continue;
  describe(`${operation} is called when`, () => {
    for (const situation of situations) {
      for (const isLate of [false, true]) {
        const [only] = situation.store ?? [];
        if (only !== undefined && (only === "late") !== isLate) continue;
        it(`${situation.when}${isLate ? " (later)" : ""}`, () => produce(operation, situation, { isLate }));
      }
    }
  });
}

describe("the table of operations", () => {
  const source = readFileSync(new URL("../../../src/mm/address-space.ts", import.meta.url), "utf8");
  const table = source.slice(
    source.indexOf("export interface AddressSpaceOperations"),
    source.indexOf("\n}\n", source.indexOf("export interface AddressSpaceOperations")),
  );
  const operations = [...table.matchAll(/^ {2}(\w+)\?\(/gm)].map(([, name]) => name).sort();

  it("has an entry here for each, and each situation has been produced", () => {
    assert.equal(operations.length, 21);
    assert.deepEqual(Object.keys(SITUATIONS).sort(), operations);
    const called = Object.entries(SITUATIONS).filter(([, situations]) => situations !== NEXT);
    assert.equal(called.length, 19);
    for (const [operation, situations] of called as [string, readonly Situation[]][]) {
      assert.ok(situations.length > 0);
      for (const { when } of situations) assert.ok(produced.has(`${operation} ${when}`), `${operation}: ${when}`);
    }
  });

  it("is the one that the documentation has", () => {
    const page = readFileSync(new URL("../../../docs/address-space-operations.md", import.meta.url), "utf8");
    const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).sort();
    assert.deepEqual(documented, operations);
  });
});
