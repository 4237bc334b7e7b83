/** The compiler of TypeScript 5 over layers of this project, its fs replaced. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("builds the same, tells the same, and does no work twice", () => {
  const told = both("typescript.mjs", { replace: true });
  expect(told).toContain("Project 'src/mm/tsconfig.json' is up to date because newest input");
  expect(told.match(/^ status \d/gm)?.slice(0, 6)).toEqual([0, 0, 0, 2, 0, 0].map((status) => ` status ${status}`));
  for (const code of ["TS2307", "TS2724"]) expect(told).toMatch(new RegExp(`^src/mm/.*error ${code}: `, "m"));
  expect(told).toMatch(/^-\d+ .* mm\/vmscan\.js /m);
});
