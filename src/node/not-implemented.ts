/**
 * What node:fs has and a face does not have yet: functions that say so by name, where "is not a function" would leave
 * the caller to guess, and a stream that never opens would leave it to wait.
 *
 * What answers a promise in Node rejects here; what answers an emitter, a stream or an iterator, or takes a callback,
 * throws at once.
 */
import { methodNotImplementedError } from "./errors.ts";
import { fromCaller } from "./stacks.ts";

/** Names and numbers of parameters, as those of Node 26. */
const THROWING = {
  cp: 4,
  cpSync: 3,
  createReadStream: 2,
  createWriteStream: 2,
  glob: 3,
  globSync: 2,
  openAsBlobSync: 1,
  unwatchFile: 2,
  watch: 3,
  watchFile: 3,
} as const;
const CLASSES = {
  ReadStream: ["ReadStream", 2],
  WriteStream: ["WriteStream", 2],
  FileReadStream: ["ReadStream", 2],
  FileWriteStream: ["WriteStream", 2],
  Utf8Stream: ["Utf8Stream", 0],
} as const;

type Refusal = (...args: unknown[]) => unknown;

function shaped(call: Refusal, name: string, length: number): Refusal {
  Object.defineProperty(call, "name", { value: name, configurable: true });
  return Object.defineProperty(call, "length", { value: length, configurable: true });
}

/** A function, or with `new` a class, that throws ERR_METHOD_NOT_IMPLEMENTED. @param method as callers write it */
function throwing(method: string, name: string, length: number): Refusal {
  function refuse(): never {
    throw fromCaller(methodNotImplementedError(method), refuse);
  }
  return shaped(refuse, name, length);
}

function rejecting(method: string, name: string, length: number): Refusal {
  async function refuse(): Promise<never> {
    throw fromCaller(methodNotImplementedError(method), refuse);
  }
  return shaped(refuse, name, length);
}

/** The functions and classes of node:fs that come later, by name. */
export const notImplemented: Readonly<Record<string, Refusal>> = Object.freeze({
  ...Object.fromEntries(
    Object.entries(THROWING).map(([name, length]) => [name, throwing(`fs.${name}()`, name, length)]),
  ),
  openAsBlob: rejecting("fs.openAsBlob()", "openAsBlob", 1),
  ...Object.fromEntries(
    Object.entries(CLASSES).map(([key, [name, length]]) => [key, throwing(`fs.${key}()`, name, length)]),
  ),
});

/** Those of fs.promises. */
export const promisesNotImplemented: Readonly<Record<string, Refusal>> = Object.freeze({
  cp: rejecting("fs.promises.cp()", "cp", 3),
  glob: throwing("fs.promises.glob()", "glob", 2),
  watch: throwing("fs.promises.watch()", "watch", 1),
});
