/**
 * Streams over files as web streams: what `Readable.toWeb()` and `Writable.toWeb()` of `node:stream` do, for libraries that
 * have neither. Back pressure goes through: nothing is read before it is asked for, and a write ends when there is room.
 *
 * @see Node 26 documentation of stream.Readable.toWeb(); WHATWG Streams
 */
import type { ReadStream } from "./read-stream.ts";
import type { WriteStream } from "./write-stream.ts";

type Iterable = ReadStream & AsyncIterable<Uint8Array | string>;

/** A read stream as a ReadableStream of its chunks. @param stream nobody else may read it @throws what reading fails with */
export function toWebReadable(stream: object): ReadableStream<Uint8Array> {
  const chunks = (stream as Iterable)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        (stream as ReadStream).destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What a write stream waits for: `event`, or that it fails or closes before. */
function reached(stream: WriteStream, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once(event, () => resolve());
    stream.once("error", reject as () => void);
    stream.once("close", () => reject(new Error("foliofs: the stream has closed early")));
  });
}

/** A write stream as a WritableStream: closed when the file is. @throws what writing fails with */
export function toWebWritable(stream: object): WritableStream<Uint8Array | string> {
  const target = stream as WriteStream & { write(chunk: unknown, done: (error?: unknown) => void): boolean };
  let failure: unknown;
  target.on("error", ((error: unknown) => {
    failure = error;
  }) as () => void);
  return new WritableStream({
    write(chunk) {
      if (failure !== undefined) throw failure;
      return new Promise<void>((resolve, reject) => {
        target.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    },
    async close() {
      const finished = reached(target, "finish");
      target.end();
      await finished;
    },
    abort(reason) {
      target.destroy(reason instanceof Error ? reason : undefined);
    },
  });
}
