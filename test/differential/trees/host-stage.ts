/** node:fs on a folder of the host as a stage: of the oracle's process, and of tests that ask the running Node. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import type { Stage } from "./scene.ts";

/** @param chdir of the process, which threads have not */
export function hostStage(root: string, chdir: Stage["chdir"]): Stage {
  return { fs, root, chdir, clear, mkfifo: (path) => execFileSync("mkfifo", [path]), mksocket };
}

function mksocket(path: string): void {
  const server = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  const { signal, stderr } = spawnSync(process.execPath, ["-e", server, path], { encoding: "utf8" });
  if (signal !== "SIGKILL") throw new Error(`no socket: ${stderr}`);
}

/** Node's own rmSync goes only so deep. */
function clear(path: string): void {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    execFileSync("rm", ["-rf", path]);
  }
}
