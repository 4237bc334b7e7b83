/**
 * A column of the table in a process of its own: what one contender leaves on the heap, or teaches V8, does not touch
 * the others. The parent's side; the child is entrant-process.ts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./measure.ts";
import type { Budget } from "./options.ts";
import { missingFlags } from "./respawn.ts";
import type { Column } from "./results.ts";

/** What the child says first: what exactly it measures, or why it cannot. */
export type Greeting = { readonly origin: string } | { readonly reason: string };

/** One row, once. */
export interface Order {
  readonly rowId: string;
  readonly budget: Budget;
}

export interface Report {
  readonly outcome: Outcome;
  /** Set-up and checks included. */
  readonly wallMs: number;
}

const CHILD = fileURLToPath(new URL("entrant-process.ts", import.meta.url));

export class Entrant {
  readonly column: Column;
  readonly greeting: Greeting;
  readonly #child: ChildProcess;

  private constructor(column: Column, child: ChildProcess, greeting: Greeting) {
    this.column = column;
    this.#child = child;
    this.greeting = greeting;
  }

  /** Starts the process and waits until it has loaded its contender. */
  static async start(column: Column): Promise<Entrant> {
    const execArgv = [...missingFlags(), ...process.execArgv];
    const child = fork(CHILD, [column], { execArgv, serialization: "advanced" });
    return new Entrant(column, child, await nextMessage<Greeting>(child));
  }

  /** @throws Error when the process dies over it */
  run(order: Order): Promise<Report> {
    this.#child.send(order);
    return nextMessage<Report>(this.#child);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const abort = new AbortController();
  const { signal } = abort;
  try {
    const died = once(child, "exit", { signal }).then(([code, by]) => {
      throw new Error(`the process of a contender ended with ${by ?? code}`);
    });
    const [message] = await Promise.race([once(child, "message", { signal }), died]);
    return message as T;
  } finally {
    abort.abort();
  }
}
