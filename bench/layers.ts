/**
 * What layers cost: `node --import tsx bench/layers.ts`.
 *
 *   a layer        kernel.layer() over a tree: time (median of 1 000), and memory of each of fifty
 *   one byte       of a file of 100 MiB below: time, and what it takes of the layer's size
 *   fork           of a layer that has changed 100 files of 1 MiB: time, and data
 *   walks          stat, open and close, readFile of 1 KiB, warm: through an overlay of two layers, beside the same on one file system
 *
 * Uses dist/ as it is. Walks take turns in one process; on a machine that does other things only ratios say something.
 */
import { createFsSync, type FolioFs } from "foliofs";
import { overlay } from "foliofs/layers";

const MIB = 2 ** 20;
const NR_LAYERS = 1000;
const NR_HELD = 50;
const TURNS = 15;
const CALLS = 20_000;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function machine(): FolioFs {
  const fs = createFsSync({ memoryLimit: 1024 * MIB, types: [overlay] });
  fs.mkdirSync("/base");
  fs.mkdirSync("/agents");
  return fs;
}

function writeByte(fs: FolioFs, path: string): void {
  const fd = fs.openSync(path, "r+");
  fs.writeSync(fd, "x", 4096);
  fs.closeSync(fd);
}

function benchLayers(): void {
  const fs = machine();
  for (let i = 0; i < 250; i++) fs.writeFileSync(`/base/file${i}`, Buffer.alloc(MIB / 2, i));
  const target = "/agents/0";
  fs.mkdirSync(target);
  const times = Array.from({ length: NR_LAYERS }, () => {
    const start = performance.now();
    const layer = fs.kernel.layer({ lower: "/base", target, size: "64m", nr_inodes: 10_000 });
    const time = performance.now() - start;
    layer.drop();
    return time;
  });
  const used = (): number => {
    const { memory, free } = fs.kernel.usage();
    return memory - free;
  };
  for (let i = 1; i <= NR_HELD; i++) fs.mkdirSync(`/agents/${i}`);
  fs.kernel.dropCaches(2);
  const before = used();
  for (let i = 1; i <= NR_HELD; i++) fs.kernel.layer({ lower: "/base", target: `/agents/${i}`, size: "64m" });
  const kibibytes = (used() - before) / NR_HELD / 1024;
  console.log(`a layer                ${(median(times) * 1000).toFixed(0)} µs, ${kibibytes.toFixed(1)} KiB`);
  fs.kernel.destroy();
}

function benchCopyUp(): void {
  const fs = machine();
  fs.writeFileSync("/base/big", Buffer.alloc(100 * MIB, 1));
  fs.mkdirSync("/agents/1");
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < TURNS; i++) {
    const layer = fs.kernel.layer({ lower: "/base", target: "/agents/1", size: "64m" });
    times.push(milliseconds(() => writeByte(fs, "/agents/1/big")));
    bytes = layer.usage().bytes;
    layer.drop();
  }
  console.log(`one byte of 100 MiB    ${median(times).toFixed(1)} ms, ${bytes / 1024} KiB of its size`);
  fs.kernel.destroy();
}

function benchFork(): void {
  const fs = machine();
  for (const name of ["1", "2"]) fs.mkdirSync(`/agents/${name}`);
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
  console.log(`fork of 100 MiB        ${median(times).toFixed(1)} ms, ${grown} B of data`);
  fs.kernel.destroy();
}

/** What is walked, with the path of a file of 1 KiB. */
const WALKS: Readonly<Record<string, (fs: FolioFs, path: string) => unknown>> = {
  stat: (fs, path) => fs.statSync(path),
  "open and close": (fs, path) => fs.closeSync(fs.openSync(path, "r")),
  "readFile of 1 KiB": (fs, path) => fs.readFileSync(path),
};

function benchWalks(): void {
  const fs = machine();
  fs.mkdirSync("/base/src/lib", { recursive: true });
  fs.writeFileSync("/base/src/lib/file", Buffer.alloc(1024, 7));
  fs.mkdirSync("/agents/1");
  fs.kernel.layer({ lower: "/base", target: "/agents/1" });
  // As deep as the other, and on a file system of its own, too.
  fs.mkdirSync("/agents/2");
  fs.kernel.mount({ type: "tmpfs", target: "/agents/2" });
  fs.mkdirSync("/agents/2/src/lib", { recursive: true });
  fs.writeFileSync("/agents/2/src/lib/file", Buffer.alloc(1024, 7));
  for (const [name, walk] of Object.entries(WALKS)) {
    const nanoseconds = (path: string): number =>
      (milliseconds(() => {
        for (let i = 0; i < CALLS; i++) walk(fs, path);
      }) *
        1e6) /
      CALLS;
    const [through, plain]: [number[], number[]] = [[], []];
    for (let turn = 0; turn < TURNS; turn++) {
      through.push(nanoseconds("/agents/1/src/lib/file"));
      plain.push(nanoseconds("/agents/2/src/lib/file"));
    }
    const ratio = median(through.map((time, i) => time / plain[i]));
    const [a, b] = [median(through), median(plain)].map((time) => time.toFixed(0));
    console.log(`${name.padEnd(22)} ${ratio.toFixed(2)} times one file system: ${a} ns, ${b} ns`);
  }
  fs.kernel.destroy();
}

benchLayers();
benchCopyUp();
benchFork();
benchWalks();
