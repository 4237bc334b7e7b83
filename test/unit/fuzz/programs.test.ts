/** Programs: the same by the same seed, shrunk to what matters, and the same again from a file. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { type Call, type Outcome, showCall } from "../../../src/fuzz/call.ts";
import { mergeProgress, type Progress, runCampaign, seedOfProgram, shrinkProgram } from "../../../src/fuzz/campaign.ts";
import { compare } from "../../../src/fuzz/compare.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { type Abilities, generate, PROFILES, plainAbilities } from "../../../src/fuzz/generate.ts";
import { KNOWN, reasonOf, SHORT_OF_MEMORY } from "../../../src/fuzz/known.ts";
import { Likely } from "../../../src/fuzz/likely.ts";
import type { Runner } from "../../../src/fuzz/oracle.ts";
import { createSubject } from "../../../src/fuzz/pairing.ts";
import { type NodeFs, type TaskFace, TaskPerformer } from "../../../src/fuzz/perform.ts";
import { readReplay, replayOn, writeReplay } from "../../../src/fuzz/replay.ts";
import { SeenPairs } from "../../../src/fuzz/seen-pairs.ts";
import { shrink } from "../../../src/fuzz/shrink.ts";
import { simplerCalls } from "../../../src/fuzz/simpler.ts";
import { Subject } from "../../../src/fuzz/subject.ts";
import { createFsSync } from "../../../src/index.ts";

const TASKS = [
  { uid: 0, gid: 0, groups: [] },
  { uid: 1000, gid: 1000, groups: [] },
];
const ALL: Abilities = { ...plainAbilities(TASKS), deeds: true, locks: true };
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
      locks: false,
    };
    const calls = PROFILES.flatMap((profile) => generate(3, profile, 2000, none));
    assert.deepEqual(
      calls.filter(
        ({ task, call }) => task !== 0 || /^(chdir|cwd|umask|copyFile|watch|events|readBy|writeBy|flock)$/.test(call),
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

describe("calls", () => {
  const by = (call: string, ...args: Call["args"]): Call => ({ task: 0, call, args });

  /** A task of foliofs without a working directory, and what it is told of directories and masks. */
  function face(): { task: TaskFace; told: unknown[]; end(): void } {
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
    const told: unknown[] = [];
    const task = {
      fs: fs as unknown as NodeFs,
      chdir: (path: string | Buffer) => void told.push(String(path)),
      umask: (mask: number) => {
        told.push(mask);
        return 0;
      },
      cwd: () => "/",
      hasNoCwd: true,
    };
    return { task, told, end: () => fs.kernel.destroy() };
  }

  it("are shown in a line, with long names by their ends", () => {
    assert.equal(showCall(by("mkdir", "a", 0o755)), '0: mkdir("a", 493)');
    const shown = showCall(by("unlink", `first${"-".repeat(1000)}last`));
    assert.match(shown, /^0: unlink\("first-+…\(1011\)…-+last"\)$/);
    assert.ok(shown.length < 120);
  });

  it("are simpler by a path, by a number, and by flags with one bit less", () => {
    const simple = [...simplerCalls(by("open", "d/a", 0, 0o102, 0o644))].map(({ args }) => args);
    assert.ok(simple.some(([path]) => path === "a"));
    const flags = simple.map(([, , flag]) => flag);
    assert.ok(flags.includes(0o100) && flags.includes(0o2));
    assert.ok(simple.every(([, , flag]) => Number(flag) <= 0o102));
  });

  it("begin at the root where there is no working directory, names of bytes too", () => {
    const { task, end } = face();
    const performer = new TaskPerformer(task, OPTIONS);
    for (const path of ["a", "/b", { hex: "63" }, { hex: "2f64" }]) performer.perform(by("mkdir", path, 0o755));
    assert.equal(performer.perform(by("readdir", "/")), '"a" "b" "c" "d"');
    end();
  });

  it("are left out where they may not be made, by their paths", () => {
    const { task, end } = face();
    const asked: string[] = [];
    const mayCall = (call: string, paths: readonly (string | Buffer)[]): boolean => {
      asked.push(`${call} ${paths.join()}`);
      return call !== "rename";
    };
    const performer = new TaskPerformer(task, { ...OPTIONS, mayCall });
    assert.equal(performer.perform(by("mkdir", "/a", 0o755)), "ok");
    assert.equal(performer.perform(by("rename", "/a", "/b")), null);
    assert.deepEqual(asked, ["mkdir /a", "rename /a,/b"]);
    assert.equal(performer.perform(by("readdir", "/")), '"a"');
    end();
  });

  it("of the next program find nothing open, nothing watched, and the first mask and directory", async () => {
    const { task, told, end } = face();
    const performer = new TaskPerformer(task, OPTIONS);
    for (const call of [by("open", "/a", 0, 0o102, 0o644), by("watch", "/", 0)]) performer.perform(call);
    assert.equal(performer.hasWatched, true);
    assert.match(performer.perform(by("fstat", 0)) ?? "", /^(?!E)/);
    performer.reset();
    assert.equal(performer.hasWatched, false);
    assert.equal(performer.perform(by("fstat", 0)), "EBADF fstat");
    performer.perform(by("mkdir", "/b", 0o755));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(performer.perform(by("events")), "");
    assert.deepEqual(told, [0o022, "/"]);
    end();
  });

  it("of a subject that is broken at its end come to one outcome more", async () => {
    const { task, end } = face();
    const machine = {
      faces: [task],
      end: () => {
        end();
        throw new Error("a page is lost");
      },
    };
    const subject = new Subject("broken", () => machine, OPTIONS);
    assert.deepEqual(await subject.run([by("mkdir", "/a", 0o755)]), ["ok", "at the end: a page is lost"]);
  });

  it("come to other things for a reason, or for none", () => {
    const reason = (oracle: string, calls: readonly Call[], expected: string, actual: string): string | undefined =>
      reasonOf(KNOWN, "tmpfs", oracle, { call: calls[0], calls, expected, actual });
    const large = [by("truncate", "/a", 2 ** 44)];
    assert.match(reason("ext4", large, "EFBIG truncate", "ok") ?? "", /largest file of ext4/);
    assert.equal(reason("xfs", large, "EFBIG truncate", "ok"), undefined);
    assert.equal(reason("ext4", [by("truncate", "/a", 4096)], "EFBIG truncate", "ok"), undefined);
    const rmdir = [by("rmdir", "/a")];
    assert.match(reason("xfs", rmdir, "EEXIST rmdir", "ENOTEMPTY rmdir") ?? "", /XFS says EEXIST/);
    assert.equal(reason("ext4", rmdir, "EEXIST rmdir", "ENOTEMPTY rmdir"), undefined);
    const lock = [by("flock", 0, 0)];
    assert.match(reason("ext4", lock, "EBADF flock", "EINVAL flock") ?? "", /looks at the descriptor/);
    assert.equal(reason("ext4", lock, "EINVAL flock", "EBADF flock"), undefined);
    assert.equal(reason("model", lock, "EBADF flock", "EINVAL flock"), undefined);
    const moved = [by("tree"), { ...by("chdir", "d"), task: 1 }, by("rename", "d", "e")];
    for (const asks of [by("realpath", "."), by("cwd")]) {
      const walked = [...moved, asks];
      assert.match(
        reason("xfs", walked, "d atime=1 size=2", "d atime=3 size=2") ?? "",
        /reading the directories above/,
      );
      assert.equal(reason("xfs", walked, "d atime=1 size=2", "d atime=3 size=4"), undefined);
      assert.equal(reason("xfs", walked.toSpliced(2, 1), "d atime=1 size=2", "d atime=3 size=2"), undefined);
    }
    assert.equal(reason("xfs", [...moved, by("realpath", "/e")], "d atime=1", "d atime=3"), undefined);
    const short = { call: rmdir[0], calls: rmdir, expected: "ok", actual: "ENOSPC mkdir" };
    assert.equal(reasonOf([SHORT_OF_MEMORY], "tmpfs", "model", short), SHORT_OF_MEMORY.reason);
    assert.equal(reasonOf([SHORT_OF_MEMORY], "tmpfs", "model", { ...short, actual: "EIO mkdir" }), undefined);
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
