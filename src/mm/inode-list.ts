/**
 * A list of inodes through their records' ioNext and ioPrev (Linux i_io_list). The ends point at themselves, so that an inode
 * knows whether it is on a list: fields of 0 are on none.
 *
 * Does not own: which list an inode is on, and why (backing-dev.ts).
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import { INODE_IO_NEXT, INODE_IO_PREV } from "../wasm/layout.ts";

const NONE = 0 as InodeHandle;

function linkOf({ u32 }: Core, inode: InodeHandle, field: number): InodeHandle {
  return (u32[(inode << 3) + field] >>> 5) as InodeHandle;
}

function setLink({ u32 }: Core, inode: InodeHandle, field: number, to: InodeHandle): void {
  u32[(inode << 3) + field] = to << 5;
}

/** Is an inode on any list? */
export function isListed(core: Core, inode: InodeHandle): boolean {
  return linkOf(core, inode, INODE_IO_NEXT) !== NONE;
}

export class InodeList {
  readonly #core: Core;
  #head = NONE;
  #tail = NONE;

  constructor(core: Core) {
    this.#core = core;
  }

  get isEmpty(): boolean {
    return this.#head === NONE;
  }

  /** 0 = the list is empty. */
  get tail(): InodeHandle {
    return this.#tail;
  }

  /** Precondition: the inode is on no list. */
  addHead(inode: InodeHandle): void {
    const next = this.#head;
    setLink(this.#core, inode, INODE_IO_PREV, inode);
    setLink(this.#core, inode, INODE_IO_NEXT, next === NONE ? inode : next);
    if (next === NONE) this.#tail = inode;
    else setLink(this.#core, next, INODE_IO_PREV, inode);
    this.#head = inode;
  }

  /** Precondition: the inode is on no list. */
  addTail(inode: InodeHandle): void {
    const prev = this.#tail;
    setLink(this.#core, inode, INODE_IO_NEXT, inode);
    setLink(this.#core, inode, INODE_IO_PREV, prev === NONE ? inode : prev);
    if (prev === NONE) this.#head = inode;
    else setLink(this.#core, prev, INODE_IO_NEXT, inode);
    this.#tail = inode;
  }

  /** Precondition: it is on this list, or in the midst of another, whose ends stay. */
  remove(inode: InodeHandle): void {
    const next = linkOf(this.#core, inode, INODE_IO_NEXT);
    const prev = linkOf(this.#core, inode, INODE_IO_PREV);
    const isTail = next === inode;
    const isHead = prev === inode;
    if (isHead) this.#head = isTail ? NONE : next;
    else setLink(this.#core, prev, INODE_IO_NEXT, isTail ? prev : next);
    if (isTail) this.#tail = isHead ? NONE : prev;
    else setLink(this.#core, next, INODE_IO_PREV, isHead ? next : prev);
    setLink(this.#core, inode, INODE_IO_NEXT, NONE);
    setLink(this.#core, inode, INODE_IO_PREV, NONE);
  }

  /** Is it the first or the last of this list? */
  hasEnd(inode: InodeHandle): boolean {
    return inode === this.#head || inode === this.#tail;
  }

  /** From the one that was put on it first. The one at hand may go. */
  *fromTail(): Generator<InodeHandle> {
    let at = this.#tail;
    while (at !== NONE) {
      const prev = linkOf(this.#core, at, INODE_IO_PREV);
      yield at;
      at = prev === at ? NONE : prev;
    }
  }

  /** @param seen those of other lists; gets those of this one @throws Error when its links do not agree */
  verify(seen: Set<InodeHandle>): void {
    let next = NONE;
    for (const inode of this.fromTail()) {
      if (seen.has(inode)) throw new Error("bdi: an inode is on a list twice");
      seen.add(inode);
      const link = linkOf(this.#core, inode, INODE_IO_NEXT);
      if (link !== (next === NONE ? inode : next)) throw new Error("bdi: links of a list do not agree");
      next = inode;
    }
    if (next !== this.#head) throw new Error("bdi: a list does not end at its head");
  }
}
