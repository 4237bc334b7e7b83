/**
 * Programs that run scripts of others forbid globals while those run (just-bash, sandboxes): what the modules need of
 * them they have taken when they were loaded.
 */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const FORBIDDEN = [
  "Buffer",
  "FinalizationRegistry",
  "MessageChannel",
  "SharedArrayBuffer",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "WeakRef",
  "atob",
  "btoa",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setTimeout",
];

const SOURCE = `
  export { createFsSync, restoreFsSync } from "./src/index-create.ts";
  export { useCoreModule } from "./src/wasm/core-module.ts";
`;

/** Runs every kind of call once; `fs` was made before the globals went. */
const PROGRAM = `async function run(fs) {
  const seen = [];
  fs.mkdirSync("/d/e", { recursive: true });
  fs.writeFileSync("/d/é", "täxt".repeat(5000));
  fs.writeFileSync("/d/b", new Uint8Array(200_000));
  for (const encoding of ["utf8", "latin1", "hex", "base64", "base64url", "utf16le", undefined]) {
    const content = fs.readFileSync("/d/é", encoding);
    fs.writeFileSync("/d/copy", content, encoding);
    seen.push(fs.statSync("/d/copy").size);
  }
  seen.push(fs.readdirSync("/d").join(), fs.readdirSync("/d", { withFileTypes: true, recursive: true }).length);
  seen.push(fs.existsSync("/none"), fs.statSync("/d").mtime instanceof Date, typeof fs.mkdtempSync("/t-"));
  seen.push(fs.realpathSync("/d/e/.."), typeof fs.kernel.mounts()[0].target);
  const outcomes = [
    () => fs.promises.readFile("/d/é", "utf8"),
    () => fs.promises.stat("/none"),
    () => fs.promises.stat({}),
    () => fs.promises.rm("/d", { recursive: true, maxRetries: 2, retryDelay: 1 }),
    () => fs.promises.writeFile("/w", ["a", "b"]),
    () => fs.promises.opendir("/").then((dir) => dir.close()),
    () => new Promise((resolve, reject) => fs.readFile("/w", (error, data) => error ? reject(error) : resolve(data))),
    () => new Promise((resolve, reject) => fs.rm("/none", (error) => error ? reject(error) : resolve())),
    async () => {
      const handle = await fs.promises.open("/w", "r+");
      await handle.writeFile("text", "base64");
      await handle.close();
    },
  ];
  for (const outcome of outcomes) seen.push(await outcome().then(() => "gives", (error) => error.code ?? error.stack));
  for (let i = 0; i < 30000; i++) await fs.promises.stat("/");
  fs.writeFileSync("/grows", new Uint8Array(2 ** 23));
  const copy = restoreFsSync(fs.kernel.snapshot(), { memoryLimit: 2 ** 25 });
  seen.push(copy.readFileSync("/w").length, fs.kernel.fork().fs.existsSync("/w"));
  return seen;
}`;

const WITH_NODE = { Buffer, process, setImmediate };
const EVERYWHERE = {
  MessageChannel,
  SharedArrayBuffer,
  TextDecoder,
  TextEncoder,
  URL,
  atob,
  btoa,
  console,
  performance,
  queueMicrotask,
  setTimeout,
};

/** Loads the modules in a realm, makes a file system, forbids, and runs the program. */
async function runGuarded(globals: object, forbidden: readonly string[]): Promise<unknown[]> {
  const { outputFiles } = await build({
    stdin: { contents: SOURCE, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "modules",
    platform: "neutral",
    target: "es2022",
  });
  const context = createContext({ ...globals, core: readFileSync("build/core-release.wasm") });
  const load = `${outputFiles[0].text};
    var { createFsSync, restoreFsSync, useCoreModule } = modules;
    useCoreModule(new WebAssembly.Module(core), { shared: false });
    var fs = createFsSync({ memoryLimit: 2 ** 25 });
    ${PROGRAM}`;
  runInContext(load, context);
  for (const name of forbidden) {
    const forbid = (): never => {
      throw new Error(`${name} is forbidden`);
    };
    Object.defineProperty(context, name, { get: forbid, set: forbid, configurable: true });
  }
  if (forbidden.length > 0)
    runInContext("Math.random = () => { throw new Error('Math.random is forbidden'); }", context);
  return runInContext("run(fs)", context) as Promise<unknown[]>;
}

describe("globals that are taken away", () => {
  it.each([
    ["in Node", { ...EVERYWHERE, ...WITH_NODE }],
    ["in a browser", EVERYWHERE],
  ])("are not missed: %s", async (_where, globals) => {
    const free = await runGuarded(globals, []);
    expect(free).toContain("ENOENT");
    expect(await runGuarded(globals, FORBIDDEN)).toEqual(free);
  });
});
