/** Programs about what is written back: their calls, drawn by a seed, and as a person reads them. Does not own: what comes of them (write-back.ts). */
import { chance, pick, type Random, type Weighted, weighted } from "../random.ts";
import type { Form } from "../schedule/async-call.ts";

export const NR_FILES = 2;
export const NR_CHAINS = 3;
export const NR_SLOTS = 2;
/** Of a file that are a chain's: two pages. */
export const CELLS_A_CHAIN = 8;
const MAX_CALLS = 36;
const FIRST_CHARACTER = 0x63;
const NR_CHARACTERS = 24;

export interface WriteBackCall {
  readonly task: number;
  readonly call: "open" | "close" | "write" | "read" | "fsync" | "fdatasync" | "range" | "syncfs" | "sync" | "drop";
  /** Number of a descriptor of its chain; NR_SLOTS is the one that all have. */
  readonly slot: number;
  /** "open": of the file. */
  readonly file: number;
  /** "open": each write is synced. */
  readonly isSynced: boolean;
  /** Cells, from the first that is the chain's. */
  readonly at: number;
  readonly length: number;
  /** What is written. */
  readonly cell: string;
  readonly form: Exclude<Form, "promise">;
}

const CALLS: Weighted<WriteBackCall["call"]> = [
  [4, "open"],
  [2, "close"],
  [14, "write"],
  [3, "read"],
  [8, "fsync"],
  [2, "fdatasync"],
  [2, "range"],
  [2, "syncfs"],
  [1, "sync"],
  [2, "drop"],
];

export function drawWriteBack(random: Random): WriteBackCall[] {
  const nrCalls = NR_CHAINS + random(MAX_CALLS - NR_CHAINS);
  return Array.from({ length: nrCalls }, (_, i) => {
    const at = random(CELLS_A_CHAIN);
    return {
      task: i % NR_CHAINS,
      call: i < NR_CHAINS ? "open" : weighted(random, CALLS),
      slot: random(NR_SLOTS + 1),
      file: random(NR_FILES),
      isSynced: chance(random, 30),
      at,
      length: 1 + random(CELLS_A_CHAIN - at),
      cell: String.fromCharCode(FIRST_CHARACTER + (i % NR_CHARACTERS)),
      form: pick(random, ["callback", "callback", "sync"] as const),
    };
  });
}

export function* simplerWriteBack(call: WriteBackCall): Generator<WriteBackCall> {
  if (call.length > 1) yield { ...call, length: call.length >> 1 };
  if (call.isSynced) yield { ...call, isSynced: false };
}

export function showWriteBack({ task, call, slot, file, isSynced, at, length, cell, form }: WriteBackCall): string {
  const args: Partial<Record<WriteBackCall["call"], readonly unknown[]>> = {
    open: [slot, file, ...(isSynced ? ["O_DSYNC"] : [])],
    write: [slot, at, length, cell],
    read: [slot, at, length],
    sync: [],
    drop: [],
  };
  return `${task}: ${call}(${(args[call] ?? [slot]).join(", ")}) ${form}`;
}
