/** Arguments of `foliofs top`. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { parseTopOptions } from "../../../src/cli/top-options.ts";
import { UsageError } from "../../../src/cli/usage.ts";

describe("arguments", () => {
  it("are the script's from the script on", () => {
    assert.deepEqual(parseTopOptions(["a.mjs"]), { script: "a.mjs", args: [], once: false, intervalMs: 1000 });
    assert.deepEqual(parseTopOptions(["--once", "a.mjs", "--once", "--x=1", "--", "b"]), {
      script: "a.mjs",
      args: ["--once", "--x=1", "--", "b"],
      once: true,
      intervalMs: 1000,
    });
    assert.deepEqual(parseTopOptions(["--interval", "0.25", "a", "--interval", "9"]), {
      script: "a",
      args: ["--interval", "9"],
      once: false,
      intervalMs: 250,
    });
    assert.equal(parseTopOptions(["--interval=2", "a"]).intervalMs, 2000);
    assert.equal(parseTopOptions(["--once", "--", "--odd.mjs", "x"]).script, "--odd.mjs");
  });

  it.each([
    [[], "script"],
    [["--once"], "script"],
    [["--nonsense", "a"], "nonsense"],
    [["--once=yes", "a"], "once"],
    [["--interval", "soon", "a"], "soon"],
    [["--interval", "0", "a"], "seconds"],
    [["--interval", "-1", "a"], "interval"],
    [["--interval", "1e9", "a"], "1e9"],
    [["--interval", "99999", "a"], "99999"],
  ])("%j is refused, and says why", (args, word) => {
    assert.throws(
      () => parseTopOptions(args),
      (error) => error instanceof UsageError && error.message.includes(word),
    );
  });
});
