import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { Core } from "../../../src/wasm/core.ts";
import { RESULT_EXTRA } from "../../../src/wasm/layout.ts";
import { bootCore } from "../../helpers/core.ts";

function sumOf(core: Core, pfn: number, low = 0, high = 0): string {
  const first = core.x.checksumBytes(pfn * 4096, 4096, low, high) >>> 0;
  return `${first}-${core.result(RESULT_EXTRA)}`;
}

describe("checksum", () => {
  it("changes with every single bit of the data, and with what came before", () => {
    const core = bootCore();
    const pfn = core.x.allocPages(0);
    for (let i = 0; i < 4096; i++) core.u8[pfn * 4096 + i] = (i * 89) >>> 3;
    const sums = new Set([sumOf(core, pfn)]);
    for (let bit = 0; bit < 4096 * 8; bit++) {
      core.u8[pfn * 4096 + (bit >> 3)] ^= 1 << (bit & 7);
      sums.add(sumOf(core, pfn));
      core.u8[pfn * 4096 + (bit >> 3)] ^= 1 << (bit & 7);
    }
    sums.add(sumOf(core, pfn, 1, 0)).add(sumOf(core, pfn, 0, 1));
    assert.equal(sums.size, 1 + 4096 * 8 + 2);
  });
});
