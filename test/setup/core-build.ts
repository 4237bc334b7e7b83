/**
 * Puts the core that FOLIOFS_BUILD names under the tests (debug where it names none) and, on the debug core, walks all
 * of every live kernel's memory after each test.
 */
import { readFileSync } from "node:fs";
import { afterEach } from "vitest";
import { liveKernels } from "../../src/vfs/kernel.ts";
import { useCoreModule } from "../../src/wasm/core-module.ts";

const build = process.env.FOLIOFS_BUILD ?? "debug";
const wasm = readFileSync(new URL(`../../build/core-${build}.wasm`, import.meta.url));

useCoreModule(new WebAssembly.Module(wasm), { shared: build === "release-shared" });

if (build === "debug") {
  afterEach(() => {
    for (const kernel of liveKernels()) kernel.verify();
  });
}
