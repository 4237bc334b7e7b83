/** How bytes are refused: with what is wrong, and where in the memory that they are of. */
import { SnapshotError } from "../vfs/snapshot-error.ts";

/** @param address where in memory it is, left out for what has no place there @throws SnapshotError */
export function refuse(what: string, address?: number): never {
  throw new SnapshotError(`this snapshot is not sound: ${what}${address === undefined ? "" : ` (at ${hex(address)})`}`);
}

/** @param what is wrong where it does not hold @throws SnapshotError */
export function demand(holds: boolean, what: string, address?: number): asserts holds {
  if (!holds) refuse(what, address);
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
