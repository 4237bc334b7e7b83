/** What is run to catch a planted fault: the fuzzer against the kernel, and random tests of the debug core. */

const vitest = (...files) => ["node_modules/vitest/vitest.mjs", "run", "--project", "core", "--bail", "1", ...files];

/** Arguments for Node. @param seconds they have to catch it */
export const TOOLS = {
  fuzz: (seconds) => ["--import", "tsx", "test/mutations/hunt.ts", String(seconds)],
  writeback: () => vitest("test/unit/mm/writeback-random.test.ts"),
  faults: () => vitest("test/unit/mm/faults.test.ts"),
  swap: () => vitest("test/unit/mm/swap-random.test.ts"),
  swapped: () => vitest("test/subjects/tmpfs-swapped.test.ts"),
  clones: () => vitest("test/unit/mm/shared-frames-random.test.ts"),
  locks: () => vitest("test/unit/vfs/locks.oracle.test.ts"),
  pipes: () => vitest("test/unit/vfs/pipe.oracle.test.ts"),
};
