/**
 * Bytes, dates, URLs and signals of another realm (jest's jsdom, a `vm` context, a frame) are what they are: both when
 * they come from outside to modules of this realm, and when the modules themselves were loaded inside.
 */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index-create.ts";

type Fs = ReturnType<typeof createFsSync>;
type Make = (source: string) => unknown;

/** Views that show the same six bytes, as an expression. */
const VIEWS: Readonly<Record<string, string>> = {
  "a Uint8Array": "new Uint8Array([104, 101, 108, 108, 111, 33])",
  "a part of a Uint8Array": "new Uint8Array([0, 104, 101, 108, 108, 111, 33, 0]).subarray(1, 7)",
  "a Uint16Array": "new Uint16Array(new Uint8Array([104, 101, 108, 108, 111, 33]).buffer)",
  "a DataView": "new DataView(new Uint8Array([0, 104, 101, 108, 108, 111, 33]).buffer, 1)",
};
const SHOWN = "hello!";

/** Every way in which bytes go in. @param make evaluates an expression in the realm that the bytes are to be of */
function writers(fs: Fs, view: () => ArrayBufferView): Record<string, () => unknown> {
  const data = view as () => Uint8Array;
  const withFd = (use: (fd: number) => unknown) => async () => {
    const fd = fs.openSync("/out", "w");
    await use(fd);
    fs.closeSync(fd);
  };
  const byCallback = (call: unknown, ...args: unknown[]) =>
    new Promise((resolve, reject) =>
      (call as (...args: unknown[]) => void)(...args, (error: unknown) => (error ? reject(error) : resolve(null))),
    );
  return {
    writeFileSync: () => fs.writeFileSync("/out", data()),
    "writeFileSync with options": () => fs.writeFileSync("/out", data(), { mode: 0o600 }),
    appendFileSync: () => fs.appendFileSync("/out", data()),
    writeFile: () => byCallback(fs.writeFile, "/out", data()),
    "promises.writeFile": () => fs.promises.writeFile("/out", data()),
    "promises.writeFile, in pieces": () => fs.promises.writeFile("/out", [data()]),
    writeSync: withFd((fd) => fs.writeSync(fd, data())),
    "writeSync with a range": withFd((fd) => fs.writeSync(fd, data(), 0, 6)),
    write: withFd((fd) => byCallback(fs.write, fd, data())),
    writevSync: withFd((fd) => fs.writevSync(fd, [data()])),
    "FileHandle.write": async () => {
      const handle = await fs.promises.open("/out", "w");
      await handle.write(data());
      await handle.close();
    },
    "FileHandle.writeFile": async () => {
      const handle = await fs.promises.open("/out", "w");
      await handle.writeFile(data());
      await handle.close();
    },
  };
}

function readers(fs: Fs): Record<string, (view: Uint8Array) => unknown> {
  const fd = (): number => fs.openSync("/in", "r");
  return {
    readSync: (view) => fs.readSync(fd(), view),
    "readSync with a range": (view) => fs.readSync(fd(), view, 0, 6, 0),
    readvSync: (view) => fs.readvSync(fd(), [view]),
    read: (view) => new Promise((resolve) => fs.read(fd(), view, 0, 6, 0, resolve)),
    "readFileSync into a buffer": (view) => fs.readFileSync("/in", { buffer: view } as never),
    "FileHandle.read": async (view) => {
      const handle = await fs.promises.open("/in");
      await handle.read(view, 0, 6, 0);
      await handle.close();
    },
  };
}

function textOf(view: ArrayBufferView): string {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).toString();
}

/** Runs all of it. @param make evaluates an expression in the realm of the values */
async function examine(fs: Fs, make: Make): Promise<void> {
  for (const [what, source] of Object.entries(VIEWS)) {
    const view = (): ArrayBufferView => make(source) as ArrayBufferView;
    for (const [how, write] of Object.entries(writers(fs, view))) {
      fs.writeFileSync("/out", "");
      await write();
      expect(fs.readFileSync("/out", "utf8"), `${how} of ${what}`).toBe(SHOWN);
    }
    fs.writeFileSync("/in", SHOWN);
    for (const [how, read] of Object.entries(readers(fs))) {
      const target = make(source.replace(/\b\d{2,3}\b/g, "0")) as Uint8Array;
      await read(target);
      expect(textOf(target), `${how} into ${what}`).toBe(SHOWN);
    }
  }
  const path = make("new Uint8Array([47, 105, 110])") as Buffer; // "/in"
  expect([fs.existsSync(path), fs.readFileSync(path, "utf8"), fs.statSync(path).size]).toEqual([true, SHOWN, 6]);
  expect(fs.readFileSync(make("new URL('file:///in')") as URL, "utf8")).toBe(SHOWN);
  fs.utimesSync("/in", make("new Date(5000)") as Date, make("new Date(6000)") as Date);
  expect([fs.statSync("/in").atimeMs, fs.statSync("/in").mtimeMs]).toEqual([5000, 6000]);
  const signal = make("AbortSignal.abort()") as AbortSignal;
  await expect(fs.promises.readFile("/in", { signal })).rejects.toMatchObject({ code: "ABORT_ERR" });
}

const IMPOSTORS: Readonly<Record<string, unknown>> = {
  "an heir of Uint8Array": Object.create(Uint8Array.prototype),
  "an object tagged Uint8Array": { [Symbol.toStringTag]: "Uint8Array", length: 1, byteLength: 1 },
  "an ArrayBuffer": new ArrayBuffer(6),
};

describe("values of another realm", () => {
  it("are taken by modules of this one", async () => {
    const context = createContext({ URL, AbortSignal });
    await examine(createFsSync(), (source) => runInContext(source, context));
  });

  it("of the outer realm are taken by modules that were loaded in a context", async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `export * from "./src/index-create.ts"; export * from "./src/wasm/core-module.ts";`,
        resolveDir: process.cwd(),
      },
      bundle: true,
      write: false,
      format: "iife",
      globalName: "modules",
      platform: "neutral",
    });
    const context = createContext({
      Buffer,
      process,
      performance,
      TextDecoder,
      TextEncoder,
      queueMicrotask,
      setTimeout,
    });
    Object.assign(context, { setImmediate, core: readFileSync("build/core-release.wasm") });
    const source = `${outputFiles[0].text}; modules.useCoreModule(new WebAssembly.Module(core), { shared: false });
      modules.createFsSync()`;
    const make: Make = (expression) => new Function(`return ${expression}`)();
    await examine(runInContext(source, context) as Fs, make);
  });

  it("are told by their brand: who only looks like bytes is refused as Node does", () => {
    const fs = createFsSync();
    const fd = fs.openSync("/f", "w+");
    const error = expect.objectContaining({ name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
    for (const value of Object.values(IMPOSTORS) as Uint8Array[]) {
      const calls = [
        () => fs.writeSync(fd, value),
        () => fs.readSync(fd, value),
        () => fs.writeFileSync("/f", value),
        () => fs.writevSync(fd, [value]),
        () => fs.statSync(value as never),
      ];
      for (const call of calls) expect(call, String(call)).toThrow(error);
    }
    const noDate = { [Symbol.toStringTag]: "Date", getTime: () => 5 };
    expect(() => fs.utimesSync("/f", noDate as never, 1)).toThrow(error);
  });
});
