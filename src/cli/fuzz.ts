/** `foliofs fuzz`: campaigns on the terminal, and replays. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Call,
  createSubject,
  type Finding,
  MODEL,
  type Progress,
  REPLAY_VERSION,
  readFaults,
  readReplay,
  readSchedule,
  replayOn,
  showCall,
  shownOutcomes,
  writeReplay,
} from "../fuzz.ts";
import { asyncCampaign, asyncReplay } from "./fuzz-async.ts";
import { faultCampaign, faultReplay } from "./fuzz-faults.ts";
import { isJob, runHere, runInThreads, runJob, type Setting, type Watcher } from "./fuzz-jobs.ts";
import { type FuzzOptions, parseFuzzOptions } from "./fuzz-options.ts";
import { tableOf } from "./fuzz-table.ts";
import { interrupted } from "./interrupted.ts";

const EXIT_FOUND = 1;

/** @returns 1 when something was found @throws UsageError */
export async function fuzz(args: readonly string[]): Promise<number> {
  const options = parseFuzzOptions(args);
  if (isJob) return runJob(options);
  if (options.replay !== undefined) return replay(options, options.replay);
  if (options.asyncSubjects !== undefined) return asyncCampaign(options, options.asyncSubjects);
  return options.faultSubjects === undefined ? campaign(args, options) : faultCampaign(options, options.faultSubjects);
}

async function campaign(args: readonly string[], options: FuzzOptions): Promise<number> {
  const { subject, oracle, seed, nrJobs } = options;
  const onTerminal = process.stdout.isTTY === true;
  let setting: Setting | undefined;
  const watcher: Watcher = {
    started: (started) => {
      setting = started;
      const without = started.without.map((what) => `, without ${what}`).join("");
      console.log(`${subject} against ${shownOracle(oracle)}, seed ${seed}, ${started.tasks.length} tasks${without}`);
    },
    ...(onTerminal ? { tell: (so) => void process.stdout.write(`\r${statusOf(so)}`) } : {}),
  };
  const signal = interrupted();
  const so = await (nrJobs === 1 ? runHere(options, watcher, signal) : runInThreads(args, options, watcher, signal));
  console.log(`${onTerminal ? "\r" : ""}${statusOf(so)}`);
  for (const [reason, times] of so.reasons) console.log(`known, ${times} programs: ${reason}`);
  if (options.isTable) console.log(["", ...tableOf(so.findings)].join("\n"));
  else for (const [i, finding] of so.findings.entries()) show(finding, i, options, setting as Setting);
  return so.findings.length === 0 ? 0 : EXIT_FOUND;
}

function shownOracle(oracle: string): string {
  return oracle === MODEL ? "the model" : `the kernel's ${oracle}`;
}

function statusOf({ nrCalls, nrPrograms, ms, pairs, findings }: Progress): string {
  const rate = Math.round((nrCalls / ms) * 1000);
  return `${nrCalls} calls in ${nrPrograms} programs, ${rate} a second, ${pairs.size} pairs of call and errno, ${findings.length} findings`;
}

function show(finding: Finding, index: number, { subject, oracle, report }: FuzzOptions, setting: Setting): void {
  const { program, seed, profile, nrCallsFound, nrSeen } = finding;
  const [theirs, ours] = shownOutcomes(program.difference);
  const about = `seed ${seed}, profile ${profile}: ${shownOracle(oracle)} answers ${theirs}, ${subject} ${ours}`;
  console.log(`\n${index + 1}. Seed ${seed}, profile ${profile}, ${nrCallsFound} calls, seen ${nrSeen} times:`);
  printCalls(program.calls, program.difference.at);
  console.log(`    oracle:  ${theirs}\n    subject: ${ours}`);
  if (report === undefined) return;
  const { tasks, detail } = setting;
  const head = { replay: REPLAY_VERSION, subject, oracle, about, tasks, detail } as const;
  mkdirSync(report, { recursive: true });
  const file = join(report, `${subject}-${seed}-${index + 1}.jsonl`);
  writeFileSync(file, writeReplay({ head, calls: program.calls, outcomes: program.expected }));
  console.log(`    replay:  foliofs fuzz --subject ${subject} --replay ${file}`);
}

/** One a line, with a mark at the one that differs. */
function printCalls(calls: readonly Call[], at: number | undefined): void {
  for (const [i, call] of calls.entries()) console.log(`  ${i === at ? ">" : " "} ${showCall(call)}`);
}

async function replay({ subject: name, limit, isShared }: FuzzOptions, file: string): Promise<number> {
  const text = readFileSync(file, "utf8");
  const schedule = readSchedule(text);
  if (schedule !== undefined) return asyncReplay(schedule, isShared);
  const faults = readFaults(text);
  if (faults !== undefined) return faultReplay(faults, isShared);
  const again = readReplay(text);
  const { tasks, detail, about } = again.head;
  console.log(about);
  const runner = await createSubject(name, { tasks, detail, root: "", limit, isShared });
  const difference = await replayOn(runner, again).finally(() => runner.close());
  printCalls(again.calls, difference?.at);
  if (difference === undefined) {
    console.log(`${name} does the same`);
    return 0;
  }
  const [theirs, ours] = shownOutcomes(difference);
  console.log(`    oracle:  ${theirs}\n    ${name}: ${ours}`);
  return EXIT_FOUND;
}
