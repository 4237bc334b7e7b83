/** Times of inodes for file systems that count in milliseconds, as most of JavaScript does; the core has seconds and nanoseconds. */
import type { Inode, InodeTime } from "./inode.ts";

/** Sets a time of an inode. @param ms since the epoch, fractions down to nanoseconds; negative before it */
export function setTimeMs(inode: Inode, which: InodeTime, ms: number): void {
  const sec = Math.floor(ms / 1000);
  inode.setTime(which, sec, Math.floor((ms - sec * 1000) * 1e6));
}
