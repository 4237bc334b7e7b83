/**
 * Writes of 16 B to 1 MiB to one open file: over what is there, behind its end, into holes.
 *
 * Recycled: the file was as long before, and was cut to nothing. Untouched: each batch writes a file of its own, and all
 * of them stay.
 */
import assert from "node:assert/strict";
import type { BenchFs } from "../contenders/contender.ts";
import { pattern } from "../pattern.ts";
import { bareFill, bareOverwrite } from "./bare-memory.ts";
import { type BatchTrial, type MemoryState, type Row, type Trial, UNTOUCHED_BYTES, WARM_BYTES } from "./row.ts";

const MIB = 2 ** 20;

interface Write {
  readonly id: string;
  readonly title: string;
  readonly len: number;
  readonly nrOps: number;
  /** "append" uses O_APPEND; "extend" gives positions; "holes" gives positions in a file cut to its full length. */
  readonly how: "append" | "extend" | "holes";
  readonly memory: MemoryState;
  readonly hasFloor: boolean;
}

function batchOf({ len, nrOps, how, memory }: Write, fs: BenchFs, root: string): BatchTrial {
  const flags = how === "append" ? "a+" : "w+";
  const buffer = Buffer.from(pattern(len));
  let nrFiles = 0;
  const openFile = (): number => {
    const opened = fs.openSync(`${root}/file${nrFiles++}`, flags);
    if (how === "holes") fs.ftruncateSync(opened, nrOps * len);
    return opened;
  };
  let fd = openFile();
  const renew = (): void => {
    fs.closeSync(fd);
    fd = openFile();
  };
  const empty = (): void => fs.ftruncateSync(fd, 0);
  const append = (): number => fs.writeSync(fd, buffer, 0, len);
  const writeAt = (i: number): number => fs.writeSync(fd, buffer, 0, len, i * len);
  return {
    kind: "batch",
    nrOps,
    maxBatches: memory === "untouched" ? UNTOUCHED_BYTES / (nrOps * len) : undefined,
    op: how === "append" ? append : writeAt,
    reset: memory === "untouched" ? renew : empty,
    close: () => fs.closeSync(fd),
    check() {
      assert.equal(fs.fstatSync(fd).size, nrOps * len);
      for (const i of [0, nrOps >> 1, nrOps - 1]) assert.ok(pieceAt(fs, fd, i, len).equals(buffer), "wrong bytes");
    },
  };
}

function pieceAt(fs: BenchFs, fd: number, index: number, len: number): Buffer {
  const piece = Buffer.alloc(len);
  assert.equal(fs.readSync(fd, piece, 0, len, index * len), len);
  return piece;
}

function writeRow(write: Write): Row {
  const { id, title, len, nrOps, memory, hasFloor } = write;
  return {
    id,
    title,
    section: "pread and write",
    memory,
    setUp: ({ fs, root }) => batchOf(write, fs, root),
    bare: hasFloor ? () => bareFill(nrOps, len, memory === "recycled") : undefined,
  };
}

/** Writes over a file that is there: no frame changes hands, so the engine may repeat it at will. */
const overwrite4k: Row = {
  id: "overwrite-4k",
  title: "4 KiB overwrite",
  section: "pread and write",
  memory: "recycled",
  setUp({ fs, root }): Trial {
    fs.writeFileSync(`${root}/file`, pattern(WARM_BYTES));
    const fd = fs.openSync(`${root}/file`, "r+");
    const buffer = Buffer.alloc(4096, 9);
    const op = (i: number): number => fs.writeSync(fd, buffer, 0, 4096, (i & (WARM_BYTES / 4096 - 1)) * 4096);
    const check = (): void => {
      assert.equal(op(3), 4096);
      assert.ok(pieceAt(fs, fd, 3, 4096).equals(buffer), "wrong bytes");
      assert.ok(pieceAt(fs, fd, 4, 4096).equals(pattern(5 * 4096).subarray(4 * 4096)), "neighbour changed");
      assert.equal(fs.fstatSync(fd).size, WARM_BYTES);
    };
    return { kind: "repeat", op, check, close: () => fs.closeSync(fd) };
  },
  bare: () => bareOverwrite(4096, WARM_BYTES),
};

/** One row for each state of memory. */
function both(write: Omit<Write, "memory" | "hasFloor">, floors: readonly MemoryState[]): Row[] {
  const recycled = writeRow({ ...write, memory: "recycled", hasFloor: floors.includes("recycled") });
  const untouched = { id: `${write.id}-untouched`, title: `${write.title}, untouched` };
  return [recycled, writeRow({ ...write, ...untouched, memory: "untouched", hasFloor: floors.includes("untouched") })];
}

export const rows: Row[] = [
  ...both({ id: "append-16", title: "16 B append", len: 16, nrOps: 65536, how: "append" }, []),
  overwrite4k,
  writeRow({
    id: "overwrite-4k-untouched",
    title: "4 KiB write into holes, untouched",
    len: 4096,
    nrOps: 4096,
    how: "holes",
    memory: "untouched",
    hasFloor: true,
  }),
  ...both({ id: "append-4k", title: "4 KiB append", len: 4096, nrOps: 4096, how: "append" }, ["untouched"]),
  ...both({ id: "write-64k", title: "64 KiB write", len: 65536, nrOps: WARM_BYTES / 65536, how: "extend" }, [
    "recycled",
    "untouched",
  ]),
  ...both({ id: "write-1m", title: "1 MiB write", len: MIB, nrOps: WARM_BYTES / MIB, how: "extend" }, [
    "recycled",
    "untouched",
  ]),
];
