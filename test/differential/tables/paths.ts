/** Every kind of path that a call may be given, relative to the tree "battery". */
import { pathToFileURL } from "node:url";
import type { Context } from "../case.ts";
import { NAME_255, RAW_NAME } from "../tree.ts";

export interface PathArgument {
  readonly id: string;
  make(context: Context): string | Buffer | Uint8Array | URL;
  /** The path leads to a fifo: opening it would wait for its other end. */
  readonly isFifo?: true;
  /** The path leads out of the root: only for calls that change nothing. */
  readonly isOutside?: true;
}

/** Entries of the tree, and paths through it, given as absolute strings. */
const NAMES = [
  "file",
  "empty",
  "readonly",
  "hard1",
  "dir",
  "dir/file",
  "dir/sub",
  "emptydir",
  "l-file",
  "l-l-file",
  "l-absolute",
  "l-dir",
  "l-emptydir",
  "l-sub",
  "l-dir-slash",
  "l-file-slash",
  "l-dangling",
  "l-dangling-deep",
  "l-under-file",
  "l-loop",
  "l-loop-a",
  "l-here",
  "missing",
  "missing/deep",
  "file/under",
  "l-file/under",
  "l-loop/under",
  "l-dangling/under",
  "file/",
  "dir/",
  "emptydir/",
  "emptydir///",
  "missing/",
  "missing//",
  "l-file/",
  "l-dir/",
  "l-emptydir/",
  "l-dangling/",
  "l-loop/",
  "file/.",
  "file/..",
  "dir/.",
  "dir/..",
  "emptydir/.",
  "emptydir/..",
  "emptydir/./",
  "missing/.",
  "missing/..",
  "l-dir/.",
  "l-dir/..",
  "l-emptydir/.",
  "l-sub/..",
  "l-sub/../file",
  "l-sub/../../file",
  "l-here/l-here/l-here/file",
  ".",
  "./file",
  "//file",
  "dir//file",
  "dir/../file",
  "dir/sub/../../l-file",
  "missing/../file",
  "file/../file",
  "back\\slash",
  "dir\\file",
  "ünï-😀",
  "sp ace%20",
  "...",
  "..a",
  NAME_255,
  `${NAME_255}x`,
  `missing/${NAME_255}x`,
  `file/${NAME_255}x`,
  `${"é".repeat(127)}x`,
  "é".repeat(128),
  "lone\ud800surrogate",
] as const;

/** A path of exactly `nrBytes` bytes that ends in `/file`. */
function longPath(root: string, nrBytes: number): string {
  const filler = nrBytes - `${root}/file`.length;
  return `${root}${filler % 2 ? "/" : ""}${"/.".repeat(filler >> 1)}/file`;
}

const LONG: readonly PathArgument[] = [4094, 4095, 4096, 4097, 10_000].map((nrBytes) => ({
  id: `path of ${nrBytes} bytes`,
  make: ({ root }) => longPath(root, nrBytes),
}));

/** The same entries in every type that a path may have, and paths that are refused. */
const TYPES: readonly PathArgument[] = [
  { id: "Buffer file", make: ({ path }) => Buffer.from(path("file")) },
  { id: "Buffer missing", make: ({ path }) => Buffer.from(path("missing")) },
  { id: "Buffer dir/", make: ({ path }) => Buffer.from(path("dir/")) },
  { id: "Uint8Array file", make: ({ path }) => new Uint8Array(Buffer.from(path("file"))) },
  { id: "Buffer with an offset", make: ({ path }) => Buffer.from(`xx${path("file")}xx`).subarray(2, -2) },
  { id: "raw name", make: ({ root }) => Buffer.concat([Buffer.from(`${root}/`), RAW_NAME]) },
  { id: "raw missing", make: ({ root }) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x80])]) },
  { id: "raw under file", make: ({ root }) => Buffer.concat([Buffer.from(`${root}/file/`), RAW_NAME]) },
  { id: "URL file", make: ({ path }) => pathToFileURL(path("file")) },
  { id: "URL missing", make: ({ path }) => pathToFileURL(path("missing")) },
  { id: "URL dir", make: ({ path }) => pathToFileURL(path("dir")) },
  { id: "URL odd", make: ({ path }) => pathToFileURL(path("sp ace%20")) },
  { id: "URL unicode", make: ({ path }) => pathToFileURL(path("ünï-😀")) },
  { id: "URL with query", make: ({ path }) => new URL(`${pathToFileURL(path("file"))}?q=1#h`) },
  { id: "URL %2F", make: ({ root }) => new URL(`file://${root}/dir%2Ffile`) },
  { id: "URL %00", make: ({ root }) => new URL(`file://${root}/fi%00le`) },
  { id: "URL host", make: ({ root }) => new URL(`file://host${root}/file`) },
  { id: "URL localhost", make: ({ root }) => new URL(`file://localhost${root}/file`) },
  { id: "URL http", make: ({ root }) => new URL(`http://localhost${root}/file`) },
  { id: "NUL in string", make: ({ path }) => path("fi\0le") },
  // Relative, since the message shows the bytes and so would show the root.
  { id: "NUL in Buffer", make: () => Buffer.from("fi\0le") },
  { id: "empty string", make: () => "" },
  { id: "empty Buffer", make: () => Buffer.alloc(0) },
  { id: "relative file", make: () => "file" },
  { id: "relative ./dir/", make: () => "./dir/" },
  { id: "relative emptydir", make: () => "emptydir" },
  { id: "relative missing", make: () => "missing" },
  { id: "relative .", make: () => "." },
  { id: "relative dir/..", make: () => "dir/.." },
  { id: "relative Buffer", make: () => Buffer.from("l-file") },
  { id: "relative space", make: () => " " },
];

const OUTSIDE: readonly PathArgument[] = [
  { id: "relative ..", make: () => "..", isOutside: true },
  { id: "up and down", make: ({ root }) => `${root}/../${root.split("/").at(-1)}/file`, isOutside: true },
];

function shorten(name: string): string {
  return name.length < 40 ? name : `${name.slice(0, 12)}… (${Buffer.byteLength(name)} bytes)`;
}

export const PATHS: readonly PathArgument[] = [
  ...NAMES.map((name): PathArgument => ({ id: `<root>/${shorten(name)}`, make: ({ path }) => path(name) })),
  { id: "<root>/fifo", make: ({ path }) => path("fifo"), isFifo: true },
  { id: "<root>/fifo/", make: ({ path }) => path("fifo/"), isFifo: true },
  ...LONG,
  ...TYPES,
  ...OUTSIDE,
];

/** Paths for both ends of calls that take two. */
export const PAIR_NAMES = [
  "file",
  "hard1",
  "hard2",
  "dir",
  "dir/sub",
  "dir/file",
  "emptydir",
  "otherdir",
  "l-file",
  "l-dir",
  "l-emptydir",
  "l-dangling",
  "l-loop",
  "missing",
  "missing/deep",
  "file/under",
  "dir/new",
  "dir/sub/deep/new",
  "file/",
  "dir/",
  "emptydir/",
  "missing/",
  "l-dir/",
  "l-file/",
  "l-dangling/",
  "dir/.",
  "emptydir/..",
  "l-sub/../file",
  ".",
  "fifo",
  `${NAME_255}x`,
] as const;

export { shorten };
