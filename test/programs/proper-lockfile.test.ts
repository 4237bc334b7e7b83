/** proper-lockfile, its fs replaced and by its option. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("does the same as root, its fs replaced", () => {
  expect(both("proper-lockfile.mjs", { replace: true })).not.toContain('"EACCES"');
});

it("does the same as a user, by its fs option", () => {
  expect(both("proper-lockfile.mjs", { uid: 1000, args: ["option"] })).toContain('"EACCES"');
});
