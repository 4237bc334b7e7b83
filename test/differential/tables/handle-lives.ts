/** Lives of a FileHandle: each call under way while it closes, called while it closes and after; by each way to close. */
import type { FileHandle } from "node:fs/promises";
import type { Case, Context } from "../case.ts";
import { elapsed } from "../streams/log.ts";
import { show } from "./show.ts";
import { outcome } from "./steps.ts";

type Method = (...args: unknown[]) => unknown;

/** Every method that gives a promise, with arguments that it takes. */
const METHODS: Readonly<Record<string, () => unknown[]>> = {
  appendFile: () => ["more"],
  chmod: () => [0o640],
  chown: () => [0, 0],
  datasync: () => [],
  read: () => [Buffer.alloc(4), 0, 4, 0],
  readFile: () => ["utf8"],
  readv: () => [[Buffer.alloc(3)], 1],
  stat: () => [],
  sync: () => [],
  truncate: () => [3],
  utimes: () => [5, 6],
  write: () => ["text", 2],
  writeFile: () => ["whole"],
  writev: () => [[Buffer.from("one"), Buffer.from("two")], 1],
};

/** Methods that give something else, or nothing to wait for. */
const MAKERS: readonly string[] = [
  "createReadStream",
  "createWriteStream",
  "readLines",
  "readableWebStream",
  "getAsyncId",
];

const WAYS_TO_CLOSE: Readonly<Record<string, (handle: FileHandle) => Promise<void>>> = {
  close: (handle) => handle.close(),
  asyncDispose: (handle) => (handle as unknown as Record<symbol, () => Promise<void>>)[Symbol.asyncDispose](),
};

/** What has come of calls, and in which order. */
class Diary {
  readonly order: unknown[] = [];
  readonly ends: Promise<unknown>[] = [];
  readonly results: Record<string, unknown> = {};

  /** Calls, and notes how it ends when it does. */
  start(name: string, call: () => unknown): void {
    try {
      const end = Promise.resolve(call()).then(
        (value) => this.#note(name, "gives", value),
        (error) => this.#note(name, "rejects", error),
      );
      this.ends.push(end);
    } catch (error) {
      this.#note(name, "throws", error);
    }
  }

  #note(name: string, how: string, value: unknown): void {
    this.order.push(`${name} ${how}`);
    this.results[name] = value;
  }

  async over(): Promise<unknown[]> {
    await Promise.all(this.ends);
    return [this.order, this.results];
  }
}

function methodOf(handle: FileHandle, name: string): Method {
  return (handle as unknown as Record<string, Method>)[name].bind(handle);
}

function noteEvents(handle: FileHandle, { order }: Diary): void {
  const emitter = handle as unknown as NodeJS.EventEmitter;
  emitter.on("close", (...args: unknown[]) => order.push(`event close ${args.length}`));
  emitter.once("close", () => order.push("event close, once"));
}

type Life = (handle: FileHandle, diary: Diary, context: Context) => Promise<unknown>;

function life(fn: string, what: string, run: Life): Case {
  return {
    id: `handle ${fn}: ${what}`,
    fn: `FileHandle.${fn}`,
    form: "promise",
    covers: [`FileHandle.${fn}`, "FileHandle.fd"],
    tree: "data",
    open: ["file", "r+"],
    args: () => [],
    program: async (context) => {
      const diary = new Diary();
      noteEvents(context.handle as FileHandle, diary);
      const seen = await run(context.handle as FileHandle, diary, context);
      return [await diary.over(), seen, (context.handle as FileHandle).fd < 0];
    },
  };
}

const METHOD_LIVES: readonly Case[] = Object.entries(WAYS_TO_CLOSE).flatMap(([way, close]) =>
  Object.entries(METHODS).flatMap(([name, args]) => [
    life(name, `under way when ${way} is called`, async (handle, diary) => {
      diary.start(name, () => methodOf(handle, name)(...args()));
      diary.start("close", () => close(handle));
      return handle.fd < 0;
    }),
    life(name, `under way when ${way} is called, stat called then, and again after`, async (handle, diary) => {
      diary.start("first", () => methodOf(handle, name)(...args()));
      const closing = close(handle);
      // Which of the two comes back first is a matter of threads: sizes are not looked at.
      const second = await outcome(async () => typeof (await handle.stat()));
      await closing;
      diary.start("third", () => methodOf(handle, name)(...args()));
      return second;
    }),
    life(name, `called when ${way} is under way`, async (handle, diary) => {
      diary.start("close", () => close(handle));
      diary.start(name, () => methodOf(handle, name)(...args()));
      return handle.fd < 0;
    }),
    life(name, `called when ${way} is over`, async (handle, diary) => {
      await close(handle);
      diary.start(name, () => methodOf(handle, name)(...args()));
      return handle.fd < 0;
    }),
    life(name, `under way when ${way} is called twice`, async (handle, diary) => {
      diary.start(name, () => methodOf(handle, name)(...args()));
      diary.start("close", () => close(handle));
      diary.start("again", () => close(handle));
      return handle.fd < 0;
    }),
    life(name, `of the right handle, wrong this, ${way}`, async (handle, diary) => {
      const { [name]: bare } = handle as unknown as Record<string, Method>;
      diary.start("bare", () => bare(...args()));
      await close(handle);
      diary.start("bare, closed", () => bare(...args()));
      return undefined;
    }),
  ]),
);

function shownMade(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return [value.constructor.name, Object.prototype.toString.call(value)];
}

/** Lets go of what a handle waits for. */
async function letGo(made: unknown): Promise<void> {
  const stream = made as { destroy?(): void; cancel?(): Promise<void>; input?: { destroy(): void }; on?: Method };
  stream?.input?.destroy();
  stream?.destroy?.();
  if (stream?.cancel) await stream.cancel();
}

const MAKER_LIVES: readonly Case[] = MAKERS.flatMap((name) => [
  life(name, "of an open handle", async (handle, diary) => {
    const made = methodOf(handle, name)();
    const shown = shownMade(made);
    await letGo(made);
    diary.start("close", () => handle.close());
    return shown;
  }),
  ...[5, "x", null, true, [], () => {}].map((options) =>
    life(name, `options ${show(options)} (${typeof options})`, async (handle, diary) => {
      try {
        const made = methodOf(handle, name)(options);
        const shown = shownMade(made);
        await letGo(made);
        diary.start("close", () => handle.close());
        return shown;
      } catch (error) {
        return error;
      }
    }),
  ),
  life(name, "of no handle", async (handle, diary) => {
    const method = (handle as unknown as Record<string, Method>)[name];
    for (const self of [{}, undefined]) diary.start(typeof self, () => shownMade(method.call(self as never)));
    return undefined;
  }),
]);

const EVENT_LIVES: Readonly<Record<string, Life>> = {
  "listeners of close that throw": async (handle, diary) => {
    (handle as unknown as NodeJS.EventEmitter).on("close", () => {
      throw new Error("from a listener");
    });
    diary.start("close", () => handle.close());
    await elapsed(5); // for the close, which goes on though the call has thrown
    return handle.fd < 0;
  },
  "listeners taken away": async (handle, diary) => {
    const emitter = handle as unknown as NodeJS.EventEmitter;
    const before = emitter.listenerCount("close");
    emitter.removeAllListeners("close");
    emitter.prependListener("close", () => diary.order.push("prepended"));
    diary.start("close", () => handle.close());
    return [before, emitter.eventNames(), emitter.emit("other", 1), emitter.emit("close")];
  },
  "events of the program's own": async (handle, diary) => {
    const emitter = handle as unknown as NodeJS.EventEmitter;
    emitter.on("mine", (...args: unknown[]) => diary.order.push(["mine", ...args]));
    return [
      emitter.emit("mine", 1, "two"),
      emitter.emit("nobody"),
      emitter.getMaxListeners(),
      emitter.listeners("mine").length,
    ];
  },
  "an error that nobody hears": async (handle) =>
    (handle as unknown as NodeJS.EventEmitter).emit("error", new Error("mine")),
  "close within the listener of close": async (handle, diary) => {
    (handle as unknown as NodeJS.EventEmitter).once("close", () => diary.start("inner", () => handle.close()));
    diary.start("outer", () => handle.close());
    return undefined;
  },
  "the descriptor was closed by others": async (handle, diary, { fs }) => {
    const fd = handle.fd;
    fs.closeSync(fd);
    diary.start("stat", () => handle.stat());
    await diary.over();
    diary.start("close", () => handle.close());
    return handle.fd === fd;
  },
  "many closes": async (handle, diary) => {
    const promises = [handle.close(), handle.close(), handle.close()];
    diary.start("all", () => Promise.all(promises).then((all) => all.length));
    return [promises[0] === promises[1], promises[1] === promises[2], handle.close() === promises[0]];
  },
};

export const HANDLE_LIVES: readonly Case[] = [
  ...METHOD_LIVES,
  ...MAKER_LIVES,
  ...Object.entries(EVENT_LIVES).map(([what, run]) => life("close", what, run)),
];
