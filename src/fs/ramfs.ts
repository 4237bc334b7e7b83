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

const DEFAULTS = { mode: 0o755, uid: 0, gid: 0 };
/** Private words of a super block that keep the options, for the mount table. */
const MODE = 0;
const UID = 1;
const GID = 2;

/** "mode=755,uid=0,gid=0"; other options are ignored, as in Linux. @returns undefined for a value that is no number */
function parseOptions(data: string): typeof DEFAULTS | undefined {
  const options = { ...DEFAULTS };
  for (const option of data.split(",")) {
    const [name, value = ""] = option.split("=");
    if (name !== "mode" && name !== "uid" && name !== "gid") continue;
    if (!(name === "mode" ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(value)) return undefined;
    options[name] = Number.parseInt(value, name === "mode" ? 8 : 10);
  }
  return options;
}

/** Options that are not the default. @see Linux ramfs_show_options() */
function showOptions(sb: SuperBlock): string {
  const [mode, uid, gid] = [sb.getPrivate(MODE), sb.getPrivate(UID), sb.getPrivate(GID)];
  return [
    mode === DEFAULTS.mode ? "" : `mode=${mode.toString(8)}`,
    uid === DEFAULTS.uid ? "" : `uid=${uid}`,
    gid === DEFAULTS.gid ? "" : `gid=${gid}`,
  ]
    .filter(Boolean)
    .join(",");
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
    sb.setPrivate(MODE, options.mode & S_IALLUGO);
    sb.setPrivate(UID, options.uid);
    sb.setPrivate(GID, options.gid);
    return sb.makeRoot(options.mode & S_IALLUGO, options.uid, options.gid, DIRECTORY);
  },
});
