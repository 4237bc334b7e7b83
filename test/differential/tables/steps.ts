/** Programs of several calls: what each gives, in every form that there is of it. */
import type { Credentials, NodeFs } from "../../helpers/subject.ts";
import type { Case, Context } from "../case.ts";
import { whenNothingComes } from "../patience.ts";

/** What a program does with a face, which may be another user's or stand in another directory than `context.fs`. */
export type Steps = (face: NodeFs, context: Context) => Promise<unknown>;

type AnyFunction = (...args: unknown[]) => unknown;

/** What `call` gives, or the error that it ends in. */
export async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

function lookUp(owner: object, dotted: string): AnyFunction | undefined {
  let found: unknown = owner;
  for (const name of dotted.split(".")) found = (found as Record<string, unknown> | undefined)?.[name];
  return found as AnyFunction | undefined;
}

/** What a callback gets, or what is thrown in its place. */
function calledBack(call: AnyFunction, args: readonly unknown[]): Promise<unknown[]> {
  return new Promise((resolve) => {
    const timer = whenNothingComes(3000, () => resolve(["never calls back"]));
    const settle = (...results: unknown[]): void => {
      clearTimeout(timer);
      resolve(results);
    };
    try {
      call(...args, (...results: unknown[]) => settle("calls back", ...results));
    } catch (error) {
      settle("throws", error);
    }
  });
}

/**
 * The outcomes of one function in its synchronous, callback and promise forms, one after the other.
 *
 * @param look what to make of a result, once it is there
 */
export async function settled(
  face: NodeFs,
  fn: string,
  args: readonly unknown[],
  look: (value: unknown) => unknown = (value) => value,
): Promise<unknown> {
  const sync = lookUp(face, fn.replace(/^\w+/, "$&Sync")) as AnyFunction;
  const callback = lookUp(face, fn);
  const promise = lookUp(face.promises, fn);
  return [
    await outcome(() => look(sync(...args))),
    callback && (await calledBack(callback, args)).map(look),
    promise && (await outcome(async () => look(await promise(...args)))),
  ];
}

/** Who owns what a program gives away. */
export const USER: Credentials = { uid: 1000, gid: 1000 };

/** A case of a few calls on a tree of its own. @param what begins with the function that it is about */
export function program(what: string, build: (context: Context) => void, steps: Steps): Case {
  return {
    id: `program: ${what}`,
    fn: /^[\w.]+/.exec(what)?.[0] ?? "program",
    form: "promise",
    covers: [],
    tree: "empty",
    args: () => [],
    program: async (context) => {
      build(context);
      return steps(context.fs, context);
    },
  };
}
