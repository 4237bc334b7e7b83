/**
 * What a task has read and written, as /proc/PID/io tells it: of file systems with a store.
 *
 * Files in memory are not counted: two numbers a call are 1.5 to 3 % of a write of 16 B to 4 KiB (Node 20), more than such
 * figures are worth where nothing is moved. `rchar` to `syscw` are counted by the VFS for files with a read or write of
 * their own; what really came from a store or is to go there, those who move it say.
 *
 * Does not own: the counters (assembly/fs/task.ts), which go with the task.
 *
 * @see Linux include/linux/task_io_accounting_ops.h, proc_pid_io(5)
 */
import { EAGAIN, EOPNOTSUPP } from "../base/errno.ts";
import { taskIoAccount } from "../mm/task-io-account.ts";
import {
  TASK_CANCELLED_WRITE_BYTES,
  TASK_RCHAR,
  TASK_READ_BYTES,
  TASK_SYSCR,
  TASK_SYSCW,
  TASK_WCHAR,
  TASK_WRITE_BYTES,
} from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

const FIELDS = {
  rchar: TASK_RCHAR,
  wchar: TASK_WCHAR,
  syscr: TASK_SYSCR,
  syscw: TASK_SYSCW,
  read_bytes: TASK_READ_BYTES,
  write_bytes: TASK_WRITE_BYTES,
  cancelled_write_bytes: TASK_CANCELLED_WRITE_BYTES,
} as const;

/** The lines of /proc/PID/io. */
export type TaskIo = Record<keyof typeof FIELDS, number>;

/** All counters of a task. */
export function taskIo({ kernel, handle }: Task): TaskIo {
  const { f64 } = kernel.core;
  const entries = Object.entries(FIELDS).map(([name, field]) => [name, f64[(handle << 2) + field]]);
  return Object.fromEntries(entries) as TaskIo;
}

/** Gives a task the counters of the one that it goes on for. */
export function copyTaskIo(from: Task, to: Task): void {
  const source = from.kernel.core.f64;
  const target = to.kernel.core.f64;
  for (const field of Object.values(FIELDS)) target[(to.handle << 2) + field] = source[(from.handle << 2) + field];
}

/** Counts a read of the task that is served. One that is to be made again, or otherwise, is none. @param rc bytes, or a negated errno @returns `rc` */
export function countRead(kernel: Kernel, rc: number): number {
  if (rc > 0) taskIoAccount(kernel, TASK_RCHAR, rc);
  if (rc !== -EAGAIN && rc !== -EOPNOTSUPP) taskIoAccount(kernel, TASK_SYSCR, 1);
  return rc;
}

/** As countRead(), for a write. */
export function countWrite(kernel: Kernel, rc: number): number {
  if (rc > 0) taskIoAccount(kernel, TASK_WCHAR, rc);
  if (rc !== -EAGAIN && rc !== -EOPNOTSUPP) taskIoAccount(kernel, TASK_SYSCW, 1);
  return rc;
}
