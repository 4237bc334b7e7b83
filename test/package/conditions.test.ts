/**
 * Under every pair of conditions that platforms and tools set, the package resolves to a file that loads in that way and
 * works, and to declarations in the same format.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileFunction, createContext } from "node:vm";
import type { FolioFs } from "foliofs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeUserFolder, toolsFolder, type UserFolder } from "./user-folder.ts";

/** What a platform sets besides `import` or `require`. */
const PLATFORMS: Record<string, string[]> = {
  "Node.js": ["node", "node-addons", "module-sync"],
  "a browser": ["browser"],
  "a bundler for browsers": ["module", "browser", "development"],
  "a bundler for Node.js": ["module", "node", "production"],
  "Electron's renderer": ["electron", "browser", "node"],
  "a worker": ["worker", "browser"],
  "a worker alone": ["worker"],
  workerd: ["workerd", "worker", "browser"],
  "workerd alone": ["workerd"],
  "an edge": ["edge-light"],
  Deno: ["deno", "node"],
  "Deno alone": ["deno"],
  Bun: ["bun", "node"],
  "Bun alone": ["bun"],
  "React Native": ["react-native"],
  "one that sets nothing": [],
};
const ENTRIES = ["foliofs", "foliofs/shared"];
const WAYS = ["import", "require"] as const;

/** Other tools, and older Nodes, cannot require an ES module, so Node must not either. */
const NODE_FLAGS = ["--no-experimental-require-module"];

/** Loads a pair of entries as they come; prints what a file made with them holds. */
const LOAD = `
  const { createRequire } = require("node:module");
  const { pathToFileURL } = require("node:url");
  const load = {
    import: (file) => import(pathToFileURL(file).href),
    require: async (file) => require(file),
  };
  async function main([way, main, shared]) {
    const { createFsSync } = await load[way](main);
    await load[way](shared);
    for (const options of [{}, { shared: true }]) {
      const fs = createFsSync(options);
      fs.writeFileSync("/a", "hello");
      console.log(fs.readFileSync("/a", "utf8"));
    }
  }
  main(process.argv.slice(1));
`;

let user: UserFolder;
let resolveWith: (conditions: string[], request: string) => string;

beforeAll(() => {
  const require = createRequire(join(toolsFolder(), "package.json"));
  const { ResolverFactory, CachedInputFileSystem } = require("enhanced-resolve");
  const fileSystem = new CachedInputFileSystem(require("node:fs"), 4000);
  user = makeUserFolder();
  resolveWith = (conditionNames, request) => {
    const resolver = ResolverFactory.createResolver({ fileSystem, conditionNames, useSyncFileSystemCalls: true });
    return resolver.resolveSync({}, user.folder, request);
  };
});

afterAll(() => user?.remove());

const CASES = Object.entries(PLATFORMS).flatMap(([platform, conditions]) =>
  WAYS.map((way) => ({ platform, way, conditions: [way, ...conditions] })),
);

describe.each(CASES)("$way in $platform", ({ way, conditions }) => {
  it("finds files that load and work", () => {
    const files = ENTRIES.map((entry) => resolveWith(conditions, entry));
    const { stdout, stderr } = spawnSync(process.execPath, [...NODE_FLAGS, "-e", LOAD, "--", way, ...files], {
      encoding: "utf8",
    });

    expect(stderr).toBe("");
    expect(stdout).toBe("hello\nhello\n");
  });

  it("finds declarations in the same format", () => {
    const files = ENTRIES.map((entry) => resolveWith(["types", ...conditions], entry));
    const folder = way === "import" ? "types" : "types-cjs";

    expect(files.map((file) => file.slice(user.folder.length))).toEqual(
      ["index", "shared"].map((name) => `/node_modules/foliofs/dist/${folder}/${name}.d.ts`),
    );
    expect(files.every((file) => existsSync(file))).toBe(true);
  });
});

describe("entries loaded in different ways", () => {
  it.each([
    ["import", "browser.js", "require", "shared.cjs"],
    ["require", "browser.cjs", "import", "shared.js"],
    ["import", "index.js", "require", "browser.cjs"],
  ])("%s of %s and %s of %s have one registry of cores", (_way, first, _other, second) => {
    const source = `
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      const load = (name) => {
        const path = "./node_modules/foliofs/dist/" + name;
        return path.endsWith(".cjs") ? require(path) : import(path);
      };
      const loaded = [await load("${first}"), await load("${second}")];
      const { createFsSync } = loaded[0];
      console.log(createFsSync({ shared: true }).existsSync("/"));`;

    expect(user.node("mixed.mjs", source)).toBe("true\n");
  });
});

describe("a realm that has nothing but the language", () => {
  it.each(["browser.cjs", "index.cjs"])("loads %s, and its synchronous calls work", (entry) => {
    const dist = join(user.folder, "node_modules/foliofs/dist");
    const realm = createContext({});
    const load = (name: string): Record<string, (options?: object) => FolioFs> => {
      const module = { exports: {} };
      const parameters = ["module", "exports", "require"];
      const text = readFileSync(join(dist, name), "utf8");
      compileFunction(text, parameters, { parsingContext: realm })(module, module.exports, load);
      return module.exports;
    };
    const fs = load(entry).createFsSync({ now: () => 1 });
    fs.writeFileSync("/längerer-name-é", "héllo 😀");

    expect(fs.readFileSync("/längerer-name-é", "utf8")).toBe("héllo 😀");
    expect(fs.readdirSync("/")).toEqual(["längerer-name-é"]);
  });
});

describe("a tool that does not read the exports map", () => {
  it.each([
    ["main", "foliofs", "dist/index.cjs"],
    ["module", "foliofs", "dist/index.js"],
    ["main", "foliofs/shared", "dist/shared.cjs"],
    ["module", "foliofs/shared", "dist/shared.js"],
  ])("finds the %s of %s", (field, entry, expected) => {
    const require = createRequire(join(toolsFolder(), "package.json"));
    const { ResolverFactory } = require("enhanced-resolve");
    const options = { fileSystem: require("node:fs"), useSyncFileSystemCalls: true, exportsFields: [] };
    const resolver = ResolverFactory.createResolver({ ...options, mainFields: [field, "main"] });
    const found = resolver.resolveSync({}, user.folder, entry);

    expect(found).toBe(join(user.folder, "node_modules/foliofs", expected));
  });

  it.each([
    ["module", "dist/browser.js"],
    ["main", "dist/browser.cjs"],
  ])("finds the browser's %s", (field, expected) => {
    const require = createRequire(join(toolsFolder(), "package.json"));
    const { ResolverFactory } = require("enhanced-resolve");
    const options = { fileSystem: require("node:fs"), useSyncFileSystemCalls: true, exportsFields: [] };
    const resolver = ResolverFactory.createResolver({ ...options, mainFields: [field], aliasFields: ["browser"] });

    expect(resolver.resolveSync({}, user.folder, "foliofs")).toBe(join(user.folder, "node_modules/foliofs", expected));
  });
});
