/** What it costs to tell how two layers differ, with more and more files below them. Part of bench/layers.ts. */
import { strict as assert } from "node:assert";
import type { FolioFs } from "foliofs";
import { machine, milliseconds } from "./layer-machine.ts";

const TURNS = 15;
const NR_BELOW = [1_000, 10_000, 100_000];
const NR_CHANGED = [10, 100];
const PER_DIRECTORY = 100;

const [A, B] = ["/agents/a", "/agents/b"];

function nameOf(i: number): string {
  return `dir${Math.floor(i / PER_DIRECTORY)}/file${i}`;
}

function build(nrBelow: number): FolioFs {
  const fs = machine([A, B]);
  for (let i = 0; i < nrBelow; i++) {
    if (i % PER_DIRECTORY === 0) fs.mkdirSync(`/base/dir${i / PER_DIRECTORY}`);
    fs.writeFileSync(`/base/${nameOf(i)}`, "below");
  }
  return fs;
}

/** Layers of which one has changed files, as far from each other as can be. @returns milliseconds of a diff: the least, as another program may get in the way of one */
function diffTime(fs: FolioFs, nrBelow: number, nrChanged: number): number {
  const layers = [A, B].map((target) => fs.kernel.layer({ lower: "/base", target }));
  for (let i = 0; i < nrChanged; i++) fs.appendFileSync(`${B}/${nameOf((i * nrBelow) / nrChanged)}`, "changed");
  const files = fs.kernel.diff(A, B).filter(({ changed }) => changed?.includes("data"));
  assert.equal(files.length, nrChanged);
  const times = Array.from({ length: TURNS }, () => milliseconds(() => fs.kernel.diff(A, B)));
  for (const layer of layers) layer.drop();
  return Math.min(...times);
}

/** Prints a row for each number of files that have changed, with a column for each number below. */
export function benchDiff(): void {
  const columns = NR_BELOW.map((nrBelow) => {
    const fs = build(nrBelow);
    const times = NR_CHANGED.map((nrChanged) => diffTime(fs, nrBelow, nrChanged));
    fs.kernel.destroy();
    return times;
  });
  for (const [row, nrChanged] of NR_CHANGED.entries()) {
    const times = columns.map((times) => times[row].toFixed(2)).join(", ");
    console.log(`${`diff, ${nrChanged} files changed`.padEnd(22)} ${times} ms with ${NR_BELOW.join(", ")} files below`);
  }
}
