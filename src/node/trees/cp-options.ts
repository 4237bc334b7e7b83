/** Options of cp, checked as Node does. @see Node 26 documentation, fs.cp() */
import { argTypeError, incompatibleOptionsError } from "../errors.ts";
import { checkBoolean, checkInteger, checkObject } from "../validators.ts";

/** Says whether an entry is copied, with all below it. */
export type CpFilter = (source: string, destination: string) => unknown;

/** Options of cp with their defaults filled in. */
export interface CpOptions {
  dereference: boolean;
  errorOnExist: boolean;
  filter: CpFilter | undefined;
  force: boolean;
  /** Mode of copyFile. */
  mode: number;
  preserveTimestamps: boolean;
  recursive: boolean;
  verbatimSymlinks: boolean;
}

const DEFAULTS: CpOptions = Object.freeze({
  dereference: false,
  errorOnExist: false,
  filter: undefined,
  force: true,
  mode: 0,
  preserveTimestamps: false,
  recursive: false,
  verbatimSymlinks: false,
});

const SWITCHES = [
  "dereference",
  "errorOnExist",
  "force",
  "preserveTimestamps",
  "recursive",
  "verbatimSymlinks",
] as const;
const MAX_COPY_MODE = 7;

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INCOMPATIBLE_OPTION_PAIR */
export function toCpOptions(options: unknown): CpOptions {
  if (options === undefined) return DEFAULTS;
  checkObject(options, "options");
  const given = { ...DEFAULTS, ...(options as Partial<CpOptions>) };
  for (const name of SWITCHES) checkBoolean(given[name], `options.${name}`);
  given.mode ??= 0;
  checkInteger(given.mode, "mode", 0, MAX_COPY_MODE);
  if (given.dereference && given.verbatimSymlinks) {
    throw incompatibleOptionsError("dereference", "verbatimSymlinks");
  }
  if (given.filter !== undefined && typeof given.filter !== "function") {
    throw argTypeError("options.filter", "function", given.filter);
  }
  return given;
}
