/** File systems of others run in threads: what never returns, or ends the thread, is told, and the next program runs. */
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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

const FOLDER = fileURLToPath(new URL("../../../build/fuzz-other", import.meta.url));

/** A thread that answers each call by its name, but for some, and writes down what it is asked for. */
const WRONG = `
  import { appendFileSync } from "node:fs";
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", (calls) => {
    for (const { call } of calls) {
      appendFileSync(new URL("asked", import.meta.url), call + " ");
      if (call === "hang") for (;;);
      if (call === "exit") throw new Error("gone");
      if (call === "later") setTimeout(() => { throw new Error("gone later"); });
      parentPort.postMessage(call);
    }
  });
  parentPort.postMessage("loaded");
`;

function wrongThread(): URL {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/wrong.mjs`, WRONG);
  writeFileSync(`${FOLDER}/asked`, "");
  return pathToFileURL(`${FOLDER}/wrong.mjs`);
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

  it("may never return, or end, and then serves the next program; no call is made twice", async () => {
    const subject = new IsolatedSubject("wrong", { ...PLACE, program: wrongThread(), patienceMs: 4000 });
    try {
      assert.deepEqual(await subject.run(["a", "hang", "b"].map((name) => call(name))), ["a", NEVER_RETURNS]);
      assert.deepEqual(await subject.run([call("exit"), call("b")]), ["ends the thread: gone"]);
      assert.deepEqual(await subject.run([call("c")]), ["c"]);
      assert.equal(readFileSync(`${FOLDER}/asked`, "utf8"), "a hang exit c ");
    } finally {
      await subject.close();
    }
  });

  it("may end between two programs: the next has another thread", async () => {
    const subject = new IsolatedSubject("wrong", { ...PLACE, program: wrongThread() });
    try {
      const warned = once(process, "warning");
      assert.deepEqual(await subject.run([call("later")]), ["later"]);
      const [{ message }] = await warned;
      assert.match(message, /wrong has ended its thread between two programs: gone later/);
      assert.deepEqual(await subject.run([call("c")]), ["c"]);
    } finally {
      await subject.close();
    }
  });
});
