/** Arguments of `foliofs top`. What follows the script is the script's. */
import { parseArgs } from "node:util";
import { UsageError } from "./usage.ts";

export interface TopOptions {
  readonly script: string;
  /** Of the script. */
  readonly args: readonly string[];
  readonly once: boolean;
  readonly intervalMs: number;
}

const OPTIONS = { once: { type: "boolean" }, interval: { type: "string" } } as const;
const DEFAULT_SECONDS = "1";
const MIN_MS = 50;
const MAX_MS = 86_400_000;

/** @throws UsageError */
export function parseTopOptions(args: readonly string[]): TopOptions {
  const at = scriptIndex(args);
  if (at === undefined) throw new UsageError("foliofs top needs a script to run");
  const { once = false, interval = DEFAULT_SECONDS } = parseOwn(args.slice(0, at).filter((arg) => arg !== "--"));
  return { script: args[at], args: args.slice(at + 1), once, intervalMs: parseInterval(interval) };
}

/** Where the first argument is that is no option, nor the value of one. */
function scriptIndex(args: readonly string[]): number | undefined {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.find(({ kind }) => kind === "positional")?.index;
}

function parseOwn(args: string[]): { once?: boolean; interval?: string } {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function parseInterval(text: string): number {
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Number.NaN;
  if (!(ms >= MIN_MS && ms <= MAX_MS)) throw new UsageError(`--interval takes seconds from 0.05 to 86400, not ${text}`);
  return ms;
}
