/** The reader of lines for platforms without node:readline, beside Node's: the same lines, however their text is cut. */
import { strict as assert } from "node:assert";
import { EventEmitter } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type Input, type LineReader, lineReaderClass } from "../../../src/node/streams/line-reader.ts";
import { isFollowedVersion } from "../../differential/versions.ts";

const Interface = lineReaderClass(EventEmitter as never);

type Reader = LineReader & EventEmitter;

const ours = (input: Readable): Reader => new Interface(input as unknown as Input) as Reader;
const nodes = (input: Readable): Reader =>
  createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }) as unknown as Reader;

const READERS = [
  ["foliofs", ours],
  ["Node", nodes],
] as const;

function linesByEvents(reader: Reader): Promise<string[]> {
  const lines: string[] = [];
  reader.on("line", (line: string) => lines.push(line));
  return new Promise((resolve, reject) => {
    reader.on("close", () => resolve(lines));
    reader.on("error", reject);
  });
}

async function linesByLoop(reader: Reader): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of reader) lines.push(line);
  return lines;
}

/** Older Nodes end no line by U+2028 and U+2029. */
const SEPARATORS = isFollowedVersion() ? ["\u2028", "\u2029"] : [];

const pieces = fc.array(
  fc.array(fc.constantFrom("a", "é", "\n", "\r", "\r\n", "longer text ", ...SEPARATORS), { maxLength: 6 }),
  { maxLength: 12 },
);

describe("lines", () => {
  it("are Node's, by events and in a loop", async () => {
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const chunks = parts.flatMap((part) => (part.length === 0 ? [] : [Buffer.from(part.join(""))])); // files give no empty ones
        for (const read of [linesByEvents, linesByLoop])
          assert.deepEqual(await read(ours(Readable.from(chunks))), await read(nodes(Readable.from(chunks))));
      }),
      { numRuns: 300 },
    );
  });

  it("end by U+2028 and U+2029, too, as in Node 26", async () => {
    assert.deepEqual(await linesByLoop(ours(Readable.from([Buffer.from("a\u2028b\u2029c\u2028")]))), ["a", "b", "c"]);
  });

  it("are whole where a chunk ends within a character", async () => {
    const bytes = Buffer.from("é€\n𝄞");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const input = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.deepEqual(await linesByLoop(ours(input)), ["é€", "𝄞"]);
    }
  });

  describe.each(READERS)("of %s", (_name, readerOf) => {
    it("come from their iterator one by one, then in a loop over the same", async () => {
      const reader = readerOf(Readable.from([Buffer.from("one\ntwo\nthree\n")]));
      const iterator = reader[Symbol.asyncIterator]();
      assert.equal((await iterator.next()).value, "one");
      const rest: string[] = [];
      for await (const line of iterator as AsyncIterableIterator<string>) rest.push(line);
      assert.deepEqual(rest, ["two", "three"]);
    });

    it("more than wait for their reader are all there", async () => {
      const text = Array.from({ length: 5000 }, (_, i) => `line ${i}`);
      const reader = readerOf(Readable.from([Buffer.from(text.join("\n")), Buffer.from("\nlast\n")]));
      assert.deepEqual(await linesByLoop(reader), [...text, "last"]);
    });

    it("end a loop with the error that their input has come to", async () => {
      const input = new PassThrough();
      const reader = readerOf(input);
      reader.on("error", () => {});
      const iterator = reader[Symbol.asyncIterator]();
      input.write("one\nrest");
      assert.deepEqual(await iterator.next(), { value: "one", done: false });
      input.destroy(new Error("it broke"));
      await assert.rejects(async () => iterator.next(), /it broke/);
      assert.deepEqual(await iterator.next(), { value: undefined, done: true });
    });

    it("wait while the reader is paused", async () => {
      const input = new PassThrough();
      const reader = readerOf(input);
      const told: string[] = [];
      for (const event of ["pause", "resume", "close"]) reader.on(event, () => told.push(event));
      const lines = linesByEvents(reader);
      reader.pause();
      assert.equal(input.isPaused(), true);
      input.end("one\n");
      reader.resume();
      assert.deepEqual(await lines, ["one"]);
      reader.close();
      assert.deepEqual(told.slice(0, 2), ["pause", "resume"]);
      assert.equal(told.filter((event) => event === "close").length, 1);
    });
  });

  it("are asked for no more when a loop is left, as Node documents it", async () => {
    const input = new PassThrough();
    const reader = ours(input);
    setImmediate(() => input.write("one\ntwo\nthree\n"));
    for await (const line of reader) {
      assert.equal(line, "one");
      break;
    }
    assert.equal(reader.closed, true);
    assert.equal(input.isPaused(), true);
  });

  it("go to those who have asked for them before they came, in turn", async () => {
    const input = new PassThrough();
    const iterator = ours(input)[Symbol.asyncIterator]();
    const asked = [iterator.next(), iterator.next(), iterator.next()];
    input.end("one\ntwo");
    assert.deepEqual(
      (await Promise.all(asked)).map(({ value }) => value),
      ["one", "two", undefined],
    );
  });

  it("are iterated once: an iterator is its own", () => {
    const iterator = ours(new PassThrough())[Symbol.asyncIterator]() as AsyncIterableIterator<string>;
    assert.equal(iterator[Symbol.asyncIterator](), iterator);
  });
});
