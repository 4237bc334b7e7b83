/** Every class of caller, with every set of bits for that class, against every operation on a file or a directory. */
import type { NodeFs } from "../../helpers/subject.ts";
import {
  CALLERS,
  CLASS_SHIFT,
  makeDirectory,
  makeFile,
  O_NOATIME,
  O_PATH,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  openAndClose,
  type PermissionCase,
} from "./case.ts";

type Call = (fs: NodeFs, root: string) => unknown;

const FILE_OPERATIONS: Record<string, Call> = {
  "open r": (fs, root) => openAndClose(fs, `${root}/f`, "r"),
  "open w": (fs, root) => openAndClose(fs, `${root}/f`, "w"),
  "open r+": (fs, root) => openAndClose(fs, `${root}/f`, "r+"),
  "open a": (fs, root) => openAndClose(fs, `${root}/f`, "a"),
  "open O_WRONLY": (fs, root) => openAndClose(fs, `${root}/f`, O_WRONLY),
  "open O_RDONLY|O_TRUNC": (fs, root) => openAndClose(fs, `${root}/f`, O_TRUNC),
  "open 3": (fs, root) => openAndClose(fs, `${root}/f`, 3),
  "open O_PATH": (fs, root) => openAndClose(fs, `${root}/f`, O_PATH),
  "open O_NOATIME": (fs, root) => openAndClose(fs, `${root}/f`, O_NOATIME),
  "open wx": (fs, root) => openAndClose(fs, `${root}/f`, "wx"),
  readFile: (fs, root) => fs.readFileSync(`${root}/f`),
  appendFile: (fs, root) => fs.appendFileSync(`${root}/f`, "more"),
  truncate: (fs, root) => fs.truncateSync(`${root}/f`, 3),
  stat: (fs, root) => fs.statSync(`${root}/f`),
  chmod: (fs, root) => fs.chmodSync(`${root}/f`, 0o600),
  "chown to itself": (fs, root) => fs.chownSync(`${root}/f`, 1000, 2000),
  "chown of nothing": (fs, root) => fs.chownSync(`${root}/f`, -1, -1),
  "chown away": (fs, root) => fs.chownSync(`${root}/f`, 1003, -1),
  chgrp: (fs, root) => fs.chownSync(`${root}/f`, -1, 1000),
  utimes: (fs, root) => fs.utimesSync(`${root}/f`, 5, 6),
  copyFile: (fs, root) => fs.copyFileSync(`${root}/f`, `${root}/open/copy`),
  realpath: (fs, root) => fs.realpathSync.native(`${root}/f`),
  statfs: (fs, root) => fs.statfsSync(`${root}/f`),
};

function setUpFile(mode: number): PermissionCase["setUp"] {
  return (fs, root) => {
    makeFile(fs, `${root}/f`, { mode });
    makeDirectory(fs, `${root}/open`, { mode: 0o777 });
  };
}

const DIRECTORY_OPERATIONS: Record<string, Call> = {
  readdir: (fs, root) => fs.readdirSync(`${root}/d`),
  opendir: (fs, root) => fs.opendirSync(`${root}/d`).closeSync(),
  "stat of itself": (fs, root) => fs.statSync(`${root}/d`),
  "stat of an entry": (fs, root) => fs.statSync(`${root}/d/f`),
  "stat of a missing entry": (fs, root) => fs.statSync(`${root}/d/missing`),
  "stat of .": (fs, root) => fs.statSync(`${root}/d/.`),
  "stat through ..": (fs, root) => fs.statSync(`${root}/d/../open`),
  "stat with a slash": (fs, root) => fs.statSync(`${root}/d/`),
  "readlink of an entry": (fs, root) => fs.readlinkSync(`${root}/d/l`),
  realpath: (fs, root) => fs.realpathSync.native(`${root}/d/f`),
  "open of an entry": (fs, root) => openAndClose(fs, `${root}/d/f`, "r"),
  "creating a file": (fs, root) => fs.writeFileSync(`${root}/d/new`, "x"),
  "creating over a file": (fs, root) => fs.writeFileSync(`${root}/d/f`, "x"),
  "creating with O_EXCL over a file": (fs, root) => openAndClose(fs, `${root}/d/f`, "wx"),
  mkdir: (fs, root) => fs.mkdirSync(`${root}/d/new`),
  "mkdir over a file": (fs, root) => fs.mkdirSync(`${root}/d/f`),
  "mkdir -p": (fs, root) => fs.mkdirSync(`${root}/d/new/deep`, { recursive: true }),
  mkdtemp: (fs, root) => fs.mkdtempSync(`${root}/d/tmp-`),
  symlink: (fs, root) => fs.symlinkSync("x", `${root}/d/new`),
  "symlink over a file": (fs, root) => fs.symlinkSync("x", `${root}/d/f`),
  link: (fs, root) => fs.linkSync(`${root}/open/f`, `${root}/d/new`),
  "link over a file": (fs, root) => fs.linkSync(`${root}/open/f`, `${root}/d/f`),
  unlink: (fs, root) => fs.unlinkSync(`${root}/d/f`),
  "unlink of nothing": (fs, root) => fs.unlinkSync(`${root}/d/missing`),
  "unlink of a directory": (fs, root) => fs.unlinkSync(`${root}/d/s`),
  rmdir: (fs, root) => fs.rmdirSync(`${root}/d/s`),
  "rmdir of a file": (fs, root) => fs.rmdirSync(`${root}/d/f`),
  "rmdir of one that is not empty": (fs, root) => fs.rmdirSync(`${root}/d/full`),
  "rename inside": (fs, root) => fs.renameSync(`${root}/d/f`, `${root}/d/g`),
  "rename over": (fs, root) => fs.renameSync(`${root}/d/f`, `${root}/d/h`),
  "rename out": (fs, root) => fs.renameSync(`${root}/d/f`, `${root}/open/g`),
  "rename in": (fs, root) => fs.renameSync(`${root}/open/f`, `${root}/d/g`),
  "rename in over": (fs, root) => fs.renameSync(`${root}/open/f`, `${root}/d/f`),
  "rename of a directory inside": (fs, root) => fs.renameSync(`${root}/d/s`, `${root}/d/t`),
  "rename of a directory out": (fs, root) => fs.renameSync(`${root}/d/s`, `${root}/open/s`),
  "rename of nothing": (fs, root) => fs.renameSync(`${root}/d/missing`, `${root}/d/g`),
  "rename onto itself": (fs, root) => fs.renameSync(`${root}/d/f`, `${root}/d/f`),
  O_TMPFILE: (fs, root) => openAndClose(fs, `${root}/d`, O_TMPFILE | O_RDWR, 0o600),
  "O_TMPFILE 3": (fs, root) => openAndClose(fs, `${root}/d`, O_TMPFILE | 3, 0o600),
  "open for writing": (fs, root) => openAndClose(fs, `${root}/d`, "r+"),
  "rm -r": (fs, root) => fs.rmSync(`${root}/d/full`, { recursive: true }),
};

function setUpDirectory(mode: number, caller: { uid: number; gid: number }): PermissionCase["setUp"] {
  return (fs, root) => {
    makeDirectory(fs, `${root}/open`, { mode: 0o777 });
    makeFile(fs, `${root}/open/f`, { ...caller, mode: 0o666 });
    makeDirectory(fs, `${root}/d`, { mode: 0o777 });
    for (const name of ["f", "h"]) makeFile(fs, `${root}/d/${name}`, { mode: 0o666 });
    makeDirectory(fs, `${root}/d/s`, { mode: 0o777 });
    makeDirectory(fs, `${root}/d/full`, { mode: 0o777 });
    makeFile(fs, `${root}/d/full/f`, { mode: 0o666 });
    fs.symlinkSync("f", `${root}/d/l`);
    fs.chmodSync(`${root}/d`, mode);
  };
}

/** Gives `bits` to the caller's own class and all that these are not to the two others. */
function modeFor(name: string, bits: number): number {
  const own = 0o7 << CLASS_SHIFT[name];
  return (bits << CLASS_SHIFT[name]) | ((0o111 * (~bits & 7)) & ~own);
}

function matrix(
  operations: Record<string, Call>,
  setUp: (mode: number, caller: { uid: number; gid: number }) => PermissionCase["setUp"],
  what: string,
): PermissionCase[] {
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bits) =>
      Object.entries(operations).map(([operation, call]) => ({
        id: `${name}, ${what} ${modeFor(name, bits).toString(8).padStart(3, "0")}: ${operation}`,
        caller,
        setUp: setUp(modeFor(name, bits), caller),
        call,
      })),
    ),
  );
}

export const MODE_BIT_CASES: readonly PermissionCase[] = [
  ...matrix(FILE_OPERATIONS, setUpFile, "file"),
  ...matrix(DIRECTORY_OPERATIONS, setUpDirectory, "directory"),
];
