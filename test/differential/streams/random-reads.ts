/** Random uses of read streams, each by a seed. */
import type { ReadStream } from "node:fs";
import { type Random, seededRandom } from "../../helpers/random.ts";
import type { NodeFs } from "../../helpers/subject.ts";
import { acceptable, type Log, type Script, settled, soon } from "./log.ts";

const EVENTS = ["open", "ready", "data", "end", "error", "close", "aborted"];
const SIZES = [0, 1, 36, 1000, 4096, 70_000, 200_001];
const NAMES = ["file", "missing", "directory", "link"];
const MARKS = [1, 7, 100, 16_384, 65_536, 100_000, undefined];
const ENCODINGS = [undefined, undefined, "utf8", "hex", "base64", "utf16le", "latin1", null];
const CONSUMERS = ["data", "readable", "iterate", "break", "destroy", "close", "pause", "abort", "error"] as const;

/** These take the data themselves: a listener would make it flow. */
const TAKING: readonly string[] = ["readable", "iterate", "break"];

function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)];
}

const FAR_FROM_END = { start: undefined, end: undefined, highWaterMark: 1000 };

/** Few enough chunks. */
function sizeFor(size: number, { highWaterMark = 65_536 }: { highWaterMark?: number }): number {
  return Math.min(size, highWaterMark * 50);
}

function bytesOf(random: Random, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i % 97 === 0 ? 10 : 32 + random(90))));
}

type Options = Record<string, unknown>;

function randomOptions(random: Random, size: number): Options {
  const options: Options = {};
  if (random(2)) options.highWaterMark = oneOf(random, MARKS);
  if (random(3) === 0) options.start = oneOf(random, [0, 1, size >> 1, size, size + 10, -1, 1.5, undefined, "0"]);
  if (random(3) === 0)
    options.end = oneOf(random, [0, 1, size >> 1, size - 1, size, size + 10, Infinity, undefined, null]);
  if (random(3) === 0) options.encoding = oneOf(random, ENCODINGS);
  if (random(3) === 0) options.autoClose = oneOf(random, [true, false, undefined]);
  if (random(4) === 0) options.emitClose = oneOf(random, [true, false]);
  if (random(8) === 0) options.flags = oneOf(random, ["r", "r+", "a+", "rs", "w+", "zz", 0, undefined]);
  return options;
}

/** A wrapper of some functions, by which calls are seen. */
function notingFs(fs: NodeFs, log: Log, failsAt: number): object {
  let reads = 0;
  return {
    open: (...args: Parameters<typeof fs.open>) => {
      log.add("fs.open", args.length);
      return fs.open(...args);
    },
    read: (fd: number, bytes: Uint8Array, offset: number, length: number, position: never, callback: never) => {
      log.add(`fs.read ${bytes.length} ${offset} ${length} ${position}`);
      if (reads++ !== failsAt) return fs.read(fd, bytes, offset, length, position, callback);
      return setImmediate(callback, Object.assign(new Error("no luck"), { code: "EIO" }));
    },
    close: (fd: number, callback: never) => {
      log.add("fs.close");
      return fs.close(fd, callback);
    },
  };
}

/** What becomes of a stream after some chunks. */
function actAfter(stream: ReadStream, log: Log, chunks: number, act: () => void): void {
  let seen = 0;
  stream.on("data", () => {
    if (seen++ === chunks) {
      log.add("act");
      act();
    }
  });
}

async function iterate(stream: ReadStream, log: Log, most: number): Promise<void> {
  let seen = 0;
  const pieces: Buffer[] = [];
  try {
    for await (const chunk of stream) {
      // Where chunks begin and end depends on how far reads have gone ahead.
      if (most === Infinity) pieces.push(Buffer.from(chunk));
      else if (seen++ === most) break;
    }
    if (most === Infinity) log.add("all", Buffer.concat(pieces));
  } catch (error) {
    log.add("rejected", error);
  }
}

function consume(
  stream: ReadStream,
  how: (typeof CONSUMERS)[number],
  chunks: number,
  log: Log,
  abort: () => void,
): void {
  const pieces: Buffer[] = [];
  switch (how) {
    case "data":
      stream.resume();
      break;
    case "readable":
      stream.on("readable", () => {
        for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) pieces.push(Buffer.from(chunk));
      });
      stream.on("end", () => log.add("all", Buffer.concat(pieces)));
      break;
    case "iterate":
    case "break":
      void iterate(stream, log, how === "break" ? chunks : Infinity);
      break;
    case "destroy":
      actAfter(stream, log, chunks, () => stream.destroy());
      break;
    case "error":
      actAfter(stream, log, chunks, () => stream.destroy(new Error("enough")));
      break;
    case "close":
      actAfter(stream, log, chunks, () => stream.close(log.callback("close")));
      break;
    case "abort":
      actAfter(stream, log, chunks, abort);
      break;
    default:
      actAfter(stream, log, chunks, () => {
        stream.pause();
        setTimeout(() => stream.resume(), 2);
      });
  }
}

async function readOnce(fs: NodeFs, root: string, log: Log, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const size = oneOf(random, SIZES);
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(`${root}/directory`, { recursive: true });
  fs.symlinkSync("file", `${root}/link`);
  const path = `${root}/${oneOf(random, random(4) ? ["file"] : NAMES)}`;
  const how = oneOf(random, CONSUMERS);
  // Whether the end has come by a break in the last chunks is a matter of time.
  const options: Options = { ...randomOptions(random, size), ...(how === "break" ? FAR_FROM_END : undefined) };
  const length = how === "break" ? 20_000 : sizeFor(size, options as { highWaterMark?: number });
  fs.writeFileSync(`${root}/file`, bytesOf(random, length));
  const abort = new AbortController();
  if (how === "abort") options.signal = abort.signal;
  const over = random(6);
  // How far reads go ahead of a pause, or of an end by break, is a matter of time.
  if (over === 0 && how !== "pause" && how !== "break") options.fs = notingFs(fs, log, random(4));
  const handle = over === 1 ? await fs.promises.open(`${root}/file`) : undefined;
  const fd = over === 2 ? fs.openSync(`${root}/file`, "r") : undefined;
  if (fd !== undefined) options.fd = fd;
  const isOwnMethod = random(2) === 0;
  if (handle !== undefined && !isOwnMethod) options.fd = handle;
  const asked = handle === undefined ? options : acceptable(options);
  let stream: (ReadStream & { fd?: number | null }) | undefined;
  try {
    const make = (): ReadStream =>
      handle !== undefined && isOwnMethod
        ? handle.createReadStream(asked as never)
        : fs.createReadStream(path, asked as never);
    stream = make() as typeof stream & ReadStream;
    log.add(
      Object.keys(stream)
        .filter((key) => key[0] !== "_")
        .join(),
    );
    const events = TAKING.includes(how) ? EVENTS.filter((event) => event !== "data") : EVENTS;
    log.watch(stream, events, ["break", "pause"].includes(how) ? ["bytesRead", "pos"] : []);
    const ended = settled(stream);
    consume(stream, how, random(3), log, () => abort.abort());
    await ended;
    log.add(
      `end ${how === "break" ? "" : stream.bytesRead} ${stream.pending} ${handle === undefined ? "" : handle.fd < 0}`,
    );
  } finally {
    if (handle !== undefined) {
      stream?.destroy(); // which holds the handle, unless it closes by itself
      log.add(`handle ${await soon(handle.close())}`);
    }
    // A descriptor that the stream closes may by then be another script's.
    if (fd !== undefined && stream?.fd !== null && !stream?.destroyed) fs.closeSync(fd);
  }
}

export function randomRead(seed: number): Script {
  return { name: `read, FOLIO_SEED=${seed}`, run: (fs, root, log) => readOnce(fs, root, log, seed) };
}
