/**
 * chokidar on foliofs tells what it tells on the host: the same changes of the same tree, after each what it has told. It is
 * the last release of 3, which half of the world has, and of 4.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProgramFolder, type ProgramFolder } from "./program-folder.ts";

const DRIVER = "chokidar-driver.cjs";

let user: ProgramFolder;

beforeAll(() => {
  user = makeProgramFolder();
  user.write({ [DRIVER]: readFileSync(new URL(DRIVER, import.meta.url), "utf8") });
});

afterAll(() => user?.remove());

/** @param patience how much longer than it should take the driver waits for the last of what is told */
function toldBy(name: string, which: "host" | "foliofs", options: object, patience: number): string[] {
  const folder = mkdtempSync("/dev/shm/foliofs-chokidar-");
  try {
    const args = [DRIVER, name, which, folder, JSON.stringify(options), String(patience)];
    return user.run(process.execPath, args).trim().split("\n");
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

describe.each(["chokidar3", "chokidar"])("%s", (name) => {
  it.each(OPTIONS)("tells what it tells on the host: %j", { timeout: 900_000 }, (options) => {
    let told: string[] = [];
    let expected: string[] = [];
    for (const patience of PATIENCE) {
      expected = toldBy(name, "host", options, patience);
      told = toldBy(name, "foliofs", options, patience);
      if (JSON.stringify(told) === JSON.stringify(expected)) break;
    }
    expect(expected.length).toBeGreaterThan(20);
    expect(told).toEqual(expected);
  });
});
