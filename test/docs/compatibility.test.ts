/**
 * docs/compatibility.md against the objects. The file is generated on Node 26; here, on any Node, each of its cells is
 * held against the face, and the running Node's functions must all be in it.
 */
import nodeFs, { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formsOf } from "../../scripts/gen-compatibility.mjs";
import { createFsSync } from "../../src/index.ts";
import { DELIBERATE } from "../differential/deliberate.ts";
import { VERSION_REASONS } from "../differential/versions.ts";

const text = readFileSync(new URL("../../docs/compatibility.md", import.meta.url), "utf8");
const FORMS = ["sync", "callback", "promise"];

/** `name form` to what the table of functions says of it. */
function readTable(): Map<string, string> {
  const cells = new Map<string, string>();
  for (const [, name, ...forms] of text.matchAll(/^\| `([\w.]+)` \| (.*?) \| (.*?) \| (.*?) \|$/gm)) {
    FORMS.forEach((form, i) => {
      if (forms[i].trim() !== "") cells.set(`${name} ${form}`, forms[i].replaceAll("*", ""));
    });
  }
  return cells;
}

describe("docs/compatibility.md", () => {
  const table = readTable();

  it("says of each function and form whether foliofs has it", () => {
    expect([...table.keys()].sort()).toEqual([...formsOf(createFsSync())].sort());
  });

  it("has nothing that is missing", () => {
    expect(text).toContain("all are there");
    expect(text).not.toContain("missing**");
  });

  it("names every function of the running Node", () => {
    expect([...formsOf(nodeFs)].filter((key) => !table.has(key))).toEqual([]);
  });

  it("gives every reason for a difference", () => {
    const reasons = [...DELIBERATE, ...VERSION_REASONS].map(({ reason }) => reason);

    expect(reasons.filter((reason) => !text.includes(`| ${reason} |`))).toEqual([]);
  });
});
