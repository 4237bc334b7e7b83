/**
 * The errnos that Linux's manual pages list for each call, and how each comes up here.
 *
 * Calls that are another with other clothes stand for both: creat(2) is open(2), mkfifo(3) mknod(2). Of calls with `at` there is only what
 * the descriptor and the flags add to those without. Not in here: calls that only
 * authors of file systems have (sync_file_range, syncfs, posix_fadvise), swapon(2), clones, whose oracle is XFS
 * (test/unit/vfs/clone.oracle.test.ts).
 *
 * @see the Linux man-pages project, section 2, whose lists these are, told in words of our own
 */
import type { Pairs } from "../pair.ts";
import { ATTRIBUTES } from "./attributes.ts";
import { DATA } from "./data.ts";
import { LOCKS } from "./locks.ts";
import { MAPPING } from "./mapping.ts";
import { MOUNTS } from "./mounts.ts";
import { NAMES } from "./names.ts";
import { OPEN } from "./open.ts";

/** By call, by errno. */
export const TABLE: Readonly<Record<string, Pairs>> = {
  ...OPEN,
  ...DATA,
  ...NAMES,
  ...ATTRIBUTES,
  ...LOCKS,
  ...MAPPING,
  ...MOUNTS,
};
