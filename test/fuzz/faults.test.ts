/**
 * Programs with faults: each allocation of memory fails in turn, beside a twin on which none does; calls of stores fail while others are
 * under way; what is written back fails; and a store's power is cut.
 *
 * FOLIO_SEED starts from a given seed, FOLIO_FAULT_OPS is the number of calls for each subject (600).
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { runAllocations } from "../../src/fuzz/faults/allocations.ts";
import { faultProfile } from "../../src/fuzz/faults/fault-profiles.ts";
import { runCut } from "../../src/fuzz/faults/power-cut.ts";
import { runWriteBack } from "../../src/fuzz/faults/write-back.ts";
import type { WriteBackCall } from "../../src/fuzz/faults/write-back-call.ts";
import { compareCells } from "../../src/fuzz/faults/written-cells.ts";
import { PROFILES } from "../../src/fuzz/generate.ts";
import { Disk } from "../../src/fuzz/schedule/disk.ts";
import { ASYNC_MACHINES } from "../../src/fuzz/schedule/machine.ts";
import {
  FAULT_SUBJECT_NAMES,
  FAULTS_VERSION,
  type FaultFinding,
  readFaults,
  replayFaults,
  searchAsync,
  searchFaults,
  showAsyncCall,
  showFaults,
  writeFaults,
} from "../../src/fuzz.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const OPS = Number(process.env.FOLIO_FAULT_OPS ?? 600);
const ENDS = { seed: SEED, maxCalls: OPS, maxMs: Number.MAX_SAFE_INTEGER, maxFindings: 2 };
console.log(`faults: FOLIO_SEED=${SEED}`);

describe("calls are done, or fail and change nothing", { timeout: 600_000 }, () => {
  for (const subject of FAULT_SUBJECT_NAMES) {
    it(`on ${subject}`, async () => {
      const { findings, nrFaults } = await searchFaults({ ...ENDS, subject, profiles: PROFILES });
      assert.equal(
        findings.map(({ seed, text, lines }) => [`seed ${seed}: ${text}`, ...lines].join("\n")).join("\n"),
        "",
      );
      assert.ok(nrFaults > OPS / 200, `only ${nrFaults} faults`);
    });
  }
});

describe("times of an overlay's directory in which a name could not be made are nobody's", () => {
  // Node takes a time before 1970 for that of the real clock, which is shown as "now".
  for (const time of [-1.5, 1.0005]) {
    it(`after utimes of ${time}`, () => {
      const calls = [
        { task: 0, call: "utimes", args: ["d", 0, time] },
        { task: 0, call: "symlink", args: ["d/b", "c"] },
      ];
      const run = runAllocations({ subject: "overlay", tasks: [{ uid: 0, gid: 0, groups: [] }] }, calls);
      assert.equal(run.finding, undefined);
      assert.ok(run.nrFailed > 0);
    });
  }
});

describe("calls whose store fails come to what some order of them comes to", { timeout: 600_000 }, () => {
  for (const subject of ["store", "store-both", "overlay", "swap"]) {
    it(`on ${subject}`, async () => {
      const { findings } = await searchAsync({ ...ENDS, make: ASYNC_MACHINES[subject], hasFaults: true });
      const shown = findings.map(({ seed, kind, text, calls, history }) =>
        [`seed ${seed}: ${kind}: ${text}`, ...calls.map(showAsyncCall), ...history].join("\n"),
      );
      assert.equal(shown.join("\n"), "");
    });
  }
});

/** Says that all is safe, and does nothing. */
class Liar extends Disk {
  override flush(): number {
    return 0;
  }
}

type Setting = NonNullable<Parameters<typeof replayFaults>[1]>;

/** Looks for what is planted, which its replay shows again, and shows no more where nothing is planted. */
async function findPlanted(subject: string, setting: Setting): Promise<FaultFinding> {
  const ends = { ...ENDS, maxCalls: 100_000, maxFindings: 1 };
  const { findings } = await searchFaults({ ...ends, ...setting, subject });
  assert.equal(findings.length, 1);
  const [{ seed, text, calls, lines }] = findings;
  assert.ok(lines.length <= 20, lines.join("\n"));
  const head = { faults: FAULTS_VERSION, subject, about: text, seed } as const;
  const replay = readFaults(writeFaults({ head, calls })) ?? assert.fail("no replay");
  assert.deepEqual(showFaults(replay), lines);
  assert.equal((await replayFaults(replay, setting))?.text, text);
  assert.equal(await replayFaults(replay), undefined);
  return findings[0];
}

describe("planted faults are found", { timeout: 300_000 }, () => {
  it("a disk that does not flush", async () => {
    await findPlanted("power", { makeDisk: () => new Liar() });
  });

  it("a name that a call which has failed leaves behind", async () => {
    const planted = (
      twin: { perform(call: object): unknown },
      { call, task }: { call: string; task: number },
      nth: number,
    ) => {
      if (call === "mkdir" && nth === 1) twin.perform({ task, call: "mkdir", args: ["left-behind", 0o755] });
    };
    // by the name itself, or by what a later call makes of it
    await findPlanted("tmpfs", { profiles: ["names"], planted: planted as never });
  });

  it("an error that is told twice", async () => {
    const plantAnswers = () => {
      const told = new Set<string>();
      return ({ call, slot, task }: { call: string; slot: number; task: number }, answer: string): string => {
        if (call !== "fsync") return answer;
        if (answer === "EIO") told.add(`${task}.${slot}`);
        return answer === "ok" && told.delete(`${task}.${slot}`) ? "EIO" : answer;
      };
    };
    await findPlanted("write-back", { plantAnswers });
  });

  it("an error that close tells in the place of fsync", async () => {
    const plantAnswers = () => {
      const untold = new Set<string>();
      return ({ call, slot, task }: { call: string; slot: number; task: number }, answer: string): string => {
        if (call === "close" && untold.delete(`${task}.${slot}`)) return "EIO";
        if (call !== "fsync" || answer !== "EIO") return answer;
        untold.add(`${task}.${slot}`);
        return "ok";
      };
    };
    await findPlanted("write-back", { plantAnswers });
  });

  it("memory that is broken, and a call that answers other than without a failure", () => {
    const task = 0;
    const calls = [
      { task, call: "open", args: ["/a", 0, 0o102, 0o644] },
      { task, call: "write", args: [0, 10, 1, 0] },
      { task, call: "mkdir", args: ["/d", 0o755] },
      { task, call: "read", args: [0, 4, null] },
    ];
    const options = { subject: "tmpfs", tasks: [{ uid: 0, gid: 0, groups: [] }] } as const;
    assert.equal(runAllocations(options, calls).finding, undefined);
    const broken = runAllocations(
      {
        ...options,
        planted: (twin, { call }) => {
          if (call === "mkdir") twin.verify = () => assert.fail("a page is lost");
        },
      },
      calls,
    );
    assert.deepEqual(broken.finding, { at: 2, nth: 1, text: "memory is broken: a page is lost" });
    const moved = runAllocations(
      {
        ...options,
        planted: (twin, { call }, nth) => {
          if (call === "mkdir" && nth === 1) twin.perform(calls[3]);
        },
      },
      calls,
    );
    assert.equal(moved.finding?.at, 3);
    assert.match(moved.finding?.text ?? "", /^read answers .*, and where no allocation fails /);
  });

  it("a disk that cannot be read after the cut", async () => {
    class Unreadable extends Disk {
      override cutPower(): Disk {
        return new Disk();
      }
    }
    const { finding } = await runCut(SEED, [], { makeDisk: () => new Unreadable() });
    assert.match(finding ?? "", /^after the cut: Error: ENOENT/);
  });

  it("what is thrown where calls are made", async () => {
    const one = { call: "fsync", task: 0, slot: "shared", file: 0, form: "promise" } as unknown as WriteBackCall;
    const plantAnswers = () => (): never => assert.fail("nobody looked for this");
    const { finding } = await runWriteBack(SEED, [one], { plantAnswers });
    assert.match(finding ?? "", /nobody looked for this/);
  });

  it("cells that are neither what was written nor what the store may have", () => {
    const cell = (value: string, mayBeOld: boolean) => ({ value, older: new Set(["x"]), mayBeOld });
    const cells = [cell("a", false), cell("b", true)];
    for (const got of ["ab", "ax", "a"]) assert.equal(compareCells(cells, got), undefined);
    assert.equal(compareCells(cells, "xb"), "reads xb: cell 0 should be a");
    assert.equal(compareCells(cells, "ac"), "reads ac: cell 1 should be b or x");
  });

  it("and calls of power cuts are shown as they are, and have no simpler ones", () => {
    const { show, simpler } = faultProfile("power", {});
    const [call] = faultProfile("power", {}).draw(SEED, 0);
    assert.deepEqual(JSON.parse(show(call)), call);
    assert.deepEqual([...simpler(call)], []);
  });

  it("which a replay of something else does not show", () => {
    assert.equal(readFaults('{"replay":1}\n'), undefined);
  });
});
