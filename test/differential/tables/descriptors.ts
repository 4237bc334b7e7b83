/** Calls on open descriptors, in the synchronous and callback forms and as methods of FileHandle. */
import { constants } from "node:fs";
import { type Case, type Context, inFdForms, inForms } from "../case.ts";
import { pattern } from "../tree.ts";
import { show } from "./show.ts";

type Open = readonly [name: string, flags: string | number];

const O_PATH = 0o10000000;
const { O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** Every way to have a file or a directory open. */
const OPENS: readonly Open[] = [
  ["file", "r"],
  ["file", "r+"],
  ["file", "w"],
  ["file", "w+"],
  ["file", "a"],
  ["file", "a+"],
  ["big", "r"],
  ["big", "r+"],
  ["empty", "r+"],
  ["dir", O_RDONLY | O_DIRECTORY],
  ["file", O_PATH],
  ["dir", O_PATH | O_NOFOLLOW],
  ["file", O_RDWR | O_APPEND],
  ["file", 3],
];

/** Functions whose arguments do not depend on how the file is open. */
const PLAIN: readonly (readonly [fn: string, ...args: unknown[]])[] = [
  ["fstat"],
  ["fstat", { bigint: true }],
  ["fsync"],
  ["fdatasync"],
  ["fchmod", 0o4751],
  ["fchown", 5, 6],
  ["fchown", -1, 6],
  ["futimes", 1_111_111_111, 1_222_222_222.5],
  ["ftruncate"],
  ["ftruncate", 5],
  ["ftruncate", 5000],
  ["readFile"],
  ["readFile", "utf8"],
  ["writeFile", "replaced"],
  ["appendFile", "appended"],
  ["close"],
];

function named([name, flags]: Open): string {
  return `${name} opened ${typeof flags === "number" ? `0${flags.toString(8)}` : flags}`;
}

function plainCases(): Case[] {
  return OPENS.flatMap((open) =>
    PLAIN.flatMap(([fn, ...args]) => inFdForms(fn, `${JSON.stringify(args)} of ${named(open)}`, open, () => args)),
  );
}

/** Numbers where read and write change behaviour: around the ends of a buffer of 16 bytes and of a file of 12. */
const OFFSETS = [0, 1, 15, 16, 17, -1, 1.5, null, undefined, 2 ** 32] as const;
const LENGTHS = [0, 1, 15, 16, 17, -1, 1.5, null, undefined, 2 ** 31] as const;
const POSITIONS = [
  ...[0, 1, 11, 12, 13, 4096, -1, -2, 1.5, null, undefined, 5n, -1n, -2n, 2 ** 44, 2 ** 53 - 1, 2 ** 53, "1", {}],
  ...[2n ** 44n, 2n ** 62n, 2n ** 63n - 2n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n, -(2n ** 63n), Number.NaN, Infinity],
] as const;

function positionalCases(fn: "read" | "write", opens: readonly Open[]): Case[] {
  const make = (offset: unknown, length: unknown, position: unknown): Case[] =>
    opens.flatMap((open) =>
      inFdForms(
        fn,
        `offset ${show(offset)} length ${show(length)} position ${show(position)}, ${named(open)}`,
        open,
        () => [pattern(16, 65), offset, length, position],
      ),
    );
  return [
    ...OFFSETS.flatMap((offset) => [...make(offset, 1, 0), ...make(offset, undefined, null)]),
    ...LENGTHS.flatMap((length) => [...make(0, length, 0), ...make(4, length, null)]),
    ...POSITIONS.flatMap((position) => make(0, 4, position)),
  ];
}

/** Buffers of every kind, good and bad, by a name. */
const BUFFERS: Record<string, () => unknown> = {
  "Buffer 0": () => Buffer.alloc(0),
  "Buffer 5": () => Buffer.alloc(5, 66),
  "Buffer 20000": () => pattern(20_000),
  "Uint8Array middle": () => new Uint8Array(10).fill(67).subarray(3, 7),
  Uint16Array: () => new Uint16Array([0x4444, 0x4545]),
  Float64Array: () => new Float64Array(2),
  DataView: () => new DataView(new ArrayBuffer(8), 2, 4),
  BigInt64Array: () => new BigInt64Array(1),
  detached: () => {
    const view = new Uint8Array(8);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  },
  ArrayBuffer: () => new ArrayBuffer(4),
  string: () => "text",
  number: () => 5,
  null: () => null,
  undefined: () => undefined,
  array: () => [1, 2],
  object: () => ({ length: 2 }),
};

function bufferCases(): Case[] {
  const withOptions = [undefined, null, {}, { offset: 1 }, { length: 2 }, { position: 3 }, { position: 0n }];
  const oddOptions = [
    { offset: -1 },
    { length: 99 },
    { position: "x" },
    { offset: null, length: null, position: null },
  ];
  return Object.entries(BUFFERS).flatMap(([what, make]) => [
    ...inFdForms("read", `into ${what}`, ["file", "r"], () => [make()]),
    ...inFdForms("read", `into ${what}, 0, 4, 0`, ["file", "r"], () => [make(), 0, 4, 0]),
    ...inFdForms("write", `of ${what}`, ["file", "r+"], () => [make()]),
    ...inFdForms("write", `of ${what}, 1, 3, 2`, ["file", "r+"], () => [make(), 1, 3, 2]),
    ...inFdForms("writeFile", `of ${what}`, ["file", "r+"], () => [make()]),
    ...[...withOptions, ...oddOptions].flatMap((options) => [
      ...inFdForms("read", `into ${what}, ${show(options)}`, ["file", "r"], () => [make(), options]),
      ...inFdForms("write", `of ${what}, ${show(options)}`, ["file", "r+"], () => [make(), options]),
    ]),
  ]);
}

/** fs.read with its options first, or with nothing but the descriptor. */
function readOptionCases(): Case[] {
  const options: (() => Record<string, unknown>)[] = [
    () => ({}),
    () => ({ buffer: Buffer.alloc(6) }),
    () => ({ buffer: Buffer.alloc(6), offset: 2 }),
    () => ({ buffer: Buffer.alloc(6), offset: 2, length: 3, position: 4 }),
    () => ({ buffer: Buffer.alloc(6), length: 7 }),
    () => ({ buffer: "x" }),
    () => ({ length: 4 }),
    () => ({ position: 6 }),
    () => ({ buffer: null }),
  ];
  return [
    ...inForms(["callback"], "read", "nothing but the descriptor", {
      tree: "data",
      open: ["file", "r"],
      args: ({ fd }) => [fd],
    }),
    ...options.flatMap((make, index) => inFdForms("read", `options first ${index}`, ["file", "r"], () => [make()])),
  ];
}

const TEXTS: readonly (readonly unknown[])[] = [
  ["text"],
  ["text", 2],
  ["text", null, "latin1"],
  ["é😀", 1, "utf8"],
  ["68656c", 0, "hex"],
  ["6865zz", 0, "hex"],
  ["aGVs", null, "base64"],
  ["é", undefined, "ucs2"],
  ["text", 0, "nonsense"],
  ["text", -1],
  ["text", "2"],
  ["text", 3n],
  ["", 0],
  ["lone\ud800"],
  ["text", 5000],
  ["x".repeat(9000)],
];

function textCases(): Case[] {
  const opens: readonly Open[] = [
    ["file", "r+"],
    ["file", "a"],
    ["file", "r"],
  ];
  return opens.flatMap((open) =>
    TEXTS.flatMap((args) =>
      inFdForms("write", `${args.map(show).join(", ").slice(0, 60)} to ${named(open)}`, open, () => [...args]),
    ),
  );
}

/** Lists of buffers for readv and writev. The kernel takes at most 1024 at once. */
const VECTORS: Record<string, () => unknown> = {
  none: () => [],
  one: () => [Buffer.alloc(4, 65)],
  three: () => [Buffer.alloc(2, 65), new Uint8Array(0), new Uint16Array([0x4243, 0x4445])],
  "past the end": () => [Buffer.alloc(8, 65), Buffer.alloc(8, 66), Buffer.alloc(8, 67)],
  "1024": () => Array.from({ length: 1024 }, (_, i) => Buffer.alloc(1, i)),
  "1025": () => Array.from({ length: 1025 }, (_, i) => Buffer.alloc(1, i)),
  pages: () => [pattern(5000, 1), pattern(5000, 2)],
  "a buffer": () => Buffer.alloc(4),
  "with a string": () => [Buffer.alloc(1), "x"],
  "with null": () => [null],
  "with an ArrayBuffer": () => [new ArrayBuffer(2)],
  "array-like": () => ({ length: 1, 0: Buffer.alloc(2) }),
  number: () => 5,
  null: () => null,
  undefined: () => undefined,
};

function vectorCases(): Case[] {
  const positions = [undefined, null, 0, 3, 5000, -1, "1", 5n, 1.5, Number.NaN];
  return (["readv", "writev"] as const).flatMap((fn) =>
    Object.entries(VECTORS).flatMap(([what, make]) =>
      positions.flatMap((position) =>
        inFdForms(fn, `${what} at ${show(position)}`, ["file", "r+"], () => [make(), position]),
      ),
    ),
  );
}

/** Descriptors that are none. */
const BAD_FDS: readonly unknown[] = [999_999, 2 ** 31 - 1, -1, 1.5, Number.NaN, 2 ** 31, "3", null, undefined, {}, 10n];

function badDescriptorCases(): Case[] {
  const calls: readonly (readonly [fn: string, ...args: unknown[]])[] = [
    ...PLAIN.filter(([fn]) => !["readFile", "writeFile", "appendFile"].includes(fn)),
    ["read", Buffer.alloc(4), 0, 4, 0],
    ["write", Buffer.alloc(4), 0, 4, 0],
    ["write", "text"],
    ["readv", [Buffer.alloc(4)]],
    ["writev", [Buffer.alloc(4)]],
  ];
  const plain = calls.flatMap(([fn, ...args], index) =>
    BAD_FDS.flatMap((fd) =>
      inForms(["sync", "callback"], fn, `bad descriptor ${show(fd)} ${index}`, {
        tree: "empty",
        args: () => [fd, ...args],
      }),
    ),
  );
  const whole = (["readFile", "writeFile", "appendFile"] as const).flatMap((fn) =>
    inForms(["sync", "callback", "promise"], fn, "bad descriptor", { tree: "empty", args: () => [999_999, "utf8"] }),
  );
  return [...plain, ...whole];
}

/** Moves the position first, so that calls show whether they start there. */
function fromTheMiddle(args: (context: Context) => unknown[]): (context: Context) => unknown[] {
  return (context) => {
    context.fs.readSync(context.fd, Buffer.alloc(6), 0, 6, null);
    return args(context);
  };
}

function positionCases(): Case[] {
  const opens: readonly Open[] = [
    ["file", "r+"],
    ["file", "a+"],
    ["big", "r+"],
  ];
  const calls: readonly (readonly [fn: string, ...args: unknown[]])[] = [
    ["readFile", "latin1"],
    ["writeFile", "XY"],
    ["appendFile", "XY"],
    ["ftruncate", 3],
    ["write", "XY"],
    ["write", "XY", 1],
    ["readv", [Buffer.alloc(2), Buffer.alloc(2)]],
    ["writev", [Buffer.from("X"), Buffer.from("Y")]],
  ];
  return opens.flatMap((open) =>
    calls.flatMap(([fn, ...args]) =>
      inFdForms(
        fn,
        `${JSON.stringify(args)} from the middle, ${named(open)}`,
        open,
        fromTheMiddle(() => args),
      ),
    ),
  );
}

/** Whole-file calls of fs.promises given a FileHandle. */
function handleAsPathCases(): Case[] {
  const calls: readonly (readonly [fn: string, ...args: unknown[]])[] = [
    ["readFile"],
    ["readFile", { encoding: "utf8" }],
    ["writeFile", "by handle"],
    ["appendFile", "by handle"],
  ];
  return OPENS.flatMap((open) =>
    calls.flatMap(([fn, ...args]) =>
      inForms(["promise"], fn, `of a handle, ${named(open)} ${JSON.stringify(args)}`, {
        tree: "data",
        open,
        args: ({ handle }) => [handle, ...args],
      }),
    ),
  );
}

export const DESCRIPTOR_CASES: readonly Case[] = [
  ...plainCases(),
  ...positionalCases("read", [
    ["file", "r"],
    ["file", O_RDWR | O_APPEND],
  ]),
  ...positionalCases("write", [
    ["file", "r+"],
    ["file", O_WRONLY | O_APPEND],
  ]),
  ...bufferCases(),
  ...readOptionCases(),
  ...textCases(),
  ...vectorCases(),
  ...badDescriptorCases(),
  ...positionCases(),
  ...handleAsPathCases(),
];
