/**
 * Who uses a name: open files, and tasks that work in it. A name that is used holds that of its directory, which shows when both have been
 * removed.
 */
import type { Dentry } from "./inode.ts";
import { letGo } from "./notify.ts";

export function useDentry(dentry: Dentry): void {
  if (dentry.nrUsers++ === 0 && dentry.isRemoved) holdDirectory(dentry);
}

/** Somebody uses it no more. */
export function putDentry(dentry: Dentry): void {
  dentry.nrUsers--;
  letGo(dentry);
  const above = dentry.parent.dentry;
  if (dentry.nrUsers === 0 && dentry.isRemoved && above !== undefined) putDentry(above);
}

/** It is a name no more. */
export function unhash(dentry: Dentry): void {
  dentry.isRemoved = true;
  if (dentry.nrUsers > 0) holdDirectory(dentry);
}

function holdDirectory({ parent }: Dentry): void {
  if (parent.dentry !== undefined) useDentry(parent.dentry);
}
