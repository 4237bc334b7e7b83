/** What is said between the fuzzer and the processes that make calls of the host's kernel: lines of JSON. */
import type { Call, Outcome, TaskSpec } from "./call.ts";
import type { Detail } from "./describe.ts";
import type { LockPipes } from "./oracle-locks.ts";

/** The one argument of a process. */
export interface OracleSetup {
  /** Whom the process becomes; left out: it stays who it is. */
  readonly task?: TaskSpec;
  /** The folder that paths are kept below, where the process has no root of its own; else "". */
  readonly root: string;
  readonly detail: Detail;
  /** Directories that are roots of other tasks: of the process that empties the tree. */
  readonly roots: readonly string[];
  /** Left out: it cannot lock. */
  readonly locks?: LockPipes;
}

export type Request =
  /** Makes calls. The answer is Outcome[]. */
  | { readonly run: readonly Call[] }
  /** As at the beginning; the answer is null. `empties` asks it of the process whose task is root. */
  | { readonly reset: { readonly empties: boolean } };

export type Answer = readonly Outcome[] | null;

/** What a process says once it has all that it needs of the host's files. */
export const READY = "ready";
