/**
 * Freezing: a file system holds still, so that a copy of what lies below it is whole (FIFREEZE, FITHAW).
 *
 * In the order of the levels new writers are held up, and those under way are waited for; then the file system writes back
 * what it has and is told to stop. Who is held up gets -EAGAIN and a token that thawing redeems: callback and promise calls
 * go on then. Reads go on all the time, without access times.
 *
 *   SB_FREEZE_WRITE      writes, truncations, names, attributes; a flag of the super block, so that nobody else looks twice
 *   SB_FREEZE_PAGEFAULT  writes by way of mapped pages
 *   SB_FREEZE_FS         what a file system does by itself, such as cleaning up
 *   SB_FREEZE_COMPLETE   all is still
 *
 * Calls that end within themselves are never under way when somebody freezes. What a call leaves behind when it waits
 * for a store counts as a writer (startWrite(), endWrite()), in memory; changes of names and attributes that wait for their
 * store are known by their operations.
 *
 * Does not own: who may freeze, and by which path (fsfreeze.ts), who is asked to wait (want-write.ts).
 *
 * @see Linux fs/super.c freeze_super(), thaw_super(), sb_start_write()
 */
import { EAGAIN, EBUSY, EINVAL, EIO } from "../base/errno.ts";
import type { InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import {
  MOUNT_SB,
  SB_FREEZE_COMPLETE,
  SB_FREEZE_FS,
  SB_FREEZE_PAGEFAULT,
  SB_FREEZE_WRITE,
  SB_FROZEN,
  SB_RDONLY,
  SB_UNFROZEN,
  SUPER_BLOCK_ACTIVE,
  SUPER_BLOCK_FROZEN,
  SUPER_BLOCK_MAX_BYTES,
  SUPER_BLOCK_WRITERS,
} from "../wasm/layout.ts";
import { syncFilesystem } from "./dirty-inode.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";
import { Wait } from "./waiting.ts";

export { SB_FREEZE_FS, SB_FREEZE_PAGEFAULT, SB_FREEZE_WRITE };

/** A promise, and what keeps it. */
export interface Waiters {
  token: Promise<void>;
  wake(): void;
}

/** The call that is being made waits for the next change of a super block, or of the locks of an inode. @returns -EAGAIN */
export function waitForChange(kernel: Kernel, of: SuperBlockHandle | InodeHandle): number {
  const all = kernel.waiters;
  let waiters = all.get(of);
  if (waiters === undefined) {
    let wake = (): void => {};
    const token = new Promise<void>((resolve) => {
      wake = resolve;
    });
    waiters = { token, wake };
    all.set(of, waiters);
  }
  kernel.setWaitToken(waiters.token);
  return -EAGAIN;
}

/** Lets those go on who wait for a change, once the call that is being made is over. */
export function wakeWaiters(kernel: Kernel, of: SuperBlockHandle | InodeHandle): void {
  kernel.waiters.get(of)?.wake();
  kernel.waiters.delete(of);
}

// --- Writers ------------------------------------------------------------------------------------------------------------

/** Where a super block counts the writers of a level. */
function writersAt(sb: SuperBlock, level: number): number {
  return (sb.handle << 3) + SUPER_BLOCK_WRITERS + level - SB_FREEZE_WRITE;
}

/**
 * An operation that will wait for its store begins to change the file system; endWrite() says that it is done.
 *
 * @param level SB_FREEZE_WRITE, SB_FREEZE_PAGEFAULT or SB_FREEZE_FS
 * @returns 0; -EAGAIN when the file system is frozen so far
 */
export function startWrite(sb: SuperBlock, level: number): number {
  if (sb.frozen >= level) return waitForChange(sb.kernel, sb.handle);
  sb.kernel.core.u32[writersAt(sb, level)]++;
  return 0;
}

/** The other half of startWrite(). */
export function endWrite(sb: SuperBlock, level: number): void {
  if (--sb.kernel.core.u32[writersAt(sb, level)] === 0) wakeWaiters(sb.kernel, sb.handle);
}

// --- Freezing -----------------------------------------------------------------------------------------------------------

const LEVELS = [SB_FREEZE_WRITE, SB_FREEZE_PAGEFAULT, SB_FREEZE_FS];

function setFrozen(sb: SuperBlock, level: number): void {
  const { u32, f64 } = sb.kernel.core;
  u32[(sb.handle << 3) + SUPER_BLOCK_FROZEN] = level;
  const limit = (sb.handle << 2) + SUPER_BLOCK_MAX_BYTES;
  if (level === SB_UNFROZEN) {
    sb.flags &= ~SB_FROZEN;
    f64[limit] = Math.abs(f64[limit]);
  } else if (!(sb.flags & SB_RDONLY)) {
    sb.flags |= SB_FROZEN;
    f64[limit] = -Math.abs(f64[limit]); // the core's writes find it there
  }
}

/** Is a change under way that waits for the store: of names, attributes (operation.ts), or data (writer.ts)? Then its token is to be waited for. */
function waitsForStore({ kernel, handle }: SuperBlock): boolean {
  for (const { mnt, token } of kernel.pendingChanges.values()) {
    if (kernel.core.u32[(mnt << 3) + MOUNT_SB] >>> 5 !== handle || token === undefined) continue;
    kernel.setWaitToken(token);
    return true;
  }
  return false;
}

/**
 * Goes on freezing from where it stopped.
 *
 * @returns 0; -EAGAIN with a token while there are writers, or the file system itself has to wait; what syncFs() and
 *   freezeFs() answer
 */
function goOn(sb: SuperBlock): number {
  const { superOps } = sb.type;
  for (const level of LEVELS) {
    if (sb.frozen > level) continue;
    setFrozen(sb, level);
    if (sb.kernel.core.u32[writersAt(sb, level)] > 0) return waitForChange(sb.kernel, sb.handle);
    if (level === SB_FREEZE_WRITE && waitsForStore(sb)) return -EAGAIN;
    const rc =
      level === SB_FREEZE_PAGEFAULT ? syncFilesystem(sb, true) : level === SB_FREEZE_FS ? superOps?.freezeFs?.(sb) : 0;
    if (rc !== undefined && rc < 0) return rc;
    setFrozen(sb, level + 1);
  }
  return 0;
}

/** A frozen super block is in use, by whoever will thaw it. @returns 0; -EBUSY when somebody has frozen it */
function begin(sb: SuperBlock): number {
  if (sb.frozen !== SB_UNFROZEN) return -EBUSY;
  sb.kernel.core.u32[(sb.handle << 3) + SUPER_BLOCK_ACTIVE]++;
  // Nobody writes there, and nobody has to wait in order to be told so.
  setFrozen(sb, sb.flags & SB_RDONLY ? SB_FREEZE_COMPLETE : SB_FREEZE_WRITE);
  return 0;
}

function letGo(sb: SuperBlock): void {
  const { kernel, handle } = sb;
  setFrozen(sb, SB_UNFROZEN);
  wakeWaiters(kernel, handle);
  if (sb.bdi?.hasDirtyInodes) sb.bdi.flusher?.arm();
  kernel.core.x.superPut(handle);
  kernel.evictInodes();
}

/**
 * Freezes at once, or not at all.
 *
 * @returns 0; -EBUSY when it is frozen, or about to be; -EAGAIN with a token; what the file system answers
 */
export function freezeSuper(sb: SuperBlock): number {
  const busy = begin(sb);
  if (busy < 0) return busy;
  const rc = goOn(sb);
  if (rc < 0) letGo(sb);
  return rc;
}

/** As freezeSuper(), but new writers are held up while those under way are waited for. @returns also -EIO: its memory has gone */
export async function freezeSuperAsync(sb: SuperBlock): Promise<number> {
  const { kernel } = sb;
  const { core } = kernel;
  const busy = begin(sb);
  if (busy < 0) return busy;
  const wait = new Wait(); // knows what has been written back, and what has failed, from one try to the next
  for (;;) {
    const rc = kernel.whileWaiting(goOn, sb, wait);
    const token = rc === -EAGAIN ? kernel.takeWaitToken() : undefined;
    if (token === undefined) {
      if (rc < 0) letGo(sb);
      return rc;
    }
    await token;
    if (kernel.core !== core) return -EIO;
  }
}

/** @returns 0; -EINVAL when it is not frozen, or not yet; what unfreezeFs() answers, and then it stays frozen */
export function thawSuper(sb: SuperBlock): number {
  if (sb.frozen !== SB_FREEZE_COMPLETE) return -EINVAL;
  const rc = sb.flags & SB_RDONLY ? 0 : (sb.type.superOps?.unfreezeFs?.(sb) ?? 0);
  if (rc >= 0) letGo(sb);
  return Math.min(rc, 0);
}

/** Tells frozen file systems that are unmounted now, thawed or not: nobody can do it later. */
export function unfreezeNow(kernel: Kernel, mounts: readonly MountHandle[]): void {
  const left = new Set(mounts.map((mnt) => kernel.core.u32[(mnt << 3) + MOUNT_SB] >>> 5));
  for (const sb of kernel.superBlocks()) if (sb.frozen && left.has(sb.handle)) sb.type.superOps?.unfreezeFs?.(sb);
}
