/**
 * lazyfs: a tree whose listings and contents come from functions when somebody asks for them; docs/lazyfs.md.
 *
 *   lazy-file, lazy-cursor, lazy-pages       operations of files and links, of directories, of pages
 *     ├─► lazy-inode                          what an inode stands for, sizes that turn out
 *     └─► lazy-list ─► lazy-ask               names: listings that are kept, questions, and who waits
 *           └─► lazy-mount, listings, lazy-entry, lazy-errno      the tree, and what it may answer
 *
 * Does not own: any of it; these are the tables, and the super block.
 */
import { EINVAL } from "../../base/errno.ts";
import { type FileSystemType, FS_RDONLY } from "../../vfs/fs-type.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { superSetupBdi } from "../../vfs/super-bdi.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { PAGE_SIZE, SB_RDONLY } from "../../wasm/layout.ts";
import { simpleStatfs } from "../libfs.ts";
import { storedPages } from "../stored-pages.ts";
import { invalidate } from "./invalidate.ts";
import { lazyDirectoryOperations } from "./lazy-cursor.ts";
import { ROOT_ENTRY } from "./lazy-entry.ts";
import {
  directoryInodeOperations,
  fileInodeOperations,
  lazyFileOperations,
  symlinkInodeOperations,
} from "./lazy-file.ts";
import { DIRECTORY, newState, ROOT_INO, readInode, UNKNOWN_BYTES } from "./lazy-inode.ts";
import { dropLazyMount, LazyMount, mountOf, setLazyMount } from "./lazy-mount.ts";
import { lazyPages } from "./lazy-pages.ts";
import type { LazyLimits, LazyTree } from "./lazy-tree.ts";

/** "lazy". */
const LAZYFS_MAGIC = 0x6c617a79;

/** The tree that is just being mounted: a mount request has no place for it. */
let mounting: { readonly tree: LazyTree; readonly limits: LazyLimits; mount?: LazyMount } | undefined;

function fillSuper(sb: SuperBlock, data: string): number {
  if (mounting === undefined || data !== "") return -EINVAL;
  const { kernel } = sb;
  sb.magic = LAZYFS_MAGIC;
  sb.blockSize = PAGE_SIZE;
  sb.maxBytes = UNKNOWN_BYTES - PAGE_SIZE; // the end of what is not known is no place to seek to
  const rc = sb.makeRoot(ROOT_ENTRY.mode, 0, 0, DIRECTORY);
  if (rc < 0) return rc;
  const root = new Inode(kernel, new Dentry(kernel, sb.root).inode);
  root.ino = ROOT_INO;
  root.nlink = 1;
  root.size = 0;
  const mount = new LazyMount(mounting.tree, mounting.limits, kernel.now());
  mount.inodes.set(root.handle, newState("", ROOT_ENTRY));
  mounting.mount = mount;
  setLazyMount(sb, mount);
  superSetupBdi(sb, { noWriteback: true, noAccounting: true, ended: () => dropLazyMount(sb) });
  sb.flags |= SB_RDONLY;
  return 0;
}

/** The type. It is mounted by mountTree() alone, and has no options. */
export const lazyfs: FileSystemType = {
  name: "lazyfs",
  fsFlags: FS_RDONLY,
  pages: storedPages,
  // By kind: FILE, DIRECTORY, SYMLINK (lazy-inode.ts).
  tables: [
    { inode: fileInodeOperations, file: lazyFileOperations, mapping: lazyPages },
    { inode: directoryInodeOperations, file: lazyDirectoryOperations, mapping: {} },
    { inode: symlinkInodeOperations, file: {}, mapping: {} },
  ],
  superOps: {
    statfs: simpleStatfs,
    readInode,
    evictInode(kernel, inode) {
      const mount = mountOf(kernel, inode);
      const state = mount?.inodes.get(inode);
      if (state === undefined) return;
      if (state.isStale) mount.nrStale--;
      mount.inodes.delete(inode);
      mount.wholes.delete(state);
    },
    putSuper: dropLazyMount,
    umountBegin: (sb) => (sb.kernel.fsInfo.get(sb.handle) as LazyMount | undefined)?.giveUp(),
    remount: (_sb, data) => (data === "" ? 0 : -EINVAL),
  },
  fillSuper,
};

/** A tree that is mounted. */
export class MountedTree {
  readonly #kernel: Kernel;
  readonly #mount: LazyMount;

  constructor(kernel: Kernel, mount: LazyMount) {
    this.#kernel = kernel;
    this.#mount = mount;
  }

  /** See src/index-lazy.ts. @param path in the mount; "" is the root's */
  invalidate(path: string): void {
    if (!this.#mount.isOver) invalidate(this.#kernel, this.#mount, path);
  }
}

/** Mounts a tree. @param mount makes the system call; what it throws is passed on */
export function mountTree(kernel: Kernel, tree: LazyTree, limits: LazyLimits, mount: () => void): MountedTree {
  const before = mounting;
  const request: NonNullable<typeof mounting> = { tree, limits };
  mounting = request;
  try {
    mount();
  } finally {
    mounting = before;
  }
  return new MountedTree(kernel, request.mount as LazyMount);
}
