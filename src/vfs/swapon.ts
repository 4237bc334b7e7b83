/**
 * Turning swap areas on and off.
 *
 * With the first area the pages of file systems that allow it (SB_SWAPBACKED) come on the anonymous lists, in one pass, and with the
 * last one they are unevictable again: as long as there is none, nobody pays for swap.
 *
 * Does not own: which pages go (mm/swap-out.ts), which come (mm/swap-in.ts), Node's shape of errors.
 *
 * @see Linux mm/swapfile.c SYSCALL_DEFINE2(swapon), SYSCALL_DEFINE1(swapoff); swapon(2)
 */
import { EAGAIN, EBUSY, EINVAL, EIO, ENOMEM, EPERM } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import { nrOnList, relist } from "../mm/lru-list.ts";
import { fieldOf } from "../mm/page.ts";
import { entriesOf, entryOf } from "../mm/page-index.ts";
import { areaNumber, MAX_SLOTS, SwapArea } from "../mm/swap-area.ts";
import { claimDevice, closeDevice } from "../mm/swap-claims.ts";
import { isSwapDevice, type SwapDevice } from "../mm/swap-device.ts";
import { openSwapFile, type SwapFileOptions } from "../mm/swap-file.ts";
import { isSwapEntry, swapInPage, withReserve } from "../mm/swap-in.ts";
import { forgetSlot } from "../mm/swap-out.ts";
import { type SwapState, swapIfAny, swapOf } from "../mm/swap-state.ts";
import type { Core } from "../wasm/core.ts";
import {
  AS_SWAPBACKED,
  AS_UNEVICTABLE,
  INODE_SB_NEXT,
  INODE_XA_FLAGS,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  KERNEL_MAX_PFN,
  KERNEL_MIN_FREE,
  KERNEL_NR_FREE,
  KERNEL_NR_SWAP_PAGES,
  KERNEL_SWAP_AREAS,
  KERNEL_TOTAL_SWAP_PAGES,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_FILE,
  MAX_SWAPFILES,
  PAGE_FLAGS,
  PAGE_PRIVATE_LOW,
  PAGE_SIZE,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  SB_SWAPBACKED,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_INODES,
  SWAP_AREA_BYTES,
  SWAP_AREA_MAP,
  SWAP_AREA_NR_SLOTS,
  SWAP_AREA_PRIORITY,
  SWAP_MAP_SLOTS,
} from "../wasm/layout.ts";
import { isCapable } from "./attr.ts";
import type { Kernel } from "./kernel.ts";
import { dirtyLimits } from "./super-bdi.ts";
import type { Task } from "./task.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
/** Reads that a swapOff() has under way at a time. */
const MAX_READS = 16;

/** How an area is used. */
export interface SwapOptions {
  /** 0 to 32767: areas of a higher one are filled first, of equal ones in turn. Left out: below all that were on before. */
  priority?: number;
}

/** Index in `u32` of a field of an area's record. */
export function recordOf(number: number, field: number): number {
  return ((KERNEL_BLOCK + KERNEL_SWAP_AREAS + number * SWAP_AREA_BYTES) >>> 2) + field;
}

/**
 * Turns a swap area on.
 *
 * @returns 0; -EPERM for others than root; -EINVAL for what is no device, larger than 16 GiB or has no page, and for a priority that
 *   cannot be; -EBUSY for one that is on, of whatever kernel; -EPERM when there are 8; errors of opening the file; -ENOMEM for its map
 */
export function swapOn(task: Task, device: SwapDevice | SwapFileOptions, options: SwapOptions = {}): number {
  const { kernel } = task;
  const { core } = kernel;
  if (!isCapable(task)) return -EPERM;
  const { priority } = options;
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority < 32768)) return -EINVAL;
  const key = keyOf(device);
  if (key === undefined) return -EINVAL;
  const state = swapOf(core);
  if (state.areas.some((area) => area.key === key)) return -EBUSY;
  const number = freeNumber(core);
  if (number < 0) return -EPERM;
  const opened = isSwapDevice(device) ? device : openSwapFile(device);
  if (typeof opened === "number") return opened;
  if (!claimDevice(opened)) return -EBUSY;
  const rc = opened.nrPages > MAX_SLOTS ? -EINVAL : makeMap(kernel, number, opened.nrPages);
  if (rc < 0) {
    closeDevice(opened);
    return rc;
  }
  dirtyLimits(kernel); // vm.page_cluster
  core.u32[recordOf(number, SWAP_AREA_PRIORITY)] = priority ?? lowestPriority(state) - 1;
  addArea(state, new SwapArea(core, number, opened, key)).isWritable = true;
  if (core.u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] === opened.nrPages) setListClass(core, AS_SWAPBACKED);
  return 0;
}

/** What an area is known by: its device, or the path of its file. */
function keyOf(device: SwapDevice | SwapFileOptions): unknown {
  if (isSwapDevice(device)) return device;
  const { file } = (device ?? {}) as Partial<SwapFileOptions>;
  return typeof file === "string" ? file : undefined;
}

function freeNumber({ u32 }: Core): number {
  for (let i = 0; i < MAX_SWAPFILES; i++) if (u32[recordOf(i, SWAP_AREA_MAP)] === 0) return i;
  return -1;
}

/** Linux's default begins at -2. */
function lowestPriority({ areas }: SwapState): number {
  return Math.min(-1, ...areas.map(({ priority }) => priority));
}

/** Adds an area at its place. */
export function addArea(state: SwapState, area: SwapArea): SwapArea {
  const at = state.areas.findIndex(({ priority }) => priority < area.priority);
  state.areas.splice(at < 0 ? state.areas.length : at, 0, area);
  return area;
}

// --- Maps -----------------------------------------------------------------------------------------------------------------

/** Makes the record and the map of an area, all of it free. @returns 0; -ENOMEM, or -EAGAIN with a token */
function makeMap(kernel: Kernel, number: number, nrSlots: number): number {
  const { core } = kernel;
  const frames: number[] = [];
  const nrFrames = 1 + Math.ceil(nrSlots / SWAP_MAP_SLOTS);
  while (frames.length < nrFrames) {
    const pfn = withReserve(core, () => core.x.allocBuffer(0)); // the more as memory is full
    if (pfn !== 0) {
      core.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
      frames.push(pfn);
      continue;
    }
    const rc = kernel.room(-ENOMEM);
    if (rc === TRY_AGAIN) continue;
    for (const taken of frames) core.x.freePages(taken, 1);
    return rc;
  }
  const [directory, ...map] = frames;
  for (const [i, pfn] of map.entries()) core.u32[directory * (PAGE_SIZE / 4) + i] = pfn * PAGE_SIZE;
  core.u32[recordOf(number, SWAP_AREA_MAP)] = directory * PAGE_SIZE;
  core.u32[recordOf(number, SWAP_AREA_NR_SLOTS)] = nrSlots;
  core.u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] += nrSlots;
  return 0;
}

/** Frames of the map of an area, its directory first; none where there is no such area. */
export function mapFrames({ u32 }: Core, number: number): number[] {
  const directory = u32[recordOf(number, SWAP_AREA_MAP)];
  if (directory === 0) return [];
  const nrFrames = Math.ceil(u32[recordOf(number, SWAP_AREA_NR_SLOTS)] / SWAP_MAP_SLOTS);
  const map = u32.subarray(directory >>> 2, (directory >>> 2) + nrFrames);
  return [directory, ...map].map((address) => address / PAGE_SIZE);
}

/** Frees the map of an area that nobody has anything in, and its record. */
export function freeMap(core: Core, number: number): void {
  const { u32, x } = core;
  for (const pfn of mapFrames(core, number)) x.freePages(pfn, 1);
  u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] -= u32[recordOf(number, SWAP_AREA_NR_SLOTS)];
  u32.fill(0, recordOf(number, 0), recordOf(number + 1, 0));
}

// --- Inodes whose pages may go --------------------------------------------------------------------------------------------

/** Inodes of file systems that allow it. */
export function* swapBackedInodes(core: Core): Generator<InodeHandle> {
  for (let sb = core.x.superFirst(); sb !== 0; sb = core.x.superNext(sb as never)) {
    if (!(core.u32[(sb << 3) + SUPER_BLOCK_FLAGS] & SB_SWAPBACKED)) continue;
    let at = core.u32[(sb << 3) + SUPER_BLOCK_INODES] >>> 5;
    while (at !== 0) {
      yield at as InodeHandle;
      at = core.u32[(at << 3) + INODE_SB_NEXT] >>> 5;
    }
  }
}

/** Puts pages on the lists of AS_SWAPBACKED or AS_UNEVICTABLE. */
export function setListClass(core: Core, lists: number): void {
  const state = lists === AS_SWAPBACKED ? PG_SWAPBACKED : PG_UNEVICTABLE;
  for (const inode of swapBackedInodes(core)) {
    core.u32[(inode << 3) + INODE_XA_FLAGS] &= ~(AS_SWAPBACKED | AS_UNEVICTABLE);
    core.u32[(inode << 3) + INODE_XA_FLAGS] |= lists;
    for (const [, entry] of entriesOf(core, inode)) if ((entry & 3) === 0) relist(core, entry >>> 2, state);
  }
}

// --- Off -------------------------------------------------------------------------------------------------------------------

/**
 * Turns an area off: brings back all that is in it, or fails and leaves it on.
 *
 * @returns 0; -EPERM for others than root; -EINVAL for what is no area; -ENOMEM when there is not memory enough, nor room in other
 *   areas; -EIO when a page cannot be read; -EAGAIN with a token of a device that takes time
 */
export function swapOff(task: Task, device: SwapDevice | SwapFileOptions): number {
  const { kernel } = task;
  if (!isCapable(task)) return -EPERM;
  const state = swapIfAny(kernel.core);
  const key = keyOf(device);
  const area = state?.areas.find((known) => known.key === key);
  if (state === undefined || area === undefined || key === undefined) return -EINVAL;
  const isAgain = state.closing.has(area);
  if (!isAgain) forgetFailures(state, area);
  const wasWritable = area.isWritable || isAgain;
  area.isWritable = false;
  const rc = isRoomWithout(kernel.core, area) ? emptyArea(kernel, state, area) : waitForWrites(kernel, state);
  if (rc === -EAGAIN) {
    if (wasWritable) state.closing.add(area);
    return rc;
  }
  state.closing.delete(area);
  if (rc < 0) {
    area.isWritable = wasWritable;
    return rc;
  }
  state.areas = state.areas.filter((other) => other !== area);
  freeMap(kernel.core, area.number);
  if (kernel.core.u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] === 0) setListClass(kernel.core, AS_UNEVICTABLE);
  closeDevice(area.device);
  return 0;
}

/** What could not be read for others is read anew: they have not asked again. */
function forgetFailures({ failures }: SwapState, { number }: SwapArea): void {
  for (const entry of failures.keys()) if (areaNumber(entry) === number) failures.delete(entry);
}

/** Pages that are on their way leave their frames when they are written. @returns -EAGAIN with a token; -ENOMEM when there are none */
function waitForWrites(kernel: Kernel, { writes }: SwapState): number {
  const [end] = writes;
  if (end === undefined) return -ENOMEM;
  kernel.setWaitToken(end);
  return -EAGAIN;
}

/** Would its pages fit in memory and in other areas? @see Linux security_vm_enough_memory_mm() in swapoff */
function isRoomWithout(core: Core, { nrUsed }: SwapArea): boolean {
  const word = (field: number): number => core.u32[KERNEL + field];
  const frames = word(KERNEL_NR_FREE) + word(KERNEL_MAX_PFN) - word(KERNEL_END_PFN) - word(KERNEL_MIN_FREE);
  const nrFile = nrOnList(core, LRU_INACTIVE_FILE) + nrOnList(core, LRU_ACTIVE_FILE);
  return nrUsed <= frames + nrFile + word(KERNEL_NR_SWAP_PAGES);
}

/** Brings in all that is in an area. @returns 0; a negated errno */
function emptyArea(kernel: Kernel, state: SwapState, area: SwapArea): number {
  const { core } = kernel;
  let nrReads = 0;
  for (const inode of swapBackedInodes(core)) {
    if (area.nrUsed === 0) break;
    for (const [index, entry] of entriesOf(core, inode)) {
      const isThere = isSwapEntry(entry) && areaNumber(entry) === area.number;
      const rc = isThere ? bringIn(kernel, inode, index) : 0;
      if (rc < 0 && (rc !== -EAGAIN || ++nrReads === MAX_READS)) return rc;
      const now = rc === 0 ? entryOf(core, inode, index) : 0;
      if ((now & 3) === 0 && now !== 0) forgetSlotIn(core, state, area, now >>> 2);
    }
  }
  if (area.nrUsed === 0) return 0;
  const [end] = [...state.reads.values(), ...state.writes];
  if (end !== undefined) kernel.setWaitToken(end);
  return end === undefined ? -EIO : -EAGAIN;
}

/** Brings in a page. @returns 0; -EAGAIN, with a token; -EIO; -ENOMEM */
function bringIn(kernel: Kernel, inode: InodeHandle, index: number): number {
  while (isSwapEntry(entryOf(kernel.core, inode, index))) {
    const rc = swapInPage(kernel, inode, index);
    if (rc !== TRY_AGAIN) return rc;
  }
  return 0;
}

/** A page in the swap cache is in memory alone, if its slot is one of the area. */
function forgetSlotIn(core: Core, state: SwapState, { number }: SwapArea, pfn: number): void {
  if (!(core.u32[fieldOf(pfn, PAGE_FLAGS)] & PG_SWAPCACHE)) return;
  if (areaNumber(core.u32[fieldOf(pfn, PAGE_PRIVATE_LOW)]) === number) forgetSlot(core, state, pfn);
}
