/**
 * Builds all that is published: the cores, the layout files, the bundles and type declarations in dist/; and, beside
 * them, the main job in build/main.mjs.
 *
 *   dist/index.js .cjs        for Node
 *   dist/browser.js .cjs      for browsers
 *   dist/host.js .cjs         hostfs, for Node
 *   dist/store.js .cjs        for file systems with a store
 *   dist/proc.js .cjs         proc
 *   dist/lazy.js .cjs         lazyfs
 *   dist/layers.js .cjs       overlay and layers
 *   dist/patch.js .cjs        patches, on the package diff
 *   dist/verify.js .cjs       snapshots of strangers
 *   dist/streams.js .cjs      streams for browsers, on readable-stream; streams-node.js .cjs for Node, which has them
 *   dist/memfs.js .cjs        the memfs door
 *   dist/just-bash.js .cjs    adapters for sandboxes, as are cloudflare-shell and agentfs
 *   dist/mock.js .cjs         the file system that tests put in the place of node:fs
 *   dist/testing.js .cjs      faults and disks for tests; testing-conformance.js .cjs the conformance suites, for Node
 *   dist/fuzz.js .cjs         the fuzzer, for Node; fuzz-oracle.js runs in the processes that it starts,
 *                             fuzz-other.js in threads, for file systems of others
 *   dist/bare.js .cjs         for browsers, without the core, which is core.wasm or core-shared.wasm
 *   dist/trees.js .cjs        cp, glob and openAsBlob, for browsers
 *   dist/watch.js .cjs        watching, for browsers
 *   dist/shared.js .cjs       registers the core for shared memory
 *   dist/core-module.js .cjs  the registry of cores: one file, so that all of the above mean the same one
 *   dist/snapshot-error.js .cjs  what they throw for bytes that are no snapshot: one class
 *   dist/common.js .cjs       what those for browsers have in common
 *   dist/cli.js, top-hook.js  the command line, and what it puts into the processes that it watches
 *   dist/THIRD-PARTY-LICENSES.txt  licences of what is inside of the bundles
 *   dist/types, types-cjs     declarations as ES modules and as CommonJS
 *
 * Does nothing when its inputs are as at the last run.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import { buildWasm, GENERATED, publishedCore } from "./build-wasm.mjs";
import { buildWithConstantsWrittenIn } from "./constants-written-in.mjs";
import { coreToText } from "./core-text.mjs";
import { emitTypes } from "./declarations.mjs";
import { fingerprint, isFresh, markFresh } from "./fingerprint.mjs";
import { genLayout } from "./gen-layout.mjs";
import { writeLicences } from "./licences.mjs";
import { calledByFileSystems, callsBy, FILE_SYSTEMS, renameExports, shortNames } from "./short-exports.mjs";
import { leb } from "./wasm-bytes.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMP = "build/dist.stamp";
const INPUTS = [
  "src",
  ...FILE_SYSTEMS,
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
  "scripts/constants-written-in.mjs",
  "scripts/declarations.mjs",
  "scripts/licences.mjs",
  "scripts/short-exports.mjs",
];
const OUTPUTS = [
  ...[
    "index",
    "browser",
    "host",
    "store",
    "proc",
    "lazy",
    "layers",
    "patch",
    "verify",
    "streams",
    "streams-node",
    "shared",
    "trees",
    "watch",
    "agentfs",
    "cloudflare-shell",
    "just-bash",
    "memfs",
    "mock",
    "testing",
    "testing-conformance",
    "fuzz",
    "bare",
    "core-module",
    "snapshot-error",
    "common",
  ].flatMap((name) => [`${name}.js`, `${name}.cjs`]),
  ...[
    "cli.js",
    "top-hook.js",
    "fuzz-oracle.js",
    "fuzz-other.js",
    "types/index.d.ts",
    "types-cjs/index.d.ts",
    "core.wasm",
    "core-shared.wasm",
  ],
].map((name) => `dist/${name}`);
const LICENCES = "dist/THIRD-PARTY-LICENSES.txt";
const CORE_BINARY = /\/core-binary(-shared)?\.ts$/;
const MAIN_JOB = "build/main.mjs";
const CORES = ["src/wasm/core-binary.ts", "src/wasm/core-binary-shared.ts"];

const COMMON = { bundle: true, logLevel: "warning", sourcemap: true, sourcesContent: false, target: "es2022" };

/** Leaves what there is to be one of out of each bundle: the registry of cores, and the error that programs know by its class. */
function outsideSingles(extension) {
  return {
    name: "singles",
    setup: ({ onResolve }) => {
      onResolve({ filter: /\/(core-module|snapshot-error)\.ts$/ }, ({ kind, path }) => {
        return kind === "entry-point" ? undefined : { path: `./${basename(path, ".ts")}${extension}`, external: true };
      });
    },
  };
}

/** What src/common.ts gathers. */
const COMMON_MODULES = Array.from(readFileSync(`${ROOT}/src/common.ts`, "utf8").matchAll(/"(.+)"/g), ([, path]) => {
  return resolve(ROOT, "src", path);
});

/** Leaves what the entries for browsers have in common out of each: 8 KB of gzip of a page that loads all. */
function outsideCommon(extension) {
  return {
    name: "common",
    setup: ({ onResolve }) => {
      onResolve({ filter: /^\..*\.ts$/ }, ({ kind, path, resolveDir }) => {
        const isCommon = kind !== "entry-point" && COMMON_MODULES.includes(resolve(resolveDir, path));
        return isCommon ? { path: `./common${extension}`, external: true } : undefined;
      });
    },
  };
}

/** As one of several entries for browsers. */
function besideOthers(options) {
  const extension = options.format === "cjs" ? ".cjs" : ".js";
  return { ...options, plugins: [outsideCommon(extension), ...options.plugins] };
}

/** Has a door stand beside the main bundle, whose kernels it makes. */
function outsideIndex(extension) {
  return {
    name: "index",
    setup: ({ onResolve }) => {
      onResolve({ filter: /^\.\/index\.ts$/ }, () => ({ path: `./index${extension}`, external: true }));
    },
  };
}

/** A door: as neutral as the bundle it stands beside, for which package.json has another in browsers. */
function door(name, format) {
  const options = published(name, name, format, "neutral");
  return { ...options, plugins: [...options.plugins, outsideIndex(format === "cjs" ? ".cjs" : ".js")] };
}

/** Has the fuzzer stand beside the entries that its subjects are made of, and the command line beside the fuzzer. */
function outsideEntries(extension) {
  return {
    name: "entries",
    setup: ({ onResolve }) => {
      onResolve({ filter: /^(\.\.\/)+(index|host|layers|lazy|store|fuzz)\.ts$/ }, ({ path }) => {
        return { path: `./${basename(path, ".ts")}${extension}`, external: true };
      });
    },
  };
}

/** The fuzzer; in CommonJS there is no import.meta to find what lies beside it by. */
function fuzzer(format) {
  const extension = format === "cjs" ? ".cjs" : ".js";
  const here = "FOLIOFS_URL";
  const inCommonJs = {
    banner: { js: `const ${here} = require("node:url").pathToFileURL(__filename).href;` },
    define: { "import.meta.url": here },
  };
  return {
    ...COMMON,
    entryPoints: ["src/fuzz.ts"],
    outfile: `dist/fuzz${extension}`,
    format,
    platform: "node",
    plugins: [outsideEntries(extension)],
    ...(format === "cjs" ? inCommonJs : {}),
  };
}

/** A core as it goes into dist/. */
function coreOf(target) {
  return renameExports(readFileSync(publishedCore(target)), exportNames());
}

/** By the name of an export, the one that it has in dist/. */
function exportNames() {
  return shortNames(readFileSync(publishedCore("release")), calledByFileSystems());
}

/** Has cores, and the calls of their exports, by short names. */
const shortExports = {
  name: "short-exports",
  setup: (bundle) => {
    bundle.onLoad({ filter: CORE_BINARY }, ({ path }) => coreText(path, (core) => coreToText(core)));
    callsBy(exportNames()).setup(bundle);
  },
};

/** Has cores as base64, and what reads that, in the place of text that is made to be small on its way to a page. */
const coresAsBase64 = {
  name: "cores-as-base64",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /\/core-text\.ts$/ }, () => ({ path: `${ROOT}/src/wasm/core-base64.ts` }));
    onLoad({ filter: CORE_BINARY }, ({ path }) => coreText(path, (core) => core.toString("base64")));
  },
};

/** A generated file, written anew. */
function coreText(path, textOf) {
  const { target, name } = GENERATED.find((one) => path.endsWith(one.path));
  return { contents: `export const ${name} = "${textOf(coreOf(target))}";` };
}

/** Options of one published bundle. */
function published(source, name, format, platform) {
  const extension = format === "cjs" ? ".cjs" : ".js";
  return {
    ...COMMON,
    entryPoints: [`src/${source}.ts`],
    outfile: `dist/${name}${extension}`,
    format,
    platform,
    plugins: [outsideSingles(extension), shortExports],
  };
}

function withBase64(options) {
  return { ...options, plugins: [coresAsBase64, ...options.plugins] };
}

const BUNDLES = [
  ...["esm", "cjs"].flatMap((format) => [
    withBase64(published("index", "index", format, "node")),
    published("host", "host", format, "node"),
    besideOthers(published("store", "store", format, "neutral")),
    besideOthers(published("proc", "proc", format, "neutral")),
    besideOthers(published("lazy", "lazy", format, "neutral")),
    besideOthers(published("layers", "layers", format, "neutral")),
    besideOthers({ ...published("patch", "patch", format, "neutral"), external: ["diff"] }),
    besideOthers(published("verify", "verify", format, "neutral")),
    besideOthers({ ...published("streams", "streams", format, "neutral"), external: ["readable-stream"] }),
    besideOthers(published("streams-node", "streams-node", format, "neutral")),
    besideOthers(published("watch", "watch", format, "neutral")),
    published("shared", "shared", format, "neutral"),
    besideOthers(published("trees", "trees", format, "neutral")),
    door("agentfs", format),
    door("cloudflare-shell", format),
    door("just-bash", format),
    door("memfs", format),
    door("mock", format),
    besideOthers(published("testing", "testing", format, "neutral")),
    published("testing-conformance", "testing-conformance", format, "node"),
  ]),
  besideOthers({ ...published("index-browser", "browser", "cjs", "browser"), minifySyntax: true }),
  besideOthers({ ...published("bare", "bare", "cjs", "browser"), minifySyntax: true }),
  published("wasm/core-module", "core-module", "cjs", "neutral"),
  published("vfs/snapshot-error", "snapshot-error", "cjs", "neutral"),
  published("common", "common", "cjs", "neutral"),
  ...["esm", "cjs"].map(fuzzer),
  { ...published("fuzz/oracle-process", "fuzz-oracle", "esm", "node"), sourcemap: false },
  { ...published("fuzz/other-process", "fuzz-other", "esm", "node"), sourcemap: false },
  published("cli/top-hook", "top-hook", "esm", "node"),
  { ...published("cli/cli", "cli", "esm", "node"), plugins: [outsideEntries(".js")] },
  {
    ...COMMON,
    entryPoints: ["src/main/main.ts"],
    outfile: MAIN_JOB,
    format: "esm",
    platform: "node",
    packages: "external",
  },
];

/** What pages load; in CommonJS, Node would not find the names of exports that are numbers. */
const SMALL_BUNDLES = [
  besideOthers(published("index-browser", "browser", "esm", "browser")),
  besideOthers(published("bare", "bare", "esm", "browser")),
  published("wasm/core-module", "core-module", "esm", "neutral"),
  published("vfs/snapshot-error", "snapshot-error", "esm", "neutral"),
  published("common", "common", "esm", "neutral"),
];

/** A core as a file, with a section that says which build it belongs to. */
function writeCore(target, path, id) {
  const name = Buffer.from("foliofs");
  const content = Buffer.concat([leb(name.length), name, Buffer.from(id)]);
  const section = Buffer.concat([Buffer.from([0]), leb(content.length), content]);
  writeFileSync(path, Buffer.concat([coreOf(target), section]));
}

/** Brings everything up to date. */
export async function build() {
  process.chdir(ROOT);
  genLayout({ write: true });
  buildWasm();
  const print = fingerprint(INPUTS, process.version);
  if (isFresh(STAMP, print, [...OUTPUTS, LICENCES, MAIN_JOB])) return;

  rmSync(STAMP, { force: true });
  rmSync("dist", { recursive: true, force: true });
  const id = fingerprint(CORES, JSON.stringify([...exportNames()])).slice(0, 16);
  const define = { FOLIOFS_CORE_ID: JSON.stringify(id) };
  const built = await Promise.all([
    ...BUNDLES.map((options) => bundle({ ...options, define: { ...define, ...options.define }, metafile: true })),
    ...SMALL_BUNDLES.map((options) => buildWithConstantsWrittenIn({ ...options, define })),
  ]);
  writeLicences(
    LICENCES,
    built.flatMap((result) => result?.metafile ?? []),
  );
  writeCore("release", "dist/core.wasm", id);
  writeCore("release-shared", "dist/core-shared.wasm", id);
  emitTypes();
  const missing = OUTPUTS.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`not built: ${missing.join(", ")}`);
  markFresh(STAMP, print);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build();
  } catch (error) {
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  }
}
