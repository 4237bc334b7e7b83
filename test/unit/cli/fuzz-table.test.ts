/** The table of `foliofs fuzz --table`. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { tableOf } from "../../../src/cli/fuzz-table.ts";
import type { Call, Finding } from "../../../src/fuzz.ts";

function finding(nrSeen: number, calls: readonly Call[], expected: string, actual: string): Finding {
  const program = { calls, expected: [], nrCompared: 0, difference: { at: calls.length - 1, expected, actual } };
  return { seed: 1, profile: "mixed", program, nrCallsFound: 9, nrSeen };
}

it("has a line for each finding, the most frequent first", () => {
  const mkdir: Call = { task: 0, call: "mkdir", args: ["a|b", 0o755] };
  const rmdir: Call = { task: 2, call: "rmdir", args: ["a|b"] };
  const findings = [finding(2, [mkdir], "ok", "EEXIST"), finding(31, [mkdir, rmdir], "EACCES rmdir", "ok")];
  assert.deepEqual(tableOf(findings).slice(2), [
    '| 31 | `mkdir("a\\|b", 493); 2: rmdir("a\\|b")` | `EACCES rmdir` | `ok` |',
    '| 2 | `mkdir("a\\|b", 493)` | `ok` | `EEXIST` |',
  ]);
});

it("shows of trees the first line that differs", () => {
  const tree: Call = { task: 0, call: "tree", args: [] };
  const [row] = tableOf([finding(1, [tree], ". d\n./a f\n./b f", ". d\n./a f size=1\n./b f")]).slice(2);
  assert.equal(row, "| 1 | `tree()` | `./a f` | `./a f size=1` |");
});
