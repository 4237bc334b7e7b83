/** webpack, its file systems told or its fs replaced. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it.each([
  ["told its file systems", "options", false],
  ["its fs replaced", "replaced", true],
])("builds the same, %s", (_, how, replace) => {
  const told = both("webpack.mjs", { replace, args: [how] });
  expect(told).toContain("Can't resolve 'nowhere'");
  expect(told).toMatch(/^module .*"cached":true/m);
  expect(told).toMatch(/^asset .*"emitted":false/m);
});
