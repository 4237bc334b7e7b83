/** Encodings of contents, of which "buffer" is none and yet taken by some calls, on files empty and not. */
import type { Case, Context } from "../case.ts";
import { outcome, type Steps, settled } from "./steps.ts";

const ENCODINGS = [
  "buffer",
  "Buffer",
  "BUFFER",
  "utf8",
  "UTF-8",
  "hex",
  "ucs2",
  "latin1",
  "nonsense",
  "",
  null,
  undefined,
];
const NAMES = ["empty", "file", "big", "dir", "missing"];
const TEXTS = ["", "hello", "é😀", "686", "aGVs"];

type Encoding = (typeof ENCODINGS)[number];

/** Runs `use` with what is open, and closes it. */
async function withOpen<T extends number | { close(): Promise<void> }>(
  { fs }: Context,
  file: T,
  use: (file: T) => unknown,
): Promise<unknown> {
  try {
    return await outcome(() => use(file));
  } finally {
    if (typeof file === "number") fs.closeSync(file);
    else await file.close();
  }
}

/** A whole file, by its name, a descriptor and a handle, and into a buffer of the caller's. */
function readFile(name: string, encoding: Encoding): Steps {
  return async (fs, context) => {
    const file = context.path(name);
    const byName = [
      await settled(fs, "readFile", [file, encoding]),
      await settled(fs, "readFile", [file, { encoding }]),
      await settled(fs, "readFile", [file, { encoding, buffer: Buffer.alloc(30_000) }]),
    ];
    if (name === "missing") return byName;
    return [
      ...byName,
      // Node loses the errors of the callback form on a descriptor: see deliberate.ts.
      await withOpen(context, fs.openSync(file, "r"), (fd) => fs.readFileSync(fd, encoding as "utf8")),
      await withOpen(context, await fs.promises.open(file, "r"), (handle) => handle.readFile(encoding as "utf8")),
      await withOpen(context, await fs.promises.open(file, "r"), (handle) =>
        fs.promises.readFile(handle, encoding as "utf8"),
      ),
    ];
  };
}

/** A text as one write, in all forms. */
function write(text: string, encoding: Encoding): Steps {
  return async (fs, context) => {
    const file = context.path("empty");
    const given = encoding as "utf8";
    return [
      await withOpen(context, fs.openSync(file, "r+"), (fd) => fs.writeSync(fd, text, null, given)),
      await withOpen(context, fs.openSync(file, "r+"), (fd) => fs.writeSync(fd, text, 2, given)),
      await withOpen(context, fs.openSync(file, "r+"), (fd) => {
        return new Promise((resolve) => fs.write(fd, text, null, given, (...results) => resolve(results)));
      }),
      await withOpen(context, await fs.promises.open(file, "r+"), (handle) => handle.write(text, null, given)),
      fs.readFileSync(file),
    ];
  };
}

/** A text as a whole file, in all forms, and in pieces. */
function writeFile(fn: "writeFile" | "appendFile", text: string, encoding: Encoding): Steps {
  return async (fs, context) => {
    const file = context.path("empty");
    return [
      await settled(fs, fn, [file, text, encoding]),
      await settled(fs, fn, [file, text, { encoding, flush: true }]),
      await outcome(() => fs.promises[fn](file, [text] as never, { encoding: encoding as "utf8" })),
      await withOpen(context, fs.openSync(file, "r+"), (fd) => fs[`${fn}Sync`](fd, text, encoding as "utf8")),
      await withOpen(context, await fs.promises.open(file, "r+"), (handle) => handle[fn](text, encoding as "utf8")),
      fs.readFileSync(file),
    ];
  };
}

/** Names and targets of links, whose encodings have "buffer". */
function names(encoding: Encoding): Steps {
  return async (fs, { path }) => {
    fs.mkdirSync(path("dé/f"), { recursive: true });
    fs.symlinkSync("dé", path("l"));
    return [
      await settled(fs, "readlink", [path("l"), encoding]),
      await settled(fs, "realpath", [path("l"), encoding]),
      await settled(fs, "realpath.native", [path("l"), encoding]),
      await settled(fs, "readdir", [path("dé"), { encoding, withFileTypes: true }]),
    ];
  };
}

function program(fn: string, what: string, steps: Steps): Case {
  return {
    id: `${fn} promise: encodings, ${what}`,
    fn,
    form: "promise",
    covers: [],
    tree: "data",
    args: () => [],
    program: (context) => steps(context.fs, context),
  };
}

function shown(encoding: Encoding): string {
  return typeof encoding === "string" ? `'${encoding}'` : String(encoding);
}

export const ENCODING_CASES: readonly Case[] = ENCODINGS.flatMap((encoding) => [
  ...NAMES.map((name) => program("readFile", `${name} as ${shown(encoding)}`, readFile(name, encoding))),
  ...TEXTS.flatMap((text) => [
    program("write", `'${text}' as ${shown(encoding)}`, write(text, encoding)),
    program("writeFile", `'${text}' as ${shown(encoding)}`, writeFile("writeFile", text, encoding)),
    program("appendFile", `'${text}' as ${shown(encoding)}`, writeFile("appendFile", text, encoding)),
  ]),
  program("readdir", `names as ${shown(encoding)}`, names(encoding)),
]);
