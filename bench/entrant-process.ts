/** The child's side of entrant.ts: runs rows for the one column that it is started with, as the parent asks for them. */
import type { Contender, ContenderName } from "./contenders/contender.ts";
import { LOADERS } from "./contenders/index.ts";
import type { Greeting, Order, Report } from "./entrant.ts";
import { measureBare, measureContender, type Outcome } from "./measure.ts";
import type { Budget } from "./options.ts";
import type { Column } from "./results.ts";
import { rows } from "./rows/index.ts";
import type { Row } from "./rows/row.ts";

/** Just below the largest block that glibc learns from. */
const SETTLING_BYTES = 31 * 2 ** 20;

const column = process.argv[2] as Column;
process.on("disconnect", () => process.exit());

/**
 * Brings malloc where it is in a program that has run for a while: glibc hands memory back to the system and takes it
 * again, with page faults, until it has once freed a block of some MiB. By that a Buffer of 64 KiB costs 1 or 12 µs.
 */
function settleMalloc(): void {
  new Uint8Array(SETTLING_BYTES).fill(1);
  globalThis.gc?.();
}

settleMalloc();

try {
  const contender = column === "bare" ? undefined : await LOADERS[column as ContenderName]();
  process.on("message", (order: Order) => tell(carryOut(order, contender)));
  tell({ origin: contender?.origin ?? "" });
} catch (error) {
  tell({ reason: String((error as Error).message).split("\n")[0] });
}

function carryOut({ rowId, budget }: Order, contender: Contender | undefined): Report {
  const startMs = performance.now();
  const outcome = measure(rows.find(({ id }) => id === rowId) as Row, contender, budget);
  return { outcome, wallMs: performance.now() - startMs };
}

function measure(row: Row, contender: Contender | undefined, budget: Budget): Outcome {
  return contender ? measureContender(row, contender, budget) : measureBare(row, budget);
}

function tell(message: Greeting | Report): void {
  process.send?.(message);
}
