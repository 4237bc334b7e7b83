/** rollup, by its option `fs`. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("builds the same, and fails the same", () => {
  const told = both("rollup.mjs");
  expect(told).toMatch(/^chunk main\.[0-9a-f]+\.js /m);
  expect(told).toContain('"code":"UNRESOLVED_IMPORT"');
  expect(told).toContain('"code":"EEXIST"');
});
