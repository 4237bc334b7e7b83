/**
 * Puts what V8 has counted of src/ and what the counters have told of the core together: build/coverage/index.html, and a summary as
 * text.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import libCoverage from "istanbul-lib-coverage";
import libReport from "istanbul-lib-report";
import reports from "istanbul-reports";
import { FOLDER } from "./build-core.mjs";
import { addChildren } from "./children.mjs";
import { explain, uncalled, unreached } from "./explain.mjs";
import { CORE, SOURCE } from "./reasons.mjs";
import { testsOf } from "./tests.mjs";

export const HITS = `${FOLDER}/hits`;
export const CHILDREN = `${FOLDER}/children`;
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

/** Numbers of lines, by file, most first. */
function byFile(missed) {
  const files = new Map();
  for (const { path, line } of missed) files.set(path, [...(files.get(path) ?? []), line]);
  return [...files].sort(([, a], [, b]) => b.length - a.length);
}

function openLines(title, { open }) {
  return [title, ...byFile(open).map(([path, lines]) => `${path} ${lines.length}: ${lines.join(",")}`), ""];
}

export function report() {
  const map = libCoverage.createCoverageMap(coreCoverage());
  for (const run of existsSync(V8) ? readdirSync(V8) : []) {
    const path = `${V8}/${run}/coverage-final.json`;
    if (existsSync(path)) map.merge(JSON.parse(readFileSync(path, "utf8")));
  }
  addChildren(map, CHILDREN);
  const context = libReport.createContext({ dir: FOLDER, coverageMap: map, defaultSummarizer: "nested" });
  reports.create("html").execute(context);
  const isCore = (path) => path.startsWith(`${resolve("assembly")}/`);
  const isSource = (path) => path.startsWith(`${resolve("src")}/`);
  const [core, source] = [summaryOf(map, isCore), summaryOf(map, isSource)];
  const functions = explain(uncalled(map, isCore), CORE);
  const lines = explain(unreached(map, isSource), SOURCE);
  const figures = [
    testsOf(),
    `core: functions ${percent(core.functions)}, branches ${percent(core.branches)}, lines ${percent(core.lines)}`,
    `src: functions ${percent(source.functions)}, branches ${percent(source.branches)}, lines ${percent(source.lines)}`,
  ];
  const text = [
    ...figures,
    "",
    "functions of the core that were not called, without a reason:",
    ...functions.open.map(({ path, line, name }) => `${path}:${line} ${name}`),
    "",
    ...openLines("lines of src/ that were not reached, without a reason:", lines),
    ...openLines("lines of the core that were not reached:", explain(unreached(map, isCore), [])),
    "reasons of nothing:",
    ...[...functions.idle, ...lines.idle].map(({ path, names = [] }) => `${path} ${names.join(", ")}`),
  ].join("\n");
  writeFileSync(`${FOLDER}/summary.txt`, `${text}\n`);
  return { figures, functions, lines };
}
