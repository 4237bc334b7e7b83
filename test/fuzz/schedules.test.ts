/**
 * Calls of several chains that are under way at the same time, in orders by a seed, on file systems whose every wait is held; and what
 * was found so, which stays mended (schedules/).
 *
 * FOLIO_SEED starts from a given seed, FOLIO_ASYNC_OPS is the number of calls for each subject (600).
 */
import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ASYNC_MACHINES } from "../../src/fuzz/schedule/machine.ts";
import { type AsyncProgress, readSchedule, replaySchedule, searchAsync, showAsyncCall } from "../../src/fuzz.ts";
import { heldHost, releaseHost } from "../helpers/held-host.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const OPS = Number(process.env.FOLIO_ASYNC_OPS ?? 600);
const NEVER = Number.MAX_SAFE_INTEGER;
const FOLDER = new URL("./schedules/", import.meta.url);

/** What a person needs to see of it. */
function shownFindings({ findings }: AsyncProgress): string[] {
  return findings.map(({ seed, kind, text, calls, choices, history }) =>
    [`seed ${seed}: ${kind}: ${text}`, ...calls.map(showAsyncCall), `choices ${choices}`, ...history].join("\n"),
  );
}

const MACHINES = {
  ...ASYNC_MACHINES,
  "hostfs, written through": heldHost("ttl=1000000"),
  "hostfs, written back": heldHost("cache=writeback,ttl=1000000,maxfds=4"),
  "hostfs without a cache": heldHost("cache=none,ttl=0"),
};

afterAll(releaseHost);

describe("calls under way at the same time come to what some order of them comes to", { timeout: 600_000 }, () => {
  for (const [subject, make] of Object.entries(MACHINES)) {
    it(`on ${subject}`, async () => {
      console.log(`async on ${subject}: FOLIO_SEED=${SEED}`);
      const progress = await searchAsync({ make, seed: SEED, maxCalls: OPS, maxMs: NEVER, maxFindings: 2 });
      expect(shownFindings(progress)).toEqual([]);
    });
  }
});

const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith(".jsonl")) : [];

describe.skipIf(files.length === 0)("schedules", () => {
  for (const file of files) {
    it(file, async () => {
      const replay = readSchedule(readFileSync(new URL(file, FOLDER), "utf8"));
      assert.ok(replay);
      assert.equal((await replaySchedule(replay)).finding, undefined);
    });
  }
});
