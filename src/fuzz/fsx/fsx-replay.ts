/**
 * Replay files of fsx: a line that says what they show and on what, then an operation a line, without fields that are 0.
 */
import { readJsonLines, writeJsonLines } from "../json-lines.ts";
import type { FsxTarget } from "./machines.ts";
import { briefOperation, type Operation, operation } from "./operation.ts";

export const FSX_REPLAY_VERSION = 1;

export interface FsxReplayHead {
  readonly fsx: typeof FSX_REPLAY_VERSION;
  readonly on: FsxTarget;
  /** Most bytes of a file. */
  readonly length: number;
  /** What a person should know of it. */
  readonly about: string;
  /** Memory of the kernel, bytes. */
  readonly limit?: number | undefined;
}

export interface FsxReplay {
  readonly head: FsxReplayHead;
  readonly operations: readonly Operation[];
}

export function writeFsxReplay({ head, operations }: FsxReplay): string {
  return writeJsonLines([head, ...operations.map(briefOperation)]);
}

/** @throws Error when it is no replay */
export function readFsxReplay(text: string): FsxReplay {
  const [head, ...lines] = readJsonLines(text) as [FsxReplayHead?, ...Parameters<typeof operation>[0][]];
  if (head?.fsx !== FSX_REPLAY_VERSION) throw new Error("it is no replay of this version of fsx");
  return { head, operations: lines.map(operation) };
}
