/** What is said between the fuzzer and a process that runs programs on a file system of others: lines of JSON. */
import type { Call, Outcome } from "./call.ts";
import type { Detail } from "./describe.ts";

/** The one argument of a process. */
export interface OtherSetup {
  readonly name: string;
  readonly root: string;
  readonly detail: Detail;
}

/** A program, by standard input. A call that is null is not made. */
export type OtherRequest = readonly (Call | null)[];

/** What a process says, and by which descriptor: standard output and errors are the file system's own. */
export type OtherMessage =
  | { readonly loaded: true }
  /** A program has come: from here on its calls are to blame. */
  | { readonly begun: true }
  /** Of the next call. */
  | { readonly outcome: Outcome }
  /** Nobody has caught it; nothing comes after it. */
  | { readonly thrown: string };

export const OTHER_FD = 3;
