/** Calls of the face that are several system calls happen at one moment: the clock is read once. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

let nowMs = 0;
let fs: FolioFs;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, now: () => nowMs++ });
  fs.mkdirSync("/d");
});

describe("writeFileSync", () => {
  const data: [string, string | Uint8Array][] = [
    ["text", "data"],
    ["bytes", Buffer.from("data")],
    ["nothing", ""],
  ];
  it.each(data)("gives a new file and its directory one time: %s", (_what, bytes) => {
    const before = nowMs;
    fs.writeFileSync("/d/f", bytes);
    const { birthtimeMs, mtimeMs, ctimeMs } = fs.statSync("/d/f");
    assert.equal(nowMs, before + 1);
    assert.deepEqual([birthtimeMs, mtimeMs, ctimeMs, fs.statSync("/d").mtimeMs], [before, before, before, before]);
  });

  it("lets the clock run on, when it fails as well", () => {
    fs.writeFileSync("/d/f", "data");
    const made = fs.statSync("/d/f").mtimeMs;
    assert.equal(
      outcomeOf(() => fs.writeFileSync("/missing/f", "data")),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => fs.writeFileSync("/d", "data", { flag: "r+" })),
      "EISDIR",
    );
    fs.writeFileSync("/d/f", "other");
    assert.ok(fs.statSync("/d/f").mtimeMs > made);
    fs.chmodSync("/d/f", 0o600);
    assert.ok(fs.statSync("/d/f").ctimeMs > fs.statSync("/d/f").mtimeMs);
  });
});

describe("names", () => {
  it("change at one time, whichever way they are changed", () => {
    fs.writeFileSync("/d/f", "data");
    const calls: (() => void)[] = [
      () => fs.renameSync("/d/f", "/d/g"),
      () => fs.mkdirSync("/d/a"),
      () => fs.renameSync("/d/a", "/d/b"), // a directory is none of the core's plain cases
      () => fs.unlinkSync("/d/g"),
    ];
    for (const call of calls) {
      const before = nowMs;
      call();
      assert.equal(nowMs, before + 1, String(call));
    }
  });
});
