// Mappings of files into what a program sees as memory, and pins of frames that it has views of (Linux: struct
// vm_area_struct, page tables, mm/gup.c). The records only: they are made, walked and freed by src/mm, since JavaScript
// cannot trap a load or a store, and so all of it is off the fast paths. Both are kmalloc()ed, on lists of the slot that owns them.
//
//   slot.mmaps ─► VmArea ─► VmArea ...     holds: the open file (a count), its page tables, its private copies
//                   │ directory: frame of 1024 u32 ─► table: frame of 1024 entries, for 4 MiB of the mapping each
//                   ▼
//   entry           frame number << 12 | PTE_*
//
//   slot.pins  ─► PagePin ─► PagePin ...   holds: a pin of each frame of a run
//
// An entry of a page of the file is what is known of the page, and true only while the index of the file says the same frame:
// there is no way back from a page to who has mapped it. A private copy (PTE_ANON) is the mapping's own frame. Tables and copies
// are PG_BUFFER frames.
import { File } from "./file";
import { Inode } from "./inode";
import { Task } from "./task";

/** A mapping of a part of a file. */
// @ts-ignore: decorator
@unmanaged export class VmArea {
  next: VmArea; // list of the slot's mappings
  prev: VmArea;
  file: File; // immutable
  inode: Inode; // of the file; immutable
  task: Task; // whose mapping it is; immutable
  flags: u32; // VM_READ, VM_WRITE, VM_EXEC, VM_SHARED; immutable
  pgoff: u32; // first page in the file; immutable
  nrPages: u32; // immutable
  owner: u32; // slot number
  directory: u32; // frame of the directory of page tables
  nrLocked: u32; // entries with PTE_LOCKED
  reserved: u32;
}

/** A run of frames that somebody has a view of. */
// @ts-ignore: decorator
@unmanaged export class PagePin {
  next: PagePin; // list of the slot's pins
  prev: PagePin;
  pfn: u32; // first frame
  nrFrames: u32;
  flags: u32; // PIN_*
  owner: u32; // slot number
  reserved0: u32;
  reserved1: u32;
}
