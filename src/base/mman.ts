/** Numbers of mmap(2), msync(2). @see Linux include/uapi/asm-generic/mman-common.h */
export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
/** MAP_SHARED, with flags that are not known refused. */
export const MAP_SHARED_VALIDATE = 3;
export const MAP_TYPE = 0xf;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
/** Its pages are locked, as by mlock(). */
export const MAP_LOCKED = 0x2000;
/** Taken, and without effect: private copies are made when they are needed. */
export const MAP_NORESERVE = 0x4000;
/** Its pages are there when mmap() returns, as far as that is to be had. */
export const MAP_POPULATE = 0x8000;

export const MS_ASYNC = 1;
export const MS_INVALIDATE = 2;
export const MS_SYNC = 4;
