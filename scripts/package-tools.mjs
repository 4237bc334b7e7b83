/**
 * Installs the tools that test/package tries the package with (bundlers, test runners, old compilers) into build/tools.
 * They have a lock file of their own, test/package/tools, so that the project's own dependencies stay few.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { fingerprint, isFresh, markFresh } from "./fingerprint.mjs";

const SOURCE = "test/package/tools";
const FOLDER = "build/tools";
const STAMP = `${FOLDER}/.stamp`;
const INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];

/**
 * Gives the folder that has the tools in its node_modules, installing them on the first call.
 *
 * @throws Error when npm cannot install them
 */
export function packageTools() {
  const print = fingerprint([`${SOURCE}/package.json`, `${SOURCE}/package-lock.json`], process.version);
  if (!isFresh(STAMP, print, [`${FOLDER}/node_modules`])) {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    cpSync(SOURCE, FOLDER, { recursive: true });
    const { status, stdout, stderr } = spawnSync("npm", INSTALL, { cwd: FOLDER, encoding: "utf8" });
    if (status !== 0) throw new Error(`npm ci could not install the tools of ${SOURCE}\n${stdout}${stderr}`);
    markFresh(STAMP, print);
  }
  cpSync(SOURCE, FOLDER, { recursive: true });
  return resolve(FOLDER);
}
