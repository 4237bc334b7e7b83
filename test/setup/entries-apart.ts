/**
 * Has each entry of the package be a copy of its own of all that it is made of, as in what is published: an operation, a class or a variable
 * of a module in one of them is another than that in the next. What is compared, or kept, across entries shows then.
 *
 * Does not own: what of it the build leaves single, or in common (scripts/build.mjs).
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Plugin } from "vite";

const ROOT = resolve(import.meta.dirname, "../..");
const SRC = `${ROOT}/src`;
/** Node's main entry is what tests have of single modules, too. */
const ENTRIES = new Set([
  "host",
  "lazy",
  "layers",
  "patch",
  "proc",
  "shared",
  "store",
  "streams",
  "trees",
  "verify",
  "watch",
]);
/** They are not beside those that share src/common.ts. */
const NOT_BESIDE = new Set(["host", "shared"]);
const SINGLES = new Set(["core-module.ts", "snapshot-error.ts"]);
const COMMON = new Set(
  Array.from(readFileSync(`${SRC}/common.ts`, "utf8").matchAll(/"(.+)"/g), ([, path]) => resolve(SRC, path)),
);
const MARK = "?entry=";

/** @param entry that imports the module; undefined = the main one @returns the one whose copy it gets */
function ownerOf(path: string, entry: string | undefined): string | undefined {
  if (entry === undefined || SINGLES.has(basename(path))) return undefined;
  return COMMON.has(path) && !NOT_BESIDE.has(entry) ? "common" : entry;
}

export function entriesApart(): Plugin {
  return {
    name: "entries-apart",
    enforce: "pre",
    resolveId(source, importer) {
      if (importer === undefined || !source.startsWith(".") || !source.endsWith(".ts")) return undefined;
      const [from, entry] = importer.split(MARK);
      const path = resolve(dirname(from), source);
      if (!path.startsWith(`${SRC}/`) || !existsSync(path)) return undefined;
      const isFromOutside = !from.startsWith(`${SRC}/`) || from.startsWith(`${SRC}/fuzz`);
      const name = basename(path, ".ts");
      const isEntry = isFromOutside && path === `${SRC}/${name}.ts` && ENTRIES.has(name);
      const owner = isEntry ? name : ownerOf(path, entry);
      return owner === undefined ? path : path + MARK + owner;
    },
  };
}
