/** foliofs/testing as a user has it: examples/testing in Vitest and node:test, with the packed package; and as CommonJS. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeUserFolder, ROOT, toolsFolder, type UserFolder } from "./user-folder.ts";

const EXAMPLES = join(ROOT, "examples/testing");

let user: UserFolder;

beforeAll(() => {
  user = makeUserFolder(toolsFolder()); // below the project, whose memfs it finds
  cpSync(EXAMPLES, join(user.folder, "examples"), { recursive: true });
});

afterAll(() => user?.remove());

const names = readdirSync(EXAMPLES);

it("Vitest", () => {
  const config = join(user.folder, "vitest.config.mjs");
  writeFileSync(config, `export default ${JSON.stringify({ test: { root: join(user.folder, "examples") } })};`);
  const output = user.run(process.execPath, [
    join(toolsFolder(), "node_modules/vitest/vitest.mjs"),
    ...["run", "--config", config, "--reporter", "json"],
  ]);
  const { numFailedTests, numPassedTests, numPendingTests, testResults } = JSON.parse(output);
  expect(numFailedTests).toBe(0);
  expect(numPassedTests).toBeGreaterThan(100);
  expect(numPendingTests).toBeGreaterThan(0); // skipped, and said so
  expect(testResults).toHaveLength(names.filter((name) => name.endsWith(".test.mjs")).length);
});

it.each(names.filter((name) => name.endsWith(".node-test.mjs")))("node:test, %s", (name) => {
  const output = user.run(process.execPath, ["--test", "--test-reporter", "tap", join("examples", name)]);
  expect(output).toMatch(/^# fail 0$/m);
  const nrCases = name.startsWith("conformance") ? 150 : 2;
  const [, nrPassed] = /^# pass (\d+)$/m.exec(output) ?? [];
  expect(Number(nrPassed)).toBeGreaterThanOrEqual(nrCases);
  if (name.startsWith("conformance")) expect(output).toMatch(/# SKIP node:fs cannot set RLIMIT_FSIZE/);
});

it("works as CommonJS", () => {
  const program = `
    const { createFsSync } = require("foliofs");
    const { injectFaults, TestDisk } = require("foliofs/testing");
    const { conformanceCases, runConformance } = require("foliofs/testing/conformance");
    const disk = new TestDisk();
    const fs = createFsSync({ types: [disk.type] });
    fs.mkdirSync("/d");
    fs.kernel.mount({ type: "testdisk", target: "/d" });
    const faults = injectFaults(fs);
    faults.failWhen("/d/f", "EIO", { call: "fsync" });
    fs.writeFileSync("/d/f", "text");
    const fd = fs.openSync("/d/f");
    try { fs.fsyncSync(fd); } catch ({ code, syscall }) { console.log(code, syscall, disk.pending > 0); }
    faults.restore();
    const create = () => { const own = createFsSync(); return { fs: own, root: "/" }; };
    runConformance(create, { suites: ["truncate"] }).then((results) =>
      console.log(conformanceCases().length > 150, new Set(results.map(({ outcome }) => outcome)).has("failed")));`;
  expect(user.node("testing.cjs", program)).toBe("EIO fsync true\ntrue false\n");
});

it("is in no other entry", () => {
  for (const name of ["index.js", "browser.js", "mock.js"])
    expect(readFileSync(join(ROOT, "dist", name), "utf8")).not.toContain("is no system call");
});
