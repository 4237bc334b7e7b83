/** Work of many calls, done at once. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { must, runNow, type Steps } from "../../../src/node/trees/steps.ts";

it("what a step throws goes through the work, which closes what it has open", () => {
  const log: string[] = [];
  const fault = new Error("a fault of the step's");
  function* work(): Steps<string> {
    try {
      return yield* must(() => {
        throw fault;
      });
    } finally {
      yield () => log.push("closed");
    }
  }
  assert.throws(
    () => runNow(work(), work),
    (error) => error === fault,
  );
  assert.deepEqual(log, ["closed"]);
});
