/**
 * Records what node:fs gives for every case, and writes what Node 26 does otherwise than Node 20. By hand:
 *
 *   node-20 node_modules/tsx/dist/cli.mjs test/differential/record.ts run /tmp/20.json
 *   node-26 node_modules/tsx/dist/cli.mjs test/differential/record.ts run /tmp/26.json
 *   npx tsx test/differential/record.ts merge /tmp/20.json /tmp/26.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import { differences } from "./compare.ts";
import type { Described } from "./describe.ts";
import { CaseRunner } from "./run-case.ts";
import { EVERY_CASE } from "./tables/all.ts";
import { isSafeToAsk } from "./versions.ts";

/** The same path in both runs, for messages that show it in bytes. */
const ROOT = "/dev/shm/foliofs-record/root";
/** What an old Node "gives" where it must not be asked. */
const UNKNOWN = "not asked";

async function run(file: string): Promise<void> {
  const runner = new CaseRunner(createNodeFsSubject(ROOT));
  const outcomes: [string, Described][] = [];
  for (const test of EVERY_CASE) outcomes.push([test.id, isSafeToAsk(test.id) ? await runner.run(test) : UNKNOWN]);
  runner.subject.dispose();
  writeFileSync(file, JSON.stringify(outcomes));
}

function merge(oldFile: string, newFile: string): void {
  const old = new Map<string, Described>(JSON.parse(readFileSync(oldFile, "utf8")));
  const lines: string[] = [];
  for (const [id, outcome] of JSON.parse(readFileSync(newFile, "utf8")) as [string, Described][]) {
    const found = differences(old.get(id) as Described, outcome);
    if (found.length > 0)
      lines.push(JSON.stringify([id, Object.fromEntries(found.map((one) => [one.at, one.subject]))]));
  }
  writeFileSync(new URL("./node-26.jsonl", import.meta.url), `${lines.join("\n")}\n`);
  console.log(`${lines.length} cases differ`);
}

const [, , command, ...files] = process.argv;
if (command === "run") await run(files[0]);
else if (command === "merge") merge(files[0], files[1]);
else throw new Error("usage: record.ts run FILE | merge FILE-OF-20 FILE-OF-26");
