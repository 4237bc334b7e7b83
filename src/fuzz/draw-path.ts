/**
 * Paths of programs: few names, so that calls meet, in every form that a path has.
 *
 * In the hostile profile also those at and beyond limits, names that are no UTF-8 and text that is no Unicode.
 */
import type { Arg, Hex } from "./call.ts";
import { chance, pick, type Random, weighted } from "./random.ts";

/** Those of most paths. */
export const NAMES = ["a", "b", "c", "d"];
const NAME_MAX = 255;
const PATH_MAX = 4096;

/** Names with which things go wrong. */
const HOSTILE_NAMES: readonly string[] = [
  "n".repeat(NAME_MAX),
  "n".repeat(NAME_MAX + 1),
  `${"é".repeat(127)}x`, // 255 bytes in 128 characters
  "é".repeat(128),
  "\ud83d\ude00",
  "\ud800", // half of a pair: UTF-8 has none
  "x\udfffy",
  "\u0000",
  "...",
  " ",
  "a\n",
  "\\",
  "",
];
/** Latin1 of names that are no UTF-8. */
const RAW_NAMES = [
  "\xff\xfe",
  "\xc3",
  "a\xed\xa0\x80",
  "\xf8",
  `${"\x80".repeat(NAME_MAX)}`,
  `${"\x80".repeat(NAME_MAX + 1)}`,
];

/** One to three names with what may stand between and after them. */
export function drawPath(random: Random): string {
  const nrNames = weighted(random, [
    [55, 1],
    [30, 2],
    [15, 3],
  ]);
  let path = weighted(random, [
    [80, ""],
    [14, "/"],
    [2, "//"],
    [4, "./"],
  ]);
  for (let left = nrNames; left > 0; left--) {
    path += weighted(random, [
      [88, pick(random, NAMES)],
      [8, ".."],
      [4, "."],
    ]);
    if (left > 1) path += chance(random, 95) ? "/" : "//";
  }
  return (
    path +
    weighted(random, [
      [86, ""],
      [7, "/"],
      [3, "/."],
      [3, "/.."],
      [1, "//"],
    ])
  );
}

function hex(latin1: string): Hex {
  return { hex: Buffer.from(latin1, "latin1").toString("hex") };
}

/** As long as a path may be, and around that. @param size bytes */
function longPath(random: Random, size: number): string {
  const end = drawPath(random);
  const filler = pick(random, ["./", "/", "a/../"]);
  const start = filler.repeat(Math.ceil((size - end.length) / filler.length));
  return start.slice(start.length - (size - end.length)) + end;
}

export function drawHostilePath(random: Random): Arg {
  switch (random(8)) {
    case 0:
      return longPath(random, PATH_MAX + pick(random, [-2, -1, 0, 1]));
    case 1:
      return hex(`${chance(random, 50) ? `${pick(random, NAMES)}/` : ""}${pick(random, RAW_NAMES)}`);
    case 2:
      return `${pick(random, HOSTILE_NAMES)}/${pick(random, NAMES)}`;
    case 3:
      return `${pick(random, NAMES)}/${pick(random, HOSTILE_NAMES)}`;
    case 4:
      return pick(random, ["/", "..", ".", "/..", "/.", "../..", "/../a", "//", "../../../../etc/passwd"]);
    case 5:
      return pick(random, HOSTILE_NAMES);
    default:
      return drawPath(random);
  }
}

/** What symbolic links say. */
export function drawTarget(random: Random): string {
  return weighted(random, [
    [70, drawPath(random)],
    [10, pick(random, NAMES)],
    [10, pick(random, [".", "..", "/", "missing", "../a", "/a", "a/", "b/c"])],
  ]);
}

export function drawHostileTarget(random: Random): Arg {
  const size = pick(random, [PATH_MAX - 2, PATH_MAX - 1, PATH_MAX, 255, 256]);
  return chance(random, 30) ? "t".repeat(size) : drawHostilePath(random);
}
