/** Uses of Utf8Stream, which Node has from version 24.6 on. */
import type { EventEmitter } from "node:events";
import type { NodeFs } from "../../helpers/subject.ts";
import { elapsed, errorText, type Log, type Script } from "./log.ts";

interface Stream extends EventEmitter {
  [member: string]: unknown;
  write(data: unknown): boolean;
  flush(callback?: (error?: unknown) => void): void;
  flushSync(): void;
  reopen(file?: string): void;
  end(): void;
  destroy(): void;
}

type Class = new (options?: unknown) => Stream;
type Run = (make: (options: object) => Stream, log: Log, path: (name: string) => string, fs: NodeFs) => Promise<void>;

const EVENTS = ["ready", "write", "drain", "drop", "error", "finish", "close"];
const GETTERS = "mode file minLength maxLength writing sync fsync append periodicFlush contentMode mkdir".split(" ");

export function utf8ClassOf(fs: NodeFs): Class | undefined {
  return (fs as unknown as { Utf8Stream?: Class }).Utf8Stream;
}

function pause(ms = 15): Promise<void> {
  return elapsed(ms);
}

/** For where a time would be too short on a busy machine. */
function onceClosed(stream: Stream): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

/** Or has failed to be. */
function onceOpened(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["ready", "error"]) stream.once(event, () => resolve());
  });
}

function attempt(log: Log, name: string, call: () => unknown): void {
  try {
    log.add(`${name}: ${call()}`);
  } catch (error) {
    log.add(`${name} threw ${errorText(error)}`);
  }
}

function script(name: string, run: Run): Script {
  return {
    name: `Utf8Stream: ${name}`,
    run: async (fs, root, log) => {
      fs.rmSync(root, { recursive: true, force: true });
      fs.mkdirSync(root, { recursive: true });
      const make = (options: object): Stream => {
        const stream = new (utf8ClassOf(fs) as Class)(options);
        for (const event of EVENTS) {
          stream.on(event, (value) =>
            log.add(value instanceof Error ? `${event} ${errorText(value)}` : `${event} ${value}`),
          );
        }
        return stream;
      };
      await run(make, log, (file) => `${root}/${file}`, fs);
    },
  };
}

const BAD_OPTIONS = [
  ...["minLength", "maxLength", "maxWrite", "periodicFlush"].flatMap((name) =>
    [-1, "x", 1.5].map((bad) => ({ [name]: bad })),
  ),
  ...["append", "mkdir", "sync", "fsync", "retryEAGAIN", "fs"].map((name) => ({ [name]: 5 })),
  ...[{ contentMode: "x" }, { mode: "zz" }, { fs: { write: 5 } }],
  ...[{ minLength: 20_000 }, { minLength: 16_384, maxWrite: 16_384 }, { maxWrite: 0 }, { mode: 0o600 }],
];

export const UTF8_SCRIPTS: readonly Script[] = [
  script("options", async (make, log, path) => {
    for (const options of [undefined, null, 5, {}, { dest: null }, { fd: true }]) {
      attempt(log, String(options), () => make(options as never));
    }
    for (const options of BAD_OPTIONS) {
      attempt(log, JSON.stringify(options), () => {
        const stream = make({ dest: path("file"), ...options });
        const shown = GETTERS.filter((name) => name !== "file" && name !== "writing").map((name) =>
          String(stream[name]),
        );
        stream.destroy();
        return shown.join();
      });
      await pause(5);
    }
  }),
  script("opening", async (make, log, path, fs) => {
    for (const sync of [false, true]) {
      for (const options of [
        { dest: path("no/x") },
        { dest: path(`new-${sync}/x`), mkdir: true },
        { dest: path("") },
      ]) {
        const made: Stream[] = [];
        attempt(log, "made", () => void made.push(make({ ...options, sync })));
        for (const stream of made) {
          if (!sync) await onceOpened(stream);
          await pause();
          log.add(GETTERS.map((name) => `${stream[name]}`).join());
          stream.destroy();
        }
        await pause();
      }
    }
    log.add(String(fs.existsSync(path("new-true/x"))));
  }),
  ...[{}, { sync: true }, { minLength: 4 }, { sync: true, minLength: 4 }, { append: false, fsync: true }].map(
    (options) =>
      script(`a life with ${JSON.stringify(options)}`, async (make, log, path, fs) => {
        fs.writeFileSync(path("file"), "old ");
        const stream = make({ dest: path("file"), ...options });
        attempt(log, "flushSync", () => (options.sync ? "" : stream.flushSync()));
        await pause();
        for (const text of ["ab", "cdéf", "g"]) attempt(log, "write", () => stream.write(text));
        await pause();
        stream.flush((error) => log.add(`flushed ${error}`));
        await pause();
        attempt(log, "reopen", () => stream.reopen(path("other")));
        await pause();
        attempt(log, "write", () => stream.write("tail"));
        await pause();
        stream.write("x");
        attempt(log, "flushSync", () => stream.flushSync());
        await pause();
        for (const bad of [5, null, Buffer.from("b")]) attempt(log, "bad", () => stream.write(bad));
        stream.end();
        await pause();
        for (const name of ["write", "flushSync", "reopen", "end", "destroy"] as const) {
          attempt(log, `${name} at the end`, () => (stream[name] as (data: string) => unknown)("late"));
        }
        log.add(fs.readFileSync(path("file"), "utf8") + fs.readFileSync(path("other"), "utf8"));
      }),
  ),
  script("limits", async (make, log, path, fs) => {
    const small = make({ dest: path("small"), maxLength: 10, minLength: 8 });
    for (const text of ["12345", "123456", "1234"]) log.add(String(small.write(text)));
    const closed = onceClosed(small);
    small.end();
    await closed;
    log.add(fs.readFileSync(path("small"), "utf8"));
    for (const contentMode of ["utf8", "buffer"]) {
      const stream = make({ dest: path(contentMode), maxWrite: 10, contentMode });
      for (const text of ["aaaa", "bbbb", "cccc", "d".repeat(16), "e"]) {
        stream.write(contentMode === "utf8" ? text : Buffer.from(text));
      }
      attempt(log, "other kind", () => stream.write(contentMode === "utf8" ? Buffer.from("x") : "x"));
      await pause(30);
      const hasClosed = onceClosed(stream);
      stream.end();
      await hasClosed;
      log.add(fs.readFileSync(path(contentMode), "utf8"));
    }
    const large = make({ dest: path("large") });
    for (const size of [16_386, 1, 40_000]) log.add(String(large.write("y".repeat(size))));
    await pause(30);
    large.destroy();
    await pause();
  }),
  script("writes that are busy, short, or fail", async (make, log, path, fs) => {
    const failure = (code: string) => Object.assign(new Error(code), { code });
    for (const code of ["EAGAIN", "EIO"]) {
      let left = code === "EAGAIN" ? 2 : 1;
      const write = (fd: number, text: string, encoding: BufferEncoding, callback: never) => {
        if (left-- > 0) return setImmediate(callback, failure(code), 0);
        const bytes = Buffer.from(text, encoding).subarray(0, 3);
        return fs.write(fd, bytes, callback);
      };
      const retryEAGAIN = (error: Error, length: number, rest: number) => {
        log.add(`retry ${error.message} ${length} ${rest}`);
        return true;
      };
      const stream = make({ dest: path(code), fs: { write }, retryEAGAIN });
      await pause();
      stream.write("hello there");
      await pause(350);
      stream.destroy();
      await pause();
      log.add(fs.readFileSync(path(code), "utf8"));
    }
  }),
  script("a descriptor of the program's own", async (make, log, path, fs) => {
    const fd = fs.openSync(path("file"), "w");
    const stream = make({ fd });
    log.add(`${stream.fd === fd} ${stream.file}`);
    await pause();
    attempt(log, "reopen", () => stream.reopen(path("other")));
    stream.write("text");
    stream.end();
    await pause();
    log.add(fs.readFileSync(path("file"), "utf8"));
  }),
];
