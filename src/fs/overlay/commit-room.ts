/**
 * Room for a commit: what comes is made before what goes has gone, so the limits of the file system are lifted meanwhile, and what will
 * be left is counted. Files that somebody else holds, by an open descriptor or a hard link, stay, and count on.
 *
 * @see assembly/block-accounts.ts, assembly/fs/inode.ts freeInode(), where these numbers are kept
 */
import type { DentryHandle, InodeHandle, SuperBlockHandle } from "../../base/handles.ts";
import { S_IFLNK, S_IFMT } from "../../base/stat-flags.ts";
import { eachData, hasMark, slotOf } from "../../mm/page-index.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { Core } from "../../wasm/core.ts";
import {
  AS_SHARED,
  BOGO_INODE_SIZE,
  DENTRY_ALIAS_NEXT,
  DENTRY_COUNT,
  INODE_ALIASES,
  INODE_COUNT,
  INODE_DIRTIED_CS,
  INODE_MODE,
  INODE_NLINK,
  INODE_NR_PAGES,
  INODE_SIZE,
  INODE_XA_FLAGS,
  INODE_XATTRS,
  SHORT_SYMLINK_LEN,
  SUPER_BLOCK_EXTRA_LINKS,
  SUPER_BLOCK_MAX_BLOCKS,
  SUPER_BLOCK_MAX_INODES,
  SUPER_BLOCK_NR_INODES,
  SUPER_BLOCK_USED_BLOCKS,
  SUPER_BLOCK_XATTR_SPACE,
  XA_MARK_LENT,
  XATTR_NAME_LENGTH,
  XATTR_NEXT,
  XATTR_OVERHEAD,
  XATTR_SIZE,
} from "../../wasm/layout.ts";
import type { CommitPlan } from "./commit-plan.ts";
import { childrenOf, inodeOf, isDirectory } from "./layer-names.ts";

const NO_LIMIT = 2 ** 32 - 1;

/** What a file system gets back. */
interface Sum {
  blocks: number;
  inodes: number;
  links: number;
  xattrBytes: number;
}

/** Limits of a file system, lifted until they are put back. */
export class CommitRoom {
  readonly #core: Core;
  readonly #sb: SuperBlockHandle;
  readonly #maxBlocks: number;
  readonly #maxInodes: number;

  constructor({ core }: Kernel, sb: SuperBlockHandle) {
    this.#core = core;
    this.#sb = sb;
    const { u32 } = core;
    this.#maxBlocks = u32[(sb << 3) + SUPER_BLOCK_MAX_BLOCKS];
    this.#maxInodes = u32[(sb << 3) + SUPER_BLOCK_MAX_INODES];
    u32[(sb << 3) + SUPER_BLOCK_MAX_BLOCKS] = NO_LIMIT;
    if (this.#maxInodes !== 0) u32[(sb << 3) + SUPER_BLOCK_MAX_INODES] = NO_LIMIT; // where there is none nobody counts
  }

  /** The limits are in force again. */
  close(): void {
    const { u32 } = this.#core;
    u32[(this.#sb << 3) + SUPER_BLOCK_MAX_BLOCKS] = this.#maxBlocks;
    u32[(this.#sb << 3) + SUPER_BLOCK_MAX_INODES] = this.#maxInodes;
  }

  /** Will what there is after the commit be within the limits? */
  isEnough(plan: CommitPlan): boolean {
    const { u32, f64 } = this.#core;
    const at = this.#sb << 3;
    const gone = goneBy(this.#core, plan);
    if (u32[at + SUPER_BLOCK_USED_BLOCKS] - gone.blocks > this.#maxBlocks) return false;
    if (this.#maxInodes === 0) return true;
    const bytes = f64[(this.#sb << 2) + SUPER_BLOCK_XATTR_SPACE];
    const byXattrs = Math.ceil(bytes / BOGO_INODE_SIZE) - Math.ceil((bytes - gone.xattrBytes) / BOGO_INODE_SIZE);
    const used = u32[at + SUPER_BLOCK_NR_INODES] + u32[at + SUPER_BLOCK_EXTRA_LINKS];
    return used - gone.inodes - gone.links - byXattrs - plan.nrOwnInodes <= this.#maxInodes;
  }
}

/** What goes with the victims of a plan, and with what is replaced. */
function goneBy(core: Core, plan: CommitPlan): Sum {
  const sum: Sum = { blocks: 0, inodes: 0, links: 0, xattrBytes: 0 };
  const files = new Map<InodeHandle, DentryHandle[]>();
  const meet = (dentry: DentryHandle): void => {
    const inode = inodeOf(core, dentry);
    if (isDirectory(core, inode)) sum.inodes += isDirectoryFree(core, dentry) ? 1 : 0;
    else files.set(inode, [...(files.get(inode) ?? []), dentry]);
  };
  const replaced = new Set<DentryHandle>();
  for (const { target } of plan.placed) {
    if (inodeOf(core, target) === 0) continue;
    replaced.add(target); // the plan holds it
    meet(target);
  }
  for (const victim of plan.victims) for (const dentry of plan.goneOf(victim)) meet(dentry);
  for (const [inode, names] of files) addFile(core, sum, inode, names, replaced);
  for (const { inode } of plan.exchanges) sum.xattrBytes += xattrBytes(core, inode);
  return sum;
}

/** Is a directory held by nothing but its names? Extended attributes of it are let be: so few bytes count in so few file systems. */
function isDirectoryFree(core: Core, dentry: DentryHandle): boolean {
  const nrNames = [...childrenOf(core, dentry)].length;
  return core.u32[(dentry << 3) + DENTRY_COUNT] <= 1 + nrNames;
}

function addFile(
  core: Core,
  sum: Sum,
  inode: InodeHandle,
  names: readonly DentryHandle[],
  replaced: ReadonlySet<DentryHandle>,
): void {
  const { u32, f64 } = core;
  const at = inode << 3;
  const nlink = u32[at + INODE_NLINK];
  const isHeld = names.some((name) => u32[(name << 3) + DENTRY_COUNT] > (replaced.has(name) ? 2 : 1));
  const isFree = !isHeld && names.length === nlink && u32[at + INODE_COUNT] === aliasCount(core, inode);
  sum.links += Math.max(nlink - 1, 0) - (isFree ? 0 : Math.max(nlink - names.length - 1, 0));
  if (!isFree) return;
  sum.inodes++;
  sum.xattrBytes += xattrBytes(core, inode);
  if ((u32[at + INODE_MODE] & S_IFMT) === S_IFLNK) sum.blocks += f64[at / 2 + INODE_SIZE] >= SHORT_SYMLINK_LEN ? 1 : 0;
  else sum.blocks += u32[at + INODE_NR_PAGES] + u32[at + INODE_DIRTIED_CS] - lentPages(core, inode);
}

function aliasCount({ u32 }: Core, inode: InodeHandle): number {
  let nr = 0;
  for (let alias = u32[(inode << 3) + INODE_ALIASES] >>> 5; alias !== 0; nr++)
    alias = u32[(alias << 3) + DENTRY_ALIAS_NEXT] >>> 5;
  return nr;
}

function xattrBytes({ u32 }: Core, inode: InodeHandle): number {
  let bytes = 0;
  for (let at = u32[(inode << 3) + INODE_XATTRS] >>> 2; at !== 0; at = u32[at + XATTR_NEXT] >>> 2)
    bytes += XATTR_OVERHEAD + u32[at + XATTR_NAME_LENGTH] + u32[at + XATTR_SIZE];
  return bytes;
}

/** Pages that are no blocks of the file's own file system. */
function lentPages(core: Core, inode: InodeHandle): number {
  if (!(core.u32[(inode << 3) + INODE_XA_FLAGS] & AS_SHARED)) return 0;
  let nr = 0;
  eachData(core, inode, 0, 2 ** 32 - 1, (index) => {
    if (hasMark(core, inode, index, slotOf(core, inode, index) as number, XA_MARK_LENT)) nr++;
    return true;
  });
  return nr;
}
