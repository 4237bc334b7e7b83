/** `foliofs top` as a user has it: on scripts of every kind, on a pipe and on a terminal. */
import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeUserFolder, ROOT, type UserFolder } from "./user-folder.ts";

let user: UserFolder;

beforeAll(() => {
  user = makeUserFolder();
});

afterAll(() => user?.remove());

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the package's command there. */
function foliofs(...args: string[]): Run {
  const command = join(user.folder, "node_modules/.bin/foliofs");
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [command, ...args], {
    cwd: user.folder,
    encoding: "utf8",
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

function script(name: string, source: string): string {
  writeFileSync(join(user.folder, name), source);
  return name;
}

const ESC = "\u001b";
/** Up to where it was drawn last, and all below is erased. */
const REDRAW = new RegExp(`${ESC}\\[\\d+A\\r${ESC}\\[J`);

/** Rows of the last table in an output: cells by heading, of two of a name the first. */
function lastTable(output: string): Record<string, string>[] {
  const lines = output.slice(output.lastIndexOf("foliofs top - ")).trimEnd().split("\n").slice(1);
  const [headings = [], ...rows] = lines.map((line) => line.trim().split(/ +/));
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [headings[i], cell]).reverse()));
}

const LOAD = {
  mjs: 'import { createFsSync } from "foliofs";',
  cjs: 'const { createFsSync } = require("foliofs");',
  js: 'const { createFsSync } = require("foliofs");',
};

/** Two kernels, of which one is destroyed; nothing of the script ever waits. */
const USE = `
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
  const other = createFsSync({ memoryLimit: 8 * 2 ** 20 });
  other.writeFileSync("/big", Buffer.alloc(3 * 2 ** 20));
  other.kernel.destroy();
  fs.writeFileSync("/one", Buffer.alloc(2 ** 20));
  fs.openSync("/one");
  console.log("ran with", process.argv.slice(2).join());
  process.on("exit", () => fs.existsSync("/one"));`;

describe("--once", () => {
  it.each(Object.entries(LOAD))("shows the kernels of a script in .%s when it has ended", (extension, load) => {
    const { status, stdout, stderr } = foliofs("top", "--once", script(`once.${extension}`, load + USE), "--once", "x");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^ran with --once,x\nfoliofs top - once\.\w+, \d+\.\d s, kernels: \d live, 2 in all\n/);
    const [first, second] = lastTable(stdout);
    expect(first).toMatchObject({ K: "1", LIMIT: "32M", UNEV: "1.0M", FILES: "1", DIRTY: "0K", SWOUT: "0K" });
    expect(second).toMatchObject({ K: "2", S: "X", LIMIT: "8.0M", UNEV: "3.0M" });
  });

  it("shows those of a script in TypeScript, where tsx is", () => {
    symlinkSync(join(ROOT, "node_modules/tsx"), join(user.folder, "node_modules/tsx"));
    const source = `${LOAD.mjs}\nconst limit: number = 16 * 2 ** 20;\nexport const fs = createFsSync({ memoryLimit: limit });`;
    const { status, stdout } = foliofs("top", "--once", script("typed.mts", source));
    expect(status).toBe(0);
    expect(lastTable(stdout)).toMatchObject([{ K: "1", LIMIT: "16M" }]);
  });

  it("shows what is written back as the process ends", () => {
    const source = `
      import { mkdirSync } from "node:fs";
      import { createFsSync } from "foliofs";
      import { hostfs } from "foliofs/host";
      mkdirSync("written", { recursive: true });
      const fs = createFsSync({ types: [hostfs] });
      fs.mkdirSync("/mnt");
      fs.kernel.mount({ type: "hostfs", source: "written", target: "/mnt", data: "cache=writeback" });
      fs.writeFileSync("/mnt/file", Buffer.alloc(400 * 4096, 1));
      globalThis.kept = fs;`;
    const { stdout } = foliofs("top", "--once", script("written.mjs", source));
    expect(lastTable(stdout)).toMatchObject([{ DIRTY: "0K", WRITE: "1.6M" }]);
  });

  it("counts a fork as a kernel, and a rollback as none", () => {
    const source = `${LOAD.mjs}
      const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
      fs.kernel.restore(fs.kernel.snapshot());
      const fork = fs.kernel.fork();
      process.on("exit", () => [fs, fork]);`;
    const { stdout } = foliofs("top", "--once", script("forked.mjs", source));
    expect(lastTable(stdout)).toMatchObject([
      { K: "1", S: "R" },
      { K: "2", S: "R" },
    ]);
  });

  it("says that there was none", () => {
    const { status, stdout } = foliofs("top", "--once", script("none.mjs", "console.log('nothing');"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^nothing\nfoliofs top - none\.mjs, \d+\.\d s, kernels: 0 live, 0 in all\n$/);
  });

  it("has the status of the script, however it ends", () => {
    const ends = { "process.exit(7)": 7, "throw new Error('no')": 1, "process.kill(process.pid, 'SIGKILL')": 137 };
    for (const [end, expected] of Object.entries(ends)) {
      const { status, stdout } = foliofs("top", "--once", script("ends.cjs", `${LOAD.cjs}createFsSync();${end}`));
      expect(status).toBe(expected);
      expect(stdout).toMatch(/^foliofs top - ends\.cjs/);
    }
  });

  it("leaves processes of the script alone", () => {
    const source = `
      import { fork } from "node:child_process";
      import { createFsSync } from "foliofs";
      createFsSync();
      if (process.argv[2] === undefined) {
        const child = fork(process.argv[1], ["child"], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
        child.on("message", (text) => console.log("from the child:", text));
      } else process.send("well", () => process.disconnect());`;
    const { status, stdout, stderr } = foliofs("top", "--once", script("forks.mjs", source));
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^from the child: well\nfoliofs top - forks\.mjs, .* 1 in all\n/);
  });
});

/** Makes files for a second. */
const LIVE = `${LOAD.mjs}
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
  for (let i = 0; i < 10; i++) {
    fs.writeFileSync("/" + i, Buffer.alloc(2 ** 20));
    console.log("step", i);
    await new Promise((done) => setTimeout(done, 100));
  }`;

describe("live", () => {
  it("is printed each time on a pipe", () => {
    const { status, stdout } = foliofs("top", "--interval", "0.2", script("live.mjs", LIVE));
    expect(status).toBe(0);
    expect(stdout.match(/^foliofs top - live\.mjs/gm)?.length).toBeGreaterThanOrEqual(3);
    expect(stdout).not.toContain(ESC);
    expect(stdout.match(/^step \d$/gm)?.length).toBe(10);
    expect(lastTable(stdout)).toMatchObject([{ UNEV: "10M", S: "R" }]);
  });

  const noScript = spawnSync("script", ["--version"]).status !== 0;

  it.skipIf(noScript)(
    "is drawn in place on a terminal, below what the script prints (script(1) is the terminal)",
    () => {
      const command = `stty cols 120 rows 20; ${process.execPath} node_modules/.bin/foliofs top --interval 0.2 ${script("live.mjs", LIVE)}`;
      const output = user.run("script", ["-qec", command, "/dev/null"]).replaceAll("\r\n", "\n");
      const [first, ...redrawn] = output.split(REDRAW);
      expect(redrawn.length).toBeGreaterThanOrEqual(10);
      expect(first).toContain("step 0");
      const table = /^((?:.*\n)*)foliofs top - live\.mjs, .*\n(?: *K +S .*\n.*\n)?$/;
      for (const frame of redrawn) expect(frame).toMatch(table);
      const above = [first, ...redrawn].map((frame) => frame.replace(table, "$1")).join("");
      expect(above.match(/^step \d$/gm)?.length).toBe(10);
      expect(lastTable(redrawn.at(-1) ?? "")).toMatchObject([{ UNEV: "10M" }]);
    },
  );
});

describe("a wrong call", () => {
  it.each([
    [["top"], "needs a script"],
    [["top", "missing.mjs"], "there is no script missing.mjs"],
    [["top", "--what", "x.mjs"], "--what"],
    [["tip"], "there is no command tip"],
    [[], "what is to be done?"],
  ])("%j ends with status 2, and says how it is done", (args, message) => {
    const { status, stdout, stderr } = foliofs(...args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr).toContain("Usage: foliofs top");
  });

  it("asks for help, or for the version", () => {
    for (const args of [["--help"], ["top", "--help"], ["-h"]])
      expect(foliofs(...args).stdout).toMatch(/^Usage: foliofs top/);
    expect(foliofs("--version").stdout.trim()).toBe(JSON.parse(user.read("node_modules/foliofs/package.json")).version);
  });
});
