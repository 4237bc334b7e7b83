/**
 * `npm start [folder] [options]`: runs the main job (src/main/main.ts), on a fresh clone too: installs what is missing,
 * builds what is stale. Needs nothing but Node and npm until then.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MIN_NODE = 20;

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** Runs a command in the project's folder; ends this process with its status when it fails. */
function run(command, args, cwd = ROOT) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit", shell: process.platform === "win32" });
  if (error) fail(`Could not run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const major = Number(process.versions.node.split(".")[0]);
if (major < MIN_NODE) fail(`foliofs needs Node ${MIN_NODE} or newer; this is ${process.version}.`);

if (!existsSync(`${ROOT}/node_modules/.package-lock.json`)) {
  console.log("Installing what the build needs (npm ci) ...");
  run("npm", ["ci", "--no-audit", "--no-fund"]);
}
run(process.execPath, ["scripts/build.mjs"]);
run(
  process.execPath,
  ["--expose-gc", `${ROOT}/build/main.mjs`, ...process.argv.slice(2)],
  process.env.INIT_CWD ?? ROOT,
);
