/**
 * Runs of `npm run coverage` alone: the debug core with counters, and who hears of them. FOLIOFS_COVERAGE is the folder in which
 * each process leaves the numbers of those that it has reached.
 *
 * Does not own: the counters (scripts/core-coverage).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";

export const COVERAGE_FOLDER: string | undefined = process.env.FOLIOFS_COVERAGE;

/** The core that tests run on. @param build debug, release or release-shared */
export function readCore(build: string): Buffer<ArrayBuffer> {
  const folder = COVERAGE_FOLDER === undefined ? "build" : "build/coverage";
  return readFileSync(new URL(`../../${folder}/core-${build}.wasm`, import.meta.url));
}

/** Has each instance of the core tell the counters that it comes by, and writes them down when the tests of a file are over. */
export function collectCounters(folder: string): void {
  const hits = new Set<number>();
  const hit = (id: number): void => void hits.add(id);
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports: WebAssembly.Imports = {}) {
      super(module, { ...imports, env: { ...imports.env, hit } });
    }
  };
  afterAll(() => {
    writeFileSync(join(folder, `${process.pid}-${Date.now()}-${Math.random()}.json`), JSON.stringify([...hits]));
  });
}
