/** Every function of Node 26's fs, fs.promises, FileHandle and Dir has a row in the tables. */
import { readFileSync } from "node:fs";
import { assert, describe, it } from "vitest";
import { functionsOf, functionsWithRow } from "./rows.ts";

const GOLDEN = JSON.parse(readFileSync(new URL("./shapes-26.json", import.meta.url), "utf8"));

/** What is compared by tests of their own. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  "the watchers, whose events are compared in time": ["watch", "watchFile", "unwatchFile", "promises.watch"],
  "classes that nobody calls: their objects are compared wherever they come": ["Dir", "Dirent"],
};

describe("the tables", () => {
  it("have a row for every function", () => {
    const withRow = functionsWithRow();
    const without = functionsOf(GOLDEN).filter((name) => !withRow.has(name));
    assert.deepEqual(without.sort(), Object.values(ELSEWHERE).flat().sort());
  });

  it("would be missed: a function that nobody drives is found", () => {
    const more = { ...GOLDEN, fs: [...GOLDEN.fs, "newSync: function newSync/1"] };
    const withRow = functionsWithRow();
    assert.include(
      functionsOf(more).filter((name) => !withRow.has(name)),
      "newSync",
    );
  });

  it("drive no function that Node has not", () => {
    const there = new Set(functionsOf(GOLDEN));
    const gone = [...functionsWithRow()].filter((name) => !there.has(name));
    assert.deepEqual(gone, []);
  });
});
