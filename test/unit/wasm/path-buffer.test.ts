import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { ENAMETOOLONG } from "../../../src/base/errno.ts";
import { type Core, PATH_A, PATH_B } from "../../../src/wasm/core.ts";
import { PATH_MAX } from "../../../src/wasm/layout.ts";
import { decodeAscii, decodeUtf8, putPath } from "../../../src/wasm/path-buffer.ts";
import { bootCore } from "../../helpers/core.ts";

/** Short and long text of all of Unicode, lone surrogates too. */
const anyText = fc
  .tuple(fc.string({ unit: "binary", maxLength: 60 }), fc.constantFrom(1, 1, 1, 3, 20, 70))
  .map(([text, times]) => text.repeat(times));

/** With Node's Buffer, and as in a browser that has none. */
const PLATFORMS: [name: string, core: Core][] = [
  ["with Buffer", bootCore()],
  ["without Buffer", Object.assign(bootCore(), { buffer: undefined, hasFastBuffer: false })],
];

for (const [name, core] of PLATFORMS) {
  describe(`path buffers ${name}`, () => {
    it("take any string as UTF-8, and bytes as they are", () => {
      fc.assert(
        fc.property(anyText, fc.constantFrom(PATH_A, PATH_B), (text, at) => {
          const bytes = Buffer.from(text);
          const expected = bytes.length < PATH_MAX ? bytes.length : -ENAMETOOLONG;
          for (const path of [text, new Uint8Array(bytes)]) {
            core.u8.fill(0xee, at, at + 100);
            assert.equal(putPath(core, path, at), expected);
            if (expected < 0) continue;
            assert.equal(Buffer.compare(core.u8.slice(at, at + expected), bytes), 0);
            assert.equal(decodeUtf8(core, at, expected), bytes.toString());
          }
        }),
        { numRuns: 300 },
      );
    });

    it("hold 4095 bytes, and say so for more", () => {
      assert.equal(putPath(core, "a".repeat(4095), PATH_A), 4095);
      assert.equal(putPath(core, "é".repeat(2047), PATH_A), 4094);
      assert.equal(putPath(core, "a".repeat(4096), PATH_A), -ENAMETOOLONG);
      assert.equal(putPath(core, "é".repeat(2048), PATH_A), -ENAMETOOLONG);
      assert.equal(putPath(core, "€".repeat(1365), PATH_A), 4095);
      assert.equal(putPath(core, "€".repeat(1366), PATH_A), -ENAMETOOLONG);
      assert.equal(putPath(core, new Uint8Array(4096), PATH_A), -ENAMETOOLONG);
    });

    it("write lone surrogates as U+FFFD, short and long", () => {
      for (const text of ["\ud800", `${"a".repeat(30)}\udfff!`]) {
        const n = putPath(core, text, PATH_A);
        assert.equal(decodeUtf8(core, PATH_A, n), text.replace(/[\ud800-\udfff]/, "\ufffd"));
      }
    });

    it("keep a byte order mark", () => {
      const n = putPath(core, "\ufeffname", PATH_A);
      assert.equal(decodeUtf8(core, PATH_A, n), "\ufeffname");
      assert.equal(decodeAscii(core, PATH_A + 3, 4), "name");
    });
  });
}
