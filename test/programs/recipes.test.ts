/** The recipes of docs/recipes.md, as they stand there, with the real packages. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest";
import { node26 } from "../../scripts/node26.mjs";
import { makeProgramFolder, type ProgramFolder } from "./program-folder.ts";

const TEXT = readFileSync(new URL("../../docs/recipes.md", import.meta.url), "utf8");
const RECIPES = new Map(
  TEXT.split(/^## /m)
    .slice(1)
    .map((section) => {
      const blocks = [...section.matchAll(/^```js\n\/\/ file: (\S+)\n(.*?)^```$/gms)];
      return [section.split("\n", 1)[0], Object.fromEntries(blocks.map(([, file, code]) => [file, code]))];
    }),
);

let user: ProgramFolder;

beforeEach(() => {
  user = makeProgramFolder();
});

afterEach(() => user.remove());

/** Writes the files of a recipe. */
function take(name: string): void {
  const files = RECIPES.get(name);
  assert(files !== undefined && Object.keys(files).length > 0, `no recipe ${name}`);
  user.write(files);
}

function program(path: string): string {
  return join(user.packages, "node_modules", path);
}

/** What its one program prints. */
const PRINTED: Record<string, string> = {
  unionfs: "in memory true\n",
  webpack: "hello webpack bundle.js\n",
  Rspack: "hello rspack bundle.js\n",
  "isomorphic-git": "two,one\n",
  "TypeScript's compiler": "TS2322 a.js,b.js\n",
};

describe("the recipe for", () => {
  it("each is run here", () => {
    expect([...RECIPES.keys()]).toEqual(["Vitest", "Jest", "node:test", ...Object.keys(PRINTED)]);
  });

  it("Vitest", () => {
    take("Vitest");
    const output = user.run(process.execPath, [program("vitest/vitest.mjs"), "run", "--reporter", "json"]);
    expect(JSON.parse(output.slice(output.indexOf("{")))).toMatchObject({ numPassedTests: 2, numFailedTests: 0 });
  });

  it("Jest", () => {
    take("Jest");
    const args = ["--rootDir", ".", "--outputFile", "jest.json", "--json"];
    user.run(process.execPath, [program("jest/bin/jest.js"), ...args]);
    expect(JSON.parse(user.read("jest.json"))).toMatchObject({ numPassedTests: 2, numFailedTests: 0 });
  });

  it("node:test", () => {
    take("node:test");
    const args = ["--experimental-test-module-mocks", "--test", "--test-reporter", "tap", "program.test.mjs"];
    expect(user.run(node26(), args)).toMatch(/^# pass 1$/m);
  });

  it.each(Object.entries(PRINTED))("%s", (name, printed) => {
    take(name);
    expect(user.run(process.execPath, ["program.mjs"])).toBe(printed);
  });
});
