/**
 * From a name of the upper layer to what the overlay shows of it: copies of upper layers need the data of files that have none there.
 *
 * Does not own: where the data are (lower-data.ts).
 */
import { ENOENT } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import type { LayerFile } from "./copy-data.ts";
import { findName } from "./diff-entry.ts";
import { inodeOf, nameOf, parentOf } from "./layer-names.ts";
import { type Layer, overlayOf, UPPER_LAYER } from "./layers.ts";
import { dataFileOf } from "./lower-data.ts";
import { isMetacopy } from "./metacopy.ts";

/** Names from the root of the upper layer to one of its dentries. */
function namesTo(kernel: Kernel, root: DentryHandle, dentry: DentryHandle): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let at = dentry; at !== root; at = parentOf(kernel.core, at)) names.unshift(nameOf(kernel, at));
  return names;
}

/**
 * Calls with the inode of an overlay that has a file of its upper layer.
 *
 * @returns what `call` does; errors of the lookups, -ENOENT
 */
export function withShownInode<T>(sb: SuperBlock, dentry: DentryHandle, call: (inode: InodeHandle) => T): T | number {
  const { kernel } = sb;
  const { core } = kernel;
  const upper = overlayOf(sb).layers[UPPER_LAYER] as Layer;
  let at = sb.root;
  core.x.dget(at);
  for (const name of namesTo(kernel, upper.root, dentry)) {
    const next = findName(kernel, at, name);
    core.x.dput(at);
    if (next <= 0) return next || -ENOENT;
    at = next;
  }
  const result = call(inodeOf(core, at));
  core.x.dput(at);
  return result;
}

/**
 * Calls with what has the data of a file of an upper layer: itself, or a lower one.
 *
 * @returns what `call` does; errors of the lookups; as dataFileOf()
 */
export function withData<T>(sb: SuperBlock, file: LayerFile, call: (data: LayerFile) => T): T | number {
  const { kernel } = sb;
  const metacopy = isMetacopy(kernel, inodeOf(kernel.core, file.dentry));
  if (metacopy === false) return call(file);
  if (typeof metacopy === "number") return metacopy;
  return withShownInode(sb, file.dentry, (inode) => {
    const data = dataFileOf(kernel, inode);
    return typeof data === "number" ? data : call(data);
  });
}
