/** Chains of parents: they end, and none comes back to where it began. */
import { refuse } from "./demand.ts";
import type { Memory } from "./memory.ts";

const ON_PATH = 1;
const DONE = 2;

/**
 * @param cache whose records, all in use, are asked for those above them
 * @param parentOf address of the record above, of the same cache; 0, or the record itself, at the top
 * @throws SnapshotError
 */
export function checkAcyclic(memory: Memory, cache: number, parentOf: (address: number) => number, what: string): void {
  const { slabs } = memory;
  const states = memory.marks();
  const above = (address: number): number => {
    const parent = parentOf(address);
    return parent === address ? 0 : parent;
  };
  for (const start of slabs.records(cache)) {
    let address = start;
    for (; address !== 0; address = above(address)) {
      const number = slabs.number(cache, address);
      if (states[number] === ON_PATH) refuse(`${what} lie in each other`, address);
      if (states[number] === DONE) break;
      states[number] = ON_PATH;
    }
    const met = address;
    for (address = start; address !== met; address = above(address)) states[slabs.number(cache, address)] = DONE;
  }
}
