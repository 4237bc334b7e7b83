/**
 * `mounts` and `mountinfo` of a task: what is mounted that it can reach from its root, in the order in which it was mounted.
 *
 * @see Linux fs/proc_namespace.c show_vfsmnt(), show_mountinfo(); proc_pid_mounts(5), proc_pid_mountinfo(5)
 */
import { ESRCH } from "../../base/errno.ts";
import type { MountHandle } from "../../base/handles.ts";
import { isInTree, MNT_FLAGS, mountHandles, superOf } from "../../vfs/mount.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import type { Task } from "../../vfs/task.ts";
import {
  MNT_READONLY,
  MNT_RELATIME,
  MNT_STRICTATIME,
  MOUNT_FLAGS,
  MOUNT_ID,
  MOUNT_PARENT,
  MOUNT_SOURCE,
  MOUNT_SOURCE_LENGTH,
  SB_RDONLY,
  SB_SYNCHRONOUS,
} from "../../wasm/layout.ts";
import type { SeqFile } from "../seq-file.ts";
import { dentryPath, reachablePath } from "./d-path.ts";
import type { ProcEntry } from "./entry.ts";

/** A `#` at the start of a line of fstab(5) makes it a comment. */
const ESCAPED_IN_SOURCE = " \t\n\\#";

/** A mount as one line shows it. */
interface Line {
  readonly mnt: MountHandle;
  readonly sb: SuperBlock;
  readonly target: Uint8Array;
  /** MNT_*. */
  readonly flags: number;
  readonly source: string | Uint8Array;
  /** What the file system says of itself, after a comma. */
  readonly own: string;
}

function* linesFor(task: Task): Generator<Line> {
  const { kernel } = task;
  const { core } = kernel;
  const inTree = [...mountHandles(core)].filter((mnt) => isInTree(core, mnt));
  for (const mnt of inTree.reverse()) {
    const target = reachablePath(task, { mnt, dentry: kernel.rootOf(mnt) });
    if (target === undefined) continue;
    const sb = superOf(kernel, mnt);
    const own = sb.type.superOps?.showOptions?.(sb) ?? "";
    const flags = core.u32[(mnt << 3) + MOUNT_FLAGS];
    yield { mnt, sb, target, flags, source: sourceOf(task, mnt), own: own && `,${own}` };
  }
}

function sourceOf({ kernel: { core } }: Task, mnt: MountHandle): string | Uint8Array {
  const address = core.u32[(mnt << 3) + MOUNT_SOURCE];
  return address === 0 ? "none" : core.u8.slice(address, address + core.u32[(mnt << 3) + MOUNT_SOURCE_LENGTH]);
}

/** Flags of the one mount, each after a comma; that access times are always updated is not shown. */
function mountFlags(flags: number): string {
  const shown = MNT_FLAGS.filter(([, mnt]) => flags & mnt & ~(MNT_READONLY | MNT_STRICTATIME)).map(
    ([, , name]) => name,
  );
  if (flags & MNT_RELATIME) shown.push("relatime");
  return shown.map((name) => `,${name}`).join("");
}

function superFlags(sb: SuperBlock): string {
  return sb.flags & SB_SYNCHRONOUS ? ",sync" : "";
}

function access(isReadOnly: number): string {
  return isReadOnly ? "ro" : "rw";
}

function showMounts(m: SeqFile, line: Line): void {
  const { sb, flags, own } = line;
  m.escape(line.source, ESCAPED_IN_SOURCE).puts(" ").escape(line.target).puts(" ").escape(sb.type.name, " #");
  m.puts(` ${access(flags & MNT_READONLY || sb.flags & SB_RDONLY)}${superFlags(sb)}${mountFlags(flags)}`);
  m.escape(own).puts(" 0 0\n");
}

/** The root of the tree is its own parent. */
function parentId({ sb: { kernel }, mnt }: Line): number {
  const { u32 } = kernel.core;
  const parent = u32[(mnt << 3) + MOUNT_PARENT] >>> 5 || mnt;
  return u32[(parent << 3) + MOUNT_ID];
}

/** @see Linux new_decode_dev() */
function majorMinor(dev: number): string {
  return `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
}

function showMountinfo(m: SeqFile, line: Line): void {
  const { sb, flags, mnt } = line;
  const { kernel } = sb;
  m.puts(`${kernel.core.u32[(mnt << 3) + MOUNT_ID]} ${parentId(line)} ${majorMinor(sb.dev)} `);
  m.escape(dentryPath(kernel, kernel.rootOf(mnt)))
    .puts(" ")
    .escape(line.target);
  m.puts(` ${access(flags & MNT_READONLY)}${mountFlags(flags)} - `)
    .escape(sb.type.name, " #")
    .puts(" ");
  m.escape(line.source, ESCAPED_IN_SOURCE).puts(` ${access(sb.flags & SB_RDONLY)}${superFlags(sb)}`);
  m.escape(line.own).puts("\n");
}

function mountFile(name: string, show: (m: SeqFile, line: Line) => void): ProcEntry {
  return {
    name,
    mode: 0o444,
    show: (m, { task }) => {
      if (task === undefined) return -ESRCH;
      for (const line of linesFor(task)) show(m, line);
      return 0;
    },
  };
}

export const mounts = mountFile("mounts", showMounts);
export const mountinfo = mountFile("mountinfo", showMountinfo);
