/** The page: runs the suite on the main thread, then in a worker; the test reads `outcomes`. */
import { createFs } from "foliofs";
import type { Outcome } from "./outcome.ts";
import { runAll } from "./run.ts";

declare global {
  var outcomes: Promise<Record<"page" | "worker", Outcome>>;
}

function runInWorker(): Promise<Outcome> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

globalThis.outcomes = createFs().then(async (fs) => ({ page: await runAll(fs), worker: await runInWorker() }));
