/** A typed array of other elements that passes itself off as a Uint8Array: no endless retry, and no bytes of elsewhere. */
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
