/**
 * A file system of others in a process of its own, as a runner. A call that never returns, or that ends the process in whatever way (V8
 * gives up where no memory is left), is an outcome, and the last of its program.
 */
import type { Call, Outcome } from "./call.ts";
import type { Detail } from "./describe.ts";
import type { Runner } from "./oracle.ts";
import { type Heard, OtherChild } from "./other-child.ts";
import type { OtherRequest } from "./other-protocol.ts";

export interface IsolatedOptions {
  readonly root: string;
  readonly detail: Detail;
  /** The module that the process runs: other-process.ts, in one file. */
  readonly program: URL;
  /** How long a call may take. */
  readonly patienceMs?: number;
  readonly maxHeapMb?: number;
}

/** What a program has come to. */
interface Answer {
  readonly outcomes: Outcome[];
  /** Whether the process had come to it. */
  hasBegun: boolean;
  /** What the process did in the place of the next answer; undefined = all are there. */
  loss: string | undefined;
}

/** A call takes microseconds. */
const PATIENCE_MS = 10_000;
const MAX_HEAP_MB = 1024;
export const NEVER_RETURNS = "never returns";

export class IsolatedSubject implements Runner {
  readonly name: string;
  readonly #options: IsolatedOptions;
  #child: OtherChild | undefined;

  constructor(name: string, options: IsolatedOptions) {
    this.name = name;
    this.#options = options;
  }

  /** @throws Error when the file system cannot be loaded */
  async run(calls: readonly Call[], isSkipped: (index: number) => boolean = () => false): Promise<readonly Outcome[]> {
    const made = calls.map((call, i) => (isSkipped(i) ? null : call));
    const isFresh = this.#child === undefined;
    this.#child ??= await this.#start();
    if (made.length === 0) return [];
    const { outcomes, hasBegun, loss } = await this.#ask(this.#child, made);
    if (loss === undefined) return outcomes;
    await this.close();
    if (hasBegun || isFresh) return [...outcomes, loss];
    this.#warn(loss);
    return this.run(calls, isSkipped);
  }

  #ask(child: OtherChild, calls: OtherRequest): Promise<Answer> {
    const { patienceMs = PATIENCE_MS } = this.#options;
    const answer: Answer = { outcomes: [], hasBegun: false, loss: undefined };
    return new Promise((resolve) => {
      const end = (loss?: string): void => {
        clearTimeout(timer);
        this.#leave(child);
        resolve({ ...answer, loss });
      };
      const timer = setTimeout(end, patienceMs, NEVER_RETURNS);
      child.hear = (heard) => {
        if ("ended" in heard) return end(`ends the process: ${heard.ended}`);
        timer.refresh();
        answer.hasBegun = true;
        if ("outcome" in heard && answer.outcomes.push(heard.outcome) === calls.length) end();
      };
      child.ask(calls);
    });
  }

  async #start(): Promise<OtherChild> {
    const { root, detail, program, maxHeapMb = MAX_HEAP_MB } = this.#options;
    const child = new OtherChild(program, { name: this.name, root, detail }, maxHeapMb);
    await child.load();
    this.#leave(child);
    return child;
  }

  /** A process may end by an exception, such as a timer's: between two programs none is to be blamed, and the next has another process. */
  #leave(child: OtherChild): void {
    child.hear = (heard: Heard) => {
      if (!("ended" in heard) || child !== this.#child) return;
      this.#child = undefined;
      this.#warn(`ends the process: ${heard.ended}`);
    };
  }

  #warn(loss: string): void {
    process.emitWarning(`${this.name} ${loss}, between two programs`);
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.kill();
  }
}
