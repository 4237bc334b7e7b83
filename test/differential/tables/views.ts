/**
 * Views whose memory changes, and views that say something else of themselves than is true: as buffers of reads and
 * writes, as whole data, and as paths. What is said to be longer than it is ends Node's process, and is not asked here
 * (test/unit/node/views.test.ts).
 */
import { type Case, type Context, inFdForms, inForms, PATH_FORMS } from "../case.ts";

const WORDS = "the quick brown fox";
const BYTES = new TextEncoder().encode(WORDS);

type Resizable = ArrayBuffer & { resize(bytes: number): void };
type Growable = SharedArrayBuffer & { grow(bytes: number): void };

/** What the ES2024 of Node has, and the library that this is checked with lacks. */
function resizable(bytes: number, maxByteLength: number): Resizable {
  const Maker = ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable;
  const buffer = new Maker(bytes, { maxByteLength });
  new Uint8Array(buffer).set(BYTES.subarray(0, bytes));
  return buffer;
}

function growable(bytes: number, maxByteLength: number): Growable {
  const Maker = SharedArrayBuffer as unknown as new (bytes: number, options: object) => Growable;
  const buffer = new Maker(bytes, { maxByteLength });
  new Uint8Array(buffer).set(BYTES.subarray(0, bytes));
  return buffer;
}

function resized<V>(make: (buffer: Resizable) => V, to: number): V {
  const buffer = resizable(16, 32);
  const view = make(buffer);
  buffer.resize(to);
  return view;
}

/** Node 20's own Buffer.from() makes one of fixed length. */
function asBuffer(view: Uint8Array): Buffer {
  return Object.setPrototypeOf(view, Buffer.prototype);
}

function detach<V extends ArrayBufferView>(view: V): V {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
  return view;
}

/** A view with one property that does not tell what is so. */
function saying(name: string, value: unknown, Base: typeof Uint8Array = Uint8Array): ArrayBufferView {
  class Saying extends Base {}
  Object.defineProperty(Saying.prototype, name, { get: () => value });
  const view = new Saying(16);
  Uint8Array.prototype.set.call(view, BYTES.subarray(0, 16));
  return view;
}

function withOwn(view: Uint8Array, name: string, value: unknown): Uint8Array {
  Uint8Array.prototype.set.call(view, BYTES.subarray(0, 16));
  return Object.defineProperty(view, name, { value });
}

const VIEWS: Record<string, () => ArrayBufferView> = {
  "follows its memory": () => new Uint8Array(resizable(12, 32)),
  "follows its memory, shrunk": () => resized((buffer) => new Uint8Array(buffer), 5),
  "follows its memory, grown": () => resized((buffer) => new Uint8Array(buffer, 4), 20),
  "follows its memory, shrunk to nothing": () => resized((buffer) => new Uint8Array(buffer, 4), 2),
  "of fixed length, memory shrunk": () => resized((buffer) => new Uint8Array(buffer, 0, 8), 12),
  "of fixed length, memory too short": () => resized((buffer) => new Uint8Array(buffer, 2, 8), 6),
  "Buffer of fixed length, memory too short": () => resized((buffer) => Buffer.from(buffer, 2, 8), 6),
  "Buffer that follows its memory": () => resized((buffer) => asBuffer(new Uint8Array(buffer)), 9),
  "words that follow their memory": () => resized((buffer) => new Uint16Array(buffer), 7),
  "DataView that follows its memory": () => resized((buffer) => new DataView(buffer, 1), 9),
  "growable and shared": () => new Uint8Array(growable(10, 64)),
  "growable and shared, grown": () => {
    const buffer = growable(6, 64);
    const view = new Uint8Array(buffer);
    buffer.grow(14);
    return view;
  },
  "detached Buffer": () => detach(Buffer.from(new ArrayBuffer(8))),
  "detached words": () => detach(new Uint32Array(2)),
  "says byteLength 5": () => saying("byteLength", 5),
  "says byteLength 0": () => saying("byteLength", 0),
  "says length 5": () => saying("length", 5),
  "says length 4096": () => saying("length", 4096),
  "says length 0": () => saying("length", 0),
  "has its own byteLength 5": () => withOwn(new Uint8Array(16), "byteLength", 5),
  "has its own length 5": () => withOwn(Buffer.alloc(16), "length", 5),
  "has its own length 4096": () => withOwn(Buffer.alloc(16), "length", 4096),
  "has its own set and subarray": () => withOwn(withOwn(new Uint8Array(16), "set", null), "subarray", null),
  "is called Uint16Array": () => saying(Symbol.toStringTag as never, "Uint16Array"),
};

function readCases(what: string, make: () => ArrayBufferView): Case[] {
  return [
    ...inFdForms("read", `into view: ${what}`, ["file", "r"], () => [make()]),
    ...inFdForms("read", `into view: ${what}, 1, 3, 2`, ["file", "r"], () => [make(), 1, 3, 2]),
    ...inFdForms("read", `into view: ${what}, { offset: 2 }`, ["file", "r"], () => [make(), { offset: 2 }]),
    ...inFdForms("readv", `into view: ${what}`, ["file", "r"], () => [[make(), Buffer.alloc(2), make()], 0]),
    ...inFdForms("readFile", `into view: ${what}`, ["file", "r"], () => [{ buffer: make() }]).filter(
      ({ form }) => form !== "callback", // Node's own trips over its error
    ),
  ];
}

function writeCases(what: string, make: () => ArrayBufferView): Case[] {
  return [
    ...inFdForms("write", `of view: ${what}`, ["file", "r+"], () => [make()]),
    ...inFdForms("write", `of view: ${what}, 1`, ["file", "r+"], () => [make(), 1]),
    ...inFdForms("write", `of view: ${what}, 1, 3, 2`, ["file", "r+"], () => [make(), 1, 3, 2]),
    ...inFdForms("write", `of view: ${what}, { offset: 2 }`, ["file", "r+"], () => [make(), { offset: 2 }]),
    ...inFdForms("writev", `of view: ${what}`, ["file", "r+"], () => [[make(), Buffer.from("ab"), make()], 0]),
    ...inFdForms("writeFile", `of view: ${what}`, ["file", "r+"], () => [make()]),
    ...(["writeFile", "appendFile"] as const).flatMap((fn) =>
      inForms(PATH_FORMS, fn, `by path, of view: ${what}`, {
        tree: "data",
        args: ({ path }) => [path("file"), make()],
      }),
    ),
    ...inForms(["promise"], "writeFile", `of views: ${what}`, {
      tree: "data",
      args: ({ path }) => [path("file"), [make(), "ab", make()]],
    }),
  ];
}

/** Bytes that are a path: what counts is what they are. */
const PATH_VIEWS: Record<string, (path: string) => Uint8Array> = {
  "says length 3": (path) => Object.defineProperty(Buffer.from(path), "length", { value: 3 }),
  "says length 5000": (path) => Object.defineProperty(Buffer.from(path), "length", { value: 5000 }),
  "says byteLength 5000": (path) => Object.defineProperty(Buffer.from(path), "byteLength", { value: 5000 }),
  "follows its memory": (path) => {
    const bytes = Buffer.from(path);
    const buffer = resizable(bytes.length, 8192);
    new Uint8Array(buffer).set(bytes);
    return new Uint8Array(buffer);
  },
};

function pathCases(): Case[] {
  return Object.entries(PATH_VIEWS).flatMap(([what, make]) => [
    ...inForms(PATH_FORMS, "stat", `path view: ${what}`, { args: ({ path }) => [make(path("file"))] }),
    ...inForms(PATH_FORMS, "symlink", `path view: ${what}`, {
      args: ({ path }) => [make("target"), make(path("new"))],
    }),
    ...inForms(PATH_FORMS, "rename", `path view: ${what}`, {
      args: ({ path }) => [make(path("file")), make(path("new"))],
    }),
  ]);
}

/** Options that change the buffer when they are asked. */
const MEDDLERS: Record<string, (view: Uint8Array) => void> = {
  detaches: (view) => void (view.byteLength > 0 && detach(view)), // some options are asked for twice
  shrinks: (view) => (view.buffer as Resizable).resize(3),
  grows: (view) => (view.buffer as Resizable).resize(20),
};
const ASKED = ["offset", "length", "position"] as const;

function meddlingCases(): Case[] {
  return Object.entries(MEDDLERS).flatMap(([what, meddle]) =>
    ASKED.flatMap((name) =>
      (["read", "write"] as const).flatMap((fn) =>
        inFdForms(fn, `view that ${name} ${what}`, ["file", "r+"], () => {
          const view = new Uint8Array(resizable(12, 32));
          const values = { offset: 1, length: 4, position: 2 };
          const options = Object.defineProperty({ ...values }, name, {
            get: () => {
              meddle(view);
              return values[name];
            },
          });
          return [view, options];
        }),
      ),
    ),
  );
}

function meddlingOptionCases(): Case[] {
  const args =
    (name: string, meddle: (view: Uint8Array) => void) =>
    ({ path }: Context): unknown[] => {
      const view = new Uint8Array(resizable(12, 32));
      const options = Object.defineProperty({}, name, { get: () => void meddle(view), enumerable: true });
      return [path("file"), view, options];
    };
  return Object.entries(MEDDLERS).flatMap(([what, meddle]) =>
    ["encoding", "flag", "mode"].flatMap((name) =>
      (["writeFile", "appendFile"] as const).flatMap((fn) =>
        inForms(PATH_FORMS, fn, `view that ${name} ${what}`, { tree: "data", args: args(name, meddle) }),
      ),
    ),
  );
}

export const VIEW_CASES: readonly Case[] = [
  ...Object.entries(VIEWS).flatMap(([what, make]) => [...readCases(what, make), ...writeCases(what, make)]),
  ...pathCases(),
  ...meddlingCases(),
  ...meddlingOptionCases(),
];
