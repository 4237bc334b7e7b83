/**
 * foliofs/layers: several trees as one. Nothing of foliofs's state is in here, so that it fits the kernel of any entry.
 */
import { registerParts } from "./index-parts.ts";
import { storeSupportIfAny } from "./vfs/store-part.ts";

export { overlay } from "./fs/overlay/overlay.ts";

if (storeSupportIfAny() === undefined) registerParts();
