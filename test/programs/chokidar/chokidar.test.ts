/**
 * chokidar on foliofs tells what it tells on the host: the same changes of the same tree, after each what it has told. It is
 * the last release of 3, which half of the world has, and of 4.
 *
 * Run by .ci/run, not by `npm test`; installed by the lock file beside this, on the first run.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const HERE = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

beforeAll(() => {
  if (existsSync(join(HERE, "node_modules/chokidar-4"))) return;
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "ignore" });
});

function toldBy(version: number, which: string, folder: string, options: object): string[] {
  const args = [join(HERE, "driver.cjs"), `${version}`, which, folder, JSON.stringify(options)];
  return execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split("\n");
}

const OPTIONS: readonly object[] = [
  {},
  { ignoreInitial: true, alwaysStat: true },
  { followSymlinks: false, depth: 1 },
  { usePolling: true, interval: 50, ignoreInitial: true },
  { awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 } },
];

describe.each([3, 4])("chokidar %i", (version) => {
  it.each(OPTIONS)("tells what it tells on the host: %j", (options) => {
    const folder = mkdtempSync("/dev/shm/foliofs-chokidar-");
    try {
      const expected = toldBy(version, "host", folder, options);
      expect(expected.length).toBeGreaterThan(20);
      rmSync(folder, { recursive: true });
      expect(toldBy(version, "foliofs", folder, options)).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
