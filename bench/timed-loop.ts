/** The loop around a call, compiled anew for every trial. */

export type Loop = (op: (i: number) => number, from: number, to: number) => number;

/**
 * Makes a loop of its own, with its own inline caches: V8 then inlines the one function it ever calls. A shared loop
 * would see the functions of all contenders and slow the fastest ones down most.
 *
 * @returns a function that calls `op(i)` for from <= i < to and answers the sum
 */
export function makeLoop(): Loop {
  return new Function(
    "op",
    "from",
    "to",
    "let sum = 0; for (let i = from; i < to; i++) sum += op(i); return sum;",
  ) as Loop;
}

let sum = 0;

/** Takes what the calls answered, so that they cannot be left out. @throws Error for what is no number */
export function sink(value: number): void {
  sum += value;
  if (Number.isNaN(sum)) throw new Error("a call answered something that is no number");
}
