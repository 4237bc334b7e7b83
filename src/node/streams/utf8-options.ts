/** Options of Utf8Stream, checked in Node's words. */
import { argTypeError, argValueRangeError } from "../errors.ts";
import { checkBoolean, checkCallback, checkObject, checkOneOf, checkUint32, toFileMode } from "../validators.ts";
import type { Utf8Calls } from "./utf8-stream.ts";

const DEFAULT_MAX_WRITE_BYTES = 16384;
/** From this length of what waits on, `write()` says that its caller should wait too. */
const MIN_HIGH_WATER_MARK = 16387;

const CALLS = [
  "write",
  "writeSync",
  "fsync",
  "fsyncSync",
  "close",
  "open",
  "openSync",
  "mkdir",
  "mkdirSync",
] as const satisfies readonly (keyof Utf8Calls)[];

/** Asked whether to try again. @param waiting length of what is being written @param rest length of what comes after */
export type RetryAgain = (error: Error, waiting: number, rest: number) => boolean;

/** What a Utf8Stream was made with. Lengths are those of text, or bytes where buffers are written. */
export interface Utf8Options {
  readonly target: number | string;
  readonly calls: Partial<Utf8Calls>;
  readonly minLength: number;
  readonly maxLength: number;
  readonly maxWrite: number;
  readonly highWaterMark: number;
  /** ms; 0 = never by itself. */
  readonly periodicFlush: number;
  readonly sync: boolean;
  readonly fsync: boolean;
  readonly append: boolean;
  readonly mkdir: boolean;
  readonly mode: number | undefined;
  readonly contentMode: "utf8" | "buffer";
  readonly retryEAGAIN: RetryAgain;
}

type Given = Record<string, unknown>;

/** A length, or its default for what is nothing. */
function lengthOf(given: Given, name: string, fallback: number): number {
  const value = given[name] || fallback;
  checkUint32(value, `options.${name}`);
  return value;
}

function flagOf(given: Given, name: string, fallback: boolean): boolean {
  const value = given[name] ?? fallback;
  checkBoolean(value, `options.${name}`);
  return value;
}

function callsOf(given: Given): Partial<Utf8Calls> {
  const calls = given.fs ?? {};
  checkObject(calls, "options.fs");
  for (const name of CALLS) {
    const call = (calls as Given)[name];
    if (call !== undefined) checkCallback(call, `options.fs.${name}`);
  }
  return calls as Partial<Utf8Calls>;
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE */
export function toUtf8Options(options: unknown): Utf8Options {
  checkObject(options, "options");
  const given = options as Given;
  const target = given.fd ?? given.dest;
  const least = Math.max((given.minLength as number) || 0, MIN_HIGH_WATER_MARK);
  checkUint32(least, "options.hwm");
  const minLength = lengthOf(given, "minLength", 0);
  const maxWrite = lengthOf(given, "maxWrite", DEFAULT_MAX_WRITE_BYTES);
  const { retryEAGAIN = () => true, contentMode = "utf8", mode } = given;
  checkCallback(retryEAGAIN, "options.retryEAGAIN");
  checkOneOf(contentMode, "options.contentMode", ["buffer", "utf8"]);
  if (typeof target !== "number" && typeof target !== "string") throw argTypeError("fd", ["number", "string"], target);
  if (minLength >= maxWrite) {
    throw argValueRangeError("minLength", minLength, `should be smaller than maxWrite (${maxWrite})`);
  }
  return {
    target,
    calls: callsOf(given),
    minLength,
    maxLength: lengthOf(given, "maxLength", 0),
    maxWrite,
    highWaterMark: least,
    periodicFlush: lengthOf(given, "periodicFlush", 0),
    sync: flagOf(given, "sync", false),
    fsync: flagOf(given, "fsync", false),
    append: flagOf(given, "append", true),
    mkdir: flagOf(given, "mkdir", false),
    mode: mode === undefined ? undefined : toFileMode(mode, "mode"),
    contentMode: contentMode as "utf8" | "buffer",
    retryEAGAIN: retryEAGAIN as unknown as RetryAgain,
  };
}
