/** Operations of random programs, and how one is performed on a subject. */
import type { Credentials, NodeFs, Subject } from "../../helpers/subject.ts";
import { describe } from "../describe.ts";

/** Where programs work: deep enough that `..` and links that climb stay within the subject's root. */
export const WORK = "up/here";

/** Where open files are kept, so that operations can name them before they exist. */
export type Slot = number;

/** A call by name, with arguments as plain data. */
export interface Operation {
  /** A synchronous function of node:fs, or one of the operations on slots below. */
  readonly call: string;
  /** Paths are relative to the root, and made absolute. */
  readonly paths: readonly string[];
  readonly args: readonly unknown[];
  readonly slot?: Slot;
  /** Who calls; root if left out. */
  readonly as?: Credentials;
}

/** Where the subject is an overlay: all that is there goes to a lower layer. */
export const SINK = "sink";

export function showOperation({ call, paths, args, slot, as }: Operation): string {
  const shown = [...(slot === undefined ? [] : [`slot ${slot}`]), ...paths, ...args.map((arg) => JSON.stringify(arg))];
  return `${call}(${shown.join(", ")})${as ? ` as ${as.uid}:${as.gid}` : ""}`;
}

type Performer = (fs: NodeFs, fd: number, args: readonly never[]) => unknown;

/** Bytes that depend on where and how long they are. */
function bytesFor(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i + seed) & 0xff || 1;
  return bytes;
}

function read(fs: NodeFs, fd: number, length: number, position: number | null): unknown {
  const buffer = Buffer.alloc(length);
  return [fs.readSync(fd, buffer, 0, length, position), buffer];
}

/** Operations on the file in a slot. */
const ON_SLOT: Record<string, Performer> = {
  read: (fs, fd, [length]) => read(fs, fd, length, null),
  pread: (fs, fd, [length, position]) => read(fs, fd, length, position),
  write: (fs, fd, [length, seed]) => fs.writeSync(fd, bytesFor(length, seed)),
  pwrite: (fs, fd, [length, seed, position]) => fs.writeSync(fd, bytesFor(length, seed), 0, length, position),
  writev: (fs, fd, [one, two, seed]) => fs.writevSync(fd, [bytesFor(one, seed), bytesFor(two, seed)]),
  readv: (fs, fd, [one, two, position]) => {
    const buffers = [Buffer.alloc(one), Buffer.alloc(two)];
    return [fs.readvSync(fd, buffers, position), buffers];
  },
  ftruncate: (fs, fd, [length]) => fs.ftruncateSync(fd, length),
  fstat: (fs, fd) => fs.fstatSync(fd),
  fchmod: (fs, fd, [mode]) => fs.fchmodSync(fd, mode),
  futimes: (fs, fd, [atime, mtime]) => fs.futimesSync(fd, atime, mtime),
  readAll: (fs, fd) => fs.readFileSync(fd),
  fsync: (fs, fd) => fs.fsyncSync(fd),
};

/** Calls whose results say more than the tree does; of the others only success or failure counts. */
const CLOSED = "slot is empty";

export class Program {
  readonly #subject: Subject;
  readonly #slots = new Map<Slot, number>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** @returns what came of it, as text */
  perform(operation: Operation): string {
    const { fs, layers, root } = this.#subject;
    if (operation.call === SINK) return String(layers?.sink());
    try {
      const value = operation.as
        ? this.#subject.as(operation.as, (face) => this.#call(face, operation))
        : this.#call(fs, operation);
      return JSON.stringify(describe(value, root));
    } catch (error) {
      return JSON.stringify(describe(error, root));
    }
  }

  close(): void {
    for (const fd of this.#slots.values()) this.#subject.fs.closeSync(fd);
    this.#slots.clear();
  }

  #call(fs: NodeFs, { call, paths, args, slot }: Operation): unknown {
    const absolute = paths.map((path) => `${this.#subject.root}/${WORK}/${path}`);
    if (slot !== undefined) return this.#onSlot(fs, call, slot, absolute, args);
    const method = fs[call as "statSync"] as unknown as (...all: unknown[]) => unknown;
    return call === "symlinkSync" ? method(args[0], absolute[0]) : method(...absolute, ...args);
  }

  #onSlot(fs: NodeFs, call: string, slot: Slot, paths: readonly string[], args: readonly unknown[]): unknown {
    const fd = this.#slots.get(slot);
    if (call === "open") {
      const opened = fs.openSync(paths[0], args[0] as number, args[1] as number);
      if (fd !== undefined) this.#subject.fs.closeSync(fd);
      this.#slots.set(slot, opened);
      return "opened";
    }
    if (fd === undefined) return CLOSED;
    if (call !== "close") return ON_SLOT[call](fs, fd, args as never[]);
    this.#slots.delete(slot);
    return this.#subject.fs.closeSync(fd);
  }
}
