/**
 * Checks the imports of src/: each folder imports only the layers below that are meant for it, none goes up (type
 * imports count, since the caller owns the interface), and files form no cycle, where imports of types alone do not
 * count: interfaces may mention each other, and nothing of them is left at run time.
 *
 * In assembly/ folders alone are looked at: what is left of cycles there is told in docs/architecture.md.
 *
 * Usage: node scripts/check-layers.mjs
 */
import { readFileSync } from "node:fs";
import { posix, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { listFiles } from "./fingerprint.mjs";

/** What each folder of src/ may import, beside itself. The top (index*.ts, shared.ts) sees every layer; the
 * fuzzer works with the entries, and has one itself, as what is for tests has. */
const LAYERS = {
  base: [],
  wasm: ["base"],
  block: ["base"],
  mm: ["wasm", "block", "base"],
  vfs: ["mm", "wasm", "base"],
  fs: ["vfs", "mm", "block", "wasm", "base"],
  node: ["vfs", "base"],
  patch: ["base"],
  verify: ["fs", "vfs", "wasm", "base"],
  top: ["verify", "fs", "patch", "node", "vfs", "mm", "block", "wasm", "base", "fuzz", "testing"],
  testing: ["fs", "node", "vfs", "mm", "wasm", "base", "fuzz"],
  fuzz: ["top", "node", "wasm", "base"],
  main: ["top"],
  cli: ["top"],
};
/**
 * What each folder of assembly/ may import. Records of the kernel block name those of fs, and shrinkers.ts calls fs from
 * below: the top is open to all.
 */
const CORE_LAYERS = {
  mm: ["top"],
  fs: ["mm", "top"],
  verify: ["fs", "mm", "top"],
  entry: ["verify", "fs", "mm", "top"],
  top: ["entry", "verify", "fs", "mm"],
};
/** Type imports from `node:` leave nothing behind, so the face may name Node's types. */
const NODE_TYPES_ALLOWED = new Set(["node", "top"]);

/** Packages that programs install beside an entry. */
const PEERS = { "streams.ts": "readable-stream", "patch.ts": "diff" };
/** What is bundled when the library is built, and who brings it: users install nothing. */
const BUNDLED = {
  "index-trees.ts": "minimatch",
  "patch/blob-id.ts": "@noble/hashes/legacy.js",
  "patch/zlib.ts": "fflate",
};

const IMPORT =
  /^(?:import|export)\b(\s+type\b)?[^;'"`]*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

/** Lists the modules that a source names, in order. */
export function readImports(source) {
  const code = source.replace(/^\s*(?:\/?\*|\/\/).*$/gm, "");
  return [...code.matchAll(IMPORT)].map(([, type, from, bare, dynamic]) => ({
    specifier: from ?? bare ?? dynamic,
    isType: type !== undefined,
  }));
}

/** Gives the layer of a file: its folder in src/, or "top". */
function layerOf(file) {
  const slash = file.indexOf("/");
  return slash < 0 ? "top" : file.slice(0, slash);
}

/** Whether a file is allowed to touch the platform: the main job, the command line, the fuzzer, the conformance suites,
 * host file systems and the Node entry. */
function isPlatformFile(file) {
  return (
    ["main", "cli", "fuzz"].includes(layerOf(file)) ||
    file.startsWith("testing/conformance/") ||
    posix.basename(file).includes("host") ||
    file === "index.ts"
  );
}

/** Checks an import of something that is no file of src/. @returns what is wrong, or undefined */
function checkOutside(file, { specifier, isType }) {
  if (layerOf(file) === "main" || PEERS[file] === specifier || BUNDLED[file] === specifier) return undefined;
  if (!specifier.startsWith("node:")) return `imports the package ${specifier}: the library has no dependency`;
  if (isPlatformFile(file) || (isType && NODE_TYPES_ALLOWED.has(layerOf(file)))) return undefined;
  return `imports ${specifier}: only *host* files touch the platform`;
}

/** Checks an import of another file of src/. @returns what is wrong, or undefined */
function checkInside(file, target, files) {
  if (!files.has(target)) return `imports ${target}, which does not exist`;
  const from = layerOf(file);
  const to = layerOf(target);
  if (LAYERS[from] === undefined) return `lies in ${from}/, which is no layer`;
  if (from === to || LAYERS[from].includes(to)) return undefined;
  return `imports ${target}: ${from} may not import ${to}`;
}

/** Finds one cycle through each strongly connected part of the graph. @returns cycles as lists of files */
function findCycles(graph) {
  const cycles = [];
  const state = new Map();
  const visit = (file, trail) => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...trail.slice(trail.indexOf(file)), file]);
      return;
    }
    state.set(file, "open");
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}

/**
 * Finds what breaks the layers.
 *
 * @param files path below src/ (with `/`) to source
 * @returns one sentence a breach; empty when all is well
 */
export function layerBreaches(files) {
  const breaches = [];
  const graph = new Map();
  for (const [file, source] of files) {
    const targets = [];
    for (const found of readImports(source)) {
      const isInside = found.specifier.startsWith(".");
      const target = posix.join(posix.dirname(file), found.specifier);
      const breach = isInside ? checkInside(file, target, files) : checkOutside(file, found);
      if (breach !== undefined) breaches.push(`${file} ${breach}`);
      if (isInside && !found.isType) targets.push(target);
    }
    graph.set(file, targets);
  }
  return [...breaches, ...findCycles(graph).map((cycle) => `cycle: ${cycle.join(" -> ")}`)];
}

/** Finds imports of assembly/ that go up. @param files as for layerBreaches(), below assembly/ */
export function coreLayerBreaches(files) {
  const breaches = [];
  for (const [file, source] of files) {
    for (const { specifier } of readImports(source)) {
      const target = `${posix.join(posix.dirname(file), specifier)}.ts`;
      const [from, to] = [layerOf(file), layerOf(target)];
      if (!files.has(target)) breaches.push(`${file} imports ${target}, which does not exist`);
      else if (CORE_LAYERS[from] === undefined) breaches.push(`${file} lies in ${from}/, which is no layer`);
      else if (from !== to && !CORE_LAYERS[from].includes(to))
        breaches.push(`${file} imports ${target}: ${from} may not import ${to}`);
    }
  }
  return breaches;
}

/** Reads the sources of a folder of the project. @returns path below it (with `/`) to source */
function readSources(name) {
  const folder = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const paths = listFiles([folder]).filter((path) => path.endsWith(".ts"));
  return new Map(paths.map((path) => [relative(folder, path).split(sep).join("/"), readFileSync(path, "utf8")]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [src, assembly] = [readSources("src"), readSources("assembly")];
  const breaches = [...layerBreaches(src), ...coreLayerBreaches(assembly).map((breach) => `assembly/${breach}`)];
  for (const breach of breaches) console.error(breach);
  console.log(`${src.size + assembly.size} files, ${breaches.length} breaches`);
  if (breaches.length > 0) process.exitCode = 1;
}
