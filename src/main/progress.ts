/** The progress bar; where standard error is no terminal, a line for each step instead. */
import cliProgress from "cli-progress";

/** Redraws happen this often at most, in entries: timed work must not wait for a terminal. */
const UPDATE_EVERY = 512;

/** Runs one step of `total` entries, showing how far it is. @returns what the step returns */
export type Stage = <T>(label: string, total: number, work: (onEntry: (nrEntries: number) => void) => T) => T;

/** Shows steps as bars on standard error. */
export const barStage: Stage = (label, total, work) => {
  const format = `${label.padEnd(26)} [{bar}] {percentage}% | {value}/{total} | {duration_formatted}`;
  const bar = new cliProgress.SingleBar({ format, hideCursor: true, barsize: 30 }, cliProgress.Presets.legacy);
  bar.start(total, 0);
  try {
    const result = work((nrEntries) => {
      if (nrEntries % UPDATE_EVERY === 0) bar.update(nrEntries);
    });
    bar.update(total);
    return result;
  } finally {
    bar.stop();
  }
};

/** Shows steps as plain lines on standard error. */
export const lineStage: Stage = (label, total, work) => {
  console.error(`${label} (${total} entries)`);
  return work(() => {});
};

/** Shows nothing: for what has been shown once. */
export const quietStage: Stage = (_label, _total, work) => work(() => {});
