/** flock(2) and fcntl(2) locks do what the host's do: rules one by one, calls that wait, deadlocks, and random programs. */
import { strict as assert } from "node:assert";
import { release } from "node:os";
import { describe, expect } from "vitest";
import {
  LOCK_EX,
  LOCK_MAND,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_ACCMODE,
  O_CREAT,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../../../src/base/stat-flags.ts";
import {
  expectSame,
  expectSameProgram,
  itOnLinux,
  type LinuxProgram,
  type LinuxStep,
} from "../../helpers/linux-script.ts";
import { seededRandom } from "../../helpers/random.ts";

const TASKS = [1, 2, 3].map(() => ({ uid: 0, gid: 0 }));
/** Of a program in which calls wait, and others are refused: chance leaves that out now and then. */
const KNOWN_SEED = 1;
const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
/** The kernel is Linux 5.18 or later. */
const HAS_NO_MAND = release().localeCompare("5.18", "en", { numeric: true }) >= 0;
const [RD, WR, UN] = [0, 1, 2];
const [SET, CUR, END] = [0, 1, 2];

type Call = Extract<LinuxStep, { call: string }>;
const by = (task: number, call: string, ...args: Call["args"]): Call => ({ task, call, args });
const lock = (task: number, fd: string, cmd: string, type: number, start: number, length: number, whence = SET): Call =>
  by(task, "fcntl", fd, cmd, type, whence, start, length);
const later = (step: Call): LinuxStep => ({ ...step, later: true });
const settle = (task: number, ends = true): LinuxStep => ({ settle: task, ends });

/** Each task opens two files, the first of them twice. */
const OPEN: readonly LinuxStep[] = [0, 1, 2].flatMap((task) => [
  by(task, "open", "a", "ROOT/f", O_RDWR | O_CREAT),
  by(task, "open", "b", "ROOT/f", O_RDWR),
  by(task, "open", "g", "ROOT/g", O_RDWR | O_CREAT),
]);

describe("locks on ranges, as on the host", () => {
  itOnLinux("are refused for what is no lock, no range, or not open for it", async () => {
    const steps = [...OPEN, by(0, "write", "a", "0123456789")];
    steps.push(
      by(0, "open", "r", "ROOT/f", O_RDONLY),
      by(0, "open", "w", "ROOT/f", O_WRONLY),
      by(0, "open", "p", "ROOT/f", O_PATH),
    );
    for (const fd of ["r", "w", "p", "a"]) {
      for (const cmd of ["F_GETLK", "F_SETLK", "F_OFD_GETLK", "F_OFD_SETLK"]) {
        for (const type of [RD, WR, UN, 3, -1]) steps.push(lock(0, fd, cmd, type, 0, 0));
        for (const [whence, start, length] of [
          [SET, -1, 1],
          [SET, 5, -5],
          [SET, 5, -6],
          [CUR, -11, 1],
          [CUR, -3, 2],
          [END, -10, 5],
          [END, -11, 5],
          [3, 0, 0],
          [-1, 0, 0],
        ])
          steps.push(lock(0, fd, cmd, RD, start, length, whence));
      }
    }
    steps.push(
      lock(1, "a", "F_GETLK", WR, 0, 0),
      lock(1, "a", "F_OFD_GETLK", WR, 0, 0),
      lock(0, "a", "F_OFD_GETLK", UN, 0, 0),
    );
    const outcomes = await expectSame({ tasks: TASKS, steps });
    expect(new Set(outcomes.filter((outcome) => typeof outcome === "string"))).toEqual(
      new Set(["EAGAIN", "EBADF", "EINVAL"]),
    );
  });

  itOnLinux("go with any descriptor of the file, those of an open file with its own", async () => {
    const steps = [...OPEN];
    for (const cmd of ["F_SETLK", "F_OFD_SETLK"]) {
      for (const fd of ["b", "g", "a"]) {
        steps.push(lock(0, "a", cmd, WR, 10, 10), by(0, "close", fd), lock(1, "a", "F_GETLK", WR, 0, 0));
        steps.push(by(0, "open", fd, fd === "g" ? "ROOT/g" : "ROOT/f", O_RDWR));
      }
    }
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("wait, and go on when the way is free", async () => {
    const steps = [...OPEN];
    for (const [set, wait] of [
      ["F_SETLK", "F_SETLKW"],
      ["F_OFD_SETLK", "F_OFD_SETLKW"],
      ["F_SETLK", "F_OFD_SETLKW"],
    ]) {
      steps.push(
        lock(0, "a", set, WR, 0, 10),
        later(lock(1, "a", wait, RD, 5, 10)),
        lock(0, "a", set, UN, 0, 5),
        settle(1, false),
        lock(0, "a", set, RD, 5, 5),
        settle(1),
        later(lock(2, "a", wait, WR, 0, 0)),
        by(0, "close", "a"),
        settle(2, false),
        by(1, "close", "a"),
        settle(2),
        by(0, "open", "a", "ROOT/f", O_RDWR),
        by(1, "open", "a", "ROOT/f", O_RDWR),
        lock(1, "a", "F_GETLK", RD, 100, 1),
        lock(2, "a", set, UN, 0, 0),
      );
    }
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("wait for two files at once, and each goes on with its own", async () => {
    const steps = [
      ...OPEN,
      lock(0, "a", "F_SETLK", WR, 0, 1),
      lock(0, "g", "F_SETLK", WR, 0, 1),
      later(lock(1, "a", "F_SETLKW", WR, 0, 1)),
      later(lock(2, "g", "F_SETLKW", WR, 0, 1)),
      lock(0, "a", "F_SETLK", UN, 0, 1),
      settle(1),
      settle(2, false),
      lock(0, "g", "F_SETLK", UN, 0, 1),
      settle(2),
    ];
    const outcomes = await expectSame({ tasks: TASKS, steps });
    expect(outcomes.slice(-4)).toEqual([null, "waits", null, null]);
  });

  itOnLinux("of which some would wait for each other are a deadlock, unless an open file's", async () => {
    const ring = (set: string, wait: string): LinuxStep[] => [
      lock(0, "a", set, WR, 0, 1),
      lock(1, "a", set, WR, 1, 1),
      lock(2, "a", set, WR, 2, 1),
      later(lock(0, "a", wait, WR, 1, 1)),
      later(lock(1, "a", wait, WR, 2, 1)),
    ];
    const posix = [
      ...OPEN,
      ...ring("F_SETLK", "F_SETLKW"),
      lock(2, "a", "F_SETLKW", RD, 0, 1),
      lock(2, "a", "F_SETLKW", WR, 0, 3),
    ];
    posix.push(
      lock(2, "a", "F_SETLK", UN, 0, 0),
      settle(1),
      settle(0, false),
      lock(1, "a", "F_SETLK", UN, 1, 1),
      settle(0),
    );
    const outcomes = await expectSame({ tasks: TASKS, steps: posix });
    expect(outcomes.filter((outcome) => outcome === "EDEADLK")).toHaveLength(2);

    const ofd = [
      ...OPEN,
      ...ring("F_OFD_SETLK", "F_OFD_SETLKW"),
      later(lock(2, "a", "F_OFD_SETLKW", WR, 0, 1)),
      settle(0, false),
    ];
    await expectSame({ tasks: TASKS, steps: ofd });
  });

  itOnLinux.each([0, 1, 2])("do as the host's in random programs (%i)", async (n) => {
    const seed = n === 0 ? KNOWN_SEED : SEED + n;
    console.log(`locks.oracle.test.ts: seed ${seed}`);
    const outcomes = await expectSameProgram({ tasks: TASKS }, randomLocks(seed, 150));
    for (const outcome of n === 0 ? ["EAGAIN", "waits"] : [])
      assert(outcomes.includes(outcome), `${outcome} has not come up`);
  });
});

describe("flock, as on the host", () => {
  itOnLinux("waits, is converted, and goes with the last close", async () => {
    const steps = [
      ...OPEN,
      by(0, "flock", "a", LOCK_SH),
      by(1, "flock", "a", LOCK_SH),
      by(0, "flock", "a", LOCK_EX | LOCK_NB),
      by(1, "flock", "a", LOCK_EX | LOCK_NB),
      later(by(0, "flock", "a", LOCK_SH)),
      by(1, "flock", "a", LOCK_UN),
      settle(0),
      later(by(2, "flock", "g", LOCK_EX)),
      later(by(2, "flock", "a", LOCK_EX)),
      by(0, "close", "a"),
      settle(2),
      by(0, "flock", "b", LOCK_SH | LOCK_NB),
      lock(0, "b", "F_SETLK", WR, 0, 0),
      by(0, "flock", "b", 0),
      by(0, "flock", "nobody", LOCK_SH),
    ];
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("looks at the operation first, then at the descriptor", async () => {
    const steps = [...OPEN, by(0, "open", "p", "ROOT/f", O_PATH), by(0, "open", "none", "ROOT/f", O_ACCMODE)];
    for (const fd of ["nobody", "p", "none", "a"]) {
      for (const operation of [0, LOCK_NB, LOCK_SH | LOCK_EX, LOCK_EX | LOCK_UN, LOCK_SH, LOCK_EX, LOCK_UN])
        steps.push(by(0, "flock", fd, operation));
    }
    const outcomes = (await expectSame({ tasks: TASKS, steps })).slice(OPEN.length + 2);
    const [bad, none] = ["EBADF", "EINVAL"].map((code) => outcomes.filter((outcome) => outcome === code).length);
    assert.deepEqual([bad, none], [3 + 3 + 2, 4 * 4]);
  });

  (HAS_NO_MAND ? itOnLinux : itOnLinux.skip)(
    "ignores mandatory locks, which Linux has none of since 5.18",
    async () => {
      const steps = [...OPEN];
      for (const fd of ["nobody", "a"]) {
        for (const operation of [0, LOCK_SH, LOCK_EX | LOCK_NB, LOCK_UN, LOCK_SH | LOCK_EX, 64, 128, 192])
          steps.push(by(0, "flock", fd, LOCK_MAND | operation));
      }
      steps.push(by(1, "flock", "a", LOCK_EX | LOCK_NB));
      await expectSame({ tasks: TASKS, steps });
    },
  );

  itOnLinux.each([0, 1])("does as the host's in random programs (%i)", async (n) => {
    const seed = SEED + n;
    console.log(`locks.oracle.test.ts: seed ${seed}`);
    await expectSameProgram({ tasks: TASKS }, randomFlocks(seed, 120));
  });
});

/** Random calls by tasks that do not wait; one waits at a time, so that the order of who goes on is no matter. */
function* randomProgram(
  seed: number,
  count: number,
  next: (random: (n: number) => number, task: number, mayWait: boolean) => LinuxStep,
): LinuxProgram {
  const random = seededRandom(seed);
  yield* OPEN;
  let waiting = -1;
  for (let i = 0; i < count; i++) {
    let task = random(3);
    if (task === waiting) task = (task + 1) % 3;
    const step = next(random, task, waiting < 0);
    const outcome = yield step;
    if ("later" in step && step.later && outcome === "waits") waiting = task;
    else if (waiting >= 0 && (yield { settle: waiting }) !== "waits") waiting = -1;
  }
}

function randomLocks(seed: number, count: number): LinuxProgram {
  return randomProgram(seed, count, (random, task, mayWait) => {
    const fd = ["a", "a", "b"][random(3)];
    const dice = random(20);
    if (dice === 0) return by(task, "close", fd);
    if (dice === 1) return by(task, "open", fd, "ROOT/f", O_RDWR);
    const start = random(40);
    const length = random(8) === 0 ? 0 : 1 + random(15);
    const family = random(3) === 0 ? "F_OFD_" : "F_";
    if (dice < 6) return lock(task, fd, `${family}GETLK`, random(2), start, length);
    const type = [RD, RD, WR, UN, UN][random(5)];
    const waits = mayWait && dice > 14 && type !== UN;
    const step = lock(task, fd, `${family}SETLK${waits ? "W" : ""}`, type, start, length);
    return waits ? later(step) : step;
  });
}

function randomFlocks(seed: number, count: number): LinuxProgram {
  return randomProgram(seed, count, (random, task, mayWait) => {
    const fd = ["a", "b"][random(2)];
    const dice = random(20);
    if (dice === 0) return by(task, "close", fd);
    if (dice === 1) return by(task, "open", fd, "ROOT/f", O_RDWR);
    const operation = [LOCK_SH, LOCK_EX, LOCK_UN, LOCK_UN][random(4)];
    const waits = mayWait && dice > 12;
    const step = by(task, "flock", fd, operation | (waits ? 0 : LOCK_NB));
    return waits ? later(step) : step;
  });
}
