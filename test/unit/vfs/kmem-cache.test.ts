/** Caches of file systems with a store: what comes out, what is refused, who owns them, what copies of memory make of them. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { beforeEach, describe, it } from "vitest";
import {
  createFsSync,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  type FolioFs,
  type Kernel,
  restoreFsSync,
  type SuperBlock,
} from "../../../src/index.ts";
import {
  type Constructor,
  KmemCache,
  kmemCacheAlloc,
  kmemCacheCreate,
  kmemCacheDestroy,
  kmemCacheFree,
  kmemCacheShrink,
} from "../../../src/store.ts";
import { KERNEL_NR_FREE } from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, KERNEL } from "../../helpers/core.ts";
import { MockStore } from "../../helpers/mock-store.ts";

let fs: FolioFs;
let kernel: Kernel;

beforeEach(() => {
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [new MockStore().type] });
  kernel = fs.kernel.vfs;
});

const word = (on: Kernel, object: number, i: number): number => on.core.u32[(object << 3) + i];

/** Frames of the caches that are in use: what frees them gives as many back. */
function framesGivenBy(work: () => void): number {
  const before = kernel.core.u32[KERNEL + KERNEL_NR_FREE];
  work();
  return kernel.core.u32[KERNEL + KERNEL_NR_FREE] - before;
}

function create(on: Kernel, ...args: [string, number, number?, Constructor?, SuperBlock?]): KmemCache {
  const cache = kmemCacheCreate(on, ...args);
  assert.ok(cache instanceof KmemCache, String(cache));
  return cache;
}

describe("kmemCacheCreate", () => {
  it.each<[string, unknown, unknown]>([
    ["", 64, 0],
    ["x".repeat(32), 64, 0],
    ["é", 64, 0],
    ["x", 0, 0],
    ["x", 4097, 0],
    ["x", -1, 0],
    ["x", 1.5, 0],
    ["x", Number.NaN, 0],
    ["x", 2 ** 32 + 64, 0],
    ["x", 64, 3],
    ["x", 64, 8192],
    ["x", 64, -1],
    ["x", 64, 0.5],
  ])("refuses %j of %s bytes, aligned to %s", (name, size, align) => {
    assert.equal(kmemCacheCreate(kernel, name, size as number, align as number), -EINVAL);
  });

  it("refuses a constructor for which there is no room, and owners in memory", () => {
    const nothing = (): void => {};
    assert.equal(kmemCacheCreate(kernel, "x", 4093, 0, nothing), -EINVAL);
    create(kernel, "x", 4092, 0, nothing);
    const [root] = kernel.superBlocks();
    assert.equal(kmemCacheCreate(kernel, "x", 64, 0, undefined, root), -EOPNOTSUPP);
  });

  it("shares a cache of the same kind, and no other", () => {
    const cache = create(kernel, "shared", 64);
    assert.equal(kmemCacheCreate(kernel, "shared", 64), cache);
    assert.equal(kmemCacheCreate(kernel, "shared", 65), -EEXIST);
    assert.equal(kmemCacheCreate(kernel, "shared", 64, 128), -EEXIST);
    assert.equal(
      kmemCacheCreate(kernel, "shared", 64, 0, () => {}),
      -EEXIST,
    );
    assert.notEqual(kmemCacheCreate(kernel, "other", 64), cache);
    const object = kmemCacheAlloc(kernel, cache);
    assert.equal(kmemCacheDestroy(kernel, cache), 0);
    assert.equal(kmemCacheDestroy(kernel, cache), -EBUSY);
    assert.equal(kmemCacheFree(kernel, cache, object), 0);
    assert.equal(kmemCacheDestroy(kernel, cache), 0);
    assert.equal(kmemCacheAlloc(kernel, cache), -EINVAL);
    create(kernel, "shared", 65);
    kernel.verify();
  });
});

describe("objects", () => {
  it.each([
    [1, 0, 32],
    [32, 64, 64],
    [100, 128, 128],
    [1000, 1024, 1024],
    [4096, 4096, 4096],
  ])("of %i bytes, aligned to %i, come out all zeros, each in a place of its own", (size, align, step) => {
    fs.writeFileSync("/gone", Buffer.alloc(2 ** 20, 0xdd)); // frames have held other data before
    fs.rmSync("/gone");
    const cache = create(kernel, "x", size, align);
    const objects = Array.from({ length: 300 }, () => kmemCacheAlloc(kernel, cache));
    assert.equal(new Set(objects).size, 300);
    for (const object of objects) {
      assert.equal((object * 32) % step, 0);
      const bytes = kernel.core.u8.subarray(object * 32, object * 32 + size);
      assert.ok(bytes.every((byte) => byte === 0));
      bytes.fill(0xff);
    }
    kernel.verify();
    for (const object of objects) assert.equal(kmemCacheFree(kernel, cache, object), 0);
    kernel.verify();
    assert.equal(word(kernel, kmemCacheAlloc(kernel, cache), 0), 0);
  });

  it("are refused twice, elsewhere, and as parts", () => {
    const cache = create(kernel, "x", 64);
    const other = create(kernel, "y", 64);
    const [a, b] = [kmemCacheAlloc(kernel, cache), kmemCacheAlloc(kernel, cache)];
    for (const wrong of [0, 1, 2 ** 27 - 1, a + 1, b + 2]) assert.equal(kmemCacheFree(kernel, cache, wrong), -EINVAL);
    assert.equal(kmemCacheFree(kernel, other, a), -EINVAL);
    assert.equal(kmemCacheFree(kernel, cache, a), 0);
    assert.equal(kmemCacheFree(kernel, cache, a), -EINVAL);
    kernel.verify();
  });

  it("come out as they were freed where there is a constructor, which runs once for each", () => {
    let constructed = 0;
    const cache = create(kernel, "x", 100, 0, ({ core }, object) => {
      constructed++;
      core.u32.fill(7, object << 3, (object << 3) + 25);
    });
    const objects = Array.from({ length: 32 }, () => kmemCacheAlloc(kernel, cache));
    assert.equal(constructed, 32);
    for (const object of objects) for (let i = 0; i < 25; i++) assert.equal(word(kernel, object, i), 7);
    kernel.core.u32[objects[3] << 3] = 8; // a state to keep
    for (const object of objects.slice(0, 4)) kmemCacheFree(kernel, cache, object);
    const again = Array.from({ length: 4 }, () => kmemCacheAlloc(kernel, cache));
    assert.deepEqual(again, objects.slice(0, 4).reverse());
    assert.deepEqual(
      again.map((object) => word(kernel, object, 0)),
      [8, 7, 7, 7],
    );
    assert.equal(constructed, 32);
    kernel.verify();
  });

  it("keep what is in them, whatever is taken and freed", () => {
    const operation = fc.record({ kind: fc.constantFrom("alloc", "alloc", "free", "shrink"), which: anyNumber });
    checkModel(operation, 400, (ops) => {
      const { vfs } = createFsSync({ memoryLimit: 8 * 2 ** 20 }).kernel;
      const ones: Constructor = ({ core }, object) => core.u32.fill(1, object << 3, (object << 3) + 13);
      const caches = [create(vfs, "plain", 200), create(vfs, "constructed", 52, 64, ones)];
      const live: { object: number; kind: number; stamp: number }[] = [];
      let stamps = 1;
      for (const { kind, which } of ops) {
        const i = which % 2;
        if (kind === "shrink") kmemCacheShrink(vfs, caches[i]);
        else if (kind === "alloc") {
          const object = kmemCacheAlloc(vfs, caches[i]);
          assert.equal(word(vfs, object, 1), i);
          vfs.core.u32[(object << 3) + 1] = ++stamps;
          live.push({ object, kind: i, stamp: stamps });
        } else if (live.length > 0) {
          const [{ object, kind: of, stamp }] = live.splice(which % live.length, 1);
          assert.equal(word(vfs, object, 1), stamp);
          vfs.core.u32[(object << 3) + 1] = of;
          assert.equal(kmemCacheFree(vfs, caches[of], object), 0);
        }
      }
      vfs.verify();
      vfs.destroy();
    });
  });
});

describe("memory", () => {
  it("of a cache that has become empty is given back, but for one frame until it is shrunk", () => {
    const cache = create(kernel, "x", 1024);
    let objects: number[] = [];
    const taken = framesGivenBy(() => {
      objects = Array.from({ length: 100 }, () => kmemCacheAlloc(kernel, cache));
    });
    assert.equal(taken, -25);
    const given = framesGivenBy(() => {
      for (const object of objects) kmemCacheFree(kernel, cache, object);
    });
    assert.equal(given, 24);
    assert.equal(
      framesGivenBy(() => kmemCacheShrink(kernel, cache)),
      1,
    );
    kernel.verify();
  });

  it("runs out as -ENOMEM, with nothing lost", () => {
    const cache = create(kernel, "x", 4096);
    const objects: number[] = [];
    for (let object = kmemCacheAlloc(kernel, cache); object > 0; object = kmemCacheAlloc(kernel, cache))
      objects.push(object);
    assert.ok(objects.length > 2000);
    assert.equal(kmemCacheAlloc(kernel, cache), -ENOMEM);
    kernel.verify();
    for (const object of objects) assert.equal(kmemCacheFree(kernel, cache, object), 0);
    fs.writeFileSync("/x", Buffer.alloc(2 ** 20));
    kernel.verify();
  });
});

describe("a cache with an owner", () => {
  let owner: SuperBlock;

  beforeEach(() => {
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "mockfs", target: "/m" });
    owner = [...kernel.superBlocks()].find(({ type }) => type.name === "mockfs") as SuperBlock;
  });

  it("goes with it, whatever is in it, and others stay", () => {
    const own = create(kernel, "x", 2048, 0, undefined, owner);
    const loose = create(kernel, "x", 2048);
    assert.notEqual(own, loose);
    for (let i = 0; i < 20; i++) kmemCacheAlloc(kernel, own);
    const kept = kmemCacheAlloc(kernel, loose);
    assert.ok(framesGivenBy(() => fs.kernel.umount("/m")) >= 10);
    assert.equal(kmemCacheAlloc(kernel, own), -EINVAL);
    assert.equal(kmemCacheFree(kernel, loose, kept), 0);
    kernel.verify();
  });

  it("is in no copy of memory, as its owner is not, and takes no frame there", () => {
    const plain = fs.kernel.snapshot();
    const cache = create(kernel, "x", 2048, 0, undefined, owner);
    for (let i = 0; i < 20; i++) kernel.core.u32[kmemCacheAlloc(kernel, cache) << 3] = 0xdddddddd;
    const bytes = fs.kernel.snapshot();
    assert.equal(Buffer.compare(bytes, plain), 0);
    for (const copy of [restoreFsSync(bytes), fs.kernel.fork().fs]) {
      copy.kernel.verify();
      copy.kernel.destroy();
    }
    fs.kernel.restore(plain);
    assert.equal(kmemCacheAlloc(kernel, cache), -EINVAL); // it is of the memory that has gone
    assert.equal(kmemCacheDestroy(kernel, cache), 0);
    kernel.verify();
  });
});
