/**
 * What node:fs has and a face has only where an entry has brought it: functions that say so by name, where "is not a function"
 * would leave the caller to guess, and a stream that never opens would leave it to wait.
 *
 * What answers a promise in Node rejects here; what answers an emitter, a stream or an iterator, or takes a callback,
 * throws at once.
 */
import { methodNotImplementedError } from "./errors.ts";
import { fromCaller } from "./stacks.ts";

const NAMES =
  "cp cpSync createReadStream createWriteStream glob globSync openAsBlobSync unwatchFile watch watchFile ReadStream WriteStream FileReadStream FileWriteStream Utf8Stream";

type Refusal = (...args: unknown[]) => unknown;

/** A function, or with `new` a class, that throws ERR_METHOD_NOT_IMPLEMENTED. @param method as callers write it */
function throwing(method: string): Refusal {
  return function refuse(): never {
    throw fromCaller(methodNotImplementedError(`fs.${method}()`), refuse);
  };
}

function rejecting(method: string): Refusal {
  return async function refuse(): Promise<never> {
    throw fromCaller(methodNotImplementedError(`fs.${method}()`), refuse);
  };
}

/** The functions and classes of node:fs that parts have, by name. */
export const notImplemented: Readonly<Record<string, Refusal>> = Object.freeze({
  ...Object.fromEntries(NAMES.split(" ").map((name) => [name, throwing(name)])),
  openAsBlob: rejecting("openAsBlob"),
});

/** Those of fs.promises. */
export const promisesNotImplemented: Readonly<Record<string, Refusal>> = Object.freeze({
  cp: rejecting("promises.cp"),
  glob: throwing("promises.glob"),
  watch: throwing("promises.watch"),
});
