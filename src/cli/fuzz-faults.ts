/** `foliofs fuzz --faults`: allocations that fail, and a store whose power is cut. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  FAULTS_VERSION,
  type FaultFinding,
  type FaultProgress,
  type FaultReplay,
  replayFaults,
  searchFaults,
  showFaults,
  writeFaults,
} from "../fuzz.ts";
import type { FuzzOptions } from "./fuzz-options.ts";
import { interrupted } from "./interrupted.ts";

const EXIT_FOUND = 1;

/** @param subjects each gets its part of calls and time @returns 1 when something was found */
export async function faultCampaign(options: FuzzOptions, subjects: readonly string[]): Promise<number> {
  const { seed, profiles, maxCalls, maxMs, maxFindings, isShared } = options;
  const signal = interrupted();
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
      signal,
      isShared,
      ...(onTerminal && { tell: (now: FaultProgress) => void process.stdout.write(`\r${statusOf(now)}`) }),
    });
    console.log(`${onTerminal ? "\r" : ""}${statusOf(so)}`);
    for (const [i, finding] of so.findings.entries()) {
      show(finding, i, options, subject);
      status = EXIT_FOUND;
    }
  }
  return status;
}

function statusOf({ nrCalls, nrPrograms, nrFaults, ms, pairs, findings }: FaultProgress): string {
  const rate = Math.round((nrCalls / ms) * 1000);
  return `${nrCalls} calls in ${nrPrograms} programs, ${rate} a second, ${nrFaults} faults, ${pairs.size} pairs of call and errno, ${findings.length} findings`;
}

function show(finding: FaultFinding, index: number, { report }: FuzzOptions, subject: string): void {
  const { seed, text, lines, calls } = finding;
  console.log(`\n${index + 1}. Seed ${seed}: ${text}`);
  for (const line of lines) console.log(`  ${line}`);
  if (report === undefined) return;
  const head = { faults: FAULTS_VERSION, subject, about: `seed ${seed}: ${text}`, seed } as const;
  mkdirSync(report, { recursive: true });
  const file = join(report, `faults-${subject}-${seed}-${index + 1}.jsonl`);
  writeFileSync(file, writeFaults({ head, calls }));
  console.log(`    replay:  foliofs fuzz --replay ${file}`);
}

/** @returns 1 when it still shows something */
export async function faultReplay(replay: FaultReplay, isShared: boolean): Promise<number> {
  const { about, subject } = replay.head;
  console.log(about);
  for (const line of showFaults(replay)) console.log(`  ${line}`);
  const problem = await replayFaults(replay, { isShared });
  console.log(problem?.text ?? `${subject} does what it should`);
  return problem === undefined ? 0 : EXIT_FOUND;
}
