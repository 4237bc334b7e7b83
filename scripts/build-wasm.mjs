/**
 * Compiles the core: targets debug, release and release-shared of asconfig.json into build/core-*.wasm and .wat, and
 * the release ones, without the exports that only tests call and as text, into src/wasm/core-binary*.ts, so that
 * published files need nothing to fetch.
 *
 * Refuses a release core that breaks scripts/wat-rules.mjs. Does nothing for a target whose inputs have not changed.
 * Usage: node scripts/build-wasm.mjs [target...]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import binaryen from "binaryen";
import { fingerprint, isFresh, listFiles, markFresh } from "./fingerprint.mjs";
import { genLayout } from "./gen-layout.mjs";
import { dataToMessages } from "./wasm-messages.mjs";
import { RELEASE_CORE_LIMIT_BYTES, releaseBreaches } from "./wat-rules.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TARGETS = ["debug", "release", "release-shared"];
const LAYOUT_CHECK = "assembly/layout-check.ts";
const INPUTS = [
  "assembly",
  "asconfig.json",
  "scripts/build-wasm.mjs",
  "scripts/wat-rules.mjs",
  "scripts/wasm-messages.mjs",
];
const GENERATED = [
  { target: "release", path: "src/wasm/core-binary.ts", name: "RELEASE_TEXT" },
  { target: "release-shared", path: "src/wasm/core-binary-shared.ts", name: "RELEASE_SHARED_TEXT" },
];
/** Files that name all exports, or hold them. */
const NO_CALLERS = /wasm.(exports|core-binary(-shared)?)\.ts$/;

/** Runs the AssemblyScript compiler for one target; its diagnostics go straight to the terminal. */
function compile(target) {
  const args = [resolve("node_modules/assemblyscript/bin/asc.js"), "--config", "asconfig.json", "--target", target];
  if (target === "debug") args.splice(1, 0, LAYOUT_CHECK); // a further entry: only what is exported gets compiled
  const { status, signal } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`asc failed on target ${target}${signal ? ` (${signal})` : ""}`);
}

/** Checks the text and size of a release core. @throws Error that names every breach */
function checkRelease(target) {
  const breaches = releaseBreaches(readFileSync(`build/core-${target}.wat`, "utf8"));
  const { size } = statSync(`build/core-${target}.wasm`);
  if (size >= RELEASE_CORE_LIMIT_BYTES) breaches.push(`${size} bytes, limit ${RELEASE_CORE_LIMIT_BYTES}`);
  if (breaches.length > 0) throw new Error(`the ${target} core has ${breaches.join("\nand ")}`);
}

/** Takes the assertion messages of the debug core out of linear memory: it too must write nothing at start-up. */
function moveMessages(target) {
  const path = `build/core-${target}.wasm`;
  writeFileSync(path, dataToMessages(readFileSync(path)));
}

/**
 * Text for the bytes of a core, as src/wasm/bytes-text.ts reads it: one printable character for a small byte, two for
 * the others. It compresses better than base64 or hexadecimal: 15.4 KB of gzip for a core of 35 KB, against 20.2 and 16.7.
 * (The last passes in asconfig.json put like next to like, which takes another 130 bytes off a bundle.)
 */
function bytesToText(bytes) {
  const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
    (c) => !'"$\\`'.includes(c),
  );
  const direct = alphabet.length - 2;
  const textOf = (byte) => {
    const value = byte < 66 ? byte : byte < 106 ? byte + 150 : byte - 40;
    if (value < direct) return alphabet[value];
    const rest = value - direct;
    return rest < alphabet.length
      ? alphabet[direct] + alphabet[rest]
      : alphabet[direct + 1] + alphabet[rest - alphabet.length];
  };
  return Array.from(bytes, textOf).join("");
}

/** Files that call exports of a core. */
function callers() {
  return listFiles(["src"]).filter((path) => path.endsWith(".ts") && !NO_CALLERS.test(path));
}

/** Takes out the exports that no file in src/ calls (`x.name`, `x["name"]`), and what only they need: 650 bytes of gzip. */
function withoutTestExports(bytes, source) {
  const core = binaryen.readBinary(bytes);
  core.setFeatures(binaryen.Features.All);
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
  const called = new Set(Array.from(source.matchAll(/\bx\??\.(\w+)|"(\w+)"/g), ([, member, text]) => member ?? text));
  for (const name of exports) if (!called.has(name)) core.removeExport(name);
  core.runPasses(["remove-unused-module-elements", "reorder-locals"]);
  const stripped = core.emitBinary();
  core.dispose();
  return stripped;
}

function writeBinaryModule({ target, path, name }) {
  const bytes = readFileSync(`build/core-${target}.wasm`);
  const source = callers().map((file) => readFileSync(file, "utf8"));
  const stamp = `build/core-${target}-text.stamp`;
  const print = fingerprint(["scripts/build-wasm.mjs", `build/core-${target}.wasm`, ...callers()]);
  if (isFresh(stamp, print, [path])) return;

  const text = bytesToText(withoutTestExports(bytes, source.join("\n")));
  writeFileSync(
    path,
    `// Generated by scripts/build-wasm.mjs.\n/** The ${target} core, compiled, as text (bytes-text.ts). */\nexport const ${name}: string =\n  "${text}";\n`,
  );
  markFresh(stamp, print);
}

/** Compiles, checks and publishes one target, unless nothing has changed since its last run. */
function buildTarget(target, print) {
  const stamp = `build/core-${target}.stamp`;
  if (isFresh(stamp, print, [`build/core-${target}.wasm`])) return;

  rmSync(stamp, { force: true });
  compile(target);
  if (target === "debug") moveMessages(target);
  else checkRelease(target);
  console.log(`core ${target}: ${statSync(`build/core-${target}.wasm`).size} bytes`);
  markFresh(stamp, print);
}

/**
 * Brings the compiled cores up to date.
 *
 * Precondition: the layout files are (gen-layout.mjs).
 *
 * @param targets names from asconfig.json
 */
export function buildWasm(targets = TARGETS) {
  process.chdir(ROOT);
  mkdirSync("build", { recursive: true });
  mkdirSync("src/wasm", { recursive: true });
  const { version } = JSON.parse(readFileSync("node_modules/assemblyscript/package.json", "utf8"));
  const print = fingerprint(INPUTS, version);
  for (const target of targets) buildTarget(target, print);
  GENERATED.filter(({ target }) => targets.includes(target)).forEach(writeBinaryModule);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    genLayout({ write: true });
    const targets = process.argv.slice(2);
    buildWasm(targets.length > 0 ? targets : TARGETS);
  } catch (error) {
    console.error(`build:wasm: ${error.message}`);
    process.exitCode = 1;
  }
}
