/** All contenders, in the order of the table's columns. */
import type { Absent, Contender, ContenderName } from "./contender.ts";
import { loadFoliofs } from "./foliofs.ts";
import { loadMemfs } from "./memfs.ts";
import { loadNodeVfs } from "./node-vfs.ts";
import { loadTmpfs } from "./tmpfs.ts";
import { loadZenfs } from "./zenfs.ts";

export const LOADERS: Readonly<Record<ContenderName, () => Promise<Contender>>> = {
  foliofs: loadFoliofs,
  memfs: loadMemfs,
  tmpfs: loadTmpfs,
  zenfs: loadZenfs,
  "node:vfs": loadNodeVfs,
};

/** Loads the contenders named. Those that cannot run here are told with the reason. */
export async function loadContenders(
  names: readonly ContenderName[],
): Promise<{ present: Contender[]; absent: Absent[] }> {
  const present: Contender[] = [];
  const absent: Absent[] = [];
  for (const name of names) {
    try {
      present.push(await LOADERS[name]());
    } catch (error) {
      absent.push({ name, reason: String((error as Error).message).split("\n")[0] });
    }
  }
  return { present, absent };
}
