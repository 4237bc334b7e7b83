/** The oracle's processes cannot get at the host's files, whatever they are asked. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type Call, ROOT_TASK, type TaskSpec } from "../../../src/fuzz/call.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { createHostOracle, type HostOracle } from "../../../src/fuzz/host-oracle.ts";
import { hasOwnRoot } from "../../../src/fuzz/host-root.ts";
import { oracleProgram } from "../../helpers/fuzz-program.ts";

/** A file of the host that is to stay as it is. */
let folder: string;
let victim: string;

beforeAll(() => {
  folder = nodeFs.mkdtempSync("/tmp/foliofs-victim-");
  victim = `${folder}/file`;
  nodeFs.writeFileSync(victim, "mine");
});
afterAll(() => nodeFs.rmSync(folder, { recursive: true }));

const UP = "../".repeat(30);

/** Ways out, each with a first call that makes it. */
function attempts(): Call[] {
  const by = (call: string, ...args: Call["args"]): Call => ({ task: 0, call, args });
  const ways = [
    victim,
    `${UP}${victim.slice(1)}`,
    `/${UP}${victim.slice(1)}`,
    "/proc/1/root/etc/passwd",
    "/proc/self/exe",
  ];
  return [
    by("chdir", "/"),
    ...ways.flatMap((way, i) => [
      by("symlink", `link${i}`, way),
      by("readFile", way),
      by("readFile", `link${i}`),
      by("appendFile", `link${i}`, 5, 1),
      by("unlink", way),
      by("chmod", way, 0o777),
      by("chmod", `link${i}`, 0o777),
      by("truncate", `link${i}`, 0),
      by("rename", way, "taken"),
      by("rename", `link${i}`, way),
      by("link", way, "taken"),
    ]),
    by("symlink", "up", UP),
    by("writeFile", `up${victim}`, 5, 1),
    by("chdir", "up"),
    by("chdir", ".."),
    by("writeFile", victim.slice(1), 5, 1),
    by("chmod", "/", 0o777),
    by("rmdir", "/"),
    by("rename", "/", "/x"),
    by("mkdir", "d", 0o777),
    by("chdir", "d"),
    by("rename", "/d", "/e"),
    by("readdir", UP),
    by("chmod", UP, 0o700),
  ];
}

async function withOracle(
  isConfined: boolean,
  tasks: readonly TaskSpec[],
  check: (oracle: HostOracle) => Promise<void>,
): Promise<void> {
  const program = oracleProgram();
  const oracle = await createHostOracle({ fileSystem: "tmpfs", tasks, detail: WHOLE_DETAIL, program, isConfined });
  try {
    await check(oracle);
  } finally {
    await oracle.close();
  }
}

function hostNow(): unknown[] {
  const { mode } = nodeFs.statSync("/");
  const { mode: ofVictim, nlink } = nodeFs.statSync(victim);
  return [mode, ofVictim, nlink, nodeFs.readFileSync(victim, "utf8"), nodeFs.readdirSync(folder)];
}

describe.skipIf(process.platform !== "linux")("the host's files are out of reach", () => {
  it.skipIf(!hasOwnRoot())("of processes with a root of their own", async () => {
    await withOracle(false, [ROOT_TASK], async (oracle) => {
      const before = hostNow();
      const outcomes = await oracle.run(attempts());
      assert.deepEqual(hostNow(), before);
      for (const [i, call] of attempts().entries()) {
        if (call.call === "readFile") assert.match(outcomes[i] ?? "", /^(ENOENT|ELOOP)/, JSON.stringify(call));
      }
    });
  });

  it.skipIf(!hasOwnRoot())("and nothing is in that root at first", async () => {
    await withOracle(false, [ROOT_TASK], async (oracle) => {
      const [names, up] = await oracle.run(["/", UP].map((path) => ({ task: 0, call: "readdir", args: [path] })));
      assert.deepEqual([names, up], ["", ""]);
    });
  });

  it.skipIf(!hasOwnRoot())("of a process whose working directory is moved out of a root of its own", async () => {
    const tasks = [ROOT_TASK, { ...ROOT_TASK, root: "d" }];
    const by = (task: number, call: string, ...args: Call["args"]): Call => ({ task, call, args });
    const out = [by(1, "mkdir", "x", 0o777), by(1, "chdir", "x"), by(0, "rename", "/d/x", "/x")];
    await withOracle(false, tasks, async (oracle) => {
      const before = hostNow();
      const calls = [...out, by(1, "readdir", UP), by(1, "readdir", `${UP}d`), ...attempts().slice(1)];
      const outcomes = await oracle.run(calls.map((call, i) => (i < out.length ? call : { ...call, task: 1 })));
      assert.deepEqual(hostNow(), before);
      assert.deepEqual(
        outcomes.slice(0, out.length),
        out.map(() => "ok"),
      );
      assert.deepEqual(outcomes.slice(out.length, out.length + 2), ['"d" "x"', '"kept"']);
    });
  });

  it("of a process that is kept below a folder", async () => {
    await withOracle(true, [ROOT_TASK], async (oracle) => {
      const before = hostNow();
      const parent = nodeFs.readdirSync(`${oracle.root}/..`).sort();
      const outcomes = await oracle.run(attempts());
      assert.deepEqual(hostNow(), before);
      assert.deepEqual(nodeFs.readdirSync(`${oracle.root}/..`).sort(), parent);
      assert.ok(outcomes.filter((outcome) => outcome === null).length > 10, "what leaves the folder is not called");
    });
  });

  it("and nothing is left of it", async () => {
    let base = "";
    await withOracle(true, [ROOT_TASK], async ({ root }) => {
      base = `${root}/..`;
      assert.ok(nodeFs.existsSync(base));
    });
    assert.ok(!nodeFs.existsSync(base));
  });

  it("of nobody, for other file systems and tasks need root", async () => {
    const program = oracleProgram();
    const options = { detail: WHOLE_DETAIL, program, isConfined: true };
    await assert.rejects(createHostOracle({ ...options, fileSystem: "ext4", tasks: [ROOT_TASK] }), /need root/);
    await assert.rejects(
      createHostOracle({ ...options, fileSystem: "tmpfs", tasks: [ROOT_TASK, ROOT_TASK] }),
      /need root/,
    );
  });
});
