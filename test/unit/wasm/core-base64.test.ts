/** Cores out of base64, with the platform's Buffer and where there is none. */
import { strict as assert } from "node:assert";
import { afterEach, describe, it, vi } from "vitest";
import { textToCore } from "../../../src/wasm/core-base64.ts";

afterEach(() => vi.unstubAllGlobals());

describe("a core as base64", () => {
  it("is what was written, of each length", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length * 11) % 256);
      const text = Buffer.from(bytes).toString("base64");
      const byBuffer = textToCore(text);
      vi.stubGlobal("Buffer", undefined);
      const byHand = textToCore(text);
      vi.unstubAllGlobals();
      assert.deepEqual(Uint8Array.from(byBuffer), bytes);
      assert.deepEqual(byHand, bytes);
    }
  });
});
