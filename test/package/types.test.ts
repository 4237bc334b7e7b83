/**
 * The declarations as users' compilers read them: old and new, every way of resolving modules, with Node's types and
 * without; with the declarations themselves checked (skipLibCheck: false).
 */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeUserFolder, ROOT, toolsFolder, type UserFolder } from "./user-folder.ts";

const CONSUMERS = join(ROOT, "test/package/consumer");

/** Compilers, each with the versions of Node's types that it can read. */
const COMPILERS = { "5.4": ["20", "22"], "5.9": ["20", "22", "24", "26"], "7": ["20", "22", "24", "26"] };
type Compiler = keyof typeof COMPILERS;
const ALL_COMPILERS = Object.keys(COMPILERS) as Compiler[];

/** Ways of resolving modules, with the extensions whose files differ there. */
const RESOLUTIONS = {
  nodenext: { options: ["--module", "nodenext"], extensions: ["mts", "cts"] },
  node16: { options: ["--module", "node16"], extensions: ["mts", "cts"] },
  bundler: { options: ["--module", "esnext", "--moduleResolution", "bundler"], extensions: ["ts"] },
  node10: { options: ["--module", "commonjs", "--moduleResolution", "node10"], extensions: ["ts"] },
};
type Resolution = keyof typeof RESOLUTIONS;

let user: UserFolder;

/** Compiles consumers of the package. @throws Error with what the compiler says */
function compile(compiler: Compiler, resolution: Resolution, names: string[], options: string[]): string {
  const { options: module, extensions } = RESOLUTIONS[resolution];
  const files = names.flatMap((name) => extensions.map((extension) => `${name}.${extension}`));
  return user.run(process.execPath, [
    join(toolsFolder(), `node_modules/typescript-${compiler}/bin/tsc`),
    ...["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022"],
    ...module,
    ...options,
    ...files,
  ]);
}

beforeAll(() => {
  user = makeUserFolder();
  for (const name of ["face", "with-node", "without-node", "with-dom"])
    for (const extension of ["ts", "mts", "cts"])
      cpSync(join(CONSUMERS, `${name}.ts`), join(user.folder, `${name}.${extension}`));
  for (const version of COMPILERS[7]) {
    mkdirSync(join(user.folder, `types-${version}`));
    symlinkSync(join(toolsFolder(), `node_modules/types-node-${version}`), join(user.folder, `types-${version}/node`));
  }
});

afterAll(() => user?.remove());

/** node10 is gone in TypeScript 7. */
const PAIRS = ALL_COMPILERS.flatMap((compiler) =>
  (Object.keys(RESOLUTIONS) as Resolution[])
    .filter((resolution) => compiler !== "7" || resolution !== "node10")
    .map((resolution) => [compiler, resolution] as const),
);

describe.each(PAIRS)("TypeScript %s, module resolution %s", (compiler, resolution) => {
  it("without types of Node and DOM", () => {
    compile(compiler, resolution, ["face", "without-node"], ["--lib", "es2022"]);
  });

  // How modules are resolved and what Node's types say are independent: not every version in every way.
  const versions = COMPILERS[compiler];
  it.each(resolution === "nodenext" ? versions : versions.slice(-1))("with Node's types %s", (version) => {
    const types = ["--types", "node", "--typeRoots", `types-${version}`];
    compile(compiler, resolution, ["face", "with-node"], [...types, "--lib", "es2022"]);
  });
});

describe.each(ALL_COMPILERS)("TypeScript %s", (compiler) => {
  it("with types of DOM", () => {
    compile(compiler, "bundler", ["face", "without-node", "with-dom"], []);
  });
});

describe("TypeScript 7 with its defaults", () => {
  const WRONG = `
    import { createFsSync } from "foliofs";
    const fs = createFsSync();
    const n: number = fs.readFileSync("/x", "utf8");
    fs.nonsense();
    export { n };`;

  function complaints(folder: string): string[] {
    mkdirSync(join(user.folder, folder), { recursive: true });
    writeFileSync(join(user.folder, folder, "wrong.ts"), WRONG);
    const tsc = join(toolsFolder(), "node_modules/typescript-7/bin/tsc");
    try {
      user.run(process.execPath, [tsc, "--noEmit", `${folder}/wrong.ts`]);
    } catch (error) {
      return String(error).match(/error TS\d+/g) ?? [String(error)];
    }
    return [];
  }

  it("refuses what is wrong where @types/node is not installed", () => {
    expect(complaints("bare")).toEqual(["error TS2322", "error TS2339"]);
  });

  it("refuses it where @types/node is installed", () => {
    const types = join(user.folder, "installed/node_modules/@types");
    mkdirSync(types, { recursive: true });
    symlinkSync(join(toolsFolder(), "node_modules/types-node-26"), join(types, "node"));

    expect(complaints("installed")).toEqual(["error TS2322", "error TS2339"]);
  });
});

describe("the declarations", () => {
  it("are those that the entries reach, and name no types that a program must have", () => {
    const declarations = user.packed.filter((path) => path.startsWith("dist/types/"));
    const directives = declarations.flatMap((path) => {
      const text = user.read(join("node_modules/foliofs", path));
      return text.match(/^\/\/\/ <reference types.*|^import .*"node:.*|import\("node:.*/gm) ?? [];
    });

    expect(declarations.filter((path) => path.includes("/operations/"))).toEqual([]);
    // The one that may fail (src/node/face/node-types.ts).
    expect(directives).toEqual(['import type * as nodeFs from "node:fs";']);
  });
});
