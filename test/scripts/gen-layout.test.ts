import { describe, expect, it } from "vitest";
import { readConstants, readRecords, screamingSnake } from "../../scripts/assembly-source.mjs";
import { readAssembly, renderCheck, renderLayout, renderMemoryMap } from "../../scripts/gen-layout.mjs";

interface Field {
  name: string;
  offset: number;
  index: number;
}

const ABI = `// Numbers of both sides.

// --- Pages ------
export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: u32 = 1 << PAGE_SHIFT; // bytes of a frame
/** Selects the
 *  byte. */
export const PAGE_MASK: u32 = PAGE_SIZE - 1;
export const CLASS_32: u32 = 8;
export const NR_CLASSES: u32 = CLASS_32 + (2 | 1) * 2;
export const ALL: u32 = ~0;
export const SIGN: u32 = 1 << 31;
export const NONE: i32 = -1;
export const S_MAX: f64 = 0x1000_0000_0000;
`;

const RECORDS = `import { PAGE_SIZE } from "./abi";
/** One frame.
 * Second line. */
// @ts-ignore: decorator
@unmanaged export class PageFrame {
  flags: u32; // PG_* bits
  // a comment between { braces }
  kind: u8; small: u16;
  size: f64; // bytes | units
  next: PageFrame | null;
  done: bool;
}
// Packed on one line.
@unmanaged
export class Pair { a: u32; b: usize; }
class NotARecord { x: i32; }
`;

function assembly(records = RECORDS, abi = ABI) {
  return readAssembly(
    new Map([
      ["abi.ts", abi],
      ["page.ts", records],
    ]),
  );
}

describe("readConstants", () => {
  it("computes expressions in the type they have", () => {
    const values = Object.fromEntries(readConstants(ABI).map(({ name, value }) => [name, Number(value)]));

    expect(values).toEqual({
      PAGE_SHIFT: 12,
      PAGE_SIZE: 4096,
      PAGE_MASK: 4095,
      CLASS_32: 8,
      NR_CLASSES: 14,
      ALL: 0xffffffff,
      SIGN: 0x80000000,
      NONE: -1,
      S_MAX: 2 ** 44,
    });
  });

  it("takes meanings from trailing and leading comments, and headings", () => {
    const [shift, size, mask] = readConstants(ABI);

    expect(shift).toMatchObject({ heading: "Pages", meaning: "" });
    expect(size).toMatchObject({ heading: undefined, meaning: "bytes of a frame" });
    expect(mask.meaning).toBe("Selects the byte.");
  });

  it("stops at what it cannot read", () => {
    expect(() => readConstants("export const A: u32 = sizeof(B);")).toThrow('constant A: cannot read "sizeof"');
  });
});

describe("readRecords", () => {
  it("lays fields out by their natural alignment", () => {
    const [frame, pair] = readRecords(RECORDS);

    expect(frame.fields.map(({ name, offset, index }: Field) => [name, offset, index])).toEqual([
      ["flags", 0, 0],
      ["kind", 4, 4],
      ["small", 6, 3],
      ["size", 8, 1],
      ["next", 16, 4],
      ["done", 20, 20],
    ]);
    expect(frame).toMatchObject({ name: "PageFrame", bytes: 24, lastByte: 21, meaning: "One frame. Second line." });
    expect(pair).toMatchObject({ name: "Pair", bytes: 8, meaning: "Packed on one line." });
  });

  it("refuses methods and inheritance", () => {
    expect(() => readRecords("@unmanaged export class A { f(): void {} }")).toThrow("not a plain field");
    expect(() => readRecords("@unmanaged export class A extends B { x: u32; }")).toThrow("inherits nothing");
  });
});

describe("screamingSnake", () => {
  it.each([
    ["lruNext", "LRU_NEXT"],
    ["AddressSpace", "ADDRESS_SPACE"],
    ["nrPages", "NR_PAGES"],
    ["XAState", "XA_STATE"],
    ["private0", "PRIVATE0"],
  ])("spells %s as %s", (name, expected) => {
    expect(screamingSnake(name)).toBe(expected);
  });
});

describe("generated files", () => {
  it("give sizes, indexes and constants to TypeScript", () => {
    const layout = renderLayout(assembly());

    expect(layout).toContain("/** bytes of a frame */\nexport const PAGE_SIZE = 4096;");
    expect(layout).toContain("export const PAGE_FRAME_BYTES = 24;");
    expect(layout).toContain(
      "/** u16 at byte 6; index in a Uint16Array at the record */\nexport const PAGE_FRAME_SMALL = 3;",
    );
    expect(layout).toContain("export const PAGE_FRAME_SIZE = 1;");
  });

  it("check every field in the compiler", () => {
    const check = renderCheck(assembly());

    expect(check).toContain('import { PageFrame } from "./page";');
    expect(check).toContain('if (offsetof<PageFrame>("size") != 8) ERROR(');
    expect(check).toContain("if (offsetof<PageFrame>() != 21) ERROR(");
  });

  it("draw a table of each record", () => {
    const map = renderMemoryMap(assembly());

    expect(map).toContain("### Pages");
    expect(map).toContain("| PAGE_SIZE | u32 | 4096 (0x1000) | bytes of a frame |");
    expect(map).toContain("| 8 | f64 | size | bytes \\| units |");
  });

  it("refuse two meanings for one name", () => {
    const abi = "export const PAIR_A: u32 = 1;";

    expect(() => renderLayout(assembly(RECORDS, abi))).toThrow("two meanings for PAIR_A");
  });
});
