/** Deltas: with what they are since they give the snapshot that would have been taken, to the last byte; anything else is refused. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  MS_NOATIME,
  MS_REMOUNT,
  restoreFs,
  restoreFsSync,
  SnapshotError,
} from "../../src/index.ts";
import { overlay } from "../../src/layers.ts";
import { compressedSwap } from "../../src/store.ts";
import { DELTA_VERSION } from "../../src/vfs/delta-format.ts";
import { joinDeltas } from "../../src/vfs/join-deltas.ts";
import { coreModule, sharedByDefault } from "../../src/wasm/core-module.ts";
import { LAYOUT_HASH } from "../../src/wasm/layout.ts";
import { describeMounts, describeTree } from "../helpers/describe-tree.ts";
import { lz4 } from "../helpers/lz4.ts";
import { actions, attempt, build, type Held, LIMIT } from "../helpers/tree-actions.ts";

const MIB = 2 ** 20;
const PAGE = 4096;
const SMALL = { memoryLimit: 64 * MIB };

function smallFs(): FolioFs {
  const fs = createFsSync(SMALL);
  fs.kernel.mount({ target: "/", flags: MS_REMOUNT | MS_NOATIME }); // so that to look changes nothing
  fs.mkdirSync("/dir");
  fs.writeFileSync("/dir/file", "some data");
  return fs;
}

/** Bytes that no two pages of are alike. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i + 4 <= length; i += 64) bytes.writeUInt32LE(Math.imul(i + 1, 0x9e3779b1) >>> 0, i);
  return bytes;
}

function refusal(bytes: unknown): string {
  try {
    restoreFsSync(bytes as Uint8Array[], SMALL);
  } catch (error) {
    if (error instanceof SnapshotError && error.code === "ERR_INVALID_SNAPSHOT") return error.message;
    throw error;
  }
  throw new Error("restored");
}

/** What a chain comes to, as bytes. */
function joined(chain: Uint8Array[]): Buffer {
  return Buffer.from(joinDeltas(chain, coreModule(sharedByDefault()), sharedByDefault()));
}

/** What a chain comes to, which must be what `whole` is, in all ways to restore it. */
async function checkChain(chain: Uint8Array[], whole: Uint8Array, types: FileSystemType[] = []): Promise<void> {
  assert(joined(chain).equals(whole), "joined");
  const { kernel } = restoreFsSync(whole, { ...SMALL, types });
  const expected = kernel.snapshot(); // has these options
  kernel.destroy();
  const fs = restoreFsSync(chain, { ...SMALL, types });
  fs.kernel.verify();
  assert(Buffer.from(fs.kernel.snapshot()).equals(expected), "restored");
  fs.kernel.destroy();
  const later = await restoreFs(chain, { ...SMALL, types });
  assert(Buffer.from(later.kernel.snapshot()).equals(expected), "restored later");
  later.kernel.destroy();
  const other = createFsSync({ ...SMALL, types });
  other.writeFileSync("/other", "gone");
  other.kernel.restore(chain);
  assert(Buffer.from(other.kernel.snapshot()).equals(expected), "restored in place");
  other.kernel.destroy();
}

describe("a delta", () => {
  it("is small: a page and a few records for a small file in a large tree", async () => {
    const fs = smallFs();
    fs.writeFileSync("/large", noise(24 * MIB));
    const base = fs.kernel.snapshot();
    fs.writeFileSync("/dir/file", noise(PAGE));
    const delta = fs.kernel.snapshot({ since: base });
    assert(base.length > 24 * MIB && delta.length < 2 * PAGE, `${delta.length} bytes`);
    await checkChain([base, delta], fs.kernel.snapshot());
    const again = fs.kernel.snapshot({ since: [base, delta] });
    assert(again.length < 1024, `${again.length} bytes of no change`);
    await checkChain([base, delta, again], fs.kernel.snapshot());
    fs.writeSync(fs.openSync("/large", "r+"), "x", 12 * MIB);
    const byte = fs.kernel.snapshot({ since: [base, delta, again] });
    assert(byte.length < 1500, `${byte.length} bytes for one that has changed`);
    fs.kernel.destroy();
  });

  it("goes on from what has been restored, and from what was rolled back", async () => {
    const fs = smallFs();
    const base = fs.kernel.snapshot();
    fs.writeFileSync("/a", noise(10 * PAGE));
    const first = fs.kernel.snapshot({ since: base });
    const again = restoreFsSync([base, first], SMALL);
    again.writeFileSync("/b", "b");
    again.unlinkSync("/dir/file");
    const second = again.kernel.snapshot({ since: [base, first] });
    await checkChain([base, first, second], again.kernel.snapshot());
    fs.kernel.restore([base]);
    assert.deepEqual(fs.readdirSync("/"), ["dir"]);
    fs.kernel.restore([base, first, second]);
    assert.deepEqual(fs.readdirSync("/"), ["a", "b", "dir"]);
    fs.kernel.verify();
    for (const { kernel } of [fs, again]) kernel.destroy();
  });

  it("is since anything: an unrelated kernel, a later state, itself", async () => {
    const fs = smallFs();
    const other = createFsSync(SMALL);
    other.writeFileSync("/x", noise(300 * PAGE));
    fs.writeFileSync("/y", noise(300 * PAGE));
    const [mine, foreign] = [fs.kernel.snapshot(), other.kernel.snapshot()];
    const delta = fs.kernel.snapshot({ since: foreign });
    assert(delta.length < 20 * PAGE, "pages of the same content are found wherever they lie");
    await checkChain([foreign, delta], mine);
    fs.writeFileSync("/z", noise(5 * PAGE));
    const later = fs.kernel.snapshot();
    fs.kernel.restore(mine);
    await checkChain([later, fs.kernel.snapshot({ since: later })], mine);
    await checkChain([mine, fs.kernel.snapshot({ since: mine })], mine);
    for (const { kernel } of [fs, other]) kernel.destroy();
  });

  it("is between memories of different sizes", async () => {
    const fs = smallFs();
    const base = fs.kernel.snapshot();
    fs.writeFileSync("/large", noise(20 * MIB));
    const large = fs.kernel.snapshot();
    const grown = fs.kernel.snapshot({ since: base });
    await checkChain([base, grown], large);
    fs.truncateSync("/large", 4 * MIB);
    fs.kernel.shrink();
    const shrunk = fs.kernel.snapshot({ since: [base, grown] });
    assert(shrunk.length < MIB, `${shrunk.length} bytes for pages that have only moved`);
    await checkChain([base, grown, shrunk], fs.kernel.snapshot());
    fs.kernel.destroy();
  });

  it("has pages of swap areas, shared frames and layers", async () => {
    const fs = createFsSync({ ...SMALL, memoryLimit: 16 * MIB, types: [overlay] });
    fs.kernel.swapOn(compressedSwap({ size: 32 * MIB, ...lz4 }));
    for (const dir of ["/base", "/layer"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: "tmpfs", target: "/base", data: "size=64m" });
    fs.writeFileSync("/base/cold", noise(16 * MIB));
    fs.writeFileSync("/base/f", noise(5 * MIB));
    const chain = [fs.kernel.snapshot()];
    assert(chain[0].length > 20 * MIB);
    fs.kernel.layer({ lower: "/base", target: "/layer" });
    for (const [name, at] of [
      ["/layer/f", 3 * MIB],
      ["/base/g", 0],
      ["/base/cold", 9 * MIB],
    ] as const) {
      const fd = fs.openSync(name, name === "/base/g" ? "w" : "r+");
      fs.writeSync(fd, noise(3 * PAGE), 0, 3 * PAGE, at);
      fs.closeSync(fd);
      const expected = fs.kernel.snapshot();
      const delta = fs.kernel.snapshot({ since: chain });
      assert(delta.length < expected.length / 4, `${delta.length} of ${expected.length} bytes`);
      chain.push(delta);
      await checkChain(chain, expected, [overlay]);
    }
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is read and made from views of any kind and place, and leaves them as they are", () => {
    const fs = smallFs();
    const base = fs.kernel.snapshot();
    fs.writeFileSync("/a", noise(3 * PAGE));
    const expected = fs.kernel.snapshot();
    const delta = fs.kernel.snapshot({ since: base });
    for (const shift of [1, 2, 3, 8]) {
      const room = Buffer.alloc(base.length + delta.length + shift * 3, 0xee);
      const [moved, other] = [room.subarray(shift, shift + base.length), room.subarray(2 * shift + base.length)];
      moved.set(base);
      other.set(delta);
      const view = new DataView(room.buffer, room.byteOffset + 2 * shift + base.length, delta.length);
      const before = Buffer.from(room);
      const again = restoreFsSync([moved, view as unknown as Uint8Array], SMALL);
      assert.deepEqual(Buffer.from(again.kernel.snapshot()), Buffer.from(expected));
      assert.deepEqual(Buffer.from(again.kernel.snapshot({ since: [base] })), Buffer.from(delta));
      assert.deepEqual(Buffer.from(again.kernel.snapshot({ since: moved })), Buffer.from(delta));
      assert.deepEqual(room, before);
      again.kernel.destroy();
    }
    fs.kernel.destroy();
  });

  it("is asked for with options that are checked", () => {
    const { kernel } = smallFs();
    const whole = kernel.snapshot();
    assert.deepEqual(kernel.snapshot({}), whole);
    assert.deepEqual(kernel.snapshot({ since: undefined }), whole);
    const wrong = [
      [{ since: "bytes" }, "ERR_INVALID_ARG_TYPE"],
      [{ since: [whole, 5] }, "ERR_INVALID_ARG_TYPE"],
      [{ sinc: whole }, "ERR_INVALID_ARG_VALUE"],
      [5, "ERR_INVALID_ARG_TYPE"],
      [{ since: [] }, "ERR_INVALID_SNAPSHOT"],
      [{ since: whole.subarray(1) }, "ERR_INVALID_SNAPSHOT"],
    ] as const;
    for (const [options, code] of wrong) assert.throws(() => kernel.snapshot(options as object), { code });
    const user = kernel.task({ uid: 5 });
    assert.throws(() => user.kernel.snapshot({ since: whole }), { code: "EPERM" });
    kernel.destroy();
  });
});

describe("bytes that are refused", () => {
  const fs = createFsSync(SMALL);
  fs.writeFileSync("/a", "a");
  const base = fs.kernel.snapshot();
  fs.writeFileSync("/a", noise(600));
  fs.mkdirSync("/b");
  const first = fs.kernel.snapshot({ since: base });
  fs.writeFileSync("/c", "c");
  const second = fs.kernel.snapshot({ since: [base, first] });
  fs.kernel.destroy();

  it("every single bit flipped, in the base and in the delta", () => {
    for (const which of [0, 1]) {
      const chain = [base.slice(), first.slice()];
      const flipped = chain[which];
      for (let bit = 0; bit < flipped.length * 8; bit++) {
        flipped[bit >>> 3] ^= 1 << (bit & 7);
        assert.match(refusal(chain), /^foliofs: (this|these)/);
        flipped[bit >>> 3] ^= 1 << (bit & 7);
      }
      assert.deepEqual(chain, [base, first]);
    }
  });

  it("cut off, and with more behind", () => {
    for (let length = 0; length < first.length; length += length < 100 ? 1 : 13) {
      assert.match(refusal([base, first.subarray(0, length)]), /^foliofs: (this|these)/);
      if (length < base.length) assert.match(refusal([base.subarray(0, length), first]), /^foliofs: (this|these)/);
    }
    const longer = new Uint8Array(first.length + 8);
    longer.set(first);
    assert.match(refusal([base, longer]), /should have \d+ bytes/);
  });

  it("since another snapshot, in another order, alone", () => {
    const since = /this delta is since another snapshot/;
    assert.match(refusal([base, second]), since);
    assert.match(refusal([base, second, first]), since);
    assert.match(refusal([base, first, first]), since);
    const other = createFsSync(SMALL);
    assert.match(refusal([other.kernel.snapshot(), first]), since);
    other.kernel.destroy();
    assert.match(refusal([first, base]), /these bytes are no snapshot/);
    assert.match(refusal(first), /these bytes are no snapshot/);
    assert.match(refusal([base, base]), /these bytes are no delta/);
    assert.match(refusal([]), /empty array/);
    assert.throws(() => restoreFsSync([base, "delta"] as never), { code: "ERR_INVALID_ARG_TYPE" });
  });

  it("of another version or layout", () => {
    const withNumber = (at: number, value: number): Uint8Array => {
      const copy = first.slice();
      new DataView(copy.buffer).setUint32(at, value, true);
      return copy;
    };
    assert.match(refusal([base, withNumber(8, DELTA_VERSION + 1)]), /format version/);
    assert.match(refusal([base, withNumber(12, LAYOUT_HASH ^ 1)]), /another memory layout/);
  });

  it("leave a kernel that was to be rolled back as it was", () => {
    const kept = smallFs();
    const before = kept.kernel.snapshot();
    assert.throws(() => kept.kernel.restore([base, second]), { code: "ERR_INVALID_SNAPSHOT" });
    assert.throws(() => kept.kernel.restore([base, first.subarray(1)]), { code: "ERR_INVALID_SNAPSHOT" });
    assert.deepEqual(kept.kernel.snapshot(), before);
    kept.kernel.verify();
    kept.kernel.destroy();
  });
});

const numRuns = Number(process.env.FOLIOFS_SNAPSHOT_RUNS ?? 40);

/** A random state of a kernel's history: what has been done until then. */
describe("random trees", () => {
  it("are themselves after each delta of a chain, to the last byte", () => {
    fc.assert(
      fc.property(actions, fc.array(actions, { minLength: 1, maxLength: 4 }), fc.boolean(), (first, later, isAnew) => {
        let fs = build(first);
        const chain = [fs.kernel.snapshot()];
        const held: Held = { fds: [], tasks: [] };
        for (const steps of later) {
          for (const step of steps) attempt(() => step(fs, held));
          if (isAnew) fs.kernel.shrink();
          const [tree, mounts] = [describeTree(fs), describeMounts(fs)];
          const bytes = fs.kernel.snapshot();
          chain.push(fs.kernel.snapshot({ since: chain }));
          fs.kernel.verify();

          const again = restoreFsSync(chain, { memoryLimit: LIMIT });
          again.kernel.verify();
          assert.deepEqual([describeTree(again), describeMounts(again)], [tree, mounts]);
          assert(joined(chain).equals(bytes));
          // Two ways on: with what tasks hold, and without.
          [isAnew ? fs : again][0].kernel.destroy();
          if (isAnew) fs = again;
          if (isAnew) held.fds.length = held.tasks.length = 0;
        }
        fs.kernel.destroy();
      }),
      { numRuns },
    );
  });
});
