/** All rows, in the order of the table. */
import { rows as hostfs } from "./hostfs.ts";
import { rows as lookup } from "./lookup.ts";
import { rows as names } from "./names.ts";
import { rows as pread } from "./pread.ts";
import { rows as pwrite } from "./pwrite.ts";
import { rows as readdir } from "./readdir.ts";
import type { Row } from "./row.ts";
import { rows as snapshot } from "./snapshot.ts";
import { rows as wholeFile } from "./whole-file.ts";

export const rows: readonly Row[] = [
  ...pread,
  ...pwrite,
  ...wholeFile,
  ...lookup,
  ...readdir,
  ...names,
  ...snapshot,
  ...hostfs,
];
