/** Walks through an overlay of two layers, warm, beside the same on one file system. Part of bench/layers.ts. */
import type { FolioFs } from "foliofs";
import { machine } from "./layer-machine.ts";
import { median } from "./stats.ts";

const TURNS = 15;
const CALLS = 20_000;
const FILE = "src/lib/file";
const DIRECTORY = "src/lib";

type Walk = (fs: FolioFs, path: string) => unknown;

const stat: Walk = (fs, path) => fs.statSync(path);
const openAndClose: Walk = (fs, path) => fs.closeSync(fs.openSync(path, "r"));
const readFile: Walk = (fs, path) => fs.readFileSync(path);

/** Title, what is done, and to what: the file has 1 KiB. */
const ROWS: readonly (readonly [string, Walk, string])[] = [
  ["stat", stat, FILE],
  ["stat of a directory", stat, DIRECTORY],
  ["open and close", openAndClose, FILE],
  ["readFile of 1 KiB", readFile, FILE],
];

/** As deep as each other, and each on a file system of its own; one layer has changed nothing, one the file. */
function build(): FolioFs {
  const fs = machine(["/agents/lower", "/agents/copied", "/agents/plain"]);
  fs.kernel.mount({ type: "tmpfs", target: "/agents/plain" });
  for (const dir of ["/base", "/agents/plain"]) {
    fs.mkdirSync(`${dir}/${DIRECTORY}`, { recursive: true });
    fs.writeFileSync(`${dir}/${FILE}`, Buffer.alloc(1024, 7));
  }
  for (const target of ["/agents/lower", "/agents/copied"]) fs.kernel.layer({ lower: "/base", target });
  fs.appendFileSync(`/agents/copied/${FILE}`, "!");
  fs.truncateSync(`/agents/copied/${FILE}`, 1024);
  return fs;
}

function nanoseconds(fs: FolioFs, walk: Walk, path: string): number {
  const start = performance.now();
  for (let i = 0; i < CALLS; i++) walk(fs, path);
  return ((performance.now() - start) * 1e6) / CALLS;
}

/** Prints a row for each walk: of a lower file, of a copied one, and on one file system. Ratios are taken within a turn. */
export function benchWalks(): void {
  const fs = build();
  for (const [title, walk, name] of ROWS) {
    const turns = Array.from({ length: TURNS }, () =>
      ["lower", "copied", "plain"].map((place) => nanoseconds(fs, walk, `/agents/${place}/${name}`)),
    );
    const [lower, copied, plain] = [0, 1, 2].map((i) => median(turns.map((times) => times[i])).toFixed(0));
    const [below, above] = [0, 1].map((i) => median(turns.map((times) => times[i] / times[2])).toFixed(2));
    console.log(`${title.padEnd(22)} ${below} and ${above} times one file system: ${lower}, ${copied}, ${plain} ns`);
  }
  fs.kernel.destroy();
}
