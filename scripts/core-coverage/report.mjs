/**
 * Puts what V8 has counted of src/ and what the counters have told of the core together: build/coverage/index.html, a summary as
 * text, and the lists that docs/coverage.md is about.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import libCoverage from "istanbul-lib-coverage";
import libReport from "istanbul-lib-report";
import reports from "istanbul-reports";
import { FOLDER } from "./build-core.mjs";

export const HITS = `${FOLDER}/hits`;
export const V8 = `${FOLDER}/v8`;

/** Numbers of the counters that were reached in any process. */
function readHits() {
  const hit = new Set();
  for (const name of existsSync(HITS) ? readdirSync(HITS) : [])
    for (const id of JSON.parse(readFileSync(`${HITS}/${name}`, "utf8"))) hit.add(id);
  return hit;
}

/** The core in istanbul's form: a count is 1 for what was reached. */
function coreCoverage() {
  const { files } = JSON.parse(readFileSync(`${FOLDER}/counters.json`, "utf8"));
  const hit = readHits();
  const count = (id) => (hit.has(id) ? 1 : 0);
  const coverage = {};
  for (const [path, { functions, branches, statements }] of Object.entries(files)) {
    const file = { path: resolve(path), statementMap: {}, fnMap: {}, branchMap: {}, s: {}, f: {}, b: {} };
    statements.forEach(({ start, end, counter }, i) => {
      file.statementMap[i] = { start, end };
      file.s[i] = count(counter);
    });
    functions.forEach(({ name, start, end, counter }, i) => {
      file.fnMap[i] = { name, decl: { start, end: start }, loc: { start, end }, line: start.line };
      file.f[i] = count(counter);
    });
    branches.forEach(({ type, start, end, counters }, i) => {
      file.branchMap[i] = {
        type,
        loc: { start, end },
        locations: counters.map(() => ({ start, end })),
        line: start.line,
      };
      file.b[i] = counters.map(count);
    });
    coverage[file.path] = file;
  }
  return coverage;
}

function percent({ pct, covered, total }) {
  return `${pct} % (${covered} of ${total})`;
}

function summaryOf(map, isPart) {
  const summary = libCoverage.createCoverageSummary();
  for (const path of map.files()) if (isPart(path)) summary.merge(map.fileCoverageFor(path).toSummary());
  return summary;
}

/** Functions of the core that no test has called, as `file name`. */
function uncalled(map, isPart) {
  return map
    .files()
    .filter(isPart)
    .flatMap((path) => {
      const { fnMap, f } = map.fileCoverageFor(path).data;
      return Object.entries(fnMap)
        .filter(([i]) => f[i] === 0)
        .map(([, { name, line }]) => `${path.slice(resolve(".").length + 1)}:${line} ${name}`);
    });
}

/** Files of src/ by their lines that were not reached, most first. */
function unreached(map, isPart) {
  return map
    .files()
    .filter(isPart)
    .map((path) => ({
      path: path.slice(resolve(".").length + 1),
      lines: map.fileCoverageFor(path).getUncoveredLines(),
      pct: map.fileCoverageFor(path).toSummary().lines.pct,
    }))
    .filter(({ lines }) => lines.length > 0)
    .sort((a, b) => b.lines.length - a.lines.length);
}

export function report() {
  const map = libCoverage.createCoverageMap(coreCoverage());
  for (const run of existsSync(V8) ? readdirSync(V8) : []) {
    const path = `${V8}/${run}/coverage-final.json`;
    if (existsSync(path)) map.merge(JSON.parse(readFileSync(path, "utf8")));
  }
  const context = libReport.createContext({ dir: FOLDER, coverageMap: map, defaultSummarizer: "nested" });
  reports.create("html").execute(context);
  const isCore = (path) => path.startsWith(`${resolve("assembly")}/`);
  const isSource = (path) => path.startsWith(`${resolve("src")}/`);
  const [core, source] = [summaryOf(map, isCore), summaryOf(map, isSource)];
  const text = [
    `core: functions ${percent(core.functions)}, branches ${percent(core.branches)}, lines ${percent(core.lines)}`,
    `src: functions ${percent(source.functions)}, branches ${percent(source.branches)}, lines ${percent(source.lines)}`,
    "",
    "functions of the core that were not called:",
    ...uncalled(map, isCore),
    "",
    "lines of src/ that were not reached:",
    ...unreached(map, isSource).map(({ path, lines, pct }) => `${path} ${pct} % ${lines.join(",")}`),
    "",
    "lines of the core that were not reached:",
    ...unreached(map, isCore).map(({ path, lines, pct }) => `${path} ${pct} % ${lines.join(",")}`),
  ].join("\n");
  writeFileSync(`${FOLDER}/summary.txt`, `${text}\n`);
  return { core, source, text };
}
