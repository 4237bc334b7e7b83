/** tar, its fs replaced. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("does the same as root", () => {
  expect(both("tar.mjs", { replace: true })).not.toContain('"EACCES"');
});

it("does the same as a user, who is refused some of it", () => {
  expect(both("tar.mjs", { replace: true, uid: 1000 })).toContain('"EACCES"');
});
