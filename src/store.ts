/**
 * foliofs/store: what authors of file systems with a store need beside `libfs`. Nothing of foliofs's state is in here, so
 * that it fits the kernel of any entry. To import it makes such file systems possible, in browsers.
 */
import { registerParts } from "./index-parts.ts";

export * from "./base/mman.ts";
export { devtmpfs } from "./fs/devtmpfs.ts";
export * from "./fs/libfs-store.ts";
export {
  freeze,
  freezeAsync,
  kernMount,
  kernUmount,
  memoryFailure,
  mmapCounts,
  type StatFsInfo,
  type SwapInfo,
  setMaxPinned,
  softOfflinePage,
  statfs,
  swaps,
  taskIo,
  thaw,
} from "./index-store.ts";
export { compressedSwap } from "./index-swap.ts";
export type {
  AddressSpaceOperations,
  CachedPage,
  DirectControl,
  DirtyState,
  MigrateMode,
  PageCache,
  ReadaheadControl,
  SwapControl,
  WritebackControl,
  WriteControl,
  WrittenPage,
} from "./mm/address-space.ts";
export {
  AOP_TRUNCATED_PAGE,
  AOP_WRITEPAGE_ACTIVATE,
  MIGRATE_ASYNC,
  MIGRATE_SYNC,
  MIGRATE_SYNC_LIGHT,
  PAGE_IS_READY,
  WB_SYNC_ALL,
  WB_SYNC_NONE,
} from "./mm/address-space.ts";
export type { BackingDevice, BackingDeviceNumbers, BackingDeviceOptions } from "./mm/backing-dev.ts";
export type { CompressedSwapOptions } from "./mm/compressed-swap.ts";
export type { MmCounts } from "./mm/memory.ts";
export type { SwapDevice, SwapIo } from "./mm/swap-device.ts";
export type { SwapFileOptions } from "./mm/swap-file.ts";
export { taskIoAccountCancelledWrite, taskIoAccountRead, taskIoAccountWrite } from "./mm/task-io-account.ts";
export type { VmFault, VmOperations } from "./mm/vm-operations.ts";
export { setPageUptodate } from "./mm/write-page.ts";
export { AT_EMPTY_PATH, AT_FDCWD } from "./vfs/at.ts";
export { FS_APPEND_FL, FS_IMMUTABLE_FL } from "./vfs/fileattr.ts";
export { F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_SETLK, F_SETLKW } from "./vfs/locks.ts";
export { F_RDLCK, F_UNLCK, F_WRLCK } from "./vfs/record-lock.ts";
export { XATTR_CREATE, XATTR_REPLACE } from "./vfs/simple-xattr.ts";
export {
  ST_NOATIME,
  ST_NODEV,
  ST_NODIRATIME,
  ST_NOEXEC,
  ST_NOSUID,
  ST_RDONLY,
  ST_RELATIME,
  ST_SYNCHRONOUS,
} from "./vfs/statfs.ts";
export type { SwapOptions } from "./vfs/swapon.ts";
export type { TaskIo } from "./vfs/task-io.ts";
export { type FileSystemUsage, reportUsage, type Usage, type UsageByKind } from "./vfs/usage.ts";

registerParts();
