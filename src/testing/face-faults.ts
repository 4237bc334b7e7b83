/**
 * A face around a face of node:fs that is not foliofs's, under faults: its methods are asked about by the calls that Node makes for
 * them, one that is to fail is not made, or as far as it would have come.
 *
 * What is Node's own inside (cp, glob, watch, the classes of streams) goes by the original; streams that createReadStream() and
 * createWriteStream() make are Node's, on this face.
 */
import { ENOENT } from "../base/errno.ts";
import { builtinModule } from "../node/platform.ts";
import type { Origin } from "../node/stacks.ts";
import { uvException, writeException } from "../node/uv-errors.ts";
import { cutArguments, resultBytes } from "./face-arguments.ts";
import { type Describe, type FaceState, HANDLE_METHODS, METHODS, type MethodPlan } from "./face-methods.ts";
import type { FaultCall } from "./fault-call.ts";
import type { Faults } from "./faults.ts";

// biome-ignore lint/suspicious/noExplicitAny: methods of all kinds go the same way
type Method = (...args: any[]) => any;
type Face = Record<string | symbol, unknown>;

/** What rules make of a method's calls. */
interface Verdict {
  readonly plan: MethodPlan;
  /** Calls that are made, the last ones of which are not noted yet. */
  readonly made: FaultCall[];
  /** Which call fails; undefined = none. */
  readonly failing: FaultCall | undefined;
  readonly errno: number;
  /** Bytes of the data that are written before it fails. */
  readonly done: number;
  /** Most bytes that a single read or write moves. */
  readonly most: number;
  readonly wait: Promise<unknown> | undefined;
}

/** A method of a face. */
interface Wrapped {
  readonly name: string;
  readonly describe: Describe;
  readonly call: Method;
  /** Told of what it has answered. @returns what is answered instead */
  readonly after?: (result: unknown, args: readonly unknown[]) => unknown;
}

/** A descriptor is closed whatever close(2) answers, and what came before has been done; of data #begin() sees to that. */
function isDoneAllTheSame({ failing, plan }: Verdict): boolean {
  return failing?.call === "close" && plan.data === undefined;
}

/** Arguments with the descriptor of a FileHandle in its place. */
function byDescriptor(args: readonly unknown[]): readonly unknown[] {
  const { fd } = (args[0] ?? {}) as { fd?: unknown };
  return typeof fd === "number" ? [fd, ...args.slice(1)] : args;
}

class FaceFaults {
  readonly #original: Face;
  readonly #faults: Faults;
  readonly #paths = new Map<number, string>();
  readonly #state: FaceState;
  isOver = false;

  constructor(original: Face, faults: Faults) {
    this.#original = original;
    this.#faults = faults;
    this.#state = {
      paths: this.#paths,
      sizeOf: (path) => this.#atOnce<{ size: number }>("stat", path)?.size,
    };
  }

  /** Calls a synchronous method of the original. @returns undefined when it fails, or is not there */
  #atOnce<T>(name: string, ...args: unknown[]): T | undefined {
    try {
      return (this.#original[`${name}Sync`] as Method)?.call(this.#original, ...args);
    } catch {
      return undefined;
    }
  }

  // --- Before a method ----------------------------------------------------------------------------------------------------

  #judge(plan: MethodPlan): Verdict {
    const made: FaultCall[] = [];
    const waits: Promise<unknown>[] = [];
    let done = 0;
    let most = Infinity;
    for (const call of plan.calls) {
      for (let left = call.length; ; ) {
        const asked = left === undefined ? call : { ...call, length: left };
        const decision = this.#faults.decide(asked);
        if (decision.wait) waits.push(decision.wait);
        if (decision.errno !== 0) {
          const wait = waits.length > 0 ? Promise.all(waits) : undefined;
          return { plan, made, failing: asked, errno: decision.errno, done, most, wait };
        }
        const isWhole = left === undefined || decision.most >= left;
        if (isWhole || plan.data === undefined) {
          if (!isWhole) most = decision.most;
          made.push(asked);
          break;
        }
        this.#faults.note(asked, decision.most, true);
        done += decision.most;
        left = (left as number) - decision.most;
      }
    }
    return {
      plan,
      made,
      failing: undefined,
      errno: 0,
      done,
      most,
      wait: waits.length > 0 ? Promise.all(waits) : undefined,
    };
  }

  // --- After it -----------------------------------------------------------------------------------------------------------

  /** @param result what the method tells of the one call that it is */
  #noteMade({ made, most, plan }: Verdict, result: number): void {
    const isOne = plan.calls.length === 1 && plan.data === undefined;
    for (const call of made) this.#faults.note(call, isOne ? result : (call.length ?? 0), most < Infinity);
  }

  /** The method has failed by itself: by the call that its error names, else by the last one. */
  #noteRefused({ made }: Verdict, error: unknown): void {
    const { errno, syscall } = (error ?? {}) as { errno?: number; syscall?: string };
    if (typeof errno !== "number") return; // of its arguments: nothing has been called
    const at = made.findIndex(({ call }) => call === syscall);
    const last = at < 0 ? made.length - 1 : at;
    for (let i = 0; i < last; i++) this.#faults.note(made[i], made[i].length ?? 0, false);
    if (last >= 0) this.#faults.note(made[last], -Math.abs(errno), false);
  }

  /** Does of a method that is to fail what comes before. */
  #begin({ name }: Wrapped, { done, failing, made, plan }: Verdict, args: readonly unknown[]): void {
    const isOpen = made.some(({ call }) => call === "open") || plan.calls[0].call !== "open";
    if (plan.data !== undefined && isOpen) {
      const { length } = plan.data;
      const written = failing?.call === "write" ? done : length;
      const [file, , options] = args;
      const given = typeof options === "object" && options !== null ? { ...options, signal: undefined } : options;
      this.#atOnce(name, file, plan.data.subarray(0, written), given);
    }
    if (name === "copyFile" && failing?.call === "copy_file_range") this.#atOnce("unlink", args[1]);
    for (const call of made) this.#faults.note(call, call.length ?? 0, false);
  }

  #error(wrapped: Wrapped, { errno, failing, made, plan }: Verdict, origin: Origin, isSync: boolean): Error {
    const call = failing as FaultCall;
    this.#faults.note(call, -errno, true);
    const last = plan.calls.at(-1) as FaultCall;
    if (made[0]?.call === "open" && last.call === "close" && call.call !== "close") this.#faults.note(last, 0, false);
    if (isSync && wrapped.name === "write") return writeException(-errno, origin);
    const { syscall, path, dest } = plan.shown(call);
    return uvException(-errno, syscall, path, dest, origin);
  }

  /** @returns undefined where the method is to be left alone: its arguments are wrong, or it is all over */
  #verdictOn({ describe }: Wrapped, args: readonly unknown[]): Verdict | undefined {
    if (this.isOver) return undefined;
    let plan: MethodPlan;
    try {
      plan = describe(this.#state, args);
    } catch {
      return undefined;
    }
    return this.#judge(plan);
  }

  /** What a method answers to an error without throwing it. */
  #answerTo({ name }: Wrapped, { errno }: Verdict, args: readonly unknown[]): { value: unknown } | undefined {
    if (name === "exists") return { value: false };
    const isQuiet = (args[1] as { throwIfNoEntry?: boolean } | undefined)?.throwIfNoEntry === false;
    return isQuiet && errno === ENOENT && (name === "stat" || name === "lstat") ? { value: undefined } : undefined;
  }

  #finish({ name, after }: Wrapped, verdict: Verdict, result: unknown, args: readonly unknown[]): unknown {
    this.#noteMade(verdict, resultBytes(result));
    if (name === "close") this.#paths.delete(args[0] as number);
    if (name === "open" && typeof result === "number") this.#paths.set(result, verdict.plan.calls[0].path as string);
    return after ? after(result, args) : result;
  }

  // --- The three forms ----------------------------------------------------------------------------------------------------

  sync(wrapped: Wrapped): Method {
    const form: Method = (...args) => {
      const verdict = this.#verdictOn(wrapped, args);
      if (verdict === undefined) return wrapped.call(...args);
      if (verdict.failing !== undefined) {
        if (isDoneAllTheSame(verdict)) wrapped.call(...args);
        this.#begin(wrapped, verdict, args);
        const error = this.#error(wrapped, verdict, form, true);
        const answer = this.#answerTo(wrapped, verdict, args);
        if (answer) return answer.value;
        throw error;
      }
      try {
        const result = wrapped.call(...cutArguments(wrapped.name, args, verdict.most));
        return this.#finish(wrapped, verdict, result, args);
      } catch (error) {
        this.#noteRefused(verdict, error);
        throw error;
      }
    };
    return form;
  }

  promise(wrapped: Wrapped): Method {
    const form: Method = async (...args) => {
      const described = byDescriptor(args);
      const verdict = this.#verdictOn(wrapped, described);
      if (verdict === undefined) return wrapped.call(...args);
      const error = verdict.failing && this.#failing(wrapped, verdict, described, form);
      await verdict.wait;
      if (error) {
        if (isDoneAllTheSame(verdict)) await wrapped.call(...args);
        throw error;
      }
      let result: unknown;
      try {
        result = await wrapped.call(...cutArguments(wrapped.name, args, verdict.most));
      } catch (refused) {
        this.#noteRefused(verdict, refused);
        throw refused;
      }
      return this.#finish(wrapped, verdict, result, args);
    };
    return form;
  }

  callback(wrapped: Wrapped): Method {
    const form: Method = (...all) => {
      const callback = all.at(-1);
      const args = all.slice(0, -1);
      const verdict = typeof callback === "function" ? this.#verdictOn(wrapped, args) : undefined;
      if (verdict === undefined) return wrapped.call(...all);
      const error = verdict.failing && this.#failing(wrapped, verdict, args, form);
      const go = (): void => {
        if (error) this.#deliver(wrapped, verdict, args, error, callback);
        else this.#callBack(wrapped, verdict, args, callback);
      };
      if (verdict.wait) void verdict.wait.then(go, go);
      else if (error) queueMicrotask(go);
      else go();
    };
    return form;
  }

  #failing(wrapped: Wrapped, verdict: Verdict, args: readonly unknown[], origin: Origin): Error {
    this.#begin(wrapped, verdict, args);
    return this.#error(wrapped, verdict, origin, false);
  }

  #deliver(wrapped: Wrapped, verdict: Verdict, args: readonly unknown[], error: Error, callback: Method): void {
    const answer = this.#answerTo(wrapped, verdict, args);
    if (wrapped.name === "exists") callback(false);
    else if (answer) callback(null, answer.value);
    else if (isDoneAllTheSame(verdict)) wrapped.call(...args, () => callback(error));
    else callback(error);
  }

  #callBack(wrapped: Wrapped, verdict: Verdict, args: readonly unknown[], callback: Method): void {
    wrapped.call(...cutArguments(wrapped.name, args, verdict.most), (error: unknown, ...results: unknown[]) => {
      if (wrapped.name === "exists") this.#noteMade(verdict, 0);
      else if (error) this.#noteRefused(verdict, error);
      else results[0] = this.#finish(wrapped, verdict, results[0], args);
      callback(error, ...results);
    });
  }

  // --- What methods give ---------------------------------------------------------------------------------------------------

  /** Puts an open FileHandle under faults, in place. */
  handle(handle: unknown, path: string): unknown {
    const file = handle as Face & { fd: number };
    if (typeof file?.fd === "number") this.#paths.set(file.fd, path);
    for (const [name, method] of Object.entries(HANDLE_METHODS)) {
      const original = file?.[name];
      if (typeof original !== "function") continue;
      const call: Method = (_fd, ...args) => original.apply(file, args);
      const form = this.promise({ name: method, describe: METHODS[method], call });
      define(file, name, (...args: unknown[]) => form(file.fd, ...args));
    }
    return handle;
  }

  /** Puts an open directory under faults, in place. */
  dir(dir: unknown, path: string): unknown {
    const open = dir as Face & { path: string };
    const describe: Describe = () => ({
      calls: [{ call: "scandir", path }],
      shown: () => ({ syscall: "scandir", path: open.path }),
    });
    const [read, readSync] = [open.read as Method, open.readSync as Method];
    const wrapped = { name: "readdir", describe, call: (...args: unknown[]) => read.apply(open, args) };
    const [later, soon] = [this.callback(wrapped), this.promise(wrapped)];
    define(open, "read", (callback?: unknown) => (callback === undefined ? soon() : later(callback)));
    define(open, "readSync", this.sync({ ...wrapped, call: () => readSync.call(open) }));
    async function* entries(): AsyncGenerator<unknown> {
      try {
        for (let entry = await soon(); entry !== null; entry = await soon()) yield entry;
      } finally {
        await (open.close as Method)();
      }
    }
    define(open, "entries", entries);
    define(open, Symbol.asyncIterator, entries);
    return dir;
  }

  // --- Faces --------------------------------------------------------------------------------------------------------------

  /** A copy of `original` whose methods are under faults. @param isPromises whether it is `fs.promises` */
  wrap(original: Face, isPromises: boolean): Face {
    const copy = copyOf(original);
    for (const [name, describe] of Object.entries(METHODS)) {
      this.#wrapMethod(original, copy, name, describe, isPromises ? "promise" : "callback");
      if (!isPromises) this.#wrapMethod(original, copy, `${name}Sync`, describe, "sync");
    }
    if ("default" in original) define(copy, "default", copy);
    return copy;
  }

  #wrapMethod(
    original: Face,
    copy: Face,
    key: string,
    describe: Describe,
    form: "sync" | "callback" | "promise",
  ): void {
    const method = original[key];
    if (typeof method !== "function") return;
    const name = key.replace(/Sync$/, "");
    const call: Method = (...args) => (original[key] as Method).apply(original, args);
    const wrapped = this[form]({ name, describe, call, after: this.#afterOf(name, form) });
    for (const property of Reflect.ownKeys(method)) {
      const isOwn = ["length", "name", "prototype"].includes(property as string) || property === PROMISIFY;
      if (!isOwn) Object.defineProperty(wrapped, property, Object.getOwnPropertyDescriptor(method, property) as object);
    }
    const native = (method as unknown as { native?: Method }).native;
    if (native) define(wrapped as never, "native", this[form]({ name, describe, call: native }));
    Object.defineProperty(wrapped, "name", { value: key, configurable: true });
    if (name === "exists" && form === "callback")
      Object.defineProperty(wrapped, PROMISIFY, {
        value: (path: unknown) => new Promise((resolve) => wrapped(path, resolve)),
      });
    define(copy, key, wrapped);
  }

  #afterOf(name: string, form: string): Wrapped["after"] {
    const pathOf = (args: readonly unknown[]): string => METHODS.open(this.#state, args).calls[0].path as string;
    if (name === "opendir") return (dir, args) => this.dir(dir, pathOf(args));
    if (name === "open" && form === "promise") return (handle, args) => this.handle(handle, pathOf(args));
    return undefined;
  }
}

/** Own properties as they are, methods of a class bound to the original. */
function copyOf(original: Face): Face {
  const copy = Object.create(Object.getPrototypeOf(original)) as Face;
  for (let of = Object.getPrototypeOf(original); of !== null && of !== Object.prototype; of = Object.getPrototypeOf(of))
    for (const key of Reflect.ownKeys(of)) {
      const value = Object.getOwnPropertyDescriptor(of, key)?.value;
      if (typeof value === "function" && key !== "constructor" && !Object.hasOwn(copy, key))
        define(copy, key, value.bind(original));
    }
  for (const key of Reflect.ownKeys(original)) {
    const descriptor = Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor;
    const isReplaced = key === "default" || key === "promises";
    if (!isReplaced) Object.defineProperty(copy, key, { ...descriptor, configurable: true });
  }
  return copy;
}

const PROMISIFY = Symbol.for("nodejs.util.promisify.custom");

function define(target: object, key: string | symbol, value: unknown): void {
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
}

interface StreamMakers {
  createReadStream: Method;
  createWriteStream: Method;
}

/** Streams of Node's on a face; a FileHandle brings its own calls. */
function addStreams(copy: Face, node: StreamMakers): void {
  for (const name of ["createReadStream", "createWriteStream"] as const) {
    if (typeof copy[name] !== "function") continue;
    define(copy, name, (path: unknown, options?: unknown) => {
      const given = typeof options === "string" ? { encoding: options } : { ...(options as object) };
      const isOwn = typeof (given as { fd?: unknown }).fd === "object" || "fs" in given;
      return node[name](path, isOwn ? given : { ...given, fs: copy });
    });
  }
}

/** A face around another. @returns it, and what has it pass all on as it comes */
export function wrapFace<Fs extends object>(fs: Fs, faults: Faults<Fs>): { fs: Fs; uninstall: () => void } {
  const original = fs as unknown as Face;
  const node = builtinModule<Face & StreamMakers>("node:fs");
  const isPromises = typeof original.openSync !== "function" && typeof original.promises !== "object";
  const whole = isPromises && node?.promises === (original.default ?? original) ? node : original;
  const hooks = new FaceFaults(whole, faults as Faults);
  const copy = hooks.wrap(original, isPromises);
  if (!isPromises && typeof original.promises === "object")
    define(copy, "promises", hooks.wrap(original.promises as Face, true));
  if (!isPromises && node) addStreams(copy, node);
  return {
    fs: copy as unknown as Fs,
    uninstall: () => {
      hooks.isOver = true;
    },
  };
}
