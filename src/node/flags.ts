/**
 * Open flags as numbers, from Node's words for them.
 *
 * @see Node 26 lib/internal/fs/utils.js stringToFlags()
 */
import { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } from "../base/stat-flags.ts";
import { argValueError } from "./errors.ts";
import { fromCaller, type Origin } from "./stacks.ts";
import { checkInt32 } from "./validators.ts";

const WORDS = new Map<unknown, number>([
  ["r", O_RDONLY],
  ["rs", O_RDONLY | O_SYNC],
  ["sr", O_RDONLY | O_SYNC],
  ["r+", O_RDWR],
  ["rs+", O_RDWR | O_SYNC],
  ["sr+", O_RDWR | O_SYNC],
  ["w", O_TRUNC | O_CREAT | O_WRONLY],
  ["wx", O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
  ["xw", O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
  ["w+", O_TRUNC | O_CREAT | O_RDWR],
  ["wx+", O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
  ["xw+", O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
  ["a", O_APPEND | O_CREAT | O_WRONLY],
  ["ax", O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
  ["xa", O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
  ["as", O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
  ["sa", O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
  ["a+", O_APPEND | O_CREAT | O_RDWR],
  ["ax+", O_APPEND | O_CREAT | O_RDWR | O_EXCL],
  ["xa+", O_APPEND | O_CREAT | O_RDWR | O_EXCL],
  ["as+", O_APPEND | O_CREAT | O_RDWR | O_SYNC],
  ["sa+", O_APPEND | O_CREAT | O_RDWR | O_SYNC],
]);

function checkNumber(flags: number, name: string, form: Origin | undefined): void {
  try {
    checkInt32(flags, name);
  } catch (error) {
    throw fromCaller(error, form);
  }
}

/**
 * The flags of an open call as a number.
 *
 * @param name how the argument is called in errors about numbers
 * @param form what was called: the stacks of errors begin at its caller
 * @throws ERR_INVALID_ARG_VALUE for other words
 * @throws ERR_OUT_OF_RANGE for numbers that are no 32-bit integer
 */
export function toFlags(flags: unknown, name = "flags", form?: Origin): number {
  if (flags === "r" || flags === undefined || flags === null) return O_RDONLY;
  if (typeof flags === "number") {
    if ((flags | 0) !== flags) checkNumber(flags, name, form);
    return flags | 0;
  }
  if (flags === "w") return O_TRUNC | O_CREAT | O_WRONLY;
  const known = WORDS.get(flags);
  if (known === undefined) throw fromCaller(argValueError("flags", flags), form);
  return known;
}
