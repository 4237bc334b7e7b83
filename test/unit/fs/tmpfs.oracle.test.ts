/**
 * tmpfs against the host's: the same calls on mounts with the same options, every answer and statfs after each.
 *
 * FOLIO_SEED starts from a given seed, which every failure prints with its shrunk script.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe } from "vitest";
import { ENOSPC } from "../../../src/base/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  SEEK_DATA,
  SEEK_HOLE,
} from "../../../src/base/stat-flags.ts";
import { MS_RDONLY, MS_REMOUNT } from "../../../src/vfs/mount-constants.ts";
import { expectSame, itOnHost, type Step, same } from "../../helpers/call-script.ts";

const PAGE = 4096;
const mounted = (data: string, flags = 0): Step[] => [
  ["mkdir", "/m"],
  ["mount", "none", "/m", "tmpfs", flags, data],
  ["chdir", "/m"],
  ["statfs", "/m"],
];
const remount = (data: string): Step => ["mount", "none", "/m", "tmpfs", MS_REMOUNT, data];
const watched = (steps: readonly Step[]): Step[] => steps.flatMap((step) => [step, ["statfs", "/m"] as const]);
const pages = (nr: number, more = 0): string => "x".repeat(nr * PAGE + more);
const create = (name: string): Step => ["open", name, name, O_CREAT | O_RDWR, 0o644];

describe("tmpfs: blocks", () => {
  same("a write is short where the limit comes, and ENOSPC at it", [
    ...mounted("size=16k,nr_inodes=10"),
    ...watched([
      create("a"),
      ["write", "a", pages(2, 100)],
      ["write", "a", pages(3)],
      ["write", "a", "x"],
      ["pwrite", "a", pages(2), PAGE],
      ["pwrite", "a", "x", 100 * PAGE],
      ["fstat", "a"],
      ["ftruncate", "a", PAGE + 1],
      ["fstat", "a"],
      ["pwrite", "a", pages(1), 10 * PAGE],
      ["pwrite", "a", pages(4), 20 * PAGE - 1],
      ["fstat", "a"],
      ["ftruncate", "a", 0],
      ["ftruncate", "a", 2 ** 30],
      ["fstat", "a"],
      ["close", "a"],
    ]),
  ]);

  same("holes cost nothing, and reading them neither", [
    ...mounted("nr_blocks=2,nr_inodes=10"),
    ...watched([
      create("a"),
      ["ftruncate", "a", 2 ** 24],
      ["pread", "a", 10, 2 ** 20],
      ["pwrite", "a", "x", 2 ** 23],
      ["fstat", "a"],
    ]),
  ]);

  same("a file that is open keeps its blocks when its name goes, and gives them back at its end", [
    ...mounted("size=16k,nr_inodes=10"),
    ...watched([
      create("a"),
      ["write", "a", pages(4)],
      ["unlink", "a"],
      create("b"),
      ["write", "b", "x"],
      ["close", "a"],
      ["write", "b", "x"],
      create("c"),
      ["write", "c", pages(3)],
      ["close", "c"],
      ["rename", "b", "c"],
      ["open", "t", ".", O_TMPFILE | O_RDWR, 0o600],
      ["write", "t", pages(5)],
      ["close", "t"],
    ]),
  ]);

  same("the target of a long symbolic link is a block", [
    ...mounted("size=8k,nr_inodes=10"),
    ...watched([
      ["symlink", "x".repeat(127), "/m/a"],
      ["symlink", "x".repeat(128), "/m/b"],
      ["symlink", "x".repeat(4000), "/m/c"],
      ["symlink", "x".repeat(128), "/m/d"],
      ["symlink", "x".repeat(127), "/m/e"],
      ["unlink", "/m/b"],
      ["symlink", "x".repeat(128), "/m/d"],
      ["rename", "/m/a", "/m/c"],
    ]),
  ]);

  same("fallocate is all or nothing", [
    ...mounted("size=32k,nr_inodes=10"),
    ...watched([
      create("a"),
      ["pwrite", "a", "x", PAGE],
      ["fallocate", "a", 0, 0, 4 * PAGE],
      ["fstat", "a"],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 4 * PAGE, 5 * PAGE],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 6 * PAGE, 9 * PAGE],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 4 * PAGE, 4 * PAGE],
      ["fstat", "a"],
      create("b"),
      ["write", "b", "x"],
      ["pwrite", "a", pages(8), 0],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 100, 3 * PAGE],
      ["write", "b", pages(3)],
      ["fstat", "a"],
      ["ftruncate", "a", 2 * PAGE],
      ["fstat", "a"],
    ]),
  ]);

  same("promised pages beyond the end go with a truncation to the same size", [
    ...mounted("size=64k,nr_inodes=10"),
    ...watched([
      create("a"),
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE],
      ["stat", "a"],
      ["age", "a"],
      ["truncate", "/m/a", 0],
      ["mtime", "a"],
      ["write", "a", "x"],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE],
      ["age", "a"],
      ["truncate", "/m/a", 1],
      ["mtime", "a"],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE],
      ["ftruncate", "a", 1],
      ["fallocate", "a", FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE],
      ["open", "b", "a", O_RDWR | O_TRUNC],
      ["fstat", "a"],
    ]),
  ]);

  same("promised pages are holes to SEEK_DATA and SEEK_HOLE, until they are written", [
    ...mounted("size=64k,nr_inodes=10"),
    create("a"),
    ["fallocate", "a", 0, 0, 8 * PAGE],
    ["lseek", "a", 0, SEEK_DATA],
    ["lseek", "a", 0, SEEK_HOLE],
    ["pwrite", "a", "x", 3 * PAGE + 5],
    ["lseek", "a", 0, SEEK_DATA],
    ["lseek", "a", 3 * PAGE, SEEK_HOLE],
    ["pread", "a", 12, 3 * PAGE],
    ["pread", "a", 12, 5 * PAGE],
    ["fstat", "a"],
    ["statfs", "/m"],
  ]);

  same("a copy from file to file is short where the limit comes", [
    ...mounted("size=32k,nr_inodes=10"),
    ...watched([
      create("a"),
      ["write", "a", pages(5, 5)],
      create("b"),
      ["lseek", "a", 0, 0],
      ["copyRange", "a", "b", 6 * PAGE],
      ["copyRange", "a", "b", 6 * PAGE],
      ["fstat", "b"],
    ]),
  ]);
});

describe("tmpfs: inodes", () => {
  same("names of all kinds, nameless files and links beyond the first count", [
    ...mounted("size=64k,nr_inodes=6"),
    ...watched([
      create("a"),
      ["link", "a", "b"],
      ["mkdir", "d"],
      ["symlink", "to", "s"],
      ["mknod", "p", S_IFIFO | 0o644],
      ["link", "a", "c"],
      create("f"),
      ["mkdir", "e"],
      ["symlink", "to", "t"],
      ["mknod", "q", S_IFCHR | 0o644, 259],
      ["open", "t", ".", O_TMPFILE | O_RDWR, 0o600],
      ["unlink", "b"],
      ["unlink", "p"],
      ["link", "a", "c"],
      ["rename", "s", "c"],
      ["rename", "a", "w", RENAME_WHITEOUT],
      ["rename", "w", "v", RENAME_WHITEOUT],
      ["rename", "w", "d", RENAME_EXCHANGE],
      ["unlink", "c"],
      ["close", "a"],
      ["rmdir", "w"],
    ]),
  ]);
});

describe("tmpfs: options", () => {
  const good = [
    "size=1m",
    "size=1M",
    "size=0x10000",
    "size=010000",
    "size=4097",
    "size=1",
    "size=k",
    "size=0",
    "size=0,nr_inodes=0",
    "nr_blocks=7",
    "nr_blocks=2k",
    "size=8k,nr_blocks=1",
    "nr_blocks=1,size=8k",
    "nr_inodes=1k,size=1m",
    "nr_inodes=0x10,size=1m",
    "size=1m,nr_inodes=5,mode=0700",
    "size=1m,nr_inodes=5,mode=7777",
    "size=1m,nr_inodes=5,uid=7,gid=0x10",
    "size=1m,nr_inodes=1",
    "size=1m,nr_inodes=5,noswap",
    "size=1m,nr_inodes=5,,",
    "size=1g,nr_inodes=5",
    "size=1t,nr_inodes=5",
  ];
  const bad = [
    "size=",
    "size",
    "size=x",
    "size=1x",
    "size=1kk",
    "size=-1",
    "size= 1",
    "size=08",
    "size=1.5m",
    "size=10%k",
    "size=1%%",
    "nr_blocks=10%",
    "nr_inodes=10%",
    "nr_inodes=9e",
    "nr_blocks=8e",
    "mode=",
    "mode=8",
    "mode=0x1",
    "mode=77777777777",
    "uid=1k",
    "uid=-1",
    "uid=4294967295",
    "gid=x",
    "gid=",
    "noswap=1",
    "sizes=1m",
    "size=1m,bogus",
    "bogus=1",
    "Size=1m",
    "size==1",
  ];
  // A limit that was not given is a share of the machine's memory, which no two machines have alike.
  for (const data of good) {
    const full = data.includes("nr_inodes") ? data : `${data},nr_inodes=9`;
    same(JSON.stringify(full), [
      ...mounted(/size|nr_blocks/.test(full) ? full : `size=1m,${full}`),
      ["stat", "/m"],
      create("a"),
      ["statfs", "/m"],
    ]);
  }
  same("what begins with an equals sign is nothing", [...mounted("=1,size=1m,nr_inodes=5"), ["stat", "/m"]]);
  for (const data of bad)
    same(`${JSON.stringify(data)} is refused`, [
      ["mkdir", "/m"],
      ["mount", "none", "/m", "tmpfs", 0, data],
      ["statfsType", "/m"],
      ["stat", "/m"],
    ]);
});

describe("tmpfs: remount", () => {
  const used: Step[] = [create("a"), ["write", "a", pages(3)], ["link", "a", "b"]];
  const all = [
    "size=12k",
    "size=8k",
    "size=0",
    "size=16k",
    "nr_inodes=3",
    "nr_inodes=2",
    "nr_inodes=0",
    "nr_inodes=5",
    "size=1g,nr_inodes=2",
    "mode=700,uid=3",
    "bogus",
    "size=x",
    "noswap",
    "",
  ];
  for (const data of all) {
    same(`${JSON.stringify(data)} with limits`, [
      ...mounted("size=64k,nr_inodes=10"),
      ...used,
      ...watched([remount(data), ["stat", "/m"], create("c"), ["write", "c", pages(2)]]),
    ]);
    same(`${JSON.stringify(data)} without limits`, [
      ...mounted("size=0,nr_inodes=0"),
      ...used,
      ...watched([remount(data), create("c")]),
    ]);
    same(`${JSON.stringify(data)} with noswap`, [
      ...mounted("size=64k,nr_inodes=10,noswap"),
      ...used,
      ...watched([remount(data), create("c")]),
    ]);
  }
  same("a limit that has been taken away does not come back", [
    ...mounted("size=64k,nr_inodes=10"),
    ...used,
    ...watched([
      remount("size=0,nr_inodes=0"),
      create("c"),
      ["link", "c", "d"],
      ["unlink", "b"],
      remount("size=1m"),
      remount("nr_inodes=100"),
    ]),
  ]);
  same("read-only keeps its limits", [
    ...mounted("size=64k,nr_inodes=10", MS_RDONLY),
    create("a"),
    ["mount", "none", "/m", "tmpfs", MS_REMOUNT, "size=128k"],
    ["statfs", "/m"],
    create("a"),
  ]);
});

// --- At random --------------------------------------------------------------------------------------------------------

const FIRST_SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 1_000_000);
const NR_SCRIPTS = Number(process.env.FOLIO_SCRIPTS ?? 20);

const name = fc.constantFrom(..."abcefgh", ..."abcefgh", "d/a", "d/b", "d/c", "d");
const file = fc.constantFrom("f", "g", "h");
const pos = fc.oneof(
  fc.nat(20).map((page) => page * PAGE),
  fc.nat(20 * PAGE),
);
const length = fc.oneof(
  fc.integer({ min: 1, max: 6 }).map((nr) => nr * PAGE),
  fc.integer({ min: 1, max: 6 * PAGE }),
);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constant("open" as const),
      file,
      name,
      fc.constantFrom(O_CREAT | O_RDWR, O_CREAT | O_RDWR | O_TRUNC, O_RDWR | O_APPEND),
      fc.constant(0o644),
    ),
  },
  fc.tuple(
    fc.constant("open" as const),
    file,
    fc.constantFrom(".", "d"),
    fc.constant(O_TMPFILE | O_RDWR),
    fc.constant(0o600),
  ),
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant("write" as const),
      file,
      length.map((n) => "w".repeat(n)),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant("pwrite" as const),
      file,
      length.map((n) => "p".repeat(n)),
      pos,
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("ftruncate" as const), file, pos) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant("fallocate" as const),
      file,
      fc.constantFrom(0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE),
      pos,
      length,
    ),
  },
  fc.tuple(fc.constant("copyRange" as const), file, file, length),
  fc.tuple(fc.constant("lseek" as const), file, pos, fc.constantFrom(0, SEEK_DATA, SEEK_HOLE)),
  { weight: 2, arbitrary: fc.tuple(fc.constant("close" as const), file) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("link" as const), name, name) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("unlink" as const), name) },
  fc.tuple(fc.constant("mkdir" as const), name),
  fc.tuple(fc.constant("rmdir" as const), name),
  fc.tuple(
    fc.constant("symlink" as const),
    fc.constantFrom("s".repeat(10), "s".repeat(127), "s".repeat(128), "s".repeat(300)),
    name,
  ),
  fc.tuple(fc.constant("mknod" as const), name, fc.constant(S_IFSOCK | 0o644)),
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant("rename" as const),
      name,
      name,
      fc.constantFrom(0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT),
    ),
  },
  fc.tuple(fc.constantFrom("truncate" as const), name, pos),
  fc.constantFrom("size=64k", "size=20k", "size=100k", "nr_inodes=20", "nr_inodes=8").map((data) => remount(data)),
  fc.tuple(fc.constant("stat" as const), name),
  fc.tuple(fc.constant("fstat" as const), file),
);

/** Linux turns pages that are promised a second time into data (ADR 33): scripts that look for data promise once. */
function promisesOnce(): (step: Step) => boolean {
  let nr = 0;
  return ([call, , mode]) => call !== "fallocate" || (Number(mode) & FALLOC_FL_PUNCH_HOLE) !== 0 || nr++ === 0;
}

function isNoSeek([call, , , whence]: Step): boolean {
  return call !== "lseek" || whence === 0;
}

describe(`tmpfs at random (FOLIO_SEED=${FIRST_SEED})`, () => {
  itOnHost(`${NR_SCRIPTS} scripts on size=64k,nr_inodes=20`, { timeout: 300_000 }, () => {
    const script = fc.array(step, { minLength: 60, maxLength: 150, size: "max" });
    const opened = ["f", "g", "h"].map((fd): Step => ["open", fd, fd, O_CREAT | O_RDWR, 0o644]);
    let nrFull = 0;
    const property = fc.property(script, fc.boolean(), (steps, seeks) => {
      const kept = (steps as Step[]).filter(seeks ? promisesOnce() : isNoSeek);
      const all: Step[] = [...mounted("size=64k,nr_inodes=20"), ["mkdir", "d"], ...opened, ...watched(kept)];
      nrFull += expectSame(all).filter((outcome) => outcome === -ENOSPC).length;
    });
    fc.assert(property, { seed: FIRST_SEED, numRuns: NR_SCRIPTS });
    assert.ok(nrFull > NR_SCRIPTS, `only ${nrFull} calls in ${NR_SCRIPTS} scripts met a limit`);
  });
});
