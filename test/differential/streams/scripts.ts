/** Uses of streams that were chosen, one for each promise. */
import { type EventEmitter, once } from "node:events";
import type { ReadStream, WriteStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { NodeFs } from "../../helpers/subject.ts";
import { elapsed, type Log, type Script, settled, soon } from "./log.ts";

const READ_EVENTS = ["open", "ready", "data", "end", "error", "close"];
const WRITE_EVENTS = ["open", "ready", "finish", "error", "close"];
const LINES = "first\nsecond\r\nthird, with é\n\nlast";

type Run = (fs: NodeFs, root: string, log: Log) => Promise<void> | void;

/** A script over `root` with `file` in it. */
function script(name: string, run: Run): Script {
  return {
    name,
    run: async (fs, root, log) => {
      fs.rmSync(root, { recursive: true, force: true });
      fs.mkdirSync(root, { recursive: true });
      fs.writeFileSync(`${root}/file`, LINES);
      await run(fs, root, log);
    },
  };
}

function shapeOf(object: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(object)).map(([key, { value, get, set, ...rest }]) => {
    const kind = typeof value === "function" ? `${value.name}/${value.length}` : typeof value;
    return `${key}: ${kind} ${typeof get} ${typeof set} ${JSON.stringify(rest)}`;
  });
}

const BAD_ARGUMENTS = [5, "bad", true, Symbol.iterator, [], () => {}];
const BAD_OPTIONS: readonly object[] = [
  ...[-1, 1.5, "1", 1n, null, Number.NaN].map((start) => ({ start })),
  ...[-1, 1.5, "1", null, Number.NaN].map((end) => ({ end })),
  { start: 5, end: 3 },
  ...["x", -1, 1.5, {}, true, Number.NaN].map((fd) => ({ fd })),
  ...[{}, { open() {} }, { open() {}, read() {}, write() {} }, { open: 5 }, 5].map((fs) => ({ fs })),
  ...[{ read: 5 }, { write: 5, writev: 5 }, { writev() {} }, { write() {}, writev: 5 }].map((fs) => ({ fs, fd: 3 })),
  { fs: { open() {}, read() {}, write() {} }, autoClose: false },
  { flush: true, fs: { open() {}, read() {}, write() {}, close() {} } },
  ...[1, "x", {}].map((flush) => ({ flush })),
  ...[{}, 5, null].map((signal) => ({ signal })),
  ...["zz", 5, {}].map((encoding) => ({ encoding })),
  ...[-1, "x", 1.5, Number.NaN].map((highWaterMark) => ({ highWaterMark })),
  ...[7.5, "zz", null, {}].map((flags) => ({ flags })),
  ...["zz", 1.5, null].map((mode) => ({ mode })),
];
const BAD_PATHS = [
  undefined,
  null,
  5,
  "a\0b",
  {},
  "",
  new URL("http://x/"),
  new URL("file:///a%2fb"),
  Buffer.from([0]),
];

/** Makes both kinds, and notes what is thrown at once and what comes as an event. */
async function tryBoth(fs: NodeFs, log: Log, path: unknown, options: unknown): Promise<void> {
  for (const name of ["createReadStream", "createWriteStream"] as const) {
    try {
      const stream = (fs[name] as (path: unknown, options: unknown) => ReadStream | WriteStream)(path, options);
      const failure = new Promise((resolve) => stream.on("error", resolve));
      stream.on("open", () => stream.destroy());
      const closed = new Promise((resolve) => stream.on("close", () => resolve("closed")));
      log.add(name, await soon(Promise.race([failure, closed])));
    } catch (error) {
      log.add(`${name} throws`, error);
    }
  }
}

async function logged(log: Log, name: string, call: () => unknown): Promise<void> {
  try {
    const value = await call();
    log.add(name, typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : String(value));
  } catch (error) {
    log.add(name, error);
  }
}

async function textOf(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

const MAKING: Script[] = [
  script("classes have Node's shape, but for what Node has renamed or deprecated", (fs, _root, log) => {
    for (const name of ["ReadStream", "WriteStream"] as const) {
      const { prototype } = fs[name] as unknown as { prototype: object };
      const members = shapeOf(prototype).filter((line) => !line.startsWith("open:"));
      log.add(name, [...shapeOf(fs[name]), ...members].join("\n"));
      log.add("parent", Object.getPrototypeOf(fs[name]).name);
    }
    const { FileReadStream, FileWriteStream } = fs as unknown as Record<string, unknown>;
    log.add(`${FileReadStream === fs.ReadStream} ${FileWriteStream === fs.WriteStream}`);
  }),
  script("options that are none", async (fs, root, log) => {
    for (const options of BAD_ARGUMENTS) {
      log.add(String(options));
      await tryBoth(fs, log, `${root}/file`, options);
    }
  }),
  script("options with a value that is none", async (fs, root, log) => {
    for (const options of BAD_OPTIONS) {
      log.add(JSON.stringify(options, (_key, value) => (typeof value === "bigint" ? "bigint" : value)));
      const { fd } = options as { fd?: unknown };
      if (fd !== 3) await tryBoth(fs, log, `${root}/file`, options);
    }
  }),
  script("paths that are none", async (fs, _root, log) => {
    for (const path of BAD_PATHS) await tryBoth(fs, log, path, undefined);
  }),
  script("calls without new, and subclasses", async (fs, root, log) => {
    const Read = fs.ReadStream as unknown as (path: string) => ReadStream;
    const Write = fs.WriteStream as unknown as (path: string) => WriteStream;
    const read = Read(`${root}/file`);
    const write = Write(`${root}/other`);
    log.add(`${read instanceof fs.ReadStream} ${write instanceof fs.WriteStream} ${read instanceof Readable}`);
    log.add("text", await textOf(read));
    write.end("x");
    await settled(write);
    class Own extends (fs.ReadStream as unknown as new (path: string) => ReadStream) {
      override _read(size: number): void {
        log.add("own", size);
        super._read(size);
      }
    }
    const own = new Own(`${root}/file`);
    log.add(`${own instanceof fs.ReadStream} ${own.constructor.name}`);
    log.add("text", await textOf(own));
  }),
  script("an open of the program's own", async (fs, root, log) => {
    class Own extends (fs.ReadStream as unknown as new (path: string) => ReadStream) {
      open(): void {
        log.add("open called");
        fs.open(this.path, (error, fd) => {
          if (error) return this.emit("error", error);
          (this as { fd?: number }).fd = fd;
          return this.emit("open", fd);
        });
      }
    }
    for (const name of ["file", "missing"]) {
      const stream = new Own(`${root}/${name}`);
      log.watch(stream, READ_EVENTS);
      await settled(stream);
    }
  }),
];

const HANDLES: Script[] = [
  script("a handle closes under its streams, and they with it", async (fs, root, log) => {
    for (const autoClose of [true, false]) {
      const handle = await fs.promises.open(`${root}/file`, "r+");
      const read = handle.createReadStream({ autoClose });
      const write = handle.createWriteStream({ autoClose });
      (handle as unknown as EventEmitter).on("close", () => log.add("handle close"));
      log.watch(read, READ_EVENTS);
      await once(read, "end");
      await logged(log, "close", () => soon(handle.close()));
      log.add(`${handle.fd} ${read.destroyed} ${write.destroyed}`);
      await elapsed(10); // their events come at their own time
    }
  }),
  script("last data that destroys the stream of a handle", async (fs, root, log) => {
    // A decoder keeps what is no whole group of bytes: it comes as data when the end is known.
    const acts: Record<string, (stream: ReadStream, handle: FileHandle) => void> = {
      destroy: (stream) => stream.destroy(),
      close: (stream) => stream.close(log.callback("close")),
      error: (stream) => stream.destroy(new Error("enough")),
      "close of the handle": (_stream, handle) => void handle.close(), // which the stream finds closed
      "close of the handle, destroy": (stream, handle) => {
        void handle.close();
        stream.destroy();
      },
      "destroy, close of the handle": (stream, handle) => {
        stream.destroy();
        void handle.close();
      },
    };
    for (const [name, act] of Object.entries(acts)) {
      for (const end of [undefined, Buffer.byteLength(LINES) - 1]) {
        log.add(`${name}, end ${end}`);
        const handle = await fs.promises.open(`${root}/file`);
        const stream = handle.createReadStream({ encoding: "base64", end });
        log.watch(stream, READ_EVENTS);
        let seen = 0;
        stream.on("data", () => {
          if (++seen !== 2) return;
          act(stream, handle);
          process.nextTick(() => log.add("tick"));
          void Promise.resolve().then(() => log.add("microtask"));
        });
        await settled(stream);
      }
    }
  }),
  script("streams of a closed or closing handle", async (fs, root, log) => {
    for (const name of ["createReadStream", "createWriteStream", "readLines", "readableWebStream"] as const) {
      const handle = await fs.promises.open(`${root}/file`, "r+");
      const reading = handle.read(Buffer.alloc(3));
      let letGo = (): void => {};
      const closing = handle.close();
      await logged(log, `${name} closing`, () => {
        const made = handle[name]() as unknown as ReadStream;
        if (name !== "readableWebStream") made.on("error", (error: Error) => log.add("error", error));
        letGo = () => {
          if (name === "readLines") (made as unknown as { input: ReadStream }).input.destroy();
          else if (name === "readableWebStream") void (made as unknown as ReadableStream).cancel();
          else made.destroy();
        };
        return made;
      });
      await reading;
      letGo();
      await soon(closing);
      await logged(log, `${name} closed`, () => handle[name]());
    }
  }),
  script("what a handle refuses", async (fs, root, log) => {
    const handle = await fs.promises.open(`${root}/file`);
    await logged(log, "fs", () => handle.createReadStream({ fs } as never));
    await logged(log, "no handle", () => handle.createReadStream.call({} as never));
    const reading = handle.createReadStream({ autoClose: false });
    await once(reading.resume(), "end");
    log.add(`fd of the handle ${handle.fd >= 0}`);
    reading.destroy();
    await handle.close();
  }),
  script("lines", async (fs, root, log) => {
    const handle = await fs.promises.open(`${root}/file`);
    for await (const line of handle.readLines({ highWaterMark: 2 })) log.add("line", line);
    log.add(`closed ${handle.fd === -1}`);
  }),
  script("lines, some of them, from the middle", async (fs, root, log) => {
    const handle = await fs.promises.open(`${root}/file`);
    const lines = handle.readLines({ start: 3, end: 9, autoClose: false });
    lines.on("line", (line) => log.add("line", line));
    lines.on("close", () => log.add("close"));
    await once(lines, "close");
    log.add(`open ${handle.fd >= 0}`);
    await soon(handle.close());
    const other = await fs.promises.open(`${root}/file`);
    for await (const line of other.readLines()) {
      log.add("line", line);
      break;
    }
    await soon(other.close());
  }),
  script("pipelines", async (fs, root, log) => {
    fs.writeFileSync(`${root}/big`, Buffer.alloc(300_000, "0123456789"));
    await pipeline(fs.createReadStream(`${root}/big`), fs.createWriteStream(`${root}/copy`));
    log.add(`${fs.readFileSync(`${root}/big`).equals(fs.readFileSync(`${root}/copy`))}`);
    const copy = fs.createWriteStream(`${root}/copy`);
    await logged(log, "missing", () => pipeline(fs.createReadStream(`${root}/no`), copy));
    await settled(copy); // it is opened, and so emptied, though nothing comes
    log.add(`${fs.statSync(`${root}/copy`).size}`);
    await logged(log, "directory", () => pipeline(fs.createReadStream(`${root}/big`), fs.createWriteStream(root)));
  }),
  script("functions are looked up when they are called", async (fs, root, log) => {
    const { open, read, close, write } = fs;
    // On an object that inherits for the oracle, so that nobody else's calls are noted.
    const patched = Object.assign(Object.create(fs), {}) as typeof fs;
    const noting = (name: string, call: (...args: never[]) => unknown) =>
      ((...args: never[]) => {
        log.add(`${name} of ${args.length}`);
        return call(...args);
      }) as never;
    Object.assign(patched, { open: noting("open", open as never), close: noting("close", close as never) });
    Object.assign(patched, { read: noting("read", read as never), write: noting("write", write as never) });
    const stream = fs.createReadStream(`${root}/file`, { fs: patched });
    log.watch(stream, READ_EVENTS);
    await settled(stream);
    const out = fs.createWriteStream(`${root}/out`, { fs: patched, flush: true });
    log.watch(out, WRITE_EVENTS);
    out.write("x");
    out.end("y");
    await settled(out);
  }),
];

type Late = (stream: WriteStream, log: Log) => void;

/** What is done to a stream all at once, when its file is open; and again once it has failed. */
const LATE: Readonly<Record<string, Late>> = {
  "write, end": (stream, log) => {
    stream.write("x", log.callback("write"));
    stream.end(log.callback("end"));
  },
  "write, end, write": (stream, log) => {
    stream.write("x", log.callback("first"));
    stream.end(log.callback("end"));
    stream.write("y", log.callback("second"));
  },
  "corked writes, end": (stream, log) => {
    stream.cork();
    for (const name of ["first", "second"]) stream.write("x", log.callback(name));
    stream.end("z", log.callback("end"));
  },
  "write, end twice": (stream, log) => {
    stream.write("x", log.callback("write"));
    for (const name of ["end", "end again"]) stream.end(log.callback(name));
  },
  "writes, destroy, write": (stream, log) => {
    for (const name of ["first", "second"]) stream.write("x", log.callback(name));
    stream.destroy();
    stream.write("y", log.callback("third"));
    stream.end(log.callback("end"));
  },
  "write, destroy by an error, end": (stream, log) => {
    stream.write("x", log.callback("write"));
    stream.destroy(new Error("enough"));
    stream.end(log.callback("end"));
  },
};

const LATE_SCRIPTS: Script[] = Object.entries(LATE).flatMap(([name, act]) =>
  ["r", "w"].flatMap((flags) =>
    [true, false].map((autoClose) =>
      script(`${name}: flags ${flags}, autoClose ${autoClose}`, async (fs, root, log) => {
        const stream = fs.createWriteStream(`${root}/file`, { flags, autoClose });
        log.watch(stream, [...WRITE_EVENTS, "drain"]);
        await once(stream, "ready");
        for (let round = 0; round < 2; round++) {
          log.add(`round ${round}`);
          act(stream, log);
          await elapsed(20);
        }
        stream.destroy();
        await elapsed(20);
      }),
    ),
  ),
);

export const SCRIPTS: readonly Script[] = [...MAKING, ...HANDLES, ...LATE_SCRIPTS];
