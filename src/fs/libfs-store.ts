/**
 * What file systems with a store borrow beside libfs.ts: inodes by number, dirty inodes, pages that are read from it. An
 * entry of its own (store.ts), since programs with file systems in memory alone need nothing of it.
 *
 * @see Linux fs/inode.c iget_locked(), fs/fs-writeback.c, mm/filemap.c
 */

export { balanceDirtyPages } from "../mm/balance.ts";
export { genericBmap } from "../mm/bmap.ts";
export { isDirect } from "../mm/direct-io.ts";
export * from "../mm/fadvise.ts";
export { invalidateInodePages2Range, invalidateMappingPages } from "../mm/invalidate.ts";
export { countRead, countWrite } from "../mm/io-counters.ts";
export { migratePageCopy } from "../mm/migrate.ts";
export { attachPagePrivate, detachPagePrivate, pagePrivate } from "../mm/page.ts";
export { cancelDirtyPage, clearPageDirtyForIo, redirtyPageForWritepage, setPageDirty } from "../mm/page-dirty.ts";
export * from "../mm/preadv2.ts";
export { putPage, readCachePage, readMappingPage } from "../mm/read-cache-page.ts";
export { genericErrorRemovePage, truncatePagecacheRange } from "../mm/truncate.ts";
export { VmLimits } from "../mm/vm-limits.ts";
export { fileCheckAndAdvanceWbErr, filemapCheckErrors, mappingSetError } from "../mm/wb-err.ts";
export {
  endRangeSync,
  filemapFdatawaitRange,
  filemapFlushRange,
  filemapWriteAndWaitRange,
  fileWriteAndWaitRange,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  waitForStablePage,
  waitOnPageWriteback,
} from "../mm/writeback.ts";
export { markInodeDirty, writeInodeNow } from "../vfs/dirty-inode.ts";
export {
  endWrite,
  freezeSuper,
  freezeSuperAsync,
  SB_FREEZE_FS,
  SB_FREEZE_PAGEFAULT,
  SB_FREEZE_WRITE,
  startWrite,
  thawSuper,
} from "../vfs/freeze.ts";
export { genericFsync, syncfs } from "../vfs/generic-fsync.ts";
export { dSpliceAlias, iget, ilookup, insertInodeHash, removeInodeHash } from "../vfs/iget.ts";
export { genericShutdownSuper, killAnonSuper, killBlockSuper, killLitterSuper } from "../vfs/kill-super.ts";
export {
  type Constructor,
  KmemCache,
  kmemCacheAlloc,
  kmemCacheCreate,
  kmemCacheDestroy,
  kmemCacheFree,
  kmemCacheShrink,
} from "../vfs/kmem-cache.ts";
export { dirtyLimits, superSetupBdi, writeBackNow } from "../vfs/super-bdi.ts";
/** What an inode is marked with that has something to be written. */
export { I_DIRTY_DATASYNC, I_DIRTY_PAGES, I_DIRTY_SYNC } from "../wasm/layout.ts";
export { genericFileOperations } from "./generic-files.ts";
export {
  setPageDirtyNoWriteback,
  simpleCommitWrite,
  simplePrepareWrite,
  simpleReadPage,
  simpleWriteBegin,
  simpleWriteEnd,
} from "./libfs-pages.ts";
export { SeqFile, type Show, seqFileOperations } from "./seq-file.ts";
export { storedDirectWrite, storedFileOperations, storedRead, storedReadv } from "./stored-files.ts";
export { storedMmap } from "./stored-mmap.ts";
export { storedPages } from "./stored-pages.ts";
export { storedWrite, storedWritev } from "./stored-write.ts";
