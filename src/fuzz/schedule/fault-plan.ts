/**
 * Which calls of a store fail, and which answers never come, by a seed: a call of the same number does so again in the same run.
 *
 * Not those whose failures lose what calls have been told is there (writing back, ends of inodes): what is left then no order of calls says.
 */
import { seededRandom } from "../random.ts";
import type { StoreCall, StoreFault } from "./held-store.ts";

export interface FaultPlan {
  readonly plan?: (call: StoreCall) => StoreFault | undefined;
  /** What has failed so far, as callers are told. */
  readonly codes: ReadonlySet<string>;
  /** @param name of an answer that is held @returns whether it does not come before all else has */
  readonly isMissing: (name: string) => boolean;
  isOn: boolean;
}

/** What goes wrong by a seed. */
const KINDS = ["missing answers", "failures", "both"] as const;
const PERCENT = 8;
const PERCENT_MISSING = 6;
const MOST_MISSING = 2;
/** What is held and is no answer. */
const NO_ANSWER = /^(turn|abort) /;
const LOSSY = new Set(["writePages", "writeInode", "evictInode", "swapOut"]);
/** A swap device fails in one way. */
const OF_SWAP = "swapIn";
const FAULTS: readonly (readonly [StoreFault, string])[] = [
  [-5, "EIO"],
  [-28, "ENOSPC"],
  [-13, "EACCES"],
  ["throw", "EIO"],
];
const PRIME = 7919;

function kindOf(seed: number): (typeof KINDS)[number] {
  return KINDS[seededRandom(seed)(KINDS.length)];
}

/** The first seed from one on by which answers do not come, and nothing fails. */
export function seedOfMissingAnswers(from: number): number {
  let seed = from;
  while (kindOf(seed) !== "missing answers") seed++;
  return seed;
}

/** @param seed undefined = none fails @param tell hears of each that does */
export function faultPlan(seed: number | undefined, tell: (text: string) => void): FaultPlan {
  const codes = new Set<string>();
  if (seed === undefined) return { codes, isOn: false, isMissing: () => false };
  const kind = kindOf(seed);
  const plan = ({ nr, operation, ino }: StoreCall): StoreFault | undefined => {
    const random = seededRandom(seed + nr * PRIME);
    if (!faults.isOn || kind === "missing answers" || LOSSY.has(operation) || random(100) >= PERCENT) return undefined;
    const [fault, code] = FAULTS[operation === OF_SWAP ? 0 : random(FAULTS.length)];
    codes.add(code);
    tell(`${operation} ${ino} fails: ${code}`);
    return fault;
  };
  let nrAnswers = 0;
  let nrMissing = 0;
  const isMissing = (name: string): boolean => {
    if (!faults.isOn || kind === "failures" || nrMissing === MOST_MISSING || NO_ANSWER.test(name)) return false;
    if (seededRandom(seed - ++nrAnswers * PRIME)(100) >= PERCENT_MISSING) return false;
    nrMissing++;
    tell(`${name} is not answered`);
    return true;
  };
  const faults = { plan, codes, isMissing, isOn: false };
  return faults;
}
