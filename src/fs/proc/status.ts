/**
 * `status` of a task, as far as a task of foliofs has what it tells of.
 *
 * @see Linux fs/proc/array.c proc_pid_status(); proc_pid_status(5)
 */
import { ESRCH } from "../../base/errno.ts";
import { taskPid } from "../../vfs/pid.ts";
import type { Task } from "../../vfs/task.ts";
import type { ProcEntry, Subject } from "./entry.ts";

/** Tables of descriptors grow by doubling, from here on. */
const MIN_FD_SIZE = 64;

function fdSize({ files }: Task): number {
  let size = MIN_FD_SIZE;
  while (size < files.operations.length) size *= 2;
  return size;
}

/** Real, effective, saved and file system's: a task has one. */
function ids(id: number): string {
  return [id, id, id, id].join("\t");
}

function lines({ kernel }: Subject, task: Task): Record<string, string> {
  const { uid, gid, groups } = task.credentials;
  const pid = String(taskPid(kernel, task));
  return {
    Name: "foliofs",
    Umask: task.umaskOf().toString(8).padStart(4, "0"),
    State: kernel.current === task ? "R (running)" : "S (sleeping)",
    Tgid: pid,
    Ngid: "0",
    Pid: pid,
    PPid: "0",
    TracerPid: "0",
    Uid: ids(uid),
    Gid: ids(gid),
    FDSize: String(fdSize(task)),
    Groups: `${groups.join(" ")} `,
    Threads: "1",
  };
}

export const status: ProcEntry = {
  name: "status",
  mode: 0o444,
  show: (m, subject) => {
    if (subject.task === undefined) return -ESRCH;
    for (const [name, value] of Object.entries(lines(subject, subject.task))) m.puts(`${name}:\t${value}\n`);
    return 0;
  },
};
