/** Options, encodings, flags and modes of the calls that take a path. */
import { constants } from "node:fs";
import { type Case, type Context, inForms, PATH_FORMS } from "../case.ts";
import { NAME_255, RAW_NAME } from "../tree.ts";
import { show } from "./show.ts";

const ENCODINGS = [
  "utf8",
  "utf-8",
  "UTF-8",
  "ucs2",
  "utf16le",
  "latin1",
  "binary",
  "ascii",
  "base64",
  "base64url",
  "hex",
  "buffer",
  "nonsense",
  "",
  null,
  undefined,
] as const;

/** One case in each form for every list of arguments after the path. */
function variants(fn: string, name: string, lists: readonly (readonly unknown[])[]): Case[] {
  return lists.flatMap((rest) =>
    inForms(PATH_FORMS, fn, `${name}, ${rest.map(show).join(", ")}`, { args: ({ path }) => [path(name), ...rest] }),
  );
}

function encodingCases(): Case[] {
  const asString = ENCODINGS.map((encoding) => [encoding]);
  const asOption = ENCODINGS.map((encoding) => [{ encoding }]);
  return [
    ...variants("readFile", "ünï-😀", [...asString, ...asOption]),
    ...variants("readFile", "big", asString),
    ...variants("readlink", "l-file", [...asString, ...asOption]),
    ...variants("readdir", ".", asString),
    ...variants("readdir", ".", asOption),
    ...variants(
      "readdir",
      "dir",
      ENCODINGS.map((encoding) => [{ encoding, withFileTypes: true }]),
    ),
    ...variants("realpath", "l-file", asString),
    ...variants("realpath.native", "l-file", asOption).filter(({ form }) => form !== "promise"),
    // In the other encodings the random part of the name could not be masked.
    ...variants(
      "mkdtemp",
      "tmp-",
      [...asString, ...asOption].filter((list) => !/ucs2|utf16|base64|hex/.test(JSON.stringify(list))),
    ),
    ...variants("mkdtempDisposable", "tmp-", [["buffer"], [{ encoding: "buffer" }], ["latin1"], ["nonsense"]]).filter(
      ({ form }) => form !== "callback",
    ),
    ...variants(
      "writeFile",
      "new",
      ENCODINGS.map((encoding) => ["68656c6c6fé😀", encoding]),
    ),
    ...variants(
      "appendFile",
      "file",
      ENCODINGS.map((encoding) => ["68656c6c6fé", { encoding }]),
    ),
    ...variants(
      "opendir",
      "dir",
      ENCODINGS.map((encoding) => [{ encoding }]),
    ),
  ];
}

const FLAG_STRINGS = [
  ...["r", "rs", "sr", "r+", "rs+", "sr+", "w", "wx", "xw", "w+", "wx+", "xw+"],
  ...["a", "ax", "xa", "as", "sa", "a+", "ax+", "xa+", "as+", "sa+"],
  ...["", "rw", "R", "x", "+", "r++", "w-", "wr", " r", "0"],
];
const O_TMPFILE = 0o20200000;
const FLAG_NUMBERS = [
  ...[0, 1, 2, 3, 0o100, 0o101, 0o102, 0o103, 0o301, 0o1001, 0o1002, 0o1003, 0o2001, 0o2002, 0o2000, 0o3102],
  ...[constants.O_DIRECT, constants.O_NOATIME, constants.O_SYNC | 2, constants.O_DSYNC | 1, constants.O_NOCTTY],
  ...[O_TMPFILE, O_TMPFILE | 1, O_TMPFILE | 2, O_TMPFILE | 2 | constants.O_EXCL, O_TMPFILE | 0o102],
  ...[O_TMPFILE | 3, O_TMPFILE | 3 | constants.O_EXCL, constants.O_DIRECTORY | 3, constants.O_NOFOLLOW | 3, 0o2003],
  ...[0o10000000 | 0o101, 1 << 30, 0x7fffffff, -1],
];
// Modes from 2^31 to 2^32 - 1 pass Node's own checks and then abort the whole process, so they cannot be compared.
const MODES = [0, 0o600, 0o644, 0o777, 0o1777, 0o7777, 0o100644, 0o177777, 2 ** 31 - 1, "644", "0644", "7777", "0o644"];
const BAD_MODES = [-1, 2 ** 32, 1.5, Number.NaN, "888", "-1", "", "x", null, undefined, {}, true, 10n];

function openCases(): Case[] {
  const flags = [...FLAG_STRINGS, ...FLAG_NUMBERS, null, undefined, true, {}, 1.5, 10n];
  const targets = ["file", "missing", "dir", "l-dangling"];
  return [
    ...targets.flatMap((name) =>
      variants(
        "open",
        name,
        flags.map((flag) => [flag]),
      ),
    ),
    ...variants(
      "open",
      "new",
      [...MODES, ...BAD_MODES].map((mode) => ["w", mode]),
    ),
    ...variants(
      "readFile",
      "file",
      FLAG_STRINGS.map((flag) => [{ flag }]),
    ),
    ...variants(
      "writeFile",
      "file",
      FLAG_STRINGS.map((flag) => ["1234", { flag }]),
    ),
    ...variants(
      "appendFile",
      "file",
      FLAG_STRINGS.map((flag) => ["1234", { flag }]),
    ),
  ];
}

function modeCases(): Case[] {
  const modes = [...MODES, ...BAD_MODES];
  const single = modes.map((mode) => [mode]);
  const option = modes.map((mode) => [{ mode }]);
  return [
    ...variants("chmod", "file", single),
    ...variants("chmod", "dir", single),
    ...variants("mkdir", "new", [...single, ...option]),
    ...variants(
      "mkdir",
      "new/deep/er",
      modes.map((mode) => [{ mode, recursive: true }]),
    ),
    ...variants(
      "writeFile",
      "new",
      modes.map((mode) => ["text", { mode }]),
    ),
    ...variants(
      "access",
      "readonly",
      [0, 1, 2, 3, 4, 5, 6, 7, 8, -1, 1.5, "4", null, undefined, {}, 2 ** 32].map((mode) => [mode]),
    ),
    ...variants(
      "copyFile",
      "file",
      [0, 1, 2, 3, 4, 5, 7, 8, -1, 1.5, "1", null, undefined, {}].map((mode) => [`new`, mode]),
    ),
  ];
}

const TIMES = [
  ...[0, 1, 1.5, 1e9, 1_000_000_000.123456, 2 ** 31, 2 ** 33, 1e11, 1e12, -1, -1.5, -1e10, 0.1 + 0.2],
  ...["0", "123.5", "1e9", " 12 ", "", "x", "-5", "0x10"],
  ...[new Date(0), new Date(1_234_567_890_123), new Date(-1), new Date(Number.NaN)],
  ...[Number.NaN, Infinity, -Infinity, 10n, null, undefined, true, {}, []],
];

function timeCases(): Case[] {
  const both = TIMES.flatMap((time) => [
    [time, 1e9],
    [1e9, time],
  ]);
  return [
    ...variants("utimes", "file", both),
    ...variants("utimes", "dir", both),
    ...variants("lutimes", "l-file", both),
  ];
}

const IDS = [0, 1, 1000, 65_534, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, -1, -2, 1.5, "1", null, 10n];

function ownerCases(): Case[] {
  const pairs = IDS.flatMap((id) => [
    [id, 7],
    [7, id],
    [id, id],
  ]);
  return [...variants("chown", "file", pairs), ...variants("lchown", "l-file", pairs)];
}

const LENGTHS = [0, 1, 12, 13, 4095, 4096, 4097, 2 ** 20, 2 ** 31, 2 ** 32 + 1, 2 ** 40, 2 ** 44, 2 ** 44 + 1];
const BAD_LENGTHS = [-1, -(2 ** 40), 1.5, Number.NaN, Infinity, 2 ** 53, "5", null, undefined, 10n, {}, true];

function truncateCases(): Case[] {
  return ["file", "big", "empty"].flatMap((name) =>
    variants(
      "truncate",
      name,
      [...LENGTHS, ...BAD_LENGTHS].map((length) => [length]),
    ),
  );
}

function statCases(): Case[] {
  const names = ["file", "missing", "file/under", "l-loop", "l-dangling", "missing/deep", `${NAME_255}x`];
  const options = [
    ...[{ throwIfNoEntry: false }, { throwIfNoEntry: true }, { throwIfNoEntry: undefined }, { throwIfNoEntry: 0 }],
    ...[{ bigint: true, throwIfNoEntry: false }, { bigint: 1 }, { bigint: null }, {}, null, undefined, 5, "x", true],
  ];
  const lists = options.map((option) => [option]);
  const stats = names.flatMap((name) => [...variants("stat", name, lists), ...variants("lstat", name, lists)]);
  return [...stats, ...variants("statfs", "dir", lists), ...variants("statfs", "missing", lists)];
}

function directoryCases(): Case[] {
  const listings = [
    ...[{ recursive: true }, { recursive: true, withFileTypes: true }, { recursive: true, encoding: "buffer" }],
    ...[{ withFileTypes: 1 }, { recursive: 1 }, { recursive: null }, {}, null, undefined, true, 5],
  ].map((options) => [options]);
  const bad = [{ bufferSize: 0 }, { bufferSize: -1 }, { bufferSize: 1.5 }, { bufferSize: "1" }];
  return [
    // In the other forms Node finds these too late: its error is nobody's, and ends the process.
    ...variants(
      "opendir",
      "dir",
      bad.map((options) => [options]),
    ).filter(({ form }) => form === "sync"),
    // Not the root: `l-here` there leads a recursive listing round in circles, down to ELOOP.
    ...["dir", "otherdir", "emptydir", "l-dir", "file", "missing", "dir/"].flatMap((name) =>
      variants("readdir", name, listings),
    ),
    ...["dir", "otherdir", "emptydir", "l-dir", "file", "missing"].flatMap((name) =>
      variants("opendir", name, [
        ...[[{ bufferSize: 1 }], [{ bufferSize: 2 }], [{ recursive: true }], [{}], [null], [undefined], [5], ["utf8"]],
      ]),
    ),
  ];
}

function removalCases(): Case[] {
  const options = [
    ...[
      { recursive: 1 },
      { force: 1 },
      { recursive: null },
      { maxRetries: -1 },
      { maxRetries: 1.5 },
      { maxRetries: 2 },
    ],
    ...[{ retryDelay: -1 }, { retryDelay: "x" }, { retryDelay: 1 }, {}, null, undefined, true, "x", 5],
  ].map((option) => [option]);
  const rmdirs = [{ recursive: true }, { recursive: false }, { maxRetries: 2 }, { maxRetries: -1 }].map((option) => [
    option,
  ]);
  return [
    ...["file", "dir", "missing", "l-dir"].flatMap((name) => variants("rm", name, options)),
    ...["emptydir", "dir", "missing", "file"].flatMap((name) => variants("rmdir", name, [...options, ...rmdirs])),
  ];
}

function mkdirCases(): Case[] {
  const names = [
    ...["new", "new/deep", "new/deep/deeper/deepest", "dir", "dir/sub", "dir/new/er", "file", "file/new", "l-dir/new"],
    ...[
      "l-dangling",
      "l-dangling/new",
      "l-loop/new",
      "new/",
      "new//deep///",
      "new/../other",
      "dir/../new/x",
      ".",
      "new/.",
    ],
    ...["l-file/new", "missing/../new", `new/${NAME_255}`, `new/${NAME_255}x`],
  ];
  const options = [{ recursive: true }, { recursive: false }, { recursive: undefined }].map((option) => [option]);
  const odd = [{ recursive: 1 }, { recursive: "true" }, null, undefined, "755", {}, true, []].map((option) => [option]);
  return [...names.flatMap((name) => variants("mkdir", name, options)), ...variants("mkdir", "new", odd)];
}

function mkdtempCases(): Case[] {
  const names = ["tmp-", "dir/tmp-", "missing/tmp-", "file/tmp-", "l-dir/tmp-", "ü-tmp-", "tmp-XXXXXX", "XXXXXX"];
  const tooLong = `${"t".repeat(246)}tmp-`;
  const prefixes: ((context: Context) => unknown)[] = [
    ({ path }) => Buffer.from(path("tmp-")),
    ({ path }) => new Uint8Array(Buffer.from(path("tmp-"))),
    ({ root }) => Buffer.concat([Buffer.from(`${root}/`), RAW_NAME, Buffer.from("tmp-")]),
    ({ path }) => new URL(`file://${path("tmp-")}`),
    () => "tmp-",
    ({ path }) => path("tmp-\0"),
    ({ path }) => path(tooLong),
  ];
  return ["mkdtemp", "mkdtempDisposable"]
    .flatMap((fn) => [
      ...names.flatMap((name) => variants(fn, name, [[]])).filter(({ id }) => !id.includes(": XXXXXX")),
      ...prefixes.flatMap((make, index) =>
        inForms(PATH_FORMS, fn, `prefix ${index}`, { args: (context) => [make(context)] }),
      ),
    ])
    .filter(({ fn, form }) => !(fn === "mkdtempDisposable" && form === "callback"));
}

/** An iterable that gives its chunks once. */
function* chunks(): Generator<string> {
  yield "one";
  yield "two";
}

async function* asyncChunks(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array([65, 66]);
  yield Buffer.from("CD");
}

const DATA: Record<string, () => unknown> = {
  "empty string": () => "",
  "lone surrogate": () => "a\udc00b",
  Buffer: () => Buffer.from("buffer"),
  "Uint8Array in the middle": () => new Uint8Array([1, 2, 3, 4, 5, 6]).subarray(2, 4),
  Uint16Array: () => new Uint16Array([0x4142, 0x4344]),
  DataView: () => new DataView(new Uint8Array([65, 66, 67, 68]).buffer, 1, 2),
  Float64Array: () => new Float64Array([1]),
  ArrayBuffer: () => new ArrayBuffer(3),
  number: () => 5,
  NaN: () => Number.NaN,
  bigint: () => 5n,
  boolean: () => true,
  null: () => null,
  undefined: () => undefined,
  object: () => ({}),
  "object with toString": () => ({ toString: () => "text" }),
  String: () => new String("boxed"),
  array: () => ["a", "b"],
  generator: () => chunks(),
  "async generator": () => asyncChunks(),
  "64 KiB": () => Buffer.alloc(65_536, 7),
};

function dataCases(): Case[] {
  return ["writeFile", "appendFile"].flatMap((fn) =>
    Object.entries(DATA).flatMap(([what, make]) =>
      ["file", "new"].flatMap((name) =>
        inForms(PATH_FORMS, fn, `${what} to ${name}`, { args: ({ path }) => [path(name), make()] }),
      ),
    ),
  );
}

function fileOptionCases(): Case[] {
  const aborted = AbortSignal.abort();
  const because = AbortSignal.abort(new Error("because"));
  const fresh = new AbortController().signal;
  const write = [
    ...[{ flush: true }, { flush: false }, { flush: 1 }, { flush: null }, { flush: undefined, flag: "a" }],
    ...[{ signal: aborted }, { signal: because }, { signal: fresh }, { signal: {} }, { signal: null }],
    ...[null, undefined, 5, true, "nonsense", {}, { mode: 0o600, flag: "wx" }],
  ];
  const read = [{ signal: aborted }, { signal: because }, { signal: fresh }, { signal: {} }, null, undefined, 5, true];
  return [
    ...variants(
      "writeFile",
      "file",
      write.map((options) => ["text", options]),
    ),
    ...variants(
      "appendFile",
      "file",
      write.map((options) => ["text", options]),
    ),
    ...variants(
      "readFile",
      "file",
      read.map((options) => [options]),
    ),
  ];
}

export const OPTION_CASES: readonly Case[] = [
  ...encodingCases(),
  ...openCases(),
  ...modeCases(),
  ...timeCases(),
  ...ownerCases(),
  ...truncateCases(),
  ...statCases(),
  ...directoryCases(),
  ...removalCases(),
  ...mkdirCases(),
  ...mkdtempCases(),
  ...dataCases(),
  ...fileOptionCases(),
];
