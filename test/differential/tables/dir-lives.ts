/** Lives of a Dir: every three of its calls, one after the other, waited for and not. */
import type { Dir, Dirent } from "node:fs";
import type { Case, Context } from "../case.ts";
import { combinations } from "../combine.ts";
import { whenNothingComes } from "../patience.ts";
import { show } from "./show.ts";
import { outcome } from "./steps.ts";

type AnyDir = Dir & Record<PropertyKey, (...args: unknown[]) => unknown>;

/** What calls that are not waited for have come to, in the order of their ends. */
interface Later {
  readonly results: unknown[];
  readonly ends: Promise<unknown>[];
}

type Act = (dir: AnyDir, later: Later) => unknown;

function calledBack(call: (callback: (...results: unknown[]) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    whenNothingComes(2000, () => resolve("never calls back")).unref();
    try {
      const value = call((...results) => resolve(["calls back", ...results]));
      if (value !== undefined) resolve(["gives", value]);
    } catch (error) {
      reject(error);
    }
  });
}

/** Has a call go its way. */
function started(name: string, later: Later, call: () => unknown): unknown {
  const promise = call() as Promise<unknown>;
  const end = promise.then(
    (value) => later.results.push([name, value]),
    (error) => later.results.push([name, error]),
  );
  later.ends.push(end);
  return typeof promise;
}

const ACTS: Readonly<Record<string, Act>> = {
  read: (dir) => dir.read(),
  "read(callback)": (dir) => calledBack((callback) => dir.read(callback as never)),
  readSync: (dir) => dir.readSync(),
  "read, not waited for": (dir, later) => started("read", later, () => dir.read()),
  close: (dir) => dir.close(),
  "close(callback)": (dir) => calledBack((callback) => dir.close(callback as never)),
  closeSync: (dir) => dir.closeSync(),
  "close, not waited for": (dir, later) => started("close", later, () => dir.close()),
  iterate: async (dir) => {
    const names: string[] = [];
    for await (const { name } of dir) names.push(name);
    return names.sort();
  },
  "iterate, leave": async (dir) => {
    for await (const entry of dir) return (entry as Dirent).name;
    return "nothing";
  },
  next: async (dir) => (dir.entries as () => AsyncIterator<Dirent>)().next(),
  dispose: (dir) => dir[Symbol.dispose](),
  asyncDispose: (dir) => dir[Symbol.asyncDispose](),
};

async function live(dir: AnyDir, names: readonly string[]): Promise<unknown[]> {
  const later: Later = { results: [], ends: [] };
  const seen: unknown[] = [];
  for (const name of names) seen.push(await outcome(() => ACTS[name](dir, later)));
  await new Promise((resolve) => setImmediate(resolve));
  const last = await outcome(() => dir.close());
  await Promise.all(later.ends);
  return [seen, last, later.results, typeof dir.path];
}

const NAMES = Object.keys(ACTS);
/** Node finds too late that these are closed: its error is nobody's, and ends the process. */
const IS_FATAL = /^read, not waited for; close, not waited for; (read(,|\(|$)|iterate|next)/;
const SEQUENCES = NAMES.flatMap((a) => NAMES.flatMap((b) => NAMES.map((c) => [a, b, c]))).filter(
  (names) => !IS_FATAL.test(names.join("; ")),
);

const OPTIONS = combinations({ bufferSize: [1, 2], encoding: ["buffer"], recursive: [true] });

/** Disposal is by symbols, which have no rows. */
function methodOf(name: string): string {
  return name === "next" ? "Dir.entries" : `Dir.${(/^(read|close)(Sync)?/.exec(name) ?? ["entries"])[0]}`;
}

function lifeOf(names: readonly string[], i: number): Case {
  const make = OPTIONS[i % OPTIONS.length];
  const directory = ["dir", "emptydir", "otherdir"][i % 3];
  return {
    id: `Dir of ${directory}, ${show(make())}: ${names.join("; ")}`,
    fn: "Dir",
    form: "promise",
    covers: ["Dir.path", ...names.map(methodOf)],
    tree: "battery",
    args: () => [],
    program: async ({ fs, path }: Context) =>
      live((await fs.promises.opendir(path(directory), make() as never)) as unknown as AnyDir, names),
  };
}

export const DIR_LIVES: readonly Case[] = SEQUENCES.map(lifeOf);
