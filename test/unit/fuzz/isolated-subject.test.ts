/** File systems of others run in threads: what never returns, or ends the thread, is told, and the next program runs. */
import { strict as assert } from "node:assert";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, it } from "vitest";
import type { Call } from "../../../src/fuzz/call.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { IsolatedSubject, NEVER_RETURNS } from "../../../src/fuzz/isolated-subject.ts";
import { createSubject } from "../../../src/fuzz/pairing.ts";
import { otherProgram } from "../../helpers/fuzz-program.ts";

const PLACE = { root: "", detail: WHOLE_DETAIL };

function call(name: string, ...args: Call["args"][number][]): Call {
  return { task: 0, call: name, args };
}

/** A thread that answers each call by its name, but for two. */
const WRONG = `
  import { parentPort, workerData } from "node:worker_threads";
  parentPort.on("message", (calls) => {
    parentPort.postMessage(calls.map((call, i) => {
      Atomics.store(workerData.at, 0, i);
      if (call?.call === "hang") for (;;);
      if (call?.call === "exit") throw new Error("gone");
      return call?.call ?? null;
    }));
  });
`;

function wrongThread(): URL {
  const folder = fileURLToPath(new URL("../../../build/fuzz-other", import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/wrong.mjs`, WRONG);
  return pathToFileURL(`${folder}/wrong.mjs`);
}

describe("a file system of others in a thread", () => {
  it("answers a program, and does not make what is skipped", async () => {
    const subject = await createSubject("memfs", { ...PLACE, tasks: [], otherProgram: otherProgram("memfs") });
    try {
      const calls = [call("writeFile", "a", 5, 1), call("unlink", "a"), call("exists", "a")];
      assert.deepEqual(await subject.run(calls, (i) => i === 1), ["ok", null, "true"]);
      assert.deepEqual(await subject.run(calls.slice(1)), ["ENOENT unlink", "false"]);
    } finally {
      await subject.close();
    }
  });

  it("is told of when it is not installed", async () => {
    const program = pathToFileURL("/nonexistent/module.mjs");
    await assert.rejects(createSubject("memfs", { ...PLACE, tasks: [], otherProgram: program }), /Cannot find module/);
  });

  it("may never return, or end, and then serves the next program", { timeout: 60_000 }, async () => {
    const subject = new IsolatedSubject("wrong", { ...PLACE, program: wrongThread(), patienceMs: 4000 });
    try {
      assert.deepEqual(await subject.run(["a", "hang", "b"].map((name) => call(name))), ["a", NEVER_RETURNS]);
      assert.deepEqual(await subject.run([call("exit"), call("b")]), ["ends the thread: gone"]);
      assert.deepEqual(await subject.run([call("c")]), ["c"]);
    } finally {
      await subject.close();
    }
  });
});
