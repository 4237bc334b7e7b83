/**
 * Links to places: `self`, `mounts`, and of each task `cwd`, `root` and the descriptors in `fd`.
 *
 * @see Linux fs/proc/self.c, base.c proc_pid_get_link(), fd.c; proc_pid_fd(5)
 */
import { EACCES, ENOENT } from "../../base/errno.ts";
import type { FileHandle } from "../../base/handles.ts";
import type { LinkPlace } from "../../vfs/fs-type.ts";
import { taskPid } from "../../vfs/pid.ts";
import type { Task } from "../../vfs/task.ts";
import { FILE_DENTRY, FILE_MNT, FILE_MODE, FMODE_READ, FMODE_WRITE } from "../../wasm/layout.ts";
import { cwdOfTask, dPath, placeAt, rootOfTask } from "./d-path.ts";
import { mayInspect, type ProcEntry, type Subject } from "./entry.ts";

const ALL = 0o777;
const READ = 0o400;
const WRITE = 0o200;
const SEARCH = 0o100;

/** The directory of the task that is served. */
export const self: ProcEntry = {
  name: "self",
  mode: ALL,
  readlink: ({ kernel }) => {
    const pid = taskPid(kernel, kernel.current);
    return pid === 0 ? -ENOENT : String(pid);
  },
};

/** As it has been since before each task could have mounts of its own. */
export const mountsLink: ProcEntry = { name: "mounts", mode: ALL, readlink: () => "self/mounts" };

/** A link to a place that a task holds. @param find the place, undefined = it is not there any more */
function placeLink(name: string, find: (subject: Subject, task: Task) => LinkPlace | undefined): ProcEntry {
  const jump = (subject: Subject): LinkPlace | number => {
    if (subject.task === undefined) return -ENOENT;
    return mayInspect(subject) ? (find(subject, subject.task) ?? -ENOENT) : -EACCES;
  };
  const readlink = (subject: Subject): Uint8Array | number => {
    const place = jump(subject);
    return typeof place === "number" ? place : dPath(subject.kernel.current ?? (subject.task as Task), place);
  };
  return { name, mode: ALL, jump, readlink };
}

export const cwd = placeLink("cwd", (_subject, task) => cwdOfTask(task));
export const root = placeLink("root", (_subject, task) => rootOfTask(task));

/** The open file of a descriptor, 0 = none, or one that went with a restore. */
function fileOf({ task, fd }: Subject): FileHandle {
  return task?.file(fd) ?? (0 as FileHandle);
}

function taken({ task }: Subject): number[] {
  return task === undefined ? [] : task.files.taken().filter((fd) => task.file(fd) !== 0);
}

/** What the file is open for, as permissions of the owner. @see Linux tid_fd_update_inode() */
function modeOf(subject: Subject): number {
  const { u32 } = subject.kernel.core;
  const mode = u32[(fileOf(subject) << 3) + FILE_MODE];
  return (mode & FMODE_READ ? READ : 0) | (mode & FMODE_WRITE ? WRITE : 0) | SEARCH;
}

const descriptor: ProcEntry = {
  ...placeLink("", (subject) => {
    const file = fileOf(subject);
    return file === 0 ? undefined : placeAt(subject.kernel, file, FILE_MNT, FILE_DENTRY);
  }),
  modeOf,
  isThere: (subject) => fileOf(subject) !== 0,
};

/** Descriptors of a task. */
export const fd: ProcEntry = {
  name: "fd",
  mode: READ | SEARCH,
  children: [],
  numbered: { entry: descriptor, list: taken },
};
