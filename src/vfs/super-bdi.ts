/**
 * The backing device of a mounted file system, between its super block and the page cache.
 *
 * Does not own: the device (mm/backing-dev.ts), what the VFS asks of it (dirty-inode.ts, evict.ts, shutdown-super.ts).
 *
 * @see Linux fs/super.c super_setup_bdi()
 */
import type { InodeHandle } from "../base/handles.ts";
import { BackingDevice, type BackingDeviceHost, type BackingDeviceOptions } from "../mm/backing-dev.ts";
import { DeviceFlusher } from "../mm/flusher.ts";
import { VmLimits } from "../mm/vm-limits.ts";
import { INODE_RWSEM, SB_EVICT, SB_FREEZE_COMPLETE } from "../wasm/layout.ts";
import { syncFilesystem, writeInodeNow } from "./dirty-inode.ts";
import { countFailedEnd } from "./evict.ts";
import type { Kernel } from "./kernel.ts";
import type { SuperBlock } from "./super-block.ts";
import type { PendingChange } from "./waiting.ts";

/**
 * Gives a file system a device that its files are written back to; for fillSuper. It goes with the super block.
 *
 * @returns the device, from now on `sb.bdi`
 */
export function superSetupBdi(sb: SuperBlock, options: BackingDeviceOptions = {}): BackingDevice {
  const { kernel, handle } = sb;
  const host: BackingDeviceHost = {
    cache: kernel,
    devices: () => kernel.bdis.values(),
    sb: handle,
    isFrozen: () => sb.frozen === SB_FREEZE_COMPLETE,
    cutsPages: sb.type.pages !== undefined,
    cutOf: (inode) => cutOf(kernel, inode),
    operationsOf: (inode) => kernel.tableOf(inode).mapping,
    writeInode: (inode, isSync) => writeInodeNow(kernel, inode, isSync),
    now: () => kernel.now(),
    takeWaitToken: () => kernel.takeWaitToken(),
    countFailedEnd: () => countFailedEnd(kernel),
  };
  const bdi = new BackingDevice(host, dirtyLimits(kernel), options.name ?? `${sb.type.name}-${sb.dev}`, options);
  bdi.flusher = new DeviceFlusher(bdi);
  kernel.unregisterBdi(handle);
  kernel.bdis.set(handle, bdi);
  sb.flags |= SB_EVICT; // pages are written before an inode goes
  return bdi;
}

/** System calls that change a size. */
const CUTS = ["truncate", "ftruncate", "open"];

/** The change of size that a store has been asked for, which has the lock of the file. */
function cutOf({ core, pendingChanges }: Kernel, inode: InodeHandle): Promise<void> | undefined {
  const pending = pendingChanges.size === 0 ? undefined : pendingChanges.get(core.u32[(inode << 3) + INODE_RWSEM]);
  return pending !== undefined && "call" in pending && CUTS.includes((pending as PendingChange).call.name)
    ? pending.token
    : undefined;
}

/** How much may be dirty, of a kernel that perhaps nothing with a device has been mounted in: else `kernel.vm`. */
export function dirtyLimits(kernel: Kernel): VmLimits {
  kernel.vm ??= new VmLimits(kernel);
  return kernel.vm;
}

/**
 * Writes all that is dirty in stores that answer at once, whatever they say: for the end of the process, which waits for
 * nobody.
 *
 * @returns pages that are still dirty or under way
 */
export function writeBackNow(kernel: Kernel): number {
  let nr = 0;
  for (const sb of kernel.superBlocks()) {
    if (sb.bdi === undefined) continue;
    syncFilesystem(sb, true);
    kernel.takeWaitToken();
    const { dirty, writeback } = sb.bdi.numbers();
    nr += dirty + writeback;
  }
  return nr;
}
