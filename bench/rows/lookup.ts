/** The path walk: stat at two depths over 5 000 names, exists on a miss, open and close. */
import assert from "node:assert/strict";
import type { Subject } from "../contenders/contender.ts";
import { shuffle } from "../random.ts";
import { flat, makeDirs, writeFiles } from "./files.ts";
import type { RepeatTrial, Row } from "./row.ts";

const NR_NAMES = 5000;
const NR_DIRS = 50;
/** Paths are taken in turn from a table of a power of two; the first names come twice. */
const TABLE = 8192;

/** 5 000 files of 10 bytes in 50 directories, `depth` components below the root. @returns a table of their paths */
function tree({ fs, root }: Subject, depth: number): string[] {
  const above = Array.from({ length: depth - 2 }, (_, i) => `/level${i}`).join("");
  if (above !== "") fs.mkdirSync(root + above, { recursive: true });
  const paths = makeDirs(fs, root + above, { nrDirs: NR_DIRS, nrFiles: NR_NAMES / NR_DIRS });
  writeFiles(fs, paths, "ten bytes.");
  shuffle(paths, 11);
  return Array.from({ length: TABLE }, (_, i) => paths[i % NR_NAMES]);
}

function stat(subject: Subject, depth: number): RepeatTrial {
  const { fs } = subject;
  const paths = tree(subject, depth);
  const op = (i: number): number => fs.statSync(paths[i & (TABLE - 1)]).size;
  const check = (): void => {
    assert.equal(op(0), 10);
    assert.ok(fs.statSync(paths[1]).isFile());
    assert.notEqual(fs.statSync(paths[0]).ino, fs.statSync(paths[1]).ino);
  };
  return { kind: "repeat", op, check };
}

function existsMiss(subject: Subject): RepeatTrial {
  const { fs } = subject;
  const paths = tree(subject, 2).map((path) => flat(`${path}x`));
  const op = (i: number): number => (fs.existsSync(paths[i & (TABLE - 1)]) ? 1 : 0);
  return { kind: "repeat", op, check: () => assert.equal(op(0) + op(4999), 0) };
}

function openClose(subject: Subject): RepeatTrial {
  const { fs } = subject;
  const paths = tree(subject, 2);
  const op = (i: number): number => {
    const fd = fs.openSync(paths[i & (TABLE - 1)], "r");
    fs.closeSync(fd);
    return fd;
  };
  const check = (): void => {
    const fd = fs.openSync(paths[0], "r");
    assert.equal(fs.fstatSync(fd).size, 10);
    fs.closeSync(fd);
    assert.throws(() => fs.fstatSync(fd));
  };
  return { kind: "repeat", op, check };
}

export const rows: Row[] = [
  { id: "stat-2", title: "stat, depth 2", section: "lookup", setUp: (subject) => stat(subject, 2) },
  { id: "stat-10", title: "stat, depth 10", section: "lookup", setUp: (subject) => stat(subject, 10) },
  { id: "exists-miss", title: "exists, miss", section: "lookup", setUp: existsMiss },
  { id: "open-close", title: "open + close", section: "lookup", setUp: openClose },
];
