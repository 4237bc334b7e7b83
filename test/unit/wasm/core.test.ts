import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { Core } from "../../../src/wasm/core.ts";
import { KERNEL_END_PFN, KERNEL_MIN_FREE, KERNEL_NR_FREE } from "../../../src/wasm/layout.ts";
import { bootCore, coreModule, IS_DEBUG, IS_SHARED, KERNEL, kernelWord } from "../../helpers/core.ts";

const MIB = 2 ** 20;

describe("views of a core's memory", () => {
  it("are renewed when memory grows, before the call that made it grow returns", () => {
    const core = bootCore();
    const { arrayBuffer } = core;
    assert.notEqual(core.x.allocPages(9), 0);
    assert.notEqual(core.arrayBuffer, arrayBuffer);
    const views = [core.u8, core.u32, core.i32, core.f64, core.buffer];
    for (const view of views) {
      assert.equal(view?.buffer, core.arrayBuffer);
      assert.equal(view?.byteLength, core.memory.buffer.byteLength);
    }
    assert.ok(core.u8.length >= kernelWord(core, KERNEL_END_PFN) * 4096);
  });

  it("look at shared memory in the shared build alone", () => {
    assert.equal(bootCore().arrayBuffer instanceof SharedArrayBuffer, IS_SHARED);
  });
});

describe("memory of a core", () => {
  it("begins small, and ends at its limit", () => {
    const core = bootCore({ limitBytes: 9 * MIB });
    assert.equal(core.memory.buffer.byteLength, MIB);
    while (core.x.allocPages(0) !== 0);
    assert.equal(core.memory.buffer.byteLength, 9 * MIB);
    assert.equal(kernelWord(core, KERNEL_NR_FREE), kernelWord(core, KERNEL_MIN_FREE));
  });

  it("grows by less when the host refuses more, and not when it refuses that too", () => {
    const core = bootCore();
    const grow = core.memory.grow.bind(core.memory);
    core.memory.grow = (pages) => {
      if (pages > 64 || core.memory.buffer.byteLength >= 24 * MIB) throw new RangeError("no");
      return grow(pages);
    };
    let nr = 0;
    while (core.x.allocPages(0) !== 0) nr++;
    assert.equal(core.memory.buffer.byteLength, 24 * MIB);
    assert.ok(nr > 6000);
    core.x.freePages((1 << 10) | 8, 1);
    assert.equal(core.x.allocPages(0), 1032);
  });

  it("is there at once when it is preallocated, and does not grow", () => {
    const core = bootCore({ limitBytes: 32 * MIB, preallocate: true });
    const { arrayBuffer } = core;
    assert.equal(arrayBuffer.byteLength, 32 * MIB);
    for (let i = 0; i < 10; i++) core.x.allocPages(9);
    assert.equal(core.arrayBuffer, arrayBuffer);
  });

  it("can be 4 GiB less 64 KiB, where the host has it", () => {
    let core: Core;
    try {
      core = bootCore({ limitBytes: 2 ** 32 - 65536, preallocate: true });
    } catch (error) {
      assert.ok(error instanceof RangeError, "only the host's own limit may refuse it");
      return;
    }
    let last = 0;
    for (let pfn = core.x.allocPages(9); pfn !== 0; pfn = core.x.allocPages(9)) last = Math.max(last, pfn);
    assert.ok(last > 0xfe000, "frames close to 4 GiB are used");
    core.u8[last * 4096] = 7;
    core.x.freePages(last, 512);
    core.x.reclaim();
    const address = core.x.kmalloc(100) >>> 0;
    core.x.kfree(address);
  });

  it("is found by a second core over a copy of it as it is", () => {
    const core = bootCore();
    const pfn = core.x.allocBuffer(0);
    const copy = new Core(coreModule, { ...core.options, initialBytes: core.u8.length });
    copy.u8.set(core.u8);
    assert.equal(copy.u32[KERNEL + KERNEL_NR_FREE], core.u32[KERNEL + KERNEL_NR_FREE]);
    copy.x.freePages(pfn, 1);
    copy.x.verify?.();
    core.x.verify?.();
  });
});

describe("a broken invariant", () => {
  it("is an error with its description and place, in the debug build", () => {
    const core = bootCore();
    core.u32[KERNEL + KERNEL_NR_FREE] += 1;
    if (IS_DEBUG)
      assert.throws(
        () => core.x.verify?.(),
        /^Error: foliofs core: frames: nrFree is .*\(assembly\/verify\/verify\.ts:\d+\)$/,
      );
    else assert.equal(core.x.verify?.(), 0);
  });
});
