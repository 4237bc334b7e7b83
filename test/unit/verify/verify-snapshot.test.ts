/** foliofs/verify: snapshots of kernels pass, as they are; those that no kernel has made are refused, with what is wrong and where. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { ramfs } from "../../../src/fs/ramfs.ts";
import { createFsSync, type FileSystemType, type FolioFs, restoreFs, restoreFsSync } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { bucketOf } from "../../../src/verify/buckets.ts";
import { hashOfName } from "../../../src/verify/hash64.ts";
import { SnapshotError, verifySnapshot } from "../../../src/verify.ts";
import {
  AS_SHARED,
  BOOT_SLOT,
  CACHE_DENTRY,
  CACHE_SUPER_BLOCK,
  DENTRY_CHILDREN,
  DENTRY_COUNT,
  DENTRY_HASH,
  DENTRY_INODE,
  DENTRY_NAME,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  DNAME_INLINE_LEN,
  I_LRU,
  I_NEW,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_DIRTIED_CS,
  INODE_MODE,
  INODE_NLINK,
  INODE_PRIVATE1,
  INODE_SIZE,
  INODE_STATE,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KERNEL_FS_TYPES,
  KERNEL_HASH_DIR,
  KERNEL_HASH_MASK,
  KERNEL_HASH_SEED,
  KERNEL_NEXT_COOKIE,
  KERNEL_NR_BUCKETS,
  KERNEL_NR_FREE,
  KERNEL_SLOTS,
  KERNEL_SUPER_BLOCKS,
  KERNEL_UNUSED_INODE_HEAD,
  KMEM_CACHE_BYTES,
  PAGE_PRIVATE_HIGH,
  PG_BUDDY,
  PG_SLAB,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  SUPER_BLOCK_PRIVATE0,
  SUPER_BLOCK_ROOT,
  SUPER_BLOCK_TYPE_ID,
  SUPER_BLOCK_USED_BLOCKS,
  SUPER_BLOCK_XATTR_SPACE,
  XA_NODE_COUNT,
  XA_RESERVED,
  XA_SHADOW,
} from "../../../src/wasm/layout.ts";
import { codeOf } from "../../helpers/code-of.ts";
import { SnapshotParts, seal } from "../../helpers/snapshot-mutator.ts";
import { makeScenes, SCENE_LIMIT, SCENE_TYPES } from "../../helpers/snapshot-scenes.ts";
import { actions, build, LIMIT } from "../../helpers/tree-actions.ts";

const OPTIONS = { memoryLimit: SCENE_LIMIT, types: SCENE_TYPES };
const MIB = 2 ** 20;

function small(): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * MIB, types: [overlay] });
  fs.mkdirSync("/a/b/c", { recursive: true });
  fs.mkdirSync("/d");
  for (let i = 0; i < 5; i++) fs.writeFileSync(`/a/f${i}`, "x".repeat(i * 3000));
  fs.symlinkSync("a/f1", "/link");
  fs.writeFileSync(`/${"long".repeat(20)}`, "y");
  return fs;
}

/** Memory of a snapshot, to be changed. */
class Forger extends SnapshotParts {
  /** Records in use of a cache, ascending. */
  records(cache: number): number[] {
    const found: number[] = [];
    const size = this.word(KERNEL_BLOCK + KERNEL_CACHES + cache * KMEM_CACHE_BYTES + 16);
    for (let pfn = 14; pfn < 1024; pfn++) {
      if (this.word(pfn * 32) !== PG_SLAB) continue;
      if (this.word(pfn * 32 + 4) !== KERNEL_BLOCK + KERNEL_CACHES + cache * KMEM_CACHE_BYTES) continue;
      for (let i = 0; i < this.word(pfn * 32 + 28); i++) found.push(pfn * 4096 + i * size);
    }
    return found;
  }

  /** Adds to a word. */
  add(address: number, more: number): void {
    this.setWord(address, this.word(address) + more);
  }

  kernel(field: number): number {
    return KERNEL_BLOCK + field * 4;
  }

  /** Frame of a page of a file. */
  page(): number {
    for (let pfn = 14; pfn < 1024; pfn++) if (this.word(pfn * 32) & PG_UPTODATE) return pfn;
    throw new Error("there is no page");
  }

  get sb(): number {
    return this.word(this.kernel(KERNEL_SUPER_BLOCKS));
  }

  get root(): number {
    return this.word(this.sb + SUPER_BLOCK_ROOT * 4);
  }

  /** A name in the root, by its place: the newest is the first. */
  child(i: number): number {
    let child = this.word(this.root + DENTRY_CHILDREN * 4);
    for (let n = 0; n < i; n++) child = this.word(child + DENTRY_SIBLING_NEXT * 4);
    return child;
  }

  inodeOf(dentry: number): number {
    return this.word(dentry + DENTRY_INODE * 4);
  }
}

/** Of small(): what names are at which places. */
const LONG = 0;
const LINK = 1;
const D = 2;
const A = 3;

function forge(bytes: Uint8Array, change: (forger: Forger) => void): Uint8Array {
  const forger = new Forger(bytes);
  change(forger);
  return seal(forger.join());
}

function refusal(bytes: Uint8Array | readonly Uint8Array[], options = OPTIONS): string {
  try {
    verifySnapshot(bytes, options);
  } catch (error) {
    if (error instanceof SnapshotError && error.code === "ERR_INVALID_SNAPSHOT") return error.message;
    throw error;
  }
  return "accepted";
}

describe("verifySnapshot()", () => {
  it("gives what kernels have made, as a copy", () => {
    for (const { name, chain } of makeScenes(1)) {
      const whole = chain.length === 1 ? chain[0] : restoreFsSync(chain, OPTIONS).kernel.snapshot();
      const verified = verifySnapshot(chain.length === 1 ? chain[0] : chain, OPTIONS);
      assert.deepEqual(Buffer.compare(verified, whole), 0, name);
      assert.notEqual(verified.buffer, chain[0].buffer);
      assert.deepEqual(verifySnapshot([...chain], OPTIONS), verified);
    }
  });

  it("gives random trees, with all that tasks hold, and what is done to them", () => {
    fc.assert(
      fc.property(actions, (steps) => {
        const fs = build(steps);
        const bytes = fs.kernel.snapshot();
        assert.equal(Buffer.compare(verifySnapshot(bytes, { memoryLimit: LIMIT }), bytes), 0);
        const again = restoreFsSync(bytes, { memoryLimit: LIMIT, verify: verifySnapshot });
        again.writeFileSync("/more", "more");
        verifySnapshot(again.kernel.snapshot());
        for (const kernel of [fs.kernel, again.kernel]) kernel.destroy();
      }),
      { numRuns: 40 },
    );
  });

  it("is what restoring asks, in all its forms", async () => {
    const base = small().kernel.snapshot();
    const fs = restoreFsSync(base, { memoryLimit: 16 * MIB, verify: verifySnapshot });
    fs.writeFileSync("/new", "new");
    const delta = fs.kernel.snapshot({ since: base });
    const again = await restoreFs([base, delta], { memoryLimit: 16 * MIB, verify: verifySnapshot });
    assert.equal(again.readFileSync("/new", "utf8"), "new");
    again.kernel.restore(base, { verify: verifySnapshot });
    assert.equal(again.existsSync("/new"), false);
    const forged = forge(base, (f) => f.add(f.child(A) + DENTRY_COUNT * 4, 1));
    for (const bytes of [forged, [forged]]) {
      assert.equal(
        codeOf(() => restoreFsSync(bytes, { verify: verifySnapshot })),
        "ERR_INVALID_SNAPSHOT",
      );
      assert.equal(
        codeOf(() => again.kernel.restore(bytes, { verify: verifySnapshot })),
        "ERR_INVALID_SNAPSHOT",
      );
      await assert.rejects(restoreFs(bytes, { verify: verifySnapshot }), { code: "ERR_INVALID_SNAPSHOT" });
    }
    assert.equal(
      codeOf(() => restoreFsSync(base, { verify: true as never })),
      "ERR_INVALID_ARG_TYPE",
    );
    assert.equal(
      codeOf(() => verifySnapshot("bytes" as never)),
      "ERR_INVALID_ARG_TYPE",
    );
  });

  it("has restoring go on with its copy", () => {
    const bytes = small().kernel.snapshot();
    const options = {
      memoryLimit: 16 * MIB,
      verify: (given: Uint8Array | readonly Uint8Array[], asked: object) => {
        const verified = verifySnapshot(given, asked);
        bytes.fill(0);
        return verified;
      },
    };
    assert.deepEqual(restoreFsSync(bytes, options).readdirSync("/a/b"), ["c"]);
  });

  it("reads what goes on in the next frame: targets as long as there are, attributes, options of overlays", () => {
    const fs = small();
    for (let i = 0; i < 20; i++) {
      const longest = `${"t".repeat(250)}/`.repeat(16) + "e".repeat(4095 - 16 * 251);
      fs.symlinkSync(longest, `/long${i}`);
      fs.kernel.linux.lsetxattrSync(`/a/f${i % 5}`, `user.${String(i).repeat(100)}`, Buffer.alloc(3800, i));
    }
    const bytes = fs.kernel.snapshot();
    assert.equal(Buffer.compare(verifySnapshot(bytes, OPTIONS), bytes), 0);
  });

  it("wants to know file systems of one's own", () => {
    const type: FileSystemType = { ...ramfs, name: "mine" };
    const fs = createFsSync({ memoryLimit: 16 * MIB, types: [type] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "mine", target: "/m" });
    fs.writeFileSync("/m/f", "mine");
    const bytes = fs.kernel.snapshot();
    assert.match(refusal(bytes), /nothing is known of the type mine/);
    const again = restoreFsSync(bytes, { types: [type], verify: verifySnapshot });
    assert.equal(again.readFileSync("/m/f", "utf8"), "mine");
  });

  it("keeps to the limit", () => {
    const fs = small();
    fs.writeFileSync("/large", Buffer.alloc(10 * MIB, 1));
    const bytes = fs.kernel.snapshot();
    assert.match(refusal(bytes, { memoryLimit: 8 * MIB, types: [] }), /more than the limit/);
    assert.equal(
      codeOf(() => verifySnapshot(bytes, { memoryLimit: -1 })),
      "ERR_OUT_OF_RANGE",
    );
    const huge = bytes.slice();
    new DataView(huge.buffer).setUint32(24, 2 ** 20 - 16, true);
    assert.match(refusal(seal(huge)), /more than the limit/);
    assert.match(refusal(seal(huge), {} as never), /more than the limit|has no descriptors/);
  });
});

/** What is done, and what is said of it. Those with a star pass the debug core's verify(), too. */
const FORGERIES: readonly (readonly [string, (f: Forger) => void, RegExp])[] = [
  ["a count of references", (f) => f.add(f.child(A) + DENTRY_COUNT * 4, 1), /a dentry is held by others/],
  ["a directory in itself", (f) => f.setWord(f.child(D) + DENTRY_PARENT * 4, f.child(D)), /a root has a name/],
  ["a ring of directories", ring, /directories lie in each other|list of another directory/],
  ["a list of names that is a ring", (f) => f.setWord(f.child(A) + DENTRY_SIBLING_NEXT * 4, f.child(LONG)), /twice/],
  [
    "a name that leads to no record",
    (f) => f.add(f.child(LONG) + DENTRY_INODE * 4, 4),
    /the inode of a dentry is none/,
  ],
  [
    "a name that leads to a dentry",
    (f) => f.setWord(f.child(LONG) + DENTRY_INODE * 4, f.child(A)),
    /the inode of a dentry is none/,
  ],
  [
    "a name that leads beyond memory",
    (f) => f.setWord(f.child(LONG) + DENTRY_INODE * 4, 0xfffff000),
    /the inode of a dentry is none/,
  ],
  ["a hash", (f) => f.add(f.child(D) + DENTRY_HASH * 4, 2048), /hash of another/],
  ["links", (f) => f.add(f.inodeOf(f.child(LONG)) + INODE_NLINK * 4, 1), /nlink is not/],
  [
    "links of a directory *",
    (f) => f.add(f.inodeOf(f.child(D)) + INODE_NLINK * 4, 1),
    /nlink is not the number of a directory's links/,
  ],
  ["a type", (f) => f.add(f.inodeOf(f.child(LONG)) + INODE_MODE * 4, 0o040000), /of no type|of another kind/],
  [
    "a kind *",
    (f) => f.setWord(f.inodeOf(f.child(D)) + INODE_MODE * 4, 0o100755),
    /another kind|something else than a directory/,
  ],
  ["a state", (f) => f.setWord(f.inodeOf(f.child(D)) + INODE_STATE * 4, I_NEW), /state that no snapshot has/],
  [
    "a size that is no number *",
    (f) => f.setNumber(f.inodeOf(f.child(D)) + INODE_SIZE * 8, Number.NaN),
    /a size that there is none of/,
  ],
  [
    "a time that is no number *",
    (f) => f.setNumber(f.inodeOf(f.child(D)) + INODE_ATIME_SEC * 8, Number.NaN),
    /a time is no number/,
  ],
  ["nanoseconds *", (f) => f.setWord(f.inodeOf(f.child(D)) + INODE_ATIME_NSEC * 4, 2e9), /a time is no number/],
  ["the length of a link *", (f) => f.setWord(f.inodeOf(f.child(LINK)) + INODE_PRIVATE1 * 4, 4000), /target of a link/],
  ["pages that are shared *", (f) => f.setWord(f.inodeOf(f.child(D)) + INODE_XA_FLAGS * 4, AS_SHARED), /another class/],
  [
    "an inode that is unused, and not to be found",
    (f) => f.setWord(f.inodeOf(f.child(D)) + INODE_STATE * 4, I_LRU),
    /unused, but cannot be found/,
  ],
  [
    "the list of unused inodes",
    (f) => f.setWord(f.kernel(KERNEL_UNUSED_INODE_HEAD), f.inodeOf(f.child(D))),
    /on the list of unused ones, but does not know/,
  ],
  [
    "a page on a list of another kind of pages",
    (f) => f.setWord(f.page() * 32, f.word(f.page() * 32) & ~PG_UNEVICTABLE),
    /pages/,
  ],
  ["blocks", (f) => f.add(f.sb + SUPER_BLOCK_USED_BLOCKS * 4, 1), /usedBlocks is not/],
  ["extended attributes where nobody counts *", withoutInodeLimit, /more extended attributes than there can be/],
  [
    "a type of file system *",
    (f) => f.setWord(f.sb + SUPER_BLOCK_TYPE_ID * 4, 7),
    /of a type that the snapshot does not tell of/,
  ],
  ["a name of a type without an end *", (f) => fill(f, KERNEL_BLOCK + KERNEL_FS_TYPES, 32, 0x61616161), /does not end/],
  ["an owner slot *", (f) => f.setWord(KERNEL_BLOCK + KERNEL_SLOTS + 4, BOOT_SLOT), /owner slot/],
  [
    "a position in directories *",
    (f) => f.setNumber(KERNEL_BLOCK + KERNEL_NEXT_COOKIE * 8, Number.POSITIVE_INFINITY),
    /position in a directory/,
  ],
  ["free frames", (f) => f.add(f.kernel(KERNEL_NR_FREE), 1), /nrFree is not/],
  ["what a page has of its own *", (f) => f.setWord(f.page() * 32 + PAGE_PRIVATE_HIGH * 4, 14), /something of its own/],
  ["a frame beyond memory *", (f) => f.setWord(1023 * 32, PG_BUDDY), /beyond memory is in use/],
  [
    "a bucket behind the last *",
    beyondBuckets,
    /behind the last bucket|nrBuckets|another mask|names are hashed|is missing/,
  ],
  [
    "a string of somebody else",
    (f) => f.setWord(f.child(LONG) + 20, f.word(f.inodeOf(f.child(LINK)) + 120)),
    /somebody else's|longer than its place/,
  ],
];

/** "/a" lies in "/a/b/c". */
function ring(f: Forger): void {
  const b = f.records(CACHE_DENTRY).find((dentry) => f.word(dentry + DENTRY_PARENT * 4) === f.child(A)) as number;
  f.setWord(f.child(A) + DENTRY_PARENT * 4, b);
}

function withoutInodeLimit(f: Forger): void {
  const [sb] = f.records(CACHE_SUPER_BLOCK);
  f.setWord(sb + 140, 0); // maxInodes
  f.setNumber(sb + SUPER_BLOCK_XATTR_SPACE * 8, Number.NaN);
}

function fill(f: Forger, address: number, bytes: number, word: number): void {
  for (let i = 0; i < bytes; i += 4) f.setWord(address + i, word);
}

/** The table has a bucket less, whose chain stays where it was. */
function beyondBuckets(f: Forger): void {
  const directory = f.word(KERNEL_BLOCK + KERNEL_HASH_DIR);
  const segment = f.word(directory + 4);
  f.setWord(f.kernel(KERNEL_NR_BUCKETS), 2048 + 1);
  f.setWord(directory + 8, segment);
}

/** Names that are on one chain of the hash in "/d" of small(). */
function namesOfOneChain({ kernel }: FolioFs, nr: number): string[] {
  const { core } = kernel.vfs;
  const directory = new Forger(kernel.snapshot()).child(D);
  const word = (field: number): number => core.u32[(KERNEL_BLOCK >>> 2) + field];
  const size = { nrBuckets: word(KERNEL_NR_BUCKETS), mask: word(KERNEL_HASH_MASK), what: "names" };
  const bucket = (name: string): number =>
    bucketOf(size, hashOfName(word(KERNEL_HASH_SEED), directory, Buffer.from(name), 0, name.length));
  const names = ["n1000000"];
  for (let i = 1_000_001; names.length < nr; i++) if (bucket(`n${i}`) === bucket(names[0])) names.push(`n${i}`);
  return names;
}

describe("forged snapshots", () => {
  const clean = small().kernel.snapshot();

  it("pass when nothing has been forged", () => {
    assert.equal(
      Buffer.compare(
        forge(clean, () => {}),
        clean,
      ),
      0,
    );
    assert.equal(refusal(clean), "accepted");
  });

  for (const [what, change, message] of FORGERIES) {
    it(`are refused: ${what}`, () => {
      assert.match(refusal(forge(clean, change)), message);
    });
  }

  it("are refused: two names of a directory that are one", () => {
    const fs = small();
    const names = namesOfOneChain(fs, 2);
    for (const name of names) fs.writeFileSync(`/d/${name}`, name);
    const bytes = fs.kernel.snapshot();
    assert.equal(refusal(bytes), "accepted");
    const forged = forge(bytes, (f) => {
      const [first, second] = f.records(CACHE_DENTRY).filter((at) => f.word(at + DENTRY_PARENT * 4) === f.child(D));
      f.setWord(second + DENTRY_HASH * 4, f.word(first + DENTRY_HASH * 4));
      for (let at = DENTRY_NAME; at < DENTRY_NAME + DNAME_INLINE_LEN; at += 4)
        f.setWord(second + at, f.word(first + at));
    });
    assert.match(refusal(forged), /a name is there twice/);
  });

  it("are refused: more names of one hash than there can be", () => {
    const fs = small();
    const names = namesOfOneChain(fs, 90);
    for (const name of names.slice(0, 20)) fs.writeFileSync(`/d/${name}`, "");
    assert.equal(refusal(fs.kernel.snapshot()), "accepted"); // and each is compared with each
    for (const name of names.slice(20)) fs.writeFileSync(`/d/${name}`, "");
    assert.match(refusal(fs.kernel.snapshot()), /more names are of one hash than chance would have it/);
  });

  it("are refused: layers of an overlay", () => {
    const fs = small();
    fs.mkdirSync("/m");
    fs.kernel.layer({ lower: "/a", target: "/m" });
    fs.appendFileSync("/m/f1", "x");
    const bytes = fs.kernel.snapshot();
    assert.equal(refusal(bytes), "accepted");
    const overlays = (f: Forger): number[] =>
      f.records(CACHE_SUPER_BLOCK).filter((sb) => f.word(sb + SUPER_BLOCK_PRIVATE0 * 4) > 4096);
    const forged = (change: (f: Forger, sb: number) => void): string =>
      refusal(forge(bytes, (f) => change(f, overlays(f).at(-1) as number)));
    assert.match(
      forged((f, sb) => f.setWord(f.word(sb + SUPER_BLOCK_PRIVATE0 * 4) + 8, 0)),
      /upper layer/,
    );
    assert.match(
      forged((f, sb) => f.add(f.word(sb + SUPER_BLOCK_PRIVATE0 * 4), 1)),
      /layer|options/,
    );
    assert.match(
      forged((f, sb) => f.add(f.word(sb + SUPER_BLOCK_PRIVATE0 * 4) + 16, 4)),
      /a layer is none/,
    );
  });

  it("are refused: a leaf of shadows that nobody counts", () => {
    const fs = small();
    const fd = fs.openSync("/promised", "w");
    fs.fallocateSync(fd, 1, 0, 3 * 4096);
    fs.closeSync(fd);
    const bytes = fs.kernel.snapshot();
    assert.equal(refusal(bytes), "accepted");
    const forged = forge(bytes, (f) => {
      const inode = f.inodeOf(f.child(0));
      const leaf = f.word(inode + INODE_XA_HEAD * 4) - 2;
      const entries = [0, 1, 2].map((i) => leaf + i * 4);
      assert.deepEqual(
        entries.map((at) => f.word(at)),
        [XA_RESERVED, XA_RESERVED, XA_RESERVED],
      );
      for (const at of entries) f.setWord(at, XA_SHADOW);
      f.setWord(leaf + XA_NODE_COUNT - 2, (f.word(leaf + XA_NODE_COUNT - 2) & 0xffff) | (3 << 16) | (3 << 24));
      f.setWord(inode + INODE_DIRTIED_CS * 4, 0);
      f.add(f.sb + SUPER_BLOCK_USED_BLOCKS * 4, -3);
    });
    assert.match(refusal(forged), /nrShadowNodes is not the number of leaves of shadows/);
  });

  it("are refused: what they say of themselves", () => {
    const saying = (text: string): Uint8Array => {
      const metaEnd = 64 + new DataView(clean.buffer, clean.byteOffset).getUint32(32, true);
      const bytes = new Uint8Array(Buffer.concat([clean.subarray(0, 64), Buffer.from(text), clean.subarray(metaEnd)]));
      const view = new DataView(bytes.buffer);
      view.setUint32(32, Buffer.byteLength(text), true);
      view.setFloat64(16, bytes.length, true);
      return seal(bytes);
    };
    const meta = (options: object): string => JSON.stringify({ options, types: ["tmpfs"], leftOut: [] });
    assert.equal(refusal(saying(meta({}))), "accepted");
    const leftOut = (mount: object): string =>
      refusal(saying(JSON.stringify({ options: {}, types: ["tmpfs"], leftOut: [mount] })));
    assert.equal(leftOut({ type: "hostfs", target: "/m" }), "accepted");
    assert.match(leftOut({ type: "hostfs", target: 5 }), /a mount that is not in it is none/);
    assert.match(leftOut({ type: "hostfs", target: "/m", source: "/" }), /says more of itself/);
    assert.match(refusal(saying(meta({ stdio: true }))), /says more of itself/);
    assert.match(refusal(saying(meta({ uid: -1 }))), /options that cannot be/);
    assert.match(refusal(saying(meta({ groups: { length: 3 } }))), /options that cannot be/);
    assert.match(
      refusal(saying('{"__proto__":{},"options":{},"types":["tmpfs"],"leftOut":[]}')),
      /says more of itself/,
    );
    assert.match(refusal(saying("[".repeat(100_000))), /no JSON/);
    assert.match(refusal(saying("null")), /another form/);
  });

  it("are refused: deltas that give what is not there", () => {
    const fs = restoreFsSync(clean, OPTIONS);
    fs.writeFileSync("/new", "new");
    const delta = fs.kernel.snapshot({ since: clean });
    const forged = (at: number, value: number): string => {
      const bytes = delta.slice();
      new DataView(bytes.buffer).setUint32(at, value, true);
      return refusal([clean, seal(bytes)]);
    };
    const head = new DataView(delta.buffer, delta.byteOffset).getUint32(40, true);
    assert.equal(refusal([clean, delta]), "accepted");
    assert.match(forged(40, 0xfffffff0), /head of a delta/);
    assert.match(forged(44, 0xfffffff0), /head of a delta/);
    assert.match(forged(64 + 20, 0x7fffffff), /makes a snapshot of no size/);
    assert.match(forged(64 + 20, 0x41d00000), /makes a snapshot of no size|gives less/);
    assert.match(forged(64 + head + 4, 0xffffffff), /does not have|brings less/);
    assert.match(forged(64 + head, 9), /run of no kind/);
    assert.match(forged(28, 0), /since another snapshot/);
  });
});
