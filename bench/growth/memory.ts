/** Memory taken: frames of the core by its own counters, and the heap of JavaScript. */
import type { Subject } from "../contenders/contender.ts";

const PAGE_BYTES = 4096;
/** Counters of `kernel.vmstat()` that this bench needs. */
const TOTAL = "nr_total_pages";
const FREE = "nr_free_pages";

export class MemoryUse {
  readonly #subject: Subject;
  readonly #startBytes: number | undefined;
  readonly #startHeapBytes: number;

  /** Takes the state of now as zero. */
  constructor(subject: Subject) {
    this.#subject = subject;
    this.#startHeapBytes = heapBytes();
    this.#startBytes = this.#usedBytes();
  }

  /** What has been added since: bytes of the core for each file, KiB of JavaScript's heap in all. */
  since(nrFiles: number): { bytes: number | undefined; heapKib: number } {
    const used = this.#usedBytes();
    const bytes = used === undefined || this.#startBytes === undefined ? undefined : used - this.#startBytes;
    const heapKib = (heapBytes() - this.#startHeapBytes) / 1024;
    return { bytes: bytes === undefined ? undefined : bytes / nrFiles, heapKib };
  }

  /** What is missing for the count of bytes, in a sentence; "" if nothing is. */
  complaint(): string {
    const counters = this.#subject.machine?.vmstat();
    if (counters === undefined) return "No kernel.vmstat() here: no memory per file.";
    const missing = [TOTAL, FREE].filter((name) => typeof counters[name] !== "number");
    if (missing.length === 0) return "";
    return `vmstat() has no ${missing.join(" and no ")}: no memory per file. It has: ${Object.keys(counters).join(", ")}`;
  }

  #usedBytes(): number | undefined {
    if (this.complaint() !== "") return undefined;
    const counters = this.#subject.machine?.vmstat() as Record<string, number>;
    return (counters[TOTAL] - counters[FREE]) * PAGE_BYTES;
  }
}

/** Live bytes of the JavaScript heap; Wasm memories and ArrayBuffers do not count. */
function heapBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
