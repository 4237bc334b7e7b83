/**
 * Builds the debug core with counters: build/coverage/core-debug.wasm, and build/coverage/counters.json that says what each counts.
 *
 * Does not own: where counters go (instrument.mjs), who hears of them (test/setup/core-coverage.ts).
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { listFiles } from "../fingerprint.mjs";
import { dataToMessages } from "../wasm-messages.mjs";
import { counterFile, instrument } from "./instrument.mjs";

export const FOLDER = "build/coverage";
const WORK = `${FOLDER}/work`;
const COUNTERS = "assembly/coverage-counters.ts";
/** Not of the core: what is compiled to be compared alone. */
const LEFT_OUT = ["assembly/layout-check.ts", "assembly/globals.d.ts"];

export function buildCoverageCore() {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(`${WORK}/build`, { recursive: true });
  cpSync("assembly", `${WORK}/assembly`, { recursive: true });
  cpSync("asconfig.json", `${WORK}/asconfig.json`);
  let nrCounters = 0;
  const files = {};
  for (const path of listFiles(["assembly"])) {
    if (!path.endsWith(".ts") || LEFT_OUT.includes(path)) continue;
    const { text, ...counted } = instrument(readFileSync(path, "utf8"), path, () => nrCounters++);
    files[path] = counted;
    writeFileSync(join(WORK, path), text);
  }
  writeFileSync(join(WORK, COUNTERS), counterFile(nrCounters));
  const asc = resolve("node_modules/assemblyscript/bin/asc.js");
  const args = [asc, COUNTERS, "assembly/layout-check.ts", "--config", "asconfig.json", "--target", "debug"];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit", cwd: WORK });
  if (status !== 0) throw new Error("asc failed on the instrumented core");
  writeFileSync(`${FOLDER}/core-debug.wasm`, dataToMessages(readFileSync(`${WORK}/build/core-debug.wasm`)));
  writeFileSync(`${FOLDER}/counters.json`, JSON.stringify({ nrCounters, files }));
  return nrCounters;
}
