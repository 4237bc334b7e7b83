/**
 * Changes of ours that the host is asked for while pages of the file are cached: the file is looked at before and after, so that
 * they stay right, and what others change is seen.
 */
import type { BigIntStats } from "node:fs";
import { hasSameData, isSame } from "./host-mount.ts";
import type { HostNode } from "./host-root.ts";
import type { Steps } from "./host-steps.ts";
import type { HostStore } from "./host-store.ts";

/** A change of ours, between two looks at the file: nobody else has changed it if it was what we know. */
export interface Changed {
  readonly rc: number;
  readonly before: BigIntStats | undefined;
  readonly after: BigIntStats | undefined;
}

/**
 * Makes a change.
 *
 * @param isWatched whether pages of the file are cached, which are to stay right
 * @param isBelieved what is known of it is believed, and not looked at before
 */
export function* watched(
  store: HostStore,
  node: HostNode,
  isWatched: boolean,
  work: () => Steps<number>,
  isBelieved = false,
): Steps<Changed> {
  const before = isWatched && !isBelieved ? yield* store.stat(node) : 0;
  const rc = yield* work();
  const after = isWatched ? yield* store.stat(node) : 0;
  return { rc, before: statsOf(before), after: statsOf(after) };
}

function statsOf(answer: BigIntStats | number): BigIntStats | undefined {
  return typeof answer === "number" ? undefined : answer;
}

/**
 * Where the change has been ours alone what is known of the file goes on from here. Where ctime had changed before, perhaps by a
 * name that we have given it, nobody can tell.
 */
export function goOnFrom(state: { seen: BigIntStats | undefined }, { before, after }: Changed): void {
  if (before === undefined || after === undefined) return;
  if (isSame(state.seen, before)) state.seen = after;
  else if (hasSameData(state.seen, before)) state.seen = undefined;
}
