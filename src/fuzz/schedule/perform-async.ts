/** Makes calls in the form that they ask for, and says in a line what has come of them: as the model does (model.ts). */
import { type AsyncCall, bytesOfCells, CELL_BYTES, cellsOf, type Form, SHARED_SLOT } from "./async-call.ts";

type AnyFunction = (...args: unknown[]) => unknown;
type Functions = Readonly<Record<string, AnyFunction>>;

/** A face of node:fs by the names of its functions. */
export type Face = Functions & { readonly promises: Functions };

interface Handle {
  readonly fd: number;
}

/** What calls are made on, for all chains of a machine. */
export interface AsyncHands {
  /** By chain. */
  readonly faces: readonly Face[];
  /** Folder of the paths. */
  readonly root: string;
  /** Calls that are no functions of the face, by name: sync, drop, press. */
  readonly others: Readonly<Record<string, (form: Form) => unknown>>;
  /** Holds an abort until it is chosen. */
  readonly hold: (name: string) => Promise<void>;
}

/** An open file; those that a promise has given have a handle. */
interface Opened {
  readonly fd: number;
  readonly handle?: Functions & Handle;
}

interface Asked {
  readonly args: readonly unknown[];
  /** Method of FileHandle; what has none is asked for by the path. */
  readonly method?: string;
  readonly answer?: (value: unknown) => string;
}

const MODE_BITS = 0o7777;

interface FileStats {
  readonly size: number;
  readonly nlink: number;
  readonly mode: number;
  isDirectory(): boolean;
}

function describeStats(value: unknown): string {
  const stats = value as FileStats;
  const kind = stats.isDirectory() ? "directory" : `file of ${stats.size / CELL_BYTES}, ${stats.nlink} links`;
  return `${kind}, mode ${(stats.mode & MODE_BITS).toString(8)}`;
}

/** Bytes moved: a number, or what a FileHandle tells. */
function countOf(value: unknown): number {
  if (typeof value === "number") return value;
  const { bytesRead, bytesWritten } = value as { bytesRead?: number; bytesWritten?: number };
  return bytesRead ?? bytesWritten ?? Number.NaN;
}

function cells(arg: unknown): number {
  return (arg as number) * CELL_BYTES;
}

function position(arg: unknown): number | null {
  return arg === null ? null : cells(arg);
}

function fill(length: unknown, character: unknown): Buffer {
  return bytesOfCells(String(character).repeat(length as number));
}

function read([, at, length]: readonly unknown[]): Asked {
  const buffer = Buffer.alloc(cells(length));
  return {
    args: [buffer, 0, buffer.length, position(at)],
    method: "read",
    answer: (value) => `read ${cellsOf(buffer.subarray(0, countOf(value)))}`,
  };
}

function write([, at, length, character]: readonly unknown[]): Asked {
  const bytes = fill(length, character);
  return {
    args: [bytes, 0, bytes.length, position(at)],
    method: "write",
    answer: (value) => `wrote ${countOf(value) / CELL_BYTES}`,
  };
}

/** Calls of descriptors, with what they are given beside one. */
const OF_FILES: Readonly<Record<string, (args: readonly unknown[]) => Asked>> = {
  read,
  write,
  ftruncate: ([, length]) => ({ args: [cells(length)], method: "truncate" }),
  fsync: () => ({ args: [], method: "sync" }),
  fdatasync: () => ({ args: [], method: "datasync" }),
  fstat: () => ({ args: [], method: "stat", answer: describeStats }),
  fchmod: ([, mode]) => ({ args: [mode], method: "chmod" }),
};

type Path = (arg: unknown) => string;

/** Calls that are given up at some moment, and what they are else. */
const ABORTED: Readonly<Record<string, string>> = { abortRead: "readFile", abortWrite: "writeFile" };

/** Calls of paths. */
const OF_PATHS: Readonly<Record<string, (path: Path, args: readonly unknown[]) => Asked>> = {
  stat: (path, [one]) => ({ args: [path(one)], answer: describeStats }),
  chmod: (path, [one, mode]) => ({ args: [path(one), mode] }),
  truncate: (path, [one, length]) => ({ args: [path(one), cells(length)] }),
  readFile: (path, [one]) => ({ args: [path(one)], answer: (value) => `read ${cellsOf(value as Buffer)}` }),
  writeFile: (path, [one, length, character]) => ({ args: [path(one), fill(length, character)] }),
  abortRead: (path, [one]) => ({ args: [path(one)], answer: (value) => `read ${cellsOf(value as Buffer)}` }),
  abortWrite: (path, [one, length, character]) => ({ args: [path(one), fill(length, character)] }),
  appendFile: (path, [one, length, character]) => ({ args: [path(one), fill(length, character)] }),
  rename: (path, [one, two]) => ({ args: [path(one), path(two)] }),
  link: (path, [one, two]) => ({ args: [path(one), path(two)] }),
  unlink: (path, [one]) => ({ args: [path(one)] }),
  rmdir: (path, [one]) => ({ args: [path(one)] }),
  mkdir: (path, [one]) => ({ args: [path(one)] }),
  readdir: (path, [one]) => ({
    args: [path(one)],
    answer: (names) => `names ${(names as string[]).toSorted().join(" ")}`,
  }),
};

function byCallback(call: AnyFunction, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call(...args, (error: Error | null, value: unknown) => (error ? reject(error) : resolve(value)));
  });
}

export class AsyncPerformer {
  readonly #hands: AsyncHands;
  readonly #slots = new Map<string, Opened>();

  /** @param shared the descriptor that all chains have */
  constructor(hands: AsyncHands, shared: number) {
    this.#hands = hands;
    this.#slots.set(SHARED_SLOT, { fd: shared });
  }

  /** Whether a FileHandle has the descriptor of a call: its close() waits for what is under way on it. */
  isHandle(call: AsyncCall): boolean {
    return this.#slots.get(this.#key(call, call.args[0]))?.handle !== undefined;
  }

  /** Makes a call; a synchronous one is over when this returns. */
  perform(call: AsyncCall): string | Promise<string> {
    try {
      const made = this.#make(call);
      return made instanceof Promise ? made.catch(describeFailure) : made;
    } catch (error) {
      return describeFailure(error);
    }
  }

  #make(call: AsyncCall): string | Promise<string> {
    const { others } = this.#hands;
    const { call: name, args, form } = call;
    if (name === "open") return this.#open(call);
    if (Object.hasOwn(others, name)) return answered(others[name](form), () => "ok");
    const ofPath = OF_PATHS[name] as (typeof OF_PATHS)[string] | undefined;
    if (ofPath !== undefined) {
      const { args: given, answer } = ofPath((arg) => this.#path(arg), args);
      return answered(this.#call(call, given), answer);
    }
    const opened = this.#slots.get(this.#key(call, args[0]));
    if (opened === undefined) return "none";
    return name === "close" ? this.#close(call, opened) : this.#callFile(call, opened);
  }

  #path(arg: unknown): string {
    return arg === "" ? this.#hands.root : `${this.#hands.root}/${arg}`;
  }

  #key({ task }: AsyncCall, slot: unknown): string {
    return slot === SHARED_SLOT ? SHARED_SLOT : `${task}.${slot}`;
  }

  #call({ task, call, form }: AsyncCall, args: readonly unknown[]): unknown {
    const face = this.#hands.faces[task];
    if (Object.hasOwn(ABORTED, call)) return this.#abort({ task, call: ABORTED[call], args: [], form }, args);
    if (form === "sync") return face[`${call}Sync`](...args);
    return form === "promise" ? face.promises[call](...args) : byCallback(face[call], args);
  }

  #abort(call: AsyncCall, args: readonly unknown[]): unknown {
    const controller = new AbortController();
    void this.#hands.hold(`abort of ${call.task}`).then(() => controller.abort());
    const form = call.form === "sync" ? "promise" : call.form;
    return this.#call({ ...call, form }, [...args, { signal: controller.signal }]);
  }

  #callFile(call: AsyncCall, { fd, handle }: Opened): string | Promise<string> {
    const { args, method, answer } = OF_FILES[call.call](call.args);
    if (call.form === "promise" && handle !== undefined) return answered(handle[String(method)](...args), answer);
    const form = call.form === "promise" ? "callback" : call.form; // there is no other of descriptors
    return answered(this.#call({ ...call, form }, [fd, ...args]), answer);
  }

  #open(call: AsyncCall): string | Promise<string> {
    const [path, slot, flags] = call.args;
    const key = this.#key(call, slot);
    if (this.#slots.has(key)) return "full";
    return answered(this.#call(call, [this.#path(path), flags]), (value) => {
      const handle = value as Functions & Handle;
      this.#slots.set(key, typeof value === "number" ? { fd: value } : { fd: handle.fd, handle });
      return "ok";
    });
  }

  #close(call: AsyncCall, { fd, handle }: Opened): string | Promise<string> {
    this.#slots.delete(this.#key(call, call.args[0]));
    if (handle !== undefined) return answered(handle.close(), undefined);
    const form = call.form === "promise" ? "callback" : call.form;
    return answered(this.#call({ ...call, form }, [fd]), undefined);
  }
}

function answered(value: unknown, answer: ((value: unknown) => string) | undefined): string | Promise<string> {
  const tell = answer ?? (() => "ok");
  return value instanceof Promise ? value.then(tell) : tell(value);
}

function describeFailure(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  return code ?? `${name}: ${message}`;
}
