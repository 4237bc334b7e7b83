/**
 * A campaign in several threads: each takes its share of the programs, on an oracle and a subject of its own.
 *
 * A thread runs the command line again, with the same arguments; what is printed is printed by the first.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createPairing, mergeProgress, type Pairing, type Progress, runCampaign } from "../fuzz.ts";
import type { FuzzOptions } from "./fuzz-options.ts";
import { UsageError } from "./usage.ts";

/** What a campaign ran on, as far as it is told of later. */
export type Setting = Pick<Pairing, "tasks" | "detail" | "without">;

/** How a campaign is watched. */
export interface Watcher {
  started(setting: Setting): void;
  /** Called now and then. */
  tell?(so: Progress): void;
}

interface Share {
  readonly index: number;
  readonly count: number;
}

/** What threads say. */
type Message =
  | { readonly started: Setting }
  | { readonly so: Progress }
  | { readonly refused: string }
  | { readonly end: Progress };

/** What threads are told when the search is to end. */
const END = "end";

/** @throws UsageError when there can be no such pair */
export async function runHere(
  options: FuzzOptions,
  watcher: Watcher,
  signal: AbortSignal,
  share?: Share,
): Promise<Progress> {
  const pairing = await createPairing(options).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  try {
    const { tasks, detail, without } = pairing;
    watcher.started({ tasks, detail, without });
    return await runCampaign({ ...options, ...pairing, tell: (so) => watcher.tell?.(so), signal, share });
  } finally {
    await pairing.close();
  }
}

/** @param args of the command line @throws as runHere() */
export async function runInThreads(
  args: readonly string[],
  options: FuzzOptions,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<Progress> {
  const { nrJobs, seed } = options;
  const shares: Progress[] = [];
  let hasStarted = false;
  const hear = (index: number, message: Message): void => {
    if ("started" in message && !hasStarted) {
      hasStarted = true;
      watcher.started(message.started);
    }
    if ("so" in message) {
      shares[index] = message.so;
      watcher.tell?.(mergeProgress(shares.filter((so) => so !== undefined)));
    }
  };
  const ends = Array.from({ length: nrJobs }, (_, index) => {
    const share: Share = { index, count: nrJobs };
    const argv = ["fuzz", ...args, "--seed", String(seed)];
    const worker = new Worker(process.argv[1], { argv, workerData: share });
    signal.addEventListener("abort", () => worker.postMessage(END));
    return endOf(worker, (message) => hear(index, message));
  });
  return mergeProgress(await Promise.all(ends));
}

function endOf(worker: Worker, hear: (message: Message) => void): Promise<Progress> {
  return new Promise((resolve, reject) => {
    worker.on("message", (message: Message) => {
      if ("end" in message) resolve(message.end);
      else if ("refused" in message) reject(new UsageError(message.refused));
      else hear(message);
    });
    worker.on("error", reject);
    worker.on("exit", (status) => reject(new Error(`a thread has ended (${status})`)));
  });
}

/** Whether this is one of the threads. */
export const isJob = !isMainThread;

/** Does the share of this thread. @returns the status to end with */
export async function runJob(options: FuzzOptions): Promise<number> {
  const share = workerData as Share;
  const say = (message: Message): void => parentPort?.postMessage(message);
  const maxCalls = Math.ceil(options.maxCalls / share.count);
  const controller = new AbortController();
  parentPort?.once("message", () => controller.abort()).unref();
  try {
    const watcher: Watcher = { started: (started) => say({ started }), tell: (so) => say({ so }) };
    say({ end: await runHere({ ...options, maxCalls }, watcher, controller.signal, share) });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say({ refused: error.message });
  }
  return 0;
}
