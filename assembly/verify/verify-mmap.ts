// verify(): mappings, their page tables, and pins of frames.
import { CACHE_FILE, NR_SLOTS, PAGE_SIZE, PG_BUFFER, PG_SHARED, PTE_ANON, PTE_LOCKED, PTE_PINNED, PTE_PRESENT, PTE_WRITE, VM_SHARED } from "../abi";
import { PagePin, VmArea } from "../fs/mmap";
import { isNil, kernel, ownerSlot, Slot } from "../kernel";
import { pageAddress, pageOf } from "../mm/page";
import { isKmalloced, isObject } from "./verify";

const ENTRIES: u32 = 1024;

/** Checks the lists of all slots, and that nobody pins more than is counted. */
export function verifyMmap(): void {
  let nr: u32 = 0;
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const slot = ownerSlot(i);
    if (!isNil(slot)) nr += verifyAreas(slot) + verifyPins(slot);
  }
  assert(nr == kernel().nrPinned, "mmap: nrPinned is not the number of frames that are pinned and locked");
}

/** @returns entries that are locked */
function verifyAreas(slot: Slot): u32 {
  let nr: u32 = 0;
  for (let area: VmArea = slot.mmaps; !isNil(area); area = area.next) {
    assert(isKmalloced(changetype<usize>(area)), "mmap: the list of mappings leads astray");
    assert((isNil(area.prev) ? slot.mmaps : area.prev.next) == area, "mmap: previous mapping points elsewhere");
    assert(area.owner == slot.number, "mmap: a mapping of another slot");
    assert(isObject(CACHE_FILE, changetype<usize>(area.file)) && area.file.inode == area.inode, "mmap: a mapping of no open file");
    const nrLocked = verifyTables(area);
    assert(nrLocked == area.nrLocked, "mmap: nrLocked is not the number of locked entries");
    nr += nrLocked;
  }
  return nr;
}

function verifyTables(area: VmArea): u32 {
  let nrLocked: u32 = 0;
  assert(pageOf(area.directory).flags == PG_BUFFER, "mmap: the directory is in no frame of its own");
  for (let i: u32 = 0; i < ENTRIES; i++) {
    const table = load<u32>(pageAddress(area.directory) + (<usize>i << 2));
    if (!table) continue;
    assert(i * ENTRIES < area.nrPages && pageOf(table).flags == PG_BUFFER, "mmap: a page table in no frame of its own");
    for (let n: u32 = 0; n < ENTRIES; n++) {
      const entry = load<u32>(pageAddress(table) + (<usize>n << 2));
      if (!entry) continue;
      assert(i * ENTRIES + n < area.nrPages, "mmap: an entry behind the mapping's end");
      verifyEntry(area, entry);
      if (entry & PTE_LOCKED) nrLocked++;
    }
  }
  return nrLocked;
}

function verifyEntry(area: VmArea, entry: u32): void {
  const pfn = entry / PAGE_SIZE;
  assert(((entry & PTE_PRESENT) != 0) == (pfn != 0) && pfn < kernel().endPfn, "mmap: an entry of no frame");
  if (!pfn) {
    assert(!(entry & (PTE_ANON | PTE_PINNED | PTE_WRITE)), "mmap: an empty entry with flags of a page");
    return;
  }
  assert(!(entry & PTE_PINNED) || (entry & PTE_LOCKED) != 0, "mmap: an entry is pinned, but not locked");
  if (entry & PTE_ANON) {
    assert(!(area.flags & VM_SHARED), "mmap: a private copy in a shared mapping");
    assert(pageOf(pfn).flags == PG_BUFFER, "mmap: a private copy in no frame of its own");
  }
  if (entry & (PTE_ANON | PTE_PINNED)) assert(pageOf(pfn).refcount >= 1 + nrPinsOf(pfn), "mmap: a frame has fewer pins than are held");
}

/** @returns frames that are pinned */
function verifyPins(slot: Slot): u32 {
  let nr: u32 = 0;
  for (let pin: PagePin = slot.pins; !isNil(pin); pin = pin.next) {
    assert(isKmalloced(changetype<usize>(pin)), "pins: the list leads astray");
    assert((isNil(pin.prev) ? slot.pins : pin.prev.next) == pin, "pins: previous one points elsewhere");
    assert(pin.owner == slot.number && pin.nrFrames != 0, "pins: of another slot, or of nothing");
    for (let i: u32 = 0; i < pin.nrFrames; i++) {
      const page = pageOf(pin.pfn + i);
      const others: u32 = page.flags & PG_SHARED ? page.index : page.mapping ? 1 : 0; // the cache's own
      assert(page.refcount >= nrPinsOf(pin.pfn + i) + others, "pins: a frame has fewer pins than are held");
    }
    nr += pin.nrFrames;
  }
  return nr;
}

/** Pins that views have on a frame, of all slots. */
export function nrPinsOf(pfn: u32): u32 {
  let nr: u32 = 0;
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const slot = ownerSlot(i);
    if (isNil(slot)) continue;
    for (let pin: PagePin = slot.pins; !isNil(pin); pin = pin.next) if (pfn >= pin.pfn && pfn - pin.pfn < pin.nrFrames) nr++;
  }
  return nr;
}

/** Does an entry that is locked have a frame, which may have left its file meanwhile? It keeps it until it is touched again. */
export function isMlocked(pfn: u32): bool {
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const slot = ownerSlot(i);
    if (isNil(slot)) continue;
    for (let area: VmArea = slot.mmaps; !isNil(area); area = area.next) if (hasPinned(area, pfn)) return true;
  }
  return false;
}

function hasPinned(area: VmArea, pfn: u32): bool {
  for (let i: u32 = 0; i < area.nrPages; i++) {
    const table = load<u32>(pageAddress(area.directory) + (<usize>(i / ENTRIES) << 2));
    if (!table) continue;
    const entry = load<u32>(pageAddress(table) + (<usize>(i % ENTRIES) << 2));
    if (entry & PTE_PINNED && entry / PAGE_SIZE == pfn) return true;
  }
  return false;
}

/** Mappings and pins that kmalloc() has given: all of them lie in slabs. */
export function nrMmapRecords(): u32 {
  let nr: u32 = 0;
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const slot = ownerSlot(i);
    if (isNil(slot)) continue;
    for (let area: VmArea = slot.mmaps; !isNil(area); area = area.next) nr++;
    for (let pin: PagePin = slot.pins; !isNil(pin); pin = pin.next) nr++;
  }
  return nr;
}
