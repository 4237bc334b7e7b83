/**
 * foliofs/layers: several trees as one, and layers that keep changes apart. Nothing of foliofs's state is in here, so that it fits the kernel of any entry.
 */
import { registerLayers } from "./index-layers.ts";
import { registerParts } from "./index-parts.ts";
import { storeSupportIfAny } from "./vfs/store-part.ts";

export type { LayerUsage } from "./fs/overlay/layer-mount.ts";
export { overlay } from "./fs/overlay/overlay.ts";
export type { ByteRange, ChangedField, DiffAsyncOptions, DiffOptions, TreeChange, TreeChanges } from "./index-diff.ts";
export type { Layer, LayerLimits, LayerOptions, TarOptions } from "./index-layers.ts";

if (storeSupportIfAny() === undefined) registerParts();
registerLayers();
