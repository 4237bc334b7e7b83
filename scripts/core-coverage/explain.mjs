/** What was not reached, with the reason where there is one (reasons.mjs). */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Of a file, as it is named in reasons. */
export function nameOf(path) {
  return path.slice(resolve(".").length + 1);
}

/** Functions that nobody has called. */
export function uncalled(map, isPart) {
  return map
    .files()
    .filter(isPart)
    .flatMap((path) => {
      const { fnMap, f } = map.fileCoverageFor(path).data;
      const missed = Object.entries(fnMap).filter(([i]) => f[i] === 0);
      return missed.map(([, { name, line }]) => ({ path: nameOf(path), name, line }));
    });
}

function contains({ start, end }, line) {
  return start.line <= line && line <= end.line;
}

/** Functions with their names, those of private methods (#name), which istanbul has none for, too. */
function namedFunctions(path, functions) {
  const lines = readFileSync(path, "utf8").split("\n");
  return functions.flatMap(({ name, decl: { start }, loc }) => {
    if (!name.startsWith("(anonymous")) return { name, loc };
    const [, own] = PRIVATE_METHOD.exec(lines[start.line - 1].slice(start.column)) ?? [];
    return own === undefined ? [] : { name: own, loc };
  });
}

const PRIVATE_METHOD = /^(?:static |async |get |set |\*)*(#\w+)\s*[(<]/;

/** The name of the innermost function with a name around a line; `undefined` outside of all. */
function functionAround(functions, line) {
  const around = functions.filter(({ loc }) => contains(loc, line));
  return around.sort((a, b) => b.loc.start.line - a.loc.start.line)[0]?.name;
}

/** Lines that were not reached. */
export function unreached(map, isPart) {
  return map
    .files()
    .filter(isPart)
    .flatMap((path) => {
      const coverage = map.fileCoverageFor(path);
      const functions = namedFunctions(path, Object.values(coverage.data.fnMap));
      return coverage.getUncoveredLines().map((line) => {
        return { path: nameOf(path), name: functionAround(functions, Number(line)), line: Number(line) };
      });
    });
}

function isOf({ path, names }, missed) {
  const isThere = path.endsWith("/") ? missed.path.startsWith(path) : missed.path === path;
  return isThere && (names === undefined || names.includes(missed.name));
}

/**
 * Puts what was missed beside its reasons.
 *
 * @returns `because`: each reason with what it is of; `open`: what has none; `idle`: reasons of nothing
 */
export function explain(missed, reasons) {
  const because = reasons.map((reason) => ({ ...reason, missed: [] }));
  const open = [];
  for (const one of missed) {
    const found = because.find((reason) => isOf(reason, one));
    if (found === undefined) open.push(one);
    else found.missed.push(one);
  }
  return {
    because: because.filter(({ missed }) => missed.length > 0),
    open,
    idle: because.filter(({ missed }) => missed.length === 0),
  };
}
