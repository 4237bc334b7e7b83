/**
 * Installs what the package is tried with: the tools of test/package (bundlers, test runners, old compilers) into
 * build/tools, the programs of test/programs into build/programs. Both have a lock file of their own, so that the
 * project's own dependencies stay few.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fingerprint, isFresh, markFresh } from "./fingerprint.mjs";

/** What is copied: not what somebody installed beside the list by hand. */
const filter = (path) => basename(path) !== "node_modules";

const INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];

/**
 * Installs the packages that `source` names, unless they are there.
 *
 * @returns `folder`, with the files of `source` and the packages in its node_modules
 * @throws Error when npm cannot install them
 */
function install(source, folder) {
  const stamp = `${folder}/.stamp`;
  const print = fingerprint([`${source}/package.json`, `${source}/package-lock.json`], process.version);
  if (!isFresh(stamp, print, [`${folder}/node_modules`])) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync(source, folder, { recursive: true, filter });
    const { status, stdout, stderr } = spawnSync("npm", INSTALL, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`npm ci could not install the packages of ${source}\n${stdout}${stderr}`);
    markFresh(stamp, print);
  }
  cpSync(source, folder, { recursive: true, filter });
  return resolve(folder);
}

/** The folder with the tools. @throws as install() */
export const packageTools = () => install("test/package/tools", "build/tools");

/** The folder with the programs. @throws as install() */
export const programPackages = () => install("test/programs", "build/programs");
