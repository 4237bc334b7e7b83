/** SQLite in Wasm, its database on foliofs: nothing is lost or left half done when it is stopped between writes. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it.each(["delete", "truncate", "persist", "wal"])("holds what was committed, journal_mode=%s", (mode) => {
  const told = both("sqlite.mjs", { args: [mode] });
  expect(told.match(/^stopped /gm)?.length).toBeGreaterThan(100);
  expect(told).toMatch(/^failed \d+ (?!nothing)/m);
});
