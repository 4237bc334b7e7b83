/** `foliofs fsx`: runs on the terminal, and replays. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  FSX_MACHINES,
  FSX_REPLAY_VERSION,
  type FsxFinding,
  type FsxMachine,
  type FsxProgress,
  performFsxOperations,
  readFsxReplay,
  runFsx,
  showFsxOperation,
  tellFsxFinding,
  writeFsxReplay,
} from "../fuzz.ts";
import { type FsxCliOptions, parseFsxOptions } from "./fsx-options.ts";
import { interrupted } from "./interrupted.ts";

const EXIT_FOUND = 1;

/** @returns 1 when something was found @throws UsageError */
export async function fsx(args: readonly string[]): Promise<number> {
  const options = parseFsxOptions(args);
  return options.replay === undefined ? run(options) : replay(options, options.replay);
}

async function run(options: FsxCliOptions): Promise<number> {
  const { on, seed, length } = options;
  const signal = interrupted();
  console.log(`fsx on ${on}, seed ${seed}, files of up to ${length} bytes`);
  const onTerminal = process.stdout.isTTY === true;
  const tell = (so: FsxProgress): void => void process.stdout.write(`\r${statusOf(so)}`);
  const logFd = options.log === undefined ? undefined : openSync(options.log, "w");
  const so = await runFsx({
    ...options,
    makeMachine: () => machineOf(options),
    signal,
    tell: onTerminal ? tell : undefined,
    log:
      logFd === undefined
        ? undefined
        : (operation, i) => void writeSync(logFd, `${i} ${showFsxOperation(operation)}\n`),
  });
  if (logFd !== undefined) closeSync(logFd);
  console.log(`${onTerminal ? "\r" : ""}${statusOf(so)}`);
  for (const [i, finding] of so.findings.entries()) show(finding, i, options);
  return so.findings.length === 0 ? 0 : EXIT_FOUND;
}

function machineOf({ on, length, limit, isShared, folder }: FsxCliOptions): FsxMachine {
  return FSX_MACHINES[on]({ length, limit, isShared, folder });
}

function statusOf({ nrOperations, nrPrograms, ms, nrRefused, findings }: FsxProgress): string {
  const rate = Math.round((nrOperations / ms) * 1000);
  const refused = nrRefused === 0 ? "" : `${nrRefused} refused for want of room, `;
  return `${nrOperations} operations in ${nrPrograms} programs, ${rate} a second, ${refused}${findings.length} findings`;
}

function show(finding: FsxFinding, index: number, { on, length, limit, report }: FsxCliOptions): void {
  console.log(`\n${index + 1}. ${tellFsxFinding(finding).join("\n")}`);
  if (report === undefined) return;
  mkdirSync(report, { recursive: true });
  const file = join(report, `fsx-${on}-${finding.seed}.jsonl`);
  const head = { fsx: FSX_REPLAY_VERSION, on, length, about: `seed ${finding.seed}: ${finding.kind}`, limit } as const;
  writeFileSync(file, writeFsxReplay({ head, operations: finding.operations }));
  console.log(`    replay: foliofs fsx --replay ${file}`);
}

function replay(options: FsxCliOptions, file: string): number {
  const { head, operations } = readFsxReplay(readFileSync(file, "utf8"));
  console.log(`on ${head.on}: ${head.about}`);
  const { finding } = performFsxOperations(() => machineOf({ ...options, ...head }), head.length, operations);
  console.log(finding?.message ?? `all of ${operations.length} operations did what they should`);
  return finding === undefined ? 0 : EXIT_FOUND;
}
