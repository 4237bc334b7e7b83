/** write-file-atomic, its fs replaced. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("does the same as root", () => {
  expect(both("write-file-atomic.mjs", { replace: true })).toContain('"code":"ENOENT"');
});

it("does the same as a user", () => {
  expect(both("write-file-atomic.mjs", { replace: true, uid: 1000, args: ["user"] })).toContain('"code":"EACCES"');
});
