/** Runs cases on one subject and describes all that can be observed of each. */
import type { Dir } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Subject } from "../helpers/subject.ts";
import { type Case, type Context, handleMethod } from "./case.ts";
import { type Described, describe } from "./describe.ts";
import { whenNothingComes } from "./patience.ts";
import { buildTree, changes, type Dump, dumpTree, type TreeName } from "./tree.ts";

const HANGS_AFTER_MS = 3_000;

interface Outcome {
  readonly how: string;
  readonly value?: unknown;
}

type AnyFunction = (...args: unknown[]) => unknown;

/** Follows a dotted name from `owner`, and binds what is found. */
function lookUp(owner: object, dotted: string): AnyFunction | undefined {
  let found: unknown = owner;
  let self: unknown;
  for (const name of dotted.split(".")) {
    self = found;
    found = (found as Record<string, unknown> | undefined)?.[name];
  }
  return typeof found === "function" ? (found.bind(self) as AnyFunction) : undefined;
}

function functionOf({ fn, form }: Case, { fs, handle }: Context): AnyFunction | undefined {
  if (form === "sync") return lookUp(fs, fn.replace(/^\w+/, "$&Sync"));
  if (form === "promise") return lookUp(fs.promises, fn);
  if (form === "handle") return lookUp(handle as object, handleMethod(fn));
  return lookUp(fs, fn);
}

function callSync(call: AnyFunction, args: unknown[]): Outcome {
  try {
    return { how: "returns", value: call(...args) };
  } catch (error) {
    return { how: "throws", value: error };
  }
}

async function callPromise(call: AnyFunction, args: unknown[]): Promise<Outcome> {
  let promise: unknown;
  try {
    promise = call(...args);
  } catch (error) {
    return { how: "throws", value: error };
  }
  if (!(promise instanceof Promise)) return { how: "returns no promise", value: promise };
  return promise.then(
    (value) => ({ how: "resolves", value }),
    (value) => ({ how: "rejects", value }),
  );
}

function callBack(call: AnyFunction, args: unknown[]): Promise<Outcome> {
  return new Promise((resolve) => {
    let returned = false;
    const timer = whenNothingComes(HANGS_AFTER_MS, () => resolve({ how: "never calls back" }));
    const callback = (...results: unknown[]): void => {
      clearTimeout(timer);
      resolve({ how: returned ? "calls back" : "calls back before it returns", value: results });
    };
    try {
      const value = call(...args, callback);
      returned = true;
      if (value !== undefined) resolve({ how: "callback form returns a value", value });
    } catch (error) {
      clearTimeout(timer);
      resolve({ how: "throws", value: error });
    }
  });
}

function perform(test: Case, context: Context, args: unknown[]): Promise<Outcome> | Outcome {
  const { program } = test;
  if (program) return callPromise(() => program(context), []);

  const call = functionOf(test, context);
  if (call === undefined) return { how: "there is no such function" };
  if (test.form === "sync" || test.form === "bare") return callSync(call, args);
  return test.form === "callback" ? callBack(call, args) : callPromise(call, args);
}

function isDir(value: unknown): value is Dir {
  return value?.constructor?.name === "Dir";
}

function isFileHandle(value: unknown): value is FileHandle {
  return value?.constructor?.name === "FileHandle";
}

/** Describes one value of an outcome, and closes what it holds open. */
async function settle(value: unknown, test: Case, context: Context): Promise<Described> {
  if (test.fn === "open" && typeof value === "number") {
    context.fs.closeSync(value);
    return "a descriptor";
  }
  const described = describe(value, context.root);
  if (isFileHandle(value)) await value.close();
  if (!isDir(value)) return described;

  const entries: Described[] = [];
  for (let entry = value.readSync(); entry !== null; entry = value.readSync()) {
    entries.push(describe(entry, context.root));
  }
  value.closeSync();
  return { dir: described, entries };
}

async function describeOutcome(outcome: Outcome, test: Case, context: Context): Promise<Described> {
  const { how, value } = outcome;
  if (how !== "calls back") return { how, value: await settle(value, test, context) };

  const values: Described[] = [];
  for (const item of value as unknown[]) values.push(await settle(item, test, context));
  return { how, values };
}

/** Arguments that a call may have written to. */
function describeBuffers(args: unknown[], root: string): Described {
  return args.flat().flatMap((arg) => (ArrayBuffer.isView(arg) ? [describe(arg, root)] : []));
}

/** What a read at the file's position gives: shows whether the call moved it. */
function probePosition(context: Context): unknown {
  const probe = Buffer.alloc(8);
  const bytesRead = context.fs.readSync(context.fd, probe, 0, 8, null);
  return [bytesRead, probe];
}

function describeAfter(test: Case, context: Context): Described {
  const look = test.after ?? (test.open ? probePosition : undefined);
  if (look === undefined) return null;
  try {
    return describe(look(context), context.root);
  } catch (error) {
    return describe(error, context.root);
  }
}

/** Replaces the random part of the name that mkdtemp made, wherever it shows. */
function maskRandomName(seen: Described, changed: readonly string[], { fn }: Case): Described {
  if (!fn.startsWith("mkdtemp")) return seen;
  const random = changed.map((line) => /^\+ .*(\w{6}) 40700 /.exec(line)?.[1]).find((part) => part !== undefined);
  if (random === undefined) return seen;
  return JSON.parse(JSON.stringify(seen).replaceAll(random, "XXXXXX"));
}

export class CaseRunner {
  readonly subject: Subject;
  #tree: TreeName | undefined;
  #pristine: Dump = new Map();

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Runs one case on a pristine tree. Never throws: a failure to set up is an observation, too. */
  async run(test: Case): Promise<Described> {
    this.subject.enter();
    try {
      this.#prepare(test.tree);
      return await this.#observe(test);
    } catch (error) {
      this.#tree = undefined;
      return { setUpFails: describe(error, this.subject.root) };
    }
  }

  /** The tree that cases start from, line by line. */
  pristineTree(name: TreeName): Described {
    this.#tree = undefined;
    this.#prepare(name);
    return Object.fromEntries(this.#pristine);
  }

  #prepare(name: TreeName): void {
    if (this.#tree === name) return;
    buildTree(this.subject, name);
    this.#pristine = dumpTree(this.subject);
    this.#tree = name;
  }

  async #observe(test: Case): Promise<Described> {
    const seen = await this.#call(test);
    const changed = changes(this.#pristine, dumpTree(this.subject));
    // A tree that the call left as it was serves the next case as well.
    if (changed.length > 0 || test.open) this.#tree = undefined;
    return maskRandomName({ ...seen, tree: changed }, changed, test);
  }

  async #call(test: Case): Promise<{ [key: string]: Described }> {
    const context = await this.#open(test);
    try {
      const args = test.args(context);
      const outcome = await describeOutcome(await perform(test, context, args), test, context);
      const buffers = describeBuffers(args, this.subject.root);
      return { outcome, buffers, after: describeAfter(test, context) };
    } finally {
      await this.#close(test, context);
    }
  }

  async #open({ open, form }: Case): Promise<Context> {
    const { subject } = this;
    const { fs, root } = subject;
    const path = (name: string): string => `${root}/${name}`;
    if (!open) return { subject, fs, root, path, fd: -1 };

    const [name, flags] = open;
    if (form !== "handle" && form !== "promise") return { subject, fs, root, path, fd: fs.openSync(path(name), flags) };
    const handle = await fs.promises.open(path(name), flags);
    return { subject, fs, root, path, handle, fd: handle.fd };
  }

  async #close({ open }: Case, { fs, fd, handle }: Context): Promise<void> {
    if (!open) return;
    try {
      if (handle) await handle.close();
      else fs.closeSync(fd);
    } catch {
      // The case closed it itself.
    }
  }
}
