/** Programs of chains by a seed: few files, few names, short chains, so that calls meet. */
import type { Arg } from "../call.ts";
import { chance, pick, type Random, type Weighted, weighted } from "../random.ts";
import { type AsyncCall, type Form, NR_SLOTS, SHARED_SLOT } from "./async-call.ts";
import { O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY } from "./model.ts";

export interface AsyncProgram {
  readonly calls: readonly AsyncCall[];
  readonly nrChains: number;
}

const PATHS = ["a", "a", "b", "b", "s", "t", "s/a", "s/b", "t/a"];
/** Every path that a program may name. */
export const ALL_PATHS: readonly string[] = [...new Set(PATHS)].sort();
const FLAGS = [0, O_RDWR, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL];
const CUTTING_FLAGS = [O_RDWR | O_CREAT | O_TRUNC, O_WRONLY | O_TRUNC, O_WRONLY | O_CREAT | O_APPEND];
const MODES = [0o600, 0o640, 0o711];
const MAX_CELLS = 6;
const MAX_POSITION = 8;
const FIRST_CHARACTER = 0x63;
const NR_CHARACTERS = 24;

interface Drawing {
  readonly random: Random;
  readonly paths: readonly string[];
  /** A character that no other call writes, for as long as there are some. */
  fresh(): string;
}

type Draw = (from: Drawing) => readonly Arg[];

const path = ({ random, paths }: Drawing): string => pick(random, paths);
const slot = ({ random }: Drawing): Arg => (chance(random, 40) ? SHARED_SLOT : random(NR_SLOTS));
const length = ({ random }: Drawing): number => 1 + random(MAX_CELLS);
const size = ({ random }: Drawing): number => random(MAX_POSITION);
const position = ({ random }: Drawing): number | null => (chance(random, 40) ? null : random(MAX_POSITION));
const one: Draw = (from) => [path(from)];
const two: Draw = (from) => [path(from), path(from)];

const NAMES: Weighted<readonly [string, Draw]> = [
  [6, ["rename", two]],
  [3, ["link", two]],
  [4, ["unlink", one]],
  [2, ["mkdir", one]],
  [2, ["rmdir", one]],
  [3, ["readdir", ({ random }) => [pick(random, ["", "s", "t"])]]],
  [4, ["stat", one]],
  [2, ["chmod", (from) => [path(from), pick(from.random, MODES)]]],
];
const DATA: Weighted<readonly [string, Draw]> = [
  [4, ["read", (from) => [slot(from), position(from), length(from)]]],
  [6, ["write", (from) => [slot(from), position(from), length(from), from.fresh()]]],
  [2, ["ftruncate", (from) => [slot(from), size(from)]]],
  [2, ["fsync", (from) => [slot(from)]]],
  [1, ["fdatasync", (from) => [slot(from)]]],
  [1, ["fstat", (from) => [slot(from)]]],
  [1, ["fchmod", (from) => [slot(from), pick(from.random, MODES)]]],
  [1, ["close", ({ random }) => [random(NR_SLOTS)]]],
];
const OPENS: Weighted<readonly [string, Draw]> = [
  [3, ["open", (from) => [path(from), from.random(NR_SLOTS), pick(from.random, FLAGS)]]],
  [1, ["open", (from) => [path(from), from.random(NR_SLOTS), pick(from.random, CUTTING_FLAGS)]]],
];
const WHOLE: Weighted<readonly [string, Draw]> = [
  [4, ["readFile", one]],
  [4, ["writeFile", (from) => [path(from), length(from), from.fresh()]]],
  [3, ["appendFile", (from) => [path(from), length(from), from.fresh()]]],
  [2, ["truncate", (from) => [path(from), size(from)]]],
  [1, ["abortRead", one]],
  [2, ["abortWrite", (from) => [path(from), length(from), from.fresh()]]],
];
const REST: Weighted<readonly [string, Draw]> = [
  [2, ["sync", () => []]],
  [2, ["drop", () => []]],
  [2, ["press", () => []]],
];

/** Of what calls a program is made: one of these for each. */
const MIXES: readonly Weighted<Weighted<readonly [string, Draw]>>[] = [
  [[1, NAMES]],
  [
    [5, DATA],
    [2, OPENS],
    [1, REST],
  ],
  [
    [4, WHOLE],
    [2, NAMES],
  ],
  [
    [3, NAMES],
    [4, DATA],
    [2, OPENS],
    [3, WHOLE],
    [2, REST],
  ],
];

/** What of 100 calls are synchronous, in a program. */
const PERCENTS_SYNC = [0, 0, 20, 50];
const MIN_CHAINS = 2;
const MAX_CHAINS = 4;
const MAX_CALLS = 12;

export function drawAsync(random: Random): AsyncProgram {
  const nrChains = MIN_CHAINS + random(MAX_CHAINS - MIN_CHAINS + 1);
  const nrCalls = nrChains + random(MAX_CALLS - nrChains + 1);
  const mix = pick(random, MIXES);
  const percentSync = pick(random, PERCENTS_SYNC);
  const paths = Array.from({ length: 2 + random(3) }, () => pick(random, PATHS));
  let nrFresh = 0;
  const from: Drawing = {
    random,
    paths,
    fresh: () => String.fromCharCode(FIRST_CHARACTER + (nrFresh++ % NR_CHARACTERS)),
  };
  const calls = Array.from({ length: nrCalls }, (_, i): AsyncCall => {
    const [call, draw] = weighted(random, weighted(random, mix));
    const task = i < nrChains ? i : random(nrChains);
    return { task, call, args: draw(from), form: drawForm(random, percentSync) };
  });
  return { calls, nrChains };
}

function drawForm(random: Random, percentSync: number): Form {
  if (chance(random, percentSync)) return "sync";
  return random(2) === 0 ? "promise" : "callback";
}

/** How a program's schedule is drawn: in some all chains begin before anything is answered. */
const PERCENTS_TURNS = [0, 0, 60, 95];

export function drawChoices(random: Random): (names: readonly string[]) => number {
  const percentTurns = pick(random, PERCENTS_TURNS);
  return (names) => {
    const turns = names.flatMap((name, i) => (name.startsWith("turn ") ? [i] : []));
    if (turns.length > 0 && chance(random, percentTurns)) return pick(random, turns);
    return random(names.length);
  };
}
