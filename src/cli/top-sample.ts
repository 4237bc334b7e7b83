/** What the script's process tells `foliofs top`: lines of JSON on a descriptor of their own. */

/** The descriptor, in the script's process. */
export const SAMPLE_FD = 3;
/** Variable of the environment that says how often, in milliseconds; whoever sees it first takes it away. */
export const INTERVAL_VARIABLE = "FOLIOFS_TOP_INTERVAL_MS";

/** One kernel as it was last seen. */
export interface KernelSample {
  /** In the order in which they were seen first, from 1. */
  readonly id: number;
  /** Has it been destroyed, or collected? */
  readonly isEnded: boolean;
  /** kernel.vmstat() */
  readonly stat: Readonly<Record<string, number>>;
}

/** All kernels of the process. */
export interface TopSample {
  /** Milliseconds since the process has begun. */
  readonly ms: number;
  readonly kernels: readonly KernelSample[];
}
