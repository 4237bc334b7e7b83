/**
 * Runs the work of a program on foliofs and on the host, and compares what it tells.
 *
 * Work is a module of test/programs/work with `export default async function ({ fs, root, say, … })`; run.mjs there says
 * what it is given. Both runs are given the same directory, so that paths and messages are the same as they stand. The one
 * on foliofs must leave the host's directory empty: else the program has worked there.
 */
import { spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, inject } from "vitest";

export interface WorkOptions {
  /** `fs` and `fs/promises` are replaced for all that the work imports: for programs that have no option for it. */
  readonly replace?: boolean;
  /** User and group that does the work; default: root. */
  readonly uid?: number;
  /** Most descriptors that may be open, the process's own on the host among them; default: as it is. */
  readonly maxFiles?: number;
  /** Told to the work. */
  readonly args?: readonly string[];
}

function run(
  where: "host" | "foliofs",
  work: string,
  root: string,
  { replace, uid = 0, maxFiles, args = [] }: WorkOptions,
): string {
  const folder = join(inject("programs"), "work");
  const options = JSON.stringify({ where, work: join(folder, work), root, replace, uid, maxFiles, args });
  const command = [process.execPath, join(folder, "run.mjs"), options];
  const limit = where === "host" && maxFiles ? `ulimit -n ${maxFiles}; ` : "";
  const { status, signal, stdout, stderr } = spawnSync("sh", ["-c", `${limit}exec "$@"`, "sh", ...command], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${work} on ${where} ended with ${status ?? signal}\n${stderr}\n${stdout}`);
  if (!/^finished$/m.test(stdout)) throw new Error(`${work} on ${where} stopped before its end\n${stderr}\n${stdout}`);
  return stdout;
}

/**
 * Runs a module of test/programs/work on the host and on foliofs.
 *
 * @returns what it told, which was the same on both
 * @throws Error when it fails; AssertionError when it tells something else, or works on the host from foliofs
 */
export function both(work: string, options: WorkOptions = {}): string {
  const root = mkdtempSync("/dev/shm/foliofs-both-");
  const empty = (): void => {
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  };
  try {
    chownSync(root, options.uid ?? 0, options.uid ?? 0);
    const host = run("host", work, root, options);
    empty();
    const foliofs = run("foliofs", work, root, options);
    expect(foliofs).toBe(host);
    expect(readdirSync(root), "left on the host by the run on foliofs").toEqual([]);
    return foliofs;
  } finally {
    rmSync(root, { recursive: true });
  }
}
