/**
 * Where the data of a file are: with what the overlay shows of it, or where that has none (metacopy.ts) in the last of its lower files.
 *
 * Layers for data alone are looked into when the data are first asked for, by the path that the last file above them tells.
 *
 * Does not own: how files are found in other layers (lookup.ts).
 *
 * @see Linux fs/overlayfs/namei.c ovl_maybe_lookup_lowerdata(), ovl_lookup_data_layers()
 */
import { EAGAIN, EIO, ELOOP, ENOENT, ENOTDIR } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFLNK, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { LayerFile } from "./copy-data.ts";
import {
  clearFlag,
  dataDentry,
  flagsOf,
  type Lower,
  lowersOf,
  OVL_LAZY_DATA,
  OVL_METACOPY,
  putAll,
  realLayer,
  resetStack,
  upperOf,
} from "./entry.ts";
import { inodeOf, isDirectory, lookupOne, typeOf } from "./layer-names.ts";
import { dataRoots, type Layer, type OverlayFs, overlayOfInode } from "./layers.ts";
import { isPath, namesOfPath, redirectOf } from "./redirect.ts";

/** The file that has the data of a regular file. @returns or as findData() */
export function dataFileOf(kernel: Kernel, inode: InodeHandle): LayerFile | number {
  const { core } = kernel;
  const fs = overlayOfInode(kernel, inode);
  const rc = findData(kernel, fs, inode);
  if (rc < 0) return rc;
  const isElsewhere = flagsOf(core, inode) & OVL_METACOPY;
  const layer = isElsewhere ? (lowersOf(core, inode).at(-1) as Lower).layer : realLayer(core, inode);
  return { mnt: (fs.layers[layer] as Layer).mnt, dentry: dataDentry(core, inode) };
}

/**
 * Looks for data in the layers that are for these alone, where that has not been done.
 *
 * @returns 0; -EIO where nothing says any more where they are; -ENOENT, -ENOTDIR, -ELOOP of the last of these layers; -EAGAIN of a store
 *   with a token; -ENOMEM
 */
export function findData(kernel: Kernel, fs: OverlayFs, inode: InodeHandle): number {
  const { core } = kernel;
  if (!(flagsOf(core, inode) & OVL_LAZY_DATA)) return 0;
  const lowers = lowersOf(core, inode);
  const redirect = redirectOf(kernel, inodeOf(core, (lowers.at(-1) as Lower).dentry));
  if (redirect === undefined || typeof redirect === "number" || !isPath(redirect)) return -EIO;
  const data = lookupDataLayers(kernel, fs, namesOfPath(redirect));
  if (typeof data === "number") return data;
  const upper = upperOf(core, inode);
  for (const dentry of [upper, ...lowers.map((lower) => lower.dentry)]) if (dentry) core.x.dget(dentry);
  const stack = [...lowers, data];
  const rc = resetStack(core, inode, upper, stack);
  if (rc < 0) putAll(core, upper, stack);
  else clearFlag(core, inode, OVL_LAZY_DATA);
  return rc;
}

function lookupDataLayers(kernel: Kernel, fs: OverlayFs, names: readonly Uint8Array[]): Lower | number {
  let rc = -ENOENT;
  for (const { dentry: root, layer } of dataRoots(fs)) {
    const dentry = walkDown(kernel, root, names);
    if (dentry > 0) return { dentry, layer };
    rc = dentry;
    if (rc === -EAGAIN) break;
  }
  return rc;
}

/** A regular file by its path, which leads through directories alone. @returns its dentry with a reference; a negated errno */
function walkDown(kernel: Kernel, root: DentryHandle, names: readonly Uint8Array[]): DentryHandle {
  const { core } = kernel;
  let at = root;
  core.x.dget(at);
  for (const name of names) {
    const inode = inodeOf(core, at);
    const isDir = isDirectory(core, inode);
    const refused = typeOf(core, inode) === S_IFLNK ? -ELOOP : -ENOTDIR;
    const next = isDir ? lookupOne(kernel, at, name) : (refused as DentryHandle);
    core.x.dput(at);
    if (next <= 0) return next || (-ENOENT as DentryHandle);
    at = next;
  }
  if (typeOf(core, inodeOf(core, at)) === S_IFREG) return at;
  core.x.dput(at);
  return -ENOENT as DentryHandle;
}
