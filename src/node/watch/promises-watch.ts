/**
 * fs.promises.watch(): events by an iterator. Nothing is watched before it is asked for the first event, and nothing
 * after it has ended.
 *
 * With `recursive` events wait in a queue too, with `maxQueue` and `overflow`; Node's iterator forgets those that come
 * while it is not being waited for.
 *
 * @see Node 26 documentation of fsPromises.watch()
 */
import { EAGAIN } from "../../base/errno.ts";
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { isEncoding } from "../encoding.ts";
import { abortError, argValueError } from "../errors.ts";
import { toPath } from "../paths.ts";
import { checkAbortSignal, checkBoolean, checkInteger, checkObject, checkOneOf } from "../validators.ts";
import { EventQueue, type WatchEvent } from "./event-queue.ts";
import { FsEvent } from "./fs-event.ts";
import { type CompilePattern, checkIgnore, ignoreMatcher } from "./ignore.ts";
import { FSWatcher as RecursiveWatcher, type TreeCalls } from "./recursive-watcher.ts";
import { watchException } from "./watch-exception.ts";
import { toTreeOptions } from "./watch-options.ts";

interface Options {
  persistent: boolean;
  recursive: boolean;
  encoding: string;
  maxQueue: number;
  overflow: string;
  signal: AbortSignal | undefined;
  ignore: unknown;
}

const DEFAULTS: Options = {
  persistent: true,
  recursive: false,
  encoding: "utf8",
  maxQueue: 2048,
  overflow: "ignore",
  signal: undefined,
  ignore: undefined,
};

const NO_OPTIONS = Object.freeze({});

function withDefaults(given: object): Options {
  const options: Record<string, unknown> = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined) options[name] = value;
  }
  return options as unknown as Options;
}

function checkOptions(options: Options): void {
  checkBoolean(options.persistent, "options.persistent");
  checkBoolean(options.recursive, "options.recursive");
  checkInteger(options.maxQueue, "options.maxQueue");
  checkOneOf(options.overflow, "options.overflow", ["ignore", "error"]);
  checkAbortSignal(options.signal, "options.signal");
  checkIgnore(options.ignore);
  const { encoding } = options;
  if (encoding && encoding !== "buffer" && !isEncoding(encoding))
    throw argValueError("encoding", encoding, "is invalid encoding");
}

/** Watches, with what stores have to answer first. @throws what cannot be watched */
async function startEvent(calls: TreeCalls, path: Path, options: Options, queue: EventQueue, compile: CompilePattern) {
  const isIgnored = ignoreMatcher(options.ignore, compile);
  for (;;) {
    const event = FsEvent.start(calls.addWatch, path, options.persistent, options.encoding, (type, filename) => {
      if (!isIgnored?.(filename)) queue.push(type, filename);
    });
    if (typeof event !== "number") return event;
    const token = event === -EAGAIN ? (calls.sys as Syscalls).waitToken() : undefined;
    if (token === undefined) throw watchException(event, path);
    await token;
  }
}

interface Closable {
  close(): void;
}

/** Hands on what comes, until it is told to end. */
async function* eventsOf(watched: Closable, queue: EventQueue, signal: AbortSignal | undefined) {
  const onAbort = (): void => {
    watched.close();
    queue.wake();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal?.aborted) {
      await queue.wait();
      for (let event = queue.take(); event !== undefined; event = queue.take()) yield event;
    }
    throw abortError(signal);
  } finally {
    watched.close();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The function, for one face. */
export function promisesWatch(calls: TreeCalls, compile: CompilePattern) {
  async function* watchOne(filename: unknown, given: object): AsyncGenerator<WatchEvent> {
    const path = toPath(filename);
    const options = withDefaults(given);
    checkOptions(options);
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal);
    const queue = new EventQueue(options.maxQueue, options.overflow);
    yield* eventsOf(await startEvent(calls, path, options, queue, compile), queue, signal);
  }

  async function* watchTree(filename: unknown, given: object): AsyncGenerator<WatchEvent> {
    const { maxQueue, overflow, signal } = withDefaults(given);
    const watcher = new RecursiveWatcher(calls, toTreeOptions(given, compile));
    checkInteger(maxQueue, "options.maxQueue");
    checkOneOf(overflow, "options.overflow", ["ignore", "error"]);
    const queue = new EventQueue(maxQueue, overflow);
    watcher.on("change", (type, name) => queue.push(type as never, name as string));
    watcher.on("error", (error) => queue.fail(error as Error));
    watcher.watch(toPath(filename));
    if (signal?.aborted) watcher.close();
    yield* eventsOf(watcher, queue, signal);
  }

  return async function* watch(filename: unknown, options: unknown = NO_OPTIONS): AsyncGenerator<WatchEvent> {
    checkObject(options, "options");
    const { recursive } = options as { recursive?: unknown };
    if (recursive !== null && recursive !== undefined) checkBoolean(recursive, "options.recursive");
    yield* recursive ? watchTree(filename, options) : watchOne(filename, options);
  };
}
