/** The `ignore` option of watchers: patterns, regular expressions and functions, of which one is enough. */
import { argTypeError, argValueError } from "../errors.ts";

/** Compiles a pattern: one without a slash is matched with the last part of names. */
export type CompilePattern = (pattern: string) => (filename: string) => boolean;

/** Is a name to be passed over? */
export type IgnoreMatcher = (filename: string | Uint8Array) => boolean;

type Matcher = string | RegExp | ((filename: string) => unknown);

function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === "[object RegExp]";
}

function checkMatcher(value: unknown, name: string): void {
  if (typeof value === "string") {
    if (value === "") throw argValueError(name, value, "must be a non-empty string");
  } else if (!isRegExp(value) && typeof value !== "function")
    throw argTypeError(name, ["string", "RegExp", "Function"], value);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for an empty pattern */
export function checkIgnore(ignore: unknown, name = "options.ignore"): asserts ignore is Matcher | Matcher[] {
  if (ignore === undefined || ignore === null) return;
  if (!Array.isArray(ignore)) checkMatcher(ignore, name);
  else for (const [i, one] of ignore.entries()) checkMatcher(one, `${name}[${i}]`);
}

/** @param ignore as checked by checkIgnore() @returns undefined: nothing is ignored */
export function ignoreMatcher(ignore: unknown, compile: CompilePattern): IgnoreMatcher | undefined {
  if (ignore === undefined || ignore === null) return undefined;
  const matchers = (Array.isArray(ignore) ? ignore : [ignore]).map((one: Matcher) => {
    if (typeof one === "string") return compile(one);
    return isRegExp(one) ? (filename: string) => one.exec(filename) !== null : one;
  });
  return (filename) => matchers.some((matches) => matches(filename as string));
}
