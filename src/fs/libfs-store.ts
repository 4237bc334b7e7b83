/**
 * What file systems with a store borrow beside libfs.ts: inodes by number, dirty inodes, pages that are read from it. An
 * entry of its own (store.ts), since programs with file systems in memory alone need nothing of it.
 *
 * @see Linux fs/inode.c iget_locked(), fs/fs-writeback.c, mm/filemap.c
 */
export { storedRead } from "../mm/stored-read.ts";
export { genericFsync, markInodeDirty, writeInodeNow } from "../vfs/dirty-inode.ts";
export { dSpliceAlias, iget, ilookup, insertInodeHash, removeInodeHash } from "../vfs/iget.ts";
/** What an inode is marked with that has something to be written. */
export { I_DIRTY_DATASYNC, I_DIRTY_PAGES, I_DIRTY_SYNC } from "../wasm/layout.ts";
export {
  setPageDirtyNoWriteback,
  simpleCommitWrite,
  simplePrepareWrite,
  simpleReadPage,
  simpleWriteBegin,
  simpleWriteEnd,
} from "./libfs-pages.ts";
export { storedWrite, storedWritev } from "./stored-write.ts";
