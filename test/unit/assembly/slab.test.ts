import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { KMALLOC_MAX } from "../../../src/wasm/layout.ts";
import { anyNumber, assertEmpty, bootCore, checkModel, FRAMES_OF_EMPTY_CORE, framesInUse } from "../../helpers/core.ts";

interface Piece {
  address: number;
  size: number;
  stamp: number;
}

const operation = fc.record({
  kind: fc.constantFrom("alloc", "alloc", "alloc", "free", "free", "shrink"),
  size: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 300 }) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 4096 }) },
    { weight: 1, arbitrary: fc.integer({ min: 4097, max: 20_000 }) },
  ),
  which: anyNumber,
});

describe("kmalloc", () => {
  it("gives zeros that nobody else has, keeps them, and gives all frames back", () => {
    checkModel(operation, 1000, (ops) => {
      const core = bootCore({ limitBytes: 8 * 2 ** 20 });
      const pieces: Piece[] = [];
      let stamps = 0;
      const release = (i: number): void => {
        const [{ address, size, stamp }] = pieces.splice(i, 1);
        assert.ok(core.u8.subarray(address, address + size).every((byte) => byte === stamp));
        core.x.kfree(address);
      };
      for (const { kind, size, which } of ops) {
        if (kind === "shrink") core.x.reclaim();
        else if (kind === "free" && pieces.length > 0) release(which % pieces.length);
        else if (kind === "alloc") {
          const address = core.x.kmalloc(size) >>> 0;
          assert.notEqual(address, 0);
          assert.equal(address % 32, 0);
          const bytes = core.u8.subarray(address, address + size);
          assert.ok(
            bytes.every((byte) => byte === 0),
            "not all zeros",
          );
          stamps = (stamps % 255) + 1;
          bytes.fill(stamps);
          pieces.push({ address, size, stamp: stamps });
        }
      }
      while (pieces.length > 0) release(0);
      assertEmpty(core);
    });
  });

  it("answers 0 for more than it can give", () => {
    const core = bootCore();
    assert.equal(core.x.kmalloc(KMALLOC_MAX + 1), 0);
    const address = core.x.kmalloc(KMALLOC_MAX);
    assert.notEqual(address, 0);
    core.x.kfree(address);
    assertEmpty(core);
  });

  it("keeps at most one empty slab of a cache", () => {
    const core = bootCore();
    const pieces = Array.from({ length: 128 * 5 }, () => core.x.kmalloc(32));
    assert.equal(framesInUse(core), FRAMES_OF_EMPTY_CORE + 5);
    for (const piece of pieces) core.x.kfree(piece);
    assertEmpty(core);
  });
});
