/** Searches whose time is over, or that somebody ends, while a finding is being shrunk: they tell what they have by then. */
import { strict as assert } from "node:assert";
import { afterEach, describe, it, vi } from "vitest";
import type { Call } from "../../../src/fuzz/call.ts";
import { runCampaign } from "../../../src/fuzz/campaign.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { searchFaults } from "../../../src/fuzz/faults/search-faults.ts";
import { plainAbilities } from "../../../src/fuzz/generate.ts";
import type { Runner } from "../../../src/fuzz/oracle.ts";
import { createSubject } from "../../../src/fuzz/pairing.ts";
import { ASYNC_MACHINES } from "../../../src/fuzz/schedule/machine.ts";
import { searchAsync } from "../../../src/fuzz/schedule/search-async.ts";
import { SearchClock, type TimeLimit } from "../../../src/fuzz/search-clock.ts";
import { FSX_MACHINES, runFsx } from "../../../src/fuzz.ts";
import { losesBytes, withPromises } from "../../helpers/planted-faults.ts";

const SEED = 1;
const TASKS = [{ uid: 0, gid: 0, groups: [] }];
const LENGTH = 64 * 1024;

interface Shown {
  /** Calls of its finding. */
  readonly nrCalls: number;
}

/** A search that finds one thing. @param ran is called before each program that is run, found or shrunk */
type Search = (limit: TimeLimit, ran: () => void) => Promise<readonly Shown[]>;

const SEARCHES: Readonly<Record<string, Search>> = {
  async campaign(limit, ran) {
    const options = { tasks: TASKS, detail: WHOLE_DETAIL, root: "" };
    const [oracle, right] = [await createSubject("model", options), await createSubject("model", options)];
    const subject: Runner = {
      name: "wrong",
      run: async (calls: readonly Call[]) => {
        ran();
        const outcomes = await right.run(calls);
        return outcomes.map((outcome, i) => (calls[i]?.call === "rmdir" && outcome === "ok" ? "EIO rmdir" : outcome));
      },
      close: async () => {},
    };
    const pair = { oracle, subject, known: [], abilities: plainAbilities(TASKS) };
    const ends = { maxCalls: 100_000, maxFindings: 1 };
    const { findings } = await runCampaign({ ...pair, ...ends, ...limit, seed: SEED, profiles: ["names"] });
    return findings.map(({ program }) => ({ nrCalls: program.calls.length }));
  },

  async faults(limit, ran) {
    const plantAnswers = () => {
      ran();
      return ({ call }: { call: string }, answer: string) => (call === "fsync" && answer === "EIO" ? "ok" : answer);
    };
    const ends = { maxCalls: 100_000, maxFindings: 1 };
    const { findings } = await searchFaults({ ...ends, ...limit, subject: "write-back", seed: SEED, plantAnswers });
    return findings.map(({ calls }) => ({ nrCalls: calls.length }));
  },

  async fsx(limit, ran) {
    const makeMachine = () => {
      ran();
      return losesBytes(FSX_MACHINES.tmpfs({ length: LENGTH }));
    };
    const ends = { maxOperations: 50_000, maxFindings: 1 };
    const what = { length: LENGTH, isMapped: true, isDirect: true };
    const { findings } = await runFsx({ ...ends, ...limit, ...what, seed: SEED, makeMachine });
    return findings.map(({ operations }) => ({ nrCalls: operations.length }));
  },

  async async(limit, ran) {
    const broken = withPromises(ASYNC_MACHINES.tmpfs, (face) => ({
      rename: async (from, to) => {
        await face.promises.link(from, to);
        await new Promise(setImmediate);
        await face.promises.unlink(from);
      },
    }));
    const make: typeof broken = (options) => {
      ran();
      return broken(options);
    };
    const ends = { maxCalls: 200_000, maxFindings: 1 };
    const { findings } = await searchAsync({ ...ends, ...limit, seed: SEED, make });
    return findings.map(({ calls }) => ({ nrCalls: calls.length }));
  },
};

/** Programs that a search runs in all, and what its finding is then. */
async function whole(search: Search): Promise<{ nrRuns: number; shown: Shown }> {
  let nrRuns = 0;
  const findings = await search({ maxMs: Number.MAX_SAFE_INTEGER }, () => void nrRuns++);
  assert.equal(findings.length, 1);
  return { nrRuns, shown: findings[0] };
}

describe("a search that is shrinking", { timeout: 120_000 }, () => {
  afterEach(() => void vi.useRealTimers());

  for (const [name, search] of Object.entries(SEARCHES)) {
    it(`ends at once when it is aborted: ${name}`, async () => {
      const { nrRuns, shown } = await whole(search);
      const last = nrRuns - 5;
      assert.ok(last > 5, `${nrRuns}`);
      const controller = new AbortController();
      let nr = 0;
      const findings = await search({ maxMs: Number.MAX_SAFE_INTEGER, signal: controller.signal }, () => {
        if (++nr === last) controller.abort();
      });
      assert.equal(nr, last);
      assert.equal(findings.length, 1);
      assert.ok(findings[0].nrCalls >= shown.nrCalls);
    });

    it(`ends with its time: ${name}`, async () => {
      const { nrRuns } = await whole(search);
      const last = nrRuns - 5;
      vi.useFakeTimers({ toFake: ["performance"] });
      let nr = 0;
      const findings = await search({ maxMs: last * 10 }, () => {
        nr++;
        vi.advanceTimersByTime(10);
      });
      assert.equal(nr, last);
      assert.equal(findings.length, 1);
    });
  }
});

describe("the clock of a search", () => {
  afterEach(() => void vi.useRealTimers());

  it("is over when its time is, and when somebody ends it", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const controller = new AbortController();
    const clock = new SearchClock({ maxMs: 100, signal: controller.signal });
    const other = new SearchClock({ maxMs: 100 });
    vi.advanceTimersByTime(99);
    assert.deepEqual([clock.ms, clock.isOver], [99, false]);
    controller.abort();
    assert.deepEqual([clock.isOver, other.isOver], [true, false]);
    vi.advanceTimersByTime(1);
    assert.deepEqual([other.ms, other.isOver], [100, true]);
  });
});
