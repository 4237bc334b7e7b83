/**
 * foliofs/proc: the kernel as files, to be mounted. Nothing of foliofs's state is in here, so that it fits the kernel of any
 * entry.
 */
import { registerParts } from "./index-parts.ts";
import { storeSupportIfAny } from "./vfs/store-part.ts";

export { proc } from "./fs/proc/proc.ts";

if (storeSupportIfAny() === undefined) registerParts();
