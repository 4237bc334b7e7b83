/**
 * `io` of a task: what it has moved, of file systems with a store. For who may look into its affairs.
 *
 * @see Linux fs/proc/base.c do_io_accounting(); proc_pid_io(5)
 */
import { EACCES, ESRCH } from "../../base/errno.ts";
import { taskIo } from "../../vfs/task-io.ts";
import { mayInspect, type ProcEntry } from "./entry.ts";

export const io: ProcEntry = {
  name: "io",
  mode: 0o400,
  show: (m, subject) => {
    const { task } = subject;
    if (task === undefined) return -ESRCH;
    if (!mayInspect(subject)) return -EACCES;
    for (const [name, n] of Object.entries(taskIo(task))) m.puts(`${name}: ${n}\n`);
    return 0;
  },
};
