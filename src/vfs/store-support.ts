/** What store-part.ts stands for. Nothing of foliofs's state is in here: it fits the kernel of any entry. */
import { registerPart } from "../wasm/core-module.ts";
import { waitForData } from "./direct-in-flight.ts";
import { syncFilesystem } from "./dirty-inode.ts";
import { evictInodes } from "./evict.ts";
import { askPermission, handOver } from "./handover.ts";
import { lostBy } from "./lost.ts";
import { change } from "./operation.ts";
import { dropPagePins } from "./page-pins.ts";
import {
  changeAttributes,
  fileRemovePrivs,
  killFlags,
  setattrCopy,
  setattrPrepare,
  simpleSetattr,
  truncateSetsize,
} from "./setattr.ts";
import { STORE_PART } from "./store-part.ts";

const SUPPORT = {
  askPermission,
  change,
  changeAttributes,
  dropPagePins,
  evictInodes,
  fileRemovePrivs,
  handOver,
  killFlags,
  lostBy,
  setattrCopy,
  setattrPrepare,
  simpleSetattr,
  syncFilesystem,
  truncateSetsize,
  waitForData,
};

export type StoreSupport = typeof SUPPORT;

/** For entry points. */
export function registerStoreSupport(): void {
  registerPart(STORE_PART, SUPPORT);
}
