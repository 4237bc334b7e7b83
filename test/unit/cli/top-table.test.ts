/** The table of `foliofs top`. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { TopSample } from "../../../src/cli/top-sample.ts";
import { renderTop, shownBytes } from "../../../src/cli/top-table.ts";
import { createFsSync } from "../../../src/index.ts";

const MIB = 2 ** 20;

/** A column of the table, by its heading; of two of a name the first. */
function column(table: string, heading: string): string[] {
  const rows = table.split("\n").slice(1);
  const cells = rows.map((row) => row.trim().split(/ +/));
  return cells.map((row) => row[cells[0].indexOf(heading)]).slice(1);
}

function sample(ms: number, ...stats: Record<string, number>[]): TopSample {
  return { ms, kernels: stats.map((stat, i) => ({ id: i + 1, isEnded: i === 1, stat })) };
}

describe("the table", () => {
  it("shows what a kernel counts", () => {
    const fs = createFsSync({ memoryLimit: 16 * MIB });
    fs.writeFileSync("/f", Buffer.alloc(3 * MIB));
    const stat = fs.kernel.vmstat();
    const table = renderTop("x.mjs", sample(1500, stat));
    assert.match(table, /^foliofs top - x\.mjs, 1\.5 s, kernels: 1 live, 1 in all\n/);
    assert.deepEqual(column(table, "LIMIT"), ["16M"]);
    assert.deepEqual(column(table, "UNEV"), ["3.0M"]);
    assert.deepEqual(column(table, "USED"), [shownBytes(stat.nr_used_pages * 4096)]);
    assert.deepEqual(column(table, "DIRTY"), ["0K"]);
  });

  it("has a line for each kernel, and says which have ended", () => {
    const table = renderTop("x", sample(0, { nr_dirty: 1 }, { nr_dirty: 512 }, {}));
    assert.match(table, /kernels: 2 live, 3 in all/);
    assert.deepEqual(column(table, "K"), ["1", "2", "3"]);
    assert.deepEqual(column(table, "S"), ["R", "X", "R"]);
    assert.deepEqual(column(table, "DIRTY"), ["4K", "2.0M", "0K"]);
  });

  it("counts by the second since the sample before", () => {
    const before = sample(1000, { nr_written: 100, pgcache_miss: 10 });
    const now = sample(3000, { nr_written: 500, pgcache_miss: 13, pgmajfault: 2 }, { nr_written: 7 });
    const table = renderTop("x", now, before);
    assert.deepEqual(column(table, "FAULT"), ["15", "0"]);
    const perSecond = table
      .split("\n")
      .slice(2)
      .map((row) => row.trim().split(/ +/));
    assert.deepEqual(
      perSecond.map((row) => [row[10], row[14]]),
      [
        ["3", "200"],
        ["-", "-"],
      ],
    );
  });

  it("is a line where there is no kernel, and no sample", () => {
    assert.equal(renderTop("x", undefined), "foliofs top - x, 0.0 s, kernels: 0 live, 0 in all");
  });

  it("has columns of one width, in less than a hundred characters", () => {
    const stat = { nr_limit_pages: 2 ** 20, nr_used_pages: 999_999, nr_written: 123_456_789, nr_dirty: 1, nr_files: 7 };
    const [, ...rows] = renderTop("x", sample(0, stat, {})).split("\n");
    assert.equal(new Set(rows.map(({ length }) => length)).size, 1);
    assert.ok(rows[0].length < 100, `${rows[0].length}`);
  });
});

describe("sizes", () => {
  it.each([
    [0, "0K"],
    [4096, "4K"],
    [1000 * 1024, "1.0M"],
    [999 * 1024, "999K"],
    [9.9 * MIB, "9.9M"],
    [9.96 * MIB, "10M"],
    [999 * MIB, "999M"],
    [1024 * MIB, "1.0G"],
    [4096 * MIB, "4.0G"],
    [2 ** 62, "4194304T"],
  ])("of %d bytes are %s", (bytes, text) => assert.equal(shownBytes(bytes), text));
});
