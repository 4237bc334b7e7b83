/** Programs: the same by the same seed, shrunk to what matters, and the same again from a file. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { Call, Outcome } from "../../../src/fuzz/call.ts";
import { mergeProgress, type Progress, runCampaign, seedOfProgram, shrinkProgram } from "../../../src/fuzz/campaign.ts";
import { compare } from "../../../src/fuzz/compare.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { type Abilities, generate, PROFILES, plainAbilities } from "../../../src/fuzz/generate.ts";
import { Likely } from "../../../src/fuzz/likely.ts";
import type { Runner } from "../../../src/fuzz/oracle.ts";
import { createSubject } from "../../../src/fuzz/pairing.ts";
import { readReplay, replayOn, writeReplay } from "../../../src/fuzz/replay.ts";
import { SeenPairs } from "../../../src/fuzz/seen-pairs.ts";
import { shrink } from "../../../src/fuzz/shrink.ts";

const TASKS = [
  { uid: 0, gid: 0, groups: [] },
  { uid: 1000, gid: 1000, groups: [] },
];
const ALL: Abilities = { ...plainAbilities(TASKS), deeds: true };
const OPTIONS = { tasks: TASKS, detail: WHOLE_DETAIL, root: "" };

function tmpfs(): Promise<Runner> {
  return createSubject("tmpfs", OPTIONS);
}

/** Does what foliofs does, but says of each directory that is removed that it is not empty. */
class Wrong implements Runner {
  readonly name = "wrong";
  async run(calls: readonly Call[]): Promise<Outcome[]> {
    const outcomes = await (await tmpfs()).run(calls);
    return outcomes.map((outcome, i) => (calls[i]?.call === "rmdir" && outcome === "ok" ? "ENOTEMPTY rmdir" : outcome));
  }
  async close(): Promise<void> {}
}

/** How many calls of a program fail with a code, on the model. */
function nrFailing(calls: readonly Call[], name: string, code: string): number {
  const likely = new Likely(TASKS);
  const made = calls.filter(({ call }) => call !== "tree");
  return made.filter((call) => likely.make(call) === code && call.call === name).length;
}

describe("programs of the fuzzer", () => {
  for (const profile of PROFILES) {
    it(`are the same by the same seed: ${profile}`, () => {
      const [one, again, other] = [1, 1, 2].map((seed) => generate(seed, profile, 100, ALL));
      assert.deepEqual(one, again);
      assert.notDeepEqual(one, other);
      assert.deepEqual(JSON.parse(JSON.stringify(one)), one);
      assert.equal(one.at(-1)?.call, "tree");
    });
  }

  it("fail seldom in a way in which many before them have failed", () => {
    const seen = new SeenPairs();
    for (let i = 0; i < 1000; i++) seen.note("readlink", "EINVAL");
    const nrOf = (history: SeenPairs): number =>
      nrFailing(generate(1, "names", 2000, ALL, history), "readlink", "EINVAL");
    assert.ok(nrOf(seen) < nrOf(new SeenPairs()) / 2);
  });

  it("ask for nothing that cannot be", () => {
    const none: Abilities = {
      tasks: TASKS.slice(0, 1),
      linksOfOthers: false,
      hasTaskState: false,
      isNode26: false,
      tmpfile: false,
      watches: false,
      deeds: false,
    };
    const calls = PROFILES.flatMap((profile) => generate(3, profile, 2000, none));
    assert.deepEqual(
      calls.filter(
        ({ task, call }) => task !== 0 || /^(chdir|cwd|umask|copyFile|watch|events|readBy|writeBy)$/.test(call),
      ),
      [],
    );
  });

  it("are told of what they watch when they ask, by the slot of the watcher", async () => {
    const by = (call: string, ...args: Call["args"]): Call => ({ task: 0, call, args });
    const calls = [
      by("watch", "/", 0),
      by("watch", "/none", 1),
      by("writeFile", "/a", 5, 1),
      by("watch", "/a", 1),
      by("appendFile", "/a", 5, 1),
      by("events"),
      by("unwatch", 0),
      by("unlink", "/a"),
      by("events"),
      by("events"),
    ];
    const outcomes = await (await tmpfs()).run(calls);
    assert.equal(outcomes[1], "ENOENT watch");
    assert.deepEqual(outcomes[5]?.split("\n"), ['0 rename "a"', '0 change "a"', '1 change "a"']);
    assert.deepEqual(outcomes.slice(8), ['1 change "a"\n1 rename "a"\n1 rename "a"', ""]);
  });

  it("are shrunk to the calls that show a difference", async () => {
    const pair = { oracle: await tmpfs(), subject: new Wrong(), known: [] };
    const calls = generate(5, "names", 400, ALL);
    const compared = await compare(pair, calls);
    assert.ok(compared.difference);
    const shrunk = await shrinkProgram(pair, { ...compared, difference: compared.difference });
    assert.match(shrunk.calls.map(({ call }) => call).join(), /^mkdirs?,rmdir$/);
    assert.deepEqual(shrunk.difference, { at: 1, expected: "ok", actual: "ENOTEMPTY rmdir" });
  });

  it("are run again from a file", async () => {
    const calls = generate(6, "hostile", 200, ALL);
    const outcomes = await (await tmpfs()).run(calls);
    const head = {
      replay: 1,
      subject: "tmpfs",
      oracle: "tmpfs",
      about: "",
      tasks: TASKS,
      detail: WHOLE_DETAIL,
    } as const;
    const replay = readReplay(writeReplay({ head, calls, outcomes }));
    assert.deepEqual(replay, { head, calls, outcomes });
    assert.equal(await replayOn(await tmpfs(), replay), undefined);
    assert.equal(
      (await replayOn(new Wrong(), { ...replay, calls, outcomes: outcomes.map(() => "ok") }))?.expected,
      "ok",
    );
    assert.throws(() => readReplay("{}"), /no replay/);
  });
});

describe("campaigns", () => {
  /** What a campaign has run, one line a program. */
  async function run(maxCalls: number, share?: { index: number; count: number }): Promise<[string[], Progress]> {
    const programs: string[] = [];
    const model = await createSubject("model", OPTIONS);
    const oracle: Runner = {
      name: "noting",
      run: (calls, isSkipped) => {
        programs.push(JSON.stringify(calls));
        return model.run(calls, isSkipped);
      },
      close: async () => {},
    };
    const limits = { maxCalls, maxMs: Number.MAX_SAFE_INTEGER, maxFindings: 1 };
    const pair = { oracle, subject: await createSubject("model", OPTIONS), known: [] };
    return [programs, await runCampaign({ ...pair, seed: 7, profiles: PROFILES, abilities: ALL, ...limits, share })];
  }

  it("have each program in a job of its own, in which all that it made weak references of may be collected", async () => {
    const model = await createSubject("model", OPTIONS);
    let nrOver = 0;
    const nrOverBefore: number[] = [];
    const subject: Runner = {
      name: "noting",
      run: (calls, isSkipped) => {
        nrOverBefore.push(nrOver);
        setImmediate(() => nrOver++);
        return model.run(calls, isSkipped);
      },
      close: async () => {},
    };
    const limits = { maxCalls: 1000, maxMs: Number.MAX_SAFE_INTEGER, maxFindings: 1 };
    await runCampaign({ oracle: model, subject, known: [], seed: 8, profiles: PROFILES, abilities: ALL, ...limits });
    assert.ok(nrOverBefore.length > 3);
    assert.deepEqual(nrOverBefore, [...nrOverBefore.keys()]);
  });

  it("share the programs of a seed", async () => {
    const shares = await Promise.all([0, 1].map((index) => run(1000, { index, count: 2 })));
    for (const [index, [programs]] of shares.entries()) {
      assert.ok(programs.length >= 4);
      const seen = new SeenPairs();
      for (const [i, program] of programs.entries()) {
        const number = 2 * i + index;
        const drawn = generate(seedOfProgram(7, number), PROFILES[number % PROFILES.length], 200, ALL, seen);
        assert.equal(program, JSON.stringify(drawn));
      }
    }
    const [one, other] = shares.map(([, so]) => so);
    const merged = mergeProgress([one, other]);
    assert.equal(merged.nrCalls, one.nrCalls + other.nrCalls);
    assert.deepEqual(merged.findings, []);
    assert.ok([...one.pairs, ...other.pairs].every((pair) => merged.pairs.has(pair)));
  });

  it("are merged: findings of one kind are one", async () => {
    const difference = { at: 0, expected: "ok", actual: "ENOENT rmdir" };
    const program = { calls: [{ task: 0, call: "rmdir", args: ["a"] }], expected: ["ok"], nrCompared: 0, difference };
    const finding = { seed: 1, profile: "names", program, nrCallsFound: 200, nrSeen: 2 } as const;
    const so = { nrPrograms: 1, nrCalls: 10, ms: 5, pairs: new Set(["a"]), reasons: new Map([["r", 1]]) };
    const merged = mergeProgress([
      { ...so, findings: [finding] },
      { ...so, ms: 9, findings: [{ ...finding, seed: 2 }] },
    ]);
    assert.deepEqual(merged, {
      nrPrograms: 2,
      nrCalls: 20,
      ms: 9,
      pairs: new Set(["a"]),
      reasons: new Map([["r", 2]]),
      findings: [{ ...finding, nrSeen: 4 }],
    });
  });
});

describe("shrink", () => {
  it("leaves the least list, of the least items", async () => {
    let nrTries = 0;
    const shows = async (items: readonly number[]): Promise<boolean> => {
      nrTries++;
      return items.some((a) => a > 10) && items.some((b) => b < 0);
    };
    const simpler = function* (item: number): Generator<number> {
      if (item !== 0) yield item - Math.sign(item);
    };
    const items = Array.from({ length: 100 }, (_, i) => (i === 40 ? -3 : i % 20));
    assert.deepEqual([...(await shrink(items, { shows, simpler, maxTries: 1000 }))].sort(), [-1, 11]);
    nrTries = 0;
    await shrink(items, { shows, simpler, maxTries: 7 });
    assert.equal(nrTries, 7);
  });
});
