/**
 * Emits the type declarations that are published: those that the entries of package.json reach, no others.
 *
 * They are written twice, dist/types and dist/types-cjs, since TypeScript tells ES modules from CommonJS by the
 * package.json nearest to a file.
 */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { listFiles } from "./fingerprint.mjs";

const ESM = "dist/types";
const CJS = "dist/types-cjs";
const IMPORT = /((?:from|import\()\s*")(\.{1,2}\/[^"]+)\.ts"/g;

/** Every file in `folder` that the exports map names. */
function exportedFrom(entry, folder) {
  if (typeof entry !== "string") return Object.values(entry).flatMap((value) => exportedFrom(value, folder));
  return entry.startsWith(`./${folder}/`) ? [resolve(entry)] : [];
}

/** All files that declarations import, and so on, from the given ones. */
function reachable(files, found = new Set()) {
  for (const file of files) {
    if (found.has(file)) continue;
    found.add(file);
    const imports = [...readFileSync(file, "utf8").matchAll(IMPORT)];
    const next = imports.map(([, , path]) => resolve(file, "..", `${path}.d.ts`));
    reachable(next, found);
  }
  return found;
}

/** Names modules as users' compilers resolve them: `./x.js`, beside which lies `x.d.ts`. */
function importJs(declarations) {
  return declarations.replace(IMPORT, '$1$2.js"');
}

function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

/** @throws Error when tsc fails */
export function emitTypes() {
  const { status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("tsc could not emit the type declarations");

  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const published = reachable(exportedFrom(exports, ESM));
  for (const file of listFiles([ESM])) {
    if (published.has(resolve(file))) writeFileSync(file, importJs(readFileSync(file, "utf8")));
    else rmSync(file);
  }
  removeEmptyFolders(ESM);
  cpSync(ESM, CJS, { recursive: true });
  writeFileSync(`${CJS}/package.json`, `${JSON.stringify({ type: "commonjs" })}\n`);
}
