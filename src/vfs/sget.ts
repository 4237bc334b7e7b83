/**
 * Super blocks by their source: what is mounted of it already is mounted once more. And whether one may lose its last mount.
 *
 * Does not own: making super blocks (mount.ts), their end (kill-super.ts).
 *
 * @see Linux fs/super.c sget_fc(), get_tree_bdev()
 */
import { EBUSY, EINVAL, ENOMEM } from "../base/errno.ts";
import { utf8Encoder } from "../base/utf8.ts";
import { SB_RDONLY, SB_UNFROZEN, SUPER_BLOCK_SOURCE, SUPER_BLOCK_SOURCE_LENGTH } from "../wasm/layout.ts";
import { endsOf } from "./evict.ts";
import { type FileSystemType, FS_REQUIRES_DEV } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { prepareShutdown } from "./kill-super.ts";
import { usersOf } from "./mount.ts";
import type { SuperBlock } from "./super-block.ts";

/**
 * The super block that a source has.
 *
 * @param flags SB_* that are asked for
 * @returns its handle; -EINVAL without a source on a device; -EBUSY, read-only the one and writable the other; -EBUSY with
 *   a wait token while it takes time to end; undefined = there is none
 */
export function findSuper(kernel: Kernel, type: FileSystemType, flags: number, source?: string): number | undefined {
  if (type.fsFlags & FS_REQUIRES_DEV && !source) return -EINVAL;
  const known = superWith(kernel, type, source ?? "");
  if (known === undefined) return undefined;
  if (usersOf(known) === 0) return waitForGone(known);
  return (known.flags ^ flags) & SB_RDONLY ? -EBUSY : known.handle;
}

/** Notes what a new super block is mounted from. @returns 0 or -ENOMEM */
export function setSource({ kernel, handle }: SuperBlock, source: string | undefined): number {
  if (source === undefined) return 0;
  const { core } = kernel;
  const bytes = utf8Encoder.encode(source);
  const address = core.x.kmalloc(bytes.length + 1) >>> 0;
  if (address === 0) return -ENOMEM;
  core.u8.set(bytes, address);
  core.u32[(handle << 3) + SUPER_BLOCK_SOURCE] = address;
  core.u32[(handle << 3) + SUPER_BLOCK_SOURCE_LENGTH] = bytes.length;
  return 0;
}

/** It is on its way out, and its source is not free before it is gone. @returns -EBUSY, with a wait token */
function waitForGone(sb: SuperBlock): number {
  waitForEnds(sb);
  return -EBUSY;
}

function superWith(kernel: Kernel, type: FileSystemType, source: string): SuperBlock | undefined {
  const isSame = sameSourceOf(type);
  if (isSame === undefined) return undefined;
  kernel.evictInodes(); // so that none is found that is on its way out
  for (const sb of kernel.superBlocks()) if (sb.type === type && isAlive(sb) && isSame(sb, source)) return sb;
  return undefined;
}

function sameSourceOf(type: FileSystemType): FileSystemType["sameSource"] {
  return type.sameSource ?? (type.fsFlags & FS_REQUIRES_DEV ? hasSource : undefined);
}

/** It has users, or takes time to end. */
function isAlive(sb: SuperBlock): boolean {
  return usersOf(sb) > 0 || endsOf(sb.kernel, sb.handle) !== undefined;
}

function hasSource(sb: SuperBlock, source: string): boolean {
  return sb.source === source;
}

/** The call that is being made waits for what a super block waits for, if that is anything. @returns true if it is */
export function waitForEnds({ kernel, handle }: SuperBlock): boolean {
  return waitFor(kernel, endsOf(kernel, handle));
}

function waitFor(kernel: Kernel, ends: Promise<void> | undefined): boolean {
  if (ends !== undefined) kernel.setWaitToken(ends);
  return ends !== undefined;
}

/**
 * Before a mount goes.
 *
 * @param isBusy it is in use, and will stay
 * @returns true when it cannot go, or not yet: then there is a wait token
 */
export function prepareUmount(sb: SuperBlock, isBusy: boolean): boolean {
  if (isBusy) return waitForEnds(sb);
  return isLostWhenFrozen(sb) || (usersOf(sb) === 1 && waitFor(sb.kernel, prepareShutdown(sb)));
}

/**
 * A frozen file system outlives its last mount, as in Linux, and is thawed through the next one. Where no next mount would
 * find it, that would be for ever.
 */
export function isLostWhenFrozen(sb: SuperBlock): boolean {
  const isFoundAgain = sameSourceOf(sb.type) !== undefined;
  return sb.frozen !== SB_UNFROZEN && usersOf(sb) === 2 && !isFoundAgain;
}
