// Constants that both sides of the Wasm boundary use. scripts/gen-layout.mjs copies them into src/wasm/layout.ts:
// one `export const NAME: u32 = <integer expression>;` a line, nothing else.

// --- Memory -----------------------------------------------------------------------------------------------------
export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: u32 = 1 << PAGE_SHIFT;
export const WASM_PAGE_FRAMES: u32 = 16; // frames in one 64 KiB page of Wasm memory
export const SECTION_SHIFT: u32 = 22;
export const SECTION_FRAMES: u32 = 1 << (SECTION_SHIFT - PAGE_SHIFT);
export const PAGE_DESCRIPTOR_BYTES: u32 = 32;
export const SECTION_DESCRIPTOR_FRAMES: u32 = 8; // frames at the start of a section that hold its page descriptors
export const MAX_ORDER: u32 = 9; // largest buddy block: 2^9 frames = 2 MiB
export const MAX_RESERVE: u32 = 1024; // frames that are kept for who frees memory, beside 1/256 of the limit: the smaller
export const HANDLE_SHIFT: u32 = 5; // a handle is the address of a record >> 5

export const KERNEL_BLOCK: u32 = 0x8000; // address of the kernel block: two frames after the descriptors of section 0
export const KERNEL_BLOCK_BYTES: u32 = 0x2000;
export const BOOT_SLOT: u32 = 0xa000; // address of owner slot 0
export const OWNER_SLOT_BYTES: u32 = 0x4000;
export const SLOT_RESULT: u32 = 0x400; // result block: 64 f64, offsets within a slot from here on
export const SLOT_LINK_STACK: u32 = 0x600; // 40 saved positions of the path walk, 4 bytes each
export const SLOT_LAST_DIR: u32 = 0x700; // path of the directory of the last name walked to
export const SLOT_LAST_DIR_BYTES: u32 = 512;
export const SLOT_PATH_A: u32 = 0x1000;
export const SLOT_PATH_B: u32 = 0x2010; // 16 bytes after buffer A stay free for its terminator
export const SLOT_SCRATCH: u32 = 0x3020;
export const SLOT_SCRATCH_BYTES: u32 = 0xfe0;
export const NR_SLOTS: u32 = 64;
export const SLOT_MEMALLOC: u32 = 1; // of Slot.flags: frees memory, and may use the reserve for that (Linux PF_MEMALLOC)
export const SLOT_NO_MIGRATE: u32 = 2; // has addresses of pages in hand: they stay where they are
export const FIRST_FREE_PFN: u32 = 14;

export const LAYOUT_MAGIC: u32 = 0x4f494c46; // "FLIO"
export const LAYOUT_VERSION: u32 = 1;

// Offsets of the arrays inside the kernel block (the scalars before them are class Kernel).
export const KERNEL_FREE_AREAS: u32 = 0x200; // per order: head, tail, count, 0 (16 bytes)
export const KERNEL_LRU_LISTS: u32 = 0x300; // per list: head, tail, count, 0
export const KERNEL_CACHES: u32 = 0x380; // kmem_cache records, 32 bytes each
export const KERNEL_HASH_DIR: u32 = 0x600; // addresses of the dentry hash's directory pages
export const NR_HASH_DIR: u32 = 16;
export const KERNEL_SLOTS: u32 = 0x680; // address of each owner slot, 0 = none
export const KERNEL_VMSTAT: u32 = 0x780; // f64 event counters
export const KERNEL_FS_TYPES: u32 = 0xa00; // names of the file system types, 32 bytes each, NUL padded
export const NR_FS_TYPES: u32 = 32;
export const FS_TYPE_NAME_BYTES: u32 = 32;
export const KERNEL_SWAP_AREAS: u32 = 0xe00; // class SwapArea, by number
export const MAX_SWAPFILES: u32 = 8;
export const KERNEL_WAIT_TABLE: u32 = 0x1000; // page wait table: per bucket waiters, wake sequence (8 bytes)
export const NR_WAIT_BUCKETS: u32 = 256;

// --- Page flags (Linux include/linux/page-flags.h) ----------------------------------------------------------------
export const PG_LOCKED: u32 = 1 << 0;
export const PG_REFERENCED: u32 = 1 << 1;
export const PG_UPTODATE: u32 = 1 << 2;
export const PG_DIRTY: u32 = 1 << 3;
export const PG_LRU: u32 = 1 << 4;
export const PG_ACTIVE: u32 = 1 << 5;
export const PG_WRITEBACK: u32 = 1 << 6;
export const PG_RECLAIM: u32 = 1 << 7;
export const PG_SWAPBACKED: u32 = 1 << 8;
export const PG_UNEVICTABLE: u32 = 1 << 9;
export const PG_PRIVATE: u32 = 1 << 10;
export const PG_ERROR: u32 = 1 << 11;
export const PG_READAHEAD: u32 = 1 << 12;
export const PG_WORKINGSET: u32 = 1 << 13;
export const PG_WAITERS: u32 = 1 << 14;
export const PG_SWAPCACHE: u32 = 1 << 15; // its bytes are in a swap area, too, unless it is dirty: privateLow is the swap entry
export const PG_SLAB: u32 = 1 << 16;
export const PG_BUDDY: u32 = 1 << 17; // head of a free block; its order is in `private`
export const PG_PCP: u32 = 1 << 18; // on the list of free single frames
export const PG_RESERVED: u32 = 1 << 19; // descriptors, kernel block, slots
export const PG_TABLE: u32 = 1 << 20; // part of the dentry hash or another table of the core
export const PG_BUFFER: u32 = 1 << 21; // a temporary buffer of the core, or a long string
export const PG_HWPOISON: u32 = 1 << 22; // broken: nobody's, and never given away again
export const PG_SHARED: u32 = 1 << 23; // a page of several files at once (mm/shared-frame.ts)

export const LRU_INACTIVE_ANON: u32 = 0;
export const LRU_ACTIVE_ANON: u32 = 1;
export const LRU_INACTIVE_FILE: u32 = 2;
export const LRU_ACTIVE_FILE: u32 = 3;
export const LRU_UNEVICTABLE: u32 = 4;
export const NR_LRU_LISTS: u32 = 5;

// --- Page index ----------------------------------------------------------------------------------------------------
export const XA_MARK_DIRTY: u32 = 0;
export const XA_MARK_WRITEBACK: u32 = 1;
export const XA_MARK_TOWRITE: u32 = 2;
export const XA_NR_MARKS: u32 = 3;
export const XA_MARK_LENT: u32 = XA_MARK_TOWRITE; // of files in memory, which nobody writes back: a shared page that is no block of their file system
export const XA_PRESENT: u32 = 3; // in place of a mark: any entry
export const AS_UNEVICTABLE: u32 = 1 << 8; // flags of an address space, beside the marks of its head entry
export const AS_SWAPBACKED: u32 = 1 << 9;
export const AS_NO_STORE: u32 = 1 << 10; // nothing behind it: a hole reads as zeros, pages are up to date, full is ENOSPC
export const AS_NO_ACCOUNTING: u32 = 1 << 11; // its pages are never counted nor marked dirty
export const AS_EIO: u32 = 1 << 12; // a page could not be written, and no caller without a file has been told
export const AS_ENOSPC: u32 = 1 << 13; // the same for want of room
export const AS_FREE_PAGE: u32 = 1 << 14; // its file system hears of each page that goes (freePage, releasePage)
export const AS_SHARED: u32 = 1 << 15; // pages of it may be shared: PG_SHARED says which
export const AS_CLASS: u32 = AS_UNEVICTABLE | AS_SWAPBACKED | AS_NO_STORE | AS_NO_ACCOUNTING;
export const XA_SHADOW: u32 = 1; // low two bits of a value that remembers a page, for workingset
export const XA_RESERVED: u32 = 0xfffffffd; // the one shadow that is none: a hole whose block is promised (mm/reserve.ts)
export const XA_RESERVING: u32 = 0xfffffff9; // the same, while it can still be taken back
export const XA_SWAP: u32 = 3; // and of one that says where the page is: number of the swap area << 2, slot in it << SWAP_SLOT_SHIFT
export const SWAP_SLOT_SHIFT: u32 = 5;
export const SWAP_MAP_SLOTS: u32 = PAGE_SIZE; // slots that a frame of a swap map tells of, a byte each
export const SWP_WRITEOK: u32 = 1; // of SwapArea.flags: pages may go there

// --- Mappings and pins (Linux include/linux/mm.h) -------------------------------------------------------------------
export const VM_READ: u32 = 1 << 0; // of VmArea.flags
export const VM_WRITE: u32 = 1 << 1;
export const VM_EXEC: u32 = 1 << 2;
export const VM_SHARED: u32 = 1 << 3;
export const PTE_PRESENT: u32 = 1 << 0; // of an entry of a page table, whose frame is above PAGE_SHIFT
export const PTE_WRITE: u32 = 1 << 1; // the file system has been told that the page is written to (page_mkwrite)
export const PTE_ANON: u32 = 1 << 2; // a private copy
export const PTE_LOCKED: u32 = 1 << 3; // mlock(): whatever page comes here is pinned
export const PTE_PINNED: u32 = 1 << 4; // the one that is here has been
export const PTES_PER_TABLE: u32 = 1 << 10;
export const PIN_WRITE: u32 = 1; // of PagePin.flags: to be written to, and dirty when it is let go of

// --- Slab caches ---------------------------------------------------------------------------------------------------
export const CACHE_INODE: u32 = 0;
export const CACHE_DENTRY: u32 = 1;
export const CACHE_FILE: u32 = 2;
export const CACHE_XA_NODE: u32 = 3;
export const CACHE_SUPER_BLOCK: u32 = 4;
export const CACHE_MOUNT: u32 = 5;
export const CACHE_TASK: u32 = 6;
export const CACHE_CRED: u32 = 7;
export const CACHE_KMALLOC_32: u32 = 8; // kmalloc classes: 32 << n bytes up to 2048
export const NR_KMALLOC: u32 = 7;
export const NR_CACHES: u32 = CACHE_KMALLOC_32 + NR_KMALLOC;
export const KMALLOC_MAX: u32 = PAGE_SIZE << MAX_ORDER;

// --- Super blocks, mounts, inodes, dentries ------------------------------------------------------------------------
export const SB_RDONLY: u32 = 1 << 0;
export const SB_NOSUID: u32 = 1 << 1;
export const SB_NODEV: u32 = 1 << 2;
export const SB_NOEXEC: u32 = 1 << 3;
export const SB_SYNCHRONOUS: u32 = 1 << 4;
export const SB_STACKED: u32 = 1 << 5; // its inodes stand for others, of its layers: assembly/fs/stack.ts
export const SB_NOATIME: u32 = 1 << 10;
export const SB_NODIRATIME: u32 = 1 << 11;
export const SB_SILENT: u32 = 1 << 15; // says nothing of what is wrong with a file system
export const SB_MEMORY: u32 = 1 << 16; // FS_MEMORY: part of snapshots
export const SB_COMPLETE: u32 = 1 << 17; // every name is in the dcache: a miss is ENOENT
export const SB_LOOKUP: u32 = 1 << 18; // has a lookup of its own
export const SB_PERMISSION: u32 = 1 << 19; // has a permission of its own
export const SB_GET_LINK: u32 = 1 << 20; // has a getLink of its own
export const SB_REVALIDATE: u32 = 1 << 21; // has a revalidate of its own
export const SB_GETATTR: u32 = 1 << 22; // has a getattr of its own
export const SB_EVICT: u32 = 1 << 23; // has a part in the end of its inodes: evictInode, dropInode, writeInode, an inode cache
export const SB_FILE: u32 = 1 << 24; // has an open, read or release of its own
export const SB_FROZEN: u32 = 1 << 25; // writers wait
export const SB_SETATTR: u32 = 1 << 26; // has a setattr of its own, or a store: changes of attributes are handed over
export const SB_DELETE_INODE: u32 = 1 << 27; // dropInode is generic_delete_inode: unused inodes are not kept
export const SB_DROP_INODE: u32 = 1 << 28; // has a dropInode of its own
export const NR_PLAIN_KINDS: u32 = 32; // kinds of inodes that a bit of SuperBlock.plainKinds can stand for
export const SB_SWAPBACKED: u32 = 1 << 29; // its pages go to swap areas, while there are any
export const SB_FREE_PAGE: u32 = 1 << 30; // hears of each page that goes: AS_FREE_PAGE
export const SB_NOUSER: u32 = 1 << 31; // pseudo file system, not mountable by users

export const MNT_READONLY: u32 = 1 << 0;
export const MNT_NOSUID: u32 = 1 << 1;
export const MNT_NODEV: u32 = 1 << 2;
export const MNT_NOEXEC: u32 = 1 << 3;
export const MNT_NOATIME: u32 = 1 << 4;
export const MNT_NODIRATIME: u32 = 1 << 5;
export const MNT_RELATIME: u32 = 1 << 6;
export const MNT_STRICTATIME: u32 = 1 << 7;
export const MNT_INTERNAL: u32 = 1 << 8; // kern_mount: in no tree
export const MNT_DETACHED: u32 = 1 << 9; // out of the tree, alive as long as somebody uses it
export const MNT_LAYER: u32 = 1 << 11; // internal, and part of an overlay: it goes with that one's super block
export const MNT_LAYER_RDONLY: u32 = 1 << 12; // of a lower layer: the mount that it has been found by was read-only
export const MNT_EXPIRY_MARK: u32 = 1 << 10; // nobody has walked into it since

// How far a super block is frozen (Linux enum in include/linux/fs.h)
export const SB_UNFROZEN: u32 = 0;
export const SB_FREEZE_WRITE: u32 = 1; // writes, and changes of names and attributes
export const SB_FREEZE_PAGEFAULT: u32 = 2; // writes by way of mapped pages
export const SB_FREEZE_FS: u32 = 3; // what a file system does of its own accord
export const SB_FREEZE_COMPLETE: u32 = 4;

export const I_DEAD: u32 = 1 << 0; // S_DEAD: a removed directory
export const I_IMMUTABLE: u32 = 1 << 1;
export const I_APPEND: u32 = 1 << 2;
export const I_NOATIME: u32 = 1 << 3;
export const I_FREEING: u32 = 1 << 4; // waits for evictInode
export const I_SYMLINK_BODY: u32 = 1 << 5; // private0 is the address of the target, private1 its length
export const I_SWAPFILE: u32 = 1 << 6;
export const I_NEW: u32 = 1 << 7; // readInode has not filled it yet
export const I_HASHED: u32 = 1 << 8; // found by its number
export const I_LRU: u32 = 1 << 9; // on the list of unused inodes
export const I_REFERENCED: u32 = 1 << 10; // found by its number since it came on the list of unused ones
export const I_DIRTY_SYNC: u32 = 1 << 11; // to be written, for sync and fsync
export const I_DIRTY_DATASYNC: u32 = 1 << 12; // for fdatasync, too: sizes
export const I_DIRTY_PAGES: u32 = 1 << 13; // has dirty pages
export const I_WILL_FREE: u32 = 1 << 14; // dropInode is to be asked whether it goes
export const I_EVICTING: u32 = 1 << 15; // evictInode has been called, and has not ended
export const I_FSNOTIFY: u32 = 1 << 16; // somebody watches it (src/vfs/fsnotify.ts): what changes it is told
export const I_OVL_INUSE: u32 = 1 << 17; // a directory that is the upper or work directory of an overlay
/** States in which the core may open and read a file without asking the VFS. */
export const I_PLAIN: u32 = I_HASHED | I_LRU | I_REFERENCED | I_DIRTY_SYNC | I_DIRTY_DATASYNC | I_DIRTY_PAGES | I_FSNOTIFY | I_OVL_INUSE;

export const DCACHE_HASHED: u32 = 1 << 0;
export const DCACHE_PERSISTENT: u32 = 1 << 1; // one count belongs to the name's existence (in-memory file systems)
export const DCACHE_MOUNTED: u32 = 1 << 2;
export const DCACHE_LRU: u32 = 1 << 3;
export const DCACHE_CHILD: u32 = 1 << 4; // on its parent's list
export const DCACHE_REFERENCED: u32 = 1 << 5; // walked to since it came on the list of unused ones
export const DNAME_INLINE_LEN: u32 = 28;
export const DENTRY_NAME: u32 = 24; // offset of the inline name in a dentry

export const NAME_MAX: u32 = 255;
export const PATH_MAX: u32 = 4096;
export const MAX_LINKS: u32 = 40; // symbolic links in one walk, then ELOOP

// --- Path walk -----------------------------------------------------------------------------------------------------
export const LOOKUP_FOLLOW: u32 = 1 << 0; // follow a symbolic link in the last component
export const LOOKUP_DIRECTORY: u32 = 1 << 1; // the result must be a directory
export const LOOKUP_LAST: u32 = 1 << 2; // a missing last component is no error: 0, with the parent in nd
export const LOOKUP_OPEN: u32 = 1 << 3; // with LOOKUP_LAST: cross a mount on the last component
export const LOOKUP_PATH_B: u32 = 1 << 4; // the path lies in buffer B

export const LAST_NORM: u32 = 0;
export const LAST_ROOT: u32 = 1;
export const LAST_DOT: u32 = 2;
export const LAST_DOTDOT: u32 = 3;

// Answers of a walk that TypeScript has to help with, beside negated errnos (which stay above -4096).
export const HANDOVER_LOOKUP: u32 = 5001;
export const HANDOVER_PERMISSION: u32 = 5002;
export const HANDOVER_GET_LINK: u32 = 5003;
export const HANDOVER_REVALIDATE: u32 = 5004;
export const HANDOVER_SETATTR: u32 = 5006; // a write takes set-ID bits away: the file system is to be asked first
export const HANDOVER_SWAP_IN: u32 = 5007; // of a read, write or truncate: the page is in a swap area

export const MAY_EXEC: u32 = 1;
export const MAY_WRITE: u32 = 2;
export const MAY_READ: u32 = 4;

export const CAP_ALL: u32 = 1; // of class Cred: may override permissions, as root

// --- Open files ----------------------------------------------------------------------------------------------------
export const FMODE_READ: u32 = 1;
export const FMODE_WRITE: u32 = 2;
export const FMODE_PATH: u32 = 4;
export const FMODE_NOATIME: u32 = 8;
export const FMODE_APPEND: u32 = 16;
export const FMODE_FLOCK: u32 = 32; // may hold a lock
export const FL_OFD: u32 = 0xffffffff; // owner of a lock on a range that belongs to its open file (F_OFD_SETLK)
export const FMODE_RANDOM: u32 = 64; // POSIX_FADV_RANDOM: nothing is read ahead
export const FMODE_NOREUSE: u32 = 128; // POSIX_FADV_NOREUSE
export const FMODE_POS_LOCKED: u32 = 256; // f_pos_lock: a call that waits for a store has the position (vfs/kept-file.ts)

export const TOUCH_ATIME: u32 = 1;
export const TOUCH_MTIME: u32 = 2;
export const TOUCH_CTIME: u32 = 4;

// --- Slots of the result block (f64) -------------------------------------------------------------------------------
export const RESULT_STAT: u32 = 0; // 18 values, in Node's order
export const RESULT_STATFS: u32 = 40; // 12 values, Node's 7 first
export const RESULT_ADDRESS: u32 = 30; // where a piece of data lies; 0 = a hole
export const RESULT_LENGTH: u32 = 32;
export const RESULT_EXTRA: u32 = 33;

// --- Event counters (f64, in KERNEL_VMSTAT) ------------------------------------------------------------------------
export const VM_PGALLOC: u32 = 0;
export const VM_PGFREE: u32 = 1;
export const VM_PGACTIVATE: u32 = 2;
export const VM_PGDEACTIVATE: u32 = 3;
export const VM_PGROTATED: u32 = 4;
export const VM_SLABS_ALLOC: u32 = 5;
export const VM_SLABS_FREE: u32 = 6;
export const VM_MEMORY_GROWN: u32 = 7;
export const VM_ALLOC_FAILED: u32 = 8;
export const VM_HANDOVER: u32 = 9;
export const VM_END_FAILED: u32 = 10;
// Of files with a store, counted where they are read (src/mm/io-counters.ts).
export const VM_PGCACHE_HIT: u32 = 11;
export const VM_PGCACHE_MISS: u32 = 12;
export const VM_PGAHEAD: u32 = 13;
// Of reclaim.
export const VM_PGSCAN: u32 = 14;
export const VM_PGSTEAL: u32 = 15;
export const VM_WORKINGSET_REFAULT: u32 = 16;
export const VM_WORKINGSET_ACTIVATE: u32 = 17;
export const VM_WORKINGSET_NODERECLAIM: u32 = 18;
export const VM_ALLOCSTALL: u32 = 19;
export const VM_PGMIGRATE_SUCCESS: u32 = 20;
export const VM_COMPACT_STALL: u32 = 21;
export const VM_PSWPIN: u32 = 22;
export const VM_PSWPOUT: u32 = 23;
// Of mappings (src/mm/memory.ts).
export const VM_PGFAULT: u32 = 24;
export const VM_PGMAJFAULT: u32 = 25;
export const NR_VM_EVENTS: u32 = 26;

// --- errno (Linux include/uapi/asm-generic) ------------------------------------------------------------------------
export const EPERM: i32 = 1;
export const ENOENT: i32 = 2;
export const EIO: i32 = 5;
export const EBADF: i32 = 9;
export const EAGAIN: i32 = 11;
export const ENOMEM: i32 = 12;
export const EACCES: i32 = 13;
export const EBUSY: i32 = 16;
export const EEXIST: i32 = 17;
export const EXDEV: i32 = 18;
export const ENOTDIR: i32 = 20;
export const EISDIR: i32 = 21;
export const EINVAL: i32 = 22;
export const EFBIG: i32 = 27;
export const ENOSPC: i32 = 28;
export const EROFS: i32 = 30;
export const EMLINK: i32 = 31;
export const ENAMETOOLONG: i32 = 36;
export const ENOTEMPTY: i32 = 39;
export const ELOOP: i32 = 40;
export const ENXIO: i32 = 6;
export const EDEADLK: i32 = 35;
export const EOPNOTSUPP: i32 = 95;
export const ESTALE: i32 = 116;

// --- Flags of open() (Linux include/uapi/asm-generic/fcntl.h) -----------------------------------------------------
export const O_CREAT: u32 = 0x40;
export const O_TRUNC: u32 = 0x200;

// --- Mode bits (Linux include/uapi/linux/stat.h) -------------------------------------------------------------------
export const S_IFMT: u32 = 0xf000;
export const S_IFLNK: u32 = 0xa000;
export const S_IFREG: u32 = 0x8000;
export const S_IFDIR: u32 = 0x4000;
export const S_ISUID: u32 = 0x800;
export const S_ISGID: u32 = 0x400;
export const S_ISVTX: u32 = 0x200;
export const S_IXGRP: u32 = 0x8;

// --- tmpfs -----------------------------------------------------------------------------------------------------------
export const BOGO_DIRENT_SIZE: u32 = 20; // what one name adds to the size of a directory, as on tmpfs
export const SHORT_SYMLINK_LEN: u32 = 128; // a symbolic link this long or longer counts a page of blocks
export const BOGO_INODE_SIZE: u32 = 1024; // bytes of extended attributes that count as an inode

// --- Extended attributes (Linux include/uapi/linux/limits.h) -----------------------------------------------------------
export const XATTR_NAME_MAX: u32 = 255;
export const XATTR_SIZE_MAX: u32 = 65536; // bytes of a value
export const XATTR_OVERHEAD: u32 = 40; // bytes that one counts beside its name and value
