/** The package as a user gets it: packed, installed in an empty folder, used from ESM, CommonJS and TypeScript. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const USED = "hello 5 bigint a hello\n";

const folder = mkdtempSync(join(tmpdir(), "foliofs-package-"));
let packed: string[];

/** Runs a command in the user's folder. @returns its standard output @throws Error with its output when it fails */
function run(command: string, args: string[], cwd = folder): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

function node(file: string, source: string): string {
  writeFileSync(join(folder, file), source);
  return run(process.execPath, [file]);
}

beforeAll(() => {
  const [{ filename, files }] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT),
  );
  packed = files.map(({ path }: { path: string }) => path);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lists all files that the exports map of package.json names. */
function exported(entry: unknown): string[] {
  if (typeof entry === "string") return [entry];
  return Object.values(entry as object).flatMap(exported);
}

describe("the tarball", () => {
  it("holds what package.json exports, and no sources, tests or tools", () => {
    const { exports, main, module, types } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const wanted = [...exported(exports), main, module, types].map((path) => path.replace(/^\.\//, ""));

    expect([...wanted, "LICENSE", "README.md"].filter((path) => !packed.includes(path))).toEqual([]);
    expect(packed.filter((path) => !/^(?:dist|docs)\/|^(?:[A-Z]+\.md|LICENSE|package\.json)$/.test(path))).toEqual([]);
  });

  it("brings no other package along", () => {
    const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));

    expect(Object.keys(packages)).toEqual(["", "node_modules/foliofs"]);
  });
});

describe("in Node", () => {
  const USE = `
    const fs = createFsSync();
    fs.writeFileSync("/a", "hello");
    console.log(fs.readFileSync("/a", "utf8"), Buffer.isBuffer(fs.readFileSync("/a")), fs.readdirSync("/").join());`;

  it("works as an ES module", () => {
    expect(node("esm.mjs", `import { createFsSync } from "foliofs";${USE}`)).toBe("hello true a\n");
  });

  it("works as CommonJS", () => {
    expect(node("cjs.cjs", `const { createFsSync } = require("foliofs");${USE}`)).toBe("hello true a\n");
  });

  it.each([
    ["an ES module", "shared.mjs", 'import "foliofs/shared"; import { createFsSync } from "foliofs";'],
    ["CommonJS", "shared.cjs", 'require("foliofs/shared"); const { createFsSync } = require("foliofs");'],
  ])("has the core for shared memory, as %s", (_form, file, load) => {
    const use = USE.replace("createFsSync()", "createFsSync({ shared: true })");

    expect(node(file, load + use)).toBe("hello true a\n");
  });

  it("works in a worker thread", () => {
    const source = `
      import { isMainThread, Worker } from "node:worker_threads";
      import { createFsSync } from "foliofs";
      if (isMainThread) new Worker(new URL(import.meta.url));
      else {${USE}}`;

    expect(node("worker.mjs", source)).toBe("hello true a\n");
  });
});

describe("in TypeScript", () => {
  const OPTIONS = [
    "--strict",
    "--target",
    "es2022",
    "--types",
    "node",
    "--typeRoots",
    join(ROOT, "node_modules/@types"),
  ];

  it.each([
    ["an ES module", "use.mts", ["--module", "nodenext"], "use.mjs"],
    ["CommonJS", "use.cts", ["--module", "nodenext"], "use.cjs"],
    [
      "source for a bundler",
      "bundled.ts",
      ["--module", "esnext", "--moduleResolution", "bundler", "--noEmit"],
      undefined,
    ],
  ])("compiles %s", (_form, file, options, output) => {
    cpSync(join(ROOT, "test/package/consumer/use.ts"), join(folder, file));
    run(process.execPath, [TSC, ...OPTIONS, ...options, file]);

    if (output === undefined) return;
    expect(existsSync(join(folder, output))).toBe(true);
    expect(run(process.execPath, [output])).toBe(USED);
  });
});
