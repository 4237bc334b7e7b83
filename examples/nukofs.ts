/**
 * nukofs: a complete file system to copy. Files live in memory, and like a cat it has nine lives: there are never more
 * than `lives` inodes in it (the root directory is one), or as many as the mount option says.
 *
 *   fs.kernel.registerFileSystem(nukofs);
 *   fs.kernel.mount({ type: "nukofs", target: "/nuko", data: "lives=100" });
 *
 * A file system is a set of tables. What nukofs shares with every file system in memory it borrows from libfs; its own
 * are the count, the option, and what statfs() and the mount table say of them. Operations answer 0 or a negated errno.
 * Whatever must be remembered is kept in the super block's record, in the kernel's memory: so it is in snapshots and
 * forks too, without a line of code.
 */
import {
  type DentryHandle,
  EBUSY,
  EINVAL,
  ENOSPC,
  type FileSystemType,
  FS_MEMORY,
  FS_SHARED,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  libfs,
  STATFS_FFREE,
  STATFS_FILES,
  type SuperBlock,
  stat,
} from "../src/index.ts"; // in a project of your own: from "foliofs"

const NUKOFS_MAGIC = 0x6e756b6f; // "nuko"
const DEFAULT_LIVES = 9;

/** Which word of the super block's private ones holds the limit. */
const LIVES = 0;

/** Kinds of inodes: indexes into `tables` below. */
const FILE = 0;
const DIRECTORY = 1;
const SYMLINK = 2;
const SPECIAL = 3;

/** "lives=100". @returns undefined for what is no such option */
function parseLives(data: string, otherwise: number): number | undefined {
  if (data === "") return otherwise;
  const lives = /^lives=([1-9]\d{0,8})$/.exec(data)?.[1];
  return lives === undefined ? undefined : Number(lives);
}

/** Makes an inode by `make`, if there is a life left for it. */
function ifAlive(kernel: Kernel, dir: InodeHandle, make: () => number): number {
  const sb = kernel.sbOf(dir);
  return sb.nrInodes < sb.getPrivate(LIVES) ? make() : -ENOSPC;
}

function mknod(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, mode: number, dev = 0): number {
  const type = mode & stat.S_IFMT;
  const kind = type === stat.S_IFREG ? FILE : type === stat.S_IFDIR ? DIRECTORY : SPECIAL;
  return ifAlive(kernel, dir, () => libfs.simpleMknod(kernel, dentry, mode, dev, kind));
}

function symlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, length: number): number {
  return ifAlive(kernel, dir, () => libfs.simpleSymlink(kernel, dentry, length, SYMLINK));
}

/** link, unlink, rmdir and rename need no life and are libfs's. */
const directoryOperations: InodeOperations = {
  ...libfs.simpleDirInodeOperations,
  create: mknod,
  mkdir: mknod,
  mknod,
  symlink,
};

export const nukofs: FileSystemType = {
  name: "nukofs",
  fsFlags: FS_MEMORY | FS_SHARED,

  tables: [
    { inode: libfs.simpleFileInodeOperations, file: libfs.simpleFileOperations, mapping: libfs.ramAops },
    { inode: directoryOperations, file: libfs.simpleDirOperations, mapping: libfs.ramAops },
    { inode: libfs.simpleSymlinkInodeOperations, file: {}, mapping: libfs.ramAops },
    { inode: {}, file: {}, mapping: libfs.ramAops },
  ],

  /** Called by mount(): reads the options and makes the root directory. */
  fillSuper(sb: SuperBlock, data: string): number {
    const lives = parseLives(data, DEFAULT_LIVES);
    if (lives === undefined) return -EINVAL;
    sb.livesInMemory();
    sb.magic = NUKOFS_MAGIC;
    sb.setPrivate(LIVES, lives);
    return sb.makeRoot(0o755, 0, 0, DIRECTORY);
  },

  superOps: {
    statfs(sb: SuperBlock, values: Float64Array): number {
      values[STATFS_FILES] = sb.getPrivate(LIVES);
      values[STATFS_FFREE] = sb.getPrivate(LIVES) - sb.nrInodes;
      return 0;
    },
    showOptions: (sb: SuperBlock) => `lives=${sb.getPrivate(LIVES)}`,
    /** Called by mount() with MS_REMOUNT: fewer lives than are being lived cannot be had. */
    remount(sb: SuperBlock, data: string): number {
      const lives = parseLives(data, sb.getPrivate(LIVES));
      if (lives === undefined) return -EINVAL;
      if (lives < sb.nrInodes) return -EBUSY;
      sb.setPrivate(LIVES, lives);
      return 0;
    },
  },
};
