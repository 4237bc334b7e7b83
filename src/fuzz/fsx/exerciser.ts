/**
 * Performs operations on a machine and on the model beside it, and compares.
 *
 * What is open (descriptors, mappings, views) is kept here, with the positions that descriptors should have. Descriptors are opened when
 * they are first wanted.
 *
 * Does not own: what each operation does (…-calls.ts).
 */
import type { FolioFs } from "../../index.ts";
import { DATA_CALLS } from "./data-calls.ts";
import { FileModel } from "./file-model.ts";
import type { Machine } from "./machine.ts";
import { MACHINE_CALLS } from "./machine-calls.ts";
import { MAPPING_CALLS } from "./mapping-calls.ts";
import { expectBytes, expectNumber, Mismatch } from "./mismatch.ts";
import { NR_FILES, NR_MAPPINGS, type Operation, type OperationName } from "./operation.ts";
import type { PrivatePages } from "./private-pages.ts";
import { RANGE_CALLS } from "./range-calls.ts";
import { PLAIN, READER, WAYS, type Way } from "./ways.ts";

export interface Open {
  readonly fd: number;
  readonly way: Way;
  /** Where it should be. */
  position: number;
}

export interface Mapped {
  readonly mapping: ReturnType<FolioFs["kernel"]["mmap"]>;
  readonly file: number;
  /** First byte in the file, and bytes. */
  readonly offset: number;
  readonly length: number;
  /** It may be stored to. */
  readonly isWritten: boolean;
  /** undefined = it is shared. */
  readonly copies: PrivatePages | undefined;
}

export interface HeldView {
  readonly view: ReturnType<FolioFs["readView"]>;
  readonly file: number;
  readonly at: number;
  /** The pages are the file's no more, or may be: it has been cut, cloned into and so on. */
  isApart: boolean;
}

/** What a snapshot has. */
export interface Saved {
  readonly bytes: Uint8Array;
  readonly models: readonly FileModel[];
}

/** What an operation does. */
export type Perform = (on: Exerciser, operation: Operation) => void;

const CALLS: Readonly<Record<OperationName, Perform>> = {
  ...DATA_CALLS,
  ...RANGE_CALLS,
  ...MAPPING_CALLS,
  ...MACHINE_CALLS,
};

const O_DIRECT_LINUX = 0o40000;

export interface ExerciserOptions {
  /** Most bytes of a file. */
  readonly length: number;
}

/** A call that was refused for want of room: nothing has changed. */
class Refused extends Error {}

/** A range of a file that an operation was about, for the report of what is found. */
export interface Touch {
  /** Index of the operation. */
  readonly index: number;
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

export class Exerciser {
  readonly machine: Machine;
  readonly length: number;
  models: FileModel[];
  readonly mappings: (Mapped | undefined)[] = Array.from({ length: NR_MAPPINGS }, () => undefined);
  readonly views: HeldView[] = [];
  readonly touches: Touch[] = [];
  saved: Saved | undefined;
  /** Calls that were refused for want of room. */
  nrRefused = 0;
  #opens = noneOpen();
  #nrDone = 0;

  constructor(machine: Machine, { length }: ExerciserOptions) {
    this.machine = machine;
    this.length = length;
    this.models = Array.from({ length: NR_FILES }, (_, file) => new FileModel(length, machine.initial(file)));
  }

  get sizes(): number[] {
    return this.models.map(({ size }) => size);
  }

  /** The face, for calls beyond node:fs. */
  get folio(): FolioFs {
    const { folio } = this.machine;
    if (folio === undefined) throw new Error("this machine has none of the calls beyond node:fs");
    return folio;
  }

  /** @throws Mismatch */
  perform(operation: Operation): void {
    try {
      CALLS[operation.op](this, operation);
      this.#checkSize(operation);
    } catch (error) {
      if (!(error instanceof Refused)) throw asMismatch(operation.op, error);
      this.nrRefused++;
    }
    this.#nrDone++;
  }

  /**
   * Makes a call that has to succeed, or has to fail.
   *
   * @param refusal the code that it has to fail with
   * @returns what it returns; undefined when it has failed as it had to
   * @throws Mismatch
   */
  call<T>(what: string, call: () => T, refusal?: string): T | undefined {
    let value: T;
    try {
      value = call();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      if (code === refusal) return undefined;
      if (this.machine.mayRefuse?.(code) === true) throw new Refused(code);
      const expected = refusal === undefined ? "" : `, where ${refusal} was expected`;
      throw new Mismatch({ kind: `${what} ${code}`, message: `${what}: ${(error as Error).message}${expected}` });
    }
    if (refusal === undefined) return value;
    throw new Mismatch({
      kind: `${what} not ${refusal}`,
      message: `${what} has succeeded, where ${refusal} was expected`,
    });
  }

  /** As call(), of what gives a number of bytes. */
  count(what: string, expected: number, call: () => number): void {
    const nr = this.call(what, call);
    if (nr !== undefined) expectNumber(what, nr, expected);
  }

  touch(file: number, start: number, end: number): void {
    this.touches.push({ index: this.#nrDone, file, start, end });
  }

  model(file: number): FileModel {
    return this.models[file];
  }

  /** A descriptor, opened when it is first wanted. */
  open(file: number, by: number): Open {
    const index = by % WAYS.length;
    const known = this.#opens[file][index];
    if (known !== undefined) return known;
    const opened = this.#openOne(file, WAYS[index]);
    this.#opens[file][index] = opened;
    return opened;
  }

  /** One to write by. */
  writer(file: number, by: number): Open {
    return this.open(file, by % WAYS.length === READER ? PLAIN : by);
  }

  path(file: number, by = 0): string {
    const names = this.machine.names(file);
    return names[by % names.length];
  }

  // --- What changes a file, as all who see it should --------------------------------------------------------------------

  /** Bytes have been written, by whatever way. */
  wrote(file: number, at: number, bytes: Uint8Array): void {
    this.models[file].write(at, bytes);
    this.touch(file, at, at + bytes.length);
  }

  /** Its size has been set. */
  truncated(file: number, size: number): void {
    const model = this.models[file];
    this.touch(file, Math.min(size, model.size), Math.max(size, model.size));
    model.truncate(size);
    this.cut(file);
  }

  /** Its end has moved: no private mapping has a copy of what lies behind it any more. */
  cut(file: number): void {
    const { size } = this.models[file];
    for (const mapped of this.mappings) if (mapped?.file === file) mapped.copies?.truncate(size);
    this.apart(file);
  }

  /** Pages of it may be others than before. */
  apart(file: number): void {
    for (const view of this.views) if (view.file === file) view.isApart = true;
  }

  // --- What is open -----------------------------------------------------------------------------------------------------

  closeAll(): void {
    this.letGo();
    for (const open of this.#opens.flat()) this.#close(open);
    this.#opens = noneOpen();
  }

  reopen(file: number, by: number): void {
    const index = by % WAYS.length;
    this.#close(this.#opens[file][index]);
    this.#opens[file][index] = undefined;
  }

  #close(open: Open | undefined): void {
    if (open !== undefined) this.call("close", () => this.machine.fs.closeSync(open.fd));
  }

  /** Views and mappings come to their end. */
  letGo(): void {
    for (const { view } of this.views.splice(0)) view.release();
    for (const [i, mapped] of this.mappings.entries()) {
      mapped?.mapping.munmap();
      this.mappings[i] = undefined;
    }
  }

  /** In another kernel, or another state of it: what was open has gone. */
  renewed(models: readonly FileModel[]): void {
    this.mappings.fill(undefined);
    this.views.length = 0;
    this.#opens = noneOpen();
    this.models = models.map((model) => model.clone());
  }

  #openOne(file: number, way: Way): Open {
    const { fs, abilities } = this.machine;
    const { O_RDONLY, O_RDWR, O_APPEND, O_DIRECT = O_DIRECT_LINUX } = fs.constants;
    const flags = abilities.write && way !== "reader" ? O_RDWR : O_RDONLY;
    const more = way === "append" && abilities.write ? O_APPEND : way === "direct" && abilities.direct ? O_DIRECT : 0;
    const fd = this.call("open", () => fs.openSync(this.path(file, way === "second" ? 1 : 0), flags | more));
    return { fd: fd as number, way, position: 0 };
  }

  // --- Checks -----------------------------------------------------------------------------------------------------------

  #checkSize({ op, file, by }: Operation): void {
    const { fs } = this.machine;
    const what = `size after ${op}`;
    const open = this.#opens[file][by % WAYS.length];
    const size = this.call(what, () => (open ? fs.fstatSync(open.fd) : fs.statSync(this.path(file))).size);
    if (size !== undefined) expectNumber(what, size, this.models[file].size);
  }

  /** All of both files, by each of their names. @throws Mismatch */
  compareAll(what: string): void {
    for (const file of this.models.keys()) {
      for (const name of this.machine.names(file)) {
        const bytes = this.call(what, () => this.machine.fs.readFileSync(name)) as Uint8Array;
        expectBytes(what, file, 0, bytes, this.models[file].all);
      }
    }
  }

  /** The store has what it should, after a sync of one file, or of all. */
  compareStored(what: string, file: number): void {
    const stored = this.machine.stored?.(file);
    if (stored !== undefined) expectBytes(`${what}, at the store`, file, 0, stored, this.models[file].all);
  }

  /** Memory is as it should be: in debug cores. */
  verify(): void {
    try {
      this.machine.folio?.kernel.verify();
    } catch (error) {
      throw new Mismatch({ kind: "verify", message: `verify: ${(error as Error).message}` });
    }
  }

  /** All that can be checked at the end. @throws Mismatch */
  finish(): void {
    try {
      this.compareAll("at the end");
      this.verify();
      this.closeAll();
      this.compareAll("at the end");
      this.verify();
    } catch (error) {
      if (!(error instanceof Refused)) throw asMismatch("end", error);
    }
  }
}

function noneOpen(): (Open | undefined)[][] {
  return Array.from({ length: NR_FILES }, () => WAYS.map(() => undefined));
}

/** Whatever is thrown in an operation is a finding. */
function asMismatch(what: string, error: unknown): Mismatch {
  if (error instanceof Mismatch) return error;
  const { name, message, stack } = error as Error;
  return new Mismatch({ kind: `${what} throws ${name}: ${message.slice(0, 60)}`, message: stack ?? message });
}
