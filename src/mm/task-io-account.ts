/**
 * What the task that is served has moved from and to stores, as /proc/PID/io tells it. Counted when it is asked for, since the
 * answer may come when somebody else is served.
 *
 * Does not own: calls and their characters (vfs/task-io.ts), the counters (assembly/fs/task.ts).
 *
 * @see Linux include/linux/task_io_accounting_ops.h
 */
import { type Core, SLOT } from "../wasm/core.ts";
import { SLOT_CURRENT, TASK_CANCELLED_WRITE_BYTES, TASK_READ_BYTES, TASK_WRITE_BYTES } from "../wasm/layout.ts";

/** The page cache, of which the memory is needed. */
type Cache = { readonly core: Core };

/** Adds to a counter of the task that is served. @param field TASK_* */
export function taskIoAccount({ core: { u32, f64 } }: Cache, field: number, nr: number): void {
  const task = u32[SLOT + SLOT_CURRENT];
  if (task !== 0) f64[(task >>> 3) + field] += nr;
}

/** A store has been asked for `bytes`. @see Linux task_io_account_read() */
export function taskIoAccountRead(cache: Cache, bytes: number): void {
  taskIoAccount(cache, TASK_READ_BYTES, bytes);
}
/** `bytes` have been made dirty, or sent past the cache. @see Linux task_io_account_write() */
export function taskIoAccountWrite(cache: Cache, bytes: number): void {
  taskIoAccount(cache, TASK_WRITE_BYTES, bytes);
}
/** `bytes` that were to be written have been cut off. @see Linux task_io_account_cancelled_write() */
export function taskIoAccountCancelledWrite(cache: Cache, bytes: number): void {
  taskIoAccount(cache, TASK_CANCELLED_WRITE_BYTES, bytes);
}
