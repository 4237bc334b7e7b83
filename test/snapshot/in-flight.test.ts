/** Copies of a kernel whose calls wait for a store: nothing of these calls is in them, and the calls go on. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { storedFileOperations } from "../../src/fs/stored-files.ts";
import { storedPages } from "../../src/fs/stored-pages.ts";
import { storedWrite } from "../../src/fs/stored-write.ts";
import {
  createFsSync,
  Dentry,
  type FileSystemType,
  type FolioFs,
  Inode,
  type InodeHandle,
  type Kernel,
  restoreFsSync,
} from "../../src/index.ts";
import type { AddressSpaceOperations, ReadaheadControl, WriteControl } from "../../src/mm/address-space.ts";
import { fieldOf } from "../../src/mm/page.ts";
import { endPfn } from "../../src/vfs/frames.ts";
import { genericFsync } from "../../src/vfs/generic-fsync.ts";
import { superSetupBdi } from "../../src/vfs/super-bdi.ts";
import {
  INODE_RWSEM,
  INODE_SB_NEXT,
  KERNEL_BLOCK,
  KERNEL_OPERATIONS,
  PAGE_FLAGS,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PG_BUDDY,
  PG_BUFFER,
  PG_LOCKED,
  PG_PCP,
  PG_RESERVED,
  PG_SLAB,
  PG_TABLE,
  PG_WRITEBACK,
  SUPER_BLOCK_INODES,
} from "../../src/wasm/layout.ts";
import { settled } from "../helpers/mock-store.ts";
import { nameOf } from "../helpers/remote-fs.ts";

const PAGE = 4096;
const SIZE = 4 * PAGE;
const { O_DIRECT, O_RDWR } = createFsSync().constants;
const OPTIONS = { memoryLimit: 32 * 2 ** 20, now: () => 1e12 };
const FILES = ["read", "write", "synced", "direct", "directRead", "locked", "gone"];

/** A store that answers nothing until it is told to. */
class SlowStore {
  readonly pending: { what: string; answer(): void }[] = [];
  readonly contents = new Map(FILES.map((name, i) => [name, Buffer.alloc(SIZE, i + 1)]));
  readonly #names = new Map<InodeHandle, string>();
  readonly type: FileSystemType;

  constructor() {
    const mapping: AddressSpaceOperations = {
      readPage: (_cache, control) => this.#later(control, "read", (data) => fill(control, data)),
      writePages: (_cache, control) =>
        this.#later(control, "write back", (data) => this.#store(control, data, Buffer.concat(control.views()))),
      directIO: (_cache, control) =>
        this.#later(control, "direct", (data) => {
          if (control.isWrite) return this.#store(control, data, control.buffer);
          return data.copy(control.buffer, 0, control.position, control.position + control.length);
        }),
    };
    this.type = {
      name: "slowfs",
      fsFlags: 0,
      pages: storedPages,
      tables: [
        {
          inode: { lookup: (kernel, dir, dentry) => this.#lookup(kernel, dir, dentry), setattr: () => 0 },
          file: {
            ...storedFileOperations(mapping),
            write: (kernel, file, ...args) => storedWrite(kernel, mapping, file, ...args),
            fsync: genericFsync,
          },
          mapping,
        },
      ],
      superOps: { evictInode: (_kernel, inode) => void this.#names.delete(inode) },
      fillSuper: (sb) => {
        superSetupBdi(sb, {});
        return sb.makeRoot(0o755, 0, 0, 0);
      },
    };
  }

  async answerAll(): Promise<void> {
    await settled();
    while (this.pending.length > 0) {
      this.pending.shift()?.answer();
      await settled();
    }
  }

  #later({ inode }: { inode: InodeHandle }, what: string, work: (data: Buffer) => number): Promise<number> {
    const name = this.#names.get(inode) as string;
    return new Promise((resolve) =>
      this.pending.push({
        what: `${what} ${name}`,
        answer: () => resolve(work(this.contents.get(name) as Buffer)),
      }),
    );
  }

  #store({ position, length }: { position: number; length: number }, data: Buffer, bytes: Uint8Array): number {
    data.set(bytes.subarray(0, length), position);
    return length;
  }

  #lookup(kernel: Kernel, dir: InodeHandle, dentry: number): number {
    const name = nameOf(kernel, dentry as never);
    if (!this.contents.has(name)) return 0;
    const handle = kernel.core.x.inodeNew(kernel.sbOf(dir).handle, 0o100644, 0, 0, kernel.now()) as InodeHandle;
    if (handle < 0) return handle;
    new Inode(kernel, handle).size = SIZE;
    this.#names.set(handle, name);
    kernel.core.x.dInstantiate(new Dentry(kernel, dentry as never).handle, handle);
    return 0;
  }
}

function fill(control: ReadaheadControl | WriteControl, data: Buffer): number {
  return data.copy(control.views()[0], 0, control.position, control.position + PAGE);
}

interface Busy {
  fs: FolioFs;
  store: SlowStore;
  /** What the calls come to, each a number of bytes, or 0 for the sync. */
  calls: Promise<number>;
  buffer: Buffer;
}

function call(start: (done: (error: unknown, n?: number) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => start((error, n) => (error ? reject(error) : resolve(n ?? 0))));
}

/** A kernel with one call of each kind that waits: read, write, sync, direct write, direct read, a write for a lock. */
async function busy(): Promise<Busy> {
  const store = new SlowStore();
  const fs = createFsSync({ ...OPTIONS, types: [store.type] });
  fs.writeFileSync("/kept", "kept".repeat(5000));
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "slowfs", target: "/m" });
  const open = (name: string, flags: number | string = "r+"): number => fs.openSync(`/m/${name}`, flags);
  const blocks = (byte: number): Buffer => Buffer.from(new ArrayBuffer(PAGE)).fill(byte);
  const buffer = Buffer.alloc(2 * PAGE);
  const synced = open("synced");
  fs.writeSync(synced, blocks(0xaa), 0, PAGE, 0);
  fs.writeSync(open("locked"), blocks(0xbb), 0, PAGE, 0);
  const gone = open("gone");
  const calls = [
    call((done) => fs.read(open("read"), buffer, 0, 2 * PAGE, null, done)),
    call((done) => fs.write(open("write"), Buffer.from("written"), 0, 7, 10, done)),
    call((done) => fs.fsync(synced, done)),
    call((done) => fs.write(open("direct", O_RDWR | O_DIRECT), blocks(0xcc), 0, PAGE, 0, done)),
    call((done) => fs.read(open("directRead", O_RDWR | O_DIRECT), blocks(0), 0, PAGE, 0, done)),
    call((done) => fs.write(open("write"), Buffer.from("after"), 0, 5, 0, done)),
    call((done) => fs.read(gone, Buffer.alloc(PAGE), 0, PAGE, null, done)),
  ];
  fs.closeSync(gone);
  fs.closeSync(synced);
  await settled();
  fs.kernel.verify();
  const asked = store.pending.map(({ what }) => what);
  assert.deepEqual(asked, [
    "read read",
    "read write",
    "write back synced",
    "direct direct",
    "direct directRead",
    "read gone",
  ]);
  return { fs, store, calls: Promise.all(calls).then((bytes) => bytes.reduce((a, b) => a + b)), buffer };
}

/** Ends what waits, and looks at all that has come of it. */
async function finish({ fs, store, calls, buffer }: Busy): Promise<void> {
  await store.answerAll();
  assert.equal(await calls, 2 * PAGE + 7 + PAGE + PAGE + 5 + PAGE);
  assert.deepEqual(buffer, Buffer.alloc(2 * PAGE, 1));
  fs.writeFileSync("/kept", "gone on");
  const sync = call((done) => fs.fsync(fs.openSync("/m/write", "r+"), done));
  await store.answerAll();
  await sync;
  assert.equal(store.contents.get("write")?.subarray(0, 17).toString("latin1"), `after${"\x02".repeat(5)}written`);
  assert.equal(store.contents.get("synced")?.[0], 0xaa);
  assert.equal(store.contents.get("direct")?.[0], 0xcc);
  fs.kernel.verify();
}

/** A copy has nothing of the calls, and can be worked with. */
function check(copy: FolioFs): void {
  const { vfs } = copy.kernel;
  copy.kernel.verify();
  const { core } = vfs;
  assert.equal(core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_OPERATIONS], 0);
  const kinds = PG_SLAB | PG_PCP | PG_RESERVED | PG_TABLE | PG_BUFFER;
  let nrPages = 0;
  for (let pfn = 0; pfn < endPfn(core); pfn++) {
    const flags = core.u32[fieldOf(pfn, PAGE_FLAGS)];
    if (flags & PG_BUDDY) pfn += (1 << core.u32[fieldOf(pfn, PAGE_PRIVATE_LOW)]) - 1;
    if (flags & (kinds | PG_BUDDY)) continue;
    assert.equal(flags & (PG_LOCKED | PG_WRITEBACK), 0, `frame ${pfn} is locked`);
    assert.equal(core.u32[fieldOf(pfn, PAGE_REFCOUNT)], 1, `frame ${pfn} is pinned`);
    nrPages++;
  }
  assert.equal(nrPages, Math.ceil(20000 / PAGE)); // of the one file in memory
  for (const { handle } of vfs.superBlocks()) {
    for (let at = core.u32[(handle << 3) + SUPER_BLOCK_INODES] >>> 2; at; at = core.u32[at + INODE_SB_NEXT] >>> 2) {
      assert.equal(core.u32[at + INODE_RWSEM], 0);
    }
  }
  assert.equal(copy.readFileSync("/kept", "utf8"), "kept".repeat(5000));
  assert.deepEqual(copy.readdirSync("/m"), []);
  copy.writeFileSync("/m/new", "new");
  copy.appendFileSync("/kept", "x".repeat(3 * PAGE));
  copy.truncateSync("/kept", 0);
  copy.kernel.verify();
}

describe("in the midst of calls that wait for a store", () => {
  it("a fork has nothing of them, and they go on", async () => {
    const all = await busy();
    check(all.fs.kernel.fork().fs);
    await finish(all);
  });

  it("a snapshot has nothing of them, and they go on", async () => {
    const all = await busy();
    const bytes = all.fs.kernel.snapshot();
    check(restoreFsSync(bytes, OPTIONS));
    await finish(all);
  });

  it("a snapshot is the same bytes as after them", async () => {
    const all = await busy();
    const bytes = all.fs.kernel.snapshot();
    await all.store.answerAll();
    await all.calls;
    assert.equal(all.fs.kernel.snapshot().length, bytes.length);
  });

  it("a restore ends them: what stores answer then changes nothing", async () => {
    const all = await busy();
    const bytes = all.fs.kernel.snapshot();
    const outcome = assert.rejects(all.calls, { code: /^(ESTALE|EBADF|EIO)$/ });
    all.fs.kernel.restore(bytes);
    check(all.fs);
    const before = all.fs.kernel.snapshot();
    await all.store.answerAll();
    await outcome;
    assert.deepEqual(all.fs.kernel.snapshot(), before);
    all.fs.kernel.verify();
  });

  it("destroy() says what is lost", async () => {
    const all = await busy();
    const outcome = assert.rejects(all.calls);
    assert.deepEqual(all.fs.kernel.destroy(), {
      dirtyInodes: 0,
      dirtyPages: 2, // one of them under writeback
      pendingEnds: 0,
      pendingChanges: 3, // two writes, and a read round the cache
    });
    await all.store.answerAll();
    await outcome;
  });
});
