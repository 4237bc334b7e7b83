/** Random operations on names: a small alphabet, so that they meet. */
import { constants } from "node:fs";
import fc from "fast-check";
import { isFollowedVersion } from "../versions.ts";
import type { Operation } from "./program.ts";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const O_TMPFILE = 0o20200000;

const name = fc.constantFrom("a", "b", "c", "d");
/** One to three names, now and then with a dot or a slash that changes what they mean. */
const path = fc
  .tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "", "", "", "", "/", "/."))
  .map(([names, end]) => names.join("/") + end);
/** For removing trees: what Node 26 says about a path that ends in a dot is no system call's error. */
const plainPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
/** Paths that may climb. */
const climbing = fc.oneof(
  { weight: 5, arbitrary: path },
  { weight: 1, arbitrary: fc.tuple(path, name).map(([dir, last]) => `${dir}/../${last}`) },
  { weight: 1, arbitrary: fc.tuple(path).map(([dir]) => `${dir}/..`) },
);
const target = fc.constantFrom(
  "a",
  "b",
  "c",
  "d",
  "a/b",
  "b/c",
  "../a",
  "../b/c",
  ".",
  "./d",
  "a/",
  "c/d/a",
  "missing",
);
const mode = fc.constantFrom(0, 0o700, 0o755, 0o777, 0o500, 0o300, 0o644, 0o4755, 0o2777, 0o1777, 0o070, 0o007);
const time = fc.constantFrom(0, 1, 1e9, 2e9, 4e9, 1_234_567.5);
const length = fc.constantFrom(0, 1, 5, 4096, 5000);
const slot = fc.constantFrom(0, 1, 2);
const flags = fc
  .tuple(
    fc.constantFrom(0, O_WRONLY, O_RDWR, 3, O_DIRECTORY, O_TMPFILE | O_RDWR, O_TMPFILE | 3),
    fc.constantFrom(
      0,
      O_CREAT,
      O_CREAT | O_EXCL,
      O_TRUNC,
      O_CREAT | O_TRUNC,
      O_APPEND,
      O_NOFOLLOW,
      O_CREAT | O_NOFOLLOW,
    ),
  )
  .map(([access, extra]) => access | extra);

type Arbitrary = fc.Arbitrary<unknown>;

function call(
  called: string,
  paths: readonly fc.Arbitrary<string>[],
  ...args: readonly Arbitrary[]
): fc.Arbitrary<Operation> {
  return fc.record({ call: fc.constant(called), paths: fc.tuple(...paths), args: fc.tuple(...args) });
}

function onSlot(called: string, ...args: readonly Arbitrary[]): fc.Arbitrary<Operation> {
  return fc.record({ call: fc.constant(called), paths: fc.constant([]), args: fc.tuple(...args), slot });
}

const text = fc.constantFrom("", "x", "some text", "y".repeat(5000));
const always = fc.constant;

/** Operations by how often they are to come. */
const OPERATIONS: readonly (readonly [weight: number, operation: fc.Arbitrary<Operation>])[] = [
  [8, call("mkdirSync", [climbing], mode)],
  [3, call("mkdirSync", [climbing], always({ recursive: true }))],
  [8, call("writeFileSync", [climbing], text)],
  [2, call("appendFileSync", [climbing], text)],
  [8, call("symlinkSync", [climbing], target)],
  [6, call("linkSync", [climbing, climbing])],
  [14, call("renameSync", [climbing, climbing])],
  [5, call("unlinkSync", [climbing])],
  [4, call("rmdirSync", [climbing])],
  [1, call("rmSync", [plainPath], always({ recursive: true, force: true }))],
  [1, call("rmSync", [climbing], fc.constantFrom({ recursive: true }, { recursive: true, force: true }))],
  [2, call("truncateSync", [climbing], length)],
  [2, call("chmodSync", [climbing], mode)],
  [2, call("chownSync", [climbing], fc.constantFrom(-1, 0, 1000, 1001), fc.constantFrom(-1, 0, 1000, 50))],
  [1, call("lchownSync", [climbing], fc.constantFrom(-1, 0, 1000, 1001), fc.constantFrom(-1, 0, 1000, 50))],
  [2, call("utimesSync", [climbing], time, time)],
  [1, call("lutimesSync", [climbing], time, time)],
  // Without COPYFILE_FICLONE_FORCE: files in memory can be cloned here, and not on tmpfs.
  [3, call("copyFileSync", [climbing, climbing], fc.constantFrom(0, 1, 2, 3))],
  [4, call("statSync", [climbing])],
  [4, call("lstatSync", [climbing])],
  [2, call("existsSync", [climbing])],
  [2, call("readlinkSync", [climbing])],
  [3, call("realpathSync", [climbing])],
  [3, call("readdirSync", [climbing])],
  [2, call("readdirSync", [path], always({ withFileTypes: true }))],
  [2, call("readFileSync", [climbing])],
  [
    5,
    fc.record({
      call: always("open"),
      paths: fc.tuple(climbing),
      args: fc.tuple(flags, mode),
      slot,
    }) as fc.Arbitrary<Operation>,
  ],
  [2, onSlot("write", length, fc.nat(255))],
  [2, onSlot("read", length)],
  [1, onSlot("readv", length, length, fc.constantFrom(null, 0, 5))],
  [1, onSlot("writev", length, length, fc.nat(255))],
  [2, onSlot("fstat")],
  [1, onSlot("ftruncate", length)],
  [1, onSlot("fchmod", mode)],
  [1, onSlot("futimes", time, time)],
  [1, onSlot("readAll")],
  [1, onSlot("close")],
];

const CALLERS = [
  { uid: 1000, gid: 1000 },
  { uid: 1001, gid: 1001, groups: [50] },
];

/** access(2) asks for the real ids, and hard links to files of others are a setting of the host. */
const NOT_AS_OTHERS = new Set(["existsSync", "linkSync"]);

/** Calls that Node 26 makes of other system calls than older Nodes: with these, node:fs is no oracle for them. */
const CHANGED_IN_26 = /^(rmSync|copyFileSync)$/;

function isKnown({ call }: Operation): boolean {
  return isFollowedVersion() || !CHANGED_IN_26.test(call);
}

/** @param asOthers whether some of the operations are done by other users than root */
export function namesOperation({ asOthers }: { asOthers: boolean }): fc.Arbitrary<Operation> {
  const operation = fc.oneof(...OPERATIONS.map(([weight, arbitrary]) => ({ weight, arbitrary }))).filter(isKnown);
  if (!asOthers) return operation;

  const caller = fc.constantFrom(undefined, ...CALLERS, ...CALLERS);
  return fc
    .tuple(operation, caller)
    .map(([one, as]) => (as === undefined || NOT_AS_OTHERS.has(one.call) ? one : { ...one, as }));
}
