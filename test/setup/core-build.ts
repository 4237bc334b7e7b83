/**
 * Puts the core that FOLIOFS_BUILD names under the tests (debug where it names none) and, on the debug core, walks all
 * of every live kernel's memory after each test.
 */
import { afterEach } from "vitest";
import { liveKernels } from "../../src/vfs/kernel.ts";
import { useCoreModule } from "../../src/wasm/core-module.ts";
import { COVERAGE_FOLDER, collectCounters, readCore } from "./core-coverage.ts";

const build = process.env.FOLIOFS_BUILD ?? "debug";
if (COVERAGE_FOLDER !== undefined) collectCounters(COVERAGE_FOLDER);

useCoreModule(new WebAssembly.Module(readCore(build)), { shared: build === "release-shared" });

if (build === "debug") {
  afterEach(() => {
    for (const kernel of liveKernels()) kernel.verify();
  });
}
