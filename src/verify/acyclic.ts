/** Chains of parents: they end, and none comes back to where it began. */
import { refuse } from "./demand.ts";

/**
 * @param parentOf address of the record above; 0, or the record itself, at the top
 * @throws SnapshotError
 */
export function checkAcyclic(records: Iterable<number>, parentOf: (address: number) => number, what: string): void {
  const done = new Set<number>();
  for (const start of records) {
    const path = new Set<number>();
    for (let address = start; !done.has(address); ) {
      if (path.has(address)) refuse(`${what} lie in each other`, address);
      path.add(address);
      const parent = parentOf(address);
      if (parent === 0 || parent === address) break;
      address = parent;
    }
    for (const address of path) done.add(address);
  }
}
