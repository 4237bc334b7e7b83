/**
 * FileHandles that are none, or stand for another one: methods called on other objects, on a Proxy, on an object that
 * inherits from a handle, and after the handle was closed.
 */
import type { FileHandle } from "node:fs/promises";
import type { Case, Context } from "../case.ts";
import { program } from "./programs.ts";

type Method = (...args: unknown[]) => unknown;

/** Methods, each with arguments that it takes. */
const METHODS: Readonly<Record<string, () => unknown[]>> = {
  appendFile: () => ["more"],
  chmod: () => [0o640],
  chown: () => [0, 0],
  datasync: () => [],
  read: () => [Buffer.alloc(4), 0, 4, 0],
  readFile: () => ["utf8"],
  readv: () => [[Buffer.alloc(3)], 1],
  stat: () => [],
  sync: () => [],
  truncate: () => [3],
  utimes: () => [5, 6],
  write: () => ["text", 2],
  writeFile: () => ["whole"],
  writev: () => [[Buffer.from("one"), Buffer.from("two")], 1],
};

/** What stands in the place of the handle. */
const STAND_INS: Readonly<Record<string, (handle: FileHandle) => unknown>> = {
  "an object": () => ({}),
  "a number": () => 5,
  "an array": () => [],
  "a Proxy": (handle) => new Proxy(handle, {}),
  "an heir": (handle) => Object.create(handle),
};

/** How a call ends: it throws, it rejects, or it gives something. */
async function ending(call: () => unknown): Promise<unknown[]> {
  let promise: unknown;
  try {
    promise = call();
  } catch (error) {
    return ["throws", error];
  }
  try {
    return ["gives", await promise];
  } catch (error) {
    return ["rejects", error];
  }
}

function methodOf(handle: FileHandle, name: string): Method {
  return (handle as unknown as Record<string, Method>)[name];
}

const STAND_IN_CASES = Object.entries(METHODS).flatMap(([name, args]) =>
  Object.entries(STAND_INS).map(([what, make]) =>
    program(
      `FileHandle, ${name} of ${what}`,
      ({ handle }: Context) => {
        const real = handle as FileHandle;
        return ending(() => methodOf(real, name).apply(make(real), args()));
      },
      "data",
      ["file", "r+"],
    ),
  ),
);

const CLOSED_CASES = Object.entries(METHODS).map(([name, args]) =>
  program(
    `FileHandle, ${name} when closed`,
    async ({ handle }: Context) => {
      const real = handle as FileHandle;
      await real.close();
      return ending(() => methodOf(real, name).apply(real, args()));
    },
    "data",
    ["file", "r+"],
  ),
);

const WHOLE_FILE = ["readFile", "writeFile", "appendFile"] as const;

/** In fs.promises a handle, or what stands for one, may be given in the place of a path. */
const AS_PATH_CASES = WHOLE_FILE.flatMap((name) =>
  ["a Proxy", "an heir"].map((what) =>
    program(
      `FileHandle, promises.${name} of ${what}`,
      ({ fs, handle }: Context) =>
        ending(() => (fs.promises[name] as Method)(STAND_INS[what](handle as FileHandle), "utf8")),
      "data",
      ["file", "r+"],
    ),
  ),
);

const CLOSING_CASES = ["a Proxy", "an heir"].map((what) =>
  program(
    `FileHandle, closed through ${what}`,
    async ({ fs, handle, fd }: Context) => {
      const real = handle as FileHandle;
      const events: string[] = [];
      (real as unknown as NodeJS.EventEmitter).on("close", () => events.push("close"));
      const standIn = STAND_INS[what](real) as FileHandle;
      const before = standIn.fd === fd;
      const ends = [await ending(() => standIn.close()), await ending(() => real.close())];
      return [before, standIn.fd, real.fd, events, ends, await ending(() => fs.fstatSync(fd))];
    },
    "data",
    ["file", "r+"],
  ),
);

export const HANDLE_CASES: readonly Case[] = [...STAND_IN_CASES, ...CLOSED_CASES, ...AS_PATH_CASES, ...CLOSING_CASES];
