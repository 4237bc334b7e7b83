/**
 * Where foliofs differs from the kernel and node:fs on purpose, and why.
 *
 * Each entry must explain a difference that is there: one that explains none fails the test.
 */
export interface Deliberate {
  /** Matches the id of the case. */
  readonly cases: RegExp;
  /** Matches the place in the outcome, and all places if left out. */
  readonly at?: RegExp;
  readonly reason: string;
}

export const DELIBERATE: readonly Deliberate[] = [
  {
    cases:
      /^exists callback: |^readv callback: (none at |argument 1 is array$)|^(read|write|append)File callback: .*signal aborted/,
    reason: "Node calls back before the call returns; in foliofs no callback ever does",
  },
  {
    cases: /^readFile callback: .*( of (file|dir) opened |bad descriptor)/,
    reason:
      "Node's callback form loses the error of a read through a descriptor; foliofs gives it, as the other forms do",
  },
  {
    cases: /^write .* position (17592186044416|9007199254740991), |^truncate .*: (file|big|empty), 17592186044417$/,
    reason: "the largest file of foliofs has 2^44 bytes (page indexes are 32 bits): EFBIG beyond",
  },
  {
    cases: /^realpath.native bare: callback (missing|undefined|null)$/,
    at: /message$/,
    reason: "Node takes the options for the missing callback, and names those in the message",
  },
  {
    cases: /^opendir promise: no arguments$/,
    at: /message$/,
    reason: "Node's promise form is its callback form promisified, and complains of a callback",
  },
  {
    cases:
      /^rm sync: recursive(, force)? of (.*\/\.\/?|relative \.|.*\/l-loop\/under|.* bytes\)?)$|^program: rmSync .* of '.*\/\.'$|^program: in a removed directory, rm \[.*recursive.* of '(\.\/?|\.\/….*|\.\.\/n….*)'$/,
    at: /message$|errno$|code$/,
    reason:
      "a fault of Node: for errors that rmSync does not expect (EINVAL, ELOOP, ENAMETOOLONG) it loses errno and code",
  },
  {
    cases: /^read handle: options first 8$/,
    reason: "Node trips over the missing buffer before it checks it: no argument error, but a broken property access",
  },
  {
    cases: /^(read|write) sync: (into|of) view: says byteLength 0, 1, 3, 2$/,
    reason: "a range that is in the view is taken; Node takes none, as the view says that it is empty",
  },
];
