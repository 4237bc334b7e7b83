/**
 * A snapshot from an older one and the deltas since (delta-format.ts).
 *
 * Does not own: making deltas (snapshot-delta.ts), how one is joined (join-delta.ts), what is done with the snapshot (restore.ts).
 */
import { readDelta } from "./delta-format.ts";
import { joinDelta } from "./join-delta.ts";
import { openSnapshot } from "./restore.ts";
import { SnapshotError } from "./snapshot-error.ts";

/**
 * The bytes of the snapshot that the last delta was made of. They are checked for what they are, but for the checksum, which is the caller's.
 *
 * @param chain the bytes of a snapshot, and of deltas, each since what those before it come to
 * @throws SnapshotError when one is damaged, of another version, or not since what stands before it
 */
export function joinDeltas(chain: readonly Uint8Array[], module: WebAssembly.Module, shared: boolean): Uint8Array {
  const [first, ...deltas] = chain;
  if (first === undefined) throw new SnapshotError("there is no snapshot in an empty array");
  let { bytes } = openSnapshot(first, module, shared);
  for (const given of deltas) bytes = joinDelta(bytes, readDelta(given, bytes, module, shared));
  return bytes;
}
