/** Traces of page numbers: those of bench/traces, and a made one. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { seeded } from "./random.ts";

/** Pages that each has room for. */
export const TRACES = { loop: 500, gli: 1000, cs: 800, multi1: 1000, multi2: 1500, ps: 1000, cpp: 500, build: 3000 };
/** The same of scanAndHotSet(). */
export const SCAN_CACHE = 1000;
const SEED = 1;
const NR_READS = 200_000;
const HOT_PAGES = 800;
const HOT_SHARE = 0.7;
const SCAN_PAGES = 4000;

/** Page numbers, in the order in which they come. */
export function loadTrace(name: string): number[] {
  const text = gunzipSync(readFileSync(new URL(`./traces/${name}.trace.gz`, import.meta.url))).toString();
  const numbers = new Map<string, number>();
  const numberOf = (page: string): number => {
    const known = numbers.get(page) ?? numbers.size;
    numbers.set(page, known);
    return known;
  };
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "*")
    .map(numberOf);
}

/** Hot pages take most of the reads; scans of as many others the rest. */
export function scanAndHotSet(): number[] {
  const random = seeded(SEED);
  let scanned = 0;
  return Array.from({ length: NR_READS }, () => {
    if (random() < HOT_SHARE) return Math.floor(random() * HOT_PAGES);
    return HOT_PAGES + (scanned++ % SCAN_PAGES);
  });
}
