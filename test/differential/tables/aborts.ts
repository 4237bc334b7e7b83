/** Whole-file calls whose signal is aborted before they are made, or so soon after that nothing has happened yet. */

import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Case, Context } from "../case.ts";
import { program } from "./programs.ts";

/** When the signal is aborted, seen from the call. Later than by a tick is a race in Node. */
const MOMENTS: Readonly<Record<string, (abort: () => void) => void>> = {
  "at once": (abort) => abort(),
  "in a microtask": (abort) => queueMicrotask(abort),
  "in a tick": (abort) => process.nextTick(abort),
};

const DATA: Readonly<Record<string, () => unknown>> = {
  text: () => "text",
  "no text": () => "",
  bytes: () => Buffer.from("bytes"),
  "a large buffer": () => Buffer.alloc(600 * 1024, 1),
  array: () => ["one", "two"],
  "empty array": () => [],
  generator: () => ["one", "two"].values(),
  "async generator": () =>
    (async function* () {
      yield "one";
      yield "two";
    })(),
  stream: () => Readable.from(["one", "two"]),
};

type Call = (context: Context, data: unknown, options: object) => Promise<unknown>;
type AnyFunction = (...args: unknown[]) => unknown;

function byCallback(call: unknown, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    (call as AnyFunction)(...args, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
  });
}

const WRITES: Readonly<Record<string, Call>> = {
  "promises.writeFile": ({ fs, path }, data, options) => fs.promises.writeFile(path("file"), data as string, options),
  "promises.writeFile of a new file": ({ fs, path }, data, options) =>
    fs.promises.writeFile(path("new"), data as string, options),
  "promises.writeFile, flushed": ({ fs, path }, data, options) =>
    fs.promises.writeFile(path("file"), data as string, { ...options, flush: true }),
  "promises.appendFile": ({ fs, path }, data, options) => fs.promises.appendFile(path("file"), data as string, options),
  "promises.writeFile of a handle": ({ fs, handle }, data, options) =>
    fs.promises.writeFile(handle as FileHandle, data as string, options),
  "FileHandle.writeFile": ({ handle }, data, options) => (handle as FileHandle).writeFile(data as string, options),
  "FileHandle.appendFile": ({ handle }, data, options) => (handle as FileHandle).appendFile(data as string, options),
  "writeFile with a callback": ({ fs, path }, data, options) => byCallback(fs.writeFile, path("file"), data, options),
  "appendFile with a callback": ({ fs, path }, data, options) => byCallback(fs.appendFile, path("file"), data, options),
};

const READS: Readonly<Record<string, Call>> = {
  "promises.readFile": ({ fs, path }, _data, options) => fs.promises.readFile(path("file"), options),
  "FileHandle.readFile": ({ handle }, _data, options) => (handle as FileHandle).readFile(options),
  "readFile with a callback": ({ fs, path }, _data, options) => byCallback(fs.readFile, path("file"), options),
};

/** The outcome, and what it left in the file: "tree" shows it, too, but by its length only. */
async function outcomeOf(call: Call, context: Context, data: unknown, moment: string): Promise<unknown> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error("changed my mind"));
  if (moment === "before") abort();
  try {
    const outcome = call(context, data, { signal: controller.signal });
    if (moment !== "before") MOMENTS[moment](abort);
    return ["gives", await outcome];
  } catch (error) {
    return ["fails", error];
  }
}

/** Data that callback forms take, and one that they refuse: how an iterator is called in errors is V8's matter. */
const FOR_CALLBACKS = ["text", "no text", "bytes", "a large buffer", "array"];

/** Whether the microtasks of a stream come before one of ours differs between Nodes. */
function isRace(name: string, data: string, moment: string): boolean {
  return data === "stream" && moment === "in a microtask" && /handle/i.test(name);
}

function casesOf(name: string, call: Call, data: string, make: () => unknown): Case[] {
  if (name.endsWith("callback") && data !== "" && !FOR_CALLBACKS.includes(data)) return [];
  return ["before", ...Object.keys(MOMENTS)]
    .filter((moment) => !isRace(name, data, moment))
    .map((moment) =>
      program(
        `aborted ${moment}: ${name}${data === "" ? "" : ` of ${data}`}`,
        (context) => outcomeOf(call, context, make(), moment),
        "data",
        ["file", "r+"],
      ),
    );
}

export const ABORT_CASES: readonly Case[] = [
  ...Object.entries(WRITES).flatMap(([name, call]) =>
    Object.entries(DATA).flatMap(([data, make]) => casesOf(name, call, data, make)),
  ),
  ...Object.entries(READS).flatMap(([name, call]) => casesOf(name, call, "", () => undefined)),
];
