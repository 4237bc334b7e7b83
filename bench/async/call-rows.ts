/**
 * Single calls by promise and by callback, one after the other and a thousand at once.
 *
 * Question: what a call costs the program that waits for it. Not measured: large files (tree-rows and streams), paths that miss.
 */
import type { Contender, Fs } from "./contender.ts";
import { check, type Row } from "./row.ts";

/** Calls of a run, times Contender.speed. */
const NR_CALLS = 2000;
const AT_ONCE = 1000;
const SMALL = Buffer.alloc(1024, "x");

/** What the contender has been given, in its own form; promises of it either way. */
interface Call {
  readonly name: string;
  promise(fs: Fs, path: string): Promise<unknown>;
  callback(fs: Fs, path: string, done: (error: Error | null, result?: unknown) => void): void;
  /** The result of the last one, that it is right. @throws */
  verify(result: unknown): void;
}

const CALLS: readonly Call[] = [
  {
    name: "stat",
    promise: (fs, path) => fs.promises.stat(path),
    callback: (fs, path, done) => fs.stat(path, done),
    verify: (result) => check((result as { size: number }).size, SMALL.length),
  },
  {
    name: "readFile 1 KiB",
    promise: (fs, path) => fs.promises.readFile(path),
    callback: (fs, path, done) => fs.readFile(path, done),
    verify: (result) => check((result as Buffer).length, SMALL.length),
  },
  {
    name: "writeFile 1 KiB",
    promise: (fs, path) => fs.promises.writeFile(path, SMALL),
    callback: (fs, path, done) => fs.writeFile(path, SMALL, done),
    verify: () => {},
  },
  {
    name: "open + read + close",
    async promise(fs, path) {
      const handle = await fs.promises.open(path, "r");
      const { bytesRead } = await handle.read(Buffer.allocUnsafe(SMALL.length), 0, SMALL.length, 0);
      await handle.close();
      return bytesRead;
    },
    callback(fs, path, done) {
      fs.open(path, "r", (error, fd) => {
        if (error) return done(error);
        fs.read(fd, Buffer.allocUnsafe(SMALL.length), 0, SMALL.length, 0, (failed, bytesRead) => {
          if (failed) return done(failed);
          fs.close(fd, (late) => done(late ?? null, bytesRead));
        });
      });
    },
    verify: (result) => check(result as number, SMALL.length),
  },
];

/** One after the other, each begun in the callback of the one before. */
function inTurn(call: Call, fs: Fs, path: string, count: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let left = count;
    const next = (error: Error | null, result?: unknown): void => {
      if (error) reject(error);
      else if (--left < 0) resolve(result);
      else call.callback(fs, path, next);
    };
    next(null);
  });
}

function allAtOnce(call: Call, fs: Fs, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let left = AT_ONCE;
    const done = (error: Error | null, result?: unknown): void => {
      if (error) reject(error);
      else if (--left === 0) resolve(result);
    };
    for (let i = 0; i < AT_ONCE; i++) call.callback(fs, path, done);
  });
}

type Way = (call: Call, fs: Fs, path: string, count: number) => Promise<unknown>;

const WAYS: Readonly<Record<string, Way>> = {
  "promises, in turn": async (call, fs, path, count) => {
    let result: unknown;
    for (let i = 0; i < count; i++) result = await call.promise(fs, path);
    return result;
  },
  "promises, 1 000 at once": async (call, fs, path, count) => {
    let results: unknown[] = [];
    for (let i = 0; i < count; i += AT_ONCE)
      results = await Promise.all(Array.from({ length: AT_ONCE }, () => call.promise(fs, path)));
    return results.at(-1);
  },
  "callbacks, in turn": inTurn,
  "callbacks, 1 000 at once": async (call, fs, path, count) => {
    let result: unknown;
    for (let i = 0; i < count; i += AT_ONCE) result = await allAtOnce(call, fs, path);
    return result;
  },
};

function countOf({ speed }: Contender): number {
  return NR_CALLS * speed;
}

const prepare = ({ fs, root }: Contender): void => fs.writeFileSync(`${root}/small`, SMALL);

export const CALL_ROWS: readonly Row[] = CALLS.flatMap((call) =>
  Object.entries(WAYS).map(
    ([way, make]): Row => ({
      name: `${call.name}: ${way}`,
      nrCalls: countOf,
      prepare,
      async run(contender) {
        call.verify(await make(call, contender.fs, `${contender.root}/small`, countOf(contender)));
      },
    }),
  ),
);

/** What `await fs.promises.stat()` would cost if to be a promise cost nothing but an await; to be read beside "stat: promises, in turn". */
export const BARE_ROWS: readonly Row[] = [
  {
    name: "await null, and statSync",
    nrCalls: countOf,
    prepare,
    async run(contender) {
      const { fs, root } = contender;
      const path = `${root}/small`;
      let size = 0;
      for (let i = 0; i < countOf(contender); i++) {
        await null;
        size = fs.statSync(path).size;
      }
      check(size, SMALL.length);
    },
  },
];
