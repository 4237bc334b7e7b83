/** What util.promisify makes of callback forms: objects of both results where a call has two, and the errors of either. */
import { promisify } from "node:util";
import type { Case, Context } from "../case.ts";
import { outcome } from "./steps.ts";

type AnyFunction = (...args: unknown[]) => unknown;

/** Arguments of each, without the callback. */
const CALLS: Readonly<Record<string, readonly ((context: Context) => unknown[])[]>> = {
  exists: [({ path }) => [path("file")], ({ path }) => [path("missing")], () => [5], () => [], () => ["a\0b"]],
  read: [
    ({ fd }) => [fd, Buffer.alloc(4), 0, 4, 1],
    ({ fd }) => [fd, Buffer.alloc(4)],
    ({ fd }) => [fd, Buffer.alloc(4), { offset: 1, position: 2 }],
    ({ fd }) => [fd, { buffer: Buffer.alloc(4), length: 2 }],
    () => [999_999, Buffer.alloc(4), 0, 4, 0],
    ({ fd }) => [fd, Buffer.alloc(4), 0, 9, 0],
    ({ fd }) => [fd, Buffer.alloc(0), 0, 0, 0],
    () => ["x", Buffer.alloc(4), 0, 4, 0],
  ],
  write: [
    ({ fd }) => [fd, Buffer.from("ABC"), 1, 2, 0],
    ({ fd }) => [fd, Buffer.from("ABC")],
    ({ fd }) => [fd, Buffer.from("ABC"), { offset: 2 }],
    ({ fd }) => [fd, "text", 3, "latin1"],
    ({ fd }) => [fd, ""],
    () => [999_999, "text"],
    ({ fd }) => [fd, 5],
    () => [],
  ],
  readv: [
    ({ fd }) => [fd, [Buffer.alloc(2), Buffer.alloc(3)], 1],
    ({ fd }) => [fd, [Buffer.alloc(2)]],
    () => [999_999, [Buffer.alloc(2)]],
    ({ fd }) => [fd, "x"],
  ],
  writev: [
    ({ fd }) => [fd, [Buffer.from("A"), Buffer.from("B")], 1],
    ({ fd }) => [fd, []],
    () => [999_999, [Buffer.alloc(2)]],
    ({ fd }) => [fd, [5]],
  ],
  stat: [({ path }) => [path("file"), { bigint: true }], ({ path }) => [path("missing")], () => [5]],
  readFile: [({ path }) => [path("file"), "utf8"], ({ fd }) => [fd], ({ path }) => [path("missing")]],
  access: [({ path }) => [path("file")], ({ path }) => [path("missing"), 4]],
  "realpath.native": [({ path }) => [path("file")], ({ path }) => [path("missing")]],
  readdir: [({ path }) => [path(""), { withFileTypes: true }], ({ path }) => [path("file")]],
  symlink: [({ path }) => ["file", path("new")], ({ path }) => ["file", path("file"), "file"]],
  cp: [({ path }) => [path("file"), path("new")], ({ path }) => [path("dir"), path("new")]],
  rm: [({ path }) => [path("file")], ({ path }) => [path("dir")]],
  close: [() => [999_999], () => ["x"]],
};

function lookUp(owner: object, dotted: string): AnyFunction {
  let found: unknown = owner;
  for (const name of dotted.split(".")) found = (found as Record<string, unknown>)[name];
  return found as AnyFunction;
}

async function called(call: AnyFunction, args: unknown[]): Promise<unknown[]> {
  let promise: unknown;
  try {
    promise = call(...args);
  } catch (error) {
    return ["throws", error];
  }
  return ["promise", promise instanceof Promise, await outcome(() => promise)];
}

export const PROMISIFIED_CASES: readonly Case[] = Object.entries(CALLS).flatMap(([fn, lists]) =>
  lists.map((args, i) => ({
    id: `promisified ${fn}: arguments ${i}`,
    fn,
    form: "callback" as const,
    tree: "data" as const,
    open: ["file", "r+"] as const,
    args: () => [],
    program: async (context: Context) => {
      const call = lookUp(context.fs, fn);
      const custom = (call as unknown as Record<symbol, unknown>)[promisify.custom];
      return [typeof custom, promisify(call).name, await called(promisify(call) as AnyFunction, args(context))];
    },
  })),
);
