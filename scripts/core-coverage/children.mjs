/**
 * What V8 has counted in processes and threads that tests have started, by statements and functions of src/. They run bundles, or
 * TypeScript by a loader; the source maps are in what they leave, the form of NODE_V8_COVERAGE.
 *
 * A count is that of the place where a statement begins. What has no place of its own there, as constants that were written in, is
 * not counted, unless something within it is (an "else if"), nor are branches, whose arms a bundle may have in another form.
 *
 * Does not own: who has them count (vitest.config.ts), what comes of it (report.mjs).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { mergeProcessCovs } from "@bcoe/v8-coverage";
import { generatedPositionFor, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** A file of this project's src/, by the path that a source map has: tests of the package run copies. */
function sourceOf(path) {
  const below = /(?:^|\/)(src\/.+\.ts)$/.exec(path ?? "");
  return below === null ? undefined : resolve(below[1]);
}

/** What one process or thread has left; nothing of one that was ended while it wrote. */
function readProcess(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return { result: [] };
    throw error;
  }
}

/** Scripts with sources of ours, by their maps: wherever it lies, a script of one map is one script. */
function readScripts(folder) {
  const scripts = new Map();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const { result, "source-map-cache": maps = {} } = readProcess(`${folder}/${name}`);
    for (const { url, functions } of result) {
      const { data, lineLengths } = maps[url] ?? {};
      if (!data?.sources?.some((path) => sourceOf(path) !== undefined)) continue;
      const known = scripts.get(data.mappings) ?? { map: data, lineLengths, counts: { result: [] } };
      known.counts = mergeProcessCovs([known.counts, { result: [{ scriptId: "0", url: "script", functions }] }]);
      scripts.set(data.mappings, known);
    }
  }
  return [...scripts.values()];
}

/** Where each line begins, as V8 counts. */
function lineStarts(lineLengths) {
  let at = 0;
  return lineLengths.map((length) => {
    const start = at;
    at += length + 1;
    return start;
  });
}

/** Tells how often a place of a script was reached: the count of the innermost range around it. */
class Counts {
  /** Where the count changes, and what it is from there on. */
  #starts = [];
  #counts = [];

  constructor({ result: [{ functions }] }) {
    const ranges = functions.flatMap((one) => one.ranges);
    ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
    const around = [];
    const leave = (before) => {
      while (around.length > 0 && around.at(-1).endOffset <= before) {
        const { endOffset } = around.pop();
        this.#put(endOffset, around.at(-1)?.count ?? 0);
      }
    };
    for (const range of ranges) {
      leave(range.startOffset);
      this.#put(range.startOffset, range.count);
      around.push(range);
    }
    leave(Number.POSITIVE_INFINITY);
  }

  #put(start, count) {
    this.#starts.push(start);
    this.#counts.push(count);
  }

  at(offset) {
    let low = -1;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low < 0 ? 0 : this.#counts[low];
  }
}

/** Lines alone: where a statement ends within one is not always known. */
function mostWithin({ start, end }, statements) {
  const within = statements.filter(({ at }) => start.line < at.start.line && at.end.line <= end.line);
  return Math.max(0, ...within.map(({ count }) => count ?? 0));
}

/** Adds what one script has counted to a coverage map. */
function addScript(map, { map: sourceMap, lineLengths, counts }) {
  const traced = new TraceMap(sourceMap);
  const starts = lineStarts(lineLengths);
  const reached = new Counts(counts);
  for (const source of traced.sources) {
    const path = sourceOf(source);
    if (path === undefined || map.data[path] === undefined) continue;
    /** @returns undefined for what has no place */
    const countAt = ({ line, column }) => {
      const place = generatedPositionFor(traced, { source, line, column });
      if (place.line === null) return undefined;
      const origin = originalPositionFor(traced, place);
      const isIts = origin.source === source && origin.line === line && origin.column === column;
      return isIts ? reached.at(starts[place.line - 1] + place.column) : undefined;
    };
    const { statementMap, s, fnMap, f } = map.fileCoverageFor(path).data;
    const statements = Object.entries(statementMap).map(([i, at]) => ({ i, at, count: countAt(at.start) }));
    for (const { i, at, count } of statements) s[i] += count ?? mostWithin(at, statements);
    for (const [i, { decl }] of Object.entries(fnMap)) f[i] += countAt(decl.start) ?? 0;
  }
}

/**
 * Adds what children have reached to a coverage map that has the files of src/.
 *
 * @param folder where they have left it
 */
export function addChildren(map, folder) {
  for (const script of readScripts(folder)) addScript(map, script);
}
