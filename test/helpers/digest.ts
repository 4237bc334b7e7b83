/** Everything that can be reached in a core, as text: two equal digests are two equal file systems. */
import type { DentryHandle, InodeHandle } from "../../src/base/handles.ts";
import { type Core, SLOT } from "../../src/wasm/core.ts";
import {
  DENTRY_CHILDREN,
  DENTRY_INODE,
  DENTRY_LONG_NAME,
  DENTRY_NAME,
  DENTRY_NAME_LEN,
  DENTRY_SIBLING_NEXT,
  FILE_COUNT,
  FILE_MODE,
  FILE_NEXT,
  FILE_POS,
  INODE_ATIME_SEC,
  INODE_COUNT,
  INODE_CTIME_SEC,
  INODE_FLOCKS,
  INODE_GID,
  INODE_INO,
  INODE_MODE,
  INODE_MTIME_SEC,
  INODE_NLINK,
  INODE_NR_PAGES,
  INODE_RDEV,
  INODE_SIZE,
  INODE_STATE,
  INODE_UID,
  INODE_XA_FLAGS,
  KERNEL_MOUNTS,
  KERNEL_NR_DENTRIES,
  KERNEL_NR_FILES,
  KERNEL_NR_HASHED,
  KERNEL_NR_INODES,
  MOUNT_COUNT,
  MOUNT_FLAGS,
  MOUNT_NEXT,
  MOUNT_ROOT,
  PAGE_SIZE,
  RESULT_ADDRESS,
  SLOT_FILES,
  SLOT_TASKS,
  TASK_NEXT,
} from "../../src/wasm/layout.ts";
import { double, half, kernelWord, pointed, word } from "./core.ts";

const INODE_WORDS = [
  INODE_MODE,
  INODE_UID,
  INODE_GID,
  INODE_NLINK,
  INODE_COUNT,
  INODE_STATE,
  INODE_RDEV,
  INODE_NR_PAGES,
  INODE_XA_FLAGS,
  INODE_FLOCKS,
];
const INODE_DOUBLES = [INODE_SIZE, INODE_ATIME_SEC, INODE_MTIME_SEC, INODE_CTIME_SEC, INODE_INO];

export function digestOf(core: Core): string {
  const lines = [KERNEL_NR_DENTRIES, KERNEL_NR_FILES, KERNEL_NR_HASHED, KERNEL_NR_INODES].map(
    (field) => `${kernelWord(core, field)}`,
  );
  for (let mnt = kernelWord(core, KERNEL_MOUNTS) >>> 5; mnt !== 0; mnt = pointed(core, mnt, MOUNT_NEXT)) {
    lines.push(`mount ${mnt} ${word(core, mnt, MOUNT_COUNT)} ${word(core, mnt, MOUNT_FLAGS)}`);
    dumpTree(core, pointed<DentryHandle>(core, mnt, MOUNT_ROOT), "", lines);
  }
  for (let file = core.u32[SLOT + SLOT_FILES] >>> 5; file !== 0; file = pointed(core, file, FILE_NEXT)) {
    lines.push(
      `file ${file} ${word(core, file, FILE_COUNT)} ${word(core, file, FILE_MODE)} ${double(core, file, FILE_POS)}`,
    );
  }
  for (let task = core.u32[SLOT + SLOT_TASKS] >>> 5; task !== 0; task = pointed(core, task, TASK_NEXT))
    lines.push(`task ${task}`);
  return lines.join("\n");
}

function dumpTree(core: Core, dentry: DentryHandle, path: string, lines: string[]): void {
  const inode = pointed<InodeHandle>(core, dentry, DENTRY_INODE);
  const attributes = [
    ...INODE_WORDS.map((f) => word(core, inode, f)),
    ...INODE_DOUBLES.map((f) => double(core, inode, f)),
  ];
  lines.push(`${path || "/"} ${dentry} ${inode} ${attributes.join(" ")} ${dumpData(core, inode)}`);
  for (
    let child = pointed<DentryHandle>(core, dentry, DENTRY_CHILDREN);
    child !== 0;
    child = pointed(core, child, DENTRY_SIBLING_NEXT)
  ) {
    dumpTree(core, child, `${path}/${nameOf(core, child)}`, lines);
  }
}

export function nameOf(core: Core, dentry: DentryHandle): string {
  const at = word(core, dentry, DENTRY_LONG_NAME) || (dentry << 5) + DENTRY_NAME;
  return Buffer.from(core.u8.slice(at, at + half(core, dentry, DENTRY_NAME_LEN))).toString("latin1");
}

/** A checksum of each of a file's pages, wherever they lie; holes are skipped. */
function dumpData(core: Core, inode: InodeHandle): string {
  if ((word(core, inode, INODE_MODE) & 0o170000) !== 0o100000) return "";
  const size = double(core, inode, INODE_SIZE);
  let sums = "";
  for (let pos = 0; pos < size; ) {
    const n = core.x.readInode(inode, pos, Math.min(size - pos, 2 ** 30));
    const at = core.result(RESULT_ADDRESS);
    for (let done = 0; at !== 0 && done < n; done += PAGE_SIZE)
      sums += ` ${pos + done} ${core.x.checksumBytes(at + done, PAGE_SIZE, 0, 0)}`;
    pos += n;
  }
  return sums;
}
