/** What watchers are told: events as masks. @see Linux include/linux/fsnotify_backend.h FS_*; inotify(7), which has the same numbers */
export const FS_ACCESS = 0x1;
export const FS_MODIFY = 0x2;
/** Attributes, and the number of links. */
export const FS_ATTRIB = 0x4;
/** The last who had a file open for writing has closed it. */
export const FS_CLOSE_WRITE = 0x8;
export const FS_MOVED_FROM = 0x40;
export const FS_MOVED_TO = 0x80;
export const FS_CREATE = 0x100;
export const FS_DELETE = 0x200;
export const FS_DELETE_SELF = 0x400;
export const FS_MOVE_SELF = 0x800;
export const FS_UNMOUNT = 0x2000;
/** Events have been lost: the queue was full. */
export const FS_Q_OVERFLOW = 0x4000;
/** The mark is gone: nothing comes after. */
export const FS_IN_IGNORED = 0x8000;
/** It has happened to a directory. */
export const FS_ISDIR = 0x40000000;

/** Events that come whatever a mark asks for. */
export const FS_ALWAYS = FS_UNMOUNT | FS_Q_OVERFLOW | FS_IN_IGNORED;
