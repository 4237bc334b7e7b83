/**
 * `sys/fs`: how many records there are.
 *
 * @see Linux Documentation/admin-guide/sysctl/fs.rst; proc_sys_fs(5)
 */
import { MAX_FILES } from "../../vfs/new-task.ts";
import { type VmStat, vmstat } from "../../vfs/vmstat.ts";
import type { ProcEntry } from "./entry.ts";

/** Open files have no limit but memory: what Linux says where it has none. */
const NO_LIMIT = "9223372036854775807";
/** Seconds before unused names may go, which nobody has looked at for twenty years. */
const AGE_LIMIT = 45;

function counter(name: string, columns: (stat: VmStat) => readonly (number | string)[]): ProcEntry {
  return { name, mode: 0o444, sysctl: { get: (kernel) => columns(vmstat(kernel)).join("\t") } };
}

export const fs: ProcEntry = {
  name: "fs",
  mode: 0o555,
  children: [
    counter("dentry-state", (stat) => [
      stat.nr_dentries,
      stat.nr_unused_dentries,
      AGE_LIMIT,
      0,
      stat.nr_negative_dentries,
      0,
    ]),
    counter("file-max", () => [NO_LIMIT]),
    counter("file-nr", (stat) => [stat.nr_files, 0, NO_LIMIT]),
    counter("inode-nr", (stat) => [stat.nr_inodes, stat.nr_unused_inodes]),
    counter("inode-state", (stat) => [stat.nr_inodes, stat.nr_unused_inodes, 0, 0, 0, 0, 0]),
    counter("nr_open", () => [MAX_FILES]),
  ],
};
