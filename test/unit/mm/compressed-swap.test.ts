/** The swap device that compresses: what it keeps and refuses, what it takes, and files on it. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { PagePool } from "../../../src/mm/page-pool.ts";
import type { SwapDevice } from "../../../src/mm/swap-device.ts";
import { compressedSwap, swaps } from "../../../src/store.ts";
import { lz4 } from "../../helpers/lz4.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { type Random, seededRandom } from "../../helpers/random.ts";
import { SwapScript } from "../../helpers/swap-script.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const LIMIT = 8 * MIB;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`compressed swap: FOLIOFS_SEED=${SEED}`);

function io(slot: number, ...pages: Uint8Array[]) {
  return { slot, nrPages: pages.length, views: () => pages };
}

/** A page of which as many bytes are random, and the others alike. */
function page(random: Random, nrRandom: number): Uint8Array {
  return Uint8Array.from({ length: PAGE }, (_, i) => (i < nrRandom ? random(256) : 7));
}

function machine(device: SwapDevice): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT });
  fs.mkdirSync("/t");
  fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m" });
  fs.kernel.swapOn(device);
  return fs;
}

describe("compressedSwap()", () => {
  it("keeps pages that shrink, gives them back as they were, and refuses others", () => {
    const device = compressedSwap({ size: MIB, ...lz4 });
    const random = seededRandom(SEED);
    const pages = [0, 100, 2000, 3500].map((nr) => page(random, nr));
    assert.equal(device.writePages(io(5, ...pages)), 4);
    assert.equal(device.writePages(io(9, pages[1], page(random, PAGE), pages[2])), 1, "what is random does not shrink");
    const got = pages.map(() => new Uint8Array(PAGE));
    assert.equal(device.readPages(io(5, ...got)), 4);
    assert.deepEqual(got, pages);
    assert.equal(device.readPages(io(8, new Uint8Array(PAGE), new Uint8Array(PAGE), new Uint8Array(PAGE))), 2);
    device.discardPages?.(5, 1);
    assert.equal(device.readPages(io(5, new Uint8Array(PAGE))), 0);
  });

  it("takes no more than its size, and has room again for what is discarded", () => {
    const size = 4 * 65_536;
    const device = compressedSwap({ size, ...lz4 });
    const random = seededRandom(SEED);
    let slot = 0;
    while (device.writePages(io(slot, page(random, 1500))) === 1) slot++;
    assert.ok(slot >= 140, `only ${slot} pages of about 1600 bytes`);
    assert.ok((device.hostBytes ?? 0) <= size + device.nrPages * 8);
    for (let i = 0; i < slot; i += 2) device.discardPages?.(i, 1);
    assert.equal(device.writePages(io(slot, page(random, 1500))), 1);
    device.discardPages?.(0, device.nrPages);
    assert.equal(device.hostBytes, device.nrPages * 8);
  });

  it("is an error, not another page, where the library fails", () => {
    const device = compressedSwap({
      size: MIB,
      compress: lz4.compress,
      decompress: (bytes) => (bytes.length > 1000 ? bytes : assert.fail("damaged")),
    });
    const random = seededRandom(SEED);
    device.writePages(io(0, page(random, 0), page(random, 100), page(random, 2000)));
    for (const [slot, n] of [1, 0, 0].entries()) assert.equal(device.readPages(io(slot, new Uint8Array(PAGE))), n);
  });

  it("wants functions and numbers that can be", () => {
    for (const wrong of [undefined, null, 5, { size: MIB }, { size: MIB, ...lz4, compress: 1 }, { size: "1m", ...lz4 }])
      assert.throws(() => compressedSwap(wrong as never), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
    for (const size of [0, 5, 65_535, Number.NaN, 1.5 * 65_537])
      assert.throws(() => compressedSwap({ size, ...lz4 }), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => compressedSwap({ size: MIB, nrPages: 0, ...lz4 }), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => compressedSwap({ size: MIB, nrSlots: 7, ...lz4 } as never), { code: "ERR_INVALID_ARG_VALUE" });
  });

  it("keeps files of text three times as large as memory", () => {
    const device = compressedSwap({ size: 16 * MIB, ...lz4 });
    const fs = machine(device);
    const line = (i: number) => `${i} the quick brown fox jumps over the lazy dog ${i * 7919}\n`;
    const text = Buffer.from(Array.from({ length: 24 * 16_384 }, (_, i) => line(i)).join("")).subarray(0, 24 * MIB);
    fs.writeFileSync("/t/a", text);
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/t/a").equals(text));
    const [info] = swaps(fs.kernel);
    assert.equal(info.name, "zswap");
    assert.ok(info.hostBytes < 0.6 * info.used, `${info.hostBytes} bytes for ${info.used}`);
    fs.unlinkSync("/t/a");
    fs.writeFileSync("/t/b", text);
    assert.ok((device.hostBytes ?? 0) <= 17 * MIB);
  });

  it("is copied into snapshots and forks", () => {
    const fs = machine(compressedSwap({ size: 16 * MIB, ...lz4 }));
    const text = Buffer.concat([Buffer.alloc(6 * MIB, "abcd"), Buffer.alloc(6 * MIB, "some other text\n")]);
    fs.writeFileSync("/t/a", text);
    const restored = restoreFsSync(fs.kernel.snapshot());
    assert.ok(restored.readFileSync("/t/a").equals(text));
    assert.ok(fs.kernel.fork().fs.readFileSync("/t/a").equals(text));
  });

  it("reads a page of one word wherever it is to lie", () => {
    const device = compressedSwap({ size: MIB, ...lz4 });
    const word = new Uint8Array(Uint32Array.from({ length: PAGE / 4 }, () => 0x01020304).buffer);
    device.writePages(io(0, word));
    for (let offset = 0; offset < 4; offset++) {
      const bytes = new Uint8Array(PAGE + 8);
      assert.equal(device.readPages(io(0, bytes.subarray(offset, offset + PAGE))), 1);
      assert.deepEqual(bytes.subarray(offset, offset + PAGE), word);
    }
  });

  it("leaves what does not shrink to an area of a lower priority", () => {
    const device = compressedSwap({ size: 16 * MIB, ...lz4 });
    const fs = machine(device);
    const random = seededRandom(SEED);
    const noise = Buffer.from(Uint32Array.from({ length: (10 * MIB) / 4 }, () => random(2 ** 32)).buffer);
    assert.throws(() => fs.writeFileSync("/t/a", noise), { code: "ENOSPC" });
    fs.unlinkSync("/t/a");
    const other = new MockSwap(4000);
    fs.kernel.swapOn(other);
    fs.writeFileSync("/t/a", noise);
    fs.writeFileSync("/t/b", Buffer.alloc(4 * MIB, "text "));
    assert.ok(other.pagesWritten > 0);
    assert.ok(fs.readFileSync("/t/a").equals(noise));
    assert.ok(fs.readFileSync("/t/b").equals(Buffer.alloc(4 * MIB, "text ")));
    fs.kernel.verify();
  });

  it("does random work as its model does", () => {
    const fs = machine(compressedSwap({ size: 64 * MIB, ...lz4 }));
    const script = new SwapScript(fs, "/t", SEED);
    for (let i = 0; i < 400; i++) script.step();
    script.compareAll();
    fs.kernel.verify();
    assert.ok(swaps(fs.kernel)[0].used > 0);
    script.removeAll();
  });
});

describe("PagePool", () => {
  it("has pieces as a Map has them, in as much memory as it says", () => {
    const random = seededRandom(SEED);
    const pool = new PagePool(10 * 65_536);
    const model = new Map<number, Uint8Array>();
    for (let i = 0; i < 5000; i++) {
      if (random(3) === 0 && model.size > 0) {
        const place = [...model.keys()][random(model.size)];
        pool.free(place);
        model.delete(place);
        continue;
      }
      const piece = new Uint8Array(1 + random(PAGE)).fill(random(256));
      const place = pool.put(piece);
      if (place < 0) assert.equal(pool.bytes, 10 * 65_536, "full before it is");
      else {
        assert.ok(!model.has(place));
        model.set(place, piece);
      }
      if (i % 100 === 0) for (const [at, bytes] of model) assert.deepEqual(pool.get(at, bytes.length), bytes);
    }
    for (const place of model.keys()) pool.free(place);
    assert.equal(pool.bytes, 0);
  });
});
