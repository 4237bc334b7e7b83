/**
 * Who is to be told of what could not be written back, as a sequential machine (../schedule/linearize.ts): each open file once, by what
 * syncs it; a file that is opened later only of what nobody had been told; of several failures the last. The file system has the same
 * for itself, which syncfs tells.
 *
 * @see Linux Documentation/filesystems/vfs.rst, "Handling errors during writeback"
 */
import type { Spec, Stage } from "../schedule/linearize.ts";

/** What has failed last. */
interface LastError {
  /** How many have failed so far; 0 = none. */
  readonly nr: number;
  readonly code: string;
  readonly isTold: boolean;
}

interface OpenFile {
  readonly file: number;
  /** Failures up to this one are no business of it, or it has been told. */
  readonly since: number;
  /** Those of the file system. */
  readonly sinceAll: number;
}

export interface ToldState {
  /** By number of the file. */
  readonly files: readonly LastError[];
  readonly all: LastError;
  /** By name of the descriptor. */
  readonly open: Readonly<Record<string, OpenFile>>;
}

/** A call that may be EAGAIN has told nothing then. */
export type ToldCall = { readonly mayEagain?: boolean } & (
  | { readonly what: "fail"; readonly file: number; readonly code: string }
  | { readonly what: "open"; readonly slot: string; readonly file: number }
  | { readonly what: "close"; readonly slot: string }
  /** Tells what has failed of a file; `met` is what has failed meanwhile, of which it may tell in the place of what was last. */
  | { readonly what: "sync file"; readonly slot: string; readonly met: ReadonlySet<string> }
  /** What has failed of a file system. */
  | { readonly what: "sync all"; readonly slot: string }
);

export const DONE = "ok";

/** What opens now is told of what nobody has been told. */
function sampleOf({ isTold, nr }: LastError): number {
  return isTold ? nr : 0;
}

function failed({ nr }: LastError, code: string): LastError {
  return { nr: nr + 1, code, isTold: false };
}

function withOpen(state: ToldState, slot: string, file: OpenFile | undefined): ToldState {
  const others = Object.entries(state.open).filter(([name]) => name !== slot);
  const entries = file === undefined ? others : [...others, [slot, file] as const];
  return { ...state, open: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function* toldOfFile(state: ToldState, slot: string, met: ReadonlySet<string>): Generator<readonly [ToldState, Stage]> {
  const opened = state.open[slot];
  const last = state.files[opened.file];
  if (last.nr === opened.since) {
    yield [state, { answer: DONE }];
    return;
  }
  const files = state.files.with(opened.file, { ...last, isTold: true });
  const next = withOpen({ ...state, files }, slot, { ...opened, since: last.nr });
  for (const answer of new Set([last.code, ...met])) yield [next, { answer }];
}

function toldOfAll(state: ToldState, slot: string): readonly [ToldState, Stage] {
  const opened = state.open[slot];
  const { all } = state;
  if (all.nr === opened.sinceAll) return [state, { answer: DONE }];
  const next = withOpen({ ...state, all: { ...all, isTold: true } }, slot, { ...opened, sinceAll: all.nr });
  return [next, { answer: all.code }];
}

function* steps(state: ToldState, _id: number, call: ToldCall): Generator<readonly [ToldState, Stage]> {
  if (call.mayEagain) yield [state, { answer: "EAGAIN" }];
  switch (call.what) {
    case "fail": {
      const files = state.files.with(call.file, failed(state.files[call.file], call.code));
      yield [{ ...state, files, all: failed(state.all, call.code) }, { answer: DONE }];
      break;
    }
    case "open": {
      const opened = { file: call.file, since: sampleOf(state.files[call.file]), sinceAll: sampleOf(state.all) };
      yield [withOpen(state, call.slot, opened), { answer: DONE }];
      break;
    }
    case "close":
      yield [withOpen(state, call.slot, undefined), { answer: DONE }];
      break;
    case "sync file":
      yield* toldOfFile(state, call.slot, call.met);
      break;
    case "sync all":
      yield toldOfAll(state, call.slot);
  }
}

const NOTHING: LastError = { nr: 0, code: DONE, isTold: true };

/** @param nrFiles none of which is open */
export function toldErrors(nrFiles: number): Spec<ToldState, ToldCall, Stage> {
  return {
    initial: { files: Array.from({ length: nrFiles }, () => NOTHING), all: NOTHING, open: {} },
    begin: () => ({}),
    steps,
    stop: (state) => state,
  };
}
