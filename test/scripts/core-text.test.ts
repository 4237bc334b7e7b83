/** scripts/core-text.mjs and src/wasm/core-text.ts: what one writes, the other reads. */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { coreToText } from "../../scripts/core-text.mjs";
import { PREAMBLE_BYTES, Reader } from "../../scripts/wasm-bytes.mjs";
import { RELEASE_TEXT } from "../../src/wasm/core-binary.ts";
import { RELEASE_SHARED_TEXT } from "../../src/wasm/core-binary-shared.ts";
import { textToCore } from "../../src/wasm/core-text.ts";

/** A module of one function without parameters. @param code its instructions, `end` included */
function moduleOf(code: readonly number[]): Uint8Array<ArrayBuffer> {
  const type = [1, 4, 1, 0x60, 0, 0];
  const functions = [3, 2, 1, 0];
  const memory = [5, 3, 1, 0, 1];
  const body = [0, ...code];
  const section = [1, body.length, ...body];
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...type, ...functions, ...memory];
  return Uint8Array.of(...head, 10, section.length, ...section);
}

/** A module as what comes before its code, and its functions: all but the lengths, which may be padded. */
function partsOf(wasm: Uint8Array): Buffer[] {
  const reader = new Reader(wasm);
  reader.slice(PREAMBLE_BYTES);
  while (reader.byte() !== 10) reader.slice(reader.number());
  const parts = [Buffer.from(wasm.subarray(0, reader.pos))];
  assert.equal(reader.number() + reader.pos, wasm.length);
  for (let left = reader.number(); left > 0; left--) parts.push(Buffer.from(reader.slice(reader.number())));
  return parts;
}

describe("the core as text", () => {
  for (const target of ["release", "release-shared"]) {
    it(`gives the ${target} core back`, () => {
      const wasm = readFileSync(new URL(`../../build/core-${target}.wasm`, import.meta.url));
      const read = textToCore(coreToText(wasm));
      assert.ok(WebAssembly.validate(read));
      assert.deepEqual(partsOf(read), partsOf(wasm));
    });
  }

  it("is what the package has inside", () => {
    for (const text of [RELEASE_TEXT, RELEASE_SHARED_TEXT]) {
      const core = textToCore(text);
      assert.ok(WebAssembly.validate(core));
      assert.equal(coreToText(core), text);
    }
  });

  it("keeps every kind of immediate", () => {
    const codes: Record<string, number[]> = {
      "f64.const": [0x44, 0x80, 0xff, 0, 0x20, 0x0b, 0x41, 0, 0x40, 0x1a, 0x0b],
      "a long i64.const": [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x1a, 0x0b],
      "memory.copy and memory.fill": [
        0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 10, 0, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0, 0x0b,
      ],
      br_table: [0x02, 0x40, 0x41, 1, 0x0e, 2, 0, 1, 0, 0x0b, 0x0b],
      "a conversion that never traps": [0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0xfc, 2, 0x1a, 0x0b],
      "if and else": [0x41, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x1a, 0x0b],
    };
    for (const [name, code] of Object.entries(codes)) {
      const wasm = moduleOf(code);
      assert.ok(WebAssembly.validate(wasm), name);
      const read = textToCore(coreToText(wasm));
      assert.ok(WebAssembly.validate(read), name);
      assert.deepEqual(partsOf(read), partsOf(wasm), name);
    }
  });

  it("refuses at build time what it could not read back", () => {
    assert.throws(() => coreToText(moduleOf([0x43, 0, 0, 0, 0, 0x1a, 0x0b])), /instruction 0x43 /);
    assert.throws(() => coreToText(moduleOf([0xfe, 3, 0, 0x0b])), /instruction 0xfe /);
    assert.throws(() => coreToText(moduleOf([0x41, 0, 0x28, 0, 0, 0x1a, 0x0b])), /not aligned as usual/);
    assert.throws(() => coreToText(Uint8Array.of(...moduleOf([0x0b]), 11, 1, 0)), /a section behind the code/);
  });
});
