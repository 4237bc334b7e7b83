/**
 * Mappings as records in memory: their list, and the entries of their page tables (assembly/fs/mmap.ts).
 *
 * Does not own: what an entry is to say (memory.ts), who may map what (vfs/mmap.ts).
 *
 * @see Linux struct vm_area_struct, mm/memory.c pte_alloc()
 */
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  INODE_XA_HEAD,
  PAGE_MAPPING,
  PAGE_SIZE,
  PTES_PER_TABLE,
  SLOT_MMAPS,
  SLOT_NUMBER,
  VM_AREA_BYTES,
  VM_AREA_DIRECTORY,
  VM_AREA_FILE,
  VM_AREA_FLAGS,
  VM_AREA_INODE,
  VM_AREA_NEXT,
  VM_AREA_NR_LOCKED,
  VM_AREA_NR_PAGES,
  VM_AREA_OWNER,
  VM_AREA_PGOFF,
  VM_AREA_PREV,
  VM_AREA_TASK,
} from "../wasm/layout.ts";
import { fieldOf } from "./page.ts";

/** Most pages of a mapping: all that 32 bits can address. */
export const MAX_AREA_PAGES = PTES_PER_TABLE * PTES_PER_TABLE;
const WORDS_PER_PAGE = PAGE_SIZE / 4;
const NO_TABLE = 0;

/** What a mapping is made of. */
export interface NewArea {
  readonly file: FileHandle;
  readonly inode: InodeHandle;
  /** Handle of the task. */
  readonly task: number;
  /** VM_*. */
  readonly flags: number;
  /** First page in the file. */
  readonly pgoff: number;
  readonly nrPages: number;
}

/** A mapping in memory: a flyweight over its record. */
export class VmArea {
  readonly core: Core;
  /** Address >> 5. */
  readonly handle: number;

  readonly file: FileHandle;
  readonly inode: InodeHandle;
  /** VM_*. */
  readonly flags: number;
  /** First page in the file. */
  readonly pgoff: number;
  readonly nrPages: number;
  /** Index in `u32` of the directory of page tables. */
  readonly #directory: number;

  /** Over a record that is filled in: what does not change of it is kept. */
  constructor(core: Core, handle: number) {
    const { u32 } = core;
    const at = handle * 8;
    this.core = core;
    this.handle = handle;
    this.file = (u32[at + VM_AREA_FILE] >>> 5) as FileHandle;
    this.inode = (u32[at + VM_AREA_INODE] >>> 5) as InodeHandle;
    this.flags = u32[at + VM_AREA_FLAGS];
    this.pgoff = u32[at + VM_AREA_PGOFF];
    this.nrPages = u32[at + VM_AREA_NR_PAGES];
    this.#directory = u32[at + VM_AREA_DIRECTORY] * WORDS_PER_PAGE;
  }

  /** Makes a mapping, with a directory of its own. @returns undefined when memory ran out */
  static create(core: Core, { file, inode, task, flags, pgoff, nrPages }: NewArea): VmArea | undefined {
    const directory = newTable(core);
    if (directory === NO_TABLE) return undefined;
    const address = core.x.kmalloc(VM_AREA_BYTES) >>> 0;
    if (address === 0) {
      core.x.putPage(directory);
      return undefined;
    }
    const { u32 } = core;
    const at = address >>> 2;
    u32[at + VM_AREA_FILE] = file << 5;
    u32[at + VM_AREA_INODE] = inode << 5;
    u32[at + VM_AREA_TASK] = task << 5;
    u32[at + VM_AREA_FLAGS] = flags;
    u32[at + VM_AREA_PGOFF] = pgoff;
    u32[at + VM_AREA_NR_PAGES] = nrPages;
    u32[at + VM_AREA_OWNER] = u32[SLOT + SLOT_NUMBER];
    u32[at + VM_AREA_DIRECTORY] = directory;
    linkRecord(core, SLOT_MMAPS, address);
    return new VmArea(core, address >>> 5);
  }

  /** Handle of the task whose mapping it is. */
  get task(): number {
    return this.#get(VM_AREA_TASK) >>> 5;
  }
  /** Entries that are locked. */
  get nrLocked(): number {
    return this.#get(VM_AREA_NR_LOCKED);
  }
  set nrLocked(nr: number) {
    this.#set(VM_AREA_NR_LOCKED, nr);
  }

  /** The entry of a page, 0 = there is nothing. @param i page of the mapping */
  pte(i: number): number {
    const at = this.#entryAt(i);
    return at === 0 ? 0 : this.core.u32[at];
  }

  /** Changes the entry of a page, which has a table (allocPte()). */
  setPte(i: number, entry: number): void {
    this.core.u32[this.#entryAt(i)] = entry;
  }

  /** Makes a table for the entry of a page where there is none. @returns false when memory ran out */
  allocPte(i: number): boolean {
    const { core } = this;
    const at = this.#tableAt(i);
    if (core.u32[at] !== NO_TABLE) return true;
    const table = newTable(core);
    core.u32[at] = table;
    return table !== NO_TABLE;
  }

  /** Pages from `first` to `last` that have an entry, in order. */
  *entries(first: number, last: number): Generator<number, void> {
    for (let i = first; i <= last; i++) {
      if (this.core.u32[this.#tableAt(i)] === NO_TABLE) i += PTES_PER_TABLE - 1 - (i % PTES_PER_TABLE);
      else if (this.pte(i) !== 0) yield i;
    }
  }

  /** Frames of its directory and its tables. */
  *tables(): Generator<number, void> {
    for (let i = 0; i < this.nrPages; i += PTES_PER_TABLE) {
      const table = this.core.u32[this.#tableAt(i)];
      if (table !== NO_TABLE) yield table;
    }
    yield this.#directory / WORDS_PER_PAGE;
  }

  /** Frames of its page tables. */
  get nrTables(): number {
    return [...this.tables()].length;
  }

  /** The record and its tables go. Precondition: no entry holds anything. */
  free(): void {
    const { core } = this;
    for (const pfn of [...this.tables()]) core.x.putPage(pfn);
    unlinkRecord(core, SLOT_MMAPS, this.handle * 32);
    core.x.kfree(this.handle << 5);
  }

  #tableAt(i: number): number {
    return this.#directory + Math.floor(i / PTES_PER_TABLE);
  }

  #entryAt(i: number): number {
    const table = this.core.u32[this.#tableAt(i)];
    return table === NO_TABLE ? 0 : table * WORDS_PER_PAGE + (i % PTES_PER_TABLE);
  }

  #get(field: number): number {
    return this.core.u32[this.handle * 8 + field];
  }
  #set(field: number, value: number): void {
    this.core.u32[this.handle * 8 + field] = value;
  }
}

/** Frame of an entry, 0 = it has none. */
export function pteFrame(entry: number): number {
  return Math.floor(entry / PAGE_SIZE);
}

/** All mappings; the one at hand may go. */
export function* vmAreas(core: Core): Generator<VmArea, void> {
  for (let address = core.u32[SLOT + SLOT_MMAPS]; address !== 0; ) {
    const next = core.u32[(address >>> 2) + VM_AREA_NEXT];
    yield new VmArea(core, address >>> 5);
    address = next;
  }
}

/** Mappings of an inode. */
export function* areasOf(core: Core, inode: InodeHandle): Generator<VmArea, void> {
  for (const area of vmAreas(core)) if (area.inode === inode) yield area;
}

/** The inode whose page a frame is, 0 = it has left the cache. */
export function inodeOfPage({ u32 }: Core, pfn: number): InodeHandle {
  const mapping = u32[fieldOf(pfn, PAGE_MAPPING)];
  return (mapping === 0 ? 0 : (mapping - 4 * INODE_XA_HEAD) >>> 5) as InodeHandle;
}

/** A frame of zeros for 1024 entries. @returns 0 when memory ran out */
function newTable(core: Core): number {
  const pfn = core.x.allocBuffer(0);
  if (pfn !== 0) core.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
  return pfn;
}

/** Puts a record on a list of the slot: its first two words are links. @param head field of the slot */
export function linkRecord({ u32 }: Core, head: number, address: number): void {
  const next = u32[SLOT + head];
  u32[(address >>> 2) + VM_AREA_NEXT] = next;
  u32[(address >>> 2) + VM_AREA_PREV] = 0;
  if (next !== 0) u32[(next >>> 2) + VM_AREA_PREV] = address;
  u32[SLOT + head] = address;
}

/** Undoes linkRecord(). */
export function unlinkRecord({ u32 }: Core, head: number, address: number): void {
  const next = u32[(address >>> 2) + VM_AREA_NEXT];
  const prev = u32[(address >>> 2) + VM_AREA_PREV];
  if (prev === 0) u32[SLOT + head] = next;
  else u32[(prev >>> 2) + VM_AREA_NEXT] = next;
  if (next !== 0) u32[(next >>> 2) + VM_AREA_PREV] = prev;
}
