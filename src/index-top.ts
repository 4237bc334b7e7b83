/**
 * For `foliofs top`, which puts a function in the process before the script's modules are loaded: it is told of this copy of
 * foliofs, and looks at the kernels that are made with it. Else nobody listens, and nothing is done.
 *
 * Does not own: what is shown (cli/top-hook.ts).
 */
import { Kernel, liveKernels } from "./vfs/kernel.ts";
import { vmstat } from "./vfs/vmstat.ts";

/** A copy of foliofs in the process, as far as top needs it. */
export interface Watched {
  readonly Kernel: typeof Kernel;
  readonly liveKernels: typeof liveKernels;
  readonly vmstat: typeof vmstat;
}

/** Name of the global function, by Symbol.for(). */
export const TOP_LISTENER = "foliofs.top";

/** Tells the listener, if there is one. */
export function announce(): void {
  const listener = (globalThis as Record<symbol, unknown>)[Symbol.for(TOP_LISTENER)];
  if (typeof listener === "function") listener({ Kernel, liveKernels, vmstat } satisfies Watched);
}
