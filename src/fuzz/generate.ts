/** Programs by a seed. */
import { PATH_MAX } from "../base/stat-flags.ts";
import type { Arg, Call, TaskSpec } from "./call.ts";
import { NR_VIEWS } from "./data-view.ts";
import { NR_DEEDS } from "./deeds.ts";
import { LockDrawing } from "./draw-lock.ts";
import {
  drawDataFlags,
  drawFlags,
  drawHostileMode,
  drawHostileOffset,
  drawId,
  drawLength,
  drawMode,
  drawOffset,
  drawPosition,
  drawTime,
} from "./draw-number.ts";
import { drawHostilePath, drawHostileTarget, drawPath, drawTarget, NAMES as FEW_NAMES } from "./draw-path.ts";
import { Likely } from "./likely.ts";
import { ENDLESS } from "./model/node-realpath.ts";
import { NR_PATTERNS } from "./pattern.ts";
import { chance, pick, type Random, seededRandom, type Weighted, weighted } from "./random.ts";
import { SeenPairs } from "./seen-pairs.ts";
import { withoutStacks } from "./stacks.ts";
import { EVENTS } from "./watched.ts";

export const PROFILES = ["data", "names", "permissions", "mixed", "hostile"] as const;
export type Profile = (typeof PROFILES)[number];

/** What subject and oracle can both be asked for. */
export interface Abilities {
  /** The first is root, or the only one. */
  readonly tasks: readonly TaskSpec[];
  /** Hard links to files of others, which a setting of the host may forbid (fs.protected_hardlinks). */
  readonly linksOfOthers: boolean;
  /** chdir, umask and cwd. */
  readonly hasTaskState: boolean;
  /** What older versions of Node do in other ways: they make copyFile of other system calls, and read and write of other checks. */
  readonly isNode26: boolean;
  /** Whether there is O_TMPFILE. */
  readonly tmpfile: boolean;
  /** fs.watch */
  readonly watches: boolean;
  /** Options whose getters do something: a call that fails has done that all the same. */
  readonly deeds: boolean;
  /** flock(2), which node:fs has not. */
  readonly locks: boolean;
}

/** All that foliofs does when calls are made one after the other, and nobody watches or locks. */
export function plainAbilities(tasks: readonly TaskSpec[]): Abilities {
  const yes = { linksOfOthers: true, hasTaskState: true, isNode26: true, tmpfile: true };
  return { tasks, ...yes, watches: false, deeds: false, locks: false };
}

const NR_SLOTS = 4;
const NR_WATCHERS = 3;
/** A checkpoint comes after so many calls, about. */
const CALLS_A_TREE = 60;
/** The directory that a task works in is removed, or moved out of its root, after so many, about. */
const CALLS_A_REMOVAL = 200;
/** A task goes on in so many of 100 cases: each change of tasks is a turn between two processes. */
const PERCENT_SAME_TASK = 88;

/** How arguments are drawn. */
interface Drawing {
  readonly random: Random;
  /** Most likely of something that is there. */
  path(): Arg;
  /** Most likely of nothing yet. */
  newPath(): Arg;
  /** Most likely with an open file. */
  slot(): number;
  target(): Arg;
  offset(): number;
  position(): number | null;
  mode(): number;
  flags(): number;
}

type Draw = (from: Drawing) => readonly Arg[];
type Choice = readonly [call: string, draw: Draw];
type Row = readonly [weight: number, call: string, draw: Draw];

function choicesOf(rows: readonly Row[]): Weighted<Choice> {
  return rows.map(([weight, call, draw]) => [weight, [call, draw]]);
}

const slot = (d: Drawing): number => d.slot();
/** What memory is given as: most often a plain buffer, since others take long to make. */
const view = ({ random }: Drawing): number => (chance(random, 80) ? 0 : random(NR_VIEWS));
const seed = ({ random }: Drawing): number => random(NR_PATTERNS);

const OPEN: Choice = ["open", (d) => [d.path(), d.random(NR_SLOTS), d.flags(), d.mode()]];
/** Calls of what has to be open first. */
const OF_DESCRIPTORS = /^(close|read(v|By)?|write(v|By)?|readFd|f(truncate|stat|sync|datasync|chmod|chown)|futimes)$/;

/** Reads and writes by descriptors. */
const DATA = choicesOf([
  [5, ...OPEN],
  [2, "close", (d) => [slot(d)]],
  [4, "read", (d) => [slot(d), drawLength(d.random), d.position(), view(d)]],
  [2, "readv", (d) => [slot(d), drawLength(d.random), drawLength(d.random), d.position(), view(d)]],
  [1, "readBy", (d) => [slot(d), drawLength(d.random), d.position(), view(d), d.random(NR_DEEDS)]],
  [6, "write", (d) => [slot(d), drawLength(d.random), seed(d), d.position(), view(d)]],
  [2, "writev", (d) => [slot(d), drawLength(d.random), drawLength(d.random), seed(d), d.position(), view(d)]],
  [1, "writeBy", (d) => [slot(d), drawLength(d.random), seed(d), d.position(), view(d), d.random(NR_DEEDS)]],
  [3, "ftruncate", (d) => [slot(d), d.offset()]],
  [2, "fstat", (d) => [slot(d)]],
  [1, "readFd", (d) => [slot(d)]],
  [1, "fsync", (d) => [slot(d)]],
  [1, "fdatasync", (d) => [slot(d)]],
  [1, "truncate", (d) => [d.path(), d.offset()]],
  [1, "writeFile", (d) => [d.path(), drawLength(d.random), seed(d), view(d)]],
  [1, "appendFile", (d) => [d.path(), drawLength(d.random), seed(d), view(d)]],
  [1, "readFile", (d) => [d.path()]],
]);

/** What makes, moves and removes names, and shows them. */
const NAMES = choicesOf([
  [5, "mkdir", (d) => [d.newPath(), d.mode()]],
  [1, "mkdirs", (d) => [d.newPath(), d.mode()]],
  [4, "writeFile", (d) => [d.path(), d.random(50), seed(d)]],
  [4, "symlink", (d) => [d.newPath(), d.target()]],
  [4, "link", (d) => [d.path(), d.newPath()]],
  [8, "rename", (d) => [d.path(), d.path()]],
  [3, "unlink", (d) => [d.path()]],
  [2, "rmdir", (d) => [d.path()]],
  [2, "copyFile", (d) => [d.path(), d.path(), d.random(2)]],
  [2, "stat", (d) => [d.path()]],
  [2, "lstat", (d) => [d.path()]],
  [1, "exists", (d) => [d.path()]],
  [1, "readlink", (d) => [d.path()]],
  [1, "realpath", (d) => [d.path()]],
  [1, "realpathJs", (d) => [d.path()]],
  [2, "readdir", (d) => [d.path()]],
  [1, "readdirTypes", (d) => [d.path()]],
  [1, "lutimes", (d) => [d.path(), drawTime(d.random), drawTime(d.random)]],
  [2, ...OPEN],
  [1, "close", (d) => [slot(d)]],
  [1, "fstat", (d) => [slot(d)]],
]);

/** Who may do what. */
const ATTRIBUTES = choicesOf([
  [5, "chmod", (d) => [d.path(), d.mode()]],
  [3, "chown", (d) => [d.path(), drawId(d.random), drawId(d.random)]],
  [1, "lchown", (d) => [d.path(), drawId(d.random), drawId(d.random)]],
  [1, "fchmod", (d) => [slot(d), d.mode()]],
  [1, "fchown", (d) => [slot(d), drawId(d.random), drawId(d.random)]],
  [1, "utimes", (d) => [d.path(), drawTime(d.random), drawTime(d.random)]],
  [1, "futimes", (d) => [slot(d), drawTime(d.random), drawTime(d.random)]],
  [3, "access", (d) => [d.path(), d.random(8)]],
]);

const TASK_STATE = choicesOf([
  [2, "chdir", (d) => [d.path()]],
  [1, "cwd", () => []],
  [1, "umask", (d) => [pick(d.random, [0, 0o022, 0o077, 0o027, 0o777, 0o002])]],
]);

const WATCHED_DIRECTORIES = ["/", "/", ".", "/d"];

/** By the first task alone: processes have a queue of events each, and the tasks of one foliofs share one. */
const WATCHES = choicesOf([
  [2, "watch", (d) => [d.path(), d.random(NR_WATCHERS)]],
  [2, "watch", (d) => [pick(d.random, WATCHED_DIRECTORIES), d.random(NR_WATCHERS)]],
  [1, "unwatch", (d) => [d.random(NR_WATCHERS)]],
  [4, EVENTS, () => []],
]);

const GROUPS: Readonly<Record<Profile, Weighted<Weighted<Choice>>>> = {
  data: [
    [88, DATA],
    [8, NAMES],
    [2, ATTRIBUTES],
    [2, WATCHES],
  ],
  names: [
    [15, DATA],
    [69, NAMES],
    [5, ATTRIBUTES],
    [5, TASK_STATE],
    [6, WATCHES],
  ],
  permissions: [
    [10, DATA],
    [43, NAMES],
    [36, ATTRIBUTES],
    [7, TASK_STATE],
    [4, WATCHES],
  ],
  mixed: [
    [35, DATA],
    [36, NAMES],
    [16, ATTRIBUTES],
    [7, TASK_STATE],
    [6, WATCHES],
  ],
  hostile: [
    [35, DATA],
    [43, NAMES],
    [13, ATTRIBUTES],
    [5, TASK_STATE],
    [4, WATCHES],
  ],
};

/** Files that data programs work on: two, so that descriptors meet. */
const DATA_FILES = ["a", "b", "a", "b", "c"];
const PERCENT_HOSTILE = 35;

/** How often what is there is taken, where it is to be, and where something new is to be made. */
const PERCENT_LIKELY = 70;
const PERCENT_LIKELY_NEW = 15;
/** How often a descriptor is one that is open. */
const PERCENT_OPEN = 85;

/** @param turn whose call it is */
function drawingOf(random: Random, profile: Profile, likely: Likely, turn: { readonly task: number }): Drawing {
  const isHostile = (): boolean => profile === "hostile" && chance(random, PERCENT_HOSTILE);
  const isData = profile === "data";
  const path = (percentLikely: number): Arg => {
    if (isHostile()) return drawHostilePath(random);
    if (isData && chance(random, 95)) return pick(random, DATA_FILES);
    const { names } = likely;
    return names.length > 0 && chance(random, percentLikely) ? pick(random, names) : drawPath(random);
  };
  return {
    random,
    path: () => path(PERCENT_LIKELY),
    newPath: () => path(PERCENT_LIKELY_NEW),
    slot: () => {
      const open = likely.slots(turn.task);
      return open.length > 0 && chance(random, PERCENT_OPEN) ? pick(random, open) : random(NR_SLOTS);
    },
    target: () => (isHostile() ? drawHostileTarget(random) : drawTarget(random)),
    offset: () => (isHostile() ? drawHostileOffset(random) : drawOffset(random)),
    position: () => (isHostile() ? drawHostileOffset(random) : drawPosition(random)),
    mode: () => (isHostile() ? drawHostileMode(random) : drawMode(random)),
    flags: () => (isData || chance(random, 30) ? drawDataFlags(random) : drawFlags(random)),
  };
}

/** Characters. */
const LONG_PATH = 600;

/** Which argument of a call says where. */
const POSITIONS: Readonly<Record<string, number>> = { read: 2, readv: 3, readBy: 2, write: 3, writev: 4, writeBy: 3 };

const O_TMPFILE_BIT = 0o20000000;

function isPossible({ task, call, args }: Call, abilities: Abilities): boolean {
  const isRoot = abilities.tasks[task].uid === 0;
  if (call === "link") return isRoot || task === 0 || abilities.linksOfOthers;
  if (WATCH_CALL.test(call)) return abilities.watches;
  if ((call === "readBy" || call === "writeBy") && !abilities.deeds) return false;
  if (call === "copyFile") return abilities.isNode26;
  // each directory above is tried, and each path walked: millions of steps
  if (call === "mkdirs" && typeof args[0] === "string" && args[0].length > LONG_PATH) return args[0].length >= PATH_MAX;
  // process.chdir() takes text, up to where a 0 ends it
  if (call === "chdir" && (typeof args[0] !== "string" || args[0].includes("\0"))) return false;
  const position = args[POSITIONS[call] ?? args.length];
  if (typeof position === "number" && position < 0) return abilities.isNode26;
  // Node keeps the path of the working directory, and only who may always go there can have it look again.
  if (!isRoot && task !== 0 && (call === "cwd" || (call === "realpathJs" && !String(args[0]).startsWith("/"))))
    return false;
  if (call === "chdir" || call === "cwd" || call === "umask") return abilities.hasTaskState;
  if (call === "open" && (Number(args[2]) & O_TMPFILE_BIT) !== 0) return abilities.tmpfile;
  return true;
}

/** Modes of the root with which others than root get anywhere; as it is at first they can make nothing there. */
const ROOT_MODES = [0o777, 0o777, 0o1777, 0o2777, 0o755];

/** A task goes where nothing is any more. */
function removalOfCwd(random: Random, task: number): Call[] {
  const name = pick(random, FEW_NAMES);
  return [
    { task, call: "mkdir", args: [name, 0o777] },
    { task, call: "chdir", args: [name] },
    { task, call: "rmdir", args: [`../${name}`] },
  ];
}

/** A task with a root of its own has its working directory moved out of that. */
function moveOfCwd(random: Random, task: number, root: string): Call[] {
  const name = pick(random, FEW_NAMES);
  return [
    { task, call: "mkdir", args: [`/${name}`, 0o777] },
    { task, call: "chdir", args: [`/${name}`] },
    { task: 0, call: "rename", args: [`/${root}/${name}`, `/${pick(random, FEW_NAMES)}`] },
  ];
}

/** How often a call is drawn again, since it fails as many others have. */
const MOST_DRAWS = 5;
/** What fails when a part of it has been done stays in the program. */
const MADE_IN_PARTS = new Set(["mkdirs", "copyFile"]);

/**
 * @param seen pairs of call and errno that programs before have come to: the program depends on these, too, and adds its own
 * @returns about as many calls as are asked for, the last of which is a checkpoint
 */
export function generate(
  seed: number,
  profile: Profile,
  nrCalls: number,
  abilities: Abilities,
  seen = new SeenPairs(),
): Call[] {
  return withoutStacks(() => new Generator(seed, profile, abilities, seen).draw(nrCalls));
}

/** How often all calls of a kind are equally likely: the seldom ones, too, are to fail in every way. */
const PERCENT_EVEN = 25;

/** Where several have the same files open. */
const LOCKING: ReadonlySet<Profile> = new Set(["data", "mixed"]);

const WATCH_CALL = /^(unwatch|watch|events)$/;

class Generator {
  readonly #random: Random;
  readonly #profile: Profile;
  readonly #abilities: Abilities;
  readonly #seen: SeenPairs;
  readonly #likely: Likely;
  readonly #turn = { task: 0 };
  readonly #turns: readonly number[];
  readonly #drawing: Drawing;
  readonly #locks: LockDrawing | undefined;
  readonly #calls: Call[] = [];

  constructor(seed: number, profile: Profile, abilities: Abilities, seen: SeenPairs) {
    this.#random = seededRandom(seed);
    this.#profile = profile;
    this.#abilities = abilities;
    this.#seen = seen;
    // what is in a root of its own meets the others less
    this.#turns = abilities.tasks.flatMap(({ root }, task) => (root === undefined ? [task, task] : [task]));
    this.#likely = new Likely(abilities.tasks);
    this.#drawing = drawingOf(this.#random, profile, this.#likely, this.#turn);
    if (abilities.locks && LOCKING.has(profile)) this.#locks = new LockDrawing(seed, this.#likely, NR_SLOTS);
  }

  draw(nrCalls: number): Call[] {
    const random = this.#random;
    const checkpoint: Call = { task: 0, call: "tree", args: [] };
    // Who is alone needs no leave; for ZenFS, chmod of a directory is EISDIR, and would hide all the rest.
    const rootMode = pick(random, ROOT_MODES);
    if (this.#abilities.tasks.length > 1) this.#take({ task: 0, call: "chmod", args: ["/", rootMode] });
    for (let nrLocks = 0; this.#calls.length - nrLocks < nrCalls; ) {
      if (!chance(random, PERCENT_SAME_TASK)) this.#turn.task = pick(random, this.#turns);
      this.#takeWanted();
      nrLocks += this.#takeLocks();
      if (this.#profile !== "data" && random(CALLS_A_REMOVAL) === 0) {
        for (const call of this.#lossOfCwd(this.#turn.task)) this.#take(call);
      }
      if (random(CALLS_A_TREE) === 0) this.#calls.push(checkpoint);
    }
    if (this.#abilities.watches) this.#calls.push({ task: 0, call: EVENTS, args: [] });
    return [...this.#calls, checkpoint];
  }

  #lossOfCwd(task: number): Call[] {
    const random = this.#random;
    const { root } = this.#abilities.tasks[task];
    return root !== undefined && chance(random, 50) ? moveOfCwd(random, task, root) : removalOfCwd(random, task);
  }

  /** Draws until a call is done, or fails as few have before. */
  #takeWanted(): void {
    for (let left = MOST_DRAWS; left > 0; left--) if (this.#take(this.#drawCall(), left > 1)) return;
  }

  /** Beside what else is drawn, and not counted with it. @returns how many there are */
  #takeLocks(): number {
    const calls = this.#locks?.draw() ?? [];
    for (const call of calls) this.#likely.make(call);
    this.#calls.push(...calls);
    return calls.length;
  }

  #drawCall(): Call {
    const random = this.#random;
    const { task } = this.#turn;
    const choices = weighted(random, GROUPS[this.#profile]);
    const drawn = chance(random, PERCENT_EVEN) ? pick(random, choices)[1] : weighted(random, choices);
    const isInVain = OF_DESCRIPTORS.test(drawn[0]) && this.#likely.slots(task).length === 0;
    const [call, drawArgs] = isInVain && chance(random, PERCENT_OPEN) ? OPEN : drawn;
    return { task: WATCH_CALL.test(call) ? 0 : task, call, args: drawArgs(this.#drawing) };
  }

  /** @param isChosen leave out what fails as many have @returns whether it is in the program */
  #take(call: Call, isChosen = false): boolean {
    if (!isPossible(call, this.#abilities)) return false;
    const code = this.#likely.make(call);
    if (code === ENDLESS) return false;
    const isOut = isChosen && code !== undefined && !MADE_IN_PARTS.has(call.call);
    if (isOut && !this.#seen.isWanted(this.#random, call.call, code)) return false;
    if (code !== undefined) this.#seen.note(call.call, code);
    this.#calls.push(call);
    return true;
  }
}
