/**
 * What watching costs: a write with nobody watching, with a watcher elsewhere, and with one of its directory; and how many
 * events a second a listener hears, the calls that cause them included.
 *
 * Against node:fs on the host's tmpfs and memfs, whose watchers tell within the call or in a timer of their own.
 *
 * Usage: node --import tsx bench/watch.ts
 */
import nodeFs from "node:fs";
import { Volume } from "memfs";
import { createFsSync } from "../dist/index.js";
import { median } from "./stats.ts";

type Fs = typeof nodeFs;

const NR_WRITES = 20_000;
const NR_FILES = 1_000;
const NR_ROUNDS = 15;

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Median time of a 16-byte write over what is there, ns. */
async function writeNs(fs: Fs, path: string): Promise<number> {
  const fd = fs.openSync(path, "r+");
  const bytes = Buffer.alloc(16, 1);
  const times: number[] = [];
  for (let round = 0; round < NR_ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < NR_WRITES; i++) fs.writeSync(fd, bytes, 0, 16, 0);
    times.push(Number(process.hrtime.bigint() - start) / NR_WRITES);
    await turn();
  }
  fs.closeSync(fd);
  return median(times);
}

/** Events that are heard of files made and removed, a second. */
async function eventsPerSecond(fs: Fs, root: string): Promise<number> {
  let nrHeard = 0;
  const watcher = fs.watch(root, () => void nrHeard++);
  const rates: number[] = [];
  for (let round = 0; round < NR_ROUNDS; round++) {
    const startMs = performance.now();
    nrHeard = 0;
    for (let i = 0; i < NR_FILES; i++) fs.mkdirSync(`${root}/d${i}`);
    while (nrHeard < NR_FILES) await turn();
    for (let i = 0; i < NR_FILES; i++) fs.rmdirSync(`${root}/d${i}`);
    while (nrHeard < 2 * NR_FILES) await turn();
    rates.push((nrHeard * 1000) / (performance.now() - startMs));
  }
  watcher.close();
  return median(rates);
}

/** @param hasAllEvents it tells of each name in a directory */
async function measure(name: string, fs: Fs, root: string, hasAllEvents = true): Promise<void> {
  fs.mkdirSync(`${root}/a`);
  fs.mkdirSync(`${root}/b`);
  fs.writeFileSync(`${root}/a/file`, Buffer.alloc(16));
  const plain = await writeNs(fs, `${root}/a/file`);
  const elsewhere = fs.watch(`${root}/b`, () => {});
  const beside = await writeNs(fs, `${root}/a/file`);
  elsewhere.close();
  const watcher = fs.watch(`${root}/a`, () => {});
  const watched = await writeNs(fs, `${root}/a/file`);
  watcher.close();
  const rate = hasAllEvents ? Math.round(await eventsPerSecond(fs, root)).toLocaleString("en") : "-";
  const times = [plain, beside, watched].map((ns) => `${ns.toFixed(0)} ns`.padStart(10));
  console.log(`${name.padEnd(10)}${times.join("")}${rate.padStart(14)}`);
}

console.log(`Node ${process.version}`);
console.log(
  "write of      nobody  a watcher watched by   events of\n16 bytes     watches  elsewhere directory    mkdir, rmdir a second",
);
for (const [name, fs] of [
  ["foliofs", createFsSync()],
  ["memfs", new Volume()],
] as const) {
  fs.mkdirSync("/work");
  await measure(name, fs as unknown as Fs, "/work", name !== "memfs");
}
const folder = nodeFs.mkdtempSync("/dev/shm/foliofs-bench-");
try {
  await measure("tmpfs", nodeFs, folder);
} finally {
  nodeFs.rmSync(folder, { recursive: true });
}
