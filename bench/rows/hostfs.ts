/**
 * A folder of the host on a tmpfs, mounted in foliofs (hostfs), against node:fs on such a folder: what pages and ttl save.
 *
 * Not measured: a slow disk, for which both would wait; promise calls.
 */
import assert from "node:assert/strict";
import nodeFs from "node:fs";
import { alignedBuffer } from "../aligned.ts";
import type { BenchFs, Subject } from "../contenders/contender.ts";
import { pattern } from "../pattern.ts";
import { type RepeatTrial, type Row, WARM_BYTES } from "./row.ts";

const MIB = 2 ** 20;
const COLD_BYTES = 256 * MIB;
const COLD_READ_BYTES = 65536;
const NR_SMALL = 10_000;
/** What is read at a time into frames that are used again. */
const COLD_WINDOW_BYTES = MIB / 2;

/** Believed for as long as the row takes. */
const TTL = "ttl=100000000";
const NO_TTL = "ttl=0";

interface OnHost {
  readonly fs: BenchFs;
  /** As the host has it. */
  readonly folder: string;
  /** As the contender has it. */
  readonly root: string;
  dispose(): void;
}

/** Folders that are there: the memory of a machine is soon full of them. */
const folders = new Set<string>();
process.on("exit", () => folders.forEach(removeFolder));

function makeFolder(): string {
  const folder = nodeFs.mkdtempSync("/dev/shm/fbench-host-");
  folders.add(folder);
  return folder;
}

function removeFolder(folder: string): void {
  nodeFs.rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** A new folder of the host, as the contender sees it. @param data mount options */
function onHost({ fs, mountHost }: Subject, data: string): OnHost {
  const folder = makeFolder();
  const dispose = (): void => removeFolder(folder);
  return { fs, folder, root: mountHost ? mountHost(folder, data) : folder, dispose };
}

function readRow(id: string, title: string, len: number): Row {
  return {
    id,
    title,
    section: "a folder of the host",
    isOnHost: true,
    setUp(subject) {
      const { fs, root, dispose } = onHost(subject, TTL);
      fs.writeFileSync(`${root}/file`, pattern(WARM_BYTES));
      const fd = fs.openSync(`${root}/file`, "r");
      const buffer = alignedBuffer(len);
      const mask = WARM_BYTES / len - 1;
      const op = (i: number): number => fs.readSync(fd, buffer, 0, len, (i & mask) * len);
      const check = (): void => {
        assert.equal(op(mask), len);
        assert.ok(buffer.equals(pattern(WARM_BYTES).subarray(mask * len)), "wrong bytes");
      };
      const close = (): void => {
        fs.closeSync(fd);
        dispose();
      };
      return { kind: "repeat", op, check, close };
    },
  };
}

/** One call on a small file in a directory. */
function smallRow(id: string, title: string, data: string, call: (fs: BenchFs, path: string) => number): Row {
  return {
    id,
    title,
    section: "a folder of the host",
    isOnHost: true,
    setUp(subject) {
      const { fs, root, dispose } = onHost(subject, data);
      fs.mkdirSync(`${root}/dir`);
      const path = `${root}/dir/file`;
      fs.writeFileSync(path, pattern(1024));
      const op = (): number => call(fs, path);
      return { kind: "repeat", op, check: () => assert.equal(op(), 1024), close: dispose };
    },
  };
}

const stat = (fs: BenchFs, path: string): number => fs.statSync(path).size;
const readFile = (fs: BenchFs, path: string): number => fs.readFileSync(path).length;

/** Small files are made, and brought to the host; nobody asks it for an fsync. A call is a file, the last one the sync, too. */
function writeBackRow(): Row {
  return {
    id: "host-write-1k",
    title: "hostfs: 10 000 files of 1 KiB, written back",
    section: "a folder of the host",
    isOnHost: true,
    setUp(subject) {
      const { fs, root, folder, dispose } = onHost(subject, `${TTL},cache=writeback`);
      const bytes = pattern(1024);
      const op = (i: number): number => {
        fs.writeFileSync(`${root}/f${i}`, bytes);
        if (i === NR_SMALL - 1) subject.syncHost?.();
        return 1;
      };
      const reset = (): void => {
        for (let i = 0; i < NR_SMALL; i++) fs.rmSync(`${root}/f${i}`, { force: true });
      };
      const check = (): void => {
        for (let i = 0; i < NR_SMALL; i++) op(i);
        for (let i = 0; i < NR_SMALL; i += 97) assert.ok(nodeFs.readFileSync(`${folder}/f${i}`).equals(bytes), `${i}`);
        reset();
      };
      return { kind: "batch", nrOps: NR_SMALL, maxBatches: 8, op, reset, check, close: dispose };
    },
  };
}

/** A file is read from its start to its end, of which no page is cached. */
function coldRow(): Row {
  return {
    id: "host-cold-256m",
    title: "hostfs: 256 MiB, cold, 64 KiB at a time",
    section: "a folder of the host",
    isOnHost: true,
    setUp(subject) {
      const { fs, root, folder, dispose } = onHost(subject, NO_TTL);
      const path = `${root}/file`;
      fillFile(fs, path);
      const buffer = alignedBuffer(COLD_READ_BYTES);
      const op = (): number => {
        const fd = fs.openSync(path, "r");
        let total = 0;
        for (let n = -1; n !== 0; total += n) n = fs.readSync(fd, buffer, 0, COLD_READ_BYTES, null);
        fs.closeSync(fd);
        return total;
      };
      let nrTouched = 0;
      // Another has changed its times: its pages are believed no more.
      const reset = (): void => nodeFs.utimesSync(`${folder}/file`, ++nrTouched, nrTouched);
      const check = (): void => assert.equal(op(), COLD_BYTES);
      return { kind: "batch", nrOps: 1, maxBatches: 8, op, reset, check, close: dispose };
    },
    bare: () => bareCold(),
  };
}

function fillFile(fs: BenchFs, path: string): void {
  const fd = fs.openSync(path, "w");
  const bytes = pattern(MIB);
  for (let at = 0; at < COLD_BYTES; at += MIB) fs.writeSync(fd, bytes, 0, MIB, at);
  fs.closeSync(fd);
}

/** Reads the host's file into frames that are used again, and copies out of them. */
function bareCold(): RepeatTrial {
  const folder = makeFolder();
  fillFile(nodeFs, `${folder}/file`);
  const frames = alignedBuffer(COLD_WINDOW_BYTES);
  const buffer = alignedBuffer(COLD_READ_BYTES);
  const op = (): number => {
    const fd = nodeFs.openSync(`${folder}/file`, "r");
    let total = 0;
    for (let n = -1; n !== 0; total += n) {
      n = nodeFs.readSync(fd, frames, 0, COLD_WINDOW_BYTES, null);
      for (let at = 0; at < n; at += COLD_READ_BYTES) buffer.set(frames.subarray(at, at + COLD_READ_BYTES));
    }
    nodeFs.closeSync(fd);
    return total;
  };
  return { kind: "repeat", op, check: () => {}, close: () => removeFolder(folder) };
}

export const rows: Row[] = [
  readRow("host-read-64k", "hostfs: 64 KiB read, from pages", 65536),
  readRow("host-read-4k", "hostfs: 4 KiB read, from pages", 4096),
  smallRow("host-stat", "hostfs: stat within ttl", TTL, stat),
  smallRow("host-readfile-1k", "hostfs: readFile of 1 KiB within ttl", TTL, readFile),
  smallRow("host-readfile-1k-ttl0", "hostfs: readFile of 1 KiB, ttl=0", NO_TTL, readFile),
  writeBackRow(),
  coldRow(),
];
