/** Brings folders of the host to where a program works, which may be in foliofs. */
import { join } from "node:path";

/** The host's own: `node:fs` may have been replaced. Programs are imported from here too. */
export const hostFs = process.getBuiltinModule("node:fs");
const MTIME = new Date("2024-02-03T04:05:06Z");

/**
 * Copies `from` of the host to `to` of `fs`, files with one time of modification.
 *
 * @param takes whether the file or folder of a path below `from` is copied
 * @returns how many files were copied
 */
export function copyIn(fs, from, to, takes = () => true, path = "") {
  let nrFiles = 0;
  fs.mkdirSync(join(to, path), { recursive: true });
  for (const entry of hostFs.readdirSync(join(from, path), { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (!takes(inner)) continue;
    if (entry.isDirectory()) nrFiles += copyIn(fs, from, to, takes, inner);
    else {
      fs.writeFileSync(join(to, inner), hostFs.readFileSync(join(from, inner)));
      fs.utimesSync(join(to, inner), MTIME, MTIME);
      nrFiles++;
    }
  }
  return nrFiles;
}
