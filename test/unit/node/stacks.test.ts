/**
 * Stacks of errors begin at the line that called the face: none of its own frames stand before it, in any form, and the
 * frames of those who await are kept.
 */
import { Stream } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { hostFace, thrownBy } from "./host-face.ts";

const HERE = fileURLToPath(import.meta.url);

type Call = (...args: unknown[]) => unknown;

function framesOf({ stack }: Error): string[] {
  return (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
}

/** Where an error's stack does not begin in this file, or has frames of ours; undefined when all is well. */
function faultOf(error: Error): string | undefined {
  const frames = framesOf(error);
  const begins = frames[0]?.includes(HERE);
  return begins && !frames.some((line) => line.includes("/src/"))
    ? undefined
    : frames.slice(0, 6).join("\n") || "empty";
}

/** All that a call gives back by throwing, rejecting or calling back; nothing when it succeeds. */
async function errorOf(call: () => unknown, called: Promise<unknown> | undefined): Promise<Error | undefined> {
  try {
    const value = call();
    if (value instanceof Promise) await value;
    else if (value instanceof Stream)
      value.on("error", () => {}); // fails later, where nobody calls
    else if (called !== undefined) await called;
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const WRONG: readonly unknown[][] = [
  [{}],
  [{}, {}],
  ["/none/none", "/none/none", {}],
  ["/none/none"],
  ["/none/none", "/none/none"],
  ["/dir", "/file/none"],
  ["/file/none", {}],
  ["/none\0"],
  ["/none", { encoding: "none" }],
  ["/none/none", 0o600],
  [99_999],
  [99_999, Buffer.alloc(1), 0, 1, 0],
  [99_999, [Buffer.alloc(1)]],
  [99_999, 1, 1],
  ["/none/none", 1, 1],
  [3, "no buffer"],
  [3, Buffer.alloc(1), 5, 5, 5],
  [{ href: "http://x", protocol: "http:", pathname: "/" }],
];

/** Classes, what Node hides, and the calls of memfs, which make several others. */
const NOT_OF_NODE = /^([A-Z_]|(fromJSON|toJSON|reset)$)/;
/** What these do is to look, or they have nothing that could be wrong. */
/** What promises.watch() finds wrong it says when it is asked for an event. */
const NEVER_FAILING = /^(exists|existsSync|syncSync|watch)$/;

interface Findings {
  faults: string[];
  silent: string[];
  nrErrors: number;
}

/** Calls every function of `owner` with each of the argument lists, and looks at what they fail with. */
async function examine(owner: object, withCallback: (name: string) => boolean): Promise<Findings> {
  const findings: Findings = { faults: [], silent: [], nrErrors: 0 };
  for (const [name, call] of Object.entries(owner)) {
    if (typeof call !== "function" || NOT_OF_NODE.test(name)) continue;
    let nrErrors = 0;
    for (const args of WRONG) {
      let given = args;
      let called: Promise<unknown> | undefined;
      if (withCallback(name)) {
        const { promise, resolve, reject } = deferred();
        called = promise;
        promise.catch(() => {});
        given = [...args, (error: unknown) => (error instanceof Error ? reject(error) : resolve(undefined))];
      }
      const error = await errorOf(() => (call as Call)(...given), called);
      if (error === undefined) continue;
      nrErrors++;
      const fault = faultOf(error);
      if (fault !== undefined) findings.faults.push(`${name}(${args.map(String).join()}): ${error.message}\n${fault}`);
    }
    findings.nrErrors += nrErrors;
    if (nrErrors === 0 && !NEVER_FAILING.test(name)) findings.silent.push(name);
  }
  return findings;
}

function deferred() {
  let resolve: (value?: unknown) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function faceWithFiles() {
  const fs = createFsSync();
  fs.mkdirSync("/dir/below", { recursive: true });
  fs.writeFileSync("/file", "text");
  fs.openSync("/file", "r+");
  return fs;
}

/** Those of watchers hear of events, and not of errors. */
const takesCallback = (name: string): boolean =>
  !name.endsWith("Sync") && !name.startsWith("create") && !/watch/i.test(name);

describe("the stack of an error", () => {
  it("begins at the caller of a synchronous or callback form", async () => {
    const { faults, silent, nrErrors } = await examine(faceWithFiles(), takesCallback);
    expect(faults).toEqual([]);
    expect(silent).toEqual([]);
    expect(nrErrors).toBeGreaterThan(900);
  });

  it("begins at the caller of a promise form", async () => {
    const { faults, silent, nrErrors } = await examine(faceWithFiles().promises, () => false);
    expect(faults).toEqual([]);
    // An async generator, that fails when it is asked for its first match.
    expect(silent).toEqual(["glob"]);
    expect(nrErrors).toBeGreaterThan(250);
  });

  it("begins at the caller of a method of FileHandle or Dir", async () => {
    const fs = faceWithFiles();
    for (const isClosed of [false, true]) {
      const handle = await fs.promises.open("/file", "r");
      const dir = fs.opendirSync("/dir");
      if (isClosed) {
        await handle.close();
        dir.closeSync();
      }
      for (const object of [handle, dir] as object[]) {
        const names = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter(
          (name) => !/^(constructor|fd|path|getAsyncId|entries|close|closeSync|readSync)$/.test(name) || isClosed,
        );
        const methods = names
          .map((name) => [name, (object as Record<string, unknown>)[name]] as const)
          .filter(([, method]) => typeof method === "function")
          .map(([name, method]) => [name, (...args: unknown[]) => (method as Call).apply(object, args)] as const);
        const wrapped = Object.fromEntries(methods.filter(([name]) => !/^[A-Z]|^constructor$|^entries$/.test(name)));
        const { faults, nrErrors } = await examine(wrapped, () => false);
        expect(faults).toEqual([]);
        expect(nrErrors).toBeGreaterThan(isClosed ? 3 : 0);
      }
      if (!isClosed) dir.closeSync();
      await handle.close();
    }
    const called = await handleOfNothing(fs);
    expect(called.map(faultOf)).toEqual(called.map(() => undefined));
  });

  it("begins at the caller of what util.promisify makes of calls with two results", async () => {
    const fs = faceWithFiles();
    for (const call of [fs.read, fs.write, fs.readv, fs.writev] as unknown as Call[]) {
      const promised = promisify(call as never) as unknown as Call;
      for (const args of [[99_999, [Buffer.alloc(1)]], [99_999, Buffer.alloc(1)], [{}]]) {
        const error = await errorOf(() => promised(...args), undefined);
        expect(error && faultOf(error)).toBe(undefined);
      }
    }
  });

  it("keeps the frames of those who await", async () => {
    const fs = faceWithFiles();
    async function inner(): Promise<void> {
      await null;
      await fs.promises.readFile("/none");
    }
    async function middle(): Promise<void> {
      await inner();
    }
    async function outer(): Promise<void> {
      await null;
      await middle();
    }
    const error = (await errorOf(outer, undefined)) as Error;
    const users = framesOf(error).filter((line) => line.includes(HERE));
    const names = users.map((line) => /at (?:async )?(\w+)/.exec(line)?.[1]);
    expect(names.slice(0, 3)).toEqual(["inner", "middle", "outer"]);
    expect(faultOf(error)).toBe(undefined);
  });

  it("begins at the caller when the outcome had to be waited for, or was aborted", async () => {
    const { fs, sys, at } = hostFace();
    const controller = new AbortController();
    const calls: Call[] = [
      () => fs.promises.stat(at("none")),
      () => fs.promises.readFile(at("none"), "utf8"),
      () => fs.promises.rm(at("none")),
      () => fs.promises.readFile(at("")),
      () => new Promise((_resolve, reject) => fs.readFile(at(""), reject)),
      () => promisify(fs.read)(99_999, Buffer.alloc(1), 0, 1, 0),
      () => fs.promises.readFile(at("f"), { signal: controller.signal }),
      () => fs.promises.writeFile(at("f"), ["a", "b"], { signal: controller.signal }),
      () => fs.promises.writeFile(at("none/none"), ["a", "b"]),
    ];
    fs.writeFileSync(at("f"), "");
    for (const call of calls) {
      sys.held = 1;
      const failing = errorOf(function waiting() {
        return call();
      }, undefined);
      controller.abort();
      await new Promise((resolve) => setTimeout(resolve, 2));
      sys.release();
      const error = (await failing) as Error;
      expect(faultOf(error), `${call}: ${error?.stack}`).toBe(undefined);
      expect(framesOf(error).join("\n")).toContain("waiting");
    }
  });

  it("says what the error says, with its code where Node has it there", async () => {
    const fs = faceWithFiles();
    const typeError = thrownBy(() => fs.statSync({} as never));
    expect(typeError.stack).toContain(`TypeError [ERR_INVALID_ARG_TYPE]: ${typeError.message}\n    at `);
    const missing = thrownBy(() => fs.statSync("/none"));
    expect(missing.stack).toContain("Error: ENOENT: no such file or directory, stat '/none'\n    at ");
    const isDirectory = thrownBy(() => fs.rmSync("/dir"));
    expect(isDirectory.stack).toContain("SystemError [ERR_FS_EISDIR]: Path is a directory");
    const rejected = (await errorOf(() => fs.promises.chmod("/none", {} as never), undefined)) as Error;
    expect(rejected.stack).toContain('TypeError [ERR_INVALID_ARG_TYPE]: The "mode"');
  });

  it("is the caller's own when one of its functions threw", () => {
    const fs = faceWithFiles();
    const own = new Error("thrown by a getter");
    const { stack } = own;
    const options = {
      get encoding(): never {
        throw own;
      },
    };
    expect(thrownBy(() => fs.readFileSync("/file", options))).toBe(own);
    expect(thrownBy(() => fs.readdirSync("/dir", options))).toBe(own);
    expect(own.stack).toBe(stack);
  });

  it("is as long as it is wished to be, and leaves the wish alone", () => {
    const fs = faceWithFiles();
    const before = Error.stackTraceLimit;
    for (const limit of [0, 1, 3]) {
      Error.stackTraceLimit = limit;
      const error = thrownBy(() => fs.statSync("/none"));
      expect(Error.stackTraceLimit).toBe(limit);
      Error.stackTraceLimit = before;
      expect(framesOf(error)).toHaveLength(limit);
    }
  });

  it("is there when nobody may change how long it is", () => {
    const fs = faceWithFiles();
    const before = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit") as PropertyDescriptor;
    Object.defineProperty(Error, "stackTraceLimit", { ...before, writable: false });
    try {
      expect(faultOf(thrownBy(() => fs.statSync("/none")))).toBe(undefined);
      expect(faultOf(thrownBy(() => fs.statSync(5 as never)))).toBe(undefined);
    } finally {
      Object.defineProperty(Error, "stackTraceLimit", before);
    }
  });
});

/** What methods of FileHandle say when they are called on something else. */
async function handleOfNothing(fs: ReturnType<typeof faceWithFiles>): Promise<Error[]> {
  const handle = await fs.promises.open("/file");
  const errors: Error[] = [];
  for (const name of ["stat", "read", "writeFile", "readFile", "chmod"] as const) {
    const error = await errorOf(() => (handle[name] as Call).call({}), undefined);
    errors.push(error as Error);
  }
  await handle.close();
  return errors;
}
