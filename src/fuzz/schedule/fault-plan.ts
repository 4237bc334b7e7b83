/**
 * Which calls of a store fail, by a seed: a call of the same number does so again in the same run.
 *
 * Not those whose failures lose what calls have been told is there (writing back, ends of inodes): what is left then no order of calls says.
 */
import { seededRandom } from "../random.ts";
import type { StoreCall, StoreFault } from "./held-store.ts";

export interface FaultPlan {
  readonly plan?: (call: StoreCall) => StoreFault | undefined;
  /** What has failed so far, as callers are told. */
  readonly codes: ReadonlySet<string>;
  isOn: boolean;
}

const PERCENT = 8;
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

/** @param seed undefined = none fails @param tell hears of each that does */
export function faultPlan(seed: number | undefined, tell: (text: string) => void): FaultPlan {
  const codes = new Set<string>();
  if (seed === undefined) return { codes, isOn: false };
  const plan = ({ nr, operation, ino }: StoreCall): StoreFault | undefined => {
    const random = seededRandom(seed + nr * PRIME);
    if (!faults.isOn || LOSSY.has(operation) || random(100) >= PERCENT) return undefined;
    const [fault, code] = FAULTS[operation === OF_SWAP ? 0 : random(FAULTS.length)];
    codes.add(code);
    tell(`${operation} ${ino} fails: ${code}`);
    return fault;
  };
  const faults = { plan, codes, isOn: false };
  return faults;
}
