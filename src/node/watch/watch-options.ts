/** Options of fs.watch(), for one file or directory and for a tree. */
import { argValueError } from "../errors.ts";
import { checkAbortSignal, checkBoolean } from "../validators.ts";
import type { WatcherOptions } from "./fs-watcher.ts";
import { type CompilePattern, checkIgnore, ignoreMatcher } from "./ignore.ts";

interface Given {
  persistent?: unknown;
  recursive?: unknown;
  signal?: unknown;
  encoding?: unknown;
  ignore?: unknown;
  throwIfNoEntry?: unknown;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** @throws as checkIgnore() */
export function toPlainOptions(given: Given, compile: CompilePattern): WatcherOptions {
  const { persistent, encoding, ignore, throwIfNoEntry = true } = given;
  checkIgnore(ignore);
  return {
    isPersistent: persistent === undefined || persistent === true,
    encoding: encoding as string | null | undefined,
    isIgnored: ignoreMatcher(ignore, compile),
    throwIfNoEntry: Boolean(throwIfNoEntry),
  };
}

/** @throws ERR_INVALID_ARG_TYPE in this order: recursive, persistent, signal, throwIfNoEntry; ERR_INVALID_ARG_VALUE for an encoding that is no text; as checkIgnore() */
export function toTreeOptions(given: Given, compile: CompilePattern): WatcherOptions {
  const { persistent, recursive, signal, encoding, ignore, throwIfNoEntry } = given;
  if (isGiven(recursive)) checkBoolean(recursive, "options.recursive");
  if (isGiven(persistent)) checkBoolean(persistent, "options.persistent");
  if (isGiven(signal)) checkAbortSignal(signal, "options.signal");
  if (isGiven(throwIfNoEntry)) checkBoolean(throwIfNoEntry, "options.throwIfNoEntry");
  if (isGiven(encoding) && typeof encoding !== "string") throw argValueError("options.encoding", encoding);
  return {
    ...toPlainOptions({ ignore, throwIfNoEntry: throwIfNoEntry ?? true }, compile),
    isPersistent: persistent !== false,
  };
}
