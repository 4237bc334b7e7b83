/**
 * Ends the job, in ECMAScript's sense, that programs run in.
 *
 * What a WeakRef was made of, or asked for, stays in memory until the job is over: all kernels and tasks of a search that never waits for
 * anything else. So each program has a job of its own.
 *
 * @see ECMA-262 AddToKeptObjects(), ClearKeptObjects()
 */
export function endJob(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
