/** How far reads have come that wait for a store: which call is made again is told by its file, its place and its buffers. */
import type { FileHandle } from "../base/handles.ts";
import type { IovIter } from "./iov-iter.ts";
import type { Progress } from "./progress.ts";

/** A read under way. */
export interface ReadUnderWay {
  readonly file: FileHandle;
  /** As it was given: -1 = at the file's own, which is `start`. */
  readonly position: number;
  /** One buffer, or the array of them. */
  readonly to: object;
  readonly start: number;
  /** Where its bytes go, if in several buffers. */
  readonly iter: IovIter | undefined;
  /** Bytes that it has. */
  done: number;
}

const reads = new WeakMap<Progress, ReadUnderWay>();

/** What a call that is made again has come to, once; undefined = it is a new one. */
export function resumeRead(
  progress: Progress | undefined,
  file: FileHandle,
  position: number,
  to: object,
): ReadUnderWay | undefined {
  const known = progress && reads.get(progress);
  if (known === undefined) return undefined;
  reads.delete(progress as Progress);
  return known.file === file && known.position === position && known.to === to ? known : undefined;
}

/** The call has to wait. */
export function keepRead(progress: Progress, read: ReadUnderWay): void {
  reads.set(progress, read);
}
