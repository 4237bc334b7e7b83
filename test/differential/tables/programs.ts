/** What takes more than one call: the lives of Dir and FileHandle, and calls that are under way at once. */
import type { Dir } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import type { Case, Context } from "../case.ts";
import type { TreeName } from "../tree.ts";

/** What comes of each step: its value, or the error that it ends in. */
export async function steps(...calls: readonly (() => unknown)[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const call of calls) {
    try {
      results.push(await call());
    } catch (error) {
      results.push(error);
    }
  }
  return results;
}

type DirProgram = (dir: Dir, context: Context) => Promise<unknown>;
type HandleProgram = (handle: FileHandle, context: Context) => Promise<unknown>;

async function namesOf(dir: Dir): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of dir) names.push(entry.name);
  return names;
}

const DIR_PROGRAMS: Record<string, DirProgram> = {
  "read to the end": (dir) => steps(...[1, 2, 3, 4].map(() => () => dir.read()), () => dir.close()),
  "readSync to the end": (dir) => steps(...[1, 2, 3, 4].map(() => () => dir.readSync()), () => dir.closeSync()),
  "read with callbacks": (dir) =>
    steps(
      () => new Promise((resolve) => dir.read((...results) => resolve(results))),
      () => new Promise((resolve) => dir.close((...results) => resolve(results))),
    ),
  iterate: (dir) => steps(() => namesOf(dir)),
  "iterate and leave": (dir) =>
    steps(
      async () => {
        for await (const entry of dir) return entry.name;
      },
      () => dir.read(),
    ),
  "iterate twice": (dir) =>
    steps(
      () => namesOf(dir),
      () => namesOf(dir),
    ),
  "entries()": (dir) =>
    steps(async () => (await (dir as Dir & { entries(): AsyncIterator<unknown> }).entries().next()).value),
  "close twice": (dir) =>
    steps(
      () => dir.close(),
      () => dir.close(),
    ),
  "closeSync twice": (dir) =>
    steps(
      () => dir.closeSync(),
      () => dir.closeSync(),
    ),
  "use after close": (dir) =>
    steps(
      () => dir.closeSync(),
      () => dir.read(),
      () => dir.readSync(),
      () => dir.read(null as never),
      () => dir.close(null as never),
      () => dir.path,
    ),
  "wrong callbacks": (dir) =>
    steps(
      () => dir.read(5 as never),
      () => dir.close("x" as never),
      () => dir.closeSync(),
    ),
  "readSync while read is under way": (dir) =>
    steps(
      async () => {
        const reading = dir.read();
        let error: unknown;
        try {
          dir.readSync();
        } catch (caught) {
          error = caught;
        }
        return [error, await reading];
      },
      () => dir.closeSync(),
    ),
  "closeSync while read is under way": (dir) =>
    steps(
      async () => {
        const reading = dir.read();
        let error: unknown;
        try {
          dir.closeSync();
        } catch (caught) {
          error = caught;
        }
        return [error, await reading];
      },
      () => dir.close(),
    ),
  "many reads at once": (dir) =>
    steps(
      () => Promise.all([dir.read(), dir.read(), dir.read()]),
      () => dir.close(),
    ),
  "read and close at once": (dir) => steps(() => Promise.all([dir.read(), dir.close()])),
};

const HANDLE_PROGRAMS: Record<string, HandleProgram> = {
  "close twice": (handle) =>
    steps(
      () => handle.close(),
      () => handle.fd,
      () => handle.close(),
    ),
  "use after close": (handle) =>
    steps(
      () => handle.close(),
      () => handle.read(Buffer.alloc(1)),
      () => handle.write("x"),
      () => handle.stat(),
      () => handle.readFile(),
      () => handle.writeFile("x"),
      () => handle.truncate(0),
      () => handle.chmod(0o600),
      () => handle.chown(1, 1),
      () => handle.utimes(1, 1),
      () => handle.sync(),
      () => handle.datasync(),
      () => handle.readv([Buffer.alloc(1)]),
      () => handle.writev([Buffer.alloc(1)]),
      () => handle.appendFile("x"),
    ),
  "whole files of fs.promises after close": async (handle, { fs }) => {
    await handle.close();
    const { readFile, writeFile, appendFile } = fs.promises;
    const aborted = AbortSignal.abort(new Error("because"));
    return steps(
      ...[undefined, "utf8", "buffer", "nonsense", 5, { signal: aborted }, { buffer: Buffer.alloc(5) }].map(
        (options) => () => readFile(handle, options as never),
      ),
      ...["x", "", Buffer.from("x"), new Uint8Array(0), [], ["x"], [""], ["", "x"], 5, null, {}].flatMap((data) => [
        () => writeFile(handle, data as string),
        () => appendFile(handle, data as string),
        () => writeFile(handle, data as string, { signal: aborted }),
        () => writeFile(handle, data as string, { flush: true, encoding: "hex" }),
        () => writeFile(handle, data as string, 5 as never),
      ]),
    );
  },
  "wrong arguments after close": async (handle) => {
    await handle.close();
    return steps(
      () => handle.read(5 as never),
      () => handle.readv(5 as never),
      () => handle.write(5 as never),
      () => handle.write(""),
      () => handle.writev(5 as never),
      () => handle.writev([]),
      () => handle.readFile("nonsense" as never),
      () => handle.writeFile(5 as never),
      () => handle.stat(5 as never),
      () => handle.truncate("x" as never),
      () => handle.chmod("x"),
      () => handle.utimes({} as never, {} as never),
      () => handle.close(),
    );
  },
  "the fd is a getter": (handle) =>
    steps(
      () => Object.keys(handle),
      () => {
        (handle as { fd: number }).fd = 5;
      },
    ),
  "tells of its close": (handle) =>
    steps(async () => {
      const events: string[] = [];
      (handle as FileHandle & NodeJS.EventEmitter).on("close", () => events.push("close"));
      await handle.close();
      return events;
    }),
  "read without arguments": (handle) =>
    steps(async () => {
      const { bytesRead, buffer } = await handle.read();
      return [bytesRead, buffer.byteLength, Buffer.isBuffer(buffer), buffer.subarray(0, bytesRead)];
    }),
  "reads in a row": (handle) =>
    steps(
      () => handle.read(Buffer.alloc(3)),
      () => handle.read({ buffer: Buffer.alloc(3), position: 1 }),
      () => handle.read(Buffer.alloc(30), 2, 20, null),
      () => handle.read(Buffer.alloc(3)),
    ),
  "writes in a row": (handle, { fs, path }) =>
    steps(
      () => handle.write("ab"),
      () => handle.write("cd", 6),
      () => handle.write(Buffer.from("efgh"), 1, 2),
      () => handle.write(new Uint8Array([48]), { position: 9 }),
      () => handle.writev([Buffer.from("i"), Buffer.from("j")]),
      () => fs.readFileSync(path("file")),
    ),
  "readFile twice": (handle) =>
    steps(
      () => handle.readFile("utf8"),
      () => handle.readFile("utf8"),
    ),
  "writeFile twice": (handle, { fs, path }) =>
    steps(
      () => handle.writeFile("first "),
      () => handle.writeFile("second"),
      () => fs.readFileSync(path("file")),
    ),
  "writeFile of an async iterable": (handle, { fs, path }) =>
    steps(
      async () => {
        async function* chunks(): AsyncGenerator<string | Uint8Array> {
          yield "one ";
          yield new Uint8Array([50, 32]);
          yield "three";
        }
        await handle.writeFile(chunks());
      },
      () => fs.readFileSync(path("file")),
    ),
  "writeFile of an iterable that fails": (handle, { fs, path }) =>
    steps(
      () => {
        function* chunks(): Generator<string> {
          yield "one";
          throw new RangeError("no more");
        }
        return handle.writeFile(chunks() as never);
      },
      () => fs.readFileSync(path("file")),
    ),
  "writeFile of an iterable of numbers": (handle) => steps(() => handle.writeFile([1, 2] as never)),
  "truncate without arguments": (handle, { fs, path }) =>
    steps(
      () => handle.truncate(),
      () => fs.statSync(path("file")).size,
    ),
  "operations at once": (handle, { fs, path }) =>
    steps(
      () => Promise.all([handle.write("A", 0), handle.write("B", 1), handle.write("C", 2)]),
      () => fs.readFileSync(path("file")),
      () => Promise.all([handle.stat(), handle.read(Buffer.alloc(2), 0, 2, 0)]),
    ),
  "async disposal": (handle) =>
    steps(
      () => (handle as unknown as Record<symbol, () => Promise<void>>)[Symbol.asyncDispose](),
      () => handle.fd,
    ),
};

export type FreeProgram = (context: Context) => Promise<unknown>;

const FREE_PROGRAMS: Record<string, FreeProgram> = {
  "lchmod is not there": ({ fs, path }) => steps(() => fs.promises.lchmod(path("file"), 0o600)),
  "promisify(exists)": ({ fs, path }) =>
    steps(
      () => promisify(fs.exists)(path("file")),
      () => promisify(fs.exists)(path("missing")),
    ),
  "readFile of an aborted signal, later": ({ fs, path }) =>
    steps(() => {
      const controller = new AbortController();
      const reading = fs.promises.readFile(path("file"), { signal: controller.signal });
      controller.abort(new Error("changed my mind"));
      return reading;
    }),
  "write and read one file, in the order of the calls": ({ fs, path }) =>
    steps(async () => {
      await fs.promises.writeFile(path("new"), "1");
      await fs.promises.appendFile(path("new"), "2");
      await fs.promises.copyFile(path("new"), path("copy"));
      await fs.promises.rename(path("copy"), path("moved"));
      return fs.promises.readFile(path("moved"), "utf8");
    }),
  "mkdtempDisposable goes away": ({ fs, path }) =>
    steps(async () => {
      const made = await fs.promises.mkdtempDisposable(path("tmp-"));
      fs.writeFileSync(`${made.path}/f`, "");
      await made.remove();
      await made.remove();
      return fs.existsSync(made.path);
    }),
  "mkdtempDisposableSync goes away": ({ fs, path }) =>
    steps(() => {
      const made = fs.mkdtempDisposableSync(path("tmp-"));
      fs.writeFileSync(`${made.path}/f`, "");
      made.remove();
      made.remove();
      return fs.existsSync(made.path);
    }),
  "new Stats by itself": ({ fs, path }) =>
    steps(
      () => fs.statSync(path("file")) instanceof fs.Stats,
      () => fs.readdirSync(path(""), { withFileTypes: true })[0] instanceof fs.Dirent,
      () => Object.prototype.toString.call(fs.statSync(path("file"))),
    ),
  "a Stats object can be changed and copied": ({ fs, path }) =>
    steps(() => {
      const stats = fs.statSync(path("file"));
      stats.atime = new Date(5);
      stats.size = 99;
      return [stats.atime.getTime(), stats.size, Object.keys({ ...stats }).join(), JSON.stringify(stats).length > 100];
    }),
};

export function program(name: string, run: FreeProgram, tree: TreeName, open?: Case["open"]): Case {
  return {
    id: `program: ${name}`,
    fn: "program",
    form: "promise",
    covers: [],
    tree,
    open,
    args: () => [],
    program: run,
  };
}

export const PROGRAM_CASES: readonly Case[] = [
  ...Object.entries(DIR_PROGRAMS).flatMap(([name, run]) =>
    ["dir", "emptydir"].map((directory) =>
      program(
        `Dir of ${directory}, ${name}`,
        async (context) => run(await context.fs.promises.opendir(context.path(directory)), context),
        "battery",
      ),
    ),
  ),
  ...Object.entries(HANDLE_PROGRAMS).map(([name, run]) =>
    program(`FileHandle, ${name}`, (context) => run(context.handle as FileHandle, context), "data", ["file", "r+"]),
  ),
  ...Object.entries(FREE_PROGRAMS).map(([name, run]) => program(name, run, "data")),
];
