/**
 * Copies of what an upper layer has, as it is: whiteouts, opaque directories, redirects, hard links and times with it.
 *
 * Does not own: single files (copy-node.ts).
 */
import type { DentryHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { LayerFile } from "./copy-data.ts";
import { copyInodeAttributes, NodeCopier } from "./copy-node.ts";
import { childrenOf, inodeOf, isDirectory, nameOf } from "./layer-names.ts";
import { copyXattrs } from "./layer-xattr.ts";

/** Copies all that is in a directory in memory into an empty one, and what it is itself. @returns 0; -ENOSPC, with some of it copied */
export function copyTree(kernel: Kernel, from: LayerFile, to: LayerFile): number {
  const { core } = kernel;
  const copier = new NodeCopier(kernel, { from: from.mnt, to: to.mnt }, "same", () => false);
  const [source, sink] = [inodeOf(core, from.dentry), inodeOf(core, to.dentry)];
  return copyXattrs(kernel, source, sink, () => false) || copyDirectory(kernel, copier, from.dentry, to.dentry);
}

/** The oldest name first, so that the copy lists them in the same order; its own times last. */
function copyDirectory(kernel: Kernel, copier: NodeCopier, from: DentryHandle, to: DentryHandle): number {
  const { core } = kernel;
  for (const child of [...childrenOf(core, from)].reverse()) {
    const made = copier.copy(child, to, nameOf(kernel, child));
    if (made < 0) return made;
    const rc = isDirectory(core, inodeOf(core, child)) ? copyDirectory(kernel, copier, child, made) : 0;
    copyInodeAttributes(kernel, inodeOf(core, child), inodeOf(core, made));
    core.x.dput(made);
    if (rc < 0) return rc;
  }
  copyInodeAttributes(kernel, inodeOf(core, from), inodeOf(core, to));
  return 0;
}
