/**
 * TypeScript 5's own command line over three layers of this project, which refer to each other: built, built again with
 * nothing to do, after changes of what others see and do not see, with an error, cleaned; then a small project of what
 * resolution has to find. Its `fs` is replaced, so that its System as it stands is what is tried.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyIn } from "./copy-in.mjs";
import { treeOf } from "./report.mjs";

const require = createRequire(import.meta.url);
const ts = require("typescript");
const SOURCES = fileURLToPath(new URL("../../../src", import.meta.url));
const LIBRARY = dirname(require.resolve("typescript"));
const LAYERS = { base: [], wasm: ["base"], mm: ["base", "wasm"] };
/** What the layers take from their platform: the whole of DOM's declarations would take longer than the project. */
const GLOBALS = `
declare class TextEncoder { encode(text: string): Uint8Array; encodeInto(text: string, into: Uint8Array): { read: number; written: number } }
declare class TextDecoder { constructor(label?: string, options?: object); decode(bytes: ArrayBufferView | ArrayBuffer): string }
declare const performance: { now(): number; timeOrigin: number };
declare const console: { error(...values: unknown[]): void };
declare function setTimeout(callback: () => void, ms: number): any;
declare function clearTimeout(timer: any): void;
declare function queueMicrotask(callback: () => void): void;
declare function atob(text: string): string;
declare namespace WebAssembly {
  class Memory { constructor(descriptor: object); readonly buffer: ArrayBuffer; grow(pages: number): number }
  class Module {
    constructor(bytes: ArrayBufferView | ArrayBuffer);
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  type ModuleImports = Record<string, unknown>;
  function compile(bytes: ArrayBufferView | ArrayBuffer): Promise<Module>;
  class Instance { constructor(module: Module, imports?: object); readonly exports: any }
}
`;

/** Waits until what is written next is newer than what was built, also where the kernel's clock goes by ticks of 10 ms. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

class Exit extends Error {
  constructor(status) {
    super(`exit ${status}`);
    this.status = status;
  }
}

export default async function main({ fs, root, say }) {
  const library = join(root, "typescript/lib");
  const nrLibraryFiles = copyIn(fs, LIBRARY, library, (path) => /^lib\..*\.d\.ts$/.test(path));
  say("library", nrLibraryFiles > 80);

  const write = (path, text) => {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.writeFileSync(join(root, path), typeof text === "string" ? text : JSON.stringify(text));
  };

  /** Runs `tsc` and tells all of it. */
  function tsc(...args) {
    let text = "";
    const system = {
      ...ts.sys,
      args,
      getExecutingFilePath: () => join(library, "typescript.js"),
      write: (more) => {
        text += more;
      },
      exit: (status) => {
        throw new Exit(status);
      },
    };
    say("$ tsc", ...args);
    try {
      ts.executeCommandLine(system, () => undefined, args);
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      say(text.replaceAll(/\[?\d+:\d\d:\d\d [AP]M\]? /g, ""), "status", error.status);
    }
  }

  // The project: its layers as projects that refer to each other.
  for (const [layer, references] of Object.entries(LAYERS)) {
    copyIn(fs, join(SOURCES, layer), join(root, "src", layer));
    write(`src/${layer}/tsconfig.json`, {
      extends: "../../tsconfig.base.json",
      compilerOptions: { rootDir: "..", outDir: "../../out", tsBuildInfoFile: `../../out/${layer}.tsbuildinfo` },
      include: ["**/*", "../../globals.d.ts"],
      references: references.map((name) => ({ path: `../${name}` })),
    });
  }
  write("tsconfig.base.json", {
    compilerOptions: {
      target: "ES2022",
      lib: ["ES2023", "ESNext.Disposable"],
      libReplacement: false,
      module: "NodeNext",
      strict: true,
      composite: true,
      sourceMap: true,
      declarationMap: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: true,
      types: [],
    },
  });
  write("package.json", { type: "module" });
  write("globals.d.ts", GLOBALS);
  const emitted = () => say(treeOf(fs, join(root, "out"), { times: false }).sort().join("\n"));
  const build = (...args) => tsc("--build", "src/mm", "--verbose", ...args);

  build("--listEmittedFiles");
  emitted();
  build();
  const errno = join(root, "src/base/errno.ts");
  const text = fs.readFileSync(errno, "utf8");
  await pause();
  fs.appendFileSync(errno, "\n// Nobody sees this.\n");
  build("--listEmittedFiles");
  await pause();
  fs.writeFileSync(errno, text.replace("export const EFAULT", "export const EFAULTS"));
  fs.renameSync(join(root, "src/mm/rmap.ts"), join(root, "src/mm/reverse-map.ts"));
  build();
  await pause();
  fs.writeFileSync(errno, text);
  fs.renameSync(join(root, "src/mm/reverse-map.ts"), join(root, "src/mm/rmap.ts"));
  build("--listEmittedFiles");
  emitted();
  tsc("--build", "src/mm", "--clean");
  emitted();
  tsc("--build", "src/nowhere");

  // What resolution finds: packages by their exports, above, by symbolic links, in another case, JSON.
  write("small/tsconfig.json", {
    compilerOptions: {
      module: "NodeNext",
      strict: true,
      incremental: true,
      outDir: "out",
      resolveJsonModule: true,
      types: [],
      lib: ["ES2022"],
      libReplacement: false,
    },
    include: ["**/*.ts"],
    exclude: ["out", "linked"],
  });
  write("small/a.cts", "export const a: number = 1;");
  write(
    "small/deep/down/main.ts",
    [
      'import { inner } from "workspace/inner";',
      'import { above } from "above";',
      'import { a } from "../../a.cjs";',
      'import { upper } from "./UPPER.js";',
      'import data from "../../data.json" with { type: "json" };',
      'import { nothing } from "nothing";',
      'import { gone } from "./gone.js";',
      "export const all: string = [inner, above, a, upper, data.value, nothing, gone];",
    ].join("\n"),
  );
  write("small/deep/down/upper.ts", "export const upper = 1;");
  write("small/data.json", { value: "text" });
  write("node_modules/above/index.d.ts", "export declare const above: unique symbol;");
  write("packages/workspace/package.json", {
    name: "workspace",
    type: "module",
    exports: { "./inner": "./source/inner.ts" },
  });
  write("packages/workspace/source/inner.ts", "export const inner = { nested: true };");
  fs.mkdirSync(join(root, "small/node_modules"));
  fs.symlinkSync("../../packages/workspace", join(root, "small/node_modules/workspace"));
  fs.symlinkSync("deep", join(root, "small/linked"));
  fs.symlinkSync("../small", join(root, "small/circle"));
  tsc("-p", "small", "--listFiles", "--explainFiles", "--traceResolution");
  tsc("-p", "small", "--preserveSymlinks", "--listFiles");
  say(treeOf(fs, join(root, "small"), { times: false }).sort().join("\n"));
  write("small/deep/down/gone.ts", "export const gone = 1;");
  tsc("-p", "small", "--listEmittedFiles");

  // Where it cannot write.
  write("file", "in the way");
  tsc("-p", "small", "--outDir", "file/out");
  tsc("-p", "small", "--outDir", "small/deep/down/upper.ts", "--noEmitOnError", "false");
  tsc("-p", "file");
  tsc("--init", "--pretty", "false");
  say(
    treeOf(fs, root, { times: false })
      .filter((line) => / (tsconfig|file)/.test(line))
      .sort(),
  );
}
