/** Data calls beyond read and write, step by step against the host's tmpfs. */
import fc from "fast-check";
import { describe } from "vitest";
import {
  FALLOC_FL_KEEP_SIZE as KEEP,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  FALLOC_FL_PUNCH_HOLE as PUNCH,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../../../src/base/stat-flags.ts";
import { expectSame, itOnHost, type Step, same } from "../../helpers/call-script.ts";

const file = (name: string, path: string, mode = 0o644): Step => ["open", name, path, O_CREAT | O_RDWR, mode];
const PAGE = 4096;

describe("flock", () => {
  const take = (name: string, how: number): Step => ["flock", name, how | LOCK_NB];
  same("shared locks live together, exclusive ones alone", [
    file("a", "/f"),
    file("b", "/f"),
    file("c", "/f"),
    take("a", LOCK_SH),
    take("b", LOCK_SH),
    take("c", LOCK_EX),
    take("a", LOCK_EX),
    take("b", LOCK_UN),
    take("a", LOCK_EX),
    take("b", LOCK_SH),
    take("a", LOCK_EX),
    take("a", LOCK_SH),
    take("b", LOCK_SH),
    take("b", LOCK_EX),
    take("c", LOCK_SH),
    ["close", "a"],
    take("c", LOCK_EX),
    ["flock", "c", LOCK_UN],
    ["flock", "c", LOCK_UN],
    take("b", LOCK_EX),
    ["flock", "b", 0],
    ["flock", "b", LOCK_SH | LOCK_EX],
    ["flock", "b", 64],
  ]);

  same("on whatever is open, for reading or writing; not on O_PATH", [
    ["mkdir", "/d"],
    ["open", "d", "/d", O_RDONLY],
    ["open", "e", "/d", O_RDONLY],
    take("d", LOCK_EX),
    take("e", LOCK_EX),
    ["open", "p", "/d", O_PATH],
    take("p", LOCK_SH),
    ["flock", "none", LOCK_SH],
    file("f", "/f"),
    ["open", "r", "/f", O_RDONLY],
    take("r", LOCK_EX),
    take("f", LOCK_SH),
    ["unlink", "/f"],
    file("g", "/f"),
    take("g", LOCK_EX),
  ]);
});

describe("O_TMPFILE", () => {
  same("is a file without a name", [
    ["mkdir", "/d"],
    ["open", "t", "/d", O_TMPFILE | O_RDWR, 0o640],
    ["fstat", "t"],
    ["write", "t", "data"],
    ["pread", "t", 9, 0],
    ["stat", "/d"],
    ["rmdir", "/d"],
    ["pread", "t", 9, 0],
    ["close", "t"],
  ]);
  same("wants write access and a directory", [
    ["mkdir", "/d"],
    file("f", "/f"),
    ["open", "t", "/d", O_TMPFILE | O_RDONLY, 0o600],
    ["open", "t", "/f", O_TMPFILE | O_RDWR, 0o600],
    ["open", "t", "/missing", O_TMPFILE | O_RDWR, 0o600],
    ["open", "t", "/d", O_TMPFILE | O_RDWR | O_CREAT, 0o600],
    ["open", "t", "/d", O_TMPFILE | O_WRONLY | O_EXCL, 0o600],
    ["fstat", "t"],
    ["open", "t", "/d", O_TMPFILE & ~O_DIRECTORY, 0o600],
    ["setUid", 1000],
    ["open", "t", "/d", O_TMPFILE | O_RDWR, 0o600],
  ]);
});

describe("O_PATH", () => {
  same("names a place and does no more", [
    file("f", "/f"),
    ["write", "f", "data"],
    ["symlink", "f", "/l"],
    ["symlink", "missing", "/dangling"],
    ["mkdir", "/d"],
    ["open", "p", "/f", O_PATH | O_RDWR],
    ["fstat", "p"],
    ["read", "p", 4],
    ["write", "p", "x"],
    ["lseek", "p", 0, SEEK_SET],
    ["ftruncate", "p", 0],
    ["fallocate", "p", 0, 0, 1],
    ["fchmod", "p", 0o600],
    ["fsync", "p"],
    ["copyRange", "p", "f", 1],
    ["copyRange", "f", "p", 1],
    ["open", "q", "/l", O_PATH | O_NOFOLLOW],
    ["fstat", "q"],
    ["open", "q", "/l", O_PATH],
    ["fstat", "q"],
    ["open", "r", "/dangling", O_PATH | O_NOFOLLOW],
    ["open", "s", "/dangling", O_PATH],
    ["open", "s", "/missing", O_PATH | O_CREAT, 0o644],
    ["open", "s", "/f", O_PATH | O_DIRECTORY],
    ["open", "s", "/d", O_PATH | O_DIRECTORY],
    ["close", "s"],
    ["setUid", 1000],
    ["chmod", "/f", 0],
    ["open", "u", "/f", O_PATH],
  ]);
});

describe("renameat2", () => {
  const tree: Step[] = [
    file("a", "/a"),
    ["write", "a", "A"],
    file("b", "/b"),
    ["write", "b", "BB"],
    ["mkdir", "/d"],
    ["mkdir", "/d/sub"],
    ["mkdir", "/e"],
    ["symlink", "a", "/l"],
  ];
  same("RENAME_NOREPLACE", [
    ...tree,
    ["rename", "/a", "/b", RENAME_NOREPLACE],
    ["rename", "/a", "/a", RENAME_NOREPLACE],
    ["rename", "/missing", "/b", RENAME_NOREPLACE],
    ["rename", "/d", "/e", RENAME_NOREPLACE],
    ["rename", "/a", "/", RENAME_NOREPLACE],
    ["rename", "/a", "/d/.", RENAME_NOREPLACE],
    ["rename", "/a", "/c", RENAME_NOREPLACE],
    ["stat", "/c"],
    ["rename", "/l", "/l2", RENAME_NOREPLACE],
    ["readlink", "/l2"],
  ]);
  same("RENAME_EXCHANGE", [
    ...tree,
    ["rename", "/a", "/b", RENAME_EXCHANGE],
    ["stat", "/a"],
    ["stat", "/b"],
    ["rename", "/a", "/d", RENAME_EXCHANGE],
    ["stat", "/d"],
    ["stat", "/a"],
    ["stat", "/"],
    ["rename", "/a/sub", "/e", RENAME_EXCHANGE],
    ["rename", "/a", "/a/sub", RENAME_EXCHANGE],
    ["rename", "/a/sub", "/a", RENAME_EXCHANGE],
    ["rename", "/a/sub", "/b", RENAME_EXCHANGE],
    ["stat", "/a"],
    ["stat", "/"],
    ["rename", "/a", "/missing", RENAME_EXCHANGE],
    ["rename", "/missing", "/a", RENAME_EXCHANGE],
    ["rename", "/l", "/d", RENAME_EXCHANGE],
    ["readlink", "/d"],
    ["rename", "/a", "/a", RENAME_EXCHANGE],
    ["rename", "/b/", "/a", RENAME_EXCHANGE],
    ["rename", "/d", "/b/", RENAME_EXCHANGE],
  ]);
  same("flags that do not go together", [
    ...tree,
    ["rename", "/a", "/b", RENAME_EXCHANGE | RENAME_NOREPLACE],
    ["rename", "/a", "/b", 8],
    ["rename", "/missing", "/b", RENAME_EXCHANGE | RENAME_NOREPLACE],
  ]);
});

describe("SEEK_DATA, SEEK_HOLE", () => {
  const seeks = (name: string, ...positions: number[]): Step[] =>
    positions.flatMap((pos): Step[] => [
      ["lseek", name, pos, SEEK_DATA],
      ["lseek", name, pos, SEEK_HOLE],
    ]);
  same("find the pages of a sparse file", [
    file("f", "/f"),
    ...seeks("f", 0),
    ["pwrite", "f", "x", 2 * PAGE],
    ["pwrite", "f", "x", 5 * PAGE + 10],
    ["ftruncate", "f", 9 * PAGE + 5],
    ...seeks(
      "f",
      -1,
      0,
      1,
      PAGE,
      2 * PAGE,
      2 * PAGE + 7,
      3 * PAGE,
      5 * PAGE + 10,
      6 * PAGE,
      9 * PAGE + 4,
      9 * PAGE + 5,
      10 * PAGE,
    ),
    ["pwrite", "f", "x", 9 * PAGE],
    ...seeks("f", 8 * PAGE, 9 * PAGE + 4, 9 * PAGE + 5),
    ["fallocate", "f", PUNCH | KEEP, 2 * PAGE, PAGE],
    ["fallocate", "f", PUNCH | KEEP, 5 * PAGE + 100, 100],
    ...seeks("f", 0, 5 * PAGE),
  ]);
  same("positions", [
    file("f", "/f"),
    ["pwrite", "f", "0123456789", 0],
    ["lseek", "f", -1, SEEK_SET],
    ["lseek", "f", 5, SEEK_SET],
    ["lseek", "f", -6, SEEK_CUR],
    ["lseek", "f", 2, SEEK_CUR],
    ["read", "f", 9],
    ["lseek", "f", -3, SEEK_END],
    ["lseek", "f", -11, SEEK_END],
    ["lseek", "f", 100, SEEK_END],
    ["read", "f", 1],
    ["write", "f", "x"],
    ["fstat", "f"],
    ["lseek", "f", 0, 5],
    ["lseek", "none", 0, SEEK_SET],
  ]);
  same("positions in a directory", [
    ["mkdir", "/d"],
    file("f", "/d/f"),
    ["open", "d", "/d", O_RDONLY],
    ...[SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 5].flatMap((whence): Step[] =>
      [0, 5, -1, -100, 2 ** 45].map((offset) => ["lseek", "d", offset, whence]),
    ),
  ]);
});

describe("fallocate", () => {
  same("grows the file, or not", [
    file("f", "/f"),
    ["fallocate", "f", 0, 100, 5000],
    ["fstat", "f"],
    ["pread", "f", 2, 5000],
    ["fallocate", "f", KEEP, 0, 5 * PAGE],
    ["fstat", "f"],
    ["ftruncate", "f", 5100],
    ["fstat", "f"],
    ["fallocate", "f", 0, 0, 1],
    ["fstat", "f"],
  ]);
  same("punches holes", [
    file("f", "/f"),
    ["write", "f", "x".repeat(3 * PAGE)],
    ["fallocate", "f", PUNCH | KEEP, 10, 20],
    ["pread", "f", 40, 0],
    ["fallocate", "f", PUNCH | KEEP, PAGE - 10, PAGE + 20],
    ["fstat", "f"],
    ["pread", "f", 30, PAGE - 20],
    ["pread", "f", 30, 2 * PAGE - 5],
    ["fallocate", "f", PUNCH | KEEP, 2 * PAGE, 100 * PAGE],
    ["fstat", "f"],
  ]);
  same("refuses", [
    file("f", "/f"),
    ["mkdir", "/d"],
    ["open", "r", "/f", O_RDONLY],
    ["open", "d", "/d", O_RDONLY],
    ["fallocate", "f", 0, -1, 10],
    ["fallocate", "f", 0, 0, 0],
    ["fallocate", "f", 0, 0, -5],
    ["fallocate", "f", PUNCH, 0, 10],
    ["fallocate", "f", 0x100, 0, 10],
    ["fallocate", "f", PUNCH | KEEP | 16, 0, 10],
    ["fallocate", "r", 0, 0, 10],
    ["fallocate", "d", 0, 0, 10],
    ["fallocate", "none", 0, 0, 10],
    ["open", "p", "/f", O_PATH],
    ["open", "n", "/f", 3],
    ...["f", "r", "d", "p", "n"].flatMap((name): Step[] =>
      [8, 8 | KEEP, 32, 32 | KEEP, 64, 64 | KEEP, 8 | 64, PUNCH, 0x100].flatMap((mode): Step[] => [
        ["fallocate", name, mode, 0, PAGE],
        ["fallocate", name, mode, 0, 0],
      ]),
    ),
    ["fstat", "f"],
  ]);
  same("takes set-ID bits away", [
    file("f", "/f"),
    ["write", "f", "some bytes"],
    ["chmod", "/f", 0o6777],
    ["setUid", 1000],
    ["fallocate", "f", PUNCH | KEEP, 100, 100],
    ["stat", "/f"],
  ]);
});

describe("truncate", () => {
  same("to the size a file has", [
    file("f", "/f"),
    file("sparse", "/sparse"),
    file("full", "/full"),
    ["ftruncate", "sparse", 100000],
    ["pwrite", "full", "x", 99999],
    ...(["/f", "/sparse", "/full"] as const).flatMap((path): Step[] => [
      ["age", path],
      ["truncate", path, path === "/f" ? 0 : 100000],
      ["mtime", path],
    ]),
    ["age", "/f"],
    ["ftruncate", "f", 0],
    ["mtime", "/f"],
    ["age", "/f"],
    ["open", "t", "/f", O_WRONLY | 0o1000],
    ["mtime", "/f"],
    ["age", "/f"],
    ["truncate", "/f", 1],
    ["mtime", "/f"],
  ]);
});

describe("copy_file_range", () => {
  const filled: Step[] = [file("f", "/f"), ["write", "f", "0123456789"], ["lseek", "f", 0, SEEK_SET], file("g", "/g")];
  same("copies at the files' positions", [
    ...filled,
    ["copyRange", "f", "g", 4],
    ["copyRange", "f", "g", 100],
    ["copyRange", "f", "g", 100],
    ["pread", "g", 20, 0],
    ["lseek", "g", 0, SEEK_CUR],
    ["lseek", "f", 2, SEEK_SET],
    ["lseek", "g", 8000, SEEK_SET],
    ["copyRange", "f", "g", 3],
    ["fstat", "g"],
    ["copyRange", "f", "g", 0],
  ]);
  same("fills with zeros where the source has a hole", [
    file("f", "/f"),
    ["pwrite", "f", "end", 2 * PAGE],
    file("g", "/g"),
    ["copyRange", "f", "g", 3 * PAGE],
    ["fstat", "f"],
    ["fstat", "g"],
    ["lseek", "g", 0, SEEK_HOLE],
    ["pread", "g", 8, 2 * PAGE - 2],
  ]);
  same("within one file, not over itself", [
    ...filled,
    ["open", "h", "/f", O_RDWR],
    ["lseek", "h", 5, SEEK_SET],
    ["copyRange", "f", "h", 6],
    ["copyRange", "f", "h", 5],
    ["pread", "f", 20, 0],
    ["copyRange", "f", "f", 1],
  ]);
  same("refuses", [
    ...filled,
    ["mkdir", "/d"],
    ["open", "d", "/d", O_RDONLY],
    ["open", "r", "/g", O_RDONLY],
    ["open", "w", "/g", O_WRONLY],
    ["open", "a", "/g", O_WRONLY | O_APPEND],
    ["copyRange", "d", "g", 1],
    ["copyRange", "f", "d", 1],
    ["copyRange", "f", "r", 1],
    ["copyRange", "w", "g", 1],
    ["copyRange", "f", "a", 1],
    ["copyRange", "none", "g", 1],
    ["copyRange", "d", "a", 1],
    ["copyRange", "f", "g", 0],
    ["copyRange", "d", "g", 0],
  ]);
});

describe("random data calls", () => {
  const at = fc.oneof(
    fc.integer({ min: 0, max: 6 * PAGE }),
    fc.constantFrom(0, PAGE - 1, PAGE, 2 * PAGE, 4 * PAGE + 1),
  );
  const length = fc.oneof(fc.integer({ min: 1, max: 3 * PAGE }), fc.constantFrom(1, PAGE));
  const name = fc.constantFrom("a", "b", "c");
  const calls = [
    fc.tuple(name, at, length).map(([fd, pos, n]): Step => ["pwrite", fd, "w".repeat(n), pos]),
    fc.tuple(name, length).map(([fd, n]): Step => ["write", fd, "v".repeat(n % 300)]),
    fc.tuple(name, at, length).map(([fd, pos, n]): Step => ["pread", fd, n, pos]),
    fc.tuple(name, length).map(([fd, n]): Step => ["read", fd, n]),
    fc.tuple(name, at).map(([fd, n]): Step => ["ftruncate", fd, n]),
    fc.tuple(name, at, length).map(([fd, pos, n]): Step => ["fallocate", fd, PUNCH | KEEP, pos, n]),
    fc.tuple(name, at).map(([fd, pos]): Step => ["lseek", fd, pos, SEEK_SET]),
    name.map((fd): Step => ["lseek", fd, 0, SEEK_END]),
  ];
  // tmpfs counts a page that was allocated and never written as a hole, foliofs as data; and where tmpfs copies the
  // zeros of a hole, foliofs copies the hole: what shows pages is not tried together with either.
  const showingPages = [
    fc.tuple(name, at, fc.constantFrom(SEEK_DATA, SEEK_HOLE)).map(([fd, pos, how]): Step => ["lseek", fd, pos, how]),
    name.map((fd): Step => ["fstat", fd]),
  ];
  const hidingPages = [
    fc.tuple(name, name, length).map(([from, to, n]): Step => ["copyRange", from, to, n]),
    fc
      .tuple(name, fc.constantFrom(0, KEEP), at, length)
      .map(([fd, how, pos, n]): Step => ["fallocate", fd, how, pos, n]),
  ];

  function compare(step: fc.Arbitrary<Step>): void {
    const opened: Step[] = [file("a", "/a"), file("b", "/b"), ["open", "c", "/a", O_RDWR | O_APPEND]];
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150, size: "max" }), (steps) => {
        expectSame([...opened, ...steps]);
      }),
      { numRuns: 20 },
    );
  }

  itOnHost("give the same bytes, sizes and holes", () => {
    compare(fc.oneof(...calls, ...showingPages));
  });
  itOnHost("give the same bytes, copied and allocated", () => {
    compare(fc.oneof(...calls, ...hidingPages));
  });
});
