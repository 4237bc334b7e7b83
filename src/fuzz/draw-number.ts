/** Numbers of programs: offsets and lengths around the edges of pages and folios, flags in all combinations, modes, times. */
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from "../base/stat-flags.ts";
import { chance, pick, type Random, weighted } from "./random.ts";

const PAGE = 4096;

/** Where more than one thing of a page cache begins or ends: folios of several orders, nodes of the index. */
const EDGES = [PAGE, 2 * PAGE, 4 * PAGE, 16 * PAGE, 64 * PAGE];
/** Edges of what numbers can say; files are no longer than 2^44 bytes. */
const FAR = [2 ** 31, 2 ** 32, 2 ** 40];
const BEYOND = [2 ** 44, 2 ** 53 - 1, -1, -PAGE];

function near(random: Random, edge: number): number {
  return Math.max(0, edge + pick(random, [-3, -1, 0, 0, 1, 3, 100]));
}

export function drawOffset(random: Random): number {
  return weighted(random, [
    [50, near(random, random(20) * PAGE)],
    [20, near(random, pick(random, EDGES))],
    [20, random(70_000)],
    [10, pick(random, FAR) + near(random, random(3) * PAGE)],
  ]);
}

export function drawHostileOffset(random: Random): number {
  return chance(random, 60) ? pick(random, BEYOND) : drawOffset(random);
}

export function drawLength(random: Random): number {
  return weighted(random, [
    [30, random(300)],
    [40, near(random, random(8) * PAGE)],
    [20, near(random, pick(random, EDGES))],
    [10, random(150_000)],
  ]);
}

/** null = at the file's own position. */
export function drawPosition(random: Random): number | null {
  return chance(random, 40) ? null : drawOffset(random);
}

export function drawMode(random: Random): number {
  return pick(
    random,
    [
      0, 0o777, 0o755, 0o700, 0o644, 0o666, 0o600, 0o500, 0o300, 0o111, 0o444, 0o222, 0o070, 0o007, 0o4755, 0o2777,
      0o2775, 0o2644, 0o1777, 0o6711, 0o7777,
    ],
  );
}

/** None of 2^31 to 2^32 - 1: Node 20 takes these, and ends its process by a failed assertion. */
export function drawHostileMode(random: Random): number {
  return chance(random, 30) ? pick(random, [-1, 2 ** 32, 0o100644, 0o10000, 1.5]) : drawMode(random);
}

export function drawTime(random: Random): number {
  return pick(random, [0, 1, 1e9, 2e9, 2 ** 31, 4e9, 1_234_567.5, 1e9 + 0.25, -1, -1.5, 2 ** 33]);
}

export function drawId(random: Random): number {
  return pick(random, [-1, 0, 1000, 1001, 50]);
}

const ACCESS = [O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_ACCMODE];
const EXTRA = [
  O_CREAT,
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_APPEND,
  O_NOFOLLOW,
  O_DIRECTORY,
  O_NOATIME,
  O_NONBLOCK,
  O_DSYNC,
  O_SYNC,
];
const RARE = [O_PATH, O_TMPFILE];

/** Any flags with any others. */
export function drawFlags(random: Random): number {
  let flags = pick(random, ACCESS);
  for (let left = random(4); left > 0; left--) flags |= pick(random, EXTRA);
  return chance(random, 10) ? flags | pick(random, RARE) : flags;
}

/** Flags by which there is most likely something to read and write. */
export function drawDataFlags(random: Random): number {
  return pick(random, [
    O_RDWR | O_CREAT,
    O_RDWR | O_CREAT,
    O_RDWR | O_CREAT | O_APPEND,
    O_RDWR | O_TRUNC,
    O_WRONLY | O_CREAT,
    O_RDONLY,
  ]);
}
