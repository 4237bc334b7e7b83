/**
 * Patterns of glob, taken apart by minimatch: the library that Node itself has inside, handed in by who brings it.
 *
 * @see Node 26 documentation, fs.glob(); minimatch's own
 */

/** One component of a pattern: a name, what matches names, or `**` (a symbol). */
export type PatternPart = string | RegExp | symbol;

/** What glob needs of minimatch's class. */
export interface Matcher {
  /** Alternatives, as braces give them. */
  readonly set: readonly (readonly PatternPart[])[];
  match(path: string): boolean;
}

export type MatcherClass = new (pattern: string, options: object) => Matcher;

/** As Node asks for on Linux: `!` and `#` are characters, a backslash is a slash, `..` is taken back where it can be. */
const OPTIONS = Object.freeze({
  nocase: false,
  nocaseMagicOnly: true,
  nocomment: true,
  nonegate: true,
  optimizationLevel: 2,
  platform: "linux",
  windowsPathsNoEscape: true,
});

/** @param more options of minimatch's */
export function createMatcher(Minimatch: MatcherClass, pattern: string, more: object = {}): Matcher {
  return new Minimatch(pattern, { ...OPTIONS, ...more });
}

/** Is it `**`: any number of directories, this one too? */
export function isGlobstar(part: PatternPart | undefined): boolean {
  return typeof part === "symbol";
}

export function matchesName(part: PatternPart, name: string): boolean {
  return typeof part === "string" ? part === name : !isGlobstar(part) && (part as RegExp).test(name);
}
