/** Calls that make, move and remove names, a thousand at a time; a tree removed; 100 000 files made. */
import assert from "node:assert/strict";
import type { Subject } from "../contenders/contender.ts";
import { forEachInTime, makeDirs, numbered, unlinkFiles, writeFiles } from "./files.ts";
import type { BatchTrial, Row } from "./row.ts";

const NR_NAMES = 1000;
const EMPTY = Buffer.alloc(0);

/** An empty directory for the names. */
function directory({ fs, root }: Subject): string {
  fs.mkdirSync(`${root}/names`);
  return `${root}/names`;
}

function mkdir(subject: Subject): BatchTrial {
  const { fs } = subject;
  const dir = directory(subject);
  const paths = numbered(`${dir}/d`, NR_NAMES);
  const op = (i: number): number => {
    fs.mkdirSync(paths[i]);
    return 1;
  };
  const check = (): void => {
    assert.equal(fs.readdirSync(dir).length, NR_NAMES);
    assert.ok(fs.statSync(paths[NR_NAMES - 1]).isDirectory());
  };
  const reset = (): void => forEachInTime(paths, (path) => fs.rmdirSync(path));
  return { kind: "batch", nrOps: NR_NAMES, op, check, reset };
}

/** Half of the calls rename away, the other half back. */
function rename(subject: Subject): BatchTrial {
  const { fs } = subject;
  const dir = directory(subject);
  const away = numbered(`${dir}/a`, NR_NAMES);
  const back = numbered(`${dir}/b`, NR_NAMES);
  writeFiles(fs, away, "x");
  const from = [...away, ...back];
  const to = [...back, ...away];
  const op = (i: number): number => {
    fs.renameSync(from[i], to[i]);
    return 1;
  };
  const check = (): void => {
    op(0);
    assert.ok(fs.existsSync(back[0]) && !fs.existsSync(away[0]));
    op(NR_NAMES);
    assert.deepEqual(
      fs.readdirSync(dir).sort(),
      away.map((path) => path.slice(dir.length + 1)),
    );
  };
  return { kind: "batch", nrOps: from.length, op, check, reset: () => {} };
}

function link(subject: Subject): BatchTrial {
  const { fs } = subject;
  const dir = directory(subject);
  const target = `${subject.root}/target`;
  fs.writeFileSync(target, "x");
  const paths = numbered(`${dir}/l`, NR_NAMES);
  const op = (i: number): number => {
    fs.linkSync(target, paths[i]);
    return 1;
  };
  const check = (): void => {
    assert.equal(fs.readdirSync(dir).length, NR_NAMES);
    fs.writeFileSync(target, "seen through every name");
    assert.equal(fs.readFileSync(paths[9], "utf8"), "seen through every name");
  };
  return { kind: "batch", nrOps: NR_NAMES, op, check, reset: () => unlinkFiles(fs, paths) };
}

/** Files of one page. */
function unlink(subject: Subject): BatchTrial {
  const { fs } = subject;
  const dir = directory(subject);
  const paths = numbered(`${dir}/f`, NR_NAMES);
  const data = Buffer.alloc(1024);
  writeFiles(fs, paths, data);
  const op = (i: number): number => {
    fs.unlinkSync(paths[i]);
    return 1;
  };
  const check = (): void => assert.deepEqual(fs.readdirSync(dir), []);
  return { kind: "batch", nrOps: NR_NAMES, op, check, reset: () => writeFiles(fs, paths, data) };
}

/** One call removes 10 directories of 100 files of a page each. */
function removeTree(subject: Subject): BatchTrial {
  const { fs, root } = subject;
  const data = Buffer.alloc(1024);
  const reset = (): void => {
    fs.mkdirSync(`${root}/tree`);
    writeFiles(fs, makeDirs(fs, `${root}/tree`, { nrDirs: 10, nrFiles: 100 }), data);
  };
  reset();
  const op = (): number => {
    fs.rmSync(`${root}/tree`, { recursive: true });
    return 1;
  };
  const check = (): void => assert.ok(!fs.existsSync(`${root}/tree`));
  return { kind: "batch", nrOps: 1, op, check, reset };
}

/** Empty files, 1 000 in each of 100 directories. */
function createMany({ fs, root }: Subject): BatchTrial {
  const paths = makeDirs(fs, root, { nrDirs: 100, nrFiles: 1000 });
  const op = (i: number): number => {
    fs.writeFileSync(paths[i], EMPTY);
    return 1;
  };
  const check = (): void => {
    assert.equal(fs.readdirSync(`${root}/d99`).length, 1000);
    assert.equal(fs.statSync(paths[99_999]).size, 0);
  };
  return { kind: "batch", nrOps: paths.length, op, check, reset: () => {} };
}

export const rows: Row[] = [
  { id: "mkdir", title: "mkdir", section: "names", setUp: mkdir },
  { id: "rename", title: "rename", section: "names", setUp: rename },
  { id: "link", title: "link", section: "names", setUp: link },
  { id: "unlink", title: "unlink", section: "names", setUp: unlink },
  { id: "rm-r", title: "rm -r of 1 011 entries", section: "names", setUp: removeTree },
  { id: "create-100k", title: "create 100 000 files, each", section: "names", isFresh: true, setUp: createMany },
];
