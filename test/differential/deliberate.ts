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
      /^exists callback: |^readv callback: (none at |argument 1 is array$)|^((read|write|append)File|[fl]?stat) callback: .*signal: signal aborted|^(read|write|append)File callback: .*signal aborted/,
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
  {
    cases: /^openAsBlob(Sync)? options [2-5] \{type: /,
    at: /1\.4$/,
    reason:
      "the Blob is one of the platform, whose type is as the File API has it: lower case, or empty where it is none",
  },
  {
    cases: /^openAsBlob(Sync)? of a file that (changes|is removed) after$/,
    reason: "a Blob holds the data as it was; Node's cannot be read any more when the file has changed",
  },
  {
    cases: /^openAsBlob(Sync)? of (l-)?dir, (\{.*)?$/,
    reason:
      "data is read when the Blob is made, and so is what cannot be read found out; Node's Blob is made and then fails",
  },
  {
    cases: /^handle \w+: called when (close|asyncDispose) is under way$/,
    at: /0\.(0\.\d|1\.keys)$/,
    reason:
      "a close that has nothing to wait for is over when the call returns, so that its promise settles before those of later calls; asyncDispose's, a few microtasks later, where those wait for a turn of the event loop",
  },
  {
    cases: /^handle \w+: of the right handle, wrong this, /,
    at: /message$/,
    reason: "the engine's message names the symbol of ours that is looked for in undefined",
  },
  {
    cases: /^handle (createReadStream|createWriteStream|readLines|readableWebStream): of no handle$/,
    reason: "what is no handle is refused as such; Node fails further down, by whatever it comes upon first",
  },
  {
    cases: /^promisified (exists|read|write|readv|writev|realpath\.native): /,
    at: /value\.[01]$/,
    reason:
      "Node tells util.promisify of two results by a symbol of its own; foliofs does by the public one, with a function that has no name of its own",
  },
  {
    cases: /^promisified cp: arguments 1$/,
    at: /class$/,
    reason: "Node has two classes for errors of one shape; cp's have here the one that rm's have",
  },
  {
    cases: /^writeFile sync: to the open file, \{encoding: 'utf8',mode: \d+,flag: 'zz',flush: true/,
    reason:
      "how a file is opened is not looked at where it is open; Node looks where data is text, and does not flush it then",
  },
  {
    cases: /^copyFile \w+: (FICLONE_FORCE( over a file)?|file, 'new', [457])$|^program: copyFile [45] of /,
    reason:
      "files in memory share pages, as on XFS; tmpfs has no clones, and refuses who insists on one (docs/linux.md)",
  },
];
