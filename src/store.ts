/**
 * foliofs/store: what authors of file systems with a store need beside `libfs`. Nothing of foliofs's state is in here, so
 * that it fits the kernel of any entry.
 */
export * from "./fs/libfs-store.ts";
export type {
  AddressSpaceOperations,
  PageCache,
  ReadaheadControl,
  WritebackControl,
  WriteControl,
} from "./mm/address-space.ts";
export { AOP_WRITEPAGE_ACTIVATE, WB_SYNC_ALL, WB_SYNC_NONE } from "./mm/address-space.ts";
export type { BackingDevice, BackingDeviceNumbers, BackingDeviceOptions } from "./mm/backing-dev.ts";
