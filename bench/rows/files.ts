/** Set-up of rows: trees of files and the paths into them. Nothing here is timed. */
import type { BenchFs } from "../contenders/contender.ts";
import { checkDeadline, Pace } from "../deadline.ts";

/** Calls between two looks at the clock. */
const PIECE = 64;

/** `prefix` + number, all of one length. */
export function numbered(prefix: string, nrNames: number): string[] {
  const width = String(nrNames - 1).length;
  return Array.from({ length: nrNames }, (_, i) => flat(prefix + String(i).padStart(width, "0")));
}

/** A path as it comes from outside: one flat string, no rope of parts. */
export function flat(path: string): string {
  return Buffer.from(path).toString();
}

/** Makes directories under `root`, each of `nrFiles` paths. @returns the paths of the files, which are not made */
export function makeDirs(
  fs: BenchFs,
  root: string,
  { nrDirs, nrFiles }: { nrDirs: number; nrFiles: number },
): string[] {
  return numbered(`${root}/d`, nrDirs).flatMap((dir) => {
    checkDeadline();
    fs.mkdirSync(dir);
    return numbered(`${dir}/f`, nrFiles);
  });
}

export function writeFiles(fs: BenchFs, paths: readonly string[], data: Uint8Array | string): void {
  forEachInTime(paths, (path) => fs.writeFileSync(path, data));
}

export function unlinkFiles(fs: BenchFs, paths: readonly string[]): void {
  forEachInTime(paths, (path) => fs.unlinkSync(path));
}

/** Calls `each` for every item; gives up as soon as the rest will not fit into the time for the row. */
export function forEachInTime<T>(items: readonly T[], each: (item: T) => void): void {
  const pace = new Pace(items.length);
  for (let start = 0; start < items.length; start += PIECE) {
    const piece = items.slice(start, start + PIECE);
    const startMs = performance.now();
    for (const item of piece) each(item);
    pace.advance(piece.length, performance.now() - startMs);
  }
}
