/** All contenders, in the order of the table's columns. */
import type { Contender, ContenderName } from "./contender.ts";
import { loadFoliofs } from "./foliofs.ts";
import { loadMemfs } from "./memfs.ts";
import { loadNodeVfs } from "./node-vfs.ts";
import { loadTmpfs } from "./tmpfs.ts";
import { loadZenfs } from "./zenfs.ts";

/** Each throws an Error with a reason where its contender cannot run. */
export const LOADERS: Readonly<Record<ContenderName, () => Promise<Contender>>> = {
  foliofs: loadFoliofs,
  memfs: loadMemfs,
  tmpfs: loadTmpfs,
  zenfs: loadZenfs,
  "node:vfs": loadNodeVfs,
};
