/** Folders on the host that live as long as a turn. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import type { HostTree } from "./host-tree.ts";

export const TMPFS_FOLDER = "/dev/shm";
const TMPFS_MAGIC = 0x01021994;
const PREFIX_AND_PID = /^foliofs-start-(\d+)-/;
const PAGE_BYTES = 4096;

/** Is there a tmpfs? @returns why not */
export function whyNoTmpfs(): string | undefined {
  if (!existsSync(TMPFS_FOLDER)) return `there is no ${TMPFS_FOLDER}`;
  return statfsSync(TMPFS_FOLDER).type === TMPFS_MAGIC ? undefined : `${TMPFS_FOLDER} is no tmpfs`;
}

/** Bytes of the blocks that a tree takes at most, where each name may have one. */
export function blockBytes(tree: HostTree): number {
  return Math.ceil(tree.bytes / PAGE_BYTES) * PAGE_BYTES + tree.entries.length * PAGE_BYTES;
}

/** Is there room for a tree below a folder? @returns why not */
export function whyNoRoom(folder: string, tree: HostTree): string | undefined {
  const { bavail, bsize } = statfsSync(folder);
  return blockBytes(tree) > bavail * bsize ? `${folder} has too little room` : undefined;
}

/** Makes an empty folder below another. What runs that were interrupted have left there is removed. */
export function makeTemporaryFolder(folder: string): string {
  removeLeftovers(folder);
  return mkdtempSync(`${folder}/foliofs-start-${process.pid}-`);
}

function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = PREFIX_AND_PID.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(`${folder}/${name}`, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
