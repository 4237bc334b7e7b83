/**
 * What an entry of proc is: a file with a show function, a sysctl, a link, or a directory; and whom it is about.
 *
 * Does not own: which entries there are (tree.ts), inodes for them (proc-inode.ts).
 *
 * @see Linux fs/proc/internal.h struct proc_dir_entry, fs/proc/base.c struct pid_entry
 */
import type { LinkPlace } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { Task } from "../../vfs/task.ts";
import type { SeqFile } from "../seq-file.ts";
import type { Sysctl } from "./sysctl.ts";

/** Whom a look at an entry is about. */
export interface Subject {
  readonly kernel: Kernel;
  /** Whose directory the entry is in; undefined for those that are about the kernel. */
  readonly task: Task | undefined;
  /** In a directory of descriptors: which one. */
  readonly fd: number;
}

/** A name of proc. Of `show`, `sysctl`, `readlink` and `children` it has one. */
export interface ProcEntry {
  /** Empty for one that stands for many: a number of a task, of a descriptor. */
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  /** The same, where they are not always so. */
  modeOf?(subject: Subject): number;
  /** Is the entry there? Makes no calls. Missing: as long as its task is. */
  isThere?(subject: Subject): boolean;
  /** Content of a file. @returns a negated errno where there is none */
  show?(m: SeqFile, subject: Subject): unknown;
  readonly sysctl?: Sysctl;
  /** Text of a link. @returns it, or a negated errno */
  readlink?(subject: Subject): string | Uint8Array | number;
  /** Where a link leads that stands for a place; else it leads where its text does. @returns it, or a negated errno */
  jump?(subject: Subject): LinkPlace | number;
  readonly children?: readonly ProcEntry[];
  /** As Linux marks the directories of processes: not even root may write, and it is EPERM. */
  readonly isImmutable?: boolean;
  /** Entries of a directory that come and go. */
  readonly numbered?: NumberedEntries;
}

/** Entries whose names are numbers. */
export interface NumberedEntries {
  /** What all of them are. */
  readonly entry: ProcEntry;
  /** The numbers that are there, ascending. */
  list(subject: Subject): number[];
}

/**
 * May the task that is served look into another's affairs? It is the same user, or root.
 *
 * @see Linux kernel/ptrace.c ptrace_may_access() with PTRACE_MODE_READ_FSCREDS
 */
export function mayInspect({ kernel, task }: Subject): boolean {
  const { current } = kernel;
  if (current === undefined || task === undefined) return false;
  const [own, theirs] = [current.credentials, task.credentials];
  return own.uid === 0 || (own.uid === theirs.uid && own.gid === theirs.gid);
}
