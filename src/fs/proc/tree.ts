/**
 * The tree of proc, and numbers for its inodes.
 *
 *   ino = (pid * 256 + entry) * 2^20 + fd      entry: its place in ENTRIES; pid, fd: 0 where it is about none
 *
 * Does not own: what the entries show (a file for each), inodes (proc-inode.ts).
 */
import type { Kernel } from "../../vfs/kernel.ts";
import { findTaskByPid, livePids } from "../../vfs/pid.ts";
import { buddyinfo } from "./buddyinfo.ts";
import type { ProcEntry, Subject } from "./entry.ts";
import { filesystems } from "./filesystems.ts";
import { io } from "./io.ts";
import { cwd, fd, mountsLink, root, self } from "./links.ts";
import { meminfo } from "./meminfo.ts";
import { mountinfo, mounts } from "./mounts.ts";
import { slabinfo } from "./slabinfo.ts";
import { status } from "./status.ts";
import { swaps } from "./swaps.ts";
import { fs } from "./sys-fs.ts";
import { vm } from "./sys-vm.ts";
import { vmstat } from "./vmstat.ts";

/** As many entries a kernel, or a task, may have, and as many descriptors a task. */
const NR_ENTRIES = 256;
const NR_FDS = 2 ** 20;
/** Linux's PID_MAX_LIMIT: what is above would make numbers of inodes that are not exact. */
const MAX_PID = 2 ** 22;

/** A task's directory. */
const taskDirectory: ProcEntry = {
  name: "",
  mode: 0o555,
  isImmutable: true,
  children: [cwd, fd, io, mountinfo, mounts, root, status],
};

const sys: ProcEntry = { name: "sys", mode: 0o555, children: [fs, vm] };

/** The root directory. */
export const ROOT: ProcEntry = {
  name: "/",
  mode: 0o555,
  children: [buddyinfo, filesystems, meminfo, mountsLink, self, slabinfo, swaps, sys, vmstat],
  numbered: { entry: taskDirectory, list: ({ kernel }) => livePids(kernel) },
};

function allBelow(entry: ProcEntry): ProcEntry[] {
  const below = [...(entry.children ?? []), ...(entry.numbered ? [entry.numbered.entry] : [])];
  return [entry, ...below.flatMap(allBelow)];
}

/** All entries, the root first. */
const ENTRIES = allBelow(ROOT);
const NUMBERS = new Map(ENTRIES.map((entry, i) => [entry, i]));
/** The entries of sys and below, whose permissions are asked for otherwise. */
const SYSCTLS = new Set(allBelow(sys));

/** Is the entry a setting, or a directory of them? */
export function isSysctl(entry: ProcEntry): boolean {
  return SYSCTLS.has(entry);
}

/** The number of an inode. @param pid, fd 0 where the entry is about none */
function inoOf(entry: ProcEntry, pid: number, fd: number): number {
  return (pid * NR_ENTRIES + (NUMBERS.get(entry) as number)) * NR_FDS + fd;
}

/** An inode of proc. */
export interface ProcPlace extends Subject {
  readonly entry: ProcEntry;
  /** Number of the task that it is about, whether it lives or not; 0 = none. */
  readonly pid: number;
}

/** What the inode of a number is, and whom it is about. */
export function placeOf(kernel: Kernel, ino: number): ProcPlace {
  const place = Math.floor(ino / NR_FDS);
  const pid = Math.floor(place / NR_ENTRIES);
  const task = pid === 0 ? undefined : findTaskByPid(kernel, pid);
  return { kernel, entry: ENTRIES[place % NR_ENTRIES], pid, task, fd: ino % NR_FDS };
}

/** Number of the inode of an entry of a directory. */
export function childIno(dir: ProcPlace, entry: ProcEntry): number {
  return inoOf(entry, dir.pid, 0);
}

/** The same, of one that goes by its number. @returns 0 for a number that none can have */
export function numberedIno(dir: ProcPlace, entry: ProcEntry, number: number): number {
  if (dir.entry !== ROOT) return number < NR_FDS ? inoOf(entry, dir.pid, number) : 0;
  return number > 0 && number <= MAX_PID ? inoOf(entry, number, 0) : 0;
}

/** Is it there (still)? */
export function isThere(place: ProcPlace): boolean {
  const { pid, task, entry } = place;
  return (pid === 0 || task !== undefined) && (entry.isThere?.(place) ?? true);
}
