/** The clock of a kernel is the one that the program has when a call is made: fake timers come and go. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { createFsSync } from "../../../src/index.ts";

const SMALL = { memoryLimit: 16 * 2 ** 20 };
const FAKE = new Date("2020-01-01T00:00:00Z");

afterEach(() => {
  vi.useRealTimers();
});

describe("the clock", () => {
  it.each([
    ["before", true],
    ["after", false],
  ])("is a fake one that is set %s the file system is made, and the real one again afterwards", (_when, isFirst) => {
    if (isFirst) vi.setSystemTime(FAKE);
    const fs = createFsSync(SMALL);
    vi.setSystemTime(FAKE);
    fs.writeFileSync("/fake", "");
    expect(fs.statSync("/fake").mtime).toEqual(FAKE);

    vi.useRealTimers();
    const before = Date.now();
    fs.writeFileSync("/real", "");
    expect(fs.statSync("/real").mtimeMs).toBeGreaterThanOrEqual(before);
  });

  it("is the one of the options where there is one, whatever the program's is", () => {
    const fs = createFsSync({ ...SMALL, now: () => 5000 });
    vi.setSystemTime(FAKE);
    fs.writeFileSync("/f", "");
    expect(fs.statSync("/f").mtimeMs).toBe(5000);
  });
});
