/**
 * Bytes on their way between a mapping and a caller's buffer: what loads and stores are where memory can be trapped.
 *
 *   fault ─► copy what of the page is wanted ─► the next page
 *
 * Where it stops it goes on when it is run again.
 */
import { EAGAIN, EFAULT } from "../base/errno.ts";
import { balanceDirtyPages } from "../mm/balance.ts";
import { IovIter } from "../mm/iov-iter.ts";
import { mappedFrame } from "../mm/memory.ts";
import { INODE_SIZE, PAGE_SIZE, VM_SHARED } from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import { faultPage, type Mapped } from "./mmap.ts";

/** Bytes that are to be copied, and how far that has come. */
export class MappedData {
  readonly #mapped: Mapped;
  readonly #iter: IovIter;
  readonly #isWrite: boolean;
  readonly #start: number;
  #at: number;

  /** @param at first byte in the mapping, which has as many as the buffer @param isWrite into the mapping */
  constructor(mapped: Mapped, buffer: Uint8Array, at: number, isWrite: boolean) {
    this.#mapped = mapped;
    this.#iter = IovIter.of([buffer]);
    this.#isWrite = isWrite;
    this.#start = at;
    this.#at = at;
  }

  /** Bytes that have been copied. */
  get done(): number {
    return this.#at - this.#start;
  }

  /**
   * Pages that lie behind each other in memory are copied as one.
   *
   * @returns 0 when all are; why it has stopped: as faultPage(); -EFAULT, too, when the buffer has lost its memory; -EAGAIN with a token
   *   when too much is dirty
   */
  run(kernel: Kernel): number {
    while (this.#iter.count > 0) {
      const i = Math.floor(this.#at / PAGE_SIZE);
      const offset = this.#at - i * PAGE_SIZE;
      const pfn = faultPage(kernel, this.#mapped, i, this.#isWrite);
      if (pfn < 0) return pfn;
      const nrPages = this.#run(i, pfn, Math.ceil((offset + this.#iter.count) / PAGE_SIZE));
      const n = Math.min(this.#iter.count, nrPages * PAGE_SIZE - offset);
      const copied = this.#copy(kernel, pfn * PAGE_SIZE + offset, n);
      this.#at += copied;
      if (copied < n) return -EFAULT;
      if (this.#isTooMuchDirty(kernel)) return -EAGAIN;
    }
    return 0;
  }

  /** Pages from `i` on that are mapped already, and lie behind `pfn`. */
  #run(i: number, pfn: number, wanted: number): number {
    const { area } = this.#mapped;
    let nr = 1;
    while (nr < wanted && mappedFrame(area, i + nr, this.#isWrite) === pfn + nr) nr++;
    return nr;
  }

  #copy(kernel: Kernel, address: number, n: number): number {
    return this.#isWrite ? this.#store(kernel, address, n) : this.#iter.fillFrom(kernel.core, address, n);
  }

  #isTooMuchDirty(kernel: Kernel): boolean {
    const { area } = this.#mapped;
    if (!this.#isWrite || !(area.flags & VM_SHARED)) return false;
    return balanceDirtyPages(kernel, area.inode) === -EAGAIN && kernel.mayWait;
  }

  /** Behind the end of a file that is shared nothing is kept: what is there must be zeros when the file grows. */
  #store({ core }: Kernel, address: number, n: number): number {
    const { area } = this.#mapped;
    const left = core.f64[(area.inode << 2) + INODE_SIZE] - (area.pgoff * PAGE_SIZE + this.#at);
    const kept = area.flags & VM_SHARED ? Math.min(n, Math.max(0, left)) : n;
    const copied = this.#iter.copyTo(core, address, kept) < kept ? 0 : Math.min(n, this.#iter.readable(n));
    this.#iter.advance(copied);
    return copied;
  }
}
