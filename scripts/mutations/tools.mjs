/** What is run to catch a planted fault: the fuzzer against the kernel, or with answers that never come, and random tests of the debug core. */

const vitest = (...files) => ["node_modules/vitest/vitest.mjs", "run", "--project", "core", "--bail", "1", ...files];

/** Arguments for Node. @param seconds they have to catch it */
export const TOOLS = {
  fuzz: (seconds) => ["--import", "tsx", "test/mutations/hunt.ts", String(seconds)],
  answers: (seconds) => ["--import", "tsx", "test/mutations/hunt-answers.ts", String(seconds)],
  writeback: () => vitest("test/unit/mm/writeback-random.test.ts"),
  faults: () => vitest("test/unit/mm/faults.test.ts"),
  swap: () => vitest("test/unit/mm/swap-random.test.ts"),
  swapped: () => vitest("test/subjects/tmpfs-swapped.test.ts"),
  shared: () => vitest("test/unit/mm/shared-frames.test.ts"),
  clones: () => vitest("test/unit/mm/shared-frames-random.test.ts"),
  subjects: () => vitest("test/subjects/tmpfs.test.ts"),
  locks: () => vitest("test/unit/vfs/locks.oracle.test.ts"),
  paths: () => vitest("test/unit/vfs/path-cache.test.ts"),
  pipes: () => vitest("test/unit/vfs/pipe.oracle.test.ts"),
};
