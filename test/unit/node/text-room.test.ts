/** Texts share the room they are read into: none may see another's bytes, whoever reads while somebody else does. */
import { describe, expect, it } from "vitest";
import { EOPNOTSUPP } from "../../../src/base/errno.ts";
import { S_IFREG } from "../../../src/base/stat-flags.ts";
import { readFileOperations } from "../../../src/node/operations/read-file.ts";
import { STAT_MODE, STAT_SIZE, type Syscalls } from "../../../src/vfs/syscalls.ts";

/** System calls of a task with one file, which comes in pieces, whatever may happen before each. */
function oneFile(text: string, piece: number, before: () => void): Syscalls {
  const bytes = Buffer.from(text);
  const statValues = new Float64Array(STAT_SIZE + 1);
  statValues[STAT_MODE] = S_IFREG;
  statValues[STAT_SIZE] = bytes.length;
  let position = 0;
  const calls: Partial<Syscalls> = {
    statValues,
    findSmall: () => -EOPNOTSUPP,
    open: () => {
      position = 0;
      return 3;
    },
    fstat: () => 0,
    read: (_fd, buffer, offset, length) => {
      before();
      const count = bytes.copy(buffer, offset, position, position + Math.min(length, piece));
      position += count;
      return count;
    },
    close: () => 0,
  };
  return calls as Syscalls;
}

describe("a text whose store reads another text meanwhile", () => {
  const outer = "outer é ".repeat(5_000);
  const inner = "inner ".repeat(9_000);

  it.each([100, 4096, 1 << 20])("is its own, in pieces of %i bytes", (piece) => {
    const { readFileSync: readInner } = readFileOperations(oneFile(inner, 5_000, () => {}));
    const seen = new Set<unknown>();
    const { readFileSync } = readFileOperations(oneFile(outer, piece, () => seen.add(readInner("/inner", "utf8"))));
    expect(readFileSync("/outer", "utf8")).toBe(outer);
    expect(seen).toEqual(new Set([inner]));
  });
});
