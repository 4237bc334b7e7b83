/** Walks through an overlay of two layers, warm, beside the same on one file system. Part of bench/layers.ts. */
import type { FolioFs } from "foliofs";
import { machine } from "./layer-machine.ts";

const TURNS = 30;
const CALLS = 20_000;
const FILE = "src/lib/file";
const DIRECTORY = "src/lib";
/** Below /agents: a layer that has changed nothing, one that has changed the file, and one file system. */
const PLACES = ["lower", "copied", "plain"];

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

/** As deep as each other, and each on a file system of its own. */
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

/**
 * Prints a row for each walk: of a lower file, of a copied one, and on one file system. The least of all turns counts: a turn takes two
 * milliseconds, and another program either got in the way for longer than that or did not.
 */
export function benchWalks(): void {
  const fs = build();
  for (const [title, walk, name] of ROWS) {
    const least = PLACES.map(() => Number.POSITIVE_INFINITY);
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [i, place] of PLACES.entries()) {
        least[i] = Math.min(least[i], nanoseconds(fs, walk, `/agents/${place}/${name}`));
      }
    }
    const [lower, copied] = least.map((time) => (time / least[2]).toFixed(2));
    const shown = least.map((time) => time.toFixed(0)).join(", ");
    console.log(`${title.padEnd(22)} ${lower} and ${copied} times one file system: ${shown} ns`);
  }
  fs.kernel.destroy();
}
