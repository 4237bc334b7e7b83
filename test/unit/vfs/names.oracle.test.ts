/** Random scripts on names, by users who get in each other's way: every kind of file, every flag of open and renameat2. */
import fc from "fast-check";
import { describe } from "vitest";
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFBLK,
  S_IFCHR,
  S_IFREG,
  S_IFSOCK,
} from "../../../src/base/stat-flags.ts";
import { expectSame, itOnHost, type Step } from "../../helpers/call-script.ts";

const name = fc.constantFrom("a", "b", "c");
const path = fc
  .tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "", "", "", "/", "/.", "/.."))
  .map(([names, end]) => `/${names.join("/")}${end}`);
const target = fc.constantFrom("a", "b", "../a", "b/c", "/a/b", "/c", "missing");
const mode = fc.constantFrom(0o777, 0o1777, 0o1777, 0o2777, 0o755, 0o700, 0o666, 0o006);
const type = fc.constantFrom(S_IFREG, S_IFSOCK, S_IFCHR, S_IFBLK);
const renameFlags = fc.constantFrom(
  0,
  RENAME_NOREPLACE,
  RENAME_EXCHANGE,
  RENAME_WHITEOUT,
  RENAME_WHITEOUT,
  RENAME_WHITEOUT | RENAME_NOREPLACE,
  RENAME_WHITEOUT | RENAME_EXCHANGE,
);
// Without O_NONBLOCK the kernel would wait for whatever may be behind a device.
const openFlags = fc
  .tuple(
    fc.constantFrom(0, O_WRONLY, O_RDWR, O_ACCMODE),
    fc.constantFrom(0, O_CREAT, O_CREAT | O_EXCL, O_TMPFILE, O_DIRECTORY, O_PATH),
    fc.constantFrom(0, O_NOFOLLOW, O_TRUNC, O_APPEND, O_NOFOLLOW | O_TRUNC),
  )
  .map(([access, how, more]) => access | how | more | O_NONBLOCK);
const uid = fc.constantFrom(0, 1, 2);
/** Devices that no driver answers for: 4095. */
const DEVICE = 0xfff00;

/** Steps by how often they come. */
const STEPS: readonly (readonly [number, fc.Arbitrary<readonly Step[]>])[] = [
  [3, fc.tuple(path, mode).map(([at, bits]) => [["mkdir", at, bits]])],
  [3, fc.tuple(path, type, mode).map(([at, kind, bits]) => [["mknod", at, kind | bits, DEVICE]])],
  [2, fc.tuple(target, path).map(([to, at]) => [["symlink", to, at]])],
  [1, fc.tuple(path, path).map(([from, to]) => [["rename", from, to, 0]])],
  [5, fc.tuple(path, path, renameFlags).map(([from, to, flags]) => [["rename", from, to, flags]])],
  [
    6,
    fc.tuple(path, openFlags, mode).map(([at, flags, bits]) => [
      ["open", "f", at, flags, bits],
      ["fstat", "f"],
      ["read", "f", 3],
      ["write", "f", "text"],
      ["ftruncate", "f", 2],
      ["flock", "f", 1],
      ["flock", "f", 8],
      ["close", "f"],
    ]),
  ],
  [2, fc.tuple(path, mode).map(([at, bits]) => [["chmod", at, bits]])],
  [1, fc.tuple(path, uid).map(([at, who]) => [["chown", at, who, who]])],
  [1, path.map((at) => [["unlink", at]])],
  [1, path.map((at) => [["rmdir", at]])],
  [
    2,
    path.map((at): Step[] => [
      ["stat", at],
      ["rdev", at],
    ]),
  ],
  [
    2,
    uid.map((who): Step[] => [
      ["setUid", 0],
      ["setUid", who],
    ]),
  ],
];

const LOOK: readonly Step[] = [
  ["setUid", 0],
  ...["", "/a", "/b", "/c"].flatMap((dir) =>
    ["a", "b", "c"].flatMap((last): Step[] => {
      return [
        ["stat", `${dir}/${last}`],
        ["rdev", `${dir}/${last}`],
      ];
    }),
  ),
  ["stat", "/"],
];

describe("random scripts on names", () => {
  itOnHost("have the same outcomes on both", () => {
    const steps = fc.oneof(...STEPS.map(([weight, arbitrary]) => ({ weight, arbitrary })));
    const script = fc.array(steps, { minLength: 30, maxLength: 120, size: "max" });
    fc.assert(
      fc.property(script, (parts) => {
        expectSame([["umask", 0], ["chmod", "/", 0o1777], ["mkdir", "/a", 0o1777], ...parts.flat(), ...LOOK]);
      }),
      { numRuns: Number(process.env.FOLIO_RUNS ?? 40) },
    );
  });
});
