/** snapshot, restore and fork of 100 MiB in 9 280 files: foliofs alone, against one copy of as many bytes. */
import assert from "node:assert/strict";
import type { Machine, Subject } from "../contenders/contender.ts";
import { pattern } from "../pattern.ts";
import { bareCopy } from "./bare-memory.ts";
import { makeDirs, writeFiles } from "./files.ts";
import type { BatchTrial, Row } from "./row.ts";

const MIB = 2 ** 20;
const TOTAL_BYTES = 100 * MIB;
const NR_LARGE = 64;
const NR_SMALL = 9216;

/** 64 files of 1 MiB and 9 216 of 4 KiB. */
function fill({ fs, root }: Subject): void {
  fs.mkdirSync(`${root}/large`);
  fs.mkdirSync(`${root}/small`);
  writeFiles(fs, makeDirs(fs, `${root}/large`, { nrDirs: 1, nrFiles: NR_LARGE }), pattern(MIB));
  writeFiles(fs, makeDirs(fs, `${root}/small`, { nrDirs: 16, nrFiles: NR_SMALL / 16 }), pattern(4096));
}

function checkCopy({ fs, root }: Subject): void {
  assert.ok(Buffer.from(fs.readFileSync(`${root}/large/d0/f63`)).equals(pattern(MIB)), "wrong bytes");
  assert.ok(Buffer.from(fs.readFileSync(`${root}/small/d15/f575`)).equals(pattern(4096)), "wrong bytes");
  assert.equal(fs.readdirSync(`${root}/small/d07`).length, NR_SMALL / 16);
}

function machineOf(subject: Subject): Machine {
  assert.ok(subject.machine, "only foliofs has snapshots");
  return subject.machine;
}

function snapshot(subject: Subject): BatchTrial {
  fill(subject);
  const machine = machineOf(subject);
  let bytes: Uint8Array | undefined;
  const op = (): number => {
    bytes = machine.snapshot();
    return bytes.length;
  };
  const check = (): void => {
    const copy = machine.restore(bytes as Uint8Array);
    checkCopy(copy);
    copy.dispose();
  };
  const reset = (): void => {
    bytes = undefined;
    globalThis.gc?.();
  };
  return { kind: "batch", nrOps: 1, op, check, reset };
}

/** Times a call that makes another file system. */
function copying(make: () => Subject): BatchTrial {
  let copy: Subject | undefined;
  const op = (): number => {
    copy = make();
    return 1;
  };
  const reset = (): void => {
    copy?.dispose();
    copy = undefined;
    globalThis.gc?.();
  };
  return { kind: "batch", nrOps: 1, op, check: () => checkCopy(copy as Subject), reset };
}

function restore(subject: Subject): BatchTrial {
  fill(subject);
  const machine = machineOf(subject);
  const bytes = machine.snapshot();
  return copying(() => machine.restore(bytes));
}

function fork(subject: Subject): BatchTrial {
  fill(subject);
  const machine = machineOf(subject);
  return copying(() => machine.fork());
}

const bare = (): BatchTrial => bareCopy(TOTAL_BYTES);

export const rows: Row[] = [
  {
    id: "snapshot-100m",
    title: "snapshot of 100 MiB",
    section: "whole system",
    only: "foliofs",
    setUp: snapshot,
    bare,
  },
  { id: "restore-100m", title: "restore of 100 MiB", section: "whole system", only: "foliofs", setUp: restore, bare },
  { id: "fork-100m", title: "fork of 100 MiB", section: "whole system", only: "foliofs", setUp: fork, bare },
];
