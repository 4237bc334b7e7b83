/** Hashes of build inputs, so that a step runs only when something it reads has changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Lists all files under `paths` (files or folders; missing ones are left out), sorted. */
export function listFiles(paths) {
  const files = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    if (!statSync(path).isDirectory()) files.push(path);
    else files.push(...listFiles(readdirSync(path).map((name) => join(path, name))));
  }
  return files.sort();
}

/**
 * Hashes names and contents of all files under `paths`.
 *
 * @param salt anything else that the result depends on, such as tool versions
 * @returns hex digest
 */
export function fingerprint(paths, salt = "") {
  const hash = createHash("sha256").update(salt);
  for (const file of listFiles(paths)) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

/**
 * Tells whether a step has been done for these inputs and its outputs are still there.
 *
 * @param stamp file that holds the fingerprint of the last run
 */
export function isFresh(stamp, print, outputs) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === print && outputs.every((path) => existsSync(path));
}

/** Records that a step has been done for these inputs. */
export function markFresh(stamp, print) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, print);
}
