/** Arguments of glob, checked as Node does. @see Node 26 documentation, fs.glob() */
import type { Dirent } from "../dirent.ts";
import { argTypeError } from "../errors.ts";
import { resolvePath, toPath } from "../paths.ts";
import { checkBoolean, checkObject } from "../validators.ts";
import { createMatcher, type Matcher, type MatcherClass } from "./glob-pattern.ts";

/** Says what is left out, with all below it: by name, or by entry where the results are entries. */
type Exclude = (entry: string | Dirent) => unknown;

export interface GlobOptions {
  /** As given; the working directory is `.` */
  cwd: string;
  exclude: Exclude | undefined;
  /** Patterns for what is left out, from the root. */
  excluded: readonly Matcher[];
  followSymlinks: boolean;
  withFileTypes: boolean;
}

/** @throws ERR_INVALID_ARG_TYPE */
export function toPatterns(patterns: unknown): string[] {
  if (patterns !== null && typeof patterns === "object") {
    if (!Array.isArray(patterns)) throw argTypeError("patterns", "Array", patterns);
    for (const [i, pattern] of patterns.entries()) checkText(pattern, `patterns[${i}]`);
    return patterns;
  }
  if (patterns === null) throw argTypeError("patterns", "Array", patterns);
  checkText(patterns, "patterns");
  return [patterns];
}

function checkText(value: unknown, name: string): asserts value is string {
  if (typeof value !== "string") throw argTypeError(name, "string", value);
}

/** @param absolute makes a path one from the root @throws ERR_INVALID_ARG_TYPE */
export function toGlobOptions(
  options: unknown,
  Minimatch: MatcherClass,
  absolute: (path: string) => string,
): GlobOptions {
  const given = options === undefined ? {} : options;
  checkObject(given, "options");
  const { cwd, exclude, followSymlinks = false, withFileTypes } = given as Record<string, unknown>;
  const patterns = toExcluded(exclude);
  const start = toCwd(cwd);
  checkBoolean(followSymlinks, "options.followSymlinks");
  const base = patterns.length > 0 ? absolute(start) : "/";
  return {
    cwd: start,
    exclude: typeof exclude === "function" ? (exclude as Exclude) : undefined,
    excluded: patterns.map((pattern) => createMatcher(Minimatch, resolvePath(base, pattern))),
    followSymlinks,
    withFileTypes: Boolean(withFileTypes),
  };
}

function toCwd(cwd: unknown): string {
  if (cwd === undefined || cwd === null) return ".";
  const path = typeof cwd === "object" ? toPath(cwd, "options.cwd") : cwd;
  if (typeof path !== "string") throw argTypeError("paths[0]", "string", path);
  return path;
}

function toExcluded(exclude: unknown): readonly string[] {
  if (exclude === undefined || exclude === null || typeof exclude === "function") return [];
  if (!Array.isArray(exclude)) throw argTypeError("options.exclude", ["function", "string[]"], exclude);
  for (const [i, pattern] of exclude.entries()) checkText(pattern, `options.exclude[${i}]`);
  return exclude;
}
