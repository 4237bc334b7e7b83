/**
 * A file system of others in a thread of its own, as a runner. A call that never returns, or that ends the thread (no memory is left),
 * is an outcome, and the last of its program: the calls before it are made again in a new thread, to tell what they came to.
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
  /** How long a program may take. */
  readonly patienceMs?: number;
}

/** A program takes some milliseconds. */
const PATIENCE_MS = 10_000;
const MAX_HEAP_MB = 1024;
export const NEVER_RETURNS = "never returns";

/** What the thread did instead of an answer. */
class Lost extends Error {}

export class IsolatedSubject implements Runner {
  readonly name: string;
  readonly #options: IsolatedOptions;
  readonly #at = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;

  constructor(name: string, options: IsolatedOptions) {
    this.name = name;
    this.#options = options;
  }

  async run(calls: readonly Call[], isSkipped: (index: number) => boolean = () => false): Promise<readonly Outcome[]> {
    const made = calls.map((call, i) => (isSkipped(i) ? undefined : call));
    try {
      return await this.#ask(made);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      const lostAt = Atomics.load(this.#at, 0);
      const before = lostAt === 0 ? [] : await this.#ask(made.slice(0, lostAt));
      return [...before, error.message];
    }
  }

  /** @throws Lost @throws Error when the file system cannot be loaded */
  async #ask(calls: OtherRequest): Promise<readonly Outcome[]> {
    const { patienceMs = PATIENCE_MS } = this.#options;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    Atomics.store(this.#at, 0, NOT_BEGUN);
    worker.postMessage(calls);
    try {
      const [outcomes] = await once(worker, "message", { signal: AbortSignal.timeout(patienceMs) });
      return outcomes as readonly Outcome[];
    } catch (error) {
      await this.close();
      if (Atomics.load(this.#at, 0) === NOT_BEGUN) throw error;
      const { name, message } = error as Error;
      throw new Lost(name === "AbortError" ? NEVER_RETURNS : `ends the thread: ${message}`);
    }
  }

  #start(): Worker {
    const { root, detail, program } = this.#options;
    const workerData: OtherSetup = { name: this.name, root, detail, at: this.#at };
    return new Worker(program, { workerData, stdout: true, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

const NOT_BEGUN = -1;
