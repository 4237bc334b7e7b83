/** The package in the tools that people use: test runners and bundlers run the same program (tools/exercise.mjs). */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeUserFolder, ROOT, toolsFolder, type UserFolder } from "./user-folder.ts";

let user: UserFolder;

function write(file: string, text: string): string {
  const path = join(user.folder, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Runs a program of the tools' folder. */
function runTool(path: string, args: string[]): string {
  return user.run(process.execPath, [join(toolsFolder(), path), ...args]);
}

beforeAll(() => {
  user = makeUserFolder(toolsFolder());
  const exercise = readFileSync(join(ROOT, "test/package/tools/exercise.mjs"), "utf8");
  write("exercise.mjs", exercise);
  write("exercise.cjs", `exports.exercise = exercise;\n${exercise.replace(/^export /m, "")}`);

  const load =
    'import * as foliofs from "foliofs"; import "foliofs/shared"; import { exercise } from "./exercise.mjs";';
  const require =
    'const foliofs = require("foliofs"); require("foliofs/shared"); const { exercise } = require("./exercise.cjs");';
  write("program.mjs", `${load}\nexercise(foliofs).then(() => console.log("all is well"));`);
  write("program.cjs", `${require}\nexercise(foliofs).then(() => console.log("all is well"));`);
  write("jest/foliofs.test.js", `${require.replaceAll("./", "../")}\ntest("works", () => exercise(foliofs));`);
  write("vitest/foliofs.test.js", `${load.replaceAll("./", "../")}\ntest("works", () => exercise(foliofs));`);
});

afterAll(() => user?.remove());

describe.each(["node", "jsdom"])("test runners with the environment %s", (environment) => {
  it("Jest", () => {
    const args = ["--rootDir", join(user.folder, "jest"), "--env", environment, "--outputFile", "jest.json", "--json"];
    runTool("node_modules/jest/bin/jest.js", args);

    expect(JSON.parse(readFileSync(join(user.folder, "jest.json"), "utf8")).numPassedTests).toBe(1);
  });

  it.each([
    ["that leaves packages to Node.js", []],
    ["that transforms packages", ["foliofs"]],
  ])("Vitest, %s", (_name, inline) => {
    const test = { environment, globals: true, root: "vitest", server: { deps: { inline } } };
    const config = write("vitest.config.mjs", `export default ${JSON.stringify({ test })};`);
    const output = runTool("node_modules/vitest/vitest.mjs", ["run", "--config", config, "--reporter", "json"]);

    expect(JSON.parse(output).numPassedTests).toBe(1);
  });
});

const BUNDLERS = ["webpack", "rspack", "esbuild", "rollup", "vite", "parcel"];
const TARGETS = ["web", "worker", "node"];
const FORMATS = [
  ["an ES module", "program.mjs"],
  ["CommonJS", "program.cjs"],
];

describe.each(BUNDLERS)("%s", (bundler) => {
  describe.each(TARGETS)("for %s", (target) => {
    it.each(FORMATS)("bundles %s", (_format, entry) => {
      const name = bundler === "vite" && target === "node" ? "out.mjs" : "out.cjs";
      const output = join(user.folder, "out", `${bundler}-${target}-${entry}`, name);
      runTool("bundle.mjs", [bundler, join(user.folder, entry), output, target]);

      // The platform's globals are Node's: whether a browser runs it is tested in test/browser.
      expect(user.run(process.execPath, [output])).toBe("all is well\n");
    });
  });
});
