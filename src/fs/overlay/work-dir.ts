/**
 * Files in the work directory: made there, and moved to their place when they are whole. What fails before leaves nothing behind.
 *
 * @see Linux fs/overlayfs/dir.c ovl_create_temp(), ovl_whiteout(), ovl_cleanup()
 */
import { EPERM } from "../../base/errno.ts";
import type { DentryHandle } from "../../base/handles.ts";
import { S_IFCHR } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { childrenOf, inodeOf, isWhiteout, lookupOne, type Make, makeName, now, removeName } from "./layer-names.ts";
import type { OverlayFs } from "./layers.ts";

let last = 0;

/** A name that the work directory does not have. */
export function tempName(kernel: Kernel, fs: OverlayFs): Uint8Array {
  for (;;) {
    last = (last + 1) >>> 0;
    const name = utf8Encoder.encode(`#${last.toString(16)}`);
    const known = lookupOne(kernel, fs.work, name);
    if (known <= 0) return name;
    kernel.core.x.dput(known);
  }
}

/** Makes a file in the work directory. @returns its dentry with a reference; -ENOSPC ... */
export function makeTemp(kernel: Kernel, fs: OverlayFs, make: Make): DentryHandle {
  return makeName(kernel, fs.work, tempName(kernel, fs), make);
}

/** Makes a whiteout. @returns as makeTemp() */
export function makeWhiteout(kernel: Kernel, fs: OverlayFs): DentryHandle {
  return makeTemp(kernel, fs, ({ mknod }, dir, dentry) => now(mknod?.(kernel, dir, dentry, S_IFCHR, 0) ?? -EPERM));
}

/** Removes what has been made in the work directory, or come there, and the reference on it. */
export function dropTemp(kernel: Kernel, dentry: DentryHandle): void {
  clearWhiteouts(kernel, dentry);
  removeName(kernel, dentry);
  kernel.core.x.dput(dentry);
}

/** Removes the whiteouts in a directory of the upper layer, which has nothing else that shows. */
export function clearWhiteouts(kernel: Kernel, dir: DentryHandle): void {
  const { core } = kernel;
  for (const child of childrenOf(core, dir)) {
    if (!isWhiteout(core, inodeOf(core, child))) continue;
    core.x.dget(child);
    removeName(kernel, child);
    core.x.dput(child);
  }
}
