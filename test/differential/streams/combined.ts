/** Streams by every way to make one, with options of which any two values meet. */
import type { EventEmitter } from "node:events";
import type { ReadStream, WriteStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Interface } from "node:readline";
import type { NodeFs } from "../../helpers/subject.ts";
import { combinations, type OptionValues } from "../combine.ts";
import { show } from "../tables/show.ts";
import { acceptable, elapsed, type Log, type Script, settled, soon } from "./log.ts";

/** A script of one function. */
export interface StreamRow extends Script {
  /** As in `fs`, or of FileHandle. */
  readonly fn: string;
}

type Options = Record<string, unknown>;
type Make<Stream> = (fs: NodeFs, path: string, options: Options, handle: FileHandle) => Stream;
type New<Stream> = new (path: string, options: Options) => Stream;

const READ_EVENTS = ["open", "ready", "data", "end", "error", "close"];
const WRITE_EVENTS = ["open", "ready", "drain", "finish", "error", "close"];

const aborted = AbortSignal.abort();
const fresh = new AbortController().signal;

const READ_OPTIONS: OptionValues = {
  flags: ["r", "r+", "wx", "zz"],
  encoding: ["utf8", "hex", "zz"],
  start: [0, 3, 100, -1, "x"],
  end: [0, 5, Number.POSITIVE_INFINITY, 2],
  highWaterMark: [1, 4, 65_536],
  autoClose: [true, false],
  emitClose: [true, false],
  signal: [fresh, aborted, 5],
};

const WRITE_OPTIONS: OptionValues = {
  flags: ["w", "a", "r+", "wx", "r", "zz"],
  encoding: ["utf8", "hex", "zz"],
  mode: [0o600, "640", "zz"],
  start: [0, 3, -1, "x"],
  highWaterMark: [1, 65_536],
  autoClose: [true, false],
  emitClose: [true, false],
  flush: [true, false, 1],
  signal: [fresh, aborted, 5],
};

const READERS: Readonly<Record<string, Make<ReadStream>>> = {
  createReadStream: (fs, path, options) => fs.createReadStream(path, options as never),
  ReadStream: (fs, path, options) => new (fs.ReadStream as unknown as New<ReadStream>)(path, options),
  FileReadStream: (fs, path, options) =>
    new (fs as unknown as { FileReadStream: New<ReadStream> }).FileReadStream(path, options),
  "FileHandle.createReadStream": (_fs, _path, options, handle) => handle.createReadStream(acceptable(options) as never),
};

const WRITERS: Readonly<Record<string, Make<WriteStream>>> = {
  createWriteStream: (fs, path, options) => fs.createWriteStream(path, options as never),
  WriteStream: (fs, path, options) => new (fs.WriteStream as unknown as New<WriteStream>)(path, options),
  FileWriteStream: (fs, path, options) =>
    new (fs as unknown as { FileWriteStream: New<WriteStream> }).FileWriteStream(path, options),
  "FileHandle.createWriteStream": (_fs, _path, options, handle) =>
    handle.createWriteStream(acceptable(options) as never),
};

type Use<Stream> = (stream: Stream, log: Log) => void;

function read(stream: ReadStream, log: Log): void {
  log.watch(stream, READ_EVENTS);
}

function write(stream: WriteStream, log: Log): void {
  log.watch(stream, WRITE_EVENTS);
  log.add("write", stream.write("6162", log.callback("first")));
  log.add("write", stream.write(Buffer.from("bytes"), log.callback("second")));
  stream.end("63", log.callback("end"));
}

function readLines(lines: Interface, log: Log): void {
  lines.on("line", (line) => log.add("line", line));
  lines.on("close", () => log.add("close"));
}

/** One stream over a file, and what becomes of its handle. */
function row<Stream extends object>(
  fn: string,
  makeOptions: () => Options,
  make: Make<Stream>,
  use: Use<Stream>,
): StreamRow {
  return {
    fn,
    name: `${fn}, ${show(makeOptions())}`,
    run: async (fs, root, log) => {
      fs.rmSync(root, { recursive: true, force: true });
      fs.mkdirSync(root, { recursive: true });
      const path = `${root}/file`;
      fs.writeFileSync(path, "first\nsecond, é\nlast");
      const handle = await fs.promises.open(path, "r+");
      let stream: (Stream & { destroy?(): void; input?: ReadStream }) | undefined;
      try {
        stream = make(fs, path, makeOptions(), handle);
        const ended = settled(stream as unknown as EventEmitter);
        use(stream, log);
        // An error ends the lines of a reader, too, and is nobody's there.
        stream.input?.on("error", (error: Error) => log.add("error of the input", error));
        await ended;
      } finally {
        stream?.input?.destroy();
        stream?.destroy?.();
        await elapsed(5);
        log.add(`handle ${handle.fd < 0} ${await soon(handle.close())}`);
        log.add("file", fs.readFileSync(path));
        log.add(`mode ${fs.statSync(path).mode.toString(8)}`);
      }
    },
  };
}

function rows<Stream extends object>(
  makers: Readonly<Record<string, Make<Stream>>>,
  options: OptionValues,
  use: Use<Stream>,
): StreamRow[] {
  const all = combinations(options);
  return Object.entries(makers).flatMap(([fn, make]) => all.map((makeOptions) => row(fn, makeOptions, make, use)));
}

const LINES: Readonly<Record<string, Make<Interface>>> = {
  "FileHandle.readLines": (_fs, _path, options, handle) => handle.readLines(acceptable(options) as never) as Interface,
};

export const COMBINED_ROWS: readonly StreamRow[] = [
  ...rows(READERS, READ_OPTIONS, read),
  ...rows(WRITERS, WRITE_OPTIONS, write),
  ...rows(LINES, READ_OPTIONS, readLines),
];
