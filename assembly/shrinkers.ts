// What gives memory back when frames run out, beside the caches of mm itself: whoever keeps what can be had again is called
// from here, so that mm need not know it (Linux register_shrinker()).
import { shrinkUnused as shrinkDentries } from "./fs/dentry-lru";
import { shrinkInodes } from "./fs/inode-lru";
import { kernel } from "./kernel";

export { forgetWalk, pruneNegative } from "./fs/dentry-lru";
export { shrinkShadows } from "./fs/shrink-shadows";

/** Unused names and inodes. */
export function nrUnused(): u32 {
  return kernel().nrUnused + kernel().nrUnusedInodes;
}

/**
 * Looks at up to `nr` of the oldest unused dentries, and as many unused inodes, which dentries leave behind.
 *
 * @param withPages those of files with cached pages, too, which go with them
 * @returns how many have gone, or may go when their turn comes again: 0 = there is nothing to be had
 */
export function shrinkUnused(nr: u32, withPages: bool): u32 {
  const dentries = shrinkDentries(nr, withPages);
  return dentries + shrinkInodes(nr, withPages);
}
