/**
 * Cost per call and memory per file while a file system grows to a million empty files, 1 000 to a directory.
 *
 * Every call is timed on the same 1 000 names at all sizes (is the structure to blame for a bend?) and, for stat, on
 * names taken at random out of all (cache misses of the hardware included; a line with bare reads shows their part).
 */
import type { BenchFs, Subject } from "../contenders/contender.ts";
import { seeded, shuffle } from "../random.ts";
import { lowerQuartile } from "../stats.ts";
import { makeLoop, sink } from "../timed-loop.ts";
import { MemoryUse } from "./memory.ts";
import type { Series } from "./series.ts";
import { timeWarm } from "./warm.ts";

const PER_DIR = 1000;
const NR_SAMPLE = 1000;
const REPEATS = 15;
const PIECE = 500;
/** Above this, a cost grows with the number of files. Room for the noise of a shared machine, and for caches. */
const MAX_BEND = 1.5;
const MAX_BYTES_PER_FILE = 320;
/** What "not measurable" means: the bench itself moves the heap by some 100 KiB. */
const MAX_HEAP_KIB = 1024;

type Costs = Record<string, number>;

/** Grows one subject through the sizes. @param sizes multiples of 1 000, ascending @param onStep told the size before each */
export function growFiles(subject: Subject, sizes: readonly number[], onStep: (nrFiles: number) => void): Series[] {
  const memory = new MemoryUse(subject);
  const steps = sizes.map((nrFiles, i) => {
    onStep(nrFiles);
    const create = createUpTo(subject, sizes[i - 1] ?? 0, nrFiles);
    return { ...memory.since(nrFiles), create, ...timeCalls(subject, nrFiles) } as Costs;
  });
  const series = (title: string, key: string, unit: Series["unit"], limits: Partial<Series> = {}): Series => {
    return { title, unit, values: steps.map((step) => step[key]), ...limits };
  };
  const flat = { maxBend: MAX_BEND };
  return [
    series("create", "create", "ns", flat),
    series("stat, same 1 000 names", "statSame", "ns", flat),
    series("stat, any name", "statAny", "ns"),
    series("  of it: one bare read at random", "bareRead", "ns"),
    series("exists, miss", "existsMiss", "ns", flat),
    series("open + close", "openClose", "ns", flat),
    series("rename there and back", "rename", "ns", flat),
    series("unlink + create", "recreate", "ns", flat),
    series("memory per file", "bytes", "bytes", { maxBend: MAX_BEND, maxValue: MAX_BYTES_PER_FILE }),
    series("JS heap in all", "heapKib", "KiB", { maxValue: MAX_HEAP_KIB }),
  ];
}

/** A name of 16 bytes in a directory of 1 000. */
function pathOf(root: string, i: number): string {
  const dir = String(Math.floor(i / PER_DIR)).padStart(4, "0");
  return Buffer.from(`${root}/d${dir}/file-${String(i).padStart(11, "0")}`).toString();
}

/** @returns ns of creating a file, over pieces of 500 of the last 10 000 */
function createUpTo({ fs, root }: Subject, from: number, to: number): number {
  const samples: number[] = [];
  for (let start = from; start < to; start += PIECE) {
    if (start % PER_DIR === 0) fs.mkdirSync(`${root}/d${String(start / PER_DIR).padStart(4, "0")}`);
    const paths = Array.from({ length: PIECE }, (_, i) => pathOf(root, start + i));
    const startMs = performance.now();
    for (const path of paths) createOne(fs, path);
    samples.push(((performance.now() - startMs) / PIECE) * 1e6);
  }
  return lowerQuartile(samples.slice(-20));
}

function createOne(fs: BenchFs, path: string): number {
  const fd = fs.openSync(path, "wx");
  fs.closeSync(fd);
  return fd;
}

function timeCalls({ fs, root }: Subject, nrFiles: number): Costs {
  const random = seeded(nrFiles);
  const sample = (): string[] => Array.from({ length: NR_SAMPLE }, () => pathOf(root, Math.floor(random() * nrFiles)));
  const first = Array.from({ length: NR_SAMPLE }, (_, i) => pathOf(root, i));
  const same = shuffle(first, 1); // spread over all, they would bring a directory each: other data, not more of it
  const misses = same.map((path) => Buffer.from(`${path}x`).toString());
  const away = same.map((path) => Buffer.from(`${path.slice(0, -1)}y`).toString());
  const openClose = (path: string): number => {
    const fd = fs.openSync(path, "r");
    fs.closeSync(fd);
    return fd;
  };
  return {
    statSame: timeOver(
      () => same,
      (path) => fs.statSync(path).mode,
    ),
    statAny: timeOver(sample, (path) => fs.statSync(path).mode),
    bareRead: timeBareReads(nrFiles),
    existsMiss: timeOver(
      () => misses,
      (path) => (fs.existsSync(path) ? 1 : 0),
    ),
    openClose: timeOver(() => same, openClose),
    rename: timeOver(
      () => same,
      (path, i) => {
        fs.renameSync(path, away[i]);
        fs.renameSync(away[i], path);
        return 1;
      },
    ),
    recreate: timeOver(
      () => same,
      (path) => {
        fs.unlinkSync(path);
        return createOne(fs, path);
      },
    ),
  };
}

/** @param paths gives the paths of each repeat, outside the timing @returns ns per path, when it has been compiled */
function timeOver(paths: () => readonly string[], call: (path: string, i: number) => number): number {
  const loop = makeLoop();
  const once = (): number => {
    const names = paths();
    const startMs = performance.now();
    sink(loop((i) => call(names[i], i), 0, names.length));
    return ((performance.now() - startMs) / names.length) * 1e6;
  };
  return timeWarm(once, REPEATS);
}

/** The control: one random read from as many bytes as the files take, 320 each. */
function timeBareReads(nrFiles: number): number {
  const words = new Uint32Array((nrFiles * MAX_BYTES_PER_FILE) / 4).fill(1);
  const random = seeded(1);
  const at = Uint32Array.from({ length: NR_SAMPLE * REPEATS }, () => random() * words.length);
  const startMs = performance.now();
  let sum = 0;
  for (let i = 0; i < at.length; i++) sum += words[(at[i] + (sum & 1)) % words.length]; // each waits for the one before
  sink(sum);
  return ((performance.now() - startMs) / at.length) * 1e6;
}
