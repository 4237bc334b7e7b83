/** What a subject is compared with, and what runs programs: the same of both. */
import type { Call, Outcome } from "./call.ts";

/** A file system that runs programs, each from an empty tree. */
export interface Runner {
  readonly name: string;
  /**
   * @param isSkipped calls that are not made: their outcome is null
   * @returns an outcome for each call
   */
  run(calls: readonly Call[], isSkipped?: (index: number) => boolean): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}
