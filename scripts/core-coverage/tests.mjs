/** Which tests a report is of: each run leaves vitest's own report of what it has run. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { listFiles } from "../fingerprint.mjs";
import { FOLDER } from "./build-core.mjs";

export const TESTS = `${FOLDER}/tests`;

/** Outcomes of the tests of each file, by its path; of a file that has run twice the last ones. */
function outcomes() {
  const files = new Map();
  for (const name of existsSync(TESTS) ? readdirSync(TESTS).sort() : []) {
    const { testResults } = JSON.parse(readFileSync(`${TESTS}/${name}`, "utf8"));
    for (const { name: path, assertionResults } of testResults)
      files.set(
        relative("", path),
        assertionResults.map(({ status }) => status),
      );
  }
  return files;
}

/** Files that did not run; a folder stands for all below it when none did. */
function notRun(files) {
  const folders = new Set();
  const above = (path) => path.split("/").map((_, i, names) => names.slice(0, i + 1).join("/"));
  for (const path of files.keys()) for (const folder of above(path)) folders.add(folder);
  const missing = listFiles(["test"]).filter((path) => path.endsWith(".test.ts") && !files.has(path));
  return [...new Set(missing.map((path) => above(path).find((folder) => !folders.has(folder))))];
}

/** @returns what has run, in one sentence, and what has not */
export function testsOf() {
  const files = outcomes();
  const all = [...files.values()].flat();
  const nr = (status) => all.filter((one) => one === status).length;
  const [passed, failed] = [nr("passed"), nr("failed")];
  const left = notRun(files);
  const without = left.length === 0 ? "" : `; without ${left.map((path) => `\`${path}\``).join(", ")}`;
  const [node] = process.versions.node.split(".");
  return `Node ${node}, ${files.size} files of tests${without}: ${passed} passed, ${failed} failed, ${all.length - passed - failed} skipped`;
}
