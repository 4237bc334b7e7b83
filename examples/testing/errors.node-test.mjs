/** node:test: what a program does when its calls fail, on the real file system. Its calls go by a face around node:fs. */
import assert from "node:assert/strict";
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, mock, test } from "node:test";
import { injectFaults } from "foliofs/testing";
import { loadSettings, saveSettings } from "./save-settings.mjs";

let folder;
let faults;

beforeEach(() => {
  folder = nodeFs.mkdtempSync(join(tmpdir(), "settings-"));
  faults = injectFaults(nodeFs);
});
afterEach(() => {
  faults.restore();
  mock.timers.reset();
  nodeFs.rmSync(folder, { recursive: true });
});

test("keeps the old settings where the disk is full", async () => {
  const path = `${folder}/settings`;
  await saveSettings(path, { theme: "dark" }, faults.fs);
  faults.diskFull({ after: 5 });
  await assert.rejects(saveSettings(path, { theme: "light" }, faults.fs), /ENOSPC/);
  assert.deepEqual(loadSettings(path, {}, faults.fs), { theme: "dark" });
  assert.deepEqual(nodeFs.readdirSync(folder), ["settings"]);
  faults.assertUsed();
});

test("waits for a slow disk", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  faults.delay(30_000, { call: "fsync", times: 1 });
  let isSaved = false;
  const saving = saveSettings(`${folder}/settings`, {}, faults.fs).then(() => {
    isSaved = true;
  });
  while (faults.rules[0].fired === 0) await new Promise(setImmediate);
  assert.equal(isSaved, false);
  mock.timers.tick(30_000);
  await saving;
});
