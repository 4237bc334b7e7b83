/** What a run has measured, and the ratios that follow from it. */
import type { ContenderName } from "./contenders/contender.ts";
import type { Outcome } from "./measure.ts";
import type { MemoryState, Row, Section } from "./rows/row.ts";
import { geometricMean, median } from "./stats.ts";

/** A contender, or the bare `TypedArray.set` loop. */
export type Column = ContenderName | "bare";

/** Whoever needs longer than this, set-up included, has one turn. */
const ONE_TURN_MS = 4000;

export class RowResult {
  readonly id: string;
  readonly title: string;
  readonly section: Section;
  readonly memory: MemoryState | undefined;
  /** ns per call by column and turn; a hole where the column sat out. */
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

  /** @param turn counts all turns of the run @param wallMs what it took, set-up included @param limitMs what it may take */
  add(column: Column, turn: number, outcome: Outcome, wallMs: number, limitMs: number): void {
    if (!("ns" in outcome) || wallMs > ONE_TURN_MS) this.#finished.add(column);
    if ("ns" in outcome) this.#turnsOf(column)[turn] = outcome.ns;
    else this.problems.set(column, "tooSlow" in outcome ? `>${limitMs / 1000} s` : outcome.error);
  }

  #turnsOf(column: Column): number[] {
    const turns = this.ns.get(column) ?? [];
    this.ns.set(column, turns);
    return turns;
  }

  /** No other turn after an error, nor for the very slow. */
  isFinished(column: Column): boolean {
    return this.#finished.has(column);
  }

  /** Median over the turns; undefined without a number, or after a problem in any turn. */
  nsOf(column: Column): number | undefined {
    const turns = this.problems.has(column) ? undefined : this.ns.get(column);
    return turns && median(Object.values(turns));
  }

  /** Median, over the turns that both had, of the time of `column` divided by that of `base`: above 1, `base` is faster. */
  ratio(column: Column, base: Column): number | undefined {
    const of = this.ns.get(column);
    const to = this.ns.get(base);
    if (!of || !to || this.problems.has(column) || this.problems.has(base)) return undefined;
    const ratios = of.map((ns, turn) => ns / to[turn]).filter((ratio) => !Number.isNaN(ratio));
    return ratios.length === 0 ? undefined : median(ratios);
  }
}

/** Geometric mean of the ratios of all rows that both have run. */
export function meanRatio(rows: readonly RowResult[], column: Column, base: Column): number | undefined {
  return geometricMean(rows.map((row) => row.ratio(column, base)).filter((ratio) => ratio !== undefined));
}

/** The rows that the targets for the mean are about: all but those on untouched memory. */
export function warmRows(rows: readonly RowResult[]): RowResult[] {
  return rows.filter((row) => row.memory !== "untouched" && row.section !== "a folder of the host");
}
