/** Vitest: what a program does when its calls fail. The file system is foliofs; rules act on its system calls, whatever makes them. */
import { createFsSync } from "foliofs";
import { injectFaults } from "foliofs/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadSettings, saveSettings } from "./save-settings.mjs";

let fs;
let faults;

beforeEach(async () => {
  fs = createFsSync();
  fs.mkdirSync("/home");
  await saveSettings("/home/settings", { theme: "dark" }, fs);
  faults = injectFaults(fs);
});
afterEach(() => {
  faults.assertUsed(); // a rule that has done nothing tests nothing
  faults.restore();
});

function saved() {
  return [loadSettings("/home/settings", {}, fs), fs.readdirSync("/home")];
}

const OLD = [{ theme: "dark" }, ["settings"]];

it("keeps the old settings where the disk is full", async () => {
  faults.diskFull({ after: 5, path: "/home/**" });
  await expect(saveSettings("/home/settings", { theme: "light" }, fs)).rejects.toThrow("ENOSPC");
  expect(saved()).toEqual(OLD);
});

it.each([
  ["open", "EACCES"],
  ["open", "EMFILE"],
  ["write", "EIO"],
  ["fsync", "EIO"],
  ["close", "EIO"],
  ["rename", "EPERM"],
])("keeps the old settings where %s is %s", async (call, errno) => {
  faults.failNth({ call, errno });
  await expect(saveSettings("/home/settings", { theme: "light" }, fs)).rejects.toThrow(errno);
  expect(saved()).toEqual(OLD);
});

it("copies where it cannot rename", async () => {
  faults.failWhen("/home/settings", "EXDEV", { call: "rename" });
  await saveSettings("/home/settings", { theme: "light" }, fs);
  expect(saved()).toEqual([{ theme: "light" }, ["settings"]]);
  expect(faults.calls.some(({ call }) => call === "copy_file_range")).toBe(true);
});

it("goes on where writes are short", async () => {
  faults.shortWrites({ most: 3 });
  await saveSettings("/home/settings", { theme: "light" }, fs);
  expect(saved()).toEqual([{ theme: "light" }, ["settings"]]);
});

it("says so where settings cannot be read", () => {
  faults.failWhen("/home/*", "EACCES", { call: "open" });
  expect(() => loadSettings("/home/settings", {}, fs)).toThrow("EACCES: permission denied, open '/home/settings'");
});
