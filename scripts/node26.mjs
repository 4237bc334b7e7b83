/**
 * Fetches Node 26 into build/node26 for the test matrix. It must not become a dependency: its package is for one
 * platform only.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const PACKAGE = `node-linux-${process.arch}`;
const FOLDER = resolve("build/node26");
const BINARY = `${FOLDER}/node_modules/${PACKAGE}/bin/node`;

/**
 * Gives the path of a Node 26 binary, fetching it on the first call.
 *
 * @throws Error when npm cannot fetch it
 */
export function node26() {
  if (existsSync(BINARY)) return BINARY;

  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/package.json`, JSON.stringify({ private: true }));
  const args = ["install", "--prefix", FOLDER, "--no-save", "--no-audit", "--no-fund", `${PACKAGE}@26`];
  const { status } = spawnSync("npm", args, { stdio: "inherit" });
  if (status !== 0 || !existsSync(BINARY)) throw new Error(`could not install ${PACKAGE}@26`);
  return BINARY;
}
