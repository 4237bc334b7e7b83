/** Options in combination: any two values of two options meet. */
import { type Case, FD_FORMS, type Form, inFdForms, inForms, PATH_FORMS } from "../case.ts";
import { combinations, type OptionValues } from "../combine.ts";
import { show } from "./show.ts";

const fresh = new AbortController().signal;
const aborted = AbortSignal.abort();
const NAMES = ["utf8", "buffer", "hex", "latin1", "nonsense", null];
const SIGNALS = [fresh, aborted, {}];
const WITHOUT_CALLBACK: readonly Form[] = ["sync", "promise"];

interface Row {
  readonly fn: string;
  readonly names: readonly string[];
  /** Between the path and the options. */
  readonly rest?: readonly unknown[];
  readonly options: OptionValues;
  readonly forms?: readonly Form[];
}

const WRITING: OptionValues = {
  encoding: ["utf8", "hex", "nonsense"],
  mode: [0o600, "640", -1, "x"],
  flag: ["w", "a", "wx", "r+", "r", "zz"],
  flush: [true, false, 1],
  signal: SIGNALS,
};

const LOOKING: OptionValues = { bigint: [true, false, 1], throwIfNoEntry: [true, false, 0], signal: SIGNALS };

const ROWS: readonly Row[] = [
  {
    fn: "readFile",
    names: ["file", "ünï-😀", "dir", "missing"],
    options: { encoding: NAMES, flag: ["r", "a+", "wx", "w+", "zz"], signal: SIGNALS },
  },
  { fn: "writeFile", names: ["file", "new", "dir", "missing/new"], rest: ["68656c6c"], options: WRITING },
  { fn: "appendFile", names: ["file", "new", "dir"], rest: ["6c6f"], options: WRITING },
  {
    fn: "mkdir",
    names: ["new", "new/deep", "dir", "file/new", "l-dangling"],
    options: { recursive: [true, false, 1, null], mode: [0o700, 0o1777, "755", -1, "x"] },
  },
  {
    fn: "readdir",
    names: ["dir", "otherdir", "file", "missing"],
    options: {
      encoding: ["utf8", "buffer", "latin1", "nonsense"],
      withFileTypes: [true, false, 1],
      recursive: [true, false, "x"],
    },
  },
  {
    fn: "opendir",
    names: ["dir", "file", "missing"],
    options: { encoding: ["utf8", "buffer", "nonsense"], bufferSize: [1, 32], recursive: [true, false, "x"] },
  },
  {
    fn: "opendir",
    names: ["dir", "missing"],
    options: { encoding: ["nonsense"], bufferSize: [0, 1.5, "x"], recursive: [true, "x"] },
    // In the other forms Node finds these too late: its error is nobody's, and ends the process.
    forms: ["sync"],
  },
  {
    fn: "rm",
    names: ["file", "dir", "emptydir", "missing", "l-dir"],
    options: {
      force: [true, false, 1],
      recursive: [true, false, "x"],
      maxRetries: [0, 1, -1, "x"],
      retryDelay: [0, 1, -1, "x"],
    },
  },
  {
    fn: "rmdir",
    names: ["emptydir", "dir", "file", "missing"],
    options: { maxRetries: [0, 1, -1, "x"], retryDelay: [0, -1, "x"] },
  },
  { fn: "stat", names: ["file", "missing", "file/under", "l-loop"], options: LOOKING },
  { fn: "lstat", names: ["l-file", "missing", "file/under"], options: LOOKING },
  { fn: "statfs", names: ["dir", "missing"], options: { bigint: [true, false, 1, null] } },
  { fn: "realpath", names: ["l-file", "l-loop", "missing"], options: { encoding: NAMES } },
  { fn: "realpath.native", names: ["l-file", "l-loop"], options: { encoding: NAMES }, forms: ["sync", "callback"] },
  { fn: "readlink", names: ["l-file", "file", "missing"], options: { encoding: NAMES } },
  { fn: "mkdtemp", names: ["tmp-", "missing/tmp-"], options: { encoding: ["utf8", "buffer", "nonsense", null] } },
  {
    fn: "mkdtempDisposable",
    names: ["tmp-", "missing/tmp-", "file/tmp-"],
    options: { encoding: ["utf8", "buffer", "nonsense", null] },
    forms: WITHOUT_CALLBACK,
  },
];

function casesOf({ fn, names, rest = [], options, forms = PATH_FORMS }: Row): Case[] {
  return combinations(options).flatMap((make) =>
    names.flatMap((name) =>
      inForms(forms, fn, `${[name, ...rest.map(show)].join(", ")}, ${show(make())}`, {
        args: ({ path }) => [path(name), ...rest, make()],
      }),
    ),
  );
}

const TRANSFERS: OptionValues = {
  offset: [0, 2, 6, 7, -1, "x", null],
  length: [0, 3, 7, -1, null],
  position: [null, 0, 4, 3n, -1, "x", 100],
};

function transferCases(): Case[] {
  return combinations(TRANSFERS).flatMap((make) => [
    ...inFdForms("read", `6 bytes, ${show(make())}`, ["file", "r"], () => [Buffer.alloc(6), make()]),
    ...inFdForms("read", `options first, 6 bytes, ${show(make())}`, ["file", "r"], () => [
      { buffer: Buffer.alloc(6), ...make() },
    ]).filter(({ form }) => form !== "sync"),
    ...inFdForms("write", `6 bytes, ${show(make())}`, ["file", "r+"], () => [Buffer.from("ABCDEF"), make()]),
  ]);
}

function handleCases(): Case[] {
  const ofForm = (fn: string, what: string, flags: string, args: () => unknown[]): Case[] =>
    inFdForms(fn, what, ["file", flags], args);
  return [
    ...combinations({ encoding: NAMES, signal: SIGNALS, flag: ["r", "w", "zz"] }).flatMap((make) =>
      ofForm("readFile", `of the open file, ${show(make())}`, "r", () => [make()]),
    ),
    ...["writeFile", "appendFile"].flatMap((fn) =>
      combinations(WRITING).flatMap((make) =>
        ofForm(fn, `to the open file, ${show(make())}`, "r+", () => ["68656c", make()]),
      ),
    ),
    ...combinations({ bigint: [true, false, 1, null], signal: SIGNALS }).flatMap((make) =>
      ofForm("fstat", show(make()), "r", () => [make()]),
    ),
  ].filter(({ form }) => FD_FORMS.includes(form));
}

/** Linux has no modes of links: there is the promise form alone, which says so. */
function lchmodCases(): Case[] {
  return ["l-file", "missing"].flatMap((name) =>
    [0o600, "755", "x", undefined].flatMap((mode) =>
      inForms(["promise"], "lchmod", `${name}, ${show(mode)}`, { args: ({ path }) => [path(name), mode] }),
    ),
  );
}

export const COMBINED_CASES: readonly Case[] = [
  ...ROWS.flatMap(casesOf),
  ...transferCases(),
  ...handleCases(),
  ...lchmodCases(),
];
