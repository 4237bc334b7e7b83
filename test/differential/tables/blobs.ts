/** openAsBlob and openAsBlobSync: paths, options, and what the Blob gives. */
import type { Case, Context } from "../case.ts";
import { show } from "./show.ts";
import { outcome } from "./steps.ts";

type Open = (path: unknown, options?: unknown) => Promise<Blob> | Blob;

const PATHS: Readonly<Record<string, (context: Context) => unknown>> = {
  ...Object.fromEntries(
    ["file", "empty", "big", "readonly", "dir", "missing", "l-file", "l-dir", "l-dangling", "l-loop", "file/under"].map(
      (name) => [name, ({ path }: Context) => path(name)],
    ),
  ),
  Buffer: ({ path }) => Buffer.from(path("file")),
  Uint8Array: ({ path }) => new Uint8Array(Buffer.from(path("file"))),
  URL: ({ path }) => new URL(`file://${path("file")}`),
  "URL http": () => new URL("http://host/file"),
  "with NUL": ({ path }) => path("fi\0le"),
  "empty text": () => "",
  number: () => 5,
  null: () => null,
  undefined: () => undefined,
  object: () => ({}),
};

const OPTIONS: readonly unknown[] = [
  ...[
    "",
    "text/plain",
    "TEXT/Plain;a=B",
    "é",
    "a\0b",
    "a\u0019b",
    5,
    0,
    null,
    undefined,
    true,
    {},
    ["x"],
    new String("x"),
  ].map((type) => ({ type })),
  ...[{}, null, undefined, 5, "text/plain", [], true, () => {}, { type: "a/b", endings: "native" }],
];

/** All that a Blob tells of itself and its data. */
async function lookAt(blob: Blob): Promise<unknown[]> {
  const chunks: number[] = [];
  for await (const chunk of blob.stream()) chunks.push((chunk as Uint8Array).length);
  const slice = blob.slice(2, -3, "x/y");
  return [
    blob instanceof Blob,
    Object.prototype.toString.call(blob),
    blob.constructor.name,
    blob.size,
    blob.type,
    Buffer.from(await blob.arrayBuffer()),
    (await blob.text()).length,
    chunks.reduce((sum, length) => sum + length, 0),
    [slice.size, slice.type, Buffer.from(await slice.arrayBuffer())],
    [blob.slice(5, 2).size, blob.slice(-4).size, blob.slice(1e9).size],
  ];
}

async function tryOpen(open: Open, path: unknown, args: readonly unknown[]): Promise<unknown[]> {
  let given: Promise<Blob> | Blob;
  try {
    given = open(path, ...args);
  } catch (error) {
    return ["throws", error];
  }
  const how = given instanceof Promise ? "promise" : "value";
  const blob = await outcome(() => given);
  return [how, blob instanceof Blob ? await outcome(() => lookAt(blob)) : ["not made", blob]];
}

function blobCase(
  fn: "openAsBlob" | "openAsBlobSync",
  what: string,
  run: (open: Open, context: Context) => unknown,
): Case {
  return {
    id: `${fn} ${what}`,
    fn: "openAsBlob",
    form: fn === "openAsBlob" ? "callback" : "sync",
    tree: "battery",
    args: () => [],
    program: async (context) => {
      const open = (context.fs as unknown as Record<string, Open | undefined>)[fn];
      return open === undefined ? "there is no such function" : run(open, context);
    },
  };
}

export const BLOB_CASES: readonly Case[] = (["openAsBlob", "openAsBlobSync"] as const).flatMap((fn) => [
  ...Object.entries(PATHS).flatMap(([what, make]) =>
    [[], [{ type: "text/plain" }], [5]].map((args) =>
      blobCase(fn, `of ${what}, ${args.map(show).join()}`, (open, context) => tryOpen(open, make(context), args)),
    ),
  ),
  ...OPTIONS.map((options, i) =>
    blobCase(fn, `options ${i} ${show(options)}`, (open, { path }) => tryOpen(open, path("file"), [options])),
  ),
  blobCase(fn, "of a file that changes after", async (open, { fs, path }) => {
    const blob = await open(path("file"));
    fs.writeFileSync(path("file"), "something else, and longer");
    return outcome(() => blob.text());
  }),
  blobCase(fn, "of a file that is removed after", async (open, { fs, path }) => {
    const blob = await open(path("file"));
    fs.unlinkSync(path("file"));
    return outcome(() => blob.text());
  }),
]);
