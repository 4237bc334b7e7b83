/**
 * File systems in memory whose records can be checked: the library's own, and others whose type is given. Of those it is their tables that
 * are looked at; what they keep in their private words they have to check themselves.
 */
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../base/stat-flags.ts";
import { type FileSystemType, FS_MEMORY } from "../vfs/fs-type.ts";
import {
  SB_COMPLETE,
  SB_DELETE_INODE,
  SB_DROP_INODE,
  SB_EVICT,
  SB_FILE,
  SB_FREE_PAGE,
  SB_GET_LINK,
  SB_GETATTR,
  SB_LOOKUP,
  SB_MEMORY,
  SB_PERMISSION,
  SB_RDONLY,
  SB_REVALIDATE,
  SB_SETATTR,
  SB_SILENT,
  SB_STACKED,
  SB_SWAPBACKED,
  SB_SYNCHRONOUS,
} from "../wasm/layout.ts";

/** What is known of the super blocks and inodes of a type. */
export interface KnownType {
  /** Flags of its super blocks: that all have, and that some may have. */
  readonly always: number;
  readonly maybe: number;
  /** Kinds of directories whose names the core changes by itself. */
  readonly plainKinds: number;
  /** Kind of new files, plus 1. */
  readonly fileKind: number;
  /** May an inode of this mode be of this kind? */
  isKind(kind: number, mode: number): boolean;
}

const MOUNTED = SB_RDONLY | SB_SYNCHRONOUS | SB_SILENT;
const IN_MEMORY = SB_MEMORY | SB_COMPLETE;
const OF_DIRECTORIES = 1 << 1;

/** As libfs.simpleTables, and overlay's, have them. */
function kindOf(mode: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFREG) return 0;
  return type === S_IFDIR ? 1 : type === S_IFLNK ? 2 : 3;
}

function simple(maybe: number): KnownType {
  return {
    always: IN_MEMORY,
    maybe: maybe | MOUNTED,
    plainKinds: OF_DIRECTORIES,
    fileKind: 1,
    isKind: (kind, mode) => kind === kindOf(mode),
  };
}

const OWN: Readonly<Record<string, KnownType>> = {
  ramfs: simple(0),
  tmpfs: simple(SB_SWAPBACKED),
  devtmpfs: simple(0),
  overlay: {
    always: SB_STACKED | SB_MEMORY | SB_LOOKUP | SB_GET_LINK | SB_GETATTR | SB_SETATTR | SB_FILE,
    maybe: MOUNTED,
    plainKinds: 0,
    fileKind: 0,
    isKind: (kind, mode) => kind === kindOf(mode),
  },
};

/** What the core may have to ask a type for. */
function askedFor({ tables, superOps, dentryOps }: FileSystemType): number {
  let flags = 0;
  if (superOps?.evictInode || superOps?.readInode || superOps?.writeInode || superOps?.dropInode) flags |= SB_EVICT;
  if (superOps?.dropInode) flags |= SB_DELETE_INODE | SB_DROP_INODE;
  if (dentryOps?.revalidate || dentryOps?.delete) flags |= SB_REVALIDATE;
  for (const { inode, file, mapping } of tables) {
    if (mapping.freePage || mapping.releasePage || mapping.migratePage || mapping.isolatePage) flags |= SB_FREE_PAGE;
    if (file.open || file.release || file.read) flags |= SB_FILE;
    if (inode.lookup) flags |= SB_LOOKUP;
    if (inode.permission) flags |= SB_PERMISSION;
    if (inode.getLink) flags |= SB_GET_LINK;
    if (inode.getattr) flags |= SB_GETATTR;
    if (inode.setattr) flags |= SB_SETATTR;
  }
  return flags;
}

function given(type: FileSystemType): KnownType {
  const { length } = type.tables;
  return {
    always: IN_MEMORY,
    maybe: MOUNTED | SB_SWAPBACKED | askedFor(type),
    plainKinds: -1,
    fileKind: length,
    isKind: (kind) => kind < length,
  };
}

/** What is known of a type, undefined = nothing. @param types that are given beside the library's own */
export function knownType(name: string, types: readonly FileSystemType[]): KnownType | undefined {
  if (Object.hasOwn(OWN, name)) return OWN[name];
  const type = types.find((one) => one.name === name && (one.fsFlags & FS_MEMORY) !== 0);
  return type && given(type);
}

/** Is it one of the library's own, whose inodes are as it makes them? */
export function isOwnType(name: string): boolean {
  return Object.hasOwn(OWN, name);
}
