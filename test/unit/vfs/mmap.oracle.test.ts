/**
 * Mappings against the host's: the same calls on a tmpfs, every outcome, and blocks and size after each. Loads and stores are made by
 * calls that copy from and to user memory, which get EFAULT where a program would get a signal.
 *
 * Where we differ: what a shared mapping has behind the end of its file, within the last page, is dropped at once here (ADR 38). So
 * files whose shared mappings are stored to end with a page.
 *
 * FOLIO_SEED starts from a given seed, which every failure prints with its shrunk script.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe } from "vitest";
import { EACCES, EBADF, EINVAL, ENODEV, EOPNOTSUPP } from "../../../src/base/errno.ts";
import {
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../../src/base/mman.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../../../src/base/stat-flags.ts";
import { expectSame, itOnHost, type Step, same } from "../../helpers/call-script.ts";

const PAGE = 4096;
const RW = PROT_READ | PROT_WRITE;
const begin: Step[] = [["makeScratch"], ["open", "f", "f", O_CREAT | O_RDWR, 0o644]];
const mounted = (data: string): Step[] => [
  ["mkdir", "/m"],
  ["mount", "none", "/m", "tmpfs", 0, data],
  ["chdir", "/m"],
];
const watched = (steps: readonly Step[]): Step[] => steps.flatMap((step) => [step, ["fstat", "f"] as const]);
const load = (name: string, at: number, length: number): Step[] => [
  ["load", name, at, length],
  ["showScratch", length],
];
const store = (name: string, at: number, data: string): Step[] => [
  ["fillScratch", data],
  ["store", name, at, data.length],
];

describe("mmap: errors", () => {
  const wrong: [string, Step, number][] = [
    ["an offset within a page", ["mmap", "m", "f", PAGE, PROT_READ, MAP_SHARED, 100], EINVAL],
    ["an offset within a page of no descriptor", ["mmap", "m", "none", PAGE, PROT_READ, MAP_SHARED, 100], EINVAL],
    ["no descriptor", ["mmap", "m", "none", 0, PROT_READ, MAP_SHARED], EBADF],
    ["no length", ["mmap", "m", "f", 0, PROT_READ, MAP_SHARED], EINVAL],
    ["no length of a directory", ["mmap", "m", "d", 0, PROT_READ, MAP_SHARED], EINVAL],
    ["neither shared nor private", ["mmap", "m", "f", PAGE, PROT_READ, 0], EINVAL],
    ["another type", ["mmap", "m", "f", PAGE, PROT_READ, 4], EINVAL],
    [
      "flags that are not known, validated",
      ["mmap", "m", "f", PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x80000],
      EOPNOTSUPP,
    ],
    ["shared, to write by what is open to read", ["mmap", "m", "r", PAGE, RW, MAP_SHARED], EACCES],
    ["what is open to write alone", ["mmap", "m", "w", PAGE, PROT_WRITE, MAP_SHARED], EACCES],
    ["what is open to write alone, private", ["mmap", "m", "w", PAGE, PROT_READ, MAP_PRIVATE], EACCES],
    ["a directory", ["mmap", "m", "d", PAGE, PROT_READ, MAP_SHARED], ENODEV],
    ["a directory, to write", ["mmap", "m", "d", PAGE, RW, MAP_SHARED], EACCES],
  ];
  for (const [name, step, errno] of wrong) {
    itOnHost(`${name} is refused`, () => {
      const outcomes = expectSame([
        ...begin,
        ["write", "f", "x"],
        ["mkdir", "d"],
        ["open", "d", "d", O_RDONLY],
        ["open", "r", "f", O_RDONLY],
        ["open", "w", "f", O_WRONLY],
        step,
      ]);
      assert.equal(outcomes.at(-1), -errno);
    });
  }

  same("msync, mlock", [
    ...begin,
    ["write", "f", "x".repeat(2 * PAGE)],
    ["mmap", "m", "f", 4 * PAGE, RW, MAP_SHARED],
    ["msync", "m", 0, PAGE, MS_SYNC | MS_ASYNC],
    ["msync", "m", 0, PAGE, 8],
    ["msync", "m", 1, PAGE, MS_SYNC],
    ["msync", "m", 0, 4 * PAGE, MS_SYNC],
    ["msync", "m", PAGE, 1, MS_ASYNC],
    ["msync", "m", 0, 0, 0],
    ["mlock", "m", 0, 2 * PAGE],
    ["msync", "m", 0, PAGE, MS_INVALIDATE],
    ["munlock", "m", 0, 2 * PAGE],
    ["msync", "m", 0, PAGE, MS_INVALIDATE],
    ["mlock", "m", 0, 4 * PAGE],
    ["munlock", "m", 0, 4 * PAGE],
    ["munmap", "m", 4 * PAGE],
  ]);
});

describe("mlock: what has been cut", () => {
  for (const flags of [MAP_SHARED, MAP_PRIVATE]) {
    same(`comes anew where it is locked again, ${flags === MAP_PRIVATE ? "private" : "shared"}`, [
      ...begin,
      ["write", "f", "a".repeat(2 * PAGE)],
      ["mmap", "m", "f", 2 * PAGE, RW, flags],
      ["mlock", "m", 0, 2 * PAGE],
      ...watched([
        ["ftruncate", "f", 0],
        ["mlock", "m", 0, 2 * PAGE],
        ["ftruncate", "f", 2 * PAGE],
        ["pwrite", "f", "before", 0],
        ["mlock", "m", 0, PAGE],
        ["pwrite", "f", "behind", 0],
        ["munlock", "m", 0, 2 * PAGE],
        ["pwrite", "f", "unlocked", PAGE],
      ]),
      ...load("m", 0, 8),
      ...load("m", PAGE, 8),
    ]);
  }
});

describe("mmap: pages", () => {
  same("shared: what is stored is in the file, what is written in the mapping", [
    ...begin,
    ["write", "f", "a".repeat(3 * PAGE)],
    ["mmap", "m", "f", 3 * PAGE, RW, MAP_SHARED],
    ...watched([
      ...store("m", PAGE - 2, "bcde"),
      ["pread", "f", 8, PAGE - 4],
      ["pwrite", "f", "xyz", 5],
      ...load("m", 0, 10),
      ["close", "f"],
    ]),
    ["unlink", "f"],
    ...load("m", PAGE - 4, 8),
    ["munmap", "m", 3 * PAGE],
  ]);

  same("private: a page that was stored to is a copy, the others are the file's", [
    ...begin,
    ["write", "f", "a".repeat(3 * PAGE)],
    ["mmap", "m", "f", 3 * PAGE, RW, MAP_PRIVATE],
    ...watched([
      ...store("m", 1, "private"),
      ["pread", "f", 10, 0],
      ["pwrite", "f", "written", 3],
      ["pwrite", "f", "written", PAGE + 3],
      ...load("m", 0, 12),
      ...load("m", PAGE, 12),
      ["msync", "m", 0, PAGE, MS_SYNC],
      ["pread", "f", 12, 0],
    ]),
  ]);

  same("a hole gets a page that counts, read or written, shared or private", [
    ...mounted("size=64k,nr_inodes=10"),
    ...begin,
    ["ftruncate", "f", 32 * PAGE],
    ["mmap", "s", "f", 32 * PAGE, RW, MAP_SHARED],
    ["mmap", "p", "f", 32 * PAGE, RW, MAP_PRIVATE],
    ...watched([
      ...load("s", 10, 10),
      ...load("p", PAGE, 10),
      ...store("s", 2 * PAGE, "shared"),
      ...store("p", 3 * PAGE, "private"),
      ...load("s", 3 * PAGE, 10),
      ...load("s", 4 * PAGE, 12 * PAGE),
      ...load("s", 20 * PAGE, 1),
      ...store("p", 21 * PAGE, "full"),
      ["fallocate", "f", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE],
      ...load("p", 3 * PAGE, 10),
      ...store("p", 21 * PAGE, "room"),
    ]),
    ["statfs", "/m"],
  ]);

  same("what is cut is gone, copies with it; what comes again is zeros", [
    ...begin,
    ["write", "f", "a".repeat(4 * PAGE)],
    ["mmap", "s", "f", 4 * PAGE, RW, MAP_SHARED],
    ["mmap", "p", "f", 4 * PAGE, RW, MAP_PRIVATE],
    ...store("p", 0, "copy"),
    ...store("p", 3 * PAGE, "copy"),
    ...watched([
      ["ftruncate", "f", PAGE + 100],
      ...load("s", 3 * PAGE, 4),
      ...load("p", 3 * PAGE, 4),
      ...load("p", 2 * PAGE - 4, 8),
      ...load("s", PAGE + 98, 4),
      ...load("p", 0, 4),
      ["ftruncate", "f", 4 * PAGE],
      ...load("s", 3 * PAGE, 4),
      ...load("p", 3 * PAGE, 4),
      ["open", "t", "f", O_RDWR | O_TRUNC],
      ...load("s", 0, 1),
      ...load("p", 0, 1),
      ["pwrite", "f", "new", 0],
      ...load("s", 0, 4),
      ...load("p", 0, 4),
    ]),
  ]);

  same("protection", [
    ...begin,
    ["write", "f", "a".repeat(PAGE)],
    ["mmap", "n", "f", PAGE, PROT_NONE, MAP_SHARED],
    ["mmap", "r", "f", PAGE, PROT_READ, MAP_SHARED],
    ["mmap", "p", "f", PAGE, PROT_READ, MAP_PRIVATE],
    ...load("n", 0, 4),
    ...store("n", 0, "bbb"),
    ...store("r", 0, "bbb"),
    ...store("p", 0, "bbb"),
    ...load("r", 0, 4),
  ]);

  same("mapping and loading is access, storing changes times", [
    ...begin,
    ["write", "f", "a".repeat(PAGE)],
    ["age", "f"],
    ["mmap", "m", "f", PAGE, RW, MAP_SHARED],
    ["atime", "f"],
    ...store("m", 0, "bbb"),
    ["mtime", "f"],
    ["age", "f"],
    ...store("m", 0, "ccc"),
    ["mtime", "f"],
    ["msync", "m", 0, PAGE, MS_SYNC],
    ["mtime", "f"],
  ]);
});

// --- At random ----------------------------------------------------------------------------------------------------------

const FIRST_SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 1_000_000);
const NR_SCRIPTS = Number(process.env.FOLIO_SCRIPTS ?? 30);
const NR_PAGES = 8;

const file = fc.constantFrom("f", "g");
const shared = fc.constantFrom("s", "t");
const priv = fc.constantFrom("p", "q");
const any = fc.oneof(shared, priv);
const at = fc.oneof(
  fc.nat(NR_PAGES - 1).map((page) => page * PAGE),
  fc.nat(NR_PAGES * PAGE - 1),
);
const bytes = fc.oneof(fc.integer({ min: 1, max: 3 * PAGE }), fc.constantFrom(1, 5, PAGE));
const byteText = fc.tuple(fc.constantFrom(..."abcdxyz"), bytes).map(([letter, n]) => letter.repeat(n));

/** Steps of one mapping, which they keep within. @param sizes of files @param stored mappings that are stored to */
function steps(sizes: fc.Arbitrary<number>, isWhole: boolean, stored: fc.Arbitrary<string>): fc.Arbitrary<Step[]> {
  const range = fc.tuple(at, bytes).map(([start, n]) => [start, Math.min(n, NR_PAGES * PAGE - start)] as const);
  const written = fc
    .tuple(at, byteText)
    .map(([start, data]) =>
      isWhole
        ? ([Math.floor(start / PAGE) * PAGE, data.padEnd(Math.ceil(data.length / PAGE) * PAGE, "-")] as const)
        : ([start, data] as const),
    );
  // Locked pages refuse MS_INVALIDATE, and where mlock() fails, Linux leaves them locked: one or the other.
  const syncs = isWhole ? [MS_SYNC, MS_ASYNC, MS_INVALIDATE, MS_SYNC | MS_INVALIDATE] : [MS_SYNC, MS_ASYNC];
  const locks = isWhole ? (["munlock"] as const) : (["mlock", "munlock"] as const);
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(any, range).map(([name, [start, n]]) => load(name, start, n)) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(stored, range, fc.constantFrom(..."ABCDXYZ"))
        .map(([name, [start, n], c]) => store(name, start, c.repeat(n))),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(file, written).map(([fd, [start, data]]): Step[] => [["pwrite", fd, data, start]]),
    },
    { weight: 2, arbitrary: fc.tuple(file, sizes).map(([fd, size]): Step[] => [["ftruncate", fd, size]]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(file, range)
        .map(([fd, [start, n]]): Step[] => [["fallocate", fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, n]]),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(any, at, fc.constantFrom(...syncs))
        .map(([name, start, flags]): Step[] => [["msync", name, Math.floor(start / PAGE) * PAGE, PAGE, flags]]),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(any, range, fc.constantFrom(...locks))
        .map(([name, [start, n], call]): Step[] => [[call, name, start, n]]),
    },
    { weight: 1, arbitrary: fc.tuple(file, at, bytes).map(([fd, start, n]): Step[] => [["pread", fd, n, start]]) },
    {
      weight: 1,
      arbitrary: fc.tuple(any, file, fc.nat(3)).map(([name, fd, page]): Step[] => [
        ["munmap", name, NR_PAGES * PAGE],
        ["mmap", name, fd, NR_PAGES * PAGE, RW, "st".includes(name) ? MAP_SHARED : MAP_PRIVATE, page * PAGE],
      ]),
    },
  );
}

function script(all: readonly Step[][], size: number): Step[] {
  return [
    ["makeScratch"],
    ["fillScratch", "?".repeat(16)],
    ...mounted("size=64k,nr_inodes=10"),
    ["open", "f", "f", O_CREAT | O_RDWR, 0o644],
    ["open", "g", "g", O_CREAT | O_RDWR, 0o644],
    ["ftruncate", "f", size],
    ["ftruncate", "g", size],
    ["mmap", "s", "f", NR_PAGES * PAGE, RW, MAP_SHARED],
    ["mmap", "t", "g", NR_PAGES * PAGE, RW, MAP_SHARED],
    ["mmap", "p", "f", NR_PAGES * PAGE, RW, MAP_PRIVATE],
    ["mmap", "q", "g", NR_PAGES * PAGE, RW, MAP_PRIVATE],
    ...all.flatMap((steps): Step[] => [...steps, ["fstat", "f"], ["fstat", "g"]]),
    ["statfs", "/m"],
  ];
}

describe("mmap: at random", () => {
  const whole = fc.nat(NR_PAGES + 2).map((nr) => nr * PAGE);
  const odd = fc.nat((NR_PAGES + 2) * PAGE);
  itOnHost(`files of whole pages, from seed ${FIRST_SEED}`, () => {
    fc.assert(
      fc.property(
        fc.array(steps(whole, true, any), { minLength: 10, maxLength: 60, size: "max" }),
        whole,
        (all, size) => {
          expectSame(script(all, size));
        },
      ),
      { seed: FIRST_SEED, numRuns: NR_SCRIPTS },
    );
  });
  itOnHost(`files of any size, stored to by private mappings, from seed ${FIRST_SEED}`, () => {
    fc.assert(
      fc.property(
        fc.array(steps(odd, false, priv), { minLength: 10, maxLength: 60, size: "max" }),
        odd,
        (all, size) => {
          expectSame(script(all, size));
        },
      ),
      { seed: FIRST_SEED, numRuns: NR_SCRIPTS },
    );
  });
});
