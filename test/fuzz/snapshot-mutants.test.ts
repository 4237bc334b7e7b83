/**
 * Snapshots that nobody has made (test/helpers/snapshot-mutator.ts): those that foliofs/verify accepts can be worked on, and nothing traps,
 * hangs, or throws anything but errors with a code.
 *
 * FOLIO_SEED starts from a given seed (a fresh one), FOLIO_MUTANTS is how many there are (200), FOLIO_MUTANT the only one to be made.
 * FOLIO_WAY=exchange makes those alone in which things of one kind exchange a field.
 */

import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { MutantResult } from "../helpers/snapshot-mutant-worker.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const MUTANTS = Number(process.env.FOLIO_MUTANTS ?? 200);
const ONLY = process.env.FOLIO_MUTANT;
const WAY = process.env.FOLIO_WAY === "exchange" ? "exchange" : "any";
/** None takes a thousandth of that: a mutant that has taken as long does not come back. */
const LIMIT_MS = 180_000;
const SHOWN = 20;

type Message = { step: "ready" } | ({ step: "accepted" | "done" } & MutantResult);

/** Makes mutants in a thread, which is another one after one that hangs. */
class Mill {
  readonly accepted: MutantResult[] = [];
  readonly refused = new Map<string, number>();
  readonly findings: MutantResult[] = [];
  #next: number;
  readonly #end: number;

  constructor(first: number, end: number) {
    this.#next = first;
    this.#end = end;
  }

  async run(): Promise<void> {
    while (this.#next < this.#end) await this.#thread();
  }

  #thread(): Promise<void> {
    const build = process.env.FOLIOFS_BUILD ?? "debug";
    const wasm = fileURLToPath(new URL(`../../build/core-${build}.wasm`, import.meta.url));
    const worker = new Worker(new URL("../helpers/snapshot-mutant-boot.mjs", import.meta.url), {
      workerData: { wasm, isShared: build === "release-shared", seed: SEED, way: WAY },
    });
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      let last: MutantResult | undefined;
      const end = (): void => {
        clearTimeout(timer);
        void worker.terminate().then(() => resolve());
      };
      const fail = (what: string): void => {
        const n = this.#next++;
        const known = last?.n === n ? last : { n, scene: "?", told: [], refused: undefined };
        this.findings.push({ ...known, faults: [what] });
        end();
      };
      const ask = (): void => {
        clearTimeout(timer);
        if (this.#next >= this.#end) end();
        else {
          timer = setTimeout(fail, LIMIT_MS, "it hangs");
          worker.postMessage(this.#next);
        }
      };
      worker.on("error", (error: Error) => fail(`the thread ended: ${error.stack}`));
      worker.on("message", (message: Message) => {
        if (message.step === "accepted") last = message;
        if (message.step === "done") this.#note(message);
        if (message.step !== "accepted") ask();
      });
    });
  }

  #note(result: MutantResult): void {
    this.#next++;
    if (result.faults.length > 0) this.findings.push(result);
    if (result.refused === undefined) this.accepted.push(result);
    else {
      const reason = result.refused.replace(/ \(at 0x.*/, "");
      this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    }
  }
}

describe("mutants of snapshots", { timeout: 36_000_000 }, () => {
  it("are refused, or can be worked on", async () => {
    const mill = ONLY === undefined ? new Mill(0, MUTANTS) : new Mill(Number(ONLY), Number(ONLY) + 1);
    console.log(`mutants: FOLIO_SEED=${SEED}`);
    await mill.run();
    const nrRefused = [...mill.refused.values()].reduce((sum, nr) => sum + nr, 0);
    console.log(`mutants: ${mill.accepted.length} accepted, ${nrRefused} refused for ${mill.refused.size} reasons`);
    if (process.env.FOLIO_TALLY)
      for (const [reason, nr] of [...mill.refused].sort((a, b) => b[1] - a[1])) console.log(nr, reason);
    const shown = mill.findings
      .slice(0, SHOWN)
      .map(({ n, scene, told, faults }) => ({ mutant: n, scene, told, faults: faults.slice(0, 5) }));
    expect(shown, `FOLIO_SEED=${SEED}`).toEqual([]);
    if (ONLY === undefined) expect(mill.refused.size).toBeGreaterThan(1);
  });
});
