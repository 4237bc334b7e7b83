/** `foliofs fuzz` and `foliofs fsx` as a user has them: what is printed, the status, replays that show the same again. */
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "./user-folder.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "foliofs-fuzz-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What does not end by itself has no status. */
function foliofs(...args: string[]): SpawnSyncReturns<string> {
  const command = [join(ROOT, "dist/cli.js"), ...args];
  return spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8", timeout: 60_000 });
}

describe("foliofs fuzz", () => {
  it("tells what another file system gets wrong, and leaves replays of it", () => {
    const reports = join(folder, "reports");
    const where = ["--subject", "memfs", "--oracle", "model", "--profile", "names"];
    const how = ["--seed", "1", "--ops", "300", "--findings", "1", "--jobs", "1", "--report", reports];
    const found = foliofs("fuzz", ...where, ...how);
    expect(found.stderr).toBe("");
    expect(found.status).toBe(1);
    expect(found.stdout).toContain("memfs against the model, seed 1, 1 tasks");
    expect(found.stdout).toContain("1. Seed 1, profile names, ");

    const file = join(reports, readdirSync(reports)[0]);
    expect(found.stdout).toContain(`foliofs fuzz --subject memfs --replay ${file}`);
    const [, ours] = /oracle: +.*\n +subject: +(.*)/.exec(found.stdout) ?? [];
    const again = foliofs("fuzz", "--subject", "memfs", "--replay", file);
    expect(again.stdout).toContain(`memfs: ${ours}`);
    expect(again.status).toBe(1);
    const here = foliofs("fuzz", "--replay", file);
    expect(here.stdout).toContain("tmpfs does the same");
    expect(here.status).toBe(0);
  });

  it("takes its share in each of several threads", () => {
    const { stdout, status } = foliofs("fuzz", "--oracle", "model", "--seed", "7", "--ops", "200", "--jobs", "2");
    expect(stdout).toMatch(/^tmpfs against the model, seed 7, 4 tasks\n\d+ calls in [^\n]*, 0 findings\n$/);
    expect(status).toBe(0);
  });

  it("ends when its time is over, in several threads too", () => {
    const { stdout, status } = foliofs("fuzz", "--oracle", "model", "--seed", "7", "--time", "2", "--jobs", "2");
    expect(stdout).toMatch(/^tmpfs against the model, seed 7, 4 tasks\n[1-9]\d* calls in [^\n]*, 0 findings\n/);
    expect(status).toBe(0);
  });

  it.skipIf(process.platform !== "linux")(
    "refuses a kernel that it cannot have to itself, whichever thread asks",
    () => {
      for (const jobs of ["1", "2"]) {
        const command = [join(ROOT, "dist/cli.js"), "fuzz", "--oracle", "ext4", "--jobs", jobs];
        const env = { ...process.env, PATH: "/none" }; // where neither unshare nor mkfs is
        const { stderr, stdout, status } = spawnSync(process.execPath, command, { encoding: "utf8", env });
        expect(stderr).toMatch(/^foliofs: .*ext4|^foliofs: .*need root/);
        expect(stdout).toBe("");
        expect(status).toBe(2);
      }
    },
  );

  it.each([
    ["in one thread", ["fuzz", "--jobs", "1"]],
    ["in several", ["fuzz", "--jobs", "2"]],
    ["by schedules", ["fuzz", "--profile", "async", "--subject", "store"]],
    ["by faults", ["fuzz", "--faults", "--subject", "tmpfs"]],
    ["on two files", ["fsx"]],
  ])("tells what it has done when it is interrupted: %s", async (_, args) => {
    const child = spawn(process.execPath, [join(ROOT, "dist/cli.js"), ...args, "--seed", "1", "--ops", "1000000000"]);
    let text = "";
    child.stdout.on("data", (bytes) => {
      if (text === "") child.kill("SIGINT");
      text += bytes;
    });
    const [status] = await once(child, "close");
    expect(text).toMatch(/\n\d+ (calls|operations) in \d+ programs, .* 0 findings\n$/);
    expect(status).toBe(0);
  });

  it("holds calls under way, and has allocations fail", () => {
    const held = foliofs("fuzz", "--profile", "async", "--subject", "store", "--seed", "1", "--ops", "30");
    expect(held.stdout).toMatch(/^store, calls under way .*, seed 1\n\d+ calls .* [1-9]\d* waits, .* 0 findings\n$/);
    expect(held.status).toBe(0);
    const failed = foliofs("fuzz", "--faults", "--subject", "tmpfs", "--seed", "1", "--ops", "30");
    expect(failed.stdout).toMatch(/^tmpfs with faults, seed 1\n\d+ calls .* [1-9]\d* faults, .* 0 findings\n$/);
    expect(failed.status).toBe(0);
  });
});

describe("foliofs fsx", () => {
  it("writes down each operation", () => {
    const log = join(folder, "log");
    const { stdout, status } = foliofs("fsx", "--on", "ramfs", "--seed", "1", "--ops", "20", "--log", log);
    expect(stdout).toMatch(/^fsx on ramfs, seed 1, files of up to 262144 bytes\n20 operations .* 0 findings\n$/);
    expect(status).toBe(0);
    expect(readFileSync(log, "utf8").trimEnd().split("\n")).toHaveLength(20);
  });

  it("runs a replay again", () => {
    const file = join(ROOT, "test/fuzz/fsx-replays/store-direct-write-beside-a-view.jsonl");
    const { stdout, status } = foliofs("fsx", "--replay", file);
    expect(stdout).toMatch(/^on store: .*\nall of \d+ operations did what they should\n$/);
    expect(status).toBe(0);
  });
});

describe("the command line", () => {
  it("says its version, and how it is used", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(foliofs("--version").stdout).toBe(`${version}\n`);
    expect(foliofs("fsx", "--help").stdout).toMatch(/^Usage: foliofs top /);
  });

  it.skipIf(process.platform === "win32").each(["--help", "fuzz --subject memfs --oracle model --ops 300 --jobs 1"])(
    "ends without a word when nobody reads on: %s",
    (args) => {
      const script = `{ "$0" ${join(ROOT, "dist/cli.js")} ${args}; echo "status $?" >&2; } | true`;
      const { stderr } = spawnSync("sh", ["-c", script, process.execPath], { encoding: "utf8" });
      expect(stderr).toBe("status 141\n");
    },
  );

  it.each([
    [[], "what is to be done?"],
    [["fly"], "there is no command fly"],
    [["fuzz", "--subject", "ntfs"], "--subject takes one of "],
    [["fsx", "--length", "1"], "--length takes a whole number of 4096 to 1048576, not 1"],
  ])("refuses %j", (args, message) => {
    const { stderr, status } = foliofs(...args);
    expect(stderr).toContain(`foliofs: ${message}`);
    expect(status).toBe(2);
  });
});
