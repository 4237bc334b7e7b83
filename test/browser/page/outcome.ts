/** What the page and the worker tell the test. */
import type { SuiteResults } from "../suite.ts";

export interface Outcome {
  readonly results: SuiteResults;
  /** `typeof` these globals where the suite ran. */
  readonly globals: Readonly<Record<"Buffer" | "process" | "SharedArrayBuffer", string>>;
  /** Whether a snapshot, restored, reads the same. */
  readonly isRestored: boolean;
  /** Message of the error when shared memory is asked for. */
  readonly sharedError: string;
}

/** Names the platform pieces that a polyfill would bring. */
export function globalTypes(): Outcome["globals"] {
  return {
    Buffer: typeof globalThis.Buffer,
    process: typeof globalThis.process,
    SharedArrayBuffer: typeof globalThis.SharedArrayBuffer,
  };
}
