/**
 * Views that pass themselves off as what they are not, a typed array of other elements as a Uint8Array, or a long one as a
 * short one: no endless retry, no bytes of elsewhere, and none written beyond what is said.
 */
import { expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

it("is refused or written as far as it has bytes, and the file shows nothing of others", () => {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  fs.writeFileSync("/gone", "secret".repeat(1000));
  fs.unlinkSync("/gone");
  const posing = Object.setPrototypeOf(new Float64Array(4), Uint8Array.prototype) as Uint8Array;
  expect(() => fs.writeFileSync("/a", posing)).toThrow(expect.objectContaining({ code: "EFAULT" }));
  expect(() => fs.writeSync(fs.openSync("/b", "w"), posing)).toThrow(expect.objectContaining({ code: "EFAULT" }));
  fs.appendFileSync("/c", posing);
  for (const name of ["/a", "/b", "/c"]) expect(fs.readFileSync(name).every((byte) => byte === 0)).toBe(true);
});

/** Says whatever is next of `lengths`, and the last one for ever. */
function saying(view: Uint8Array, ...lengths: number[]): Uint8Array {
  return Object.defineProperty(view, "byteLength", {
    get: () => (lengths.length > 1 ? lengths.shift() : lengths[0]),
  });
}

it.each([
  ["5", [5]],
  ["20, then 5", [20, 5]],
  ["1, then 4000", [1, 4000]],
])("is written as far as it says, and nothing of what is beside it changes: byteLength %s", (_, lengths) => {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  for (let i = 0; i < 8; i++) fs.writeFileSync(`/${i}`, Buffer.alloc(8192, i));
  const fd = fs.openSync("/0", "r+");
  const written = fs.writeSync(fd, saying(new Uint8Array(40_000).fill(255), ...lengths));
  const expected = Buffer.alloc(8192, 0).fill(255, 0, written);
  expect(written).toBe(lengths[0]);
  expect(fs.readFileSync("/0").equals(expected)).toBe(true);
  for (let i = 1; i < 8; i++) expect(fs.readFileSync(`/${i}`).equals(Buffer.alloc(8192, i))).toBe(true);
});
