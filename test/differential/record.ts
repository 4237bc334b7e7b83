/**
 * Records what node:fs gives for every case, and writes what Node 26 does otherwise than Node 20. By hand:
 *
 *   node-20 node_modules/tsx/dist/cli.mjs test/differential/record.ts run /tmp/20.json
 *   node-26 node_modules/tsx/dist/cli.mjs test/differential/record.ts run /tmp/26.json
 *   npx tsx test/differential/record.ts merge /tmp/20.json /tmp/26.json
 *
 * After the file, `run` takes names of tables that alone are run (with FOLIO_DIFFERENTIAL=all, for every case of them); `merge`
 * leaves what was not run as it is.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import type { Case } from "./case.ts";
import { differences } from "./compare.ts";
import type { Described } from "./describe.ts";
import { CaseRunner } from "./run-case.ts";
import { EVERY_CASE, TABLES } from "./tables/all.ts";
import { isSafeToAsk, type Patch, readGolden, writeGolden } from "./versions.ts";

/** The same path in both runs, for messages that show it in bytes. */
const ROOT = "/dev/shm/foliofs-record/root";
/** What an old Node "gives" where it must not be asked. */
const UNKNOWN = "not asked";

function casesOf(tables: readonly string[]): readonly Case[] {
  const unknown = tables.find((name) => !Object.hasOwn(TABLES, name));
  if (unknown !== undefined) throw new Error(`there is no table '${unknown}'`);
  return tables.length === 0 ? EVERY_CASE : tables.flatMap((name) => TABLES[name]);
}

async function run(file: string, tables: readonly string[]): Promise<void> {
  const runner = new CaseRunner(createNodeFsSubject(ROOT));
  const outcomes: [string, Described][] = [];
  for (const test of casesOf(tables)) outcomes.push([test.id, isSafeToAsk(test.id) ? await runner.run(test) : UNKNOWN]);
  runner.subject.dispose();
  writeFileSync(file, JSON.stringify(outcomes));
}

function merge(oldFile: string, newFile: string): void {
  const old = new Map<string, Described>(JSON.parse(readFileSync(oldFile, "utf8")));
  const golden = readGolden();
  for (const [id, outcome] of JSON.parse(readFileSync(newFile, "utf8")) as [string, Described][]) {
    const found = differences(old.get(id) as Described, outcome);
    if (found.length > 0) golden.set(id, Object.fromEntries(found.map((one) => [one.at, one.subject])));
    else golden.delete(id);
  }
  const inOrder = EVERY_CASE.flatMap(({ id }) => (golden.has(id) ? [[id, golden.get(id) as Patch] as const] : []));
  writeGolden(new Map(inOrder));
  console.log(`${inOrder.length} cases differ`);
}

const [, , command, ...files] = process.argv;
if (command === "run") await run(files[0], files.slice(1));
else if (command === "merge") merge(files[0], files[1]);
else throw new Error("usage: record.ts run FILE [TABLE...] | merge FILE-OF-20 FILE-OF-26");
