/** Which paths a rule is about: a path, a glob, a regular expression, or what a function says. */
import { argTypeError, argValueError } from "../node/errors.ts";
import type { FaultCall } from "./fault-call.ts";

/**
 * Calls by what they are about. Text is an absolute path; with `*`, `?`, `[` or `{` in it a glob, where `**` is any number of
 * directories and `\` takes the next character for what it is. Both paths of a call count, of a descriptor the one it was opened by.
 */
export type Where = string | RegExp | ((call: FaultCall) => boolean);

const SPECIAL = /[.+^$()|\\{}[\]*?/]/;

function quoted(character: string): string {
  return SPECIAL.test(character) ? `\\${character}` : character;
}

/** One piece of a glob that begins at `at`. @returns the expression for it, and how long it is */
function pieceOf(glob: string, at: number, isInBraces: boolean): [expression: string, length: number] {
  const rest = glob.slice(at);
  if (rest.startsWith("**/")) return ["(?:[^/]*/)*", 3];
  if (rest.startsWith("**")) return [".*", 2];
  if (rest[0] === "*") return ["[^/]*", 1];
  if (rest[0] === "?") return ["[^/]", 1];
  const set = /^\[(!?)((?:\\.|[^\]\\])+)\]/.exec(rest);
  if (set) return [`[${set[1] ? "^/" : ""}${set[2].replace(/^\^/, "\\^")}]`, set[0].length];
  if (rest[0] === "{") return ["(?:", 1];
  if (isInBraces && rest[0] === "}") return [")", 1];
  if (isInBraces && rest[0] === ",") return ["|", 1];
  if (rest[0] === "\\" && rest.length > 1) return [quoted(rest[1]), 2];
  return [quoted(rest[0]), 1];
}

/** The expression for a glob. */
export function globToRegExp(glob: string): RegExp {
  let source = "";
  let depth = 0;
  for (let at = 0; at < glob.length; ) {
    const isClosed = glob.includes("}", at);
    const [expression, length] = glob[at] === "{" && !isClosed ? ["\\{", 1] : pieceOf(glob, at, depth > 0);
    if (expression === "(?:") depth++;
    if (expression === ")") depth--;
    source += expression;
    at += length;
  }
  return new RegExp(`^${source}$`, "s");
}

/** Tells whether a call is one of those meant. */
export type Matcher = (call: FaultCall) => boolean;

function onPaths(isMeant: (path: string) => boolean): Matcher {
  return ({ path, dest }) => (path !== undefined && isMeant(path)) || (dest !== undefined && isMeant(dest));
}

/** From the root of a tree, or of anywhere. */
const ABSOLUTE = /^(?:\/|\*\*|\{|[a-zA-Z]:)/;

/** @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE for text that no absolute path can be like */
export function toMatcher(where: Where | undefined, argument: string): Matcher {
  if (where === undefined) return () => true;
  if (typeof where === "function") return where;
  if (where instanceof RegExp) return onPaths((path) => path.search(where) >= 0);
  if (typeof where !== "string") throw argTypeError(argument, ["string", "RegExp", "Function"], where);
  if (!ABSOLUTE.test(where)) throw argValueError(argument, where, "is to be an absolute path, or a glob for them");
  if (!/[*?[{\\]/.test(where)) return onPaths((path) => path === where);
  const expression = globToRegExp(where);
  return onPaths((path) => expression.test(path));
}

/** What a rule says it is about. */
export function shownWhere(where: Where | undefined): string {
  if (where === undefined) return "";
  return typeof where === "function" ? ` where ${where.name || "a function says so"}` : ` on ${where}`;
}
