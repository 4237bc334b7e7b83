/** readFile and writeFile of 1 KiB and 64 KiB: by path, new and existing, bytes and text. */
import assert from "node:assert/strict";
import type { Subject } from "../contenders/contender.ts";
import { pattern, text } from "../pattern.ts";
import { shuffle } from "../random.ts";
import { bareEncode, bareFill } from "./bare-memory.ts";
import { makeDirs, numbered, unlinkFiles, writeFiles } from "./files.ts";
import { type BatchTrial, type MemoryState, type RepeatTrial, type Row, UNTOUCHED_BYTES } from "./row.ts";

interface Kind {
  readonly len: number;
  /** A power of two. */
  readonly nrFiles: number;
  readonly isText: boolean;
}

const KINDS: readonly Kind[] = [
  { len: 1024, nrFiles: 512, isText: false },
  { len: 1024, nrFiles: 512, isText: true },
  { len: 65536, nrFiles: 256, isText: false },
  { len: 65536, nrFiles: 256, isText: true },
];

const contentOf = ({ len, isText }: Kind): Buffer | string => (isText ? text(len) : Buffer.from(pattern(len)));
const idOf = ({ len, isText }: Kind): string => `${len / 1024}k-${isText ? "utf8" : "bytes"}`;
const titleOf = ({ len, isText }: Kind): string => `${len / 1024} KiB, ${isText ? "utf8" : "bytes"}`;

function existingFiles({ fs, root }: Subject, kind: Kind): string[] {
  const paths = makeDirs(fs, root, { nrDirs: 8, nrFiles: kind.nrFiles / 8 });
  writeFiles(fs, paths, contentOf(kind));
  return shuffle(paths, 3);
}

function readFile(subject: Subject, kind: Kind): RepeatTrial {
  const { fs } = subject;
  const paths = existingFiles(subject, kind);
  const mask = paths.length - 1;
  const readText = (i: number): number => fs.readFileSync(paths[i & mask], "utf8").length;
  const readBytes = (i: number): number => fs.readFileSync(paths[i & mask]).length;
  const check = (): void => {
    for (const path of [paths[0], paths[mask]]) {
      const found = kind.isText ? fs.readFileSync(path, "utf8") : Buffer.from(fs.readFileSync(path));
      assert.deepEqual(found, contentOf(kind));
    }
  };
  return { kind: "repeat", op: kind.isText ? readText : readBytes, check };
}

function overwriteFile(subject: Subject, kind: Kind): RepeatTrial {
  const { fs } = subject;
  const paths = existingFiles(subject, kind);
  const mask = paths.length - 1;
  const data = contentOf(kind);
  const op = (i: number): number => {
    fs.writeFileSync(paths[i & mask], data);
    return 1;
  };
  const check = (): void => {
    fs.writeFileSync(paths[0], "something else, of another length");
    op(0);
    assert.ok(Buffer.from(fs.readFileSync(paths[0])).equals(Buffer.from(data)), "wrong bytes");
  };
  return { kind: "repeat", op, check };
}

function newFiles({ fs, root }: Subject, { len, nrFiles, isText }: Kind, memory: MemoryState): BatchTrial {
  const data = contentOf({ len, nrFiles, isText });
  let nrDirs = 0;
  let dir = "";
  let paths: string[] = [];
  const renew = (): void => {
    dir = `${root}/new${nrDirs++}`;
    fs.mkdirSync(dir);
    paths = numbered(`${dir}/f`, nrFiles);
  };
  renew();
  const op = (i: number): number => {
    fs.writeFileSync(paths[i], data);
    return 1;
  };
  const check = (): void => {
    assert.equal(fs.readdirSync(dir).length, paths.length);
    assert.ok(Buffer.from(fs.readFileSync(paths[1])).equals(Buffer.from(data)), "wrong bytes");
  };
  const nrOps = nrFiles;
  if (memory === "recycled") return { kind: "batch", nrOps, op, check, reset: () => unlinkFiles(fs, paths) };
  const maxBatches = UNTOUCHED_BYTES / (nrFiles * Math.max(len, 4096));
  return { kind: "batch", nrOps, maxBatches, op, check, reset: renew };
}

function newFilesRow(kind: Kind, memory: MemoryState): Row {
  const isUntouched = memory === "untouched";
  const bareFloor = kind.isText ? bareEncode : bareFill;
  return {
    id: `writefile-new-${idOf(kind)}${isUntouched ? "-untouched" : ""}`,
    title: `writeFile new ${titleOf(kind)}${isUntouched ? ", untouched" : ""}`,
    section: "whole files",
    memory,
    isLeftOutInQuick: isUntouched,
    setUp: (subject) => newFiles(subject, kind, memory),
    bare: isUntouched ? () => bareFloor(kind.nrFiles, kind.len, false) : undefined,
  };
}

function rowsOf(kind: Kind): Row[] {
  return [
    {
      id: `readfile-${idOf(kind)}`,
      title: `readFile ${titleOf(kind)}`,
      section: "whole files",
      setUp: (subject) => readFile(subject, kind),
    },
    newFilesRow(kind, "recycled"),
    newFilesRow(kind, "untouched"),
    {
      id: `writefile-over-${idOf(kind)}`,
      title: `writeFile existing ${titleOf(kind)}`,
      section: "whole files",
      memory: "recycled",
      setUp: (subject) => overwriteFile(subject, kind),
    },
  ];
}

export const rows: Row[] = KINDS.flatMap(rowsOf);
