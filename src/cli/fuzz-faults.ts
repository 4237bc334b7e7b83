/** `foliofs fuzz --faults`: allocations that fail, and a store whose power is cut. */
import { type FaultProgress, searchFaults } from "../fuzz.ts";
import type { FuzzOptions } from "./fuzz-options.ts";

const EXIT_FOUND = 1;

/** @param subjects each gets its part of calls and time @returns 1 when something was found */
export async function faultCampaign(options: FuzzOptions, subjects: readonly string[]): Promise<number> {
  const { seed, profiles, maxCalls, maxMs, maxFindings, isShared } = options;
  let status = 0;
  for (const subject of subjects) {
    console.log(`${subject} with faults, seed ${seed}`);
    const onTerminal = process.stdout.isTTY === true;
    const so = await searchFaults({
      subject,
      seed,
      profiles,
      maxCalls: Math.ceil(maxCalls / subjects.length),
      maxMs: maxMs / subjects.length,
      maxFindings,
      isShared,
      ...(onTerminal && { tell: (now: FaultProgress) => void process.stdout.write(`\r${statusOf(now)}`) }),
    });
    console.log(`${onTerminal ? "\r" : ""}${statusOf(so)}`);
    for (const [i, finding] of so.findings.entries()) {
      console.log(`\n${i + 1}. Seed ${finding.seed}: ${finding.text}`);
      for (const line of finding.lines) console.log(`  ${line}`);
      status = EXIT_FOUND;
    }
  }
  return status;
}

function statusOf({ nrCalls, nrPrograms, nrFaults, ms, pairs, findings }: FaultProgress): string {
  const rate = Math.round((nrCalls / ms) * 1000);
  return `${nrCalls} calls in ${nrPrograms} programs, ${rate} a second, ${nrFaults} faults, ${pairs.size} pairs of call and errno, ${findings.length} findings`;
}
