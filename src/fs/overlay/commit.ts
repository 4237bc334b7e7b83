/**
 * Committing a layer: all that it has changed becomes so in the lower layer right below, as if it had been made there and moved to its
 * place. All or nothing, and between two calls of anybody.
 *
 *   plan     copies beside, in a directory that nobody sees        may fail, and nothing has changed
 *   place    moves, removals, attributes                           cannot fail
 *   renew    the upper layer is emptied; every overlay over the lower one looks its names up anew
 *
 * Does not own: the plan (commit-plan.ts), room (commit-room.ts), what stays in the upper layer (commit-kept.ts), names (renew.ts).
 */
import { ENOSPC, EROFS, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle, SuperBlockHandle } from "../../base/handles.ts";
import { dropName, moveName } from "../../vfs/change-name.ts";
import { FS_ATTRIB } from "../../vfs/fsnotify-events.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { pathsChanged } from "../../vfs/path-cache.ts";
import { SuperBlock } from "../../vfs/super-block.ts";
import { wantWriteInode } from "../../vfs/want-write.ts";
import type { Core } from "../../wasm/core.ts";
import {
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_GID,
  INODE_KIND,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_NLINK,
  INODE_SB,
  INODE_UID,
  INODE_XATTRS,
  MNT_LAYER_RDONLY,
  MOUNT_FLAGS,
  NR_PLAIN_KINDS,
  SB_RDONLY,
  SUPER_BLOCK_PLAIN_KINDS,
} from "../../wasm/layout.ts";
import { emptyDirectory, filesOf, keptFiles } from "./commit-kept.ts";
import { CommitPlan, type Move } from "./commit-plan.ts";
import { CommitRoom } from "./commit-room.ts";
import { completeData } from "./complete-data.ts";
import { copyInodeAttributes } from "./copy-node.ts";
import { renewFile } from "./file.ts";
import { copyAttributes } from "./inode.ts";
import { childrenOf, inodeOf, isDead, isDirectory, now, operationsOf, parentOf } from "./layer-names.ts";
import { isComplete, type Layer, type OverlayFs, overlayOf, UPPER_LAYER } from "./layers.ts";
import { dropUnusedNames, overlaysOver, renewNames } from "./renew.ts";

/** Owner and mode: what is one when it has been changed. */
const OWNER = [INODE_MODE, INODE_UID, INODE_GID];

/**
 * Commits an overlay with an upper layer to the uppermost lower one.
 *
 * @returns 0; in the order checked -EROFS for a lower layer that does not live in memory, as tmpfs does it, or is read-only; -ESTALE for
 *   one that has been removed; -EAGAIN with a token while either is frozen; errors of copy-up for data that are below; what lower layers further below answer; -ESTALE where two
 *   directories have come to stand for one below; -EBUSY where something is mounted on what would go or move; -ENOSPC, also where the
 *   result is beyond the limits of the lower layer. Then nothing has changed
 */
export function commit(sb: SuperBlock): number {
  const { kernel } = sb;
  const fs = overlayOf(sb);
  const base = fs.layers[1] as Layer;
  const refused = checkBase(kernel, fs);
  if (refused < 0) return refused;
  const overlays = overlaysOver(kernel, base.sb);
  const completed = completeOthers(sb, base, overlays);
  if (completed < 0) return completed;
  dropUnusedNames(kernel, overlays);
  kernel.evictInodes();
  const rc = new Commit(sb, fs, overlays).run();
  kernel.dirCache.clear();
  kernel.evictInodes();
  return rc;
}

/**
 * What other layers have changed keeps its data, whatever becomes of the lower files. So does what may stay in this one: files with several
 * names (commit-kept.ts).
 *
 * @param overlays the lower ones first
 */
function completeOthers(sb: SuperBlock, base: Layer, overlays: readonly SuperBlock[]): number {
  const { core } = sb.kernel;
  const changing = new Set<SuperBlockHandle>([base.sb]);
  const isOver = (layer: Layer | undefined, i: number): boolean => {
    if (layer === undefined || i === UPPER_LAYER || !changing.has(layer.sb)) return false;
    if (layer.sb !== base.sb) return true;
    return core.x.isSubdir(layer.root, base.root) !== 0 || core.x.isSubdir(base.root, layer.root) !== 0;
  };
  for (const overlay of overlays) {
    if (!overlayOf(overlay).layers.some(isOver)) continue;
    changing.add(overlay.handle);
    const isOwn = overlay.handle === sb.handle;
    const rc = completeData(overlay, (upper, data) =>
      isOwn ? core.u32[(upper << 3) + INODE_NLINK] > 1 : changing.has(superOf(core, data)),
    );
    if (rc < 0) return rc;
  }
  return 0;
}

function superOf({ u32 }: Core, inode: InodeHandle): SuperBlockHandle {
  return (u32[(inode << 3) + INODE_SB] >>> 5) as SuperBlockHandle;
}

/** Names of the lower layer must be the dcache's own, so that moving them cannot fail. */
function checkBase(kernel: Kernel, { layers: [upper, base] }: OverlayFs): number {
  const { core } = kernel;
  if (upper === undefined || base === undefined || !isComplete(core, base.sb)) return -EROFS;
  const root = inodeOf(core, base.root);
  const sb = new SuperBlock(kernel, base.sb);
  const isForeign = !hasPlainNames(core, base.sb, root) || sb.type.xattrs !== undefined;
  if (isForeign || sb.flags & SB_RDONLY || core.u32[(base.mnt << 3) + MOUNT_FLAGS] & MNT_LAYER_RDONLY) return -EROFS;
  if (isDead(core, root)) return -ESTALE;
  return wantWriteInode(kernel, root) || wantWriteInode(kernel, inodeOf(core, upper.root));
}

/** Are names of a directory changed by libfs's operations? Asked of the record: an operation would be that of the entry it is from. */
function hasPlainNames({ u32 }: Core, sb: SuperBlockHandle, dir: InodeHandle): boolean {
  const kind = u32[(dir << 3) + INODE_KIND];
  return kind < NR_PLAIN_KINDS && ((u32[(sb << 3) + SUPER_BLOCK_PLAIN_KINDS] >>> kind) & 1) !== 0;
}

/** Attributes of the root of a layer. */
interface RootState {
  readonly owner: readonly number[];
  readonly times: readonly number[];
}

class Commit {
  readonly #kernel: Kernel;
  readonly #sb: SuperBlock;
  readonly #upper: Layer;
  readonly #base: Layer;
  readonly #overlays: readonly SuperBlock[];
  readonly #plan: CommitPlan;
  readonly #before: RootState;

  constructor(sb: SuperBlock, fs: OverlayFs, overlays: readonly SuperBlock[]) {
    this.#kernel = sb.kernel;
    this.#sb = sb;
    this.#upper = fs.layers[0] as Layer;
    this.#base = fs.layers[1] as Layer;
    this.#overlays = overlays;
    this.#plan = new CommitPlan(sb, fs);
    this.#before = rootState(sb.kernel, this.#baseRoot);
  }

  get #baseRoot(): InodeHandle {
    return inodeOf(this.#kernel.core, this.#base.root);
  }

  run(): number {
    const room = new CommitRoom(this.#kernel, this.#base.sb);
    const rc = this.#plan.make() || (room.isEnough(this.#plan) ? 0 : -ENOSPC);
    if (rc < 0) this.#plan.drop();
    else this.#place();
    room.close();
    setTimes(this.#kernel, this.#baseRoot, this.#before);
    if (rc < 0) return rc;
    this.#settle();
    this.#renew();
    return 0;
  }

  // --- Places ---------------------------------------------------------------------------------------------------------

  #place(): void {
    const { u32 } = this.#kernel.core;
    const { away, victims, placed, exchanges } = this.#plan;
    for (const move of away) this.#move(move);
    for (const victim of victims) this.#remove(victim);
    for (const move of placed) this.#move(move);
    for (const { inode, carrier } of exchanges) {
      const [a, b] = [(inode << 3) + INODE_XATTRS, (carrier << 3) + INODE_XATTRS];
      [u32[a], u32[b]] = [u32[b], u32[a]];
    }
    this.#plan.drop();
  }

  #move({ dentry, target }: Move): void {
    const kernel = this.#kernel;
    const [from, to] = [dentry, target].map((name) => inodeOf(kernel.core, parentOf(kernel.core, name)));
    const answer = now(operationsOf(kernel, from).rename?.(kernel, from, dentry, to, target, 0));
    moveName(kernel, dentry, target, 0, answer);
  }

  /** Removes a tree, leaves first. */
  #remove(dentry: DentryHandle): void {
    const kernel = this.#kernel;
    const { core } = kernel;
    for (const child of childrenOf(core, dentry)) this.#remove(child);
    const dir = inodeOf(core, parentOf(core, dentry));
    const { rmdir, unlink } = operationsOf(kernel, dir);
    const remove = isDirectory(core, inodeOf(core, dentry)) ? rmdir : unlink;
    dropName(kernel, dentry, now(remove?.(kernel, dir, dentry)));
  }

  // --- Attributes -----------------------------------------------------------------------------------------------------

  /** Modes, owners and times are what the layer has shown. */
  #settle(): void {
    const kernel = this.#kernel;
    const { u32 } = kernel.core;
    const exchanged = new Set(this.#plan.exchanges.map(({ inode }) => inode));
    for (const { source, sink } of this.#plan.attributes) {
      const isOther = OWNER.some((field) => u32[(source << 3) + field] !== u32[(sink << 3) + field]);
      copyInodeAttributes(kernel, source, sink);
      if (isOther || exchanged.has(sink)) kernel.fsnotify?.changed({ inode: sink }, FS_ATTRIB);
    }
    pathsChanged(kernel.core);
  }

  // --- Overlays -------------------------------------------------------------------------------------------------------

  #renew(): void {
    const kernel = this.#kernel;
    const { core } = kernel;
    emptyDirectory(kernel, this.#upper.root, keptFiles(this.#sb, this.#upper.sb), this.#plan.become);
    for (const overlay of this.#overlays) {
      const isOwn = overlay.handle === this.#sb.handle;
      if (!isOwn) this.#followRoot(overlay);
      renewNames(overlay, isOwn ? this.#plan.become : undefined);
      copyAttributes(kernel, inodeOf(core, overlay.root));
    }
    for (const file of filesOf(core, this.#sb.handle)) renewFile(kernel, file);
  }

  /** Every layer has a root of its own: where it is as the lower one was, that has not been changed there, and so it follows. */
  #followRoot(overlay: SuperBlock): void {
    const kernel = this.#kernel;
    const { core } = kernel;
    const [upper, lower] = overlayOf(overlay).layers;
    if (upper === undefined || lower?.root !== this.#base.root) return;
    const inode = inodeOf(core, upper.root);
    const now = rootState(kernel, inode);
    if (String(now.owner) === String(this.#before.owner))
      for (const field of OWNER) core.u32[(inode << 3) + field] = core.u32[(this.#baseRoot << 3) + field];
    if (String(now.times.slice(0, 2)) === String(this.#before.times.slice(0, 2)))
      setTimes(kernel, inode, rootState(kernel, this.#baseRoot));
  }
}

/** Times: of the last change of data, then of the last change. */
function rootState({ core: { u32, f64 } }: Kernel, inode: InodeHandle): RootState {
  const [words, numbers] = [inode << 3, inode << 2];
  return {
    owner: OWNER.map((field) => u32[words + field]),
    times: [
      f64[numbers + INODE_MTIME_SEC],
      u32[words + INODE_MTIME_NSEC],
      f64[numbers + INODE_CTIME_SEC],
      u32[words + INODE_CTIME_NSEC],
    ],
  };
}

function setTimes({ core: { u32, f64 } }: Kernel, inode: InodeHandle, { times }: RootState): void {
  const [words, numbers] = [inode << 3, inode << 2];
  f64[numbers + INODE_MTIME_SEC] = times[0];
  u32[words + INODE_MTIME_NSEC] = times[1];
  f64[numbers + INODE_CTIME_SEC] = times[2];
  u32[words + INODE_CTIME_NSEC] = times[3];
}
