/**
 * A page index as it lies in memory (assembly/mm/xarray.ts), read and changed entry by entry where a call into the core would be no
 * faster, and would have to be in every bundle.
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import { INODE_XA_HEAD, XA_NODE_SHIFT } from "../wasm/layout.ts";

const SLOTS = 64;

function isNode(entry: number): boolean {
  return (entry & 3) === 2;
}

/** Index in `u32` of a node's first slot. */
function nodeAt(entry: number): number {
  return (entry - 2) >>> 2;
}

/** Index in `u8` of the field that says how many bits of an index are below a node. */
function shiftOf({ u8 }: Core, entry: number): number {
  return u8[entry - 2 + XA_NODE_SHIFT];
}

/** Index in `u32` of the slot of a page; undefined where the tree has none. */
export function slotOf(core: Core, inode: InodeHandle, index: number): number | undefined {
  let at = (inode << 3) + INODE_XA_HEAD;
  let entry = core.u32[at];
  if (!isNode(entry)) return index === 0 ? at : undefined;
  if (index >= 2 ** (shiftOf(core, entry) + 6)) return undefined;
  for (;;) {
    const shift = shiftOf(core, entry);
    at = nodeAt(entry) + ((index >>> shift) % SLOTS);
    if (shift === 0) return at;
    entry = core.u32[at];
    if (entry === 0) return undefined;
  }
}

/** The entry of a page, 0 = none. */
export function entryOf(core: Core, inode: InodeHandle, index: number): number {
  const at = slotOf(core, inode, index);
  return at === undefined ? 0 : core.u32[at];
}

/** Puts data in the place of data: a page for a swap entry, or the other way round. Nothing else of the index changes. */
export function replaceEntry(core: Core, inode: InodeHandle, index: number, entry: number): void {
  core.u32[slotOf(core, inode, index) as number] = entry;
}

/** All entries of an index, with where they are; entries may be replaced meanwhile, and others come after the one at hand. */
export function* entriesOf(core: Core, inode: InodeHandle): Generator<[index: number, entry: number]> {
  for (let index = 0; index < 2 ** 32; ) {
    const head = core.u32[(inode << 3) + INODE_XA_HEAD];
    if (!isNode(head)) {
      if (index === 0 && head !== 0) yield [0, head];
      return;
    }
    if (index >= 2 ** (shiftOf(core, head) + 6)) return;
    const [shift, entry] = lowest(core, head, index);
    if (entry !== 0) yield [index, entry];
    index = (Math.floor(index / 2 ** shift) + 1) * 2 ** shift;
  }
}

/** Goes down as far as there are nodes. @returns bits of an index below where that ends, and what is there */
function lowest(core: Core, head: number, index: number): [shift: number, entry: number] {
  let entry = head;
  for (;;) {
    const shift = shiftOf(core, entry);
    entry = core.u32[nodeAt(entry) + (Math.floor(index / 2 ** shift) % SLOTS)];
    if (shift === 0 || entry === 0) return [shift, entry];
  }
}
