/**
 * The oracle's side: cases as a JSON file, outcomes one a line on standard output. Run by the followed Node itself:
 * `node oracle-process.ts CASES FIRST ROOT`.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { hostStage } from "./host-stage.ts";
import { runCase } from "./scene.ts";

const [cases, first, root] = process.argv.slice(2);
const all = JSON.parse(fs.readFileSync(cases, "utf8"));

const stage = hostStage(root, (path) => process.chdir(path));
process.umask(0o022);
for (const test of all.slice(Number(first))) {
  fs.writeSync(1, `${JSON.stringify(await runCase(stage, test))}\n`);
}
process.chdir("/");
stage.clear(dirname(root));
