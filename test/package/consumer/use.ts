/** What a user of the package writes in TypeScript; compiled as an ES module, as CommonJS and for a bundler. */
import { createFs, createFsSync, type FolioFs, restoreFsSync } from "foliofs";
import type { Layer, TreeChange } from "foliofs/layers";
import { type LazyEntry, type LazyTree, mountLazy } from "foliofs/lazy";
import { proc } from "foliofs/proc";
import { type FaultRule, injectFaults, type TestDisk } from "foliofs/testing";
import type { CaseResult } from "foliofs/testing/conformance";

const fs: FolioFs = createFsSync({ memoryLimit: 64 * 2 ** 20, umask: 0o022 });
fs.writeFileSync("/a", "hello");
const text: string = fs.readFileSync("/a", "utf8");
const bytes: Uint8Array = fs.readFileSync("/a");
const nanoseconds: bigint = fs.statSync("/a", { bigint: true }).mtimeNs;
const names: string[] = fs.readdirSync("/");
const snapshot: Uint8Array = fs.kernel.snapshot();
const restored: FolioFs = restoreFsSync(snapshot);
const later: Promise<FolioFs> = createFs();
const promised: Promise<string> = restored.promises.readFile("/a", "utf8");
export function wrong(): void {
  // @ts-expect-error a path is no boolean
  fs.mkdirSync(true);
}

export function carry({ kernel }: FolioFs, layer: Layer): [Uint8Array, TreeChange[]] {
  const loaded: Layer = kernel.load(layer.save(), { lower: "/base", target: "/b", size: "64m" });
  kernel.loadTar(loaded.saveTar({ format: "oci" }), { lower: ["/base"], target: "/c", format: "oci" }).drop();
  // @ts-expect-error there is no such form
  layer.saveTar({ format: "zip" });
  return [kernel.diff("/base", "/b", { format: "oci" }), layer.diff()];
}

export function spoil(face: FolioFs, disk: TestDisk, results: CaseResult[]): FaultRule {
  disk.afterPowerCut({ seed: results.length });
  return injectFaults(face).failNth({ call: "write", errno: "ENOSPC", nth: 3 });
}

interface Row extends LazyEntry {
  readonly id: number;
}
const rows: LazyTree<Row> = {
  list: async function* (_path, row) {
    yield { name: `${row?.id ?? 0}`, type: "file", id: 1 };
  },
  load: (_path, { length }, row, { signal }) => new Uint8Array(signal.aborted ? row.id : length),
};

later.then(async (other) => {
  other.mkdirSync("/rows");
  mountLazy(other.kernel, rows, { target: "/rows", statLoads: true }).invalidate("/1");
  other.kernel.registerFileSystem(proc);
  other.kernel.destroy();
  console.log(text, bytes.length, typeof nanoseconds, names.join(), await promised);
});
