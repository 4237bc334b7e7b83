/**
 * What differs between Node 26, which foliofs follows everywhere, and the older Nodes that it runs on.
 *
 * `node-26.jsonl` holds, for each case whose outcome on Node 20 is another, what Node 26 gives there: one line
 * `[[id...], { path in the outcome: value }]` for all cases that differ in the same way. It is recorded from node:fs
 * itself by `record.ts`. On an older Node the expected outcome of such a case is the old oracle's with these values put
 * in; that of a case in which older Nodes are not asked is the whole of what Node 26 gives. The list of reasons below
 * must explain every case of that file, and hold no reason that explains none.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { ABSENT } from "./compare.ts";
import type { Described } from "./describe.ts";

const FOLLOWED_MAJOR = 26;
const GOLDEN = new URL("./node-26.jsonl", import.meta.url);

/** Values by their place in an outcome; ABSENT where Node 26 has none. */
export type Patch = Readonly<Record<string, Described>>;

export interface VersionReason {
  readonly cases: RegExp;
  readonly reason: string;
}

export const VERSION_REASONS: readonly VersionReason[] = [
  { cases: /URL %2F|URL host/, reason: "errors about file URLs carry the URL as `input`" },
  {
    cases: /^[fl]?stat (promise|handle|callback): .*signal/,
    reason: "a signal is an option of the asynchronous forms, which check it and end when it is aborted",
  },
  { cases: /^f?l?stat (promise|handle|callback)/, reason: "options are checked in the asynchronous forms, too" },
  { cases: /^stat (promise|callback).*throwIfNoEntry/, reason: "throwIfNoEntry counts in the asynchronous forms, too" },
  { cases: /^stat sync: file.under, .*throwIfNoEntry: false/, reason: "ENOTDIR counts as no entry" },
  {
    cases: /^(write|append)File \w+: .*mode: (-1|'x')/,
    reason: "the mode is checked before flags and signals, and also where nothing is to be opened",
  },
  { cases: /^(write|append|read)File .*signal/, reason: "an AbortError carries its cause" },
  {
    cases: /^readFile promise: missing, \{encoding: 'buffer',flag: 'a\+'\}/,
    reason: "an encoding is not looked up where there is nothing to read",
  },
  { cases: /^readFile (callback|promise)/, reason: "errors of the read name the file" },
  { cases: /^readFile .*(Buffer|Array)/, reason: "a view of memory is no longer taken for options" },
  { cases: /^(stat|symlink|rename) .*: path view: follows its memory/, reason: "a path's memory may be resizable" },
  { cases: /^readFile (sync|handle): into view/, reason: "options.buffer is new" },
  {
    cases: /^(write|append)File (callback|promise): (by path, of view|view that )/,
    reason: "small data is written in one round trip, which asks no view what it says of its length",
  },
  {
    cases: /^copyFile/,
    reason: "libuv truncates after opening, and gives the copy the source's times before the data",
  },
  { cases: /^(program: )?mkdtempDisposable/, reason: "a function that Node 20 lacks" },
  { cases: /^mkdtemp .*empty/, reason: "an empty prefix is one; Node 20 forgets the first X of six" },
  { cases: /^symlink .*(argument 2|of type|no arguments)/, reason: "the type is checked on all platforms" },
  { cases: /^mkdir .*mode/, reason: "a wrong mode is called options.mode" },
  { cases: /^rmdir .*(recursive|Retries|retry)/, reason: "rmdir takes no options any more, and refuses recursive" },
  { cases: /^rmdir .*(argument 1|emptydir|dir|missing|file), /, reason: "rmdir takes no options any more" },
  { cases: /^rm sync: .*/, reason: "rmSync is written in C++, over std::filesystem" },
  { cases: /^readlink/, reason: "a wrong path is called path, not oldPath" },
  {
    cases: /^(read|write)v? (sync|handle|callback): (bad descriptor|no arguments)/,
    reason: "descriptors are checked in C++",
  },
  { cases: /^read (sync|handle|callback):/, reason: "positions and lengths are checked alike in all forms" },
  {
    cases:
      /^(append|write)File sync: (argument 0 is -1|of .* to descriptor -)|^(read|write)v? sync: of .* descriptor -/,
    reason: "descriptors are checked in C++",
  },
  { cases: /^program: FileHandle, whole files .* after close/, reason: "descriptors are checked in C++" },
  {
    cases: /^program: (in a removed directory, )?(readdir|opendir) /,
    reason: "recursive listings are walked in C++, by the paths that the kernel sees, and give whole paths encoded",
  },
  { cases: /^program: readdir( with types)?,/, reason: "recursive listings are walked in C++" },
  { cases: /^program: (in a removed directory, rm |rmSync)/, reason: "rmSync is written in C++, over std::filesystem" },
  { cases: /^program: copyFile /, reason: "libuv gives the copy the source's times, owner and group" },
  { cases: /^program: in a removed directory, stat .*throwIfNoEntry/, reason: "throwIfNoEntry counts in all forms" },
  { cases: /^program: in a removed directory, readFile /, reason: "errors of the read name the file" },
  {
    cases: /^program: in a removed directory, (realpath|mkdtempDisposable) /,
    reason: "the error of process.cwd() says that the directory may have been removed; mkdtempDisposable is new",
  },
  {
    cases: /^program: in a removed directory, mkdir .*recursive/,
    reason: "an older Node tries for ever to make parents in a directory that has been removed",
  },
  {
    cases: /^(f|l)?utimes .*(Date|NaN)/,
    reason: "an invalid Date means no change, and times are rounded to the nearest microsecond",
  },
  { cases: /^truncate/, reason: "truncate takes no descriptor any more" },
  { cases: /^readdir .*recursive/, reason: "the recursive forms are asynchronous, and walk breadth first" },
  { cases: /^(write|append)File .*generator/, reason: "util.inspect shows generators by another name" },
  { cases: /^program: a Stats object/, reason: "the dates of Stats are getters of the prototype, no own properties" },
  {
    cases: /^program: aborted /,
    reason: "an AbortError carries its cause; up to 512 KiB are written in one step, after which an abort still counts",
  },
  {
    cases: /^opendir \w+: dir, \{bufferSize: 1,recursive: true\}/,
    reason: "directories below are read to their end, where Node 20 reads one buffer of each",
  },
  { cases: /^rm (callback|promise): .*force: 1/, reason: "options are checked in another order" },
  { cases: /^promisified cp/, reason: "libuv gives the copy the source's times" },
  { cases: /^openAsBlobSync/, reason: "a function that older Nodes lack" },
  { cases: /^openAsBlob of /, reason: "what cannot be opened fails by the error of the system, with its path" },
  { cases: /^openAsBlob options /, reason: "a type that is no text is refused, 0 and null included" },
  {
    cases: /^handle readableWebStream/,
    reason: "the stream is always one of bytes, and may close its handle; its options are checked",
  },
  { cases: /^Dir of .*dispose/i, reason: "a Dir can be disposed of" },
  { cases: /^Dir of .*read, not waited for/, reason: "read without a callback rejects where it threw" },
];

/**
 * Cases in which the oracle of an older Node is never asked: there some of them end the process, by a failed assertion or
 * an exception that nobody can catch, some never come to an end, and some Node 20 does in one way and those between it
 * and 26 in another.
 */
const NOT_ASKED_BEFORE_26: readonly RegExp[] = [
  /^read handle: (argument 3 is |offset \S+ length 1\.5 )/,
  /^program: (readdir \{"encoding":"ucs2"|in a removed directory, mkdir \[.*recursive)/,
  /^readdir \w+: .*(encoding: 'buffer'.*recursive: true|recursive: true.*encoding: 'buffer')/,
  /^program: (in a removed directory, )?(readdir|opendir) .*"?recursive"?:/,
  /^handle readableWebStream/,
];

const major = Number(process.versions.node.split(".")[0]);

export function isFollowedVersion(): boolean {
  return major >= FOLLOWED_MAJOR;
}

/** Whether the oracle of this process may be asked. */
export function isSafeToAsk(id: string): boolean {
  return isFollowedVersion() || !NOT_ASKED_BEFORE_26.some((cases) => cases.test(id));
}

export function readGolden(): Map<string, Patch> {
  const lines = readFileSync(GOLDEN, "utf8").split("\n").filter(Boolean);
  const groups = lines.map((line) => JSON.parse(line) as [string[], Patch]);
  return new Map(groups.flatMap(([ids, patch]) => ids.map((id) => [id, patch] as const)));
}

/** The inverse of readGolden: cases with equal patches share a line. */
export function writeGolden(golden: ReadonlyMap<string, Patch>): void {
  const idsByPatch = new Map<string, string[]>();
  for (const [id, patch] of golden) {
    const text = JSON.stringify(patch);
    idsByPatch.set(text, [...(idsByPatch.get(text) ?? []), id]);
  }
  const lines = [...idsByPatch].map(([patch, ids]) => `[${JSON.stringify(ids)},${patch}]\n`);
  writeFileSync(GOLDEN, lines.join(""));
}

type Branch = Record<string, Described>;

function patchOne(outcome: Branch, at: string, value: Described): void {
  const keys = at.split(".");
  const last = keys.pop() as string;
  const owner = keys.reduce<Branch>((branch, key) => branch[key] as Branch, outcome);
  if (value !== ABSENT) owner[last] = value;
  else if (Array.isArray(owner)) owner.length = Math.min(owner.length, Number(last));
  else delete owner[last];
}

/** @returns the outcome with Node 26's values put in; `outcome` stays as it is */
export function withPatch(outcome: Described, patch: Patch): Described {
  const whole: Branch = { whole: structuredClone(outcome) };
  for (const [at, value] of Object.entries(patch)) patchOne(whole, at === "" ? "whole" : `whole.${at}`, value);
  return whole.whole;
}
