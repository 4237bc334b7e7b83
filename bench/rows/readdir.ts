/** readdir of 5 000 entries: first after a change of the directory, and repeated; plain and withFileTypes. */
import assert from "node:assert/strict";
import type { BenchFs, Subject } from "../contenders/contender.ts";
import { shuffle } from "../random.ts";
import { numbered, writeFiles } from "./files.ts";
import type { Row, Trial } from "./row.ts";

const NR_ENTRIES = 5000;

/** @returns the directory; its files were made in no order */
function fullDirectory({ fs, root }: Subject): string {
  const dir = `${root}/full`;
  fs.mkdirSync(dir);
  writeFiles(fs, shuffle(numbered(`${dir}/entry-`, NR_ENTRIES), 5), "");
  return dir;
}

function readPlain(fs: BenchFs, dir: string): () => number {
  return () => fs.readdirSync(dir).length;
}

function readWithTypes(fs: BenchFs, dir: string): () => number {
  return () => fs.readdirSync(dir, { withFileTypes: true }).length;
}

function checkListing(fs: BenchFs, dir: string): void {
  const names = fs.readdirSync(dir).sort();
  assert.equal(names.length, NR_ENTRIES);
  assert.deepEqual([names[0], names[4999]], ["entry-0000", "entry-4999"]);
  const entries = fs.readdirSync(dir, { withFileTypes: true });
  assert.ok(entries.every((entry) => entry.isFile()));
}

function repeated(subject: Subject, withTypes: boolean): Trial {
  const { fs } = subject;
  const dir = fullDirectory(subject);
  const op = withTypes ? readWithTypes(fs, dir) : readPlain(fs, dir);
  return { kind: "repeat", op, check: () => checkListing(fs, dir) };
}

function first(subject: Subject, withTypes: boolean): Trial {
  const { fs } = subject;
  const dir = fullDirectory(subject);
  let generation = 0;
  const reset = (): void => {
    const victim = `${dir}/entry-${String((generation++ * 37) % NR_ENTRIES).padStart(4, "0")}`;
    fs.unlinkSync(victim);
    fs.writeFileSync(victim, "");
  };
  const op = withTypes ? readWithTypes(fs, dir) : readPlain(fs, dir);
  return { kind: "batch", nrOps: 1, op, check: () => checkListing(fs, dir), reset };
}

export const rows: Row[] = [
  { id: "readdir-first", title: "readdir 5 000, first", section: "readdir", setUp: (s) => first(s, false) },
  { id: "readdir-first-types", title: "readdir 5 000, first, types", section: "readdir", setUp: (s) => first(s, true) },
  { id: "readdir-again", title: "readdir 5 000, repeated", section: "readdir", setUp: (s) => repeated(s, false) },
  {
    id: "readdir-again-types",
    title: "readdir 5 000, repeated, types",
    section: "readdir",
    setUp: (s) => repeated(s, true),
  },
];
