/**
 * A host whose clock is set forth and back all the time: what hostfs is told of a file's times goes back as often as forth,
 * and stays the same for as long as the file does.
 */
import type { BigIntStats } from "node:fs";
import { HOST_LATER, HOST_NOW } from "../../src/fs/hostfs/host-steps.ts";

type AnyCall = (...args: unknown[]) => unknown;

/** How long the clock is left alone, and how far it is set at most, in ns. */
const STEADY_NS = 5_000_000n;
const FAR_NS = 500_000_000n;

/** What that clock has shown at a time of the true one. */
function shown(ns: bigint): bigint {
  const which = BigInt.asUintN(64, (ns / STEADY_NS) * 0x9e3779b97f4a7c15n) >> 32n;
  return ns + (which % FAR_NS) - FAR_NS / 2n;
}

function byThatClock(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null) return answer;
  const stats = answer as BigIntStats;
  const [mtimeNs, ctimeNs] = [shown(stats.mtimeNs), shown(stats.ctimeNs)];
  return Object.assign(stats, { mtimeNs, ctimeNs, mtimeMs: mtimeNs / 1_000_000n, ctimeMs: ctimeNs / 1_000_000n });
}

/** @returns what gives the host its own clock again */
export function unsteadyClock(): () => void {
  const itself = [{ ...HOST_NOW }, { ...HOST_LATER }] as const;
  for (const name of ["fstat", "lstat", "stat"] as const) {
    const [now, later] = [HOST_NOW[name] as AnyCall, HOST_LATER[name] as AnyCall];
    HOST_NOW[name] = (...args: unknown[]) => byThatClock(now(...args));
    HOST_LATER[name] = (...args: unknown[]) => {
      const done = args.at(-1) as AnyCall;
      return later(...args.slice(0, -1), (error: unknown, answer: unknown) => done(error, byThatClock(answer)));
    };
  }
  return () => {
    Object.assign(HOST_NOW, itself[0]);
    Object.assign(HOST_LATER, itself[1]);
  };
}
