/**
 * What the conformance suites share. A suite is a function of `create`, which gives a subject with an empty root; any
 * file system that can make one runs all of them. node:fs runs them as the oracle.
 */
import type { Kernel, NodeFs, Subject } from "./subject.ts";

export { outcomeOf } from "./subject.ts";

/** Gives the subject of a case, once for each. */
export type Create = () => Subject;
/** What a case may say of itself while it runs. */
export interface CaseContext {
  /** Ends the case: it cannot run here. */
  skip(reason: string): void;
}
/** Defines a case, as `it` of vitest does. */
export type It = (name: string, run: (context: CaseContext) => void | Promise<void>) => unknown;
export type Suite = (create: Create, it: It) => void;

export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20200000;
export const PAGE = 4096;

/** The kernel of foliofs; skips the case where there is none. @param reason why the oracle cannot run it */
export function kernelOf({ kernel }: Subject, context: CaseContext, reason: string): Kernel {
  if (kernel === undefined) context.skip(reason);
  return kernel as Kernel;
}

export function withOpen<T>(fs: NodeFs, path: string, flags: string | number, call: (fd: number) => T): T {
  const fd = fs.openSync(path, flags);
  try {
    return call(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Bytes that differ everywhere that a page or a word may be mixed up. */
export function pattern(nrBytes: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length: nrBytes }, (_, i) => (i * 31 + (i >> 8) * 17 + seed * 101) & 0xff));
}

export function readAt(fs: NodeFs, fd: number, length: number, position: number): Buffer {
  const buffer = Buffer.alloc(length, 0xee);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}

/** Lets the clock of the file system move on: the kernel's may stand still for a timer tick. */
export function waitForClock(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 12);
}

const OLD_SECONDS = 1_000_000_000;
const TIMES = ["atimeNs", "mtimeNs", "ctimeNs"] as const;

/** Times of `path` that `call` changes, as "atime mtime ctime". Both settable ones are made old and equal before. */
export function timesChangedBy(fs: NodeFs, path: string, call: () => unknown): string {
  fs.lutimesSync(path, OLD_SECONDS, OLD_SECONDS);
  const before = fs.lstatSync(path, { bigint: true });
  waitForClock();
  call();
  const after = fs.lstatSync(path, { bigint: true });
  return TIMES.filter((name) => before[name] !== after[name])
    .map((name) => name.slice(0, -2))
    .join(" ");
}
