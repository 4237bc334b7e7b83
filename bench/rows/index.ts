/**
 * All rows, in the order of the table.
 *
 * Every contender gets modules of its own (`?subject=`): the closures that are timed then have their own inline
 * caches and optimised code, as they would in a program that uses one file system.
 */
import type { Row } from "./row.ts";

const FILES = ["pread", "pwrite", "whole-file", "lookup", "readdir", "names", "snapshot"];

/** @param subject name of the contender that will run them, or "bare" */
export async function loadRows(subject: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const file of FILES) {
    const module = (await import(`./${file}.ts?subject=${encodeURIComponent(subject)}`)) as { rows: Row[] };
    rows.push(...module.rows);
  }
  return rows;
}
