/** The scheduler, the checker of orders, and that both find what is wrong: planted faults. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { seededRandom } from "../../../src/fuzz/random.ts";
import { type AsyncCall, showAsyncCall } from "../../../src/fuzz/schedule/async-call.ts";
import { drawAsync } from "../../../src/fuzz/schedule/draw-async.ts";
import { faultPlan, seedOfMissingAnswers } from "../../../src/fuzz/schedule/fault-plan.ts";
import { Linearizer, type Spec, type Stage } from "../../../src/fuzz/schedule/linearize.ts";
import { ASYNC_MACHINES, type MakeAsyncMachine } from "../../../src/fuzz/schedule/machine.ts";
import { FILE_SYSTEM, type ModelCall } from "../../../src/fuzz/schedule/model.ts";
import { readSchedule, replaySchedule, writeSchedule } from "../../../src/fuzz/schedule/replay-async.ts";
import { Scheduler } from "../../../src/fuzz/schedule/scheduler.ts";
import { type AsyncShown, runChosen, runSeed, searchAsync } from "../../../src/fuzz/schedule/search-async.ts";
import { withPromises } from "../../helpers/planted-faults.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
console.log(`schedule: FOLIO_SEED=${SEED}`);
const NEVER = Number.MAX_SAFE_INTEGER;

/** A number that is read and written; "add" reads in one step and writes in another. */
type RegisterCall = "read" | "add" | number;
interface RegisterStage extends Stage {
  readonly seen?: number;
}
const REGISTER: Spec<{ value: number }, RegisterCall, RegisterStage> = {
  initial: { value: 0 },
  begin: () => ({}),
  *steps(state, _id, call, { seen }) {
    if (call === "read") yield [state, { answer: String(state.value) }];
    else if (typeof call === "number") yield [{ value: call }, { answer: "ok" }];
    else if (seen === undefined) yield [state, { seen: state.value }];
    else yield [{ value: seen + 1 }, { answer: "ok" }];
  },
  stop: (state) => state,
};

describe("the order of calls", () => {
  it("is any while they are under way", () => {
    for (const [answer, isRight] of [
      ["0", true],
      ["1", true],
      ["2", false],
    ] as const) {
      const order = new Linearizer(REGISTER);
      order.start(1, "read");
      order.start(2, 1);
      assert.ok(order.end(2, "ok"));
      assert.equal(order.end(1, answer), isRight);
    }
  });

  it("is that in which they were made, when one was over before the other began", () => {
    const order = new Linearizer(REGISTER);
    order.start(1, 1);
    assert.ok(order.end(1, "ok"));
    order.start(2, "read");
    assert.deepEqual(order.possible(2), ["1"]);
    assert.equal(order.end(2, "0"), false);
  });

  it("does not go back on what has been seen", () => {
    const order = new Linearizer(REGISTER);
    order.start(1, 1);
    order.start(2, "read");
    assert.ok(order.end(2, "1"));
    order.start(3, "read");
    assert.equal(order.end(3, "0"), false);
  });

  it("has others come between the steps of a call", () => {
    const order = new Linearizer(REGISTER);
    order.start(1, "add");
    order.start(2, "add");
    assert.ok(order.end(1, "ok") && order.end(2, "ok"));
    order.start(3, "read");
    assert.deepEqual(order.possible(3), ["1", "2"]);
  });
});

describe("the scheduler", () => {
  it("releases in the order that it is told, by names", async () => {
    const scheduler = new Scheduler((names) => names.length - 1);
    const seen: string[] = [];
    const held = ["b", "a", "c"].map((name) => scheduler.hold(name).then(() => seen.push(name)));
    assert.equal(await scheduler.drive(Promise.all(held)), true);
    assert.deepEqual(seen, ["c", "b", "a"]);
  });

  it("says when nothing will come any more", async () => {
    assert.equal(await new Scheduler(() => 0).drive(new Promise(() => {})), false);
  });

  it("withholds what does not come, until it is given back", async () => {
    const scheduler = new Scheduler(() => 0, { withholds: (name) => name === "a" });
    const seen: string[] = [];
    const held = ["b", "a", "c"].map((name) => scheduler.hold(name).then(() => seen.push(name)));
    assert.equal(await scheduler.drive(Promise.all(held)), false);
    assert.deepEqual([seen, scheduler.withheld], [["b", "c"], ["a"]]);
    scheduler.giveBack();
    assert.equal(await scheduler.drive(Promise.all(held)), true);
    assert.deepEqual(seen, ["b", "c", "a"]);
  });

  it("has the same come of the same seed", async () => {
    for (const [subject, faultSeed] of [
      ["store", undefined],
      ["store", SEED],
      ["swap", undefined],
    ] as const) {
      const setting = { make: ASYNC_MACHINES[subject], faultSeed };
      const [one, again] = [await runSeed(setting, SEED), await runSeed(setting, SEED)];
      assert.deepEqual(one, again);
      const { history } = await runChosen(setting, one.calls, one.run.choices);
      assert.deepEqual(history, one.run.history);
    }
  });
});

/** A call of the first chain. */
function firstCall(call: string, ...args: AsyncCall["args"]): AsyncCall {
  return { task: 0, call, args, form: "sync" };
}

describe("the model of calls", () => {
  it("moves and links names as the file system does", async () => {
    const expected: readonly (readonly [AsyncCall, string])[] = [
      [firstCall("link", "a", "b"), "ok"],
      [firstCall("stat", "b"), "file of 6, 2 links, mode 644"],
      [firstCall("link", "a", "b"), "EEXIST"],
      [firstCall("link", "s", "t"), "EPERM"],
      [firstCall("rename", "a", "s"), "EISDIR"],
      [firstCall("rename", "s", "a"), "ENOTDIR"],
      [firstCall("mkdir", "t"), "ok"],
      [firstCall("rename", "t", "s"), "ENOTEMPTY"],
      [firstCall("rename", "s", "t"), "ok"],
      [firstCall("rename", "a", "t/a"), "ok"],
      [firstCall("stat", "t/a"), "file of 6, 2 links, mode 644"],
      [firstCall("unlink", "b"), "ok"],
      [firstCall("stat", "t/a"), "file of 6, 1 links, mode 644"],
      [firstCall("truncate", "t/a", 2), "ok"],
      [firstCall("stat", "t/a"), "file of 2, 1 links, mode 644"],
      [firstCall("rename", "t", "t/a"), "EINVAL"],
    ];
    const calls = expected.map(([call]) => call);
    const { finding, history } = await runChosen({ make: ASYNC_MACHINES.tmpfs }, calls, []);
    assert.equal(finding, undefined);
    const begin = history.findIndex((line) => line.endsWith(showAsyncCall(calls[0])));
    const answers = history.slice(begin).flatMap((line) => line.match(/^\d+ = (.*)/)?.[1] ?? []);
    assert.deepEqual(
      answers.slice(0, calls.length),
      expected.map(([, answer]) => answer),
    );
  });

  it("gives no other name to a file that has lost its last one since it was looked up", () => {
    const order = new Linearizer(FILE_SYSTEM);
    const start = (id: number, call: string, ...args: string[]): void =>
      order.start(id, { call: firstCall(call, ...args), mayEagain: false, faults: new Set() } satisfies ModelCall);
    start(101, "link", "a", "b");
    start(102, "unlink", "a");
    assert.ok(order.end(102, "ok"));
    assert.deepEqual(order.possible(101), ["ENOENT", "ok"]);
    start(103, "stat", "b"); // begun when the first name has gone: the link has not been made before
    assert.ok(order.end(103, "ENOENT"));
    assert.deepEqual(order.possible(101), ["ENOENT"]);
    assert.equal(order.end(101, "ok"), false);
  });
});

describe("calls of chains", () => {
  it("are each drawn for some program", () => {
    const drawn = new Set<string>();
    for (let i = 0; i < 2000; i++) for (const { call } of drawAsync(seededRandom(SEED + i)).calls) drawn.add(call);
    const files = ["close", "fchmod", "fdatasync", "fstat", "fsync", "ftruncate", "open", "read", "write"];
    const names = ["chmod", "link", "mkdir", "readdir", "rename", "rmdir", "stat", "unlink"];
    const whole = ["abortRead", "abortWrite", "appendFile", "readFile", "truncate", "writeFile"];
    assert.deepEqual([...drawn].sort(), [...files, ...names, ...whole, "sync", "drop", "press"].sort());
  });

  it("are those of a FileHandle where a promise has opened the file, and of the descriptor where a callback has", async () => {
    const links = (form: AsyncCall["form"]): AsyncCall[] => {
      const by = (call: string, ...args: AsyncCall["args"]): AsyncCall => ({ task: 0, call, args, form });
      return [
        by("open", "a", 0, 0o102),
        by("write", 0, 0, 2, "x"),
        by("read", 0, 0, 1),
        by("ftruncate", 0, 1),
        by("fchmod", 0, 0o600),
        by("fstat", 0),
        by("fsync", 0),
        by("fdatasync", 0),
        by("close", 0),
      ];
    };
    const told = await Promise.all(
      (["promise", "callback"] as const).map(async (form) => {
        const { finding, history } = await runChosen({ make: ASYNC_MACHINES.tmpfs }, links(form), []);
        assert.equal(finding, undefined);
        return history.join("\n").replaceAll(/ (promise|callback)$/gm, "");
      }),
    );
    for (const answer of ["wrote 2", "read x", "file of 1, 1 links, mode 600"])
      assert.ok(told[0].includes(answer), told[0]);
    assert.equal(told[0], told[1]);
  });

  it("are read to the end where nobody gives them up in time", async () => {
    const read: AsyncCall = { task: 0, call: "abortRead", args: ["a"], form: "promise" };
    const { finding, history } = await runChosen({ make: ASYNC_MACHINES.tmpfs }, [read], []);
    assert.equal(finding, undefined);
    const begin = history.findIndex((line) => line.includes("abortRead"));
    assert.match(history[begin + 1], / = read AAAAAA$/);
  });

  it("have seeds by which answers are missing and nothing fails", () => {
    const seed = seedOfMissingAnswers(SEED);
    assert.ok(seed >= SEED && seed < SEED + 100);
    const told: string[] = [];
    const plan = faultPlan(seed, (text) => told.push(text));
    plan.isOn = true;
    for (let nr = 0; nr < 200; nr++) {
      assert.equal(plan.plan?.({ nr, operation: "lookup", ino: 1 } as never), undefined);
      plan.isMissing(`answer ${nr}`);
    }
    assert.equal(told.length, 2);
  });
});

async function findingOf(
  make: MakeAsyncMachine,
  kind: string,
  how: { loses?: () => (name: string) => boolean } = {},
): Promise<AsyncShown> {
  const options = { make, ...how, seed: SEED, maxCalls: 200_000, maxMs: NEVER, maxFindings: 1 };
  const { findings } = await searchAsync(options);
  const [finding] = findings;
  assert.equal(finding?.kind, kind, finding?.text);
  return finding;
}

describe("planted faults are found", { timeout: 300_000 }, () => {
  it("an answer that nobody hears of", async () => {
    const loses = () => (name: string) => name.startsWith("readahead") || name.startsWith("rename");
    const { calls, text } = await findingOf(ASYNC_MACHINES.store, "stuck", { loses });
    assert.ok(calls.length <= 6, text);
  });

  it("a rename of two steps", async () => {
    const make = withPromises(ASYNC_MACHINES.tmpfs, (face) => ({
      rename: async (from, to) => {
        await face.promises.link(from, to);
        await new Promise(setImmediate);
        await face.promises.unlink(from);
      },
    }));
    await findingOf(make, "order");
  });

  it("a write that others come between", async () => {
    const make = withPromises(ASYNC_MACHINES.store, (face) => ({
      appendFile: async (path, data) => {
        const { size } = (await face.promises.stat(path)) as { size: number };
        const file = (await face.promises.open(path, "r+")) as {
          write(...args: unknown[]): Promise<void>;
          close(): Promise<void>;
        };
        await file.write(data, 0, undefined, size);
        await file.close();
      },
    }));
    await findingOf(make, "order");
  });

  it("EAGAIN of a call that can wait", async () => {
    const make = withPromises(ASYNC_MACHINES.store, () => ({
      stat: async () => {
        throw Object.assign(new Error("EAGAIN"), { code: "EAGAIN" });
      },
    }));
    await findingOf(make, "EAGAIN");
  });

  it("and the same again from a file", async () => {
    const make = ASYNC_MACHINES.store;
    const { calls, run } = await runSeed({ make }, SEED);
    const head = { schedule: 1, subject: "store", about: "", choices: run.choices } as const;
    const replay = readSchedule(writeSchedule({ head, calls: calls as AsyncCall[] }));
    assert.deepEqual(replay, { head, calls });
    assert.deepEqual((await replaySchedule(replay ?? assert.fail())).history, run.history);
    assert.equal(readSchedule("{}"), undefined);
  });
});
