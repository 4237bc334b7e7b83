/**
 * Hit ratios of the page cache on traces, beside other policies with room for as many pages, and what a hit and a miss cost.
 *
 * Usage: npm run bench:traces
 */
import Table from "cli-table3";
import * as foliofs from "../src/index.ts";
import * as store from "../src/store.ts";
import { TraceCache } from "./trace-cache.ts";
import { loadTrace, SCAN_CACHE, scanAndHotSet, TRACES } from "./trace-files.ts";
import { lru, lruCache, optimal, s3Fifo } from "./trace-policies.ts";

const POLICIES = { LRU: lru, "lru-cache": lruCache, "S3-FIFO": s3Fifo, optimum: optimal };
const NR_READS = 200_000;

const percent = (ratio: number): string => (100 * ratio).toFixed(1);

const cache = new TraceCache(foliofs, store);
const table = new Table({
  style: { head: [], border: [], compact: true },
  head: ["trace", "reads", "pages", ...Object.keys(POLICIES), "foliofs", "ns a read"],
});
const traces = Object.entries(TRACES).map(([name, pages]) => [name, loadTrace(name), pages] as const);
for (const [name, trace, pages] of [...traces, ["scan + hot set", scanAndHotSet(), SCAN_CACHE] as const]) {
  const { hits, nsPerRead } = cache.replay(trace, pages);
  const others = Object.values(POLICIES).map((policy) => percent(policy(trace, pages)));
  table.push([name, trace.length, pages, ...others, percent(hits), nsPerRead.toFixed(0)]);
}
console.log(`${table}`);
const repeated = (page: (i: number) => number): number[] => Array.from({ length: NR_READS }, (_, i) => page(i));
const hit = cache.replay(
  repeated((i) => i % SCAN_CACHE),
  SCAN_CACHE,
);
const miss = cache.replay(
  repeated((i) => i),
  SCAN_CACHE,
);
console.log(
  `A hit costs ${hit.nsPerRead.toFixed(0)} ns, a miss ${miss.nsPerRead.toFixed(0)} (a store that answers at once).`,
);
