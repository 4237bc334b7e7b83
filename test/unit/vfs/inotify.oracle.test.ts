/** Marks tell what inotify of the host tells: masks, names and cookies of every event, what is merged, what is ignored after. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../../../src/base/stat-flags.ts";
import { createFsSync } from "../../../src/index.ts";
import {
  FS_ATTRIB,
  FS_CLOSE_WRITE,
  FS_CREATE,
  FS_DELETE,
  FS_DELETE_SELF,
  FS_IN_IGNORED,
  FS_ISDIR,
  FS_MODIFY,
  FS_MOVE_SELF,
  FS_MOVED_FROM,
  FS_MOVED_TO,
} from "../../../src/vfs/fsnotify-events.ts";
import { inotifyAddWatch } from "../../../src/vfs/inotify.ts";
import { expectSame, hex, itOnLinux, type LinuxStep } from "../../helpers/linux-script.ts";
import { type Random, seededRandom } from "../../helpers/random.ts";

type LinuxArgs = Extract<LinuxStep, { call: string }>["args"];
const by = (task: number, call: string, ...args: LinuxArgs): LinuxStep => ({ task, call, args });

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const TASKS = [
  { uid: 0, gid: 0 },
  { uid: 1000, gid: 1000 },
];
const EVENTS =
  FS_MODIFY |
  FS_ATTRIB |
  FS_CLOSE_WRITE |
  FS_MOVED_FROM |
  FS_MOVED_TO |
  FS_CREATE |
  FS_DELETE |
  FS_DELETE_SELF |
  FS_MOVE_SELF;
const NR_STEPS = 300;

const DIRECTORIES = ["d", "e", "d/sub"];
const FILES = ["d/a", "d/b", "e/a", "e/c", "d/sub/a"];
const PATHS = [...DIRECTORIES, ...FILES].map((path) => `ROOT/${path}`);
const OPEN_FLAGS = [O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_CREAT, O_WRONLY | O_CREAT | O_TRUNC, O_RDWR | O_APPEND];
/** Those with set-ID bits lose them with writes of others than root. */
const MODES = [0o666, 0o777, 0o644, 0o1777, 0o4777, 0o6777, 0o2766];
const EXCHANGE = 2;

/** A call that may well fail. */
function randomCall(random: Random): LinuxStep {
  const task = random(2);
  const path = (): string => PATHS[random(PATHS.length)];
  const fd = `${random(3)}`;
  const calls: (() => LinuxStep)[] = [
    () => by(task, "open", fd, path(), OPEN_FLAGS[random(OPEN_FLAGS.length)], 0o666),
    () => by(task, "close", fd),
    () => by(task, "write", fd, "x".repeat(random(3))),
    () => by(task, "writev", fd, ...["", "x", "yz"].slice(random(2), 2 + random(2))),
    () => by(task, "ftruncate", fd, random(3)),
    () => by(task, "fallocate", fd, random(2), random(3), 1 + random(3)),
    () => by(task, "copy_file_range", fd, `${random(3)}`, random(3)),
    () => by(task, "chmod", path(), MODES[random(MODES.length)]),
    () => by(task, "chown", path(), random(2) - 1, random(2) - 1),
    () => by(task, "utimes", path(), random(3) || null),
    () => by(task, "setxattr", path(), hex("user.x"), "value", random(3)),
    () => by(task, "removexattr", path(), hex("user.x")),
    () => by(0, "link", path(), path()), // others may be forbidden to (fs.protected_hardlinks)
    () => by(task, "symlink", "target", path()),
    () => by(task, "rename", path(), path()),
    () => by(0, "renameat2", null, path(), null, path(), random(2) * EXCHANGE),
    () => by(task, "unlink", path()),
    () => by(task, "rmdir", path()),
    () => by(task, "mkdir", path(), 0o777),
    () => by(0, "watch", path(), path(), EVENTS),
    () => by(0, "events"),
  ];
  return calls[random(calls.length)]();
}

function randomScript(seed: number): LinuxStep[] {
  const random = seededRandom(seed);
  const steps: LinuxStep[] = [];
  for (const path of DIRECTORIES)
    steps.push(by(0, "mkdir", `ROOT/${path}`, 0o777), by(0, "chmod", `ROOT/${path}`, 0o777));
  for (const path of ["ROOT", "ROOT/d", "ROOT/e"]) steps.push(by(0, "watch", path, path, EVENTS));
  for (let i = 0; i < NR_STEPS; i++) {
    const step = randomCall(random);
    // By its number, since a path is another file's every so often.
    steps.push("call" in step && step.call === "watch" ? { ...step, args: [`${i}`, ...step.args.slice(1)] } : step);
    if (random(3) > 0) steps.push(by(0, "events"));
  }
  for (const task of [0, 1]) for (const fd of ["0", "1", "2"]) steps.push(by(task, "close", fd), by(0, "events"));
  return steps;
}

describe("inotify", () => {
  itOnLinux("tells of calls by root and others what the host's tells", async () => {
    console.log(`inotify: FOLIOFS_SEED=${SEED}`);
    const masks = new Set<number>();
    for (let i = 0; i < 6; i++) {
      const outcomes = await expectSame({ tasks: TASKS, mount: "mode=777", steps: randomScript(SEED + i) });
      for (const told of outcomes) if (Array.isArray(told)) for (const [, mask] of told) masks.add(mask);
    }
    const all = [...masks].reduce((a, b) => a | b, 0);
    assert.equal(
      all & (EVENTS | FS_ISDIR | FS_IN_IGNORED),
      EVENTS | FS_ISDIR | FS_IN_IGNORED,
      "some event has not come up",
    );
  });
});

describe("set-ID bits that a write of others takes away", () => {
  const WRITES: Readonly<Record<string, LinuxStep>> = {
    write: by(1, "write", "f", "text"),
    "write, once they are gone": by(1, "write", "f", "text"),
    "write of nothing": by(1, "write", "f", ""),
    writev: by(1, "writev", "f", "", "some", "text"),
    "writev, once they are gone": by(1, "writev", "f", "", "some", "text"),
    ftruncate: by(1, "ftruncate", "f", 1),
    "ftruncate to the same size": by(1, "ftruncate", "f", 1),
    fallocate: by(1, "fallocate", "f", 0, 0, 10),
    "fallocate, of which they are left": by(1, "fallocate", "f", 1, 0, 10),
    copy_file_range: by(1, "copy_file_range", "from", "f", 4),
    "copy_file_range of nothing": by(1, "copy_file_range", "from", "f", 4),
    "open with O_TRUNC": by(1, "open", "g", "ROOT/d/f", O_WRONLY | O_TRUNC),
  };

  itOnLinux("are told as attributes, before what is written or with it", async () => {
    const steps = [
      by(0, "mkdir", "ROOT/d", 0o777),
      by(0, "open", "from", "ROOT/from", O_RDWR | O_CREAT, 0o644),
      by(0, "write", "from", "text"),
      by(0, "open", "made", "ROOT/d/f", O_RDWR | O_CREAT, 0o666),
      by(0, "chmod", "ROOT/d/f", 0o666),
      by(1, "open", "from", "ROOT/from", O_RDONLY),
      by(1, "open", "f", "ROOT/d/f", O_RDWR),
      by(0, "watch", "d", "ROOT/d", EVENTS),
      by(0, "watch", "f", "ROOT/d/f", EVENTS),
    ];
    for (const [what, step] of Object.entries(WRITES)) {
      const isAgain = what.includes("gone");
      if (!isAgain) steps.push(by(0, "chmod", "ROOT/d/f", 0o6676), by(0, "events"));
      steps.push(step, by(0, "stat", "ROOT/d/f"), by(0, "events"));
    }
    // What a write has taken away before anybody watched is nothing that the next call has.
    steps.push(
      by(0, "open", "other", "ROOT/other", O_RDWR | O_CREAT, 0o666),
      by(0, "chmod", "ROOT/other", 0o4666),
      by(1, "open", "other", "ROOT/other", O_RDWR),
      by(1, "write", "other", "text"),
      by(0, "watch", "other", "ROOT/other", EVENTS),
      by(0, "write", "other", "text"),
      by(0, "events"),
    );
    await expectSame({ tasks: TASKS, mount: "mode=777", steps });
  });
});

describe("a file without links that is open by more than one of its names", () => {
  const NAMES = ["0", "1", "2"];

  /** Three names, opened by what is given, taken away in this order, closed in this one. @param file tells it from others */
  function script(
    file: string,
    opened: readonly string[],
    taken: readonly string[],
    closed: readonly string[],
  ): LinuxStep[] {
    const path = (name: string): string => `ROOT/${file}${name}`;
    const steps = [by(0, "open", "w", path("0"), O_WRONLY | O_CREAT, 0o666)];
    for (const name of NAMES.slice(1)) steps.push(by(0, "link", path("0"), path(name)));
    steps.push(by(0, "close", "w"), by(0, "watch", file, path("0"), EVENTS));
    for (const name of opened) steps.push(by(0, "open", file + name, path(name), O_RDWR));
    for (const name of taken) steps.push(by(0, "unlink", path(name)), by(0, "events"));
    for (const name of closed)
      steps.push(by(0, "write", file + name, "x"), by(0, "close", file + name), by(0, "events"));
    return steps;
  }

  itOnLinux("has gone for who watches when a name goes that nobody has open any more", async () => {
    const steps = [
      ...script("a", ["0"], NAMES, ["0"]),
      ...script("b", ["2"], NAMES, ["2"]),
      ...script("c", ["0", "1"], NAMES, ["0", "1"]),
      ...script("d", ["0", "1"], ["1", "2", "0"], ["1", "0"]),
      ...script("e", NAMES, NAMES, ["1", "0", "2"]),
      // The last name goes when another file is given it.
      ...script("f", ["0"], ["0", "2"], []),
      by(0, "open", "other", "ROOT/other", O_WRONLY | O_CREAT, 0o666),
      by(0, "rename", "ROOT/other", "ROOT/f1"),
      by(0, "events"),
      by(0, "close", "f0"),
      by(0, "events"),
    ];
    await expectSame({ tasks: TASKS, steps });
  });
});

describe("CLOSE_WRITE", () => {
  function listening(fs: ReturnType<typeof createFsSync>, mask: number) {
    const told: number[] = [];
    const task = fs.kernel.taskOf(fs);
    inotifyAddWatch(task, "/f", mask, (event) => void told.push(event), setImmediate);
    return async (): Promise<number[]> => {
      await new Promise((resolve) => void setImmediate(resolve));
      return told.splice(0);
    };
  }

  it("comes when nothing has the file open any more, a mapping either, and to who asks for it", async () => {
    using kernel = createFsSync({ memoryLimit: 32 * 2 ** 20 }).kernel;
    const { fs } = kernel;
    fs.writeFileSync("/f", "text");
    const told = listening(fs, FS_MODIFY | FS_CLOSE_WRITE);
    const others = listening(fs, FS_MODIFY);
    const fd = fs.openSync("/f", "r+");
    const mapping = kernel.mmap(fd, { length: 4096 });
    fs.writeSync(fd, "x");
    fs.closeSync(fd);
    assert.deepEqual(await told(), [FS_MODIFY]);
    mapping.munmap();
    assert.deepEqual(await told(), [FS_CLOSE_WRITE]);
    fs.closeSync(fs.openSync("/f", "r"));
    assert.deepEqual(await told(), []);
    assert.deepEqual(await others(), [FS_MODIFY]);
    if (process.env.FOLIOFS_BUILD !== "release") kernel.verify();
  });
});
