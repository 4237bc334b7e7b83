/**
 * What the followed Node's own fs makes of cases, on a tmpfs. Node 26 does it in a process of its own, for the tests run on
 * older ones too, and since its cpSync ends the process at times.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isFollowedVersion } from "../versions.ts";
import type { Outcome, TreeCase } from "./scene.ts";

const BINARY = resolve(`build/node26/node_modules/node-linux-${process.arch}/bin/node`);
const PROGRAM = fileURLToPath(new URL("./oracle-process.ts", import.meta.url));

/** The Node to ask; undefined where there is none. `npm run test:matrix` fetches one. */
export const oracleNode = isFollowedVersion() ? process.execPath : existsSync(BINARY) ? BINARY : undefined;

/** Where cases are, on either side. */
export const ROOT = `/dev/shm/foliofs-trees-${process.pid}/root`;

/** @returns an outcome for each case; undefined where Node ended its process */
export function askOracle(node: string, cases: readonly TreeCase[]): (Outcome | undefined)[] {
  const folder = mkdtempSync(join(tmpdir(), "foliofs-trees-"));
  const file = join(folder, "cases.json");
  writeFileSync(file, JSON.stringify(cases));
  const outcomes: (Outcome | undefined)[] = [];
  try {
    while (outcomes.length < cases.length) {
      const args = [PROGRAM, file, String(outcomes.length), ROOT];
      const run = spawnSync(node, args, { encoding: "utf8", maxBuffer: 2 ** 30 });
      for (const line of run.stdout.split("\n").filter(Boolean)) outcomes.push(JSON.parse(line) as Outcome);
      if (outcomes.length < cases.length) {
        if (run.signal !== "SIGABRT") throw new Error(`the oracle failed: ${run.stderr}`);
        outcomes.push(undefined);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
    spawnSync("rm", ["-rf", dirname(ROOT)]);
  }
  return outcomes;
}
