/**
 * flock(2) in programs: on foliofs, the model and the kernel the same, and faults of locks that are planted are found.
 *
 * FOLIO_SEED starts from a given seed.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_CREAT, O_PATH, O_RDWR } from "../../src/base/stat-flags.ts";
import { type Call, ROOT_TASK } from "../../src/fuzz/call.ts";
import { WHOLE_DETAIL } from "../../src/fuzz/describe.ts";
import { hasHostLocks } from "../../src/fuzz/host-locks.ts";
import { hasOwnRoot } from "../../src/fuzz/host-root.ts";
import { makeModel } from "../../src/fuzz/model/index.ts";
import type { TaskFace } from "../../src/fuzz/perform.ts";
import { type MakeMachine, Subject } from "../../src/fuzz/subject.ts";
import { createPairing, createSubject, generate, PROFILES, type Progress, runCampaign } from "../../src/fuzz.ts";
import { oracleProgram } from "../helpers/fuzz-program.ts";

const SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
console.log(`locks of the fuzzer: FOLIO_SEED=${SEED}`);

const by = (task: number, call: string, ...args: Call["args"]): Call => ({ task, call, args });

/** Two tasks that have one file open, by three descriptors; and what each call comes to. */
const PROGRAM: readonly (readonly [Call, string])[] = [
  [by(0, "chmod", "/", 0o777), "ok"],
  [by(1, "open", "/a", 0, O_RDWR | O_CREAT, 0o666), "ok"],
  [by(0, "open", "/a", 0, O_RDWR, 0), "ok"],
  [by(0, "open", "/a", 1, O_RDWR, 0), "ok"],
  [by(0, "open", "/a", 2, O_PATH, 0), "ok"],
  [by(0, "flock", 0, LOCK_SH), "ok"],
  [by(1, "flock", 0, LOCK_SH), "ok"],
  [by(0, "flock", 1, LOCK_EX), "EAGAIN flock"],
  // what is to be converted is given up
  [by(0, "flock", 0, LOCK_EX), "EAGAIN flock"],
  [by(1, "flock", 0, LOCK_EX), "ok"],
  [by(0, "flock", 0, LOCK_SH), "EAGAIN flock"],
  [by(0, "flock", 0, LOCK_UN), "ok"],
  // goes with the open file
  [by(1, "close", 0), "ok"],
  [by(0, "flock", 1, LOCK_EX), "ok"],
  [by(1, "flock", 0, LOCK_SH), "EBADF flock"],
  [by(1, "flock", 0, 0), "EINVAL flock"],
  [by(0, "flock", 2, LOCK_SH), "EBADF flock"],
  [by(0, "flock", 1, LOCK_SH | LOCK_EX), "EINVAL flock"],
  [by(0, "open", "/a", 0, O_RDWR, 0), "ok"],
  [by(0, "flock", 0, LOCK_SH), "EAGAIN flock"],
];

describe("locks", { timeout: 300_000 }, () => {
  const host = process.platform === "linux" && hasOwnRoot() && hasHostLocks();
  for (const oracle of ["model", "tmpfs"]) {
    it.skipIf(oracle !== "model" && !host)(`are the same on foliofs and on ${oracle}`, async () => {
      const pairing = await createPairing({ subject: "tmpfs", oracle, program: oracleProgram() });
      try {
        const calls = PROGRAM.map(([call]) => call);
        const outcomes = PROGRAM.map(([, outcome]) => outcome);
        assert.deepEqual(pairing.without, []);
        assert.deepEqual(await pairing.oracle.run(calls), outcomes);
        assert.deepEqual(await pairing.subject.run(calls), outcomes);
        assert.deepEqual(await pairing.oracle.run(calls), outcomes, "nothing is left of them in the next program");
      } finally {
        await pairing.close();
      }
    });
  }

  it("are nothing without which a program is another", async () => {
    const { abilities, close } = await createPairing({ subject: "tmpfs", oracle: "model" });
    await close();
    for (const profile of PROFILES) {
      const [one, other] = [true, false].map((locks) => generate(SEED, profile, 400, { ...abilities, locks }));
      assert.deepEqual(
        one.filter(({ call }) => call !== "flock"),
        other,
      );
      assert.equal(one.length > other.length, ["data", "mixed"].includes(profile), profile);
    }
  });

  it("are told to be missing where only the oracle has none, and come to an error where they are asked for", async () => {
    const options = { oracle: "tmpfs", program: oracleProgram(), isConfined: true };
    if (process.platform === "linux") {
      const pairing = await createPairing({ ...options, subject: "tmpfs" });
      assert.deepEqual([pairing.without, pairing.abilities.locks], [["locks"], false]);
      assert.deepEqual(await pairing.oracle.run([by(0, "flock", 0, LOCK_SH)]), ["Error: there are no locks"]);
      await pairing.close();
    }
  });
});

/** Changes what a face does. */
type Plant = (face: TaskFace & Required<Pick<TaskFace, "flock">>) => TaskFace;

function withPlanted(plant: Plant): MakeMachine {
  return (options) => {
    const machine = makeModel(options);
    return { ...machine, faces: machine.faces.map((face) => plant(face as Parameters<Plant>[0])) };
  };
}

/** A conversion that fails leaves the lock that there was. */
const keepsConverted: Plant = (face) => {
  const held = new Map<number, number>();
  const flock = (fd: number, operation: number): void => {
    try {
      face.flock(fd, operation);
      held.set(fd, operation);
    } catch (error) {
      const before = held.get(fd);
      if ((error as { code?: string }).code === "EAGAIN" && before) face.flock(fd, before);
      throw error;
    }
  };
  return { ...face, flock };
};

/** A lock outlives the open file that had it. */
const keepsClosed: Plant = (face) => {
  const held = new Set<number>();
  const flock = (fd: number, operation: number): void => {
    held.delete(fd);
    face.flock(fd, operation);
    if ((operation & ~LOCK_NB) !== LOCK_UN) held.add(fd);
  };
  const closeSync = (fd: number): void => {
    if (!held.delete(fd)) face.fs.closeSync(fd);
  };
  return { ...face, fs: { ...face.fs, closeSync }, flock };
};

/** A shared lock is in nobody's way. */
const sharesAll: Plant = (face) => {
  const flock = (fd: number, operation: number): void => {
    try {
      face.flock(fd, operation);
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN" || (operation & ~LOCK_NB) !== LOCK_SH) throw error;
    }
  };
  return { ...face, flock };
};

async function campaign(plant: Plant): Promise<Progress> {
  const options = { subject: "model", oracle: "model" };
  const { tasks, detail, oracle, abilities, known } = await createPairing(options);
  const subject = new Subject("planted", withPlanted(plant), { tasks, detail, root: "" });
  const ends = { maxCalls: 200_000, maxMs: Number.MAX_SAFE_INTEGER, maxFindings: 1 };
  return runCampaign({ oracle, subject, known, abilities, seed: SEED, profiles: ["mixed", "data"], ...ends });
}

describe("faults of locks are found, and shrunk", { timeout: 300_000 }, () => {
  const plants = { keepsConverted, keepsClosed, sharesAll };
  for (const [name, plant] of Object.entries(plants)) {
    it(name, async () => {
      const { findings } = await campaign(plant);
      assert.equal(findings.length, 1);
      const { calls } = findings[0].program;
      // What shows it may be another call: a file that is kept open is kept for who watches it, too.
      const nrLocks = calls.filter(({ call }) => call === "flock").length;
      assert.ok(nrLocks > 0 && calls.length <= 12, JSON.stringify(calls));
    });
  }
});

it("a face without locks does not pretend to have them", async () => {
  const options = { tasks: [ROOT_TASK], detail: WHOLE_DETAIL, root: "" };
  const subject = new Subject(
    "none",
    (of) => {
      const machine = makeModel(of);
      return { ...machine, faces: machine.faces.map(({ flock: _, ...face }) => face) };
    },
    options,
  );
  assert.deepEqual(await subject.run([by(0, "flock", 0, LOCK_SH)]), ["Error: there are no locks"]);
  const foliofs = await createSubject("ramfs", options);
  assert.deepEqual(await foliofs.run([by(0, "flock", 0, LOCK_SH)]), ["EBADF flock"]);
});
