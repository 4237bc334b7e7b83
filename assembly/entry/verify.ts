// Entry point: checking memory, in the debug build.
import { verifyAll } from "../verify/verify";

/** Walks all of memory and checks every invariant; a broken one aborts with its description. Does nothing in release. */
export function verify(): u32 {
  if (DEBUG) verifyAll();
  return 0;
}

/** 1 in the debug build. */
export function isDebug(): u32 {
  return DEBUG ? 1 : 0;
}
