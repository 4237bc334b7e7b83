/**
 * Differences that are there for a reason: none of them is a finding. A program ends where one is met, since from there on the two
 * are no more alike.
 */
import type { Call } from "./call.ts";
import { codeOf } from "./describe.ts";

export interface Meeting {
  readonly call: Call;
  /** The whole program. */
  readonly calls: readonly Call[];
  readonly expected: string;
  readonly actual: string;
}

export interface Known {
  /** Of subjects and oracles by name; any if left out. */
  readonly subject?: RegExp;
  readonly oracle?: RegExp;
  readonly isMet: (meeting: Meeting) => boolean;
  readonly reason: string;
}

const FIRST_OF_26 = 26;
/** Whether the oracle's Node, which is this one, is one that foliofs follows. */
export const isNode26 = Number(process.versions.node.split(".")[0]) >= FIRST_OF_26;
const MOST_BYTES = 2 ** 44;

export const KNOWN: readonly Known[] = [
  {
    subject: /^(tmpfs|ramfs|hostfs|overlay|model)$/,
    oracle: /^(?!model$)/,
    isMet: ({ calls, actual }) =>
      codeOf(actual) === "EFBIG" && calls.some(({ args }) => args.some((arg) => Number(arg) >= MOST_BYTES - 2 ** 21)),
    reason: "the largest file of foliofs, and of the model, has 2^44 bytes (page indexes are 32 bits): EFBIG beyond",
  },
  {
    oracle: /^ext4$/,
    isMet: ({ calls, expected }) =>
      codeOf(expected) === "EFBIG" && calls.some(({ args }) => args.some((arg) => Number(arg) >= MOST_BYTES - 2 ** 21)),
    reason: "the largest file of ext4 has 2^44 - 4096 bytes",
  },
  {
    oracle: /^xfs$/,
    isMet: ({ expected, actual }) => codeOf(expected) === "EEXIST" && codeOf(actual) === "ENOTEMPTY",
    reason: "of a directory that is not empty XFS says EEXIST where others say ENOTEMPTY: POSIX has both",
  },
  {
    oracle: /^(?!model$)/,
    isMet: ({ calls, expected, actual }) =>
      calls.some(asksForCwd) &&
      calls.some(({ task, call }) => task !== 0 && call === "chdir") &&
      calls.some(({ call }) => call === "rename") &&
      withoutAtimes(expected) === withoutAtimes(actual),
    reason:
      "the C library finds a working directory that is outside of its task's root by reading the directories above it",
  },
  {
    oracle: /^(?!model$)/,
    isMet: ({ call, expected, actual }) =>
      call.call === "flock" && codeOf(expected) === "EBADF" && codeOf(actual) === "EINVAL",
    reason: "before 6.0 flock(2) of Linux looks at the descriptor before the operation",
  },
  {
    oracle: /^(?!model$)/,
    isMet: ({ expected, actual }) => !isNode26 && expected.startsWith("ERR_") && actual.startsWith("ERR_"),
    reason: "which argument of several that are wrong is complained of is as in Node 26",
  },
];

function asksForCwd({ call, args: [path] }: Call): boolean {
  return call === "cwd" || (call === "realpath" && !String(path).startsWith("/"));
}

function withoutAtimes(described: string): string {
  return described.replace(/ atime=\S+/g, "");
}

/** Where a subject was given less memory than the oracle. */
export const SHORT_OF_MEMORY: Known = {
  isMet: ({ actual }) => ["ENOSPC", "ENOMEM"].includes(codeOf(actual) ?? ""),
  reason: "the subject's memory is limited",
};

/** @returns why it is no finding; undefined = nothing explains it */
export function reasonOf(
  known: readonly Known[],
  subject: string,
  oracle: string,
  meeting: Meeting,
): string | undefined {
  const isFor = (pattern: RegExp | undefined, name: string): boolean => pattern === undefined || pattern.test(name);
  return known.find((one) => isFor(one.subject, subject) && isFor(one.oracle, oracle) && one.isMet(meeting))?.reason;
}
