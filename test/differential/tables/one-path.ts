/** Calls with one path: every function, with its flags and modes, on every kind of path. */
import { constants } from "node:fs";
import { type Case, inForms, PATH_FORMS } from "../case.ts";
import { PATHS, type PathArgument } from "./paths.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const O_PATH = 0o10000000;

interface Variant {
  readonly fn: string;
  /** What the id says beside the function. */
  readonly what?: string;
  /** Arguments after the path. */
  readonly rest?: readonly unknown[];
  /** What is appended to the path. */
  readonly suffix?: string;
  /** It changes nothing whatever the path, so it may be given paths that lead out of the root. */
  readonly isHarmless?: true;
  /** It waits for the other end of a fifo. */
  readonly opens?: true;
}

const ASKING: readonly Variant[] = [
  { fn: "access" },
  { fn: "access", what: "R_OK|W_OK", rest: [6] },
  { fn: "access", what: "X_OK", rest: [1] },
  { fn: "exists" },
  { fn: "lstat" },
  { fn: "lstat", what: "bigint", rest: [{ bigint: true }] },
  { fn: "stat" },
  { fn: "stat", what: "bigint", rest: [{ bigint: true }] },
  { fn: "readlink" },
  { fn: "readlink", what: "buffer", rest: ["buffer"] },
  { fn: "realpath" },
  { fn: "realpath", what: "buffer", rest: [{ encoding: "buffer" }] },
  { fn: "realpath.native" },
  { fn: "statfs" },
  { fn: "open", what: "O_PATH", rest: [O_PATH] },
  { fn: "open", what: "O_PATH|O_NOFOLLOW", rest: [O_PATH | O_NOFOLLOW] },
];

const READING: readonly Variant[] = [
  { fn: "open", opens: true },
  { fn: "open", what: "r+", rest: ["r+"], opens: true },
  { fn: "open", what: "O_DIRECTORY", rest: [O_RDONLY | O_DIRECTORY], opens: true },
  { fn: "open", what: "O_DIRECTORY|O_RDWR", rest: [O_RDWR | O_DIRECTORY], opens: true },
  { fn: "open", what: "O_NOFOLLOW", rest: [O_RDONLY | O_NOFOLLOW], opens: true },
  { fn: "open", what: "O_NOFOLLOW|O_DIRECTORY", rest: [O_NOFOLLOW | O_DIRECTORY], opens: true },
  { fn: "open", what: "O_RDONLY|O_NONBLOCK", rest: [O_RDONLY | O_NONBLOCK] },
  { fn: "open", what: "O_WRONLY|O_NONBLOCK", rest: [O_WRONLY | O_NONBLOCK] },
  { fn: "readFile", opens: true },
  { fn: "readFile", what: "utf8", rest: ["utf8"], opens: true },
  { fn: "readdir" },
  { fn: "readdir", what: "withFileTypes", rest: [{ withFileTypes: true }] },
  { fn: "readdir", what: "buffer", rest: ["buffer"] },
  { fn: "opendir" },
];

const CHANGING: readonly Variant[] = [
  { fn: "open", what: "w", rest: ["w", 0o640], opens: true },
  { fn: "open", what: "wx", rest: ["wx"], opens: true },
  { fn: "open", what: "a+", rest: ["a+", 0o777], opens: true },
  { fn: "open", what: "O_CREAT|O_EXCL|O_NOFOLLOW", rest: [O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW], opens: true },
  { fn: "open", what: "O_CREAT|O_RDONLY", rest: [O_RDONLY | O_CREAT], opens: true },
  { fn: "open", what: "O_CREAT|O_DIRECTORY", rest: [O_RDONLY | O_CREAT | O_DIRECTORY], opens: true },
  { fn: "open", what: "O_CREAT|O_NOFOLLOW", rest: [O_RDWR | O_CREAT | O_NOFOLLOW], opens: true },
  { fn: "open", what: "O_TRUNC|O_RDONLY", rest: [O_RDONLY | O_TRUNC], opens: true },
  { fn: "writeFile", rest: ["new text"], opens: true },
  { fn: "writeFile", what: "wx, mode", rest: [Buffer.from("bytes"), { flag: "wx", mode: 0o600 }], opens: true },
  { fn: "appendFile", rest: [" and more"], opens: true },
  { fn: "truncate", opens: true },
  { fn: "truncate", what: "5", rest: [5], opens: true },
  { fn: "truncate", what: "9000", rest: [9000], opens: true },
  { fn: "mkdir" },
  { fn: "mkdir", what: "mode", rest: [0o1777] },
  { fn: "mkdir", what: "recursive", rest: [{ recursive: true, mode: 0o750 }] },
  { fn: "rmdir" },
  { fn: "rm" },
  { fn: "rm", what: "force", rest: [{ force: true }] },
  { fn: "rm", what: "recursive", rest: [{ recursive: true }] },
  { fn: "rm", what: "recursive, force", rest: [{ recursive: true, force: true }] },
  { fn: "unlink" },
  { fn: "chmod", what: "751", rest: [0o751] },
  { fn: "chmod", what: "'7777'", rest: ["7777"] },
  { fn: "chown", rest: [12, 34] },
  { fn: "lchown", rest: [12, 34] },
  { fn: "utimes", rest: [1_234_567_890.125, 1_300_000_000] },
  { fn: "lutimes", rest: [1_234_567_890.125, new Date(1_300_000_000_000)] },
  { fn: "mkdtemp", suffix: "tmp-" },
];

const VARIANTS: readonly Variant[] = [
  ...ASKING.map((variant) => ({ ...variant, isHarmless: true as const })),
  ...READING,
  ...CHANGING,
];

function isWanted(variant: Variant, path: PathArgument): boolean {
  if (path.isOutside && !variant.isHarmless) return false;
  return !(path.isFifo && variant.opens);
}

function withSuffix(path: string | Uint8Array | URL, suffix = ""): string | Uint8Array | URL {
  if (suffix === "") return path;
  if (typeof path === "string") return path + suffix;
  if (!(path instanceof URL)) return Buffer.concat([path, Buffer.from(suffix)]);

  const url = new URL(path);
  url.pathname += suffix;
  return url;
}

function casesOf(variant: Variant, path: PathArgument): Case[] {
  const { fn, what, rest = [], suffix } = variant;
  return inForms(PATH_FORMS, fn, `${what ? `${what} ` : ""}of ${path.id}`, {
    args: (context) => [withSuffix(path.make(context), suffix), ...rest],
  });
}

/**
 * `rm -r dir/..` empties the parent until it stumbles over a directory that is gone. In which order entries go is
 * nobody's promise (the asynchronous forms remove in parallel), so what is left then is a matter of chance.
 */
function isRace({ id }: Case): boolean {
  return /^rm \w+: recursive.*\.\./.test(id);
}

export const ONE_PATH_CASES: readonly Case[] = VARIANTS.flatMap((variant) =>
  PATHS.filter((path) => isWanted(variant, path)).flatMap((path) => casesOf(variant, path)),
).filter((test) => !isRace(test) && !(test.form === "promise" && ["exists", "realpath.native"].includes(test.fn)));
