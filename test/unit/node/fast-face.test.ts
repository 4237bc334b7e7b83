/** A face is an object with a map, not a dictionary: else every call of it is looked up by hash, 4 to 6 ns. */
import { setFlagsFromString } from "node:v8";
import { expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

it("has fast properties, and so have its promises", () => {
  setFlagsFromString("--allow-natives-syntax");
  const isFast = new Function("object", "return %HasFastProperties(object)") as (object: object) => boolean;
  const dictionary = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`p${i}`, i]));
  expect(isFast(dictionary)).toBe(false);

  const fs = createFsSync({ memoryLimit: 8 * 2 ** 20 });
  expect([isFast(fs), isFast(fs.promises)]).toEqual([true, true]);
});
