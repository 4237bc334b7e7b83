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

const IN_OWN_ROOT =
  "of the host's oracle, a process in a root that has nothing but what calls make, so that V8 has nowhere to leave what it counts: each comparison with the kernel runs it";

const OF_NODE_26 = "what it is compared with is Node's own since Node 26, where test/differential does that";

const OF_UTF8_STREAM = "only Utf8Stream throws it, which is compared with Node's own since Node 26";

const OF_NODE_25 = "thrown since Node 25, where test/unit/node/collected.test.ts has it: Node 20 warns";

const WITH_PROGRAMS = "of a program that is installed for test/programs (`npm test -- --programs`)";

const WITH_OTHERS = "other file systems as subjects of the fuzzer, which it installs when they are asked for";

const OF_OURS = "for a fault of ours alone: what is asked there answers its own errors otherwise";

const ORDER_ALONE =
  "of findings that show in few orders alone, whose order is shrunk: what tests plant shows in any order";

const WHEN_FOUND = "a finding that the fuzzer makes of a kind that no test plants";

const GUARD = "a guard: nothing that calls it comes here";

/** Lines of src/. */
export const SOURCE = [
  {
    path: "src/node/encoding.ts",
    names: ["isShared", "decodeBytes", "encodeText", "decodeUtf16", "decodePlain", "encodePlain", "decodeBase64"],
    reason: WITHOUT_NODE,
  },
  { path: "src/node/inspect.ts", names: ["plainInspect", "quote", "inspectObject"], reason: WITHOUT_NODE },
  { path: "src/node/emitter.ts", reason: WITHOUT_NODE },
  { path: "src/node/watch/emitter.ts", reason: WITHOUT_NODE },
  { path: "src/node/settle.ts", names: ["messageChannelScheduler", "inTick", "soon2", "soon3"], reason: WITHOUT_NODE },
  { path: "src/fuzz/oracle-process.ts", reason: IN_OWN_ROOT },
  { path: "src/fuzz/confine.ts", reason: IN_OWN_ROOT },
  { path: "src/fuzz/oracle-locks.ts", reason: IN_OWN_ROOT },
  { path: "src/fuzz/lines.ts", names: ["writeLine"], reason: IN_OWN_ROOT },
  { path: "src/node/streams/utf8-stream.ts", reason: OF_NODE_26 },
  { path: "src/node/streams/utf8-buffer.ts", reason: OF_NODE_26 },
  { path: "src/node/streams/utf8-options.ts", reason: OF_NODE_26 },
  { path: "src/node/errors.ts", names: ["argValueRangeError", "operationFailedError"], reason: OF_UTF8_STREAM },
  { path: "src/node/errors.ts", names: ["collectedHandleError"], reason: OF_NODE_25 },
  { path: "src/node/watch/recursive-watcher.ts", reason: OF_NODE_26 },
  { path: "src/node/watch/ignore.ts", reason: OF_NODE_26 },
  {
    path: "src/mm/user-copy.ts",
    names: ["copyInShared"],
    reason:
      "of memory that threads share: the tests on the core release-shared run it, and coverage is of the debug core",
  },
  {
    path: "src/vfs/kept-file.ts",
    names: ["tableServed"],
    reason: "of a call whose task has ended within it: a file system would have to end it in one of its own operations",
  },
  { path: "src/vfs/join-delta.ts", names: ["joinDelta"], reason: OF_OURS },
  { path: "src/fs/hostfs/host-aops.ts", names: ["writeLater"], reason: OF_OURS },
  {
    path: "src/fs/hostfs/host-root.ts",
    names: ["gone"],
    reason:
      "what would open a descriptor that is kept as long as anybody asks for it (FdCache.keep(), HostNode.hasPlace)",
  },
  {
    path: "src/fs/stored-write.ts",
    names: ["begin"],
    reason:
      "prepare() has just seen that the position is below the limit: only a setattr that makes the file longer when it is asked to take set-ID bits away comes between",
  },
  {
    path: "src/mm/lru-list.ts",
    names: ["listOf"],
    reason:
      "of pages that are neither PG_SWAPBACKED nor PG_UNEVICTABLE: those have a store, and the core moves them (assembly/mm/lru.ts); here only pages in memory alone are moved",
  },
  { path: "src/agentfs.ts", reason: WITH_PROGRAMS },
  { path: "src/just-bash.ts", reason: WITH_PROGRAMS },
  { path: "src/cloudflare-shell.ts", reason: WITH_PROGRAMS },
  { path: "src/fuzz/other-subjects.ts", reason: WITH_OTHERS },
  { path: "src/fuzz/other-process.ts", reason: WITH_OTHERS },
  {
    path: "src/fuzz/schedule/search-async.ts",
    names: ["shrunk", "showsInSome", "simplerChoices"],
    reason: ORDER_ALONE,
  },
  { path: "src/fuzz/schedule/run-async.ts", names: ["#withoutAnswers", "#bystand"], reason: WHEN_FOUND },
  {
    path: "src/main/layers-round.ts",
    names: ["#check"],
    reason: "a layer that tells of other changes than were made, which would be a fault of foliofs",
  },
  {
    path: "src/testing/conformance/limits.ts",
    names: ["fillUp"],
    reason: "of a subject whose memory is never full, which fails the case by it",
  },
  { path: "src/fuzz/random.ts", names: ["weighted"], reason: GUARD },
  {
    path: "src/testing/face-arguments.ts",
    names: ["cutArguments"],
    reason: `${GUARD}: reads and writes alone are cut`,
  },
  {
    path: "src/fuzz/model/node-face.ts",
    names: ["entriesOf"],
    reason: `${GUARD}: what is listed has been opened as a directory`,
  },
  {
    path: "src/fuzz/faults/told-errors.ts",
    names: ["toldErrors"],
    reason: `${GUARD}: no call of these programs is given up`,
  },
  {
    path: "src/fuzz/faults/power-cut.ts",
    names: ["#compare"],
    reason: `${GUARD}: after a cut the store answers at once, and holds nothing`,
  },
  {
    path: "src/fuzz/faults/write-back.ts",
    names: ["#drive"],
    reason: "of a call that never ends though the store has answered all, which would be a finding",
  },
  {
    path: "src/testing/disk-fs.ts",
    names: ["#make"],
    reason: "where there is memory for a name, and none for its inode: which allocation fails first is the kernel's",
  },
  {
    path: "src/fuzz/host-oracle.ts",
    names: ["ask", "run"],
    reason: "an oracle's process that ends, or does not answer for two minutes: neither happens while the host is well",
  },
  { path: "src/fuzz/pairing.ts", names: ["setting"], reason: "of a host without /proc/sys/fs" },
  {
    path: "src/fuzz/host-root.ts",
    names: ["libraries"],
    reason: "of a host whose Node is linked statically, or without ldd",
  },
  {
    path: "src/main/host-tree.ts",
    names: ["scan"],
    reason:
      "of a folder that may not be read: main-job.test.ts has a process of nobody's scan one, which may not leave what V8 counts",
  },
  {
    path: "src/cli/top-hook.ts",
    names: ["tell"],
    reason: "of a script whose `foliofs top` has gone before it: it is told by nobody then",
  },
  {
    path: "src/cli/top.ts",
    names: ["typeScriptLoader"],
    reason: "of a script in TypeScript with no tsx beside it, which runs by itself on newer Nodes alone",
  },
];
