/** Values of options on the command line, checked. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { UsageError } from "./usage.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<O extends Options> = { [K in keyof O]?: O[K]["type"] extends "boolean" ? boolean : string };

/** Seeds are 32 bits. */
export const NR_SEEDS = 2 ** 32;

/** @throws UsageError for what is no option */
export function optionsIn<O extends Options>(args: readonly string[], options: O): Values<O> {
  try {
    return parseArgs({ args: [...args], options }).values as Values<O>;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export function oneOf<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new UsageError(`--${option} takes one of ${choices.join(", ")}, not ${text}`);
  return found;
}

/** @returns undefined where it is not given @throws UsageError for what is no whole number of `least` to `most` */
export function numberIn(
  option: string,
  text: string | undefined,
  most = Number.MAX_SAFE_INTEGER,
  least = 0,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(`--${option} takes a whole number of ${least} to ${most}, not ${text}`);
  return value;
}
