/**
 * What a clone costs: `node --import tsx bench/clone.ts [MiB]`.
 *
 *   clone          copyFile with COPYFILE_FICLONE_FORCE of a file of 1 GiB: time, and what of memory it takes
 *   first write    16 bytes to each page of a clone, which copies the page, beside the same to a file of its own
 *
 * Uses dist/ as it is. Medians of nine turns; on a machine that does other things only ratios say something.
 */
import { createFsSync } from "foliofs";

const MIB = 2 ** 20;
const PAGE = 4096;
const TURNS = 9;
const WRITTEN_PAGES = 4096;
const megabytes = Number(process.argv[2] ?? 1024);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const fs = createFsSync({ memoryLimit: Math.min((megabytes + 256) * MIB, 2 ** 32 - 65536) });
fs.mkdirSync("/t");
fs.kernel.mount({ type: "tmpfs", target: "/t", data: `size=${2 * megabytes + 256}m` });
const piece = Buffer.alloc(MIB, 1);
const fd = fs.openSync("/t/source", "w+");
for (let i = 0; i < megabytes; i++) fs.writeSync(fd, piece);

const { COPYFILE_FICLONE_FORCE } = fs.constants;
const clone = (): void => fs.copyFileSync("/t/source", "/t/clone", COPYFILE_FICLONE_FORCE);
const first = milliseconds(clone);
const { indexNodes, data } = fs.kernel.usage();
fs.unlinkSync("/t/clone");
const without = fs.kernel.usage();
const again = Array.from({ length: TURNS }, () => {
  const time = milliseconds(clone);
  fs.unlinkSync("/t/clone");
  return time;
});
const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;
console.log(
  `clone of ${megabytes} MiB: ${first.toFixed(1)} ms for the first, ${median(again).toFixed(1)} ms for others, at least ${Math.min(...again).toFixed(1)} ms`,
);
console.log(`it takes ${kib(indexNodes - without.indexNodes)} of index, ${kib(data - without.data)} of data`);

function perWrite(path: string): number {
  const to = fs.openSync(path, "r+");
  const bytes = Buffer.alloc(16, 2);
  const nr = Math.min(WRITTEN_PAGES, megabytes * 256);
  const time = milliseconds(() => {
    for (let i = 0; i < nr; i++) fs.writeSync(to, bytes, 0, 16, i * PAGE);
  });
  fs.closeSync(to);
  return (time / nr) * 1e6;
}

fs.writeFileSync("/t/own", Buffer.alloc(WRITTEN_PAGES * PAGE, 3));
const turns = Array.from({ length: TURNS }, () => {
  clone();
  const shared = perWrite("/t/clone");
  const own = perWrite("/t/clone");
  const never = perWrite("/t/own");
  fs.unlinkSync("/t/clone");
  return { shared, own, never };
});
const shown = (of: (turn: (typeof turns)[number]) => number): string => `${median(turns.map(of)).toFixed(0)} ns`;
console.log(`16 bytes to a page of others, too: ${shown(({ shared }) => shared)}`);
console.log(`to a page that was copied: ${shown(({ own }) => own)}`);
console.log(`to a page of a file that was never cloned: ${shown(({ never }) => never)}`);
