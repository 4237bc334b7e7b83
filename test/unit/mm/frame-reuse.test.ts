/** Freed frames are used again before memory that has held nothing yet is touched. */
import { describe, expect, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import type { VmStat } from "../../../src/vfs/vmstat.ts";
import { SECTION_FRAMES } from "../../../src/wasm/layout.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE_BYTES = 4096;
/** Of fresh frames in blocks that count as freed, since one of their frames is: a block where records end, one where data does. */
const SLACK_PAGES = (2 * 2 * MIB) / PAGE_BYTES;

/** Frames that the host has given memory for, as far as the kernel knows. */
function touchedPages({ nr_total_pages, nr_fresh_pages }: VmStat): number {
  return nr_total_pages - nr_fresh_pages;
}

/** Fills files of `size` bytes, `total` in all, by writes of at most 1 MiB. @returns frames in use then */
function fill(fs: FolioFs, size: number, total: number): number {
  const piece = Buffer.alloc(Math.min(size, MIB), 7);
  for (let file = 0; file < total / size; file++) {
    const fd = fs.openSync(`/files/${file}`, "w");
    for (let at = 0; at < size; at += piece.length) fs.writeSync(fd, piece, 0, Math.min(piece.length, size - at));
    fs.closeSync(fd);
  }
  return fs.kernel.vmstat().nr_used_pages;
}

function removeAll(fs: FolioFs): void {
  for (const name of fs.readdirSync("/files")) fs.unlinkSync(`/files/${name}`);
}

const TOTAL = 96 * MIB;
const SIZES = { "4 KiB": 4 * KIB, "64 KiB": 64 * KIB, "100 kB": 100_000, "1 MiB": MIB, "3 MB": 3_000_000 };

describe("frames of removed files", () => {
  it.each(Object.entries({ ...SIZES, "300 MiB": 300 * MIB }))("hold the same files of %s again", (_name, size) => {
    const fs = createFsSync({ memoryLimit: 512 * MIB });
    fs.mkdirSync("/files");
    fill(fs, size, Math.max(size, TOTAL));
    removeAll(fs);
    const before = fs.kernel.vmstat();

    for (let round = 0; round < 3; round++) {
      fill(fs, size, Math.max(size, TOTAL));
      removeAll(fs);
    }

    const after = fs.kernel.vmstat();
    expect(after.nr_total_pages - before.nr_total_pages).toBeLessThanOrEqual(SECTION_FRAMES);
    expect(touchedPages(after) - touchedPages(before)).toBeLessThanOrEqual(SLACK_PAGES);
    fs.kernel.destroy();
  });

  const pairs = Object.entries(SIZES).flatMap(([first, a]) =>
    Object.entries(SIZES).map(([second, b]) => [first, second, a, b] as const),
  );
  it.each(pairs)("of %s hold files of %s", (_first, _second, first, second) => {
    const fs = createFsSync({ memoryLimit: 256 * MIB });
    fs.mkdirSync("/files");
    const usedFirst = fill(fs, first, TOTAL);
    removeAll(fs);
    const before = fs.kernel.vmstat();

    const usedSecond = fill(fs, second, TOTAL);

    const grown = touchedPages(fs.kernel.vmstat()) - touchedPages(before);
    expect(grown).toBeLessThanOrEqual(Math.max(0, usedSecond - usedFirst) + SLACK_PAGES);
    fs.kernel.destroy();
  });

  it("hold large files where every other of the small ones stays", () => {
    const fs = createFsSync({ memoryLimit: 256 * MIB });
    fs.mkdirSync("/files");
    fill(fs, 4 * KIB, TOTAL);
    for (let file = 0; file < TOTAL / (4 * KIB); file += 2) fs.unlinkSync(`/files/${file}`);
    const before = fs.kernel.vmstat();

    fs.writeFileSync("/large", new Uint8Array(20 * MIB).fill(8));

    const after = fs.kernel.vmstat();
    expect(after.nr_total_pages).toBe(before.nr_total_pages);
    expect(before.nr_fresh_pages - after.nr_fresh_pages).toBeLessThanOrEqual(SLACK_PAGES);
    expect(fs.readFileSync("/large").every((byte) => byte === 8)).toBe(true);
    fs.kernel.destroy();
  });

  it.each([
    ["1 MiB", MIB],
    ["20 KiB", 20 * KIB],
  ])("hold a second round of 256 MiB, of files of %s: memory has not grown", (_name, size) => {
    const fs = createFsSync({ memoryLimit: 512 * MIB });
    fs.mkdirSync("/files");
    fill(fs, size, 256 * MIB);
    const after = fs.kernel.vmstat();
    const bytes = fs.kernel.vfs.core.arrayBuffer.byteLength;
    removeAll(fs);
    fill(fs, size, 256 * MIB);
    expect(fs.kernel.vfs.core.arrayBuffer.byteLength).toBe(bytes);
    expect(fs.kernel.vmstat().nr_total_pages).toBe(after.nr_total_pages);
    expect(fs.kernel.vmstat().nr_used_pages).toBeLessThanOrEqual(after.nr_used_pages + SLACK_PAGES);
    fs.kernel.destroy();
  });

  it("hold the same files again in a fork", () => {
    const fs = createFsSync({ memoryLimit: 256 * MIB });
    fs.mkdirSync("/files");
    fill(fs, MIB, TOTAL);
    const copy = fs.kernel.fork();
    removeAll(copy.fs);
    const before = copy.vmstat();

    fill(copy.fs, MIB, TOTAL);

    expect(copy.vmstat().nr_total_pages).toBe(before.nr_total_pages);
    expect(before.nr_fresh_pages - copy.vmstat().nr_fresh_pages).toBeLessThanOrEqual(SLACK_PAGES);
    copy.destroy();
    fs.kernel.destroy();
  });
});
