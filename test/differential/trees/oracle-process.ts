/**
 * The oracle's side: cases as a JSON file, outcomes one a line on standard output. Run by the followed Node itself:
 * `node oracle-process.ts CASES FIRST ROOT`.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { runCase } from "./scene.ts";

const [cases, first, root] = process.argv.slice(2);
const all = JSON.parse(fs.readFileSync(cases, "utf8"));
const stage = {
  fs,
  root,
  chdir: (path: string) => process.chdir(path),
  mkfifo: (path: string) => execFileSync("mkfifo", [path]),
};
process.umask(0o022);
for (const test of all.slice(Number(first))) {
  fs.writeSync(1, `${JSON.stringify(await runCase(stage, test))}\n`);
}
process.chdir("/");
fs.rmSync(root, { recursive: true, force: true });
