/**
 * foliofs/store: what authors of file systems with a store need beside `libfs`. Nothing of foliofs's state is in here, so
 * that it fits the kernel of any entry.
 */
export * from "./fs/libfs-store.ts";
export type {
  AddressSpaceOperations,
  CachedPage,
  PageCache,
  ReadaheadControl,
  WrittenPage,
} from "./mm/address-space.ts";
export { PAGE_IS_READY } from "./mm/address-space.ts";
export { setPageUptodate } from "./mm/write-page.ts";
