/** Random uses of write streams, each by a seed. */
import type { WriteStream } from "node:fs";
import { type Random, seededRandom } from "../../helpers/random.ts";
import type { NodeFs } from "../../helpers/subject.ts";
import { acceptable, elapsed, type Log, QUIET_MS, type Script, settled, soon } from "./log.ts";

const EVENTS = ["open", "ready", "drain", "finish", "error", "close", "pipe"];
const FLAGS = ["w", "a", "r+", "wx", "ax", "w+", "r", "zz", 0o102, undefined];

function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)];
}

type Options = Record<string, unknown>;

function randomOptions(random: Random): Options {
  const options: Options = {};
  if (random(3) === 0) options.highWaterMark = oneOf(random, [1, 10, 1000, 16_384, 100_000]);
  if (random(4) === 0) options.start = oneOf(random, [0, 1, 5, 5000, -1, 2.5, undefined, "1"]);
  if (random(3) === 0) options.flags = oneOf(random, FLAGS);
  if (random(4) === 0) options.encoding = oneOf(random, ["utf8", "hex", "latin1", "utf16le", null]);
  if (random(3) === 0) options.autoClose = oneOf(random, [true, false, undefined]);
  if (random(4) === 0) options.emitClose = oneOf(random, [true, false]);
  if (random(4) === 0) options.flush = oneOf(random, [true, false, null]);
  if (random(5) === 0) options.mode = oneOf(random, [0o600, "640", 0o777, undefined]);
  return options;
}

type WriteCallback = (error: Error | null, bytes: number, data: never) => void;

/** Functions that write less than they are asked to, are busy, or fail. */
function unsteadyFs(fs: NodeFs, log: Log, random: Random): object {
  const kind = oneOf(random, ["short", "busy", "failing"]);
  let calls = 0;
  const failed = (code: string, bytes: Uint8Array, callback: WriteCallback): void => {
    setImmediate(callback, Object.assign(new Error("no luck"), { code }), 0, bytes as never);
  };
  const write = (
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: never,
    callback: WriteCallback,
  ) => {
    // Node tries again after EAGAIN where the stream has been destroyed meanwhile, and would throw where nobody can catch it.
    if (typeof fd !== "number") return failed("EBADF", bytes, callback);
    log.add(`fs.write ${offset} ${length} ${Number.isInteger(position) ? position : "own"}`);
    calls++;
    if (kind === "busy" && calls % 3 !== 0) return failed("EAGAIN", bytes, callback);
    if (kind === "failing" && calls > 2) return failed("EIO", bytes, callback);
    return fs.write(fd, bytes, offset, Math.min(length, 100_000), position, callback as never);
  };
  const { open, close, fsync } = fs;
  return { open, close, fsync, write };
}

function chunkOf(random: Random): string | Uint8Array {
  const text = String.fromCharCode(97 + random(26)).repeat(oneOf(random, [0, 1, 2, 10, 500, 20_000]));
  return oneOf(random, [text, Buffer.from(text), new Uint8Array(Buffer.from(text))]);
}

/** One step of a program that writes. */
function step(stream: WriteStream, random: Random, log: Log, count: number): void {
  const choice = random(12);
  if (choice === 0) stream.cork();
  else if (choice === 1) stream.uncork();
  else if (choice === 2)
    log.add("writable", [stream.writableLength, stream.writableNeedDrain, stream.bytesWritten].join());
  else if (choice === 3) log.add("write hex", stream.write("abcd", "hex", log.callback(`write ${count}`)));
  else if (choice === 4)
    log.add(
      "bad",
      catching(() => stream.write(5 as never)),
    );
  else log.add("write", stream.write(chunkOf(random), log.callback(`write ${count}`)));
}

function catching(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

function endBy(stream: WriteStream, how: string, log: Log, abort: () => void): void {
  log.add(how);
  if (how === "end") stream.end(log.callback("end"));
  else if (how === "end with") stream.end("the end", log.callback("end"));
  else if (how === "destroy") stream.destroy();
  else if (how === "error") stream.destroy(new Error("enough"));
  else if (how === "close") stream.close(log.callback("close"));
  else if (how === "destroySoon") (stream as unknown as { destroySoon(): void }).destroySoon();
  else abort();
}

async function writeOnce(fs: NodeFs, root: string, log: Log, seed: number): Promise<void> {
  const random = seededRandom(seed);
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(`${root}/directory`, { recursive: true });
  if (random(2)) fs.writeFileSync(`${root}/file`, "what was there before");
  const path = `${root}/${oneOf(random, random(6) ? ["file"] : ["directory", "missing/file", "directory/new"])}`;
  const options = randomOptions(random);
  const abort = new AbortController();
  const how = oneOf(random, ["end", "end", "end with", "destroy", "error", "close", "destroySoon", "abort"]);
  if (how === "abort") options.signal = abort.signal;
  const over = random(6);
  if (over === 0) options.fs = unsteadyFs(fs, log, random);
  const handle = over === 1 ? await fs.promises.open(`${root}/file`, "w+") : undefined;
  const fd = over === 2 ? fs.openSync(`${root}/file`, "a+") : undefined;
  if (fd !== undefined) options.fd = fd;
  const isOwnMethod = random(2) === 0;
  if (handle !== undefined && !isOwnMethod) options.fd = handle;
  const asked = handle === undefined ? options : acceptable(options);
  let made: (WriteStream & { fd?: number | null }) | undefined;
  try {
    const stream =
      handle !== undefined && isOwnMethod
        ? handle.createWriteStream(asked as never)
        : fs.createWriteStream(path, asked as never);
    made = stream;
    log.add(
      Object.keys(stream)
        .filter((key) => key[0] !== "_")
        .join(),
    );
    log.watch(stream, EVENTS);
    const ended = settled(stream);
    const steps = random(8);
    const waits = random(2) === 0;
    for (let i = 0; i < steps; i++) step(stream, random, log, i);
    if (waits && steps > 0) {
      stream.uncork();
      await soon(new Promise((resolve) => stream.write("last", resolve)));
      await elapsed(20);
      // Open: of a stream that has failed and is not destroyed, whose callback comes first, that of a write or that of the end,
      // is not Node's (FOLIO_SEED=618778916).
      for (let i = 0; i < 3; i++) if (!stream.destroyed && !stream.errored) step(stream, random, log, i + steps);
    }
    endBy(stream, how, log, () => abort.abort());
    await Promise.race([ended, elapsed(QUIET_MS)]);
    await elapsed(20);
    log.add(
      `end ${stream.bytesWritten} ${stream.pending} ${(stream as { pos?: number }).pos} ${handle === undefined ? "" : handle.fd < 0}`,
    );
  } finally {
    if (handle !== undefined) {
      made?.destroy(); // which holds the handle, unless it closes by itself
      log.add(`handle ${await soon(handle.close())}`);
    }
    // A descriptor that the stream closes may by then be another script's.
    if (fd !== undefined && made?.fd !== null && !made?.destroyed) fs.closeSync(fd);
  }
  if (fs.existsSync(`${root}/file`)) {
    log.add("file", fs.readFileSync(`${root}/file`));
    log.add(`mode ${fs.statSync(`${root}/file`).mode.toString(8)}`);
  }
}

export function randomWrite(seed: number): Script {
  return { name: `write, FOLIO_SEED=${seed}`, run: (fs, root, log) => writeOnce(fs, root, log, seed) };
}
