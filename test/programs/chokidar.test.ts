/**
 * chokidar on foliofs tells what it tells on the host: the same changes of the same tree, after each what it has told. It is
 * the last release of 3, which half of the world has, and of 4.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, it } from "vitest";
import { makeProgramFolder, type ProgramFolder } from "./program-folder.ts";

const DRIVER = "chokidar-driver.cjs";

let user: ProgramFolder;

beforeAll(() => {
  user = makeProgramFolder();
  user.write({ [DRIVER]: readFileSync(new URL(DRIVER, import.meta.url), "utf8") });
});

afterAll(() => user?.remove());

/** @param patience how much longer than it should take the driver waits for the last of what is told */
async function toldBy(name: string, which: "host" | "foliofs", options: object, patience: number): Promise<string[]> {
  const folder = mkdtempSync("/dev/shm/foliofs-chokidar-");
  try {
    const args = [DRIVER, name, which, folder, JSON.stringify(options), String(patience)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: user.folder });
    return stdout.trim().split("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const OPTIONS: readonly object[] = [
  {},
  { ignoreInitial: true, alwaysStat: true },
  { followSymlinks: false, depth: 1 },
  { usePolling: true, interval: 50, ignoreInitial: true },
  { awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 } },
];
/** On a busy machine chokidar is late, or looks late, which says nothing: what differs is tried again with more time. */
const PATIENCE = [1, 2, 4];

// At once: it is waiting that takes the time.
describe.each(["chokidar3", "chokidar"])("%s", (name) => {
  for (const options of OPTIONS)
    it.concurrent(`tells what it tells on the host: ${JSON.stringify(options)}`, { timeout: 900_000 }, async ({
      expect,
    }) => {
      let told: string[] = [];
      let expected: string[] = [];
      for (const patience of PATIENCE) {
        const both = (["host", "foliofs"] as const).map((which) => toldBy(name, which, options, patience));
        [expected, told] = await Promise.all(both);
        if (JSON.stringify(told) === JSON.stringify(expected)) break;
      }
      expect(expected.length).toBeGreaterThan(20);
      expect(told).toEqual(expected);
    });
});
