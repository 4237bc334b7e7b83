/**
 * The oracle's side: cases as a JSON file, outcomes one a line on standard output. Run by the followed Node itself:
 * `node oracle-process.ts CASES FIRST ROOT`.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { runCase } from "./scene.ts";

const [cases, first, root] = process.argv.slice(2);
const all = JSON.parse(fs.readFileSync(cases, "utf8"));

/** Node's own rmSync goes only so deep. */
function clear(path: string): void {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    execFileSync("rm", ["-rf", path]);
  }
}

const stage = {
  fs,
  root,
  chdir: (path: string) => process.chdir(path),
  clear,
  mkfifo: (path: string) => execFileSync("mkfifo", [path]),
};
process.umask(0o022);
for (const test of all.slice(Number(first))) {
  fs.writeSync(1, `${JSON.stringify(await runCase(stage, test))}\n`);
}
process.chdir("/");
clear(dirname(root));
