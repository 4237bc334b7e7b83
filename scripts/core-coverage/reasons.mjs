/**
 * Why something is not reached by tests. It counts as not reached all the same: a reason stands beside the figure, in the report
 * and in docs/coverage.md. One that nothing needs any more is told.
 *
 * Each is of a file, or of all below a folder, and of the functions named, or of all.
 */

/** Functions of the core. */
export const CORE = [
  {
    path: "assembly/lock.ts",
    names: ["spinLock", "spinUnlock"],
    reason: "of the shared build with several threads; nothing takes a short lock yet",
  },
  {
    path: "assembly/fs/dcache.ts",
    names: ["dropDirectory"],
    reason: "the second directory of the table of names: more than a million names, and memory that is short just then",
  },
  {
    path: "assembly/fs/flock.ts",
    names: ["dropLocks"],
    reason: "an inode that goes with locks: its open files, which go first, have taken them along",
  },
  {
    path: "assembly/verify/verify-mmap.ts",
    names: ["hasPinned"],
    reason: "a frame that a locked mapping alone keeps: all that take a page out of its file tell the mappings at once",
  },
];

const WITHOUT_NODE =
  "of platforms without Node's own: test/unit/node/without-node.test.ts runs it in a realm that has nothing of Node, where V8's coverage of tests does not look";

/** Lines of src/. */
export const SOURCE = [
  {
    path: "src/node/encoding.ts",
    names: ["isShared", "decodeUtf16", "decodePlain", "encodePlain", "decodeBase64"],
    reason: WITHOUT_NODE,
  },
  { path: "src/node/inspect.ts", names: ["plainInspect", "quote", "inspectObject"], reason: WITHOUT_NODE },
];
