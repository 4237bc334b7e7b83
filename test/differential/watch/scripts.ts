/** Programs that watch, each to be run on node:fs and on foliofs in an empty directory of the same path. */
import type * as NodeFs from "node:fs";

type Fs = typeof NodeFs;

/** One program: what it notes must be the same on both. */
export interface Script {
  readonly name: string;
  /** Only where the process's Node is the one that is followed. */
  readonly isNew?: boolean;
  run(fs: Fs, root: string, note: (...what: unknown[]) => void): Promise<void> | void;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** What has happened is told in a turn or two; over a thread pool it takes longer. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => void setImmediate(resolve));
}

function noteError(note: (...what: unknown[]) => void, call: () => unknown): void {
  try {
    const made = call() as { close?(): void; removeAllListeners?(): void } | undefined;
    made?.close?.();
    note("nothing thrown");
  } catch (error) {
    const { name, message, code, errno, syscall, path } = error as Error & Record<string, unknown>;
    note(name, message, code, errno, syscall, path, Object.keys(error as object).join());
  }
}

const INTERVAL_MS = 10;

/** Looks are made every so often, on a busy machine later: what is done is seen by one of the next. */
function looked(): Promise<void> {
  return delay(30 * INTERVAL_MS);
}

function briefly(stats: NodeFs.Stats | NodeFs.BigIntStats): string {
  const { size, mode, nlink, mtimeMs } = stats;
  return `${typeof size} ${size} ${mode.toString(8)} ${Number(mtimeMs) === 0 ? "no time" : "a time"} ${nlink > 0}`;
}

/** Wrong arguments of watch(), without the path. */
const WRONG_OPTIONS: readonly unknown[] = [
  1,
  Symbol("s"),
  true,
  "no encoding",
  { encoding: "no encoding" },
  { encoding: 1 },
  { signal: {} },
  { signal: null },
  { signal: "text" },
];
const NEWER_OPTIONS: readonly unknown[] = [
  { ignore: "" },
  { ignore: 1 },
  { ignore: [/a/, ""] },
  { ignore: [/a/, 5] },
  { ignore: {} },
  { recursive: true, persistent: 1 },
  { recursive: true, ignore: "" },
  { recursive: true, throwIfNoEntry: 1 },
  { recursive: "yes" },
  { recursive: true, encoding: 5 },
];
const PATHS: readonly unknown[] = [
  "missing",
  "a\0b",
  "",
  1,
  undefined,
  null,
  {},
  new URL("http://a/b"),
  "f/under",
  "x".repeat(300),
];

async function firstOf(fs: Fs, path: unknown, options: unknown, note: (...what: unknown[]) => void): Promise<void> {
  try {
    const controller = new AbortController();
    const given = options === undefined ? { signal: controller.signal } : options;
    const iterator = fs.promises.watch(path as string, given as object);
    const first = iterator[Symbol.asyncIterator]().next();
    setTimeout(() => controller.abort("enough"), 10);
    const raced = await Promise.race([first, delay(30)]);
    note("no error", raced);
  } catch (error) {
    const { name, message, code, errno, syscall, cause } = error as Error & Record<string, unknown>;
    note(name, message, code, errno, syscall, cause);
  }
}

/** Events of an iterator until it ends. */
function collect(iterator: AsyncIterable<unknown>, note: (...what: unknown[]) => void): Promise<void> {
  const read = async (): Promise<void> => {
    for await (const event of iterator) note("event", JSON.stringify(event), Object.getPrototypeOf(event) === null);
    note("ended");
  };
  return read().catch((error) => note(error.name, error.code, error.message, String(error.cause)));
}

export const SCRIPTS: readonly Script[] = [
  {
    name: "watch: paths that cannot be watched",
    run(fs, root, note) {
      fs.writeFileSync(`${root}/f`, "");
      for (const path of PATHS) {
        const full = typeof path === "string" && path !== "" ? `${root}/${path}` : path;
        noteError(note, () => fs.watch(full as string));
      }
    },
  },
  {
    name: "watch: wrong options",
    run(fs, root, note) {
      for (const options of WRONG_OPTIONS) noteError(note, () => fs.watch(root, options as object));
    },
  },
  {
    name: "watch: wrong newer options",
    isNew: true,
    run(fs, root, note) {
      for (const options of NEWER_OPTIONS) noteError(note, () => fs.watch(root, options as object));
      noteError(note, () => fs.watch(`${root}/missing`, { recursive: true }));
      for (const path of PATHS.slice(3, 7)) noteError(note, () => fs.watch(path as string, { recursive: true }));
    },
  },
  {
    name: "watch: what is not there, and may be",
    isNew: true,
    async run(fs, root, note) {
      for (const recursive of [false, true]) {
        const watcher = fs.watch(`${root}/missing`, { recursive, throwIfNoEntry: false } as object, note);
        watcher.on("close", () => note("close"));
        fs.writeFileSync(`${root}/missing`, "");
        await settled();
        if (recursive) watcher.close(); // Node 26 ends the process for the other
        await settled();
        fs.unlinkSync(`${root}/missing`);
      }
    },
  },
  {
    name: "watch: nothing is told within the call, and all in its order",
    async run(fs, root, note) {
      const watcher = fs.watch(root, note);
      fs.writeFileSync(`${root}/a`, "text");
      note("written");
      process.nextTick(() => note("tick"));
      await Promise.resolve();
      note("microtask");
      await settled();
      watcher.close();
    },
  },
  {
    name: "watch: equal events in a row are one",
    async run(fs, root, note) {
      const watcher = fs.watch(root, note);
      for (let i = 0; i < 5; i++) fs.appendFileSync(`${root}/a`, "x");
      for (let i = 0; i < 3; i++) fs.chmodSync(`${root}/a`, 0o600);
      fs.appendFileSync(`${root}/a`, "x");
      await settled();
      watcher.close();
    },
  },
  {
    name: "watch: what listeners do is told behind what has happened",
    async run(fs, root, note) {
      let left = 3;
      const watcher = fs.watch(root, (type, name) => {
        note(type, name);
        if (left-- > 0) fs.mkdirSync(`${root}/more${left}`);
      });
      fs.mkdirSync(`${root}/a`);
      fs.mkdirSync(`${root}/b`);
      for (let i = 0; i < 4; i++) await settled();
      watcher.close();
    },
  },
  {
    name: "watch: closed within an event, and started again",
    async run(fs, root, note) {
      const watcher = fs.watch(root, (type, name) => {
        note("first", type, name);
        watcher.close();
      });
      const other = fs.watch(root, (type, name) => note("second", type, name));
      fs.mkdirSync(`${root}/a`);
      fs.mkdirSync(`${root}/b`);
      await settled();
      watcher.close();
      other.close();
      other.close();
      await settled();
    },
  },
  {
    name: "watch: a signal",
    async run(fs, root, note) {
      const controller = new AbortController();
      const watcher = fs.watch(root, { signal: controller.signal }, note);
      watcher.on("close", () => note("close"));
      fs.mkdirSync(`${root}/a`);
      await settled();
      controller.abort();
      fs.mkdirSync(`${root}/b`);
      await settled();
      const late = fs.watch(root, { signal: controller.signal }, note);
      late.on("close", () => note("late close"));
      await settled();
    },
  },
  {
    name: "watch: the shape of a watcher",
    run(fs, root, note) {
      const watcher = fs.watch(root);
      note(
        watcher.constructor.name,
        watcher.ref() === watcher,
        watcher.unref() === watcher,
        watcher.listenerCount("change"),
      );
      note(["close", "ref", "unref", "start"].map((name) => typeof (watcher as never)[name]).join());
      watcher.close();
    },
  },
  {
    name: "watch: what is ignored",
    isNew: true,
    async run(fs, root, note) {
      const ignore = [["*.log"], [/^a/], [(name: string) => name.endsWith("b")], ["d/*", "?x"], ["**/q"]];
      for (const [i, one] of ignore.entries())
        for (const recursive of [false, true]) {
          const work = `${root}/${i}${recursive}`;
          fs.mkdirSync(`${work}/d`, { recursive: true });
          const watcher = fs.watch(work, { ignore: one, recursive } as object, (...event) =>
            note(i, recursive, ...event),
          );
          for (const name of ["a.log", "ab", "b", "d/y", "d/z.log", "xx", "d/q", "ü.log"]) {
            fs.writeFileSync(`${work}/${name}`, "");
            await settled();
          }
          watcher.close();
        }
    },
  },
  {
    name: "watchFile: what was there, changes, goes and comes back",
    async run(fs, root, note) {
      const file = `${root}/f`;
      fs.writeFileSync(file, "text");
      fs.watchFile(file, { interval: INTERVAL_MS }, (now, before) => note(briefly(now), briefly(before)));
      await looked();
      fs.writeFileSync(file, "longer text");
      await looked();
      fs.chmodSync(file, 0o600);
      await looked();
      fs.linkSync(file, `${root}/other`);
      await looked();
      fs.unlinkSync(file);
      await looked();
      fs.writeFileSync(file, "new");
      await looked();
      fs.rmSync(file);
      fs.mkdirSync(file);
      await looked();
      fs.unwatchFile(file);
      fs.rmdirSync(file);
      await looked();
    },
  },
  {
    name: "watchFile: what is not there is told once; bigints",
    async run(fs, root, note) {
      const file = `${root}/f`;
      fs.watchFile(file, { interval: INTERVAL_MS, bigint: true }, (now, before) => note(briefly(now), briefly(before)));
      await looked();
      await looked();
      fs.writeFileSync(file, "text");
      await looked();
      fs.unlinkSync(file);
      await looked();
      fs.unwatchFile(file);
    },
  },
  {
    name: "watchFile: one watcher for a path, however it is written",
    async run(fs, root, note) {
      const file = `${root}/f`;
      fs.writeFileSync(file, "text");
      const first = () => note("first");
      const second = () => note("second");
      const watcher = fs.watchFile(file, { interval: INTERVAL_MS }, first);
      note(watcher === fs.watchFile(`${root}/./x/../f`, { interval: 5 }, second), watcher.constructor.name);
      watcher.on("stop", () => note("stop"));
      await looked();
      fs.writeFileSync(file, "longer text");
      await looked();
      fs.unwatchFile(file, first);
      fs.writeFileSync(file, "still longer text");
      await looked();
      fs.unwatchFile(file, () => {});
      note(watcher.listenerCount("change"));
      fs.unwatchFile(file, second);
      note("unwatched");
      await settled();
      fs.unwatchFile(file);
      note(watcher === fs.watchFile(file, { interval: INTERVAL_MS }, first));
      fs.unwatchFile(file);
    },
  },
  {
    name: "watchFile: wrong arguments",
    run(fs, root, note) {
      const file = `${root}/f`;
      for (const path of PATHS.slice(1, 8).filter((path) => path !== ""))
        noteError(note, () => fs.watchFile(path as string, () => {}));
      for (const path of PATHS.slice(1, 8).filter((path) => path !== ""))
        noteError(note, () => fs.unwatchFile(path as string));
      for (const listener of [undefined, null, 1, "text", {}])
        noteError(note, () => fs.watchFile(file, listener as never));
      for (const interval of [-1, 1.5, "1", null, 2 ** 32])
        noteError(note, () => fs.watchFile(file, { interval } as never, () => {}));
      fs.unwatchFile(file);
    },
  },
  {
    name: "promises.watch: events, until a signal",
    isNew: true,
    async run(fs, root, note) {
      const controller = new AbortController();
      const done = collect(fs.promises.watch(root, { signal: controller.signal }), note);
      await settled();
      fs.writeFileSync(`${root}/a`, "text");
      await settled();
      fs.renameSync(`${root}/a`, `${root}/b`);
      await settled();
      controller.abort("enough");
      fs.unlinkSync(`${root}/b`);
      await done;
    },
  },
  {
    name: "promises.watch: begins with the first event that is asked for, and ends with return()",
    isNew: true,
    async run(fs, root, note) {
      const iterator = fs.promises.watch(root) as AsyncGenerator;
      fs.mkdirSync(`${root}/a`);
      await settled();
      const first = iterator.next();
      await settled();
      fs.mkdirSync(`${root}/b`);
      fs.mkdirSync(`${root}/c`);
      note(JSON.stringify(await first));
      await settled();
      note(JSON.stringify(await iterator.next()));
      note(JSON.stringify(await iterator.return(undefined)));
      note(JSON.stringify(await iterator.next()));
      note(Object.prototype.toString.call(iterator));
    },
  },
  {
    name: "promises.watch: a full queue is an error, where it is to be",
    isNew: true,
    async run(fs, root, note) {
      const iterator = fs.promises.watch(root, { maxQueue: 2, overflow: "error" } as object) as AsyncGenerator;
      const first = iterator.next();
      await settled();
      fs.mkdirSync(`${root}/a`);
      note(JSON.stringify(await first));
      for (const name of ["b", "c", "d", "e"]) fs.mkdirSync(`${root}/${name}`);
      await settled();
      await collect(iterator, note);
    },
  },
  {
    name: "promises.watch: a full queue loses what comes behind",
    isNew: true,
    async run(fs, root, note) {
      const controller = new AbortController();
      const iterator = fs.promises.watch(root, { maxQueue: 2, signal: controller.signal } as object) as AsyncGenerator;
      const first = iterator.next();
      await settled();
      fs.mkdirSync(`${root}/a`);
      note(JSON.stringify(await first));
      for (const name of ["b", "c", "d", "e"]) fs.mkdirSync(`${root}/${name}`);
      await settled();
      const done = collect(iterator, note);
      await settled();
      controller.abort();
      await done;
    },
  },
  {
    name: "promises.watch: wrong arguments",
    isNew: true,
    async run(fs, root, note) {
      fs.writeFileSync(`${root}/f`, "");
      for (const path of PATHS)
        await firstOf(fs, typeof path === "string" && path ? `${root}/${path}` : path, undefined, note);
      const aborted = AbortSignal.abort("before");
      const wrong = [
        null,
        1,
        "utf8",
        [],
        { persistent: 1 },
        { recursive: 1 },
        { maxQueue: 1.5 },
        { overflow: "x" },
        { signal: 1 },
        { encoding: "no encoding" },
        { signal: aborted },
      ];
      for (const options of wrong) await firstOf(fs, root, options, note);
    },
  },
  {
    name: "promises.watch: what is ignored",
    isNew: true,
    async run(fs, root, note) {
      const controller = new AbortController();
      const options = { signal: controller.signal, ignore: ["*.log", /^a/] } as object;
      const done = collect(fs.promises.watch(root, options), note);
      await settled();
      for (const name of ["x.log", "a", "b"]) fs.mkdirSync(`${root}/${name}`);
      await settled();
      controller.abort();
      await done;
      for (const ignore of ["", 1, [1]]) await firstOf(fs, root, { ignore }, note);
    },
  },
  {
    name: "promises.watch: names as bytes and in encodings",
    async run(fs, root, note) {
      for (const encoding of ["hex", "base64", "latin1", null, undefined]) {
        const iterator = fs.promises.watch(root, { encoding } as object) as AsyncGenerator;
        const first = iterator.next();
        await settled();
        fs.mkdirSync(`${root}/ü${encoding}`);
        note(encoding, JSON.stringify(await first));
        await iterator.return(undefined);
      }
    },
  },
];
