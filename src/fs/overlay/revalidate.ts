/**
 * Are names of an overlay still true? Where a layer's file system has to be asked for its own, they are if these are. Names that are
 * missing are asked for each time.
 *
 * @see Linux fs/overlayfs/super.c ovl_dentry_revalidate_common()
 */
import type { DentryHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { lowersOf } from "./entry.ts";
import { inodeOf, isHashed, revalidate } from "./layer-names.ts";

/** DentryOperations.revalidate. Called for overlays with such a layer alone. */
export function revalidateLayers(kernel: Kernel, dentry: DentryHandle): number {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  if (inode === 0) return 0;
  for (const lower of lowersOf(core, inode)) {
    if (!isHashed(core, lower.dentry)) return 0;
    const rc = revalidate(kernel, lower.dentry);
    if (rc !== 1) return rc;
  }
  return 1;
}
