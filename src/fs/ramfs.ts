/**
 * ramfs: files in memory, without limits. The file system to read first.
 *
 * Attributes, link counts and times are as on tmpfs; everything but the making of inodes is borrowed from libfs.
 *
 * @see Linux fs/ramfs/inode.c
 */
import { EINVAL } from "../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../base/handles.ts";
import { S_IALLUGO, S_IFDIR, S_IFMT, S_IFREG } from "../base/stat-flags.ts";
import {
  type FileSystemType,
  FS_MEMORY,
  FS_SHARED,
  type InodeOperations,
  type SuperOperations,
} from "../vfs/fs-type.ts";
import type { Kernel } from "../vfs/kernel.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import {
  ramAops,
  simpleDirInodeOperations,
  simpleDirOperations,
  simpleFileInodeOperations,
  simpleFileOperations,
  simpleMknod,
  simpleSuperOperations,
  simpleSymlink,
  simpleSymlinkInodeOperations,
} from "./libfs.ts";

const RAMFS_MAGIC = 0x858458f6;

/** Kinds of inodes: indexes into `tables`. */
const FILE = 0;
const DIRECTORY = 1;
const SYMLINK = 2;
const SPECIAL = 3;

function kindOf(mode: number): number {
  const type = mode & S_IFMT;
  return type === S_IFREG ? FILE : type === S_IFDIR ? DIRECTORY : SPECIAL;
}

function mknod(kernel: Kernel, _dir: InodeHandle, dentry: DentryHandle, mode: number, dev = 0): number {
  return simpleMknod(kernel, dentry, mode, dev, kindOf(mode));
}

const dirInodeOperations = Object.freeze<InodeOperations>({
  ...simpleDirInodeOperations,
  create: mknod,
  mkdir: mknod,
  mknod,
  symlink: (kernel, _dir, dentry, length) => simpleSymlink(kernel, dentry, length, SYMLINK),
  tmpfile: (kernel, dir, mode) => kernel.core.x.simpleTmpfile(dir, mode, FILE, kernel.now()),
});

const NONE = Object.freeze({});

/** Options of the root directory and what they are by default; a super block's private words keep them, for the mount table. */
const OPTIONS = ["mode", "uid", "gid"];
const DEFAULTS = [0o755, 0, 0];

/** "mode=755,uid=0,gid=0"; other options are ignored, as in Linux. @returns undefined for a value that is no number */
function parseOptions(data: string): number[] | undefined {
  const values = [...DEFAULTS];
  for (const option of data.split(",")) {
    const [name, value = ""] = option.split("=");
    const i = OPTIONS.indexOf(name);
    if (i < 0) continue;
    if (!(i === 0 ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(value)) return undefined;
    values[i] = Number.parseInt(value, i === 0 ? 8 : 10);
  }
  return values;
}

/** Options that are not the default. @see Linux ramfs_show_options() */
function showOptions(sb: SuperBlock): string {
  const values = DEFAULTS.map((_, i) => sb.getPrivate(i));
  const shown = values.map((value, i) => value !== DEFAULTS[i] && `${OPTIONS[i]}=${value.toString(i === 0 ? 8 : 10)}`);
  return shown.filter(Boolean).join();
}

const superOps = Object.freeze<SuperOperations>({
  ...simpleSuperOperations,
  showOptions,
  remount: (_sb, data) => (parseOptions(data) ? 0 : -EINVAL), // they are those of the root as it was made
});

/** The type: options `mode`, `uid` and `gid` are those of the root directory. */
export const ramfs: FileSystemType = Object.freeze<FileSystemType>({
  name: "ramfs",
  fsFlags: FS_MEMORY | FS_SHARED,
  tables: Object.freeze([
    Object.freeze({ inode: simpleFileInodeOperations, file: simpleFileOperations, mapping: ramAops }),
    Object.freeze({ inode: dirInodeOperations, file: simpleDirOperations, mapping: ramAops }),
    Object.freeze({ inode: simpleSymlinkInodeOperations, file: NONE, mapping: ramAops }),
    Object.freeze({ inode: NONE, file: NONE, mapping: ramAops }),
  ]),
  superOps,

  fillSuper(sb: SuperBlock, data: string): number {
    const options = parseOptions(data);
    if (!options) return -EINVAL;
    sb.livesInMemory(FILE);
    sb.magic = RAMFS_MAGIC;
    options[0] &= S_IALLUGO;
    for (const [i, value] of options.entries()) sb.setPrivate(i, value);
    return sb.makeRoot(options[0], options[1], options[2], DIRECTORY);
  },
});
