/** Marks: what is watched, and who is to hear of it. @see Linux fs/notify/mark.c */
import type { DentryHandle, InodeHandle } from "../base/handles.ts";

/** Hears of an event. @param name of what it happened to in a watched directory, raw; undefined: to the watched thing itself */
export type Listener = (mask: number, name: Uint8Array | undefined, cookie: number) => void;

/** A watched inode. There is one mark for each: who watches it again joins it. */
export class Mark {
  /** Handle of the inode; immutable. */
  readonly inode: InodeHandle;
  readonly isDirectory: boolean;
  /**
   * Does it hold the inode? Names in memory hold theirs; an inode that can be asked for again would go when memory runs
   * out, and the mark with it.
   */
  readonly holdsInode: boolean;
  /** The name by which it holds a directory, which has but one: some file systems would make another inode for it. 0 = none */
  name = 0 as DentryHandle;
  /** Events that any of its listeners asks for. */
  mask: number;
  /** Nothing will happen any more. */
  isGone = false;
  /** Who listens, each with what it asks for: a union of FS_*. */
  readonly listeners = new Map<Listener, number>();

  constructor(inode: InodeHandle, mask: number, isDirectory: boolean, holdsInode: boolean) {
    this.inode = inode;
    this.mask = mask;
    this.isDirectory = isDirectory;
    this.holdsInode = holdsInode;
  }
}
