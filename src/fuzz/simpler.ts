/** Calls that are simpler than one: by the first task, by shorter paths and smaller numbers. */
import type { Arg, Call } from "./call.ts";

export function* simplerCalls(call: Call): Generator<Call> {
  if (call.task !== 0) yield { ...call, task: 0 };
  for (const [i, arg] of call.args.entries()) {
    for (const simple of simplerArgs(arg)) yield { ...call, args: call.args.with(i, simple) };
  }
}

function* simplerArgs(arg: Arg): Generator<Arg> {
  if (typeof arg === "number") yield* simplerNumbers(arg);
  if (typeof arg !== "string" || arg === "a") return;
  if (arg.length > 1) yield "a";
  const parts = arg.split("/");
  if (parts.length > 1) for (const i of parts.keys()) yield parts.toSpliced(i, 1).join("/");
  if (parts.length > 1) yield parts.slice(0, parts.length >> 1).join("/");
}

const ROUND = [0, 1, 0o644, 4096];

/** Smaller ones, and flags with one bit less. */
function* simplerNumbers(number: number): Generator<number> {
  for (const round of ROUND) if (Math.abs(round) < Math.abs(number)) yield round;
  if (number > 1) yield Math.floor(number / 2);
  if (number <= 1 || number >= 2 ** 31 || !Number.isInteger(number)) return;
  for (let bit = 1; bit <= number; bit *= 2) if ((number & bit) !== 0 && number !== bit) yield number - bit;
}
