/**
 * Shutting down super blocks that have lost their last user, at the end of the call that was the last use: an umount, a close
 * or a chdir out of a mount that was detached. The core lines them up (assembly/fs/super.ts).
 *
 * Does not own: ends that take time, or differ by type (kill-super.ts).
 *
 * @see Linux fs/super.c deactivate_super(), kill_litter_super()
 */
import type { SuperBlockHandle } from "../base/handles.ts";
import type { Kernel } from "./kernel.ts";
import { storeSupportIfAny } from "./store-part.ts";
import { SuperBlock } from "./super-block.ts";

/** Shuts down the super blocks that have lost their last user. */
export function reapSupers(kernel: Kernel): void {
  const { x } = kernel.core;
  for (let sb = x.superDying(); sb !== 0; sb = x.superDying()) endSuper(new SuperBlock(kernel, sb as SuperBlockHandle));
}

/** Shuts a super block down and frees it: at once in memory, else as its type wants. Precondition: nobody uses it. */
export function endSuper(sb: SuperBlock): void {
  const support = storeSupportIfAny();
  if (support) support.killSuper(sb);
  else killInMemory(sb);
}

function killInMemory({ kernel, handle }: SuperBlock): void {
  const { x } = kernel.core;
  x.shrinkDcache(0xffffffff);
  x.superShrink(handle);
  kernel.dirCache.clear();
  x.superFree(handle);
}
