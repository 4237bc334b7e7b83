/** Steps made later: what the host will not even be asked is an errno, and faults of the steps themselves reject. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EINVAL } from "../../../../src/base/errno.ts";
import { host, runLater, runNow, type Steps } from "../../../../src/fs/hostfs/host-steps.ts";

const steps = (path: string): (() => Steps<number>) =>
  function* () {
    const answer = yield* host("lstat", Buffer.from(path));
    return typeof answer === "number" ? answer : 1;
  };

describe("steps", () => {
  it("have an errno for arguments that Node refuses, at once and later", async () => {
    assert.deepEqual([runNow(steps("/")()), await runLater(steps("/")())], [1, 1]);
    assert.deepEqual([runNow(steps("/a\0b")()), await runLater(steps("/a\0b")())], [-EINVAL, -EINVAL]);
  });

  it("reject where they throw", async () => {
    const broken = function* (): Steps<number> {
      yield* host("lstat", Buffer.from("/"));
      throw new Error("broken");
    };
    await assert.rejects(runLater(broken()), /broken/);
  });
});
