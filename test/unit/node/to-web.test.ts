/** Streams over files as web streams, beside Node's own Readable.toWeb() and Writable.toWeb() of the same streams. */
import { strict as assert } from "node:assert";
import { Readable, Writable } from "node:stream";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { toWebReadable, toWebWritable } from "../../../src/streams-node.ts";

const BYTES = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 12)) % 251));

const READERS = [
  ["foliofs", toWebReadable],
  ["Node", (stream: object) => Readable.toWeb(stream as Readable) as unknown as ReadableStream<Uint8Array>],
] as const;

const WRITERS = [
  ["foliofs", toWebWritable],
  ["Node", (stream: object) => Writable.toWeb(stream as Writable) as unknown as WritableStream<Uint8Array | string>],
] as const;

function machine(): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  fs.writeFileSync("/file", BYTES);
  return fs;
}

describe.each(READERS)("a ReadableStream by %s", (_name, toWeb) => {
  it.each([1000, 4096, 65_536, 2 ** 20])("gives all bytes in chunks of %i", async (highWaterMark) => {
    const web = toWeb(machine().createReadStream("/file", { highWaterMark }));
    assert.deepEqual(Buffer.from(await new Response(web as never).arrayBuffer()), BYTES);
  });

  it("fails as reading does", async () => {
    const stream = machine().createReadStream("/nope");
    await assert.rejects(toWeb(stream).getReader().read(), { code: "ENOENT" });
  });

  it("closes the file when it is cancelled", async () => {
    const stream = machine().createReadStream("/file", { highWaterMark: 1000 });
    const reader = toWeb(stream).getReader();
    assert.equal((await reader.read()).done, false);
    stream.on("error", () => {});
    await reader.cancel();
    assert.deepEqual(await reader.read(), { value: undefined, done: true });
    assert.equal(stream.destroyed, true);
  });
});

describe.each(WRITERS)("a WritableStream by %s", (_name, toWeb) => {
  it("writes bytes and text, and ends when the file is closed", async () => {
    const fs = machine();
    const stream = fs.createWriteStream("/new", { highWaterMark: 1000 });
    const writer = toWeb(stream).getWriter();
    for (let at = 0; at < BYTES.length; at += 30_000) void writer.write(BYTES.subarray(at, at + 30_000));
    void writer.write("the end");
    await writer.close();
    assert.deepEqual(fs.readFileSync("/new"), Buffer.concat([BYTES, Buffer.from("the end")]));
  });

  it("fails as writing does, at once and after", async () => {
    const stream = machine().createWriteStream("/nope/file");
    const writer = toWeb(stream).getWriter();
    writer.closed.catch(() => {});
    await assert.rejects(writer.write(BYTES), { code: "ENOENT" });
    await assert.rejects(writer.write(BYTES), { code: "ENOENT" });
    await assert.rejects(writer.close());
  });

  it.each([[new Error("no more")], ["no error"]])("lets go of the file when it is aborted: %s", async (reason) => {
    const stream = machine().createWriteStream("/new");
    stream.on("error", () => {});
    const writer = toWeb(stream).getWriter();
    writer.closed.catch(() => {});
    await writer.write("some");
    await writer.abort(reason);
    assert.equal(stream.destroyed, true);
  });
});

describe("a stream of foliofs's own", () => {
  it("has nothing read before it is asked for", async () => {
    const stream = machine().createReadStream("/file", { highWaterMark: 1000 });
    const web = toWebReadable(stream);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stream.bytesRead, 0);
    assert.equal((await web.getReader().read()).value?.length, 1000);
  });

  it("fails to close when the file has been closed by others", async () => {
    const stream = machine().createWriteStream("/new");
    const writer = toWebWritable(stream).getWriter();
    writer.closed.catch(() => {});
    await writer.write("some");
    stream.destroy();
    await assert.rejects(writer.close());
  });

  it("has a failure that came between two writes told by the second", async () => {
    const stream = machine().createWriteStream("/new");
    const writer = toWebWritable(stream).getWriter();
    writer.closed.catch(() => {});
    await writer.write("some");
    stream.destroy(new Error("between"));
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(writer.write("more"), /between/);
  });
});
