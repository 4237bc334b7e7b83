/** What lists files by patterns, with foliofs as its `fs` option. */
import { describe, it } from "vitest";
import { both } from "./both.ts";

describe.each(["glob", "fast-glob", "fdir", "tinyglobby"])("%s", (name) => {
  it("finds the same as root", () => {
    both(`${name}.mjs`);
  });

  it("finds the same as a user, who may not read everything", () => {
    both(`${name}.mjs`, { uid: 1000 });
  });
});
