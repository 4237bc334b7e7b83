/**
 * Redirects: what of the upper layer has moved tells where its lower parts are, by a name in the same directory, or by a path from the
 * roots of the layers on. Directories that are merged have them, and files whose data are below.
 *
 *   trusted.overlay.redirect   "name" or "/dir/name"
 *
 * Does not own: that they are followed (lookup.ts).
 *
 * @see Linux fs/overlayfs/dir.c ovl_set_redirect(), ovl_get_redirect(), fs/overlayfs/util.c ovl_get_redirect_xattr()
 */
import { EINVAL, ENAMETOOLONG, ENOSPC, EXDEV } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { INODE_NLINK } from "../../wasm/layout.ts";
import { firstLower, type Lower, upperOf } from "./entry.ts";
import { inodeOf, isDirectory, nameOf, parentOf } from "./layer-names.ts";
import { getLayerXattr, setLayerXattr } from "./layer-xattr.ts";

export const REDIRECT = utf8Encoder.encode("trusted.overlay.redirect");
/** Most bytes of a redirect, its NUL included. @see Linux ovl_redirect_max */
const REDIRECT_MAX = 256;
const SLASH = 0x2f;

/** Does it lead from the roots of the layers on? */
export function isPath(redirect: Uint8Array): boolean {
  return redirect[0] === SLASH;
}

/** Components of a path that begins with a slash. */
export function namesOfPath(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let start = 1; start <= path.length; ) {
    const end = path.indexOf(SLASH, start);
    names.push(path.subarray(start, end < 0 ? path.length : end));
    if (end < 0) break;
    start = end + 1;
  }
  return names;
}

/** The path of components. */
export function pathOfNames(names: readonly Uint8Array[]): Uint8Array {
  const path = new Uint8Array(names.reduce((bytes, name) => bytes + name.length + 1, 0));
  let at = 0;
  for (const name of names) {
    path[at] = SLASH;
    path.set(name, at + 1);
    at += name.length + 1;
  }
  return path;
}

/** Where something is to be looked for below. @returns undefined = by its own name; -EINVAL for what is no redirect */
export function redirectOf(kernel: Kernel, inode: InodeHandle): Uint8Array | undefined | number {
  const value = getLayerXattr(kernel, inode, REDIRECT);
  if (typeof value === "number") return undefined;
  const redirect = value.slice();
  const isWrong = isPath(redirect) ? namesOfPath(redirect).some((name) => name.length === 0) : redirect.includes(SLASH);
  return redirect.length === 0 || isWrong ? -EINVAL : redirect;
}

/** Full is full; what cannot be said otherwise is that programs have to copy it. */
export function orTooFar(rc: number): number {
  return rc < 0 && rc !== -ENOSPC ? -EXDEV : rc;
}

/**
 * Notes on what the upper layer has of a name where its lower parts are, unless it says so already.
 *
 * @param staysInDir it stays in its directory: the name is enough, but for files with several names, which may be in other directories
 * @returns 0; -EXDEV where that is too long; -ENOSPC
 */
export function setRedirect(kernel: Kernel, dentry: DentryHandle, staysInDir: boolean): number {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  const upper = inodeOf(core, upperOf(core, inode));
  const isName = staysInDir && (isDirectory(core, inode) || lowerLinks(kernel, inode) <= 1);
  const known = redirectOf(kernel, upper);
  if (typeof known === "number") return -EXDEV;
  if (known !== undefined && (isName || isPath(known))) return 0;
  const redirect = isName ? nameOf(kernel, dentry) : lowerPathOf(kernel, dentry);
  if (typeof redirect === "number") return -EXDEV;
  return orTooFar(setLayerXattr(kernel, upper, REDIRECT, redirect));
}

function lowerLinks({ core }: Kernel, inode: InodeHandle): number {
  const { dentry } = firstLower(core, inode) as Lower;
  return core.u32[(inodeOf(core, dentry) << 3) + INODE_NLINK];
}

/** Where the lower parts of a name are, from the roots of the layers on. @returns -ENAMETOOLONG */
function lowerPathOf(kernel: Kernel, start: DentryHandle): Uint8Array | number {
  const { core } = kernel;
  const parts: Uint8Array[] = [];
  let bytes = 1;
  for (let dentry = start; parentOf(core, dentry) !== dentry; dentry = parentOf(core, dentry)) {
    const upper = upperOf(core, inodeOf(core, dentry));
    const redirect = upper ? redirectOf(kernel, inodeOf(core, upper)) : undefined;
    if (typeof redirect === "number") return redirect;
    const part = redirect ?? nameOf(kernel, dentry);
    bytes += part.length + (isPath(part) ? 0 : 1);
    if (bytes > REDIRECT_MAX) return -ENAMETOOLONG;
    parts.unshift(isPath(part) ? part.subarray(1) : part);
    if (isPath(part)) break;
  }
  return pathOfNames(parts);
}
