/** The host's kernel as a runner: a process for each task, which is sent its calls in batches. */
import type { Duplex } from "node:stream";
import type { Call, Outcome } from "./call.ts";
import { type HostOptions, type StartedHost, startHost } from "./host-root.ts";
import { LineReader } from "./lines.ts";
import type { Runner } from "./oracle.ts";
import type { Answer, Request } from "./oracle-protocol.ts";

/** One process, which answers a request by a line, one after the other. */
class OracleProcess {
  readonly #socket: Duplex;
  readonly #lines = new LineReader();
  #resolve: ((answer: Answer) => void) | undefined;
  #reject: (error: Error) => void = () => {};

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#hear(bytes));
    socket.on("error", (error) => this.#reject(error));
    socket.on("close", () => this.#reject(new Error("a process of the host's oracle has ended")));
  }

  ask(request: Request): Promise<Answer> {
    this.#socket.write(`${JSON.stringify(request)}\n`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#socket.destroy();
        reject(new Error(`the oracle has no answer after ${PATIENCE_MS} ms: ${JSON.stringify(request).slice(-1000)}`));
      }, PATIENCE_MS);
      this.#resolve = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
    });
  }

  #hear(bytes: Buffer): void {
    for (const line of this.#lines.read(bytes)) this.#resolve?.(JSON.parse(line) as Answer);
  }
}

/** A batch takes some milliseconds. */
const PATIENCE_MS = 120_000;

/** Runs of calls by one task each, in order. */
function* batchesOf(calls: readonly Call[]): Generator<readonly Call[]> {
  for (let from = 0; from < calls.length; ) {
    const { task } = calls[from];
    let to = from + 1;
    while (to < calls.length && calls[to].task === task) to++;
    yield calls.slice(from, to);
    from = to;
  }
}

class HostOracle implements Runner {
  readonly name: string;
  /** As in StartedHost. */
  readonly root: string;
  readonly #host: StartedHost;
  readonly #processes: readonly OracleProcess[];

  constructor(name: string, host: StartedHost) {
    this.name = name;
    this.root = host.root;
    this.#host = host;
    this.#processes = host.sockets.map((socket) => new OracleProcess(socket));
  }

  async run(calls: readonly Call[], isSkipped: (index: number) => boolean = () => false): Promise<Outcome[]> {
    try {
      return await this.#run(calls, isSkipped);
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${await this.#host.close()}`);
    }
  }

  async #run(calls: readonly Call[], isSkipped: (index: number) => boolean): Promise<Outcome[]> {
    const [first, ...others] = this.#processes;
    await first.ask({ reset: { empties: true } });
    await Promise.all(others.map((other) => other.ask({ reset: { empties: false } })));
    const made = calls.map((call, i) => (isSkipped(i) ? undefined : call));
    const outcomes: Outcome[] = [];
    for (const batch of batchesOf(made.filter((call) => call !== undefined))) {
      const answer = await this.#processes[batch[0].task].ask({ run: batch });
      for (const outcome of answer ?? []) outcomes.push(outcome);
    }
    const each = outcomes.values();
    return made.map((call) => (call === undefined ? null : (each.next().value ?? null)));
  }

  async close(): Promise<void> {
    await this.#host.close();
  }
}

/** @throws Error when the host cannot keep calls from its own files, or has no such file system */
export async function createHostOracle(options: HostOptions): Promise<HostOracle> {
  return new HostOracle(options.fileSystem, await startHost(options));
}

export type { HostOracle };
