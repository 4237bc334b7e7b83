/** Which pages stay, by traces: never much worse than LRU, and a hot set outlasts scans. `npm run bench:traces` shows all. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { TraceCache } from "../../../bench/trace-cache.ts";
import { loadTrace, SCAN_CACHE, scanAndHotSet, TRACES } from "../../../bench/trace-files.ts";
import { lru, optimal } from "../../../bench/trace-policies.ts";
import * as foliofs from "../../../src/index.ts";
import * as store from "../../../src/store.ts";

const cache = new TraceCache(foliofs, store);

describe("hit ratio of the page cache", () => {
  it.each(["gli", "cs", "multi1", "multi2", "ps", "cpp"] as const)("on %s is at most a point below LRU's", (name) => {
    const trace = loadTrace(name);
    const pages = TRACES[name];
    const { hits, cached } = cache.replay(trace, pages);
    assert.ok(Math.abs(cached - pages) <= pages / 25, `${cached} pages of ${pages} were cached`);
    assert.ok(hits >= lru(trace, pages) - 0.01, `${hits}`);
  });

  it("with scans beside a hot set is more than half the way from LRU's to the optimum", () => {
    const trace = scanAndHotSet().slice(0, 60_000);
    const { hits } = cache.replay(trace, SCAN_CACHE);
    const [least, most] = [lru(trace, SCAN_CACHE), optimal(trace, SCAN_CACHE)];
    assert.ok(hits > (least + most) / 2, `${hits}, between ${least} and ${most}`);
  });
});
