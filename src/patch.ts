/**
 * foliofs/patch: what two directories have in difference as a patch, and patches applied, as git writes them (docs/patches.md). Lines are compared
 * by the package `diff`, which the program installs beside. Nothing of foliofs's state is in here, so that it fits the kernel of any entry.
 */
import { structuredPatch } from "diff";
import { type FormatPatchOptions, formatPatch as format } from "./index-format-patch.ts";
import type { FolioFs } from "./index-kernel.ts";
import type { PathLike } from "./node/face/names.ts";

export { type ApplyPatchOptions, applyPatch, type PatchedPath } from "./index-apply-patch.ts";
export type { FormatPatchOptions } from "./index-format-patch.ts";
export { PatchError, type PatchErrorCode } from "./patch/patch-error.ts";

/**
 * Says how one directory becomes another, as git does. It needs `import "foliofs/layers"`, for kernel.diff().
 *
 * @param a the old one @param b the new one, as a layer over it
 * @returns "" where nothing has changed that a patch can tell (docs/patches.md)
 * @throws ERR_INVALID_ARG_TYPE ...; errors of kernel.diff(), and of reading what has changed
 */
export function formatPatch(fs: FolioFs, a: PathLike, b: PathLike, options: FormatPatchOptions = {}): string {
  return format(fs, a, b, options, structuredPatch);
}
