/** isomorphic-git, which is told its fs: the same object ids as on the host. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("makes the same history, merges, checkouts, status and pack", () => {
  const told = both("isomorphic-git.mjs");
  expect(told).toMatch(/^240 \S+ [0-9a-f]{40}$/m);
  expect(told).toMatch(/^merge .* MergeConflictError /m);
  expect(told).toMatch(/^merge .*"mergeCommit":true/m);
  expect(told).toMatch(/^merge .*"fastForward":true/m);
  expect(told, "checked out of the pack, nothing has changed").toMatch(/^of the pack \d\d+ \[\]$/m);
});
