/** Watchers in all their forms, options and errors, on foliofs and on node:fs over a Linux tmpfs. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
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

describe("watchers", () => {
  for (const script of SCRIPTS) {
    it.skipIf(script.isNew && !isFollowedVersion())(script.name, async () => {
      const work = nodeFs.mkdtempSync(`${root}/s`);
      const ours = foliofs.createFsSync({ memoryLimit: 32 * 2 ** 20 });
      ours.mkdirSync(work, { recursive: true });
      const expected = await notesOf(script, nodeFs, work);
      assert.notEqual(expected.length, 0);
      assert.deepEqual(await notesOf(script, ours, work), expected);
      ours.kernel.destroy();
    });
  }
});
