/** What store-part.ts stands for. Nothing of foliofs's state is in here: it fits the kernel of any entry. */
import { endSwap } from "../mm/swap-state.ts";
import { registerPart } from "../wasm/core-module.ts";
import { accountedTables } from "./accounted.ts";
import { cloneBytes, cloneFileRange } from "./clone-file-range.ts";
import { compact } from "./compact.ts";
import { waitForData } from "./direct-in-flight.ts";
import { syncFilesystem } from "./dirty-inode.ts";
import { dropMarks } from "./drop-marks.ts";
import { evictInodes } from "./evict.ts";
import { exitTask } from "./exit.ts";
import { unfreezeNow } from "./freeze.ts";
import { askPermission, handOver } from "./handover.ts";
import { joinDeltas } from "./join-deltas.ts";
import { killSuper, putSupersNow } from "./kill-super.ts";
import { lostBy } from "./lost.ts";
import { makeRoom } from "./make-room.ts";
import { truncated } from "./mmap.ts";
import { openSpecial } from "./open-special.ts";
import { change } from "./operation.ts";
import { dropPagePins } from "./page-pins.ts";
import { releaseFile } from "./release.ts";
import {
  changeAttributes,
  fileRemovePrivs,
  killFlags,
  setattrCopy,
  setattrPrepare,
  simpleSetattr,
  truncateSetsize,
} from "./setattr.ts";
import { findSuper, prepareUmount, setSource, waitForEnds } from "./sget.ts";
import { shrink } from "./shrink.ts";
import { completeStatfs } from "./statfs.ts";
import { STORE_PART } from "./store-part.ts";
import { readOn, writeOn } from "./swap-go-on.ts";
import { attachSwapped, copySwapped, readSwapped, swappedBytes } from "./swap-snapshot.ts";
import { copyTaskIo } from "./task-io.ts";
import { umount2, umountOptions } from "./umount2.ts";
import { usage } from "./usage.ts";
import { waitForThaw } from "./writer.ts";

const SUPPORT = {
  accountedTables,
  askPermission,
  change,
  changeAttributes,
  cloneBytes,
  cloneFileRange,
  compact,
  completeStatfs,
  copyTaskIo,
  dropMarks,
  dropPagePins,
  evictInodes,
  exitTask,
  fileRemovePrivs,
  findSuper,
  handOver,
  joinDeltas,
  killFlags,
  killSuper,
  lostBy,
  makeRoom,
  openSpecial,
  prepareUmount,
  putSupersNow,
  releaseFile,
  setSource,
  setattrCopy,
  setattrPrepare,
  shrink,
  simpleSetattr,
  syncFilesystem,
  truncateSetsize,
  truncated,
  umount2,
  umountOptions,
  unfreezeNow,
  usage,
  waitForData,
  waitForEnds,
  waitForThaw,
  endSwap,
  attachSwapped,
  copySwapped,
  readOn,
  readSwapped,
  swappedBytes,
  writeOn,
};

export type StoreSupport = typeof SUPPORT;

/** For entry points. */
export function registerStoreSupport(): void {
  registerPart(STORE_PART, SUPPORT);
}
