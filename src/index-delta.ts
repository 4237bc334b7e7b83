/**
 * Snapshots since others, as programs see them (`kernel.snapshot({ since })`), as a part of its own (wasm/core-module.ts). Node's entry
 * brings it, and foliofs/store.
 *
 * Does not own: how they are made (vfs/snapshot-delta.ts).
 */
import { checkedSnapshot, checkKnown } from "./index-options.ts";
import type { Machine } from "./index-task.ts";
import { checkObject } from "./node/validators.ts";
import type { SnapshotBytes } from "./vfs/restore.ts";
import { deltaSince } from "./vfs/snapshot-delta.ts";
import { registerPart } from "./wasm/core-module.ts";

/** What a snapshot is to hold. */
export interface SnapshotOptions {
  /** A snapshot, or one and the deltas since: only what these do not have, a delta. Left out: everything. */
  since?: SnapshotBytes | undefined;
}

/** @param bytes a snapshot @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, SnapshotError */
function snapshotSince(bytes: Uint8Array, options: SnapshotOptions, { module, first }: Machine): Uint8Array {
  checkObject(options, "options");
  checkKnown(options, ["since"]);
  if (options.since === undefined) return bytes;
  return deltaSince(bytes, [checkedSnapshot(options.since)].flat(), module, first.kernel.core.shared);
}

const DELTA = { snapshotSince };

export type DeltaPart = typeof DELTA;

/** For entry points. */
export function registerDelta(): void {
  registerPart("delta", DELTA);
}
