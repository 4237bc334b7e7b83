/**
 * Operations of fsx as plain data: what is drawn, shrunk, and a line of a replay.
 *
 * All of them have the same fields, numbers, so that any can be made simpler; what an operation does not use is 0. Numbers that the file
 * has no place for are cut to what it has when the operation is performed (exerciser.ts): whatever is left out before it, an operation
 * can be performed.
 */

/** What operations there are. */
export const OPERATION_NAMES = [
  "read",
  "readv",
  "readFile",
  "preadv2",
  "write",
  "writev",
  "writeFile",
  "appendFile",
  "truncate",
  "ftruncate",
  "fallocate",
  "copyFile",
  "copyFileRange",
  "ficlone",
  "ficlonerange",
  "lseek",
  "seekExtents",
  "fsync",
  "fdatasync",
  "sync",
  "syncFileRange",
  "fadvise",
  "mmap",
  "mapRead",
  "mapWrite",
  "mapView",
  "msync",
  "mlock",
  "munmap",
  "readView",
  "holdView",
  "releaseView",
  "reopen",
  "rename",
  "stat",
  "compare",
  "verify",
  "dropCaches",
  "compact",
  "shrink",
  "remount",
  "umount",
  "snapshot",
  "restore",
  "rollback",
  "fork",
  "change",
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];

export interface Operation {
  readonly op: OperationName;
  /** 0 or 1. */
  readonly file: number;
  /** The other file of those that have two. */
  readonly other: number;
  /** Which descriptor, or which mapping. */
  readonly by: number;
  /** Byte in the file, or in the mapping. */
  readonly at: number;
  /** Byte in the other file. */
  readonly to: number;
  /** Bytes, or a size. */
  readonly length: number;
  /** Which bytes are written (pattern.ts). */
  readonly seed: number;
  /** A variant. */
  readonly choice: number;
}

export const NR_FILES = 2;
/** Mappings that there are at a time. */
export const NR_MAPPINGS = 3;

const NOTHING: Omit<Operation, "op"> = { file: 0, other: 0, by: 0, at: 0, to: 0, length: 0, seed: 0, choice: 0 };

/** An operation with its fields, all others being 0. */
export function operation(fields: Partial<Operation> & Pick<Operation, "op">): Operation {
  return { ...NOTHING, ...fields };
}

/** The fields that are not 0. */
export function briefOperation({ op, ...fields }: Operation): Partial<Operation> & Pick<Operation, "op"> {
  return { op, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0)) };
}

/** One in one line, as a person reads it. */
export function showOperation(given: Operation): string {
  const { op, ...fields } = briefOperation(given);
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [op, ...shown].join(" ");
}

const SIMPLE = [0, 1, 4096];

/** Operations that are simpler than one: with smaller numbers. */
export function* simplerOperations(given: Operation): Generator<Operation> {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== "number") continue;
    for (const simple of SIMPLE) if (simple < value) yield { ...given, [name]: simple };
    if (value > 8192) yield { ...given, [name]: value - (value % 4096) };
    if (value > 2) yield { ...given, [name]: value >> 1 };
  }
}
