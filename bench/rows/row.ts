/** What a row of the table is: one piece of work, done in the same way by every contender. */
import type { Subject } from "../contenders/contender.ts";

export type Section =
  | "pread and write"
  | "whole files"
  | "lookup"
  | "readdir"
  | "names"
  | "whole system"
  | "a folder of the host";

/** Where the bytes of a writing row go: to frames freed before, or to memory nobody has touched. */
export type MemoryState = "recycled" | "untouched";

/**
 * What a row that reads or writes one file over and over goes through: a power of two, well above what a second-level
 * cache holds, well below a processor's share of the last level. On the edge of either (32 MiB on the machine of the
 * published numbers, where a bare loop over 48 MiB takes 2.5 times as long a byte) a row measures the luck of its pages.
 */
export const WARM_BYTES = 2 ** 23;

/** About what a row on untouched memory fills before it ends. */
export const UNTOUCHED_BYTES = 2 ** 29;

export interface Row {
  /** Short and stable: `--only`, targets and JSON go by it. */
  readonly id: string;
  readonly title: string;
  readonly section: Section;
  /** Set for rows that write. Untouched rows run in a process of their own, and no batch frees what another has filled. */
  readonly memory?: MemoryState;
  /** Every batch gets a new subject, and there is no warm-up batch: for rows of very many calls. */
  readonly isFresh?: boolean;
  /** Left out by `--quick`: says little that another row does not. */
  readonly isLeftOutInQuick?: boolean;
  /** Set for rows that nobody else can run. */
  readonly only?: "foliofs";
  /** Set for rows on a folder of the host, mounted in foliofs, against node:fs on such a folder: the column "tmpfs". */
  readonly isOnHost?: boolean;
  /** Makes what the calls work on. Not timed. */
  setUp(subject: Subject): Trial;
  /** The same bytes moved by a bare `TypedArray.set` loop over the same offsets: the floor of the row. */
  bare?(): Trial;
}

interface TrialBase {
  /**
   * One call. Its result goes into a sum, so that nothing is optimised away.
   *
   * @param i counts up from 0; a batch starts at 0 again
   */
  op(i: number): number;
  /** Throws if the calls did not do what they should. Runs once, outside the timed part. */
  check(): void;
  /** Closes what set-up has opened: a removed file keeps its memory until then. */
  close?(): void;
}

/** A call that leaves things as they were: repeated as often as the engine likes. */
export interface RepeatTrial extends TrialBase {
  readonly kind: "repeat";
}

/** Calls that create or remove: a fixed count, then `reset` (not timed). */
export interface BatchTrial extends TrialBase {
  readonly kind: "batch";
  readonly nrOps: number;
  /** Bounds the batches of rows that use memory up. */
  readonly maxBatches?: number;
  /** Makes everything ready for another batch. */
  reset(): void;
}

export type Trial = RepeatTrial | BatchTrial;
