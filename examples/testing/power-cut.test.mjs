/** Vitest: what is left when the power goes at any moment. The old settings or the new ones, and never anything else. */
import { createFsSync } from "foliofs";
import { TestDisk } from "foliofs/testing";
import { expect, it } from "vitest";
import { loadSettings, saveSettings } from "./save-settings.mjs";

function mounted(disk) {
  const fs = createFsSync({ types: [disk.type] });
  fs.mkdirSync("/home");
  fs.kernel.mount({ type: disk.type.name, target: "/home" });
  return fs;
}

it.each([true, false])("has one or the other, whole (journal: %s)", async (journal) => {
  const disk = new TestDisk({ journal, sectorBytes: 8 });
  const fs = mounted(disk);
  const [before, after] = [
    { theme: "dark", font: "large" },
    { theme: "light", font: "small" },
  ];
  await saveSettings("/home/settings", before, fs);
  const seen = new Set();
  /** Whenever something has changed the power goes, in 20 ways. */
  disk.onChange = () => {
    for (let seed = 0; seed < 20; seed++) {
      const left = loadSettings("/home/settings", "gone", mounted(disk.afterPowerCut({ seed })));
      seen.add(JSON.stringify(left));
    }
  };
  await saveSettings("/home/settings", after, fs);
  expect([...seen].sort()).toEqual([before, after].map((settings) => JSON.stringify(settings)));
  expect(loadSettings("/home/settings", "gone", mounted(disk.afterPowerCut({ keeps: "nothing" })))).toEqual(after);
});

it("finds a program that does not sync", async () => {
  const disk = new TestDisk({ sectorBytes: 8 });
  const fs = mounted(disk);
  await saveSettings("/home/settings", { theme: "dark" }, fs);
  fs.writeFileSync("/home/settings", JSON.stringify({ theme: "light" }));
  const cuts = Array.from({ length: 50 }, (_, seed) => mounted(disk.afterPowerCut({ seed })));
  expect(cuts.some((left) => left.readFileSync("/home/settings", "utf8") === "")).toBe(true);
});
