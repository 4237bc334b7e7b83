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
  /**
   * The directory that is its root (chroot), a name in the root of the others; left out: that root. It is there when a program
   * begins, and has a file that no program names, KEPT_NAME: so it can be moved, but not be removed.
   */
  readonly root?: string;
}

/** What keeps the roots of tasks from being removed. */
export const KEPT_NAME = "kept";
export const KEPT_MODE = 0o600;

/** The directories that are roots of tasks. */
export function rootsOf(tasks: readonly TaskSpec[]): readonly string[] {
  return [...new Set(tasks.flatMap(({ root }) => root ?? []))];
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
