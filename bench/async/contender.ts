/** Who takes part in bench/async.ts, as objects like node:fs; each with a directory of its own. */
import * as nodeFs from "node:fs";
import { createRequire } from "node:module";
import { memfs } from "memfs";

export type Fs = typeof nodeFs;

export interface Contender {
  readonly name: string;
  readonly fs: Fs;
  readonly root: string;
  /** How often it is asked for each time that those are who need tens of microseconds for a call: a run is to last milliseconds. */
  readonly speed: number;
}

/** Of Node from 26 on, behind --experimental-vfs. @returns undefined where there is none */
function nodeVfs(): Contender | undefined {
  try {
    const { create } = createRequire(import.meta.url)("node:vfs") as { create(): unknown };
    return { name: "node:vfs", fs: create() as Fs, root: "/bench", speed: 1 };
  } catch {
    console.log("node:vfs: absent (Node 26 has it with --experimental-vfs)");
    return undefined;
  }
}

/** The first is foliofs, which all are compared with. */
export async function contenders(): Promise<Contender[]> {
  const built = "../../dist/index.js"; // what users get
  const { createFsSync } = await import(built);
  const tmpfs = nodeFs.mkdtempSync("/dev/shm/foliofs-bench-");
  process.on("exit", () => nodeFs.rmSync(tmpfs, { recursive: true, force: true }));
  const vfs = nodeVfs();
  return [
    { name: "foliofs", fs: createFsSync(), root: "/bench", speed: 8 },
    { name: "memfs", fs: memfs().fs as unknown as Fs, root: "/bench", speed: 2 },
    { name: "tmpfs", fs: nodeFs, root: `${tmpfs}/bench`, speed: 1 },
    ...(vfs === undefined ? [] : [vfs]),
  ];
}
