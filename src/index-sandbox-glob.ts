/**
 * Globs as sandboxes have them, over whole paths:
 *
 *   *  any characters but slashes      **  any characters      `**` and a slash: any directories, none too
 *   ?  one character, no slash         [a-z] [!a]  one of these      {a,b}  either
 *
 * A pattern is made into alternatives, and these into tokens that are matched all places at once: the time is that of pattern
 * times path, whatever the pattern is.
 */
import { argValueError } from "./node/errors.ts";

/** Alternatives that one pattern may have. */
const MAX_ALTERNATIVES = 1024;

/** What a token takes: one character, as many as it likes, or directories with their slashes. */
interface Token {
  readonly kind: "one" | "many" | "directories";
  takes(char: string): boolean;
}

const isAny = (): boolean => true;
const isNoSlash = (char: string): boolean => char !== "/";

/** A pattern without braces, for each choice between them. @throws ERR_INVALID_ARG_VALUE for too many */
function alternativesOf(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    if (done.length + open.length > MAX_ALTERNATIVES) {
      throw argValueError("pattern", pattern, `has more than ${MAX_ALTERNATIVES} alternatives`);
    }
    const next = open.pop() as string;
    const start = next.search(/\{[^{}]*\}/);
    if (start < 0) {
      done.push(next);
      continue;
    }
    const end = next.indexOf("}", start);
    const choices = next.slice(start + 1, end).split(",");
    open.push(...choices.map((choice) => next.slice(0, start) + choice + next.slice(end + 1)));
  }
  return done;
}

/** What is between brackets. */
function classOf(inner: string): (char: string) => boolean {
  const isNegated = inner.startsWith("!") || inner.startsWith("^");
  const chars = [...(isNegated ? inner.slice(1) : inner)];
  const ranges: [string, string][] = [];
  for (let i = 0; i < chars.length; i++) {
    const isRange = chars[i + 1] === "-" && i + 2 < chars.length;
    ranges.push([chars[i], chars[isRange ? i + 2 : i]]);
    if (isRange) i += 2;
  }
  return (char) => char !== "/" && ranges.some(([from, to]) => from <= char && char <= to) !== isNegated;
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let rest = pattern; rest !== ""; ) {
    const close = rest[0] === "[" ? rest.indexOf("]", 2) : -1;
    const [char] = rest;
    let length = char.length;
    if (rest.startsWith("**/")) {
      tokens.push({ kind: "directories", takes: isAny });
      length = 3;
    } else if (rest.startsWith("**")) {
      tokens.push({ kind: "many", takes: isAny });
      length = 2;
    } else if (char === "*") tokens.push({ kind: "many", takes: isNoSlash });
    else if (char === "?") tokens.push({ kind: "one", takes: isNoSlash });
    else if (close > 0) {
      tokens.push({ kind: "one", takes: classOf(rest.slice(1, close)) });
      length = close + 1;
    } else tokens.push({ kind: "one", takes: (other) => other === char });
    rest = rest.slice(length);
  }
  return tokens;
}

/** Where each token may be begun: those at `at`, and those behind tokens that need take nothing. */
function reach(tokens: readonly Token[], at: number, places: Set<number>): void {
  places.add(at);
  if (at < tokens.length && tokens[at].kind !== "one") reach(tokens, at + 1, places);
}

function isMatch(tokens: readonly Token[], path: string): boolean {
  let places = new Set<number>();
  /** Tokens for directories that are in the midst of one. */
  let within = new Set<number>();
  reach(tokens, 0, places);
  for (const char of path) {
    const next = new Set<number>();
    const nextWithin = new Set<number>();
    for (const at of [...places, ...within]) {
      const token = tokens[at];
      if (!token?.takes(char)) continue;
      if (token.kind === "one") reach(tokens, at + 1, next);
      else if (token.kind === "many") reach(tokens, at, next);
      else if (char === "/" && within.has(at)) {
        reach(tokens, at + 1, next);
        nextWithin.add(at);
      } else nextWithin.add(at);
    }
    places = next;
    within = nextWithin;
  }
  return places.has(tokens.length);
}

/** Tells which paths fit a pattern. @throws ERR_INVALID_ARG_VALUE for one with too many alternatives */
export function globMatcher(pattern: string): (path: string) => boolean {
  const alternatives = alternativesOf(pattern).map(tokensOf);
  return (path) => alternatives.some((tokens) => isMatch(tokens, path));
}
