/**
 * Calls by promise and callback, streams and trees: foliofs, memfs, node:fs on tmpfs and node:vfs do the same, turn by turn in one
 * process, which takes the first place by turns. What is told is the median of the rounds' ratios, each within one round, since a busy
 * machine is slow for all of a round. What is made for a row is not measured, nor is what is removed after it.
 *
 * Not measured: processes of their own for each contender, as bench/run.ts has them.
 *
 * Usage: npm run bench:async -- [--rounds N] [--only PART-OF-A-NAME]
 */
import { parseArgs } from "node:util";
import { BARE_ROWS, CALL_ROWS } from "./async/call-rows.ts";
import { type Contender, contenders } from "./async/contender.ts";
import type { Row } from "./async/row.ts";
import { TREE_ROWS } from "./async/tree-rows.ts";

const ROWS: readonly Row[] = [...BARE_ROWS, ...CALL_ROWS, ...TREE_ROWS];

/** @returns ms, of a call where the row counts them; undefined where the contender cannot do it */
async function timeOnce(row: Row, contender: Contender): Promise<number | undefined> {
  const { fs, root } = contender;
  fs.mkdirSync(root, { recursive: true });
  try {
    row.prepare(contender);
    const start = performance.now();
    await row.run(contender);
    return (performance.now() - start) / (row.nrCalls?.(contender) ?? 1);
  } catch (error) {
    if (!/is not a function|not implemented|Not implemented/.test(String(error))) throw error;
    return undefined;
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Times of a contender, round by round; undefined where it cannot do the work. */
type Times = readonly (number | undefined)[];

async function timesOf(row: Row, all: readonly Contender[], nrRounds: number): Promise<Times[]> {
  const times = all.map((): (number | undefined)[] => []);
  if (row.nrCalls) for (const contender of all) await timeOnce(row, contender); // compiled, and in the caches
  for (let round = 0; round < nrRounds; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const index = (round + turn) % all.length;
      times[index].push(await timeOnce(row, all[index]));
    }
  }
  return times;
}

function shownTime(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(2)} µs` : `${ms.toFixed(1)} ms`;
}

function cellOf({ name }: Contender, times: Times, own: Times): string {
  if (times.includes(undefined)) return `${name} –`;
  const ratios = times.map((ms, round) => (ms as number) / (own[round] as number));
  return `${name} ${shownTime(median(times as number[]))} (${median(ratios).toFixed(2)}×)`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "5" }, only: { type: "string", default: "" } },
  });
  const all = await contenders();
  for (const row of ROWS.filter(({ name }) => name.includes(values.only))) {
    const times = await timesOf(row, all, Number(values.rounds));
    console.log(`${row.name.padEnd(46)} ${all.map((one, i) => cellOf(one, times[i], times[0])).join("   ")}`);
  }
}

await main();
