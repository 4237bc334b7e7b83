/**
 * Copy-up: what is about to change is copied from its lower layer to the upper one, after the directories that lead to it. It is made
 * in the work directory, whole, and moved to its name then: whatever fails before has changed nothing.
 *
 * Does not own: the data (copy-data.ts), those that come later (copy-up-data.ts), names in layers (layer-names.ts).
 *
 * @see Linux fs/overlayfs/copy_up.c ovl_copy_up_flags(), ovl_copy_up_one(), ovl_do_copy_up()
 */
import { EEXIST, EIO, EPERM, EROFS, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { ndDentry } from "../../vfs/namei.ts";
import {
  STAT_ATIME_NSEC,
  STAT_ATIME_SEC,
  STAT_GID,
  STAT_INO,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_NLINK,
  STAT_RDEV,
  STAT_SIZE,
  STAT_UID,
} from "../../vfs/syscalls.ts";
import { wantWrite } from "../../vfs/want-write.ts";
import type { Core } from "../../wasm/core.ts";
import { PATH_A } from "../../wasm/core.ts";
import {
  DENTRY_ALIAS_NEXT,
  I_APPEND,
  I_IMMUTABLE,
  I_SYMLINK_BODY,
  INODE_ALIASES,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_GID,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_NLINK,
  INODE_PRIVATE0,
  INODE_PRIVATE1,
  INODE_STATE,
  INODE_UID,
  SUPER_BLOCK_DEV,
  TOUCH_CTIME,
  TOUCH_MTIME,
} from "../../wasm/layout.ts";
import { chargeOf, copyData, resize } from "./copy-data.ts";
import { copyUpData } from "./copy-up-data.ts";
import {
  clearFlag,
  firstLower,
  flagsOf,
  type Lower,
  OVL_INDEX,
  OVL_METACOPY,
  OVL_ORIGIN,
  setFlag,
  setUpper,
  upperOf,
} from "./entry.ts";
import { indexDirectory, indexName, writeNlink } from "./index-dir.ts";
import { copyAttributes, setKey } from "./inode.ts";
import {
  inodeOf,
  isDead,
  isDirectory,
  isHashed,
  lookupOne,
  makeName,
  moveToFree,
  nameOf,
  now,
  operationsOf,
  parentOf,
} from "./layer-names.ts";
import { copyXattrs } from "./layer-xattr.ts";
import { type Layer, type OverlayFs, overlayOfInode, UPPER_LAYER } from "./layers.ts";
import { dataFileOf, findData } from "./lower-data.ts";
import { markMetacopy } from "./metacopy.ts";
import { type Origin, setOrigin } from "./origin.ts";
import { isPrivateXattr } from "./own-xattr.ts";
import { statReal } from "./stat-real.ts";
import { dropTemp, makeTemp } from "./work-dir.ts";

/** In place of how many bytes of the data are wanted: all, and none where these may stay below (metacopy=on). */
export const ALL_DATA = Number.MAX_SAFE_INTEGER;
export const METADATA = -1;
const KEPT_STATE = I_IMMUTABLE | I_APPEND;
const TOUCHED = TOUCH_MTIME | TOUCH_CTIME;

/** May the upper layer be changed? @returns 0; -EROFS, also where there is none; -EAGAIN with a token while it is frozen */
export function wantUpper(kernel: Kernel, fs: OverlayFs): number {
  const upper = fs.layers[UPPER_LAYER];
  return upper === undefined ? -EROFS : wantWrite(kernel, upper.mnt);
}

/**
 * As copyUp(), of an inode, by one of its names: its directories are copied up, too.
 *
 * @param asked the name that it has been asked for by, if that is known
 */
export function copyUpInode(
  kernel: Kernel,
  inode: InodeHandle,
  bytes = METADATA,
  asked = ndDentry(kernel.core),
): number {
  if (upperOf(kernel.core, inode)) return changeUpper(kernel, inode, bytes);
  const name = nameOfInode(kernel, inode, asked);
  return name === undefined ? -ESTALE : copyUp(kernel, name, bytes);
}

/** A cached name of an inode: `asked` if it is one. */
export function nameOfInode({ core }: Kernel, inode: InodeHandle, asked = ndDentry(core)): DentryHandle | undefined {
  const aliases = aliasesOf(core, inode);
  return aliases.includes(asked) ? asked : aliases[0];
}

/** What is in the upper layer is about to change. @returns as copyUp() */
function changeUpper(kernel: Kernel, inode: InodeHandle, bytes: number): number {
  const fs = overlayOfInode(kernel, inode);
  const refused = wantUpper(kernel, fs) || findData(kernel, fs, inode);
  return refused || (bytes === METADATA ? 0 : writeData(kernel, fs, inode, bytes));
}

/** Data come up to be changed. As on Linux the file has changed by that, though nobody has written yet. */
function writeData(kernel: Kernel, fs: OverlayFs, inode: InodeHandle, bytes: number): number {
  const { core } = kernel;
  if (!(flagsOf(core, inode) & OVL_METACOPY)) return 0;
  const rc = copyUpData(kernel, fs, inode, bytes);
  if (rc === 0 && bytes > 0) core.x.touch(inodeOf(core, upperOf(core, inode)), TOUCHED, kernel.now());
  return rc;
}

/** Its cached names. */
function aliasesOf({ u32 }: Core, inode: InodeHandle): DentryHandle[] {
  const aliases: DentryHandle[] = [];
  let alias = u32[(inode << 3) + INODE_ALIASES] >>> 5;
  for (; alias !== 0; alias = u32[(alias << 3) + DENTRY_ALIAS_NEXT] >>> 5) aliases.push(alias as DentryHandle);
  return aliases;
}

/**
 * Copies up what a name stands for, if it has not been.
 *
 * @param bytes how many of a file's data are wanted: it will be cut there
 * @returns 0; -EROFS without an upper layer; -EAGAIN with a token, of a store or a frozen upper layer; as findData(); -ENOSPC; -EEXIST for a
 *   file without a name, -ESTALE for one whose name shows another since a commit; what the lower layer answers
 */
export function copyUp(kernel: Kernel, dentry: DentryHandle, bytes = METADATA): number {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  if (upperOf(core, inode)) return changeUpper(kernel, inode, bytes);
  const fs = overlayOfInode(kernel, inode);
  const refused = wantUpper(kernel, fs) || findData(kernel, fs, inode);
  if (refused) return refused;
  const parent = parentOf(core, dentry);
  return copyUp(kernel, parent) || new CopyUp(kernel, fs, dentry, upperOf(core, inodeOf(core, parent))).run(bytes);
}

/** One copy-up. */
class CopyUp {
  readonly #kernel: Kernel;
  readonly #fs: OverlayFs;
  readonly #inode: InodeHandle;
  readonly #name: Uint8Array;
  readonly #isNamed: boolean;
  readonly #upperDir: DentryHandle;
  readonly #lower: Lower;
  #stat!: Float64Array;
  /** The data stay below. */
  #isMetacopy = false;

  constructor(kernel: Kernel, fs: OverlayFs, dentry: DentryHandle, upperDir: DentryHandle) {
    this.#kernel = kernel;
    this.#fs = fs;
    this.#inode = inodeOf(kernel.core, dentry);
    this.#name = nameOf(kernel, dentry);
    this.#isNamed = isHashed(kernel.core, dentry);
    this.#upperDir = upperDir;
    this.#lower = firstLower(kernel.core, this.#inode) as Lower;
  }

  run(bytes: number): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const values = core.statValues;
    const stated = statReal(kernel, this.#lowerInode, values);
    if (stated < 0) return stated;
    this.#stat = values.slice();
    this.#isMetacopy = bytes === METADATA && this.#mayLeaveData;
    const temp = makeTemp(kernel, this.#fs, (_operations, dir, dentry) => this.#make(dir, dentry));
    if (temp < 0) return temp;
    const rc = this.#fill(temp, bytes) || this.#place(temp);
    if (rc < 0) {
      dropTemp(kernel, temp);
      return rc;
    }
    core.u32[(inodeOf(core, temp) << 3) + INODE_STATE] |= core.u32[(this.#lowerInode << 3) + INODE_STATE] & KEPT_STATE;
    return 0;
  }

  get #lowerInode(): InodeHandle {
    return inodeOf(this.#kernel.core, this.#lower.dentry);
  }

  get #mode(): number {
    return this.#stat[STAT_MODE];
  }

  get #isFile(): boolean {
    return (this.#mode & S_IFMT) === S_IFREG;
  }

  /** A file that says it is empty may be one whose size nobody knows (fs/lazyfs/): its data are what there is to read. @see Linux ovl_need_meta_copy_up() */
  get #mayLeaveData(): boolean {
    if (!this.#fs.options.metacopy || !this.#isFile) return false;
    return this.#stat[STAT_SIZE] > 0 || (flagsOf(this.#kernel.core, this.#inode) & OVL_METACOPY) !== 0;
  }

  get #isIndexed(): boolean {
    return this.#fs.options.index && (this.#mode & S_IFMT) !== S_IFDIR && this.#stat[STAT_NLINK] > 1;
  }

  get #origin(): Origin {
    const layer = this.#fs.layers[this.#lower.layer] as Layer;
    return { dev: this.#kernel.core.u32[(layer.sb << 3) + SUPER_BLOCK_DEV], ino: this.#stat[STAT_INO] };
  }

  /** Makes a file of the same type. */
  #make(dir: InodeHandle, dentry: DentryHandle): number {
    const kernel = this.#kernel;
    const operations = operationsOf(kernel, dir);
    const mode = this.#mode;
    switch (mode & S_IFMT) {
      case S_IFDIR:
        return now(operations.mkdir?.(kernel, dir, dentry, mode) ?? -EPERM);
      case S_IFREG:
        return now(operations.create?.(kernel, dir, dentry, mode) ?? -EPERM);
      case S_IFLNK:
        return this.#makeLink(dir, dentry);
      default:
        return now(operations.mknod?.(kernel, dir, dentry, mode, this.#stat[STAT_RDEV]) ?? -EPERM);
    }
  }

  #makeLink(dir: InodeHandle, dentry: DentryHandle): number {
    const kernel = this.#kernel;
    const target = readLink(kernel, this.#lowerInode);
    if (typeof target === "number") return target;
    const length = putTarget(kernel, target);
    return now(operationsOf(kernel, dir).symlink?.(kernel, dir, dentry, length) ?? -EPERM);
  }

  /** Data, extended attributes, owner, mode and times, in an order in which none changes the others. */
  #fill(temp: DentryHandle, bytes: number): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const inode = inodeOf(core, temp);
    const copied = this.#isFile ? this.#fillData(temp, bytes === METADATA ? ALL_DATA : bytes) : 0;
    if (copied < 0) return copied;
    const rc = copyXattrs(kernel, this.#lowerInode, inode, isPrivateXattr) || this.#noteOrigin(inode);
    if (rc < 0) return rc;
    const { u32, f64 } = core;
    const at = inode << 3;
    u32[at + INODE_MODE] = this.#mode;
    u32[at + INODE_UID] = this.#stat[STAT_UID];
    u32[at + INODE_GID] = this.#stat[STAT_GID];
    f64[(inode << 2) + INODE_ATIME_SEC] = this.#stat[STAT_ATIME_SEC];
    f64[(inode << 2) + INODE_MTIME_SEC] = this.#stat[STAT_MTIME_SEC];
    u32[at + INODE_ATIME_NSEC] = this.#stat[STAT_ATIME_NSEC];
    u32[at + INODE_MTIME_NSEC] = this.#stat[STAT_MTIME_NSEC];
    return 0;
  }

  /** The size is that of what is shown, wherever the data are. */
  #fillData(temp: DentryHandle, bytes: number): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const inode = inodeOf(core, temp);
    const size = this.#stat[STAT_SIZE];
    if (this.#isMetacopy) return resize(kernel, inode, size) || markMetacopy(kernel, inode);
    const from = dataFileOf(kernel, this.#inode);
    if (typeof from === "number") return from;
    const to = { mnt: (this.#fs.layers[UPPER_LAYER] as Layer).mnt, dentry: temp };
    const charge = chargeOf(kernel, inodeOf(core, from.dentry), inode);
    if (from.dentry === this.#lower.dentry) return copyData(kernel, from, to, bytes, charge);
    return copyData(kernel, from, to, Math.min(bytes, size), charge) || resize(kernel, inode, size);
  }

  /** A file that parts from the other names of its lower one is another file. */
  #noteOrigin(inode: InodeHandle): number {
    const isOther = (this.#mode & S_IFMT) !== S_IFDIR && this.#stat[STAT_NLINK] > 1 && !this.#isIndexed;
    return isOther ? 0 : setOrigin(this.#kernel, inode, this.#origin);
  }

  /** Gives it its name; the times of its directory stay. Takes over the reference on it. */
  #place(temp: DentryHandle): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const dir = inodeOf(core, this.#upperDir);
    if (isDead(core, dir)) return -ESTALE;
    const [sec, nsec] = [core.f64[(dir << 2) + INODE_MTIME_SEC], core.u32[(dir << 3) + INODE_MTIME_NSEC]];
    const rc = this.#isIndexed ? this.#placeIndexed(temp) : this.#placeNamed(temp);
    core.f64[(dir << 2) + INODE_MTIME_SEC] = sec;
    core.u32[(dir << 3) + INODE_MTIME_NSEC] = nsec;
    if (rc < 0) return rc;
    const parent = (core.u32[(this.#inode << 3) + INODE_ALIASES] >>> 5) as DentryHandle;
    this.#adopt(temp);
    if (parent) copyAttributes(kernel, inodeOf(core, parentOf(core, parent)));
    return 0;
  }

  /** A name that shows something else by now (renew.ts) is not taken from that. */
  #placeNamed(temp: DentryHandle): number {
    const kernel = this.#kernel;
    const { x } = kernel.core;
    if (this.#isNamed) return moveToFree(kernel, temp, this.#upperDir, this.#name);
    const taken = lookupOne(kernel, this.#upperDir, this.#name);
    if (taken > 0) x.dput(taken);
    return Math.min(taken, 0) || (taken ? -EEXIST : -ESTALE);
  }

  #adopt(upper: DentryHandle): void {
    const kernel = this.#kernel;
    const { core } = kernel;
    const isOther = this.#stat[STAT_NLINK] > 1 && !this.#isIndexed;
    if (!isDirectory(core, this.#inode)) {
      if (!isOther) setFlag(core, this.#inode, OVL_ORIGIN);
      if (this.#isIndexed) setFlag(core, this.#inode, OVL_INDEX);
      else core.u32[(this.#inode << 3) + INODE_NLINK] = core.u32[(inodeOf(core, upper) << 3) + INODE_NLINK];
      setKey(kernel, this.#inode, inodeOf(core, upper));
    }
    setUpper(core, this.#inode, upper);
    if (this.#isMetacopy) setFlag(core, this.#inode, OVL_METACOPY);
    else clearFlag(core, this.#inode, OVL_METACOPY);
    copyAttributes(kernel, this.#inode);
  }

  /** In the index first, and by a link of it under its name. */
  #placeIndexed(temp: DentryHandle): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const index = indexDirectory(kernel, this.#fs);
    if (index < 0) return index;
    const noted = writeNlink(kernel, inodeOf(core, temp), this.#stat[STAT_NLINK] - 1); // a link more comes
    const rc = noted || moveToFree(kernel, temp, index, indexName(this.#origin));
    core.x.dput(index);
    if (rc < 0) return rc;
    return linkUpper(kernel, inodeOf(core, temp), this.#upperDir, this.#name);
  }
}

/** Gives a file of the upper layer another name there. @returns 0; -EEXIST; -ENOSPC */
export function linkUpper(kernel: Kernel, inode: InodeHandle, dir: DentryHandle, name: Uint8Array): number {
  const { core } = kernel;
  const taken = lookupOne(kernel, dir, name);
  if (taken > 0) {
    core.x.dput(taken);
    return inodeOf(core, taken) === inode ? 0 : -EIO;
  }
  const made = makeName(kernel, dir, name, ({ link }, parent, dentry) =>
    now(link?.(kernel, inode, parent, dentry) ?? -EPERM),
  );
  if (made < 0) return made;
  core.x.dput(made);
  return 0;
}

/** A name of a file that the index has, which it has not been copied up by, is made in the upper layer. @returns 0 or a negated errno */
export function copyUpAlias(kernel: Kernel, dentry: DentryHandle): number {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  const rc = copyUp(kernel, dentry);
  if (rc < 0 || !(flagsOf(core, inode) & OVL_INDEX)) return rc;
  const parent = parentOf(core, dentry);
  const copied = copyUp(kernel, parent);
  if (copied < 0) return copied;
  const upper = inodeOf(core, upperOf(core, inode));
  const made = linkUpper(kernel, upper, upperOf(core, inodeOf(core, parent)), nameOf(kernel, dentry));
  return made < 0 ? made : writeNlink(kernel, upper, core.u32[(inode << 3) + INODE_NLINK]);
}

/** Target of a symbolic link of a layer, a copy. @returns or what its file system answers */
export function readLink(kernel: Kernel, inode: InodeHandle): Uint8Array | number {
  const { u8, u32 } = kernel.core;
  const at = inode << 3;
  if (u32[at + INODE_STATE] & I_SYMLINK_BODY) {
    const body = u32[at + INODE_PRIVATE0];
    return u8.slice(body, body + u32[at + INODE_PRIVATE1]);
  }
  const target = operationsOf(kernel, inode).getLink?.(kernel, inode) ?? -EIO;
  return typeof target === "number" ? target : target.slice();
}

/** Puts the target of a link that is to be made into path buffer A. @returns its length */
export function putTarget({ core: { u8 } }: Kernel, target: Uint8Array): number {
  u8.set(target, PATH_A);
  u8.fill(0, PATH_A + target.length, PATH_A + target.length + 8);
  return target.length;
}
