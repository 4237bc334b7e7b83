/**
 * flock(2): a lock on a whole file, which belongs to an open file.
 *
 * @see Linux fs/locks.c flock_lock_inode()
 */
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } from "../../base/stat-flags.ts";
import { fail } from "./fault.ts";
import type { OpenFile } from "./open.ts";

export type LockKind = typeof LOCK_SH | typeof LOCK_EX;

/** @throws EINVAL */
export function lockKindOf(operation: number): LockKind | undefined {
  const kind = operation & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) fail("EINVAL");
  return kind === LOCK_UN ? undefined : kind;
}

/**
 * Takes a lock, or changes its kind: the old one is given up first, and stays so when the new one cannot be had. Nobody waits.
 *
 * @throws EBADF for what is open neither to be read nor to be written, EAGAIN
 */
export function lock(file: OpenFile, kind: LockKind): void {
  if (!file.isReadable && !file.isWritable) fail("EBADF");
  const { locks } = file.inode;
  if (locks.get(file) === kind) return;
  locks.delete(file);
  for (const other of locks.values()) if (kind === LOCK_EX || other === LOCK_EX) fail("EAGAIN");
  locks.set(file, kind);
}

/** Also when the open file is closed. */
export function unlock(file: OpenFile): void {
  file.inode.locks.delete(file);
}
