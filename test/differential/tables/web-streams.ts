/** FileHandle.readableWebStream: its options, its readers, and how it and its handle end. */
import type { FileHandle } from "node:fs/promises";
import type { Case, Context } from "../case.ts";
import { combinations } from "../combine.ts";
import { elapsed } from "../streams/log.ts";
import { show } from "./show.ts";
import { outcome } from "./steps.ts";

/** Reads of at most so many: a file of endless reads fails instead of filling memory. */
const MOST_READS = 50;

type Use = (stream: ReadableStream<Uint8Array>, handle: FileHandle, context: Context) => Promise<unknown> | unknown;

async function drain(stream: ReadableStream<Uint8Array>): Promise<unknown> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < MOST_READS; i++) {
    const { value, done } = await reader.read();
    if (done) return [Buffer.concat(chunks), value, await outcome(() => reader.closed)];
    chunks.push(value);
  }
  return "does not end";
}

/** @param size bytes of each read */
async function drainByob(stream: ReadableStream<Uint8Array>, size: number): Promise<unknown> {
  const reader = stream.getReader({ mode: "byob" });
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < MOST_READS; i++) {
    const { value, done } = await reader.read(new Uint8Array(size));
    if (done) return [chunks.map(({ length }) => length), value, await outcome(() => reader.closed)];
    chunks.push(value as Uint8Array);
  }
  return "does not end";
}

const USES: Readonly<Record<string, Use>> = {
  "read to the end": (stream) => drain(stream),
  "read into views of 5 bytes": (stream) => drainByob(stream, 5),
  "read into views of 100 bytes": (stream) => drainByob(stream, 100),
  iterate: async (stream) => {
    let size = 0;
    for await (const chunk of stream) size += (chunk as Uint8Array).length;
    return [size, stream.locked];
  },
  "iterate and leave": async (stream) => {
    for await (const chunk of stream) return (chunk as Uint8Array).length;
    return "nothing";
  },
  cancel: async (stream) => [await outcome(() => stream.cancel("enough")), await drain(stream)],
  "cancel while a read is under way": async (stream) => {
    const reader = stream.getReader();
    const reading = reader.read();
    await outcome(() => reader.cancel());
    await outcome(() => reading);
    return outcome(() => reader.closed);
  },
  "cancel twice": async (stream) => [await outcome(() => stream.cancel()), await outcome(() => stream.cancel())],
  tee: async (stream) => {
    const [a, b] = stream.tee();
    const both = await Promise.all([drain(a), drain(b)]);
    return both;
  },
  "a Response": (stream) => new Response(stream).text(),
  "close the handle first": async (stream, handle) => {
    const closing = handle.close();
    const read = await outcome(() => drain(stream));
    return [read, await outcome(() => closing), handle.fd < 0];
  },
  "close the handle before the end": async (stream, handle) => {
    const reader = stream.getReader({ mode: "byob" });
    const first = (await reader.read(new Uint8Array(4))).value;
    const closing = handle.close();
    // The order of its keys is the platform's.
    const second = await outcome(async () => {
      const { value, done } = await reader.read(new Uint8Array(4));
      return [value, done];
    });
    return [first, second, await outcome(() => closing), await outcome(() => reader.closed)];
  },
  "a second one": async (stream, handle) => [
    await outcome(() => handle.readableWebStream()),
    await drain(stream),
    await outcome(() => handle.readableWebStream()),
  ],
  "a second one of a closing handle": async (stream, handle) => {
    const closing = handle.close();
    const second = await outcome(() => handle.readableWebStream());
    await outcome(() => stream.cancel());
    await closing;
    return [second, await outcome(() => handle.readableWebStream())];
  },
  "two readers": async (stream) => {
    const reader = stream.getReader();
    const second = await outcome(() => stream.getReader());
    reader.releaseLock();
    return [second, await drain(stream)];
  },
  "the handle reads beside it": async (stream, handle) => {
    const before = await handle.read(Buffer.alloc(3), 0, 3);
    return [before.buffer, await drain(stream), (await handle.read(Buffer.alloc(3), 0, 3)).bytesRead];
  },
};

const OPTIONS = [
  ...combinations({ type: ["bytes", "x", 5, null], autoClose: [true, false] }),
  ...[{ autoClose: 1 }, { autoClose: null }, { autoClose: "x", type: "bytes" }].map((options) => () => options),
];

function webStreamCase(name: string, use: Use, makeOptions: () => object, file: string): Case {
  return {
    id: `handle readableWebStream of ${file}, ${show(makeOptions())}: ${name}`,
    fn: "FileHandle.readableWebStream",
    form: "promise",
    covers: ["FileHandle.readableWebStream"],
    tree: "data",
    open: [file, "r"],
    args: () => [],
    after: () => undefined,
    program: async (context) => {
      const handle = context.handle as FileHandle;
      const made = await outcome(() => handle.readableWebStream(makeOptions() as never));
      if (!(made instanceof ReadableStream)) return made;
      const seen = await outcome(() => use(made as ReadableStream<Uint8Array>, handle, context));
      await outcome(() => made.cancel());
      await elapsed(5); // for a close that nobody waits for
      return [seen, made.locked, handle.fd < 0];
    },
  };
}

export const WEB_STREAM_CASES: readonly Case[] = Object.entries(USES).flatMap(([name, use]) =>
  OPTIONS.flatMap((make) => ["file", "empty", "big"].map((file) => webStreamCase(name, use, make, file))),
);
