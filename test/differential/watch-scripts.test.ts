/** Watchers in all their forms, options and errors, on foliofs and on node:fs over a Linux tmpfs. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, it } from "vitest";
import { loadFoliofs } from "../helpers/subject-foliofs.ts";
import { isFollowedVersion } from "./versions.ts";
import { SCRIPTS, type Script } from "./watch/scripts.ts";

let foliofs: Awaited<ReturnType<typeof loadFoliofs>>;
let root: string;

beforeAll(async () => {
  foliofs = await loadFoliofs();
  root = nodeFs.mkdtempSync("/dev/shm/foliofs-watch-");
});
afterAll(() => nodeFs.rmSync(root, { recursive: true }));

async function notesOf(script: Script, fs: typeof nodeFs, work: string): Promise<string[]> {
  const notes: string[] = [];
  await script.run(fs, work, (...what) => void notes.push(what.map(String).join(" ")));
  return notes;
}

async function runOnBoth(script: Script): Promise<[string[], string[]]> {
  const work = nodeFs.mkdtempSync(`${root}/s`);
  const ours = foliofs.createFsSync({ memoryLimit: 32 * 2 ** 20 });
  try {
    ours.mkdirSync(work, { recursive: true });
    return [await notesOf(script, nodeFs, work), await notesOf(script, ours, work)];
  } finally {
    ours.kernel.verify?.();
    ours.kernel.destroy();
  }
}

/** Node looks at files in threads, between two calls too, and late on a busy machine: what differs for once says nothing. */
const NR_TRIES = 3;

describe("watchers", () => {
  for (const script of SCRIPTS) {
    it.skipIf(script.isNew && !isFollowedVersion())(script.name, async () => {
      let [expected, notes]: string[][] = [];
      for (let left = NR_TRIES; left > 0; left--) {
        [expected, notes] = await runOnBoth(script);
        if (isDeepStrictEqual(notes, expected)) break;
      }
      assert.notEqual(expected.length, 0);
      assert.deepEqual(notes, expected);
    });
  }
});
