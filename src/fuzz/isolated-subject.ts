/**
 * A file system of others in a thread of its own, as a runner. A call that never returns, or that ends the thread (no memory is left),
 * is an outcome, and the last of its program. The thread tells each outcome at once, so that none is lost with it.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Call, Outcome } from "./call.ts";
import type { Detail } from "./describe.ts";
import type { Runner } from "./oracle.ts";
import type { OtherRequest, OtherSetup } from "./other-worker.ts";

export interface IsolatedOptions {
  readonly root: string;
  readonly detail: Detail;
  /** The module that the thread runs: other-worker.ts, in one file. */
  readonly program: URL;
  /** How long a call may take. */
  readonly patienceMs?: number;
}

/** A call takes microseconds. */
const PATIENCE_MS = 10_000;
const MAX_HEAP_MB = 1024;
export const NEVER_RETURNS = "never returns";

export class IsolatedSubject implements Runner {
  readonly name: string;
  readonly #options: IsolatedOptions;
  #worker: Worker | undefined;
  /** Ends the calls under way. */
  #lose: ((loss: string) => void) | undefined;

  constructor(name: string, options: IsolatedOptions) {
    this.name = name;
    this.#options = options;
  }

  /** @throws Error when the file system cannot be loaded */
  async run(calls: readonly Call[], isSkipped: (index: number) => boolean = () => false): Promise<readonly Outcome[]> {
    this.#worker ??= await this.#start();
    const made = calls.map((call, i) => (isSkipped(i) ? undefined : call));
    const outcomes: Outcome[] = [];
    const loss = made.length === 0 ? undefined : await this.#ask(this.#worker, made, outcomes);
    if (loss === undefined) return outcomes;
    await this.close();
    return [...outcomes, loss];
  }

  /** @param outcomes gets what calls come to @returns what the thread did instead of the next answer; undefined = all are made */
  #ask(worker: Worker, calls: OtherRequest, outcomes: Outcome[]): Promise<string | undefined> {
    const { patienceMs = PATIENCE_MS } = this.#options;
    return new Promise((resolve) => {
      const end = (loss?: string): void => {
        clearTimeout(timer);
        worker.off("message", hear);
        this.#lose = undefined;
        resolve(loss);
      };
      const timer = setTimeout(end, patienceMs, NEVER_RETURNS);
      const hear = (outcome: Outcome): void => {
        timer.refresh();
        if (outcomes.push(outcome) === calls.length) end();
      };
      this.#lose = end;
      worker.on("message", hear);
      worker.postMessage(calls);
    });
  }

  /** Loading may take as long as it takes. */
  async #start(): Promise<Worker> {
    const { root, detail, program } = this.#options;
    const workerData: OtherSetup = { name: this.name, root, detail };
    const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB };
    const worker = new Worker(program, { workerData, stdout: true, resourceLimits });
    worker.on("error", ({ message }) => this.#hasEnded(worker, message));
    await once(worker, "message");
    return worker;
  }

  /** A thread has ended by an exception, such as a timer's: between two programs none is to be blamed, and the next has another thread. */
  #hasEnded(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    if (this.#lose !== undefined) {
      this.#lose(`ends the thread: ${message}`);
    } else {
      this.#worker = undefined;
      process.emitWarning(`${this.name} has ended its thread between two programs: ${message}`);
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
