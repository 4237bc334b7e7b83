/** File systems of others run in processes: what never returns, or ends the process, is told, and the next program runs. */
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, it } from "vitest";
import type { Call, Outcome } from "../../../src/fuzz/call.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { IsolatedSubject, NEVER_RETURNS } from "../../../src/fuzz/isolated-subject.ts";
import { createSubject } from "../../../src/fuzz/pairing.ts";
import { otherProgram } from "../../helpers/fuzz-program.ts";

const PLACE = { root: "", detail: WHOLE_DETAIL };
const FOLDER = fileURLToPath(new URL("../../../build/fuzz-other/wrong", import.meta.url));
/** What is not waited for. */
const LONG_MS = 60_000;
const PATIENCE_MS = 4000;

/** A memfs whose rmdir() does what the path says, and writes down what it is asked for. */
const WRONG = `
  import { appendFileSync } from "node:fs";
  const full = [];
  const does = {
    abort: () => process.abort(),
    kill: () => process.kill(process.pid, "SIGKILL"),
    exit: () => process.exit(3),
    fill: () => { for (;;) full.push(new Array(100_000).fill(full.length)); },
    hang: () => { for (;;); },
    later: () => setTimeout(() => { throw new Error("gone later"); }),
    soon: () => queueMicrotask(() => { throw new Error("gone soon"); }),
    prints: () => { console.log("{}"); console.error("{}"); process.stdout.write("half"); },
  };
  export class Volume {}
  export function createFsFromVolume() {
    return {
      rmdirSync(path) {
        const name = path.slice(1);
        appendFileSync(new URL("asked", import.meta.url), name + " ");
        does[name]?.();
      },
    };
  }
`;

/** @returns the program, beside a memfs that it finds before the one that is installed */
function besideWrong(): URL {
  const folder = `${FOLDER}/node_modules/memfs`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, JSON.stringify({ name: "memfs", exports: "./index.mjs" }));
  writeFileSync(`${folder}/index.mjs`, WRONG);
  writeFileSync(`${folder}/asked`, "");
  return otherProgram("wrong/program");
}

function asked(): string {
  return readFileSync(`${FOLDER}/node_modules/memfs/asked`, "utf8");
}

function call(name: string, ...args: Call["args"][number][]): Call {
  return { task: 0, call: name, args };
}

describe("a file system of others in a process", () => {
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
    const subject = new IsolatedSubject("node-vfs", { ...PLACE, program: otherProgram("none") });
    await assert.rejects(subject.run([]), /node-vfs is no subject here: No such built-in module/);
  });
});

describe("a file system of others that does wrong", () => {
  let subject: IsolatedSubject;

  beforeEach(() => {
    subject = new IsolatedSubject("memfs", { ...PLACE, program: besideWrong(), patienceMs: LONG_MS, maxHeapMb: 64 });
  });

  afterEach(() => subject.close());

  function run(...paths: string[]): Promise<readonly Outcome[]> {
    return subject.run(paths.map((path) => call("rmdir", path)));
  }

  async function lose(way: string, outcome: string): Promise<void> {
    assert.deepEqual(await run("a", "b", way, "c"), ["ok", "ok", outcome]);
    assert.deepEqual(await run(way, "c"), [outcome]);
    assert.deepEqual(await run("d"), ["ok"]);
    assert.equal(asked(), `a b ${way} ${way} d `);
  }

  for (const [way, outcome] of [
    ["abort", "ends the process: SIGABRT"],
    ["kill", "ends the process: SIGKILL"],
    ["exit", "ends the process: status 3"],
    ["fill", "ends the process: SIGABRT"],
  ]) {
    it(`${way}: an outcome, the last of its program; no call is made twice, none is lost, and the next program runs`, () =>
      lose(way, outcome));
  }

  it("never returns: an outcome too", () => {
    subject = new IsolatedSubject("memfs", { ...PLACE, program: besideWrong(), patienceMs: PATIENCE_MS });
    return lose("hang", NEVER_RETURNS);
  });

  it("throws what nobody catches: an outcome too", async () => {
    assert.deepEqual(await subject.run([call("rmdir", "a"), call("no such call")]), [
      "ok",
      "ends the process: there is no call no such call",
    ]);
    assert.deepEqual(await run("d"), ["ok"]);
  });

  it("prints what it likes", async () => {
    assert.deepEqual(await run("prints", "a"), ["ok", "ok"]);
  });

  it("ends between two programs: a warning, and the next has another process", async () => {
    const warned = once(process, "warning");
    assert.deepEqual(await run("later"), ["ok"]);
    const [{ message }] = await warned;
    assert.equal(message, "memfs ends the process: gone later, between two programs");
    assert.deepEqual(await run("c"), ["ok"]);
  });

  it("ends before it has begun with the next program: that is not to blame, and runs once", async () => {
    const warned = once(process, "warning");
    assert.deepEqual(await run("soon"), ["ok"]);
    assert.deepEqual(await run("a", "b"), ["ok", "ok"]);
    const [{ message }] = await warned;
    assert.equal(message, "memfs ends the process: gone soon, between two programs");
    assert.equal(asked(), "soon a b ");
  });

  it("ends with the fuzzer, even when that is killed and it never returns", async () => {
    const folder = dirname(besideWrong().pathname);
    const setup = JSON.stringify({ name: "memfs", ...PLACE });
    // A process that starts another as the fuzzer does, and tells its number.
    const starter = `
      const { spawn } = require("node:child_process");
      const other = spawn(process.execPath, ["program.mjs", ${JSON.stringify(setup)}], {
        stdio: ["pipe", "ignore", "ignore", "pipe"], detached: true,
      });
      other.stdio[3].on("data", (bytes) => {
        if (String(bytes).includes("loaded")) other.stdin.write(${JSON.stringify(`${JSON.stringify([call("rmdir", "hang")])}\n`)});
        if (String(bytes).includes("begun")) console.log(other.pid);
      });`;
    const fuzzer = spawn(process.execPath, ["-e", starter], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    const [bytes] = await once(fuzzer.stdout, "data");
    const pid = Number(bytes);
    assert.ok(isAlive(pid));
    fuzzer.kill("SIGKILL");
    for (let left = 100; isAlive(pid) && left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(!isAlive(pid));
  });
});

/** Who has ended, and whom nobody has asked for yet, is not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
