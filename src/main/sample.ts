/** Timing of one stage of the main job. */

/** What a stage took, once. */
export interface Sample {
  readonly seconds: number;
  /** Pages that the process had to get from the host meanwhile; a page is 4 KiB as a rule. */
  readonly pageFaults: number;
}

function pageFaults(): number {
  const { minorPageFault, majorPageFault } = process.resourceUsage();
  return minorPageFault + majorPageFault;
}

/** Runs `work`, with no garbage left from before. @returns what it took, and what it returns */
export function sample<T>(work: () => T): [taken: Sample, result: T] {
  globalThis.gc?.();
  const faultsBefore = pageFaults();
  const start = performance.now();
  const result = work();
  const seconds = (performance.now() - start) / 1000;
  return [{ seconds, pageFaults: pageFaults() - faultsBefore }, result];
}

/** The middle one of some numbers, the upper of two; undefined of none. */
export function median(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

const PROBE_PAGES = 4096;
const PAGE_BYTES = 4096;

/** Seconds that one page fault takes on this machine: a write to each page of new memory, less one to pages in use. */
export function pageFaultSeconds(): number {
  const memory = new WebAssembly.Memory({ initial: (PROBE_PAGES * PAGE_BYTES) / 65536 });
  const bytes = new Uint8Array(memory.buffer);
  const touchAll = (): void => {
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) bytes[at] = 1;
  };
  const [first] = sample(touchAll);
  const [again] = sample(touchAll);
  return Math.max(0, first.seconds - again.seconds) / Math.max(1, first.pageFaults);
}
