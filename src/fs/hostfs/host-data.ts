/**
 * Data of a file, straight to and from the host: cache=none. What reads and writes for hostfs's open files goes through
 * here, so that pages can be put in between (issue 13: writethrough, writeback).
 *
 * Does not own: positions and modes of open files (hostfs.ts).
 */
import type { HostNode } from "./host-root.ts";
import type { HostStore } from "./host-store.ts";

/** @returns bytes, 0 at the end, or a negated errno */
export function readData(store: HostStore, node: HostNode, view: Uint8Array, position: number): number {
  return view.length === 0 ? 0 : store.preadv(node, [view], position);
}

/** @returns bytes, short when the host has no more room, or a negated errno */
export function writeData(store: HostStore, node: HostNode, view: Uint8Array, position: number): number {
  return view.length === 0 ? 0 : store.pwritev(node, [view], position);
}
