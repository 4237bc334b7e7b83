/**
 * What layers cost: `npm run bench:layers`.
 *
 *   a layer        kernel.layer() over a tree of 250 MiB: time (median of 1 000); memory of each of fifty, as they are made, and beside
 *                  what they change when each has changed ten files
 *   one byte       of a file of 100 MiB below: time, and what it takes of the layer's size
 *   fork           of a layer that has changed 100 files of 1 MiB: time, and data
 *   diff           of two layers, of which one has changed files: layer-diff.ts
 *   walks          stat, open and close, readFile of 1 KiB, warm: layer-walks.ts
 *
 * Uses dist/ as it is. On a machine that does other things only ratios say something.
 */
import type { FolioFs } from "foliofs";
import { benchDiff } from "./layer-diff.ts";
import { MIB, machine, milliseconds } from "./layer-machine.ts";
import { benchWalks } from "./layer-walks.ts";
import { median } from "./stats.ts";

const NR_LAYERS = 1000;
const NR_HELD = 50;
const NR_FILES = 250;
const NR_CHANGED = 10;
const PAGE_KIB = 4;
const TURNS = 31;

function writeByte(fs: FolioFs, path: string): void {
  const fd = fs.openSync(path, "r+");
  fs.writeSync(fd, "x", 4096);
  fs.closeSync(fd);
}

/** Memory in use, without names that can be asked for again, KiB. */
function usedKib(fs: FolioFs): number {
  fs.kernel.dropCaches(2);
  const { memory, free } = fs.kernel.usage();
  return (memory - free) / 1024;
}

function layerTime(fs: FolioFs): number {
  const times = Array.from({ length: NR_LAYERS }, () => {
    const start = performance.now();
    const layer = fs.kernel.layer({ lower: "/base", target: "/agents/0", size: "64m", nr_inodes: 10_000 });
    const time = performance.now() - start;
    layer.drop();
    return time;
  });
  return median(times);
}

function benchLayers(): void {
  const targets = Array.from({ length: NR_HELD }, (_, i) => `/agents/${i + 1}`);
  const fs = machine(["/agents/0", ...targets]);
  for (let i = 0; i < NR_FILES; i++) fs.writeFileSync(`/base/file${i}`, Buffer.alloc(MIB, i));
  const time = layerTime(fs);
  const before = usedKib(fs);
  for (const target of targets) fs.kernel.layer({ lower: "/base", target, size: "64m" });
  const made = usedKib(fs);
  for (const target of targets) for (let i = 0; i < NR_CHANGED; i++) writeByte(fs, `${target}/file${i * 25}`);
  const changed = usedKib(fs);
  const each = ((made - before) / NR_HELD).toFixed(1);
  const beside = ((changed - before) / NR_HELD - NR_CHANGED * PAGE_KIB).toFixed(1);
  console.log(`${"a layer".padEnd(22)} ${(time * 1000).toFixed(0)} µs`);
  console.log(`${`${NR_HELD} over ${NR_FILES} MiB`.padEnd(22)} ${each} KiB each`);
  console.log(`${"ten changes in each".padEnd(22)} ${beside} KiB each beside the ${NR_CHANGED} pages changed`);
  fs.kernel.destroy();
}

function benchCopyUp(): void {
  const fs = machine(["/agents/1"]);
  fs.writeFileSync("/base/big", Buffer.alloc(100 * MIB, 1));
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < TURNS; i++) {
    const layer = fs.kernel.layer({ lower: "/base", target: "/agents/1", size: "64m" });
    times.push(milliseconds(() => writeByte(fs, "/agents/1/big")));
    bytes = layer.usage().bytes;
    layer.drop();
  }
  console.log(
    `${"one byte of 100 MiB".padEnd(22)} ${Math.min(...times).toFixed(1)} ms, ${bytes / 1024} KiB of its size`,
  );
  fs.kernel.destroy();
}

function benchFork(): void {
  const fs = machine(["/agents/1", "/agents/2"]);
  for (let i = 0; i < 100; i++) fs.writeFileSync(`/base/file${i}`, "below");
  const layer = fs.kernel.layer({ lower: "/base", target: "/agents/1", size: "200m" });
  for (let i = 0; i < 100; i++) fs.writeFileSync(`/agents/1/file${i}`, Buffer.alloc(MIB, i));
  const { data } = fs.kernel.usage();
  let grown = 0;
  const times = Array.from({ length: TURNS }, () => {
    const start = performance.now();
    const fork = layer.fork("/agents/2");
    const time = performance.now() - start;
    grown = fs.kernel.usage().data - data;
    fork.drop();
    return time;
  });
  const [typical, least] = [median(times), Math.min(...times)].map((time) => time.toFixed(1));
  console.log(`${"fork of 100 MiB".padEnd(22)} ${typical} ms, at least ${least} ms, ${grown} B of data`);
  fs.kernel.destroy();
}

benchLayers();
benchCopyUp();
benchFork();
benchDiff();
benchWalks();
