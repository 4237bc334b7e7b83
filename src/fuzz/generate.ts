/** Programs by a seed. */
import type { Arg, Call } from "./call.ts";
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
import { drawHostilePath, drawHostileTarget, drawPath, drawTarget } from "./draw-path.ts";
import { NR_PATTERNS } from "./pattern.ts";
import { chance, pick, type Random, seededRandom, type Weighted, weighted } from "./random.ts";

export const PROFILES = ["data", "names", "permissions", "mixed", "hostile"] as const;
export type Profile = (typeof PROFILES)[number];

/** What subject and oracle can both be asked for. */
export interface Abilities {
  /** How many tasks there are; the first is root, or the only one. */
  readonly nrTasks: number;
  /** Hard links to files of others, which a setting of the host may forbid (fs.protected_hardlinks). */
  readonly linksOfOthers: boolean;
  /** chdir, umask and cwd. */
  readonly hasTaskState: boolean;
  /** What older versions of Node do in other ways: they make copyFile of other system calls, and read and write of other checks. */
  readonly isNode26: boolean;
  /** Whether there is O_TMPFILE. */
  readonly tmpfile: boolean;
}

const NR_SLOTS = 4;
/** A checkpoint comes after so many calls, about. */
const CALLS_A_TREE = 60;
/** A task goes on in so many of 100 cases: each change of tasks is a turn between two processes. */
const PERCENT_SAME_TASK = 88;

/** How arguments are drawn. */
interface Drawing {
  readonly random: Random;
  path(): Arg;
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

const slot = ({ random }: Drawing): number => random(NR_SLOTS);
const seed = ({ random }: Drawing): number => random(NR_PATTERNS);

/** Reads and writes by descriptors. */
const DATA = choicesOf([
  [5, "open", (d) => [d.path(), slot(d), d.flags(), d.mode()]],
  [2, "close", (d) => [slot(d)]],
  [4, "read", (d) => [slot(d), drawLength(d.random), d.position()]],
  [2, "readv", (d) => [slot(d), drawLength(d.random), drawLength(d.random), d.position()]],
  [6, "write", (d) => [slot(d), drawLength(d.random), seed(d), d.position()]],
  [2, "writev", (d) => [slot(d), drawLength(d.random), drawLength(d.random), seed(d), d.position()]],
  [3, "ftruncate", (d) => [slot(d), d.offset()]],
  [2, "fstat", (d) => [slot(d)]],
  [1, "readFd", (d) => [slot(d)]],
  [1, "fsync", (d) => [slot(d)]],
  [1, "fdatasync", (d) => [slot(d)]],
  [1, "truncate", (d) => [d.path(), d.offset()]],
  [1, "writeFile", (d) => [d.path(), drawLength(d.random), seed(d)]],
  [1, "appendFile", (d) => [d.path(), drawLength(d.random), seed(d)]],
  [1, "readFile", (d) => [d.path()]],
]);

/** What makes, moves and removes names, and shows them. */
const NAMES = choicesOf([
  [5, "mkdir", (d) => [d.path(), d.mode()]],
  [1, "mkdirs", (d) => [d.path(), d.mode()]],
  [4, "writeFile", (d) => [d.path(), d.random(50), seed(d)]],
  [4, "symlink", (d) => [d.path(), d.target()]],
  [4, "link", (d) => [d.path(), d.path()]],
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
  [2, "open", (d) => [d.path(), slot(d), d.flags(), d.mode()]],
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

const GROUPS: Readonly<Record<Profile, Weighted<Weighted<Choice>>>> = {
  data: [
    [90, DATA],
    [8, NAMES],
    [2, ATTRIBUTES],
  ],
  names: [
    [15, DATA],
    [75, NAMES],
    [5, ATTRIBUTES],
    [5, TASK_STATE],
  ],
  permissions: [
    [10, DATA],
    [45, NAMES],
    [38, ATTRIBUTES],
    [7, TASK_STATE],
  ],
  mixed: [
    [35, DATA],
    [40, NAMES],
    [18, ATTRIBUTES],
    [7, TASK_STATE],
  ],
  hostile: [
    [35, DATA],
    [45, NAMES],
    [15, ATTRIBUTES],
    [5, TASK_STATE],
  ],
};

/** Files that data programs work on: two, so that descriptors meet. */
const DATA_FILES = ["a", "b", "a", "b", "c"];
const PERCENT_HOSTILE = 35;

function drawingOf(random: Random, profile: Profile): Drawing {
  const isHostile = (): boolean => profile === "hostile" && chance(random, PERCENT_HOSTILE);
  const isData = profile === "data";
  return {
    random,
    path: () => {
      if (isHostile()) return drawHostilePath(random);
      return isData && chance(random, 95) ? pick(random, DATA_FILES) : drawPath(random);
    },
    target: () => (isHostile() ? drawHostileTarget(random) : drawTarget(random)),
    offset: () => (isHostile() ? drawHostileOffset(random) : drawOffset(random)),
    position: () => (isHostile() ? drawHostileOffset(random) : drawPosition(random)),
    mode: () => (isHostile() ? drawHostileMode(random) : drawMode(random)),
    flags: () => (isData || chance(random, 30) ? drawDataFlags(random) : drawFlags(random)),
  };
}

const O_TMPFILE_BIT = 0o20000000;

function isPossible({ task, call, args }: Call, abilities: Abilities): boolean {
  if (call === "link") return task === 0 || abilities.linksOfOthers;
  if (call === "copyFile") return abilities.isNode26;
  // process.chdir() takes text, up to where a 0 ends it
  if (call === "chdir" && (typeof args[0] !== "string" || args[0].includes("\0"))) return false;
  if (/^(readv?|writev?)$/.test(call) && Number(args.at(-1)) < 0) return abilities.isNode26;
  // Node keeps the path of the working directory, and only who may always go there can have it look again.
  if (task !== 0 && (call === "cwd" || (call === "realpathJs" && !String(args[0]).startsWith("/")))) return false;
  if (call === "chdir" || call === "cwd" || call === "umask") return abilities.hasTaskState;
  if (call === "open" && (Number(args[2]) & O_TMPFILE_BIT) !== 0) return abilities.tmpfile;
  return true;
}

/** @returns about as many calls as are asked for, the last of which is a checkpoint */
export function generate(seedOfAll: number, profile: Profile, nrCalls: number, abilities: Abilities): Call[] {
  const random = seededRandom(seedOfAll);
  const drawing = drawingOf(random, profile);
  const calls: Call[] = [];
  const checkpoint: Call = { task: 0, call: "tree", args: [] };
  let task = 0;
  while (calls.length < nrCalls) {
    if (!chance(random, PERCENT_SAME_TASK)) task = random(abilities.nrTasks);
    const [name, draw] = weighted(random, weighted(random, GROUPS[profile]));
    const call = { task, call: name, args: draw(drawing) };
    if (isPossible(call, abilities)) calls.push(call);
    if (random(CALLS_A_TREE) === 0) calls.push(checkpoint);
  }
  return [...calls, checkpoint];
}
