/**
 * Who watches what, and what they are told: inotify, with one queue.
 *
 * @see Linux fs/notify/fsnotify.c, include/linux/fsnotify.h, fs/notify/inotify/inotify_fsnotify.c; inotify(7)
 */
import type { Dentry, Inode } from "./inode.ts";

export const IN_MODIFY = 0x2;
export const IN_ATTRIB = 0x4;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_MOVE_SELF = 0x800;
const IN_IGNORED = 0x8000;
const IN_ISDIR = 0x40000000;

/** @param name in a watched directory; undefined: the watched thing itself */
export type Listener = (mask: number, name: string | undefined) => void;

/** A watched inode. */
export class Mark {
  readonly listeners = new Set<Listener>();
  readonly inode: Inode;
  readonly #queue: Queue;

  constructor(inode: Inode, queue: Queue) {
    this.inode = inode;
    this.#queue = queue;
  }

  tell(mask: number, name?: string): void {
    this.#queue.add({ mark: this, mask, name });
  }

  /** What it is told last. It stands between two events even if nobody hears of it any more. */
  end(): void {
    if (this.inode.mark !== this) return;
    this.tell(IN_IGNORED);
    this.inode.mark = undefined;
  }
}

interface Told {
  readonly mark: Mark;
  readonly mask: number;
  readonly name: string | undefined;
}

/** Events that have not been read: one that is equal to the last is not added. */
export class Queue {
  #events: Told[] = [];

  add(event: Told): void {
    const last = this.#events.at(-1);
    if (last?.mark === event.mark && last.mask === event.mask && last.name === event.name) return;
    this.#events.push(event);
    if (this.#events.length === 1) setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    for (const { mark, mask, name } of this.#events.splice(0)) {
      for (const listener of [...mark.listeners]) if (mark.listeners.has(listener)) listener(mask, name);
    }
  }
}

function flagOf(inode: Inode): number {
  return inode.isDirectory ? IN_ISDIR : 0;
}

/** Something has happened to an inode. @param by the name that it was reached by; the root has none */
export function tellChange(inode: Inode, by: Dentry | undefined, what: number): void {
  const mask = what | flagOf(inode);
  by?.parent.mark?.tell(mask, by.name);
  inode.mark?.tell(mask);
}

/** A name has been made. */
export function tellNew({ parent, name, inode }: Dentry): void {
  parent.mark?.tell(IN_CREATE | flagOf(inode), name);
}

/** A name has been removed: of a file, which may have others, that is told as its number of links, too. */
export function tellRemoved(dentry: Dentry): void {
  const { parent, name, inode } = dentry;
  if (!inode.isDirectory) tellLinkCount(inode);
  letGo(dentry);
  parent.mark?.tell(IN_DELETE | flagOf(inode), name);
}

export function tellLinkCount(inode: Inode): void {
  inode.mark?.tell(IN_ATTRIB | flagOf(inode));
}

/** A name that is used no more, and leads to what has no links: who watches that hears no more. */
export function letGo({ isRemoved, nrUsers, inode }: Dentry): void {
  if (!isRemoved || nrUsers > 0 || inode.nlink > 0 || inode.mark === undefined) return;
  inode.mark.tell(IN_DELETE_SELF);
  inode.mark.end();
}

/** A name has taken the place of another. @param from what it was @param replaced what had its name */
export function tellMove(
  dentry: Dentry,
  from: { readonly parent: Inode; readonly name: string },
  replaced?: Dentry,
): void {
  const flag = flagOf(dentry.inode);
  from.parent.mark?.tell(IN_MOVED_FROM | flag, from.name);
  dentry.parent.mark?.tell(IN_MOVED_TO | flag, dentry.name);
  if (replaced !== undefined) tellLinkCount(replaced.inode);
  dentry.inode.mark?.tell(IN_MOVE_SELF);
  if (replaced !== undefined) letGo(replaced);
}
