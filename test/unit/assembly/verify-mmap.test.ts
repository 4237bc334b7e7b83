/** verify() finds what is wrong with mappings and pins. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../src/base/mman.ts";
import { createFsSync, type Kernel } from "../../../src/index.ts";
import { fieldOf } from "../../../src/mm/page.ts";
import { pteFrame, type VmArea, vmAreas } from "../../../src/mm/vm-area.ts";
import { SLOT } from "../../../src/wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_NR_PINNED,
  PAGE_PIN_NR_FRAMES,
  PAGE_REFCOUNT,
  PTE_ANON,
  PTE_LOCKED,
  PTE_PINNED,
  PTE_PRESENT,
  SLOT_MMAPS,
  SLOT_PINS,
  VM_AREA_FILE,
  VM_AREA_NR_LOCKED,
  VM_AREA_NR_PAGES,
  VM_AREA_OWNER,
  VM_AREA_PREV,
  VM_SHARED,
} from "../../../src/wasm/layout.ts";

const PAGE = 4096;
const IS_DEBUG = (process.env.FOLIOFS_BUILD ?? "debug") === "debug";

/** A shared mapping with a locked page, a private one with a copy, a view. */
interface Scene {
  kernel: Kernel;
  shared: VmArea;
  priv: VmArea;
  u32: Uint32Array;
}

function scene(): Scene {
  const fs = createFsSync({ memoryLimit: 8 * 2 ** 20 });
  fs.writeFileSync("/file", Buffer.alloc(4 * PAGE, "a"));
  const fd = fs.openSync("/file", "r+");
  fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE }).mlock(0, PAGE);
  fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE }).set(Buffer.from("own"));
  fs.readView(fd, 3 * PAGE);
  const kernel = fs.kernel.vfs;
  const areas = [...vmAreas(kernel.core)];
  const shared = areas.find(({ flags }) => flags & VM_SHARED) as VmArea;
  const priv = areas.find(({ flags }) => !(flags & VM_SHARED)) as VmArea;
  return { kernel, shared, priv, u32: kernel.core.u32 };
}

const pinAt = ({ u32 }: Scene): number => u32[SLOT + SLOT_PINS] >>> 2;

const FAULTS: [what: string, break_: (scene: Scene) => void, says: RegExp][] = [
  ["a count of pins that is wrong", ({ u32 }) => u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_PINNED]++, /nrPinned/],
  ["a mapping of no file", ({ u32, shared }) => u32[shared.handle * 8 + VM_AREA_FILE]++, /no open file/],
  ["a mapping of another slot", ({ u32, priv }) => u32[priv.handle * 8 + VM_AREA_OWNER]++, /another slot/],
  ["a broken list of mappings", ({ u32 }) => (u32[(u32[SLOT + SLOT_MMAPS] >>> 2) + VM_AREA_PREV] = 32), /elsewhere/],
  ["a list that leads astray", ({ u32 }) => (u32[SLOT + SLOT_MMAPS] = 0x9000), /astray/],
  ["a count of locked pages", ({ u32, shared }) => u32[shared.handle * 8 + VM_AREA_NR_LOCKED]++, /nrLocked/],
  [
    "an entry behind the end",
    ({ u32, shared }) => (u32[shared.handle * 8 + VM_AREA_NR_PAGES] = 0),
    /page table|behind/,
  ],
  ["a copy in a shared mapping", ({ shared }) => shared.setPte(1, shared.pte(0) | PTE_ANON), /private copy/],
  [
    "a copy that is the file's own page",
    ({ priv, shared }) => priv.setPte(1, shared.pte(0) | PTE_ANON),
    /frame of its own/,
  ],
  ["an empty entry that is pinned", ({ shared }) => shared.setPte(2, PTE_PINNED), /empty entry/],
  ["a page that is there without a frame", ({ shared }) => shared.setPte(2, PTE_PRESENT), /no frame/],
  ["a page that is pinned and not locked", ({ shared }) => shared.setPte(0, shared.pte(0) & ~PTE_LOCKED), /not locked/],
  [
    "a frame that has lost the pin of a view",
    (s) => s.u32[fieldOf(s.u32[pinAt(s) + 2], PAGE_REFCOUNT)]--,
    /fewer pins/,
  ],
  [
    "a frame that has lost the pin of mlock()",
    ({ u32, shared }) => (u32[fieldOf(pteFrame(shared.pte(0)), PAGE_REFCOUNT)] = 0),
    /pin/,
  ],
  ["a pin of nothing", (s) => (s.u32[pinAt(s) + PAGE_PIN_NR_FRAMES] = 0), /of nothing/],
  ["a pin that is on no list", ({ u32 }) => (u32[SLOT + SLOT_PINS] = 0), /kmalloc|nrPinned/],
];

describe.skipIf(!IS_DEBUG)("verify of mappings", () => {
  for (const [what, break_, says] of FAULTS) {
    it(`finds ${what}`, () => {
      const all = scene();
      all.kernel.verify();
      break_(all);
      assert.throws(() => all.kernel.verify(), says);
      all.kernel.destroy();
    });
  }
});
