import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type Core, SLOT } from "../../../src/wasm/core.ts";
import {
  KERNEL_END_PFN,
  KERNEL_MAX_PFN,
  KERNEL_MIN_FREE,
  KERNEL_NR_FREE,
  MAX_ORDER,
  PAGE_REFCOUNT,
  SECTION_FRAMES,
  SLOT_FLAGS,
  SLOT_MEMALLOC,
} from "../../../src/wasm/layout.ts";
import {
  anyNumber,
  assertEmpty,
  bootCore,
  checkModel,
  FRAMES_OF_EMPTY_CORE,
  framesInUse,
  kernelWord,
  pageWord,
  verify,
} from "../../helpers/core.ts";

interface Block {
  pfn: number;
  nr: number;
  /** What the first and the last word of its frames must hold. */
  stamp: number;
}

const LIMIT_BYTES = 12 * 2 ** 20;

/** The allocator beside a list of what it gave away. Memory is small, so that it runs out. */
class Frames {
  readonly core: Core = bootCore({ limitBytes: LIMIT_BYTES });
  readonly blocks: Block[] = [];
  /** Which frames are taken. */
  readonly taken = new Uint8Array(LIMIT_BYTES / 4096);
  #stamps = 1;

  alloc(order: number): void {
    const free = kernelWord(this.core, KERNEL_NR_FREE);
    const atLimit = kernelWord(this.core, KERNEL_END_PFN) === kernelWord(this.core, KERNEL_MAX_PFN);
    const pfn = this.core.x.allocBuffer(order);
    if (pfn === 0) {
      assert.ok(kernelWord(this.core, KERNEL_END_PFN) === kernelWord(this.core, KERNEL_MAX_PFN), "memory could grow");
      const reserve = kernelWord(this.core, KERNEL_MIN_FREE);
      assert.ok(order > 0 || (atLimit && free <= reserve), "a frame was free");
      return;
    }
    assert.equal(pfn % 2 ** order, 0, "aligned to its size");
    const block = { pfn, nr: 2 ** order, stamp: this.#stamps++ };
    for (let i = 0; i < block.nr; i++) {
      if (this.taken[pfn + i] || pageWord(this.core, pfn + i, PAGE_REFCOUNT) !== 1)
        assert.fail("frame is in use already");
      this.core.u32[(pfn + i) << 10] = block.stamp;
      this.core.u32[((pfn + i) << 10) + 1023] = block.stamp;
    }
    this.taken.fill(1, pfn, pfn + block.nr);
    this.blocks.push(block);
  }

  /** Frees a part of a block, or all of it. */
  free(which: number, part: number): void {
    if (this.blocks.length === 0) return;
    const i = which % this.blocks.length;
    const block = this.blocks[i];
    this.check(block);
    const nr = part % 3 === 0 ? 1 + (part % block.nr) : block.nr;
    this.core.x.freePages(block.pfn, nr);
    this.taken.fill(0, block.pfn, block.pfn + nr);
    block.pfn += nr;
    block.nr -= nr;
    if (block.nr === 0) this.blocks.splice(i, 1);
  }

  check(block: Block): void {
    const { u32 } = this.core;
    for (let pfn = block.pfn; pfn < block.pfn + block.nr; pfn++) {
      if (u32[pfn << 10] !== block.stamp || u32[(pfn << 10) + 1023] !== block.stamp) assert.fail("bytes were changed");
    }
  }

  finish(): void {
    verify(this.core);
    for (const block of this.blocks) this.check(block);
    assert.equal(framesInUse(this.core), FRAMES_OF_EMPTY_CORE + this.taken.reduce((sum, one) => sum + one, 0));
    for (const { pfn, nr } of this.blocks) this.core.x.freePages(pfn, nr);
    assertEmpty(this.core);
  }
}

const operation = fc.record({
  kind: fc.constantFrom("alloc", "alloc", "free", "reclaim"),
  order: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: MAX_ORDER })),
  which: anyNumber,
});

describe("page frame allocator", () => {
  it("gives aligned blocks that do not overlap, keeps their bytes, and gets everything back", () => {
    checkModel(operation, 400, (ops) => {
      const frames = new Frames();
      for (const { kind, order, which } of ops) {
        if (kind === "alloc") frames.alloc(order);
        else if (kind === "free") frames.free(which, which >>> 8);
        else frames.core.x.reclaim();
      }
      frames.finish();
    });
  });

  it("hands out every frame up to the limit, one by one, and joins them all again", () => {
    const core = bootCore({ limitBytes: 9 * 2 ** 20 });
    const frames: number[] = [];
    const takeAll = (): void => {
      for (let pfn = core.x.allocBuffer(0); pfn !== 0; pfn = core.x.allocBuffer(0)) frames.push(pfn);
    };
    takeAll();
    assert.equal(kernelWord(core, KERNEL_MIN_FREE), 9); // 1/256, for who frees memory
    assert.equal(kernelWord(core, KERNEL_NR_FREE), 9);
    assert.equal(core.x.allocPages(1), 0);
    core.u32[SLOT + SLOT_FLAGS] |= SLOT_MEMALLOC;
    takeAll();
    core.u32[SLOT + SLOT_FLAGS] &= ~SLOT_MEMALLOC;
    assert.equal(new Set(frames).size, frames.length);
    assert.equal(frames.length, 9 * 256 - 14 - 2 * 8 - FRAMES_OF_EMPTY_CORE);
    assert.equal(kernelWord(core, KERNEL_NR_FREE), 0);
    verify(core);
    for (const pfn of frames.sort((a, b) => Math.sin(a) - Math.sin(b))) core.x.freePages(pfn, 1);
    assertEmpty(core);
    assert.notEqual(core.x.allocPages(MAX_ORDER), 0, "single frames have merged into the largest block");
  });

  it("gives frames in ascending order, so that a file written page by page is contiguous", () => {
    const core = bootCore();
    const first = core.x.allocBuffer(0);
    for (let i = 1; i < 16; i++) assert.equal(core.x.allocBuffer(0), first + i);
  });

  it("reuses freed frames before memory grows", () => {
    const core = bootCore();
    const end = kernelWord(core, KERNEL_END_PFN);
    for (let round = 0; round < 100; round++) {
      const blocks = Array.from({ length: 20 }, () => core.x.allocBuffer(3));
      for (const pfn of blocks) core.x.freePages(pfn, 8);
    }
    assert.equal(kernelWord(core, KERNEL_END_PFN), end);
    assertEmpty(core);
  });

  it("uses a memory that is there from the start, and a limit that is no multiple of a section", () => {
    const core = bootCore({ limitBytes: 5 * 2 ** 20 + 2 ** 16, preallocate: true });
    let nr = 0;
    while (core.x.allocBuffer(0) !== 0) nr++;
    assert.equal(kernelWord(core, KERNEL_END_PFN), SECTION_FRAMES + 256 + 16);
    const reserve = kernelWord(core, KERNEL_MIN_FREE);
    assert.equal(nr, SECTION_FRAMES + 256 + 16 - 14 - 8 - FRAMES_OF_EMPTY_CORE - reserve);
    verify(core);
  });
});
