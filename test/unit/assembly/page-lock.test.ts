import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  KERNEL_BLOCK,
  KERNEL_WAIT_TABLE,
  NR_WAIT_BUCKETS,
  PAGE_FLAGS,
  PG_LOCKED,
  PG_WRITEBACK,
} from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, pageWord, verify, World } from "../../helpers/core.ts";

/** Pages that are locked and written back, and waiters that are woken. */
class Pages {
  readonly world = new World({ sbFlags: 0 });
  readonly pfns: number[];
  readonly locked = new Set<number>();
  readonly writeback = new Set<number>();
  readonly waiters: { pfn: number; sequence: number; isWoken: boolean }[] = [];

  constructor() {
    const { world } = this;
    const inode = world.inodeOf(world.make(world.root, "f", 0o100644));
    this.pfns = Array.from({ length: 6 }, (_, i) => world.x.findOrCreatePage(inode, i));
  }

  lock(pfn: number): void {
    assert.equal(this.world.x.tryLockPage(pfn), this.locked.has(pfn) ? 0 : 1);
    this.locked.add(pfn);
  }

  unlock(pfn: number): void {
    if (!this.locked.delete(pfn)) return;
    this.world.x.unlockPage(pfn);
    this.#wake(pfn);
  }

  start(pfn: number): void {
    this.world.x.startPageWriteback(pfn);
    this.writeback.add(pfn);
  }

  end(pfn: number): void {
    if (!this.writeback.delete(pfn)) return;
    this.world.x.endPageWriteback(pfn);
    this.#wake(pfn);
  }

  wait(pfn: number): void {
    this.waiters.push({ pfn, sequence: this.world.x.waitOnPage(pfn) >>> 0, isWoken: false });
  }

  #wake(pfn: number): void {
    for (const waiter of this.waiters) if (waiter.pfn === pfn) waiter.isWoken = true;
  }

  /** Whoever must have been woken sees another sequence; then it goes. */
  finishWait(i: number): void {
    if (this.waiters.length === 0) return;
    const [{ pfn, sequence, isWoken }] = this.waiters.splice(i % this.waiters.length, 1);
    if (isWoken) assert.notEqual(this.world.x.wakeSequence(pfn) >>> 0, sequence);
    this.world.x.finishWait(pfn);
  }

  check(): void {
    const { core } = this.world;
    for (const pfn of this.pfns) {
      const flags = pageWord(core, pfn, PAGE_FLAGS);
      assert.equal((flags & PG_LOCKED) !== 0, this.locked.has(pfn));
      assert.equal((flags & PG_WRITEBACK) !== 0, this.writeback.has(pfn));
    }
    verify(core);
  }

  finish(): void {
    this.check();
    for (const pfn of this.pfns) {
      this.unlock(pfn);
      this.end(pfn);
    }
    while (this.waiters.length > 0) this.finishWait(0);
    const { u32 } = this.world.core;
    for (let i = 0; i < NR_WAIT_BUCKETS; i++) assert.equal(u32[((KERNEL_BLOCK + KERNEL_WAIT_TABLE) >>> 2) + 2 * i], 0);
    this.world.dispose();
  }
}

const operation = fc.record({
  kind: fc.constantFrom("lock", "unlock", "start", "end", "wait", "wait", "finishWait"),
  which: anyNumber,
});

describe("page lock and writeback", () => {
  it("belong to one at a time, and wake whoever waits", () => {
    checkModel(operation, 300, (ops) => {
      const pages = new Pages();
      for (const { kind, which } of ops) {
        if (kind === "finishWait") pages.finishWait(which);
        else pages[kind as "lock"](pages.pfns[which % pages.pfns.length]);
      }
      pages.finish();
    });
  });
});
