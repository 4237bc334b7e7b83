/**
 * An upper layer as a tar, in the form in which `tar --xattrs --xattrs-include='*'` packs one of the kernel's overlayfs: whiteouts are
 * devices 0:0, and what the overlay says of opaque and moved directories are extended attributes.
 *
 * What means something inside of one kernel alone is left out, unless it is for foliofs itself (saved-layer.ts).
 *
 * Does not own: the form of a tar (fs/tar/), its way back (untar-upper.ts).
 */
import { ENAMETOOLONG, ENODATA, EOPNOTSUPP } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { latin1Bytes, latin1Of } from "../../base/latin1.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import {
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_GID,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_NLINK,
  STAT_RDEV,
  STAT_UID,
} from "../../vfs/syscalls.ts";
import { I_APPEND, I_IMMUTABLE, INODE_STATE } from "../../wasm/layout.ts";
import type { TarEntry, TarPiece } from "../tar/entry.ts";
import type { TarWriter } from "../tar/writer.ts";
import type { LayerFile } from "./copy-data.ts";
import { readLink } from "./copy-up.ts";
import { describe } from "./diff-entry.ts";
import type { DiffFailure } from "./diff-tree.ts";
import { childrenOf, inodeOf, nameOf } from "./layer-names.ts";
import { getLayerXattr, listLayerXattrs } from "./layer-xattr.ts";
import { isPrivateXattr } from "./own-xattr.ts";
import { readPieces } from "./read-pieces.ts";
import { withData } from "./shown-file.ts";
import { bottomInode } from "./stack-parts.ts";

/** Paths in archives are shorter, a slash at the end and a NUL behind it with them: no program could open longer ones. */
export const PATH_MAX = 4096;
/** Attributes of an overlay's own that mean the same to the kernel's. */
export const OPAQUE = "trusted.overlay.opaque";
export const REDIRECT = "trusted.overlay.redirect";
/** Flags of a file in the upper layer, a letter each. @see Linux fs/overlayfs/util.c ovl_set_protattr() */
export const PROTATTR = "trusted.overlay.protattr";
export const ORIGIN = "trusted.overlay.origin";

/** Names of other files that a file has had before, by its inode. */
export type Links = Map<InodeHandle, string>;

/** What an entry has beside its name, and what it is linked to. @param size, pieces of regular files */
export function attributesOf(stat: Float64Array): Pick<TarEntry, "mode" | "uid" | "gid" | "rdev" | "mtime"> {
  return {
    mode: stat[STAT_MODE],
    uid: stat[STAT_UID],
    gid: stat[STAT_GID],
    rdev: stat[STAT_RDEV],
    mtime: { sec: stat[STAT_MTIME_SEC], nsec: stat[STAT_MTIME_NSEC] },
  };
}

export const NO_DATA = { size: 0, pieces: [] as readonly TarPiece[] };
export const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

/** Attributes of a file, as far as they are wanted, and can be had. @returns a negated errno */
export function xattrsOf(
  kernel: Kernel,
  inode: InodeHandle,
  isWanted: (name: Uint8Array) => boolean,
): Map<string, Uint8Array> | number {
  const xattrs = new Map<string, Uint8Array>();
  const names = listLayerXattrs(kernel, inode);
  if (typeof names === "number") return names === -EOPNOTSUPP ? xattrs : names;
  for (const name of names) {
    if (!isWanted(name)) continue;
    const value = getLayerXattr(kernel, inode, name);
    if (value === -ENODATA || value === -EOPNOTSUPP) continue;
    if (typeof value === "number") return value;
    xattrs.set(latin1Of(name), value.slice());
  }
  return xattrs;
}

/**
 * Packs an upper layer. Files whose data are below are told with these.
 *
 * @param sb the overlay
 * @param isOwn for foliofs: what a file has been copied from, and when it was changed, are told, too
 * @returns 0; what failed
 */
export function tarUpper(sb: SuperBlock, upper: LayerFile, writer: TarWriter, isOwn: boolean): 0 | DiffFailure {
  return new UpperTar(sb, upper, writer, isOwn).run();
}

class UpperTar {
  readonly #sb: SuperBlock;
  readonly #kernel: Kernel;
  readonly #upper: LayerFile;
  readonly #writer: TarWriter;
  readonly #isOwn: boolean;
  readonly #links: Links = new Map();

  constructor(sb: SuperBlock, upper: LayerFile, writer: TarWriter, isOwn: boolean) {
    this.#sb = sb;
    this.#kernel = sb.kernel;
    this.#upper = upper;
    this.#writer = writer;
    this.#isOwn = isOwn;
  }

  run(): 0 | DiffFailure {
    return this.#add(this.#upper.dentry, ".");
  }

  #add(dentry: DentryHandle, path: string): 0 | DiffFailure {
    const rc = path.length < PATH_MAX - 1 ? this.#addEntry(dentry, path) : -ENAMETOOLONG;
    if (rc < 0) return { rc, path };
    const { core } = this.#kernel;
    // The oldest first, so that what is unpacked lists them in the same order.
    for (const child of [...childrenOf(core, dentry)].reverse()) {
      const failure = this.#add(child, `${path}/${latin1Of(nameOf(this.#kernel, child))}`);
      if (failure) return failure;
    }
    return 0;
  }

  #addEntry(dentry: DentryHandle, path: string): number {
    const kernel = this.#kernel;
    const inode = inodeOf(kernel.core, dentry);
    const stat = describe(kernel, dentry);
    if (typeof stat === "number") return stat;
    const ctime = { sec: stat[STAT_CTIME_SEC], nsec: stat[STAT_CTIME_NSEC] };
    const attributes = { ...attributesOf(stat), ...(this.#isOwn ? { ctime } : {}) };
    const first = this.#links.get(inode);
    if (first !== undefined) {
      const mode = attributes.mode & ~S_IFMT;
      this.#writer.add({ ...attributes, mode, name: path, link: first, xattrs: NO_XATTRS, ...NO_DATA });
      return 0;
    }
    const type = stat[STAT_MODE] & S_IFMT;
    if (type !== S_IFDIR && stat[STAT_NLINK] > 1) this.#links.set(inode, path);
    const xattrs = xattrsOf(kernel, inode, (name) => this.#isWanted(name, type === S_IFDIR));
    if (typeof xattrs === "number") return xattrs;
    const flags = this.#flagsOf(inode);
    if (flags !== "") xattrs.set(PROTATTR, latin1Bytes(flags));
    const name = type === S_IFDIR ? `${path}/` : path;
    const entry = withData(this.#sb, { ...this.#upper, dentry }, (data) =>
      entryWith(kernel, data, { ...attributes, name, xattrs }),
    );
    if (typeof entry === "number") return entry;
    this.#writer.add(entry);
    return 0;
  }

  #isWanted(name: Uint8Array, isDir: boolean): boolean {
    if (!isPrivateXattr(name)) return true;
    const text = latin1Of(name);
    return text === OPAQUE || (text === REDIRECT && isDir) || (this.#isOwn && text === ORIGIN);
  }

  #flagsOf(inode: InodeHandle): string {
    const state = this.#kernel.core.u32[(inode << 3) + INODE_STATE];
    return (state & I_APPEND ? "a" : "") + (state & I_IMMUTABLE ? "i" : "");
  }
}

/** An entry with the data, or the target, of a file. @returns a negated errno */
export function entryWith(
  kernel: Kernel,
  file: LayerFile,
  rest: Omit<TarEntry, "link" | "size" | "pieces">,
): TarEntry | number {
  const type = rest.mode & S_IFMT;
  if (type === S_IFLNK) {
    const target = readLink(kernel, bottomInode(kernel, inodeOf(kernel.core, file.dentry)));
    return typeof target === "number" ? target : { ...rest, link: latin1Of(target), ...NO_DATA };
  }
  if (type !== S_IFREG) return { ...rest, link: "", ...NO_DATA };
  const data = readPieces(kernel, file);
  return typeof data === "number" ? data : { ...rest, link: "", ...data };
}
