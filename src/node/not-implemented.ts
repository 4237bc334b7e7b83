/**
 * What node:fs has and a face has only where an entry has brought it: functions that say so by name, where "is not a function"
 * would leave the caller to guess, and a stream that never opens would leave it to wait.
 *
 * What answers a promise in Node rejects here; what answers an emitter, a stream or an iterator, or takes a callback,
 * throws at once.
 */
import { methodNotImplementedError } from "./errors.ts";
import { fromCaller } from "./stacks.ts";

const ANSWERS_PROMISE = /es\.cp|Blob$/;

type Refusal = (...args: unknown[]) => unknown;

/** A function, or with `new` a class, that fails by ERR_METHOD_NOT_IMPLEMENTED. @param method as callers write it */
function refusal(method: string): Refusal {
  return function refuse() {
    const error = fromCaller(methodNotImplementedError(`${method}()`), refuse);
    if (ANSWERS_PROMISE.test(method)) return Promise.reject(error);
    throw error;
  };
}

/** What entries have brought, and refusals by all other names. @param prefix that callers write before names */
export function orRefusing(brought: object = {}, prefix = "fs."): Readonly<Record<string, Refusal>> {
  return new Proxy(brought as Record<string, Refusal>, {
    get: (own, name) => own[name as string] ?? refusal(prefix + (name as string)),
  });
}
