/** `foliofs fuzz --profile async`: calls under way at the same time, in orders by a seed. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ASYNC_MACHINES,
  type AsyncCall,
  type AsyncProgress,
  type AsyncShown,
  replaySchedule,
  SCHEDULE_VERSION,
  type ScheduleReplay,
  searchAsync,
  showAsyncCall,
  writeSchedule,
} from "../fuzz.ts";
import type { FuzzOptions } from "./fuzz-options.ts";
import { interrupted } from "./interrupted.ts";

const EXIT_FOUND = 1;

/** @param subjects each gets its part of calls and time @returns 1 when something was found */
export async function asyncCampaign(options: FuzzOptions, subjects: readonly string[]): Promise<number> {
  const signal = interrupted();
  let status = 0;
  for (const subject of subjects) status = Math.max(status, await searchOn(options, subject, subjects.length, signal));
  return status;
}

async function searchOn(
  options: FuzzOptions,
  subject: string,
  nrSubjects: number,
  signal: AbortSignal,
): Promise<number> {
  const { seed, maxCalls, maxMs, maxFindings, isShared, hasFaults } = options;
  console.log(`${subject}, calls under way at the same time${hasFaults ? ", with faults" : ""}, seed ${seed}`);
  const onTerminal = process.stdout.isTTY === true;
  const so = await searchAsync({
    seed,
    maxCalls: Math.ceil(maxCalls / nrSubjects),
    maxMs: maxMs / nrSubjects,
    maxFindings,
    signal,
    isShared,
    hasFaults,
    make: ASYNC_MACHINES[subject],
    ...(onTerminal && { tell: (now: AsyncProgress) => void process.stdout.write(`\r${statusOf(now)}`) }),
  });
  console.log(`${onTerminal ? "\r" : ""}${statusOf(so)}`);
  for (const [i, finding] of so.findings.entries()) show(finding, i, options, subject);
  return so.findings.length === 0 ? 0 : EXIT_FOUND;
}

function statusOf({ nrCalls, nrPrograms, nrHeld, ms, pairs, findings }: AsyncProgress): string {
  const rate = Math.round((nrCalls / ms) * 1000);
  return `${nrCalls} calls in ${nrPrograms} programs, ${rate} a second, ${nrHeld} waits, ${pairs.size} pairs of call and errno, ${findings.length} findings`;
}

function show(finding: AsyncShown, index: number, { report }: FuzzOptions, subject: string): void {
  const { seed, faultSeed, kind, text, calls, choices, history, nrCallsFound } = finding;
  console.log(`\n${index + 1}. Seed ${seed}, ${nrCallsFound} calls: ${kind}: ${text}`);
  printCalls(calls);
  for (const line of history) console.log(`    ${line}`);
  if (report === undefined) return;
  mkdirSync(report, { recursive: true });
  const file = join(report, `async-${subject}-${seed}-${index + 1}.jsonl`);
  const head = {
    schedule: SCHEDULE_VERSION,
    subject,
    about: `seed ${seed}: ${kind}: ${text}`,
    choices,
    faultSeed,
  } as const;
  writeFileSync(file, writeSchedule({ head, calls }));
  console.log(`    replay:  foliofs fuzz --replay ${file}`);
}

function printCalls(calls: readonly AsyncCall[]): void {
  for (const call of calls) console.log(`  ${showAsyncCall(call)}`);
}

/** @returns 1 when it still shows something */
export async function asyncReplay(replay: ScheduleReplay, isShared: boolean): Promise<number> {
  console.log(replay.head.about);
  printCalls(replay.calls);
  const { finding, history } = await replaySchedule(replay, isShared);
  for (const line of history) console.log(`    ${line}`);
  console.log(
    finding === undefined ? `${replay.head.subject} does what it should` : `${finding.kind}: ${finding.text}`,
  );
  return finding === undefined ? 0 : EXIT_FOUND;
}
