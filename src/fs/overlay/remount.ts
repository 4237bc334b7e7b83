/**
 * Remount of an overlay, with other lower layers if it is told of some. Linux takes no new ones: there it is to be unmounted.
 *
 * Does not own: flags of the mount (vfs/mount.ts), names that are known (renew.ts).
 */
import { EBUSY, EINVAL, ELOOP, EROFS } from "../../base/errno.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import { MS_RDONLY } from "../../vfs/mount-constants.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { completeData } from "./complete-data.ts";
import { putAll, resetStack } from "./entry.ts";
import { checkOverlaps, depthOf, Finder, MAX_DEPTH, settleFlags } from "./fill-super.ts";
import { copyAttributes } from "./inode.ts";
import { inodeOf, parentOf } from "./layer-names.ts";
import { type OverlayFs, optionsText, overlayOf, type Place, replaceLowers, sbOfMount, UPPER_LAYER } from "./layers.ts";
import { changedOptions, type OverlayOptions, parseOptions } from "./options.ts";
import { dropUnusedNames, overlaysOver, renewNames } from "./renew.ts";

/**
 * SuperOperations.remount.
 *
 * @returns 0; in the order checked -EROFS to write without an upper layer; -EINVAL for other options than they are, but for `lowerdir`, and
 *   where this has a wrong value, or more or fewer directories for data alone; of each directory errors of the walk, -EINVAL (no directory); -ELOOP (layers that lie in each other, or in
 *   this overlay or one over it); -EINVAL (overlays over overlays over overlays); -EBUSY while files below the root are open, tasks stand
 *   there, or something is mounted; -ENOMEM; errors of copy-up, where data of files that have been changed are below. Then nothing has changed
 */
export function remount(sb: SuperBlock, data: string, flags: number): number {
  const fs = overlayOf(sb);
  if (fs.layers[UPPER_LAYER] === undefined && !(flags & MS_RDONLY)) return -EROFS;
  const before = optionsText(sb);
  const text = changedOptions(before, data);
  if (text === undefined) return -EINVAL;
  const { lowerdirs, nrData } = parseOptions(text) as OverlayOptions;
  if (nrData !== fs.options.nrData) return -EINVAL;
  if (String(lowerdirs) === String(fs.options.lowerdirs)) return 0;
  const finder = new Finder(sb.kernel);
  try {
    const lowers: Place[] = [];
    for (const path of lowerdirs) {
      const lower = finder.find(path);
      if (typeof lower === "number") return lower;
      lowers.push(lower);
    }
    return changeLowers(sb, fs, lowers, text);
  } finally {
    finder.letGo();
  }
}

function changeLowers(sb: SuperBlock, fs: OverlayFs, lowers: readonly Place[], text: string): number {
  const { kernel } = sb;
  const { core } = kernel;
  const over = overlaysOver(kernel, sb.handle);
  const refused = checkLowers(sb, fs, lowers, over) || completeData(sb, () => true);
  if (refused < 0) return refused;
  dropUnusedNames(kernel, [sb, ...over]);
  kernel.evictInodes();
  if (sb.nrInodes > 1) return -EBUSY;
  const root = inodeOf(core, sb.root);
  const rc = replaceLowers(sb, lowers, utf8Encoder.encode(text), () => {
    const upper = fs.layers[UPPER_LAYER]?.root ?? (0 as never);
    const stack = lowers.slice(0, lowers.length - fs.options.nrData).map(({ dentry }, i) => ({ dentry, layer: i + 1 }));
    for (const dentry of [upper, ...stack.map((lower) => lower.dentry)]) if (dentry) core.x.dget(dentry);
    const done = resetStack(core, root, upper, stack);
    if (done < 0) putAll(core, upper, stack);
    return done;
  });
  if (rc < 0) return rc;
  for (const each of [sb, ...over]) {
    kernel.fsInfo.delete(each.handle);
    settleFlags(each, overlayOf(each));
    copyAttributes(kernel, inodeOf(core, each.root));
    renewNames(each);
  }
  kernel.dirCache.clear();
  kernel.evictInodes();
  return 0;
}

function checkLowers(
  sb: SuperBlock,
  { layers, work }: OverlayFs,
  lowers: readonly Place[],
  over: readonly SuperBlock[],
): number {
  const { kernel } = sb;
  const { core } = kernel;
  const upperLayer = layers[UPPER_LAYER];
  const upper = upperLayer && { mnt: upperLayer.mnt, dentry: upperLayer.root };
  const workBase = upperLayer && { mnt: upperLayer.mnt, dentry: parentOf(core, work) };
  const above = new Set([sb, ...over].map(({ handle }) => handle));
  if (lowers.some(({ mnt }) => above.has(sbOfMount(core, mnt)))) return -ELOOP;
  const overlaps = checkOverlaps(kernel, { upper, workBase, lowers });
  if (overlaps < 0) return overlaps;
  const depth = 1 + Math.max(...lowers.map(({ mnt }) => depthOf(kernel, sbOfMount(core, mnt))));
  const most = over.length === 0 ? MAX_DEPTH : MAX_DEPTH - 1;
  return depth > most ? -EINVAL : 0;
}
