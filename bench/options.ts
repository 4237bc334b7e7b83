/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";
import type { ContenderName } from "./contenders/contender.ts";
import { LOADERS } from "./contenders/index.ts";

export interface Options {
  /** Rows whose id or title matches; undefined = all. */
  readonly only: RegExp | undefined;
  readonly contenders: readonly ContenderName[];
  /** The contender that ratios are taken of. */
  readonly base: ContenderName;
  readonly rounds: number;
  readonly budget: Budget;
  readonly isQuick: boolean;
  readonly jsonFile: string | undefined;
  readonly svgFile: string | undefined;
  /** Exit with 1 when a target of the left column is missed. */
  readonly mustHold: boolean;
  readonly listsRows: boolean;
}

/** How long one contender may take for one row in one turn. A round has several, see run.ts. */
export interface Budget {
  /** Least time of one sample of a repeated call, for benchmark.js. */
  readonly minSampleMs: number;
  /** Least time spent sampling a subject, either engine. */
  readonly sampleMs: number;
  readonly minSamples: number;
  /** Batches stop here even if `sampleMs` of timed work is not reached: set-up takes time too. */
  readonly maxWallMs: number;
  /** A contender that would need longer for a row is shown as `>20 s`. */
  readonly limitMs: number;
}

const FULL: Budget = { minSampleMs: 20, sampleMs: 150, minSamples: 5, maxWallMs: 500, limitMs: 20_000 };
const QUICK: Budget = { minSampleMs: 4, sampleMs: 20, minSamples: 3, maxWallMs: 80, limitMs: 2_000 };

const HELP = `Compares foliofs with memfs, ZenFS, node:fs on /dev/shm and node:vfs, on the same work in one run.

  npm run bench -- [options]

  --only <regex>       rows whose id or title matches, without regard to case
  --quick              one short round without ZenFS and some rows: a look, not a result
  --rounds <n>         rounds, interleaved (default 3; 1 with --quick)
  --contenders <list>  of ${Object.keys(LOADERS).join(", ")} (default: all that can run)
  --base <name>        contender that the ratios are taken of (default foliofs)
  --limit <seconds>    longest time of a contender for a row (default 20; 2 with --quick)
  --json <file>        where to write the results (default bench/results/node<version>.json, for full runs)
  --svg <file>         where to write the chart (default docs/bench.svg, for full runs)
  --must-hold          exit with 1 when a target that must hold is missed
  --list               print the ids of the rows
  --help               this text
`;

/** @returns the options; prints and exits for --help and for what it does not understand */
export function parseOptions(args: string[]): Options {
  try {
    return parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\nTry --help.`);
    process.exit(2);
  }
}

function parse(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      contenders: { type: "string" },
      base: { type: "string", default: "foliofs" },
      limit: { type: "string" },
      json: { type: "string" },
      svg: { type: "string" },
      "must-hold": { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const budget = values.quick ? QUICK : FULL;
  const everyone = Object.keys(LOADERS) as ContenderName[];
  const usual = values.quick ? everyone.filter((name) => name !== "zenfs") : everyone; // it alone takes most of a minute
  return {
    only: values.only === undefined ? undefined : new RegExp(values.only, "i"),
    contenders: values.contenders?.split(",").map(contenderName) ?? usual,
    base: contenderName(values.base),
    rounds: positive("--rounds", values.rounds, values.quick ? 1 : 3),
    budget: { ...budget, limitMs: positive("--limit", values.limit, budget.limitMs / 1000) * 1000 },
    isQuick: values.quick,
    jsonFile: values.json,
    svgFile: values.svg,
    mustHold: values["must-hold"],
    listsRows: values.list,
  };
}

function contenderName(name: string): ContenderName {
  if (!Object.hasOwn(LOADERS, name)) throw new Error(`No contender is called "${name}".`);
  return name as ContenderName;
}

function positive(option: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (!(number > 0)) throw new Error(`${option} takes a number above 0, not "${value}".`);
  return number;
}
