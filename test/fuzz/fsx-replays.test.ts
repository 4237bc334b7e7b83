/** What fsx has found once stays mended: each file of fsx-replays/ on the machine that it was found on. */
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { FSX_MACHINES, performFsxOperations, readFsxReplay } from "../../src/fuzz.ts";

const FOLDER = new URL("./fsx-replays/", import.meta.url);

describe("replays of fsx", () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".jsonl"))) {
    it(file, () => {
      const { head, operations } = readFsxReplay(readFileSync(new URL(file, FOLDER), "utf8"));
      const { on, length, limit } = head;
      const { finding } = performFsxOperations(() => FSX_MACHINES[on]({ length, limit }), length, operations);
      assert.equal(finding?.message, undefined, head.about);
    });
  }
});
