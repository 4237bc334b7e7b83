/** Programs: the same by the same seed, shrunk to what matters, and the same again from a file. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { Call, Outcome } from "../../../src/fuzz/call.ts";
import { shrinkProgram } from "../../../src/fuzz/campaign.ts";
import { compare } from "../../../src/fuzz/compare.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { type Abilities, generate, PROFILES } from "../../../src/fuzz/generate.ts";
import type { Runner } from "../../../src/fuzz/oracle.ts";
import { createSubject } from "../../../src/fuzz/pairing.ts";
import { readReplay, replayOn, writeReplay } from "../../../src/fuzz/replay.ts";
import { shrink } from "../../../src/fuzz/shrink.ts";

const ALL: Abilities = { nrTasks: 2, linksOfOthers: true, hasTaskState: true, isNode26: true, tmpfile: true };
const TASKS = [
  { uid: 0, gid: 0, groups: [] },
  { uid: 1000, gid: 1000, groups: [] },
];
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

  it("ask for nothing that cannot be", () => {
    const none: Abilities = { nrTasks: 1, linksOfOthers: false, hasTaskState: false, isNode26: false, tmpfile: false };
    const calls = PROFILES.flatMap((profile) => generate(3, profile, 2000, none));
    assert.deepEqual(
      calls.filter(({ task, call }) => task !== 0 || /^(chdir|cwd|umask|copyFile)$/.test(call)),
      [],
    );
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
