/**
 * Random work on a tree: all that a file system can have, mounts, and what tasks can hold. For fast-check.
 */
import fc from "fast-check";
import { createFsSync, type FolioFs, MS_BIND, MS_NOATIME, MS_REMOUNT } from "../../src/index.ts";

export const LIMIT = 64 * 2 ** 20;
const PAGE = 4096;

export type Action = (fs: FolioFs, held: Held) => unknown;
/** What tasks hold beside the tree. */
export interface Held {
  fds: number[];
  tasks: FolioFs[];
}

const DIRS = ["/", "/a", "/a/b", "/c", "/c/d e", "/a/ünïcode", "/mnt", "/mnt/sub"];
const NAMES = ["f", "g", "h", "b", "sub", "d e", "ünïcode", "n".repeat(29), "long-".repeat(50)];
const dir = fc.constantFrom(...DIRS);
const path = fc
  .tuple(dir, fc.constantFrom(...NAMES))
  .map(([parent, name]) => `${parent === "/" ? "" : parent}/${name}`);
const mode = fc.nat(0o7777);
const id = fc.constantFrom(0, 1, 1000, 0xfffffffe);
const pos = fc.oneof(fc.nat(10 * PAGE), fc.constantFrom(0, PAGE, 300 * PAGE, 2 ** 33, 2 ** 43));
const seconds = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 33 }), fc.constant(0));
const length = fc.nat(5 * PAGE);

function writeAt(fs: FolioFs, file: string, at: number, n: number): void {
  const fd = fs.openSync(file, fs.constants.O_CREAT | fs.constants.O_WRONLY);
  fs.writeSync(fd, Buffer.alloc(n, (at % 251) + 1), 0, n, at);
  fs.closeSync(fd);
}

const changes: fc.Arbitrary<Action>[] = [
  fc.tuple(path, length).map(
    ([p, n]): Action =>
      (fs) =>
        fs.writeFileSync(p, Buffer.alloc(n, n % 256)),
  ),
  fc.tuple(path, pos, length).map(
    ([p, at, n]): Action =>
      (fs) =>
        writeAt(fs, p, at, n),
  ),
  fc.tuple(path, pos).map(
    ([p, n]): Action =>
      (fs) =>
        fs.truncateSync(p, n),
  ),
  path.map(
    (p): Action =>
      (fs) =>
        fs.mkdirSync(p),
  ),
  dir.map(
    (p): Action =>
      (fs) =>
        fs.mkdirSync(p),
  ),
  fc.tuple(path, fc.string({ minLength: 1, maxLength: 300 })).map(
    ([p, target]): Action =>
      (fs) =>
        fs.symlinkSync(target, p),
  ),
  fc.tuple(path, path).map(
    ([a, b]): Action =>
      (fs) =>
        fs.linkSync(a, b),
  ),
  fc.tuple(path, path).map(
    ([a, b]): Action =>
      (fs) =>
        fs.renameSync(a, b),
  ),
  fc.tuple(path, path).map(
    ([a, b]): Action =>
      (fs) =>
        fs.renameat2Sync(a, b, 2),
  ),
  path.map(
    (p): Action =>
      (fs) =>
        fs.unlinkSync(p),
  ),
  path.map(
    (p): Action =>
      (fs) =>
        fs.rmSync(p, { recursive: true }),
  ),
  fc.tuple(path, fc.constantFrom(0o010000, 0o020000, 0o060000, 0o140000), fc.nat(0xffff)).map(
    ([p, type, dev]): Action =>
      (fs) =>
        fs.mknodSync(p, type | 0o640, dev),
  ),
  fc.tuple(path, mode).map(
    ([p, m]): Action =>
      (fs) =>
        fs.chmodSync(p, m),
  ),
  fc.tuple(path, id, id).map(
    ([p, uid, gid]): Action =>
      (fs) =>
        fs.lchownSync(p, uid, gid),
  ),
  fc.tuple(path, seconds, seconds).map(
    ([p, a, m]): Action =>
      (fs) =>
        fs.lutimesSync(p, a, m),
  ),
];
const mounting: fc.Arbitrary<Action>[] = [
  dir.map(
    (p): Action =>
      (fs) =>
        fs.kernel.mount({ type: "ramfs", target: p, flags: MS_NOATIME }),
  ),
  fc.tuple(dir, dir).map(
    ([a, b]): Action =>
      (fs) =>
        fs.kernel.mount({ source: a, target: b, flags: MS_BIND }),
  ),
  dir.map(
    (p): Action =>
      (fs) =>
        fs.kernel.umount(p),
  ),
];
const holding: fc.Arbitrary<Action>[] = [
  path.map(
    (p): Action =>
      (fs, { fds }) =>
        fds.push(fs.openSync(p, "a+")),
  ),
  path.map(
    (p): Action =>
      (fs, { fds }) => {
        fds.push(fs.openSync(p, "w+"));
        fs.writeSync(fds.at(-1) as number, Buffer.alloc(3 * PAGE, 9));
        fs.flockSync(fds.at(-1) as number, 2);
        fs.unlinkSync(p);
      },
  ),
  dir.map(
    (p): Action =>
      (fs, { fds }) =>
        fds.push(fs.openSync(p, fs.constants.O_RDWR | 0o20200000)),
  ),
  dir.map(
    (p): Action =>
      (fs, { tasks }) =>
        tasks.push(fs.kernel.task({ cwd: p, uid: 5, gid: 5, groups: [6, 7] })),
  ),
  fc.nat().map(
    (n): Action =>
      (fs, { fds }) =>
        fds.length && fs.closeSync(fds.splice(n % fds.length, 1)[0]),
  ),
];
const action = fc.oneof(
  { weight: 10, arbitrary: fc.oneof(...changes) },
  { weight: 1, arbitrary: fc.oneof(...mounting) },
  { weight: 3, arbitrary: fc.oneof(...holding) },
);
export const actions = fc.array(action, { minLength: 10, maxLength: 120, size: "max" });

/** Tries a step, with whatever success. */
export function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error; // errors of the system only
  }
}

/** A file system on which `steps` have been tried. */
export function build(steps: Action[]): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT });
  fs.kernel.mount({ target: "/", flags: MS_REMOUNT | MS_NOATIME }); // so that to look changes nothing
  for (const p of DIRS.slice(1)) fs.mkdirSync(p);
  const held: Held = { fds: [], tasks: [] };
  for (const step of steps) attempt(() => step(fs, held));
  return fs;
}
