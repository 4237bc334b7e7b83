/** Reads and writes of nothing, and vectors with more buffers than one system call takes, on descriptors of all kinds. */
import { constants } from "node:fs";
import { type Case, inFdForms, inForms } from "../case.ts";
import { pattern } from "../tree.ts";
import { show } from "./show.ts";

type Open = readonly [name: string, flags: string | number];

const O_PATH = 0o10000000;
/** Access mode 3: neither read nor write. */
const O_NEITHER = 3;

const OPENS: readonly Open[] = [
  ["big", "r"],
  ["big", "r+"],
  ["big", constants.O_WRONLY],
  ["big", "a"],
  ["big", O_NEITHER],
  ["big", O_PATH],
  ["dir", "r"],
  ["dir", O_NEITHER],
  ["dir", O_PATH],
];

const POSITIONS = [
  undefined,
  null,
  0,
  3,
  30_000,
  -1,
  -2,
  2 ** 40,
  2 ** 43,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
  1.5,
  Number.NaN,
  5n,
];

function empty(): Buffer {
  return Buffer.alloc(0);
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** The kernel takes 1024 buffers at once. Node reads no others; it writes on, unless the first 1024 hold nothing. */
const VECTORS: Readonly<Record<string, () => ArrayBufferView[]>> = {
  none: () => [],
  "an empty one": () => [empty()],
  "two empty ones": () => [empty(), new Uint16Array(0)],
  "a full one among empty ones": () => [empty(), Buffer.alloc(2, 65), empty()],
  "1024 empty ones": () => repeat(1024, empty),
  "1025 empty ones": () => repeat(1025, empty),
  "1024 empty ones and a full one": () => [...repeat(1024, empty), Buffer.alloc(2, 65)],
  "1023 empty ones and two full ones": () => [...repeat(1023, empty), Buffer.alloc(2, 65), Buffer.alloc(2, 66)],
  "1025 of a byte": () => repeat(1025, (index) => Buffer.alloc(1, index)),
  "2049 of two bytes": () => repeat(2049, (index) => pattern(2, index)),
};

function named([name, flags]: Open): string {
  return `${name} opened ${typeof flags === "number" ? `0${flags.toString(8)}` : flags}`;
}

function vectorCases(): Case[] {
  return (["readv", "writev"] as const).flatMap((fn) =>
    OPENS.flatMap((open) =>
      Object.entries(VECTORS).flatMap(([what, make]) =>
        POSITIONS.flatMap((position) =>
          inFdForms(fn, `${what} at ${show(position)}, ${named(open)}`, open, () => [make(), position]),
        ),
      ),
    ),
  );
}

function singleCases(): Case[] {
  return OPENS.flatMap((open) =>
    POSITIONS.flatMap((position) => [
      ...inFdForms("read", `of nothing at ${show(position)}, ${named(open)}`, open, () => [
        Buffer.alloc(4),
        0,
        0,
        position,
      ]),
      ...inFdForms("write", `of nothing at ${show(position)}, ${named(open)}`, open, () => [
        Buffer.alloc(4),
        0,
        0,
        position,
      ]),
      ...inFdForms("write", `of '' at ${show(position)}, ${named(open)}`, open, () => ["", position]),
    ]),
  );
}

function wholeFileCases(): Case[] {
  const nothing: Readonly<Record<string, () => unknown>> = { "''": () => "", "an empty Buffer": empty };
  return OPENS.flatMap((open) =>
    (["writeFile", "appendFile"] as const).flatMap((fn) =>
      Object.entries(nothing).flatMap(([what, make]) =>
        inFdForms(fn, `of ${what}, ${named(open)}`, open, () => [make()]),
      ),
    ),
  );
}

/** Who writes nothing to a descriptor that is none does not always find out. */
function badDescriptorCases(): Case[] {
  const data: Readonly<Record<string, () => unknown>> = { "''": () => "", "an empty Buffer": empty, "'x'": () => "x" };
  return [-1, 999_999, 2 ** 31 - 1, -(2 ** 31)].flatMap((fd) =>
    Object.entries(data).flatMap(([what, make]) => [
      ...["writeFile", "appendFile"].flatMap((fn) =>
        [undefined, "latin1", { flush: true }].flatMap((options) =>
          inForms(["sync", "callback"], fn, `of ${what} to descriptor ${fd}, ${show(options)}`, {
            tree: "empty",
            args: () => [fd, make(), options],
          }),
        ),
      ),
      ...inForms(["sync", "callback"], "write", `of ${what} to descriptor ${fd}`, {
        tree: "empty",
        args: () => [fd, make()],
      }),
      ...inForms(["sync", "callback"], "readv", `of ${what} from descriptor ${fd}`, {
        tree: "empty",
        args: () => [fd, [Buffer.from(make() as string)]],
      }),
      ...inForms(["sync", "callback"], "writev", `of ${what} to descriptor ${fd}`, {
        tree: "empty",
        args: () => [fd, [Buffer.from(make() as string)]],
      }),
    ]),
  );
}

export const ZERO_LENGTH_CASES: readonly Case[] = [
  ...vectorCases(),
  ...singleCases(),
  ...wholeFileCases(),
  ...badDescriptorCases(),
];
