/** Positional reads of 16 B to 1 MiB from one open file: the cost of a call and of the copy, warm. */
import assert from "node:assert/strict";
import { alignedBuffer } from "../aligned.ts";
import { pattern } from "../pattern.ts";
import { shuffle } from "../random.ts";
import { bareRead } from "./bare-memory.ts";
import { type Row, WARM_BYTES } from "./row.ts";

const MIB = 2 ** 20;

interface Read {
  readonly id: string;
  readonly title: string;
  readonly len: number;
  /** `len` times a power of two. */
  readonly fileBytes: number;
  readonly isRandom: boolean;
  readonly hasFloor: boolean;
}

/** Every piece of the file once, in the order of the file or shuffled. */
function positionsOf({ len, fileBytes, isRandom }: Read): Uint32Array {
  const positions = Uint32Array.from({ length: fileBytes / len }, (_, i) => i * len);
  return isRandom ? shuffle(positions, 7) : positions;
}

function readRow(read: Read): Row {
  const { id, title, len, fileBytes } = read;
  return {
    id,
    title,
    section: "pread and write",
    setUp({ fs, root }) {
      const positions = positionsOf(read);
      const mask = positions.length - 1;
      fs.writeFileSync(`${root}/file`, pattern(fileBytes));
      const fd = fs.openSync(`${root}/file`, "r");
      const buffer = alignedBuffer(len);
      const op = (i: number): number => fs.readSync(fd, buffer, 0, len, positions[i & mask]);
      const check = (): void => {
        for (const i of [0, 1, mask]) {
          assert.equal(op(i), len);
          assert.ok(buffer.equals(pattern(fileBytes).subarray(positions[i], positions[i] + len)), "wrong bytes");
        }
      };
      return { kind: "repeat", op, check, close: () => fs.closeSync(fd) };
    },
    bare: read.hasFloor ? () => bareRead(positionsOf(read), len, fileBytes) : undefined,
  };
}

export const rows: Row[] = [
  { id: "pread-16", title: "16 B pread", len: 16, fileBytes: MIB, isRandom: true, hasFloor: false },
  {
    id: "pread-4k-seq",
    title: "4 KiB pread, sequential",
    len: 4096,
    fileBytes: WARM_BYTES,
    isRandom: false,
    hasFloor: true,
  },
  {
    id: "pread-4k-random",
    title: "4 KiB pread, random",
    len: 4096,
    fileBytes: WARM_BYTES,
    isRandom: true,
    hasFloor: true,
  },
  { id: "read-64k", title: "64 KiB read", len: 65536, fileBytes: WARM_BYTES, isRandom: false, hasFloor: true },
  { id: "read-1m", title: "1 MiB read", len: MIB, fileBytes: WARM_BYTES, isRandom: false, hasFloor: true },
].map(readRow);
