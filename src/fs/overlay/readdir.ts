/**
 * Listings of an overlay's directories: names of all layers, each once, without those that a whiteout hides.
 *
 * As in Linux those of the lowest layer come first, which are the most, so that the order changes little.
 *
 * @see Linux fs/overlayfs/readdir.c ovl_dir_read_merged(), ovl_check_empty_dir()
 */
import { ENOTEMPTY } from "../../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFCHR } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { DirEmit } from "../../vfs/fs-type.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { Core } from "../../wasm/core.ts";
import { INODE_GENERATION, INODE_SB, INODE_VERSION } from "../../wasm/layout.ts";
import { lowersOf, upperOf } from "./entry.ts";
import { childrenOf, inodeOf, isWhiteout, lookupOne, nameOf, typeOf } from "./layer-names.ts";
import { isComplete } from "./layers.ts";

/** One name. */
export interface Entry {
  readonly name: Uint8Array;
  /** DT_*. */
  readonly type: number;
  readonly isWhiteout: boolean;
}

const DT_CHR = S_IFCHR >> 12;
/** Bytes of a name, as a text that differs where they do. */
export function keyOf(name: Uint8Array): string {
  return String.fromCharCode(...name);
}

/** Names of one layer, whiteouts among them. @returns or a negated errno */
export function listLayer(kernel: Kernel, dir: DentryHandle): Entry[] | number {
  const { core } = kernel;
  const inode = inodeOf(core, dir);
  const entries: Entry[] = [];
  const iterate = kernel.tableOf(inode).file.iterate;
  if (iterate === undefined) {
    for (const child of childrenOf(core, dir)) {
      const of = inodeOf(core, child);
      entries.push({ name: nameOf(kernel, child), type: typeOf(core, of) >> 12, isWhiteout: isWhiteout(core, of) });
    }
    return entries;
  }
  const rc = iterate(kernel, inode, (given, type) => {
    const name = typeof given === "string" ? utf8Encoder.encode(given) : given.slice();
    entries.push({ name, type, isWhiteout: false });
    return true;
  });
  return rc < 0 ? rc : withWhiteouts(kernel, dir, entries);
}

/** Which of the devices are whiteouts, of a directory whose names are its file system's. @returns or a negated errno */
function withWhiteouts(kernel: Kernel, dir: DentryHandle, entries: readonly Entry[]): Entry[] | number {
  const { core } = kernel;
  const told: Entry[] = [];
  for (const entry of entries) {
    const found = entry.type === DT_CHR ? lookupOne(kernel, dir, entry.name) : (0 as DentryHandle);
    if (found < 0) return found;
    told.push(found ? { ...entry, isWhiteout: isWhiteout(core, inodeOf(core, found)) } : entry);
    if (found) core.x.dput(found);
  }
  return told;
}

/** All names of a directory, in order. @returns or a negated errno */
function merge(kernel: Kernel, dirs: readonly DentryHandle[]): Entry[] | number {
  const seen = new Set<string>();
  const upper: Entry[] = [];
  let lowest: Entry[] = [];
  for (const [i, dir] of dirs.entries()) {
    const listed = listLayer(kernel, dir);
    if (typeof listed === "number") return listed;
    const fresh = i === 0 ? listed : listed.filter(({ name }) => !seen.has(keyOf(name)));
    const isLast = i === dirs.length - 1;
    if (!isLast) for (const { name } of fresh) seen.add(keyOf(name));
    if (isLast) lowest = fresh;
    else upper.push(...fresh);
  }
  return [...lowest, ...upper].filter((entry) => !entry.isWhiteout);
}

/** A listing, with what it has been made of. */
interface Kept {
  readonly versions: readonly number[];
  readonly entries: readonly Entry[];
}

/** Directories whose listings are kept. */
const NR_KEPT = 64;
/** By the memory that they are of: another one has other versions. */
const kept = new WeakMap<Core, Map<InodeHandle, Kept>>();

/** What a listing depends on; undefined where a file system does not say. */
function versionsOf({ core }: Kernel, inode: InodeHandle, dirs: readonly DentryHandle[]): number[] | undefined {
  const { u32 } = core;
  const versions = [u32[(inode << 3) + INODE_GENERATION]];
  for (const dir of dirs) {
    const real = inodeOf(core, dir);
    if (!isComplete(core, (u32[(real << 3) + INODE_SB] >>> 5) as never)) return undefined;
    versions.push(u32[(real << 3) + INODE_GENERATION], u32[(real << 3) + INODE_VERSION]);
  }
  return versions;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function listingOf(kernel: Kernel, inode: InodeHandle): readonly Entry[] | number {
  const { core } = kernel;
  const upper = upperOf(core, inode);
  const dirs = [...(upper ? [upper] : []), ...lowersOf(core, inode).map(({ dentry }) => dentry)];
  const versions = versionsOf(kernel, inode, dirs);
  const listings = kept.get(core) ?? new Map<InodeHandle, Kept>();
  kept.set(core, listings);
  const known = listings.get(inode);
  if (known && versions && isSame(known.versions, versions)) return known.entries;
  const entries = merge(kernel, dirs);
  if (typeof entries === "number" || versions === undefined) return entries;
  listings.delete(inode);
  listings.set(inode, { versions, entries });
  if (listings.size > NR_KEPT) listings.delete(listings.keys().next().value as InodeHandle);
  return entries;
}

/** What readers of open directories go on with: names that come and go meanwhile do not change it. */
const opened = new WeakMap<Core, Map<FileHandle, readonly Entry[]>>();

function listingFor(kernel: Kernel, dir: InodeHandle, file: FileHandle): readonly Entry[] | number {
  const listings = opened.get(kernel.core) ?? new Map<FileHandle, readonly Entry[]>();
  opened.set(kernel.core, listings);
  const known = kernel.core.filePos(file) > 0 ? listings.get(file) : undefined;
  if (known) return known;
  const entries = listingOf(kernel, dir);
  if (typeof entries !== "number") listings.set(file, entries);
  return entries;
}

/** FileOperations.iterate. */
export function iterate(kernel: Kernel, dir: InodeHandle, emit: DirEmit, file?: FileHandle): number {
  const entries = file ? listingFor(kernel, dir, file) : listingOf(kernel, dir);
  if (typeof entries === "number") return entries;
  entries.every(({ name, type }) => emit(name, type));
  return 0;
}

/** FileOperations.release, of a directory. */
export function releaseDirectory(kernel: Kernel, _dir: InodeHandle, file: FileHandle): void {
  opened.get(kernel.core)?.delete(file);
}

/** Has a directory no name that shows? @returns 0; -ENOTEMPTY; another negated errno */
export function checkEmpty(kernel: Kernel, dir: InodeHandle): number {
  const entries = listingOf(kernel, dir);
  if (typeof entries === "number") return entries;
  return entries.length === 0 ? 0 : -ENOTEMPTY;
}
