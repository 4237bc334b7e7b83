/**
 * Why something is not reached by tests. It counts as not reached all the same: a reason stands beside the figure, in the report
 * and in docs/coverage.md. One that nothing needs any more is told.
 *
 * Each is of a file, or of all below a folder, and of the functions named, or of all.
 */

/** Functions of the core. */
export const CORE = [];

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
