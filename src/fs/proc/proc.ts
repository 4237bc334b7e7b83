/**
 * proc: the kernel as files, by which programs that read Linux's proc learn of it.
 *
 *   kernel.registerFileSystem(proc);
 *   kernel.mount({ type: "proc", target: "/proc" });
 *
 * All mounts of a kernel show one file system. It is in no snapshot. What it has, and what it leaves out, tells docs/proc.md.
 *
 *   proc-inode ─► tree ─► meminfo, mounts, status ...   a file for each entry, over entry
 *   seq-file, sysctl                                    how entries are read and written
 *
 * Does not own: any of it; these are the tables.
 *
 * @see Linux fs/proc/root.c; proc(5)
 */
import { EBADF, EINVAL, EIO, ESRCH } from "../../base/errno.ts";
import { type FileOperations, type FileSystemType, genericDeleteInode } from "../../vfs/fs-type.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import { STATFS_BSIZE } from "../../vfs/syscalls.ts";
import { FILE_MODE, FMODE_WRITE, PAGE_SIZE } from "../../wasm/layout.ts";
import { simpleStatfs } from "../libfs.ts";
import { seqFileOperations } from "../seq-file.ts";
import { DIRECTORY, inodeOperations, isTrue, iterate, placeAt, readInode } from "./proc-inode.ts";
import { type Sysctl, sysctlOperations } from "./sysctl.ts";
import { isThere } from "./tree.ts";

const PROC_SUPER_MAGIC = 0x9fa0;
const BLOCK_BYTES = 1024;
/** That of Linux; tree.ts takes it for the root, too. */
const ROOT_INO = 1;

const directoryOperations: FileOperations = { iterate };
const fileOperations = seqFileOperations((m, kernel, inode) => {
  const place = placeAt(kernel, inode);
  return isThere(place) ? place.entry.show?.(m, place) : -ESRCH;
});
/** What is about no task refuses to be written otherwise. @see Linux fs/proc/inode.c proc_reg_write() */
const kernelFileOperations: FileOperations = {
  ...fileOperations,
  write: ({ core }, file) => (core.u32[(file << 3) + FILE_MODE] & FMODE_WRITE ? -EIO : -EBADF),
};
const settingOperations = sysctlOperations((kernel, inode) => placeAt(kernel, inode).entry.sysctl as Sysctl);

/** By kind, as proc-inode.ts numbers them. */
const files = [
  directoryOperations,
  kernelFileOperations,
  fileOperations,
  settingOperations,
  directoryOperations,
  {},
  {},
];

/** The type. It has no options. */
export const proc: FileSystemType = {
  name: "proc",
  fsFlags: 0,
  tables: files.map((file, kind) => ({ inode: inodeOperations[kind], file, mapping: {} })),
  superOps: {
    dropInode: genericDeleteInode,
    readInode,
    statfs: (sb, values) => {
      const rc = simpleStatfs(sb, values);
      values[STATFS_BSIZE] = PAGE_SIZE; // as Linux says, while its files have smaller blocks
      return rc;
    },
  },
  dentryOps: { isTrue, revalidate: (kernel, dentry) => (isTrue(kernel, dentry) ? 1 : 0) },
  sameSource: () => true,
  fillSuper(sb, data) {
    if (data !== "") return -EINVAL;
    sb.magic = PROC_SUPER_MAGIC;
    sb.blockSize = BLOCK_BYTES;
    const rc = sb.makeRoot(0o555, 0, 0, DIRECTORY);
    if (rc < 0) return rc;
    const root = new Inode(sb.kernel, new Dentry(sb.kernel, sb.root).inode);
    root.ino = ROOT_INO;
    root.size = 0;
    return 0;
  },
};
