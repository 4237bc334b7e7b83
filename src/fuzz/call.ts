/**
 * Calls of a program as plain data: what a generator draws, a child process is sent, and a replay file has a line of.
 *
 * Does not own: what the calls do (perform.ts).
 */

/** Bytes that are no text: names that are no UTF-8. */
export interface Hex {
  readonly hex: string;
}

export type Arg = number | string | null | Hex;

export interface Call {
  /** Whose call it is: index in the program's tasks. */
  readonly task: number;
  /** A name of the table of perform.ts: a call of node:fs without "Sync", of descriptors by the number of a slot. */
  readonly call: string;
  readonly args: readonly Arg[];
}

/** Who a task is. All begin each program at `/`, with umask 022. */
export interface TaskSpec {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export const ROOT_TASK: TaskSpec = { uid: 0, gid: 0, groups: [] };

/** What came of a call, as text; null = it was not made, since it would have left the oracle's folder. */
export type Outcome = string | null;

/** One call in one line, as a person reads it. */
export function showCall({ task, call, args }: Call): string {
  return `${task}: ${call}(${args.map((arg) => shortened(JSON.stringify(arg))).join(", ")})`;
}

const SHOWN = 80;

/** Long names by their ends. */
export function shortened(text: string, most = SHOWN): string {
  if (text.length <= most) return text;
  const half = most >> 1;
  return `${text.slice(0, half)}…(${text.length})…${text.slice(-half)}`;
}
