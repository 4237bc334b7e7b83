// What gives memory back when frames run out, beside the caches of mm itself: whoever keeps what can be had again is called
// from here, so that mm need not know it (Linux register_shrinker()).
export { forgetWalk, pruneNegative, shrinkUnused } from "./fs/dentry-lru";
export { shrinkShadows } from "./fs/shrink-shadows";
