/** Frames that fallocate() has promised are there when they are written, whatever names and inodes are made meanwhile. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const MIB = 2 ** 20;
const PAGE = 4096;

describe("promised frames", () => {
  it.each([
    ["directories", (path: string) => ["mkdirSync", path] as const],
    ["names of files", (path: string) => ["writeFileSync", path, ""] as const],
    ["long links", (path: string) => ["symlinkSync", "t".repeat(4000), path] as const],
  ])("are not given to %s", (_what, make) => {
    const fs = createFsSync({ memoryLimit: 8 * MIB });
    const fd = fs.openSync("/promised", "w");
    fs.fallocateSync(fd, 0, 0, 6 * MIB);
    assert.equal(fs.kernel.vmstat().nr_reserved, 1536);
    fs.mkdirSync("/d");
    let nr = 0;
    const makeOne = (): string => {
      const [call, ...args] = make(`/d/${nr}`);
      return outcomeOf(() => (fs[call] as (...args: string[]) => void)(...args));
    };
    while (makeOne() === "ok") nr++;
    assert.equal(makeOne(), "ENOSPC");
    assert.ok(nr > 100);
    fs.kernel.verify();
    const page = Buffer.alloc(PAGE, 1);
    for (let i = 0; i < 1536; i++) assert.equal(fs.writeSync(fd, page, 0, PAGE, i * PAGE), PAGE, `page ${i}`);
    assert.equal(fs.kernel.vmstat().nr_reserved, 0);
    fs.kernel.verify();
    fs.ftruncateSync(fd, 0);
    assert.equal(makeOne(), "ok");
    fs.closeSync(fd);
    fs.kernel.verify();
  });
});
