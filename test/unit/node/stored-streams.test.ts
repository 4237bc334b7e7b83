/**
 * Streams over files of a store that takes its time: they read and write by the forms that wait, and so neither fail with
 * EAGAIN nor close a file under a call.
 */
import { strict as assert } from "node:assert";
import { once } from "node:events";
import type { ReadStream, WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { describe, it } from "vitest";
import { EIO } from "../../../src/index.ts";
import { answering, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE } from "../../helpers/mock-store.ts";
import { thrownBy } from "./host-face.ts";

const LENGTH = 20 * PAGE + 77;

async function allOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

const scene = (): Scene => storeScene(LENGTH, { isAsync: true });

describe("a stream over a file of a slow store", () => {
  const WAYS: [string, (all: Scene) => ReadStream | Promise<ReadStream>][] = [
    ["a path", ({ fs }) => fs.createReadStream("/m/file")],
    ["a path, in small chunks", ({ fs }) => fs.createReadStream("/m/file", { highWaterMark: 1000 })],
    ["a descriptor", ({ fs, fd }) => fs.createReadStream("", { fd, autoClose: false })],
    ["a handle", async ({ fs }) => (await fs.promises.open("/m/file")).createReadStream() as unknown as ReadStream],
  ];
  it.each(WAYS)("reads it by %s", async (_name, make) => {
    const all = scene();
    const stream = await make(all);
    assert.deepEqual(await answering(all, allOf(stream)), all.data);
    assert.equal(stream.bytesRead, LENGTH);
    assert(all.store.log.length > 0); // the store was asked
    all.kernel.verify();
  });

  it("reads a range of it", async () => {
    const all = scene();
    const stream = all.fs.createReadStream("/m/file", { start: PAGE - 1, end: 3 * PAGE });
    assert.deepEqual(await answering(all, allOf(stream)), all.data.subarray(PAGE - 1, 3 * PAGE + 1));
  });

  it("reads it as a web stream, and by lines", async () => {
    const all = scene();
    const handle = await all.fs.promises.open("/m/file");
    const web = handle.readableWebStream({ autoClose: true });
    const body = new Response(web as unknown as ReadableStream).arrayBuffer();
    assert.deepEqual(Buffer.from(await answering(all, body)), all.data);
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of (await all.fs.promises.open("/m/file")).readLines({ encoding: "latin1" }))
        lines.push(line);
    })();
    await answering(all, reading);
    assert.equal(lines.join("\n"), all.data.toString("latin1").replace(/\r\n?/g, "\n").replace(/\n$/, ""));
  });

  it("fails by what the store says", async () => {
    const all = scene();
    all.store.verdict = () => -EIO;
    const reading = allOf(all.fs.createReadStream("/m/file"));
    await assert.rejects(answering(all, reading), { code: "EIO", syscall: "read" });
    all.kernel.verify();
  });

  it("that is destroyed while the store is asked closes its file after the answer", async () => {
    const all = scene();
    const stream = all.fs.createReadStream("/m/file") as ReadStream & { fd: number | null };
    await once(stream.resume(), "ready");
    while (all.store.pending.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const { fd } = stream;
    stream.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(all.fs.fstatSync(fd as number).size, LENGTH);
    const closed = new Promise((resolve) => stream.once("close", resolve));
    await answering(all, closed);
    assert.throws(() => all.fs.fstatSync(fd as number), { code: "EBADF" });
    all.kernel.verify();
  });

  it("writes it, where pages have to be read before", async () => {
    const all = scene();
    const stream: WriteStream = all.fs.createWriteStream("/m/file", { flags: "r+", start: 100 });
    const chunks = [Buffer.alloc(PAGE, 1), Buffer.alloc(3, 2), Buffer.alloc(2 * PAGE, 3)];
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    await answering(all, finished(stream));
    const written = Buffer.concat(chunks);
    assert.equal(stream.bytesWritten, written.length);
    const expected = Buffer.concat([all.data.subarray(0, 100), written, all.data.subarray(100 + written.length)]);
    const now = all.fs.promises.readFile("/m/file");
    assert.deepEqual(await answering(all, now), expected);
    all.kernel.verify();
  });
});

describe("a FileHandle", () => {
  /** As Node refuses what it cannot send to another thread. */
  it("is not posted to other threads: the call fails, and the handle stays as it was", async () => {
    const { fs } = storeScene(PAGE);
    const handle = await fs.promises.open("/m/file");
    const { port1, port2 } = new MessageChannel();
    const transfer = [handle] as unknown as Transferable[];
    const refusal = thrownBy(() => port1.postMessage({}, [{}] as unknown as Transferable[]));
    const { name, message, code } = refusal;
    assert.throws(() => port1.postMessage(handle, transfer), { name, message, code });
    assert.throws(() => port1.postMessage(handle), { name: "DataCloneError", code: 25 });
    assert.throws(() => structuredClone({ handle }), { name: "DataCloneError", code: 25 });
    assert.equal((await handle.stat()).size, PAGE);
    await handle.close();
    port1.close();
    port2.close();
  });
});
