/** Wrong values for each parameter of each function, in every form; and callbacks that are missing or none. */
import { type Case, type Context, FD_FORMS, type Form, inForms, PATH_FORMS } from "../case.ts";

function noop(): void {}

/** One of each kind of value that a caller may pass by mistake. */
const ODD_VALUES: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  "0": () => 0,
  "1": () => 1,
  "-1": () => -1,
  "1.5": () => 1.5,
  NaN: () => Number.NaN,
  Infinity: () => Infinity,
  "2^31": () => 2 ** 31,
  "2^32": () => 2 ** 32,
  "2^53": () => 2 ** 53,
  "-2^31-1": () => -(2 ** 31) - 1,
  "10n": () => 10n,
  "-1n": () => -1n,
  "empty string": () => "",
  "string x": () => "x",
  "string 8": () => "8",
  "string with NUL": () => "a\0b",
  symbol: () => Symbol("odd"),
  object: () => ({}),
  "object without prototype": () => Object.create(null),
  array: () => [],
  "array of strings": () => ["a"],
  function: () => noop,
  "empty Buffer": () => Buffer.alloc(0),
  // Not from Node's pool: a Buffer taken for options shows its offset there.
  Buffer: () => Buffer.alloc(1, "x"),
  Uint16Array: () => new Uint16Array(2),
  ArrayBuffer: () => new ArrayBuffer(4),
  "invalid Date": () => new Date(Number.NaN),
  Date: () => new Date(0),
  "URL http": () => new URL("http://host/x"),
  String: () => new String("x"),
  Number: () => new Number(5),
  "object with toString": () => ({ toString: () => "x" }),
  RegExp: () => /x/,
  Map: () => new Map(),
};

interface Signature {
  readonly fn: string;
  /** Good values; each in turn gives way to an odd one. */
  readonly args: (context: Context) => unknown[];
  /** Parameters that accept a descriptor: numbers that may be one of this process are not tried there. */
  readonly descriptors?: readonly number[];
  /** The parameter that is a mode: 2^31 passes Node's own checks there, and then aborts the whole process. */
  readonly mode?: number;
}

const PATH_FUNCTIONS: readonly Signature[] = [
  { fn: "access", args: ({ path }) => [path("file"), 4] },
  { fn: "appendFile", args: ({ path }) => [path("file"), "text", { mode: 0o600 }], descriptors: [0] },
  { fn: "chmod", args: ({ path }) => [path("file"), 0o600], mode: 1 },
  { fn: "chown", args: ({ path }) => [path("file"), 1, 2] },
  { fn: "copyFile", args: ({ path }) => [path("file"), path("new"), 0] },
  { fn: "exists", args: ({ path }) => [path("file")] },
  { fn: "lchown", args: ({ path }) => [path("file"), 1, 2] },
  { fn: "link", args: ({ path }) => [path("file"), path("new")] },
  { fn: "lstat", args: ({ path }) => [path("file"), {}] },
  { fn: "lutimes", args: ({ path }) => [path("file"), 1e9, 1e9] },
  { fn: "mkdir", args: ({ path }) => [path("new"), { recursive: false }], mode: 1 },
  { fn: "mkdtemp", args: ({ path }) => [path("tmp-"), "utf8"] },
  { fn: "mkdtempDisposable", args: ({ path }) => [path("tmp-"), "utf8"] },
  { fn: "open", args: ({ path }) => [path("file"), "r", 0o600], mode: 2 },
  { fn: "opendir", args: ({ path }) => [path("dir"), {}] },
  { fn: "readdir", args: ({ path }) => [path("dir"), {}] },
  { fn: "readFile", args: ({ path }) => [path("file"), {}], descriptors: [0] },
  { fn: "readlink", args: ({ path }) => [path("l-file"), "utf8"] },
  { fn: "realpath", args: ({ path }) => [path("l-file"), "utf8"] },
  { fn: "realpath.native", args: ({ path }) => [path("l-file"), "utf8"] },
  { fn: "rename", args: ({ path }) => [path("file"), path("new")] },
  { fn: "rm", args: ({ path }) => [path("file"), { recursive: false }] },
  { fn: "rmdir", args: ({ path }) => [path("emptydir"), {}] },
  { fn: "stat", args: ({ path }) => [path("file"), {}] },
  { fn: "statfs", args: ({ path }) => [path("file"), {}] },
  { fn: "symlink", args: ({ path }) => ["file", path("new"), "file"] },
  { fn: "truncate", args: ({ path }) => [path("file"), 4], descriptors: [0] },
  { fn: "unlink", args: ({ path }) => [path("file")] },
  { fn: "utimes", args: ({ path }) => [path("file"), 1e9, 1e9] },
  { fn: "writeFile", args: ({ path }) => [path("file"), "text", { mode: 0o600 }], descriptors: [0] },
];

/** Arguments after the descriptor. */
const FD_FUNCTIONS: readonly Signature[] = [
  { fn: "fchmod", args: () => [0o600], mode: 0 },
  { fn: "fchown", args: () => [1, 2] },
  { fn: "fstat", args: () => [{}] },
  { fn: "ftruncate", args: () => [4] },
  { fn: "futimes", args: () => [1e9, 1e9] },
  { fn: "read", args: () => [Buffer.alloc(8), 0, 8, 0] },
  { fn: "readv", args: () => [[Buffer.alloc(8)], 0] },
  { fn: "write", args: () => [Buffer.alloc(8, 65), 0, 8, 0] },
  { fn: "writev", args: () => [[Buffer.alloc(8, 65)], 0] },
  { fn: "readFile", args: () => [{}] },
  { fn: "writeFile", args: () => ["text", {}] },
  { fn: "appendFile", args: () => ["text", {}] },
];

function mayBeDescriptor(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 1000;
}

/** A function in a parameter's place would be taken for the callback, and ours would wait for ever. */
function isTried(fn: string, form: Form, value: unknown): boolean {
  if (typeof value !== "function") return true;
  // The promise form of opendir is its callback form promisified.
  return form !== "callback" && !(form === "promise" && fn === "opendir");
}

function hasForm(fn: string, form: Form): boolean {
  if (fn === "mkdtempDisposable") return form !== "callback";
  return form !== "promise" || (fn !== "exists" && fn !== "realpath.native");
}

function replaced(args: unknown[], index: number, value: unknown): unknown[] {
  return args.map((arg, at) => (at === index ? value : arg));
}

function nrParameters(signature: Signature): number {
  return signature.args({ subject: {} as never, fs: {} as never, root: "/", path: (name) => name, fd: 0 }).length;
}

/** Node finds a descriptor of -1 too late in these: the error is nobody's, and the callback never comes. */
function isFoundTooLate(fn: string, form: Form, index: number, value: unknown): boolean {
  return fn === "readFile" && form === "callback" && index === 0 && value === -1;
}

/** Whether the oracle survives `value` as the argument at `index`, and this process its effect. */
function isSafe({ descriptors = [], mode }: Signature, index: number, value: unknown): boolean {
  if (descriptors.includes(index) && mayBeDescriptor(value)) return false;
  return !(index === mode && value === 2 ** 31);
}

function oddPathArguments(signature: Signature): Case[] {
  const { fn, args } = signature;
  return Object.entries(ODD_VALUES).flatMap(([what, make]) =>
    Array.from({ length: nrParameters(signature) }, (_, index) => index)
      .filter((index) => isSafe(signature, index, make()))
      .flatMap((index) =>
        inForms(
          PATH_FORMS.filter(
            (form) => hasForm(fn, form) && isTried(fn, form, make()) && !isFoundTooLate(fn, form, index, make()),
          ),
          fn,
          `argument ${index} is ${what}`,
          { args: (context) => replaced(args(context), index, make()) },
        ),
      ),
  );
}

function oddFdArguments(signature: Signature): Case[] {
  const { fn, args } = signature;
  return Object.entries(ODD_VALUES).flatMap(([what, make]) =>
    Array.from({ length: nrParameters(signature) }, (_, index) =>
      inForms(
        FD_FORMS.filter((form) => isSafe(signature, index, make()) && isTried(fn, form, make())),
        fn,
        `argument ${index + 1} is ${what}`,
        {
          tree: "data",
          open: ["file", "r+"],
          args: (context) => {
            const rest = replaced(args(context), index, make());
            return context.handle ? rest : [context.fd, ...rest];
          },
        },
      ),
    ).flat(),
  );
}

function noArguments(): Case[] {
  return [
    ...PATH_FUNCTIONS.flatMap(({ fn }) =>
      inForms(
        PATH_FORMS.filter((form) => hasForm(fn, form)),
        fn,
        "no arguments",
        { args: () => [] },
      ),
    ),
    ...FD_FUNCTIONS.flatMap(({ fn }) => inForms(["sync"], fn, "no arguments at all", { args: () => [] })),
  ];
}

const BAD_CALLBACKS: Record<string, readonly unknown[]> = {
  missing: [],
  undefined: [undefined],
  null: [null],
  object: [{}],
  string: ["callback"],
  number: [5],
};

/**
 * The callback form without a callback. Left out: fs.close does without one by design, fs.rm finds out when nobody
 * can catch it, and fs.symlink only after it has begun.
 */
function badCallbacks(): Case[] {
  const onPaths = PATH_FUNCTIONS.filter(({ fn }) => hasForm(fn, "callback") && !["rm", "symlink"].includes(fn));
  return Object.entries(BAD_CALLBACKS).flatMap(([what, callback]) => [
    ...onPaths.flatMap(({ fn, args }) =>
      inForms(["bare"], fn, `callback ${what}`, { args: (context) => [...args(context), ...callback] }),
    ),
    ...FD_FUNCTIONS.flatMap(({ fn, args }) =>
      inForms(["bare"], fn, `callback ${what}, on a descriptor`, {
        tree: "data",
        open: ["file", "r+"],
        args: (context) => [context.fd, ...args(context), ...callback],
      }),
    ),
    ...inForms(["bare"], "close", `callback ${what}`, { args: () => [999_999, ...callback] }).filter(
      () => callback.length > 0 && callback[0] !== undefined,
    ),
  ]);
}

export const ARGUMENT_CASES: readonly Case[] = [
  ...PATH_FUNCTIONS.flatMap(oddPathArguments),
  ...FD_FUNCTIONS.flatMap(oddFdArguments),
  ...noArguments(),
  ...badCallbacks(),
];
