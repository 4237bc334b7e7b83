/**
 * Names that overlays have cached, looked up anew when what lies below has changed as a whole: a layer has been committed to it, or there
 * are other lower layers.
 *
 *   unused names        go
 *   used, and the same  stay; their parts are what they are now
 *   used, and not       lose their name; who has them open, or stands there, keeps what there was
 *
 * What a name shows is the same while its uppermost part is. Nothing here fails: a name for which there is no memory goes.
 *
 * Does not own: how names are found (lookup.ts).
 */
import type { DentryHandle, InodeHandle, SuperBlockHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { pathsChanged } from "../../vfs/path-cache.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { I_HASHED, INODE_INO, INODE_STATE, SB_STACKED } from "../../wasm/layout.ts";
import { clearFlag, lowersOf, OVL_FOUND, putAll, resetStack, setFlag, upperOf } from "./entry.ts";
import { copyAttributes, copyLinks, keyOf, realInode, setKey } from "./inode.ts";
import { cachedNames, inodeOf, isDirectory, nameOf } from "./layer-names.ts";
import { type OverlayFs, overlayOf } from "./layers.ts";
import { type Found, lookupAll } from "./lookup.ts";

const ALL = 2 ** 32 - 1;

/** Overlays that have a layer on a file system, or on an overlay that has, the lower ones first. */
export function overlaysOver(kernel: Kernel, sb: SuperBlockHandle): SuperBlock[] {
  const overlays = [...kernel.superBlocks()].filter(({ flags, root }) => flags & SB_STACKED && root !== 0);
  const below = new Set<SuperBlockHandle>([sb]);
  const over: SuperBlock[] = [];
  for (let nr = -1; nr !== over.length; ) {
    nr = over.length;
    for (const overlay of overlays) {
      if (below.has(overlay.handle) || !overlayOf(overlay).layers.some((layer) => layer && below.has(layer.sb)))
        continue;
      below.add(overlay.handle);
      over.push(overlay);
    }
  }
  return over;
}

/**
 * Drops names of overlays that nobody uses. Those that are missing hold their directories, and go first.
 *
 * @param overlays the lower ones first, whose names the others hold
 */
export function dropUnusedNames({ core: { x } }: Kernel, overlays: readonly SuperBlock[]): void {
  x.shrinkDcache(ALL);
  for (const { handle } of [...overlays].reverse()) x.superShrinkUnused(handle);
}

/**
 * Looks all cached names of an overlay up anew. The root stays as it is.
 *
 * @param become what inodes of layers have become that are gone
 */
export function renewNames(sb: SuperBlock, become: ReadonlyMap<InodeHandle, InodeHandle> = new Map()): void {
  new Renewal(sb, become).run(sb.root);
  pathsChanged(sb.kernel.core);
}

class Renewal {
  readonly #kernel: Kernel;
  readonly #fs: OverlayFs;
  readonly #become: ReadonlyMap<InodeHandle, InodeHandle>;

  constructor(sb: SuperBlock, become: ReadonlyMap<InodeHandle, InodeHandle>) {
    this.#kernel = sb.kernel;
    this.#fs = overlayOf(sb);
    this.#become = become;
  }

  run(dir: DentryHandle): void {
    const { core } = this.#kernel;
    core.x.dget(dir);
    for (const name of cachedNames(core, dir)) {
      if (!this.#isRenewed(dir, name)) core.x.dInvalidate(name);
      else if (isDirectory(core, inodeOf(core, name))) this.run(name);
    }
    core.x.dput(dir);
  }

  /** @returns false for a name that shows something else now, or nothing, or was missing before */
  #isRenewed(dir: DentryHandle, name: DentryHandle): boolean {
    const kernel = this.#kernel;
    const { core } = kernel;
    const inode = inodeOf(core, name);
    if (inode === 0) return false;
    const found = lookupAll(kernel, this.#fs, inodeOf(core, dir), nameOf(kernel, name));
    if (typeof found === "number") {
      kernel.takeWaitToken(); // nobody waits here
      return false;
    }
    const first = found.upper || found.lowers[0]?.dentry;
    const isSame = first && this.#isSame(realInode(core, inode), inodeOf(core, first));
    if (isSame && this.#adopt(inode, found)) return true;
    if (!isSame) putAll(core, found.upper, found.lowers);
    return false;
  }

  #isSame(before: InodeHandle, now: InodeHandle): boolean {
    return before === now || this.#become.get(before) === now;
  }

  /** Takes over the references. @returns false when memory ran out */
  #adopt(inode: InodeHandle, { upper, lowers, flags }: Found): boolean {
    const kernel = this.#kernel;
    const { core } = kernel;
    if (resetStack(core, inode, upper, lowers) < 0) {
      putAll(core, upper, lowers);
      return false;
    }
    clearFlag(core, inode, OVL_FOUND);
    setFlag(core, inode, flags);
    this.#renewKey(inode);
    copyAttributes(kernel, inode);
    copyLinks(kernel, inode);
    return true;
  }

  /** Without memory for it nothing finds the inode but its names. */
  #renewKey(inode: InodeHandle): void {
    const { core } = this.#kernel;
    const key = keyOf(this.#fs, core, upperOf(core, inode), lowersOf(core, inode));
    const isHashed = (core.u32[(inode << 3) + INODE_STATE] & I_HASHED) !== 0;
    if (key !== 0) {
      if (!isHashed || core.f64[(inode << 2) + INODE_INO] !== key) setKey(this.#kernel, inode, key);
    } else if (isHashed) core.x.inodeUnhash(inode);
  }
}
