/** What a run has measured, and the ratios that follow from it. */
import type { ContenderName } from "./contenders/contender.ts";
import type { Outcome } from "./measure.ts";
import type { MemoryState, Row, Section } from "./rows/row.ts";
import { geometricMean, median } from "./stats.ts";

/** A contender, or the bare `TypedArray.set` loop. */
export type Column = ContenderName | "bare";

/** Whoever needs longer than this, set-up included, runs the row once only. */
const ONE_RUN_MS = 4000;

export class RowResult {
  readonly id: string;
  readonly title: string;
  readonly section: Section;
  readonly memory: MemoryState | undefined;
  /** ns per call by column, in the order of the rounds. */
  readonly ns = new Map<Column, number[]>();
  /** Why a column has no number: ">20 s", or the message of an error. */
  readonly problems = new Map<Column, string>();
  readonly #finished = new Set<Column>();

  constructor({ id, title, section, memory }: Row) {
    this.id = id;
    this.title = title;
    this.section = section;
    this.memory = memory;
  }

  /** @param wallMs what it took, set-up included @param limitMs what it may have taken */
  add(column: Column, outcome: Outcome, wallMs: number, limitMs: number): void {
    if (!("ns" in outcome) || wallMs > ONE_RUN_MS) this.#finished.add(column);
    if ("ns" in outcome) this.ns.set(column, [...(this.ns.get(column) ?? []), outcome.ns]);
    else this.problems.set(column, "tooSlow" in outcome ? `>${limitMs / 1000} s` : outcome.error);
  }

  /** No other run after an error, nor for the very slow. */
  isFinished(column: Column): boolean {
    return this.#finished.has(column);
  }

  /** Median over the rounds; undefined without a number, or after a problem in any round. */
  nsOf(column: Column): number | undefined {
    const rounds = this.problems.has(column) ? undefined : this.ns.get(column);
    return rounds && median(rounds);
  }

  /** Median over the rounds of the time of `column` divided by that of `base`: above 1, `base` is faster. */
  ratio(column: Column, base: Column): number | undefined {
    const of = this.ns.get(column);
    const to = this.ns.get(base);
    if (!of || !to || this.problems.has(column) || this.problems.has(base)) return undefined;
    const both = of.slice(0, to.length); // a slow contender has run fewer rounds, from the first on
    return median(both.map((ns, round) => ns / to[round]));
  }
}

/** Geometric mean of the ratios of all rows that both have run. */
export function meanRatio(rows: readonly RowResult[], column: Column, base: Column): number | undefined {
  return geometricMean(rows.map((row) => row.ratio(column, base)).filter((ratio) => ratio !== undefined));
}

/** The rows that the targets for the mean are about: all but those on untouched memory. */
export function warmRows(rows: readonly RowResult[]): RowResult[] {
  return rows.filter((row) => row.memory !== "untouched");
}
