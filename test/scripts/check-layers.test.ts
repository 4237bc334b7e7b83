import { describe, expect, it } from "vitest";
import { coreLayerBreaches, layerBreaches, readImports } from "../../scripts/check-layers.mjs";

const LEAF = "export const x = 1;";

function breaches(files: Record<string, string>): string[] {
  return layerBreaches(new Map(Object.entries(files)));
}

describe("readImports", () => {
  it("finds every way to name a module, and nothing in comments", () => {
    const source = [
      'import { a } from "./a.ts";',
      'import type { B } from "./b.ts";',
      "import {\n  c,\n  d,\n} from './c.ts';",
      'export * from "./e.ts";',
      'import "./f.ts";',
      'const g = await import("./g.ts");',
      '/** import x from "./no.ts"',
      ' * import("./no.ts") */',
      '// import "./no.ts";',
      'const text = "import from";',
    ].join("\n");

    const found = readImports(source);

    expect(found.map(({ specifier }) => specifier)).toEqual([
      "./a.ts",
      "./b.ts",
      "./c.ts",
      "./e.ts",
      "./f.ts",
      "./g.ts",
    ]);
    expect(found.map(({ isType }) => isType)).toEqual([false, true, false, false, false, false]);
  });
});

describe("layerBreaches", () => {
  it("accepts imports that go down", () => {
    const files = {
      "base/errno.ts": LEAF,
      "wasm/instance.ts": 'import { x } from "../base/errno.ts";',
      "mm/filemap.ts": 'import { x } from "../wasm/instance.ts";',
      "vfs/open.ts": 'import { x } from "../mm/filemap.ts";',
      "fs/ramfs.ts": 'import { x } from "../vfs/open.ts";',
      "fs/hostfs.ts": 'import * as fs from "node:fs";',
      "node/surfaces.ts": 'import type * as fs from "node:fs";\nimport { x } from "../vfs/open.ts";',
      "index.ts": 'import { x } from "./node/surfaces.ts";\nimport { y } from "./fs/ramfs.ts";',
      "main/main.ts": 'import table from "cli-table3";\nimport { x } from "../index.ts";',
    };

    expect(breaches(files)).toEqual([]);
  });

  it.each([
    ["base", "wasm"],
    ["wasm", "mm"],
    ["mm", "vfs"],
    ["vfs", "fs"],
    ["vfs", "node"],
    ["fs", "node"],
    ["node", "fs"],
    ["node", "mm"],
    ["block", "wasm"],
  ])("refuses that %s imports %s, even a type", (from, to) => {
    const found = breaches({ [`${from}/a.ts`]: `import type { x } from "../${to}/b.ts";`, [`${to}/b.ts`]: LEAF });

    expect(found).toEqual([`${from}/a.ts imports ${to}/b.ts: ${from} may not import ${to}`]);
  });

  it("refuses that the library imports the main job, or reaches past the entry from there", () => {
    expect(breaches({ "index.ts": 'import "./main/main.ts";', "main/main.ts": LEAF })).toHaveLength(1);
    expect(breaches({ "main/main.ts": 'import "../vfs/open.ts";', "vfs/open.ts": LEAF })).toHaveLength(1);
  });

  it("refuses node: below the entry, and packages anywhere in the library", () => {
    expect(breaches({ "vfs/a.ts": 'import type { Stats } from "node:fs";' })).toHaveLength(1);
    expect(breaches({ "node/a.ts": 'import { inspect } from "node:util";' })).toHaveLength(1);
    expect(breaches({ "index-browser.ts": 'import { Buffer } from "node:buffer";' })).toHaveLength(1);
    expect(breaches({ "index.ts": 'import memfs from "memfs";' })).toHaveLength(1);
  });

  it("finds a cycle among the files of one layer", () => {
    const found = breaches({
      "vfs/a.ts": 'import "./b.ts";',
      "vfs/b.ts": 'import "./c.ts";',
      "vfs/c.ts": 'import "./a.ts";',
    });

    expect(found).toEqual(["cycle: vfs/a.ts -> vfs/b.ts -> vfs/c.ts -> vfs/a.ts"]);
  });

  it("lets the interfaces of one layer mention each other", () => {
    const files = { "vfs/a.ts": 'import "./b.ts";', "vfs/b.ts": 'import type { A } from "./a.ts";' };

    expect(breaches(files)).toEqual([]);
  });

  it("refuses files that do not exist and folders that are no layer", () => {
    expect(breaches({ "vfs/a.ts": 'import "./gone.ts";' })).toEqual([
      "vfs/a.ts imports vfs/gone.ts, which does not exist",
    ]);
    expect(breaches({ "utils/a.ts": 'import "../base/b.ts";', "base/b.ts": LEAF })).toHaveLength(1);
  });
});

it("refuses imports of assembly/ that go up, lead nowhere or come from a folder of their own", () => {
  const files = new Map([
    ["kernel.ts", 'import { Page } from "./mm/page";'],
    ["mm/page.ts", 'import { kernel } from "../kernel";\nimport { Inode } from "../fs/inode";'],
    ["fs/inode.ts", 'import { Page } from "../mm/page";\nimport { gone } from "./gone";'],
    ["extra/some.ts", 'import { Inode } from "../fs/inode";'],
  ]);

  expect(coreLayerBreaches(files)).toEqual([
    "mm/page.ts imports fs/inode.ts: mm may not import fs",
    "fs/inode.ts imports fs/gone.ts, which does not exist",
    "extra/some.ts lies in extra/, which is no layer",
  ]);
});
