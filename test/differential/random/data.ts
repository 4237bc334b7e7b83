/** Random reads and writes on two files, through several descriptors, around the edges of pages. */
import { constants } from "node:fs";
import fc from "fast-check";
import type { Operation } from "./program.ts";

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const PAGE = 4096;

const slot = fc.constantFrom(0, 1, 2);
const file = fc.constantFrom("f", "g");
const flags = fc.constantFrom(
  O_RDWR | O_CREAT,
  O_RDWR | O_CREAT,
  O_RDWR | O_CREAT | O_APPEND,
  O_RDWR | O_CREAT | O_TRUNC,
  O_WRONLY | O_CREAT,
  3 | O_CREAT,
  O_RDONLY,
);
/** Near the edges of pages more often than not. */
const near = fc
  .tuple(fc.nat(12), fc.constantFrom(-3, -1, 0, 0, 1, 3, 100))
  .map(([page, offset]) => Math.max(0, page * PAGE + offset));
const position = fc.oneof(
  { weight: 8, arbitrary: near },
  { weight: 3, arbitrary: fc.nat(70_000) },
  { weight: 1, arbitrary: near.map((offset) => 2 ** 32 + offset) },
  { weight: 1, arbitrary: fc.constant(2 ** 40) },
);
const length = fc.oneof(
  { weight: 3, arbitrary: near },
  { weight: 2, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.nat(200_000) },
);
/** Sizes that the dump still shows, for the most part. */
const size = fc.oneof({ weight: 6, arbitrary: near }, { weight: 1, arbitrary: position });
const seed = fc.nat(255);

function onSlot(call: string, ...args: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<Operation> {
  return fc.record({ call: fc.constant(call), paths: fc.constant([]), args: fc.tuple(...args), slot });
}

function onFile(call: string, ...args: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<Operation> {
  return fc.record({ call: fc.constant(call), paths: fc.tuple(file), args: fc.tuple(...args) });
}

const open: fc.Arbitrary<Operation> = fc.record({
  call: fc.constant("open"),
  paths: fc.tuple(file),
  args: fc.tuple(flags, fc.constant(0o644)),
  slot,
});

export function dataOperation(): fc.Arbitrary<Operation> {
  return fc.oneof(
    { weight: 4, arbitrary: open },
    { weight: 6, arbitrary: onSlot("pwrite", length, seed, position) },
    { weight: 4, arbitrary: onSlot("write", length, seed) },
    { weight: 2, arbitrary: onSlot("writev", length, length, seed) },
    { weight: 4, arbitrary: onSlot("pread", length, position) },
    { weight: 3, arbitrary: onSlot("read", length) },
    { weight: 2, arbitrary: onSlot("readv", length, length, position) },
    { weight: 4, arbitrary: onSlot("ftruncate", size) },
    { weight: 1, arbitrary: onSlot("fstat") },
    { weight: 1, arbitrary: onSlot("close") },
    { weight: 1, arbitrary: onFile("truncateSync", size) },
    { weight: 1, arbitrary: onFile("unlinkSync") },
    { weight: 1, arbitrary: onFile("statSync") },
    { weight: 1, arbitrary: onFile("appendFileSync", fc.constantFrom("", "tail", "z".repeat(5000))) },
    { weight: 1, arbitrary: fc.constant({ call: "renameSync", paths: ["f", "g"], args: [] }) },
  );
}
