/**
 * The end of the process, which waits for nobody: what is ours of the files of mounts with cache=writeback is written at once,
 * and so is what the host has been asked for and has not answered yet. Node's threads need not come to that.
 *
 * One listener of the process, as long as there is such a mount. It keeps no kernel alive.
 *
 * Does not own: what a signal ends, SIGKILL or one without a listener: then nothing is written.
 */
import process from "node:process";
import type { Kernel } from "../../vfs/kernel.ts";
import { writeBackNow } from "../../vfs/super-bdi.ts";
import { hostMountOf } from "./host-mount.ts";

interface Mounted {
  readonly kernel: WeakRef<Kernel>;
  /** Handle of its super block. */
  readonly sb: number;
}

const mounted = new Set<Mounted>();
/** Kernels that nobody has unmounted. */
const collected = new FinalizationRegistry<Mounted>(remove);

/** Does a mount write back, and is to at the end of the process? */
export function writesBackAtExit(kernel: Kernel, sb: number, isOn: boolean): void {
  const known = [...mounted].find((one) => one.sb === sb && one.kernel.deref() === kernel);
  if (isOn === (known !== undefined)) return;
  if (known) {
    remove(known);
    return;
  }
  const one = { kernel: new WeakRef(kernel), sb };
  if (mounted.size === 0) process.on("exit", writeAll);
  mounted.add(one);
  collected.register(kernel, one);
}

function remove(one: Mounted): void {
  if (mounted.delete(one) && mounted.size === 0) process.off("exit", writeAll);
}

function writeAll(): void {
  const kernels = new Set<Kernel>();
  for (const { kernel: ref, sb } of mounted) {
    const kernel = ref.deref();
    if (kernel === undefined) continue;
    for (const writeAgain of hostMountOf(kernel, sb)?.unanswered ?? []) writeAgain();
    kernels.add(kernel);
  }
  for (const kernel of kernels) writeBackNow(kernel);
}
