/** Cost of a read while a file grows from 1 MiB to 1 GiB: on the same pages, and on pages at random. */
import type { Subject } from "../contenders/contender.ts";
import { pattern } from "../pattern.ts";
import { seeded, shuffle } from "../random.ts";
import { makeLoop, sink } from "../timed-loop.ts";
import type { Series } from "./series.ts";
import { timeWarm } from "./warm.ts";

const MIB = 2 ** 20;
const NR_SAMPLE = 256;
const REPEATS = 45;
const MAX_BEND = 1.5;

/** @param sizesMib ascending @param onStep told the size in MiB before each */
export function growReads({ fs, root }: Subject, sizesMib: readonly number[], onStep: (mib: number) => void): Series[] {
  const fd = fs.openSync(`${root}/grows`, "w+");
  const read = (len: number): ((pos: number) => number) => {
    const buffer = Buffer.alloc(len);
    return (pos) => fs.readSync(fd, buffer, 0, len, pos);
  };
  const steps = sizesMib.map((mib, i) => {
    onStep(mib);
    for (let at = sizesMib[i - 1] ?? 0; at < mib; at++) fs.writeSync(fd, pattern(MIB), 0, MIB, at * MIB);
    return { ...timeReads(read, mib * MIB), bare: timeBare(mib * MIB) };
  });
  fs.closeSync(fd);
  fs.unlinkSync(`${root}/grows`);
  const of = (title: string, key: keyof (typeof steps)[0], maxBend?: number): Series => {
    return { title, unit: "ns", values: steps.map((step) => step[key]), maxBend };
  };
  return [
    of("16 B, same 256 pages", "small", MAX_BEND),
    of("4 KiB, same 256 pages", "same", MAX_BEND),
    of("4 KiB, any page", "any"),
    of("  of it: a bare set", "bare"),
    {
      title: "4 KiB, any page, to bare set",
      unit: "ratio",
      values: steps.map(({ any, bare }) => any / bare),
      maxBend: MAX_BEND,
    },
  ];
}

function timeReads(read: (len: number) => (pos: number) => number, bytes: number) {
  const fixed = spreadPages(bytes);
  return {
    small: timeAt(() => fixed, read(16)),
    same: timeAt(() => fixed, read(4096)),
    any: timeAt(randomPages(bytes, 2), read(4096)),
  };
}

/** The control: bare copies of random pages out of as many bytes. */
function timeBare(bytes: number): number {
  const { buffer } = new WebAssembly.Memory({ initial: bytes / 65536 });
  new Uint8Array(buffer).fill(1);
  const out = new Uint8Array(4096);
  const copy = (pos: number): number => {
    out.set(new Uint8Array(buffer, pos, 4096));
    return out[0];
  };
  return timeAt(randomPages(bytes, 2), copy);
}

/** @returns 256 different page positions, one in each part of `bytes`, in random order: as much data at every size */
function spreadPages(bytes: number): number[] {
  const random = seeded(1);
  const positions = Array.from({ length: NR_SAMPLE }, (_, i) => {
    return Math.floor(((i + random()) * (bytes / NR_SAMPLE)) / 4096) * 4096;
  });
  return shuffle(positions, 1);
}

/** @returns a function that draws 256 page positions below `bytes` */
function randomPages(bytes: number, seed: number): () => Float64Array {
  const random = seeded(seed);
  return () => Float64Array.from({ length: NR_SAMPLE }, () => Math.floor((random() * bytes) / 4096) * 4096);
}

/** @returns ns per call, when it has been compiled */
function timeAt(draw: () => ArrayLike<number>, call: (pos: number) => number): number {
  const loop = makeLoop();
  const once = (): number => {
    const positions = draw();
    const startMs = performance.now();
    sink(loop((i) => call(positions[i]), 0, NR_SAMPLE));
    return ((performance.now() - startMs) / NR_SAMPLE) * 1e6;
  };
  return timeWarm(once, REPEATS);
}
