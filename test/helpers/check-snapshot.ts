/** What is taken of a kernel passes foliofs/verify, whatever has been done to it. */
import { verifySnapshot } from "../../src/verify.ts";
import type { Kernel } from "../../src/vfs/kernel.ts";
import { takeSnapshot } from "../../src/vfs/snapshot.ts";
import { coreModule } from "../../src/wasm/core-module.ts";

/** @throws SnapshotError */
export function checkSnapshotOf(kernel: Kernel): void {
  const [task] = kernel.tasks();
  if (task === undefined) return;
  const bytes = takeSnapshot(task, coreModule(kernel.core.shared), {});
  if (typeof bytes === "number") return; // a swap device takes its time
  verifySnapshot(bytes, { memoryLimit: kernel.core.options.memoryLimit, types: kernel.registeredTypes() });
}
