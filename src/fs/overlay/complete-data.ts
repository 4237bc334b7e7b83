/**
 * Files of an upper layer that have been copied up without data (metacopy=on) get these, before what lies below changes as a whole: by a
 * commit of another layer, or a remount.
 *
 * Does not own: one file (copy-up-data.ts).
 */
import { EIO, ENOENT, EPERM } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { ALL_DATA, wantUpper } from "./copy-up.ts";
import { copyUpData } from "./copy-up-data.ts";
import { childrenOf, inodeOf } from "./layer-names.ts";
import { overlayOf, UPPER_LAYER } from "./layers.ts";
import { dataFileOf } from "./lower-data.ts";
import { isMetacopy } from "./metacopy.ts";
import { withShownInode } from "./shown-file.ts";

/** Data that are nowhere, or may not be looked for: such a file is let be. */
const HAS_NONE = [-EIO, -ENOENT, -EPERM];

/**
 * Copies the data of files of the upper layer up that have none there.
 *
 * @param isWanted for which inodes of the upper layer, and of those that have their data
 * @returns 0; errors of copy-up: some may have got theirs
 */
export function completeData(sb: SuperBlock, isWanted: (upper: InodeHandle, data: InodeHandle) => boolean): number {
  const { kernel } = sb;
  const fs = overlayOf(sb);
  const upper = fs.layers[UPPER_LAYER];
  if (upper === undefined || !fs.options.metacopy) return 0;
  const refused = wantUpper(kernel, fs);
  if (refused) return refused;
  for (const dentry of metacopies(kernel, upper.root)) {
    const rc = withShownInode(sb, dentry, (inode) => {
      const data = dataFileOf(kernel, inode);
      if (typeof data === "number") return data;
      const wanted = isWanted(inodeOf(kernel.core, dentry), inodeOf(kernel.core, data.dentry));
      return wanted ? copyUpData(kernel, fs, inode, ALL_DATA) : 0;
    });
    if (rc < 0 && !HAS_NONE.includes(rc)) return rc;
  }
  return 0;
}

function* metacopies(kernel: Kernel, dir: DentryHandle): Generator<DentryHandle> {
  for (const child of childrenOf(kernel.core, dir)) {
    if (isMetacopy(kernel, inodeOf(kernel.core, child)) === true) yield child;
    yield* metacopies(kernel, child);
  }
}
