/** Sticky directories, set-group-id directories, when set-id bits go away, who may give files to whom, and umask. */
import type { Credentials, NodeFs } from "../../helpers/subject.ts";
import { CALLERS, GROUP, makeDirectory, makeFile, OWNER, openAndClose, type PermissionCase } from "./case.ts";

type Call = (fs: NodeFs, root: string) => unknown;

const STRANGER = 1009;

/** A directory that all may write in, where only owners may remove. */
function stickyCases(): PermissionCase[] {
  const operations: Record<string, Call> = {
    unlink: (fs, root) => fs.unlinkSync(`${root}/d/f`),
    rmdir: (fs, root) => fs.rmdirSync(`${root}/d/s`),
    "rename inside": (fs, root) => fs.renameSync(`${root}/d/f`, `${root}/d/g`),
    "rename out": (fs, root) => fs.renameSync(`${root}/d/f`, `${root}/open/g`),
    "rename of a directory": (fs, root) => fs.renameSync(`${root}/d/s`, `${root}/d/t`),
    "rename over": (fs, root) => fs.renameSync(`${root}/open/mine`, `${root}/d/f`),
    "rename over a directory": (fs, root) => fs.renameSync(`${root}/open/mydir`, `${root}/d/s`),
    create: (fs, root) => fs.writeFileSync(`${root}/d/new`, ""),
  };
  const owners = [OWNER, STRANGER, 0];
  const modes = [0o1777, 0o1775, 0o777, 0o1770];
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    owners.flatMap((directoryOwner) =>
      owners.flatMap((fileOwner) =>
        modes.flatMap((mode) =>
          Object.entries(operations).map(([operation, call]) => ({
            id: `${name}, sticky ${mode.toString(8)} of ${directoryOwner}, file of ${fileOwner}: ${operation}`,
            caller,
            call,
            setUp: (fs: NodeFs, root: string) => {
              makeDirectory(fs, `${root}/open`, { mode: 0o777 });
              makeFile(fs, `${root}/open/mine`, { ...caller });
              makeDirectory(fs, `${root}/open/mydir`, { ...caller });
              makeDirectory(fs, `${root}/d`, { uid: directoryOwner, mode });
              makeFile(fs, `${root}/d/f`, { uid: fileOwner, mode: 0o666 });
              makeDirectory(fs, `${root}/d/s`, { uid: fileOwner, mode: 0o777 });
            },
          })),
        ),
      ),
    ),
  );
}

/** What is made in a directory takes its group where the directory says so. */
function inheritanceCases(): PermissionCase[] {
  const operations: Record<string, Call> = {
    "file 644": (fs, root) => fs.writeFileSync(`${root}/d/new`, "", { mode: 0o644 }),
    "file 2755": (fs, root) => openAndClose(fs, `${root}/d/new`, "w", 0o2755),
    "file 2745": (fs, root) => openAndClose(fs, `${root}/d/new`, "w", 0o2745),
    "file 6777": (fs, root) => openAndClose(fs, `${root}/d/new`, "w", 0o6777),
    "mkdir 755": (fs, root) => fs.mkdirSync(`${root}/d/new`, 0o755),
    "mkdir 7777": (fs, root) => fs.mkdirSync(`${root}/d/new`, 0o7777),
    "mkdir -p": (fs, root) => fs.mkdirSync(`${root}/d/new/deep`, { recursive: true }),
    mkdtemp: (fs, root) => fs.mkdtempSync(`${root}/d/tmp-`),
    symlink: (fs, root) => fs.symlinkSync("x", `${root}/d/new`),
    copyFile: (fs, root) => fs.copyFileSync(`${root}/set`, `${root}/d/new`),
    "rename in": (fs, root) => fs.renameSync(`${root}/open/mine`, `${root}/d/new`),
  };
  const modes = [0o777, 0o2777, 0o3777];
  const umasks = [0o022, 0o000, 0o077];
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    modes.flatMap((mode) =>
      umasks.flatMap((umask) =>
        Object.entries(operations).map(([operation, call]) => ({
          id: `${name}, umask ${umask.toString(8)}, in a directory ${mode.toString(8)}: ${operation}`,
          caller: { ...caller, umask },
          call,
          setUp: (fs: NodeFs, root: string) => {
            makeDirectory(fs, `${root}/open`, { mode: 0o777 });
            makeFile(fs, `${root}/open/mine`, { ...caller });
            makeFile(fs, `${root}/set`, { mode: 0o6755 });
            makeDirectory(fs, `${root}/d`, { mode });
          },
        })),
      ),
    ),
  );
}

/** A call that writes through a descriptor of its own. */
function throughDescriptor(flags: string, call: (fs: NodeFs, fd: number) => unknown): Call {
  return (fs, root) => {
    const fd = fs.openSync(`${root}/f`, flags);
    try {
      call(fs, fd);
    } finally {
      fs.closeSync(fd);
    }
  };
}

/** Which calls take the set-id bits off a file. */
function setIdCases(): PermissionCase[] {
  const operations: Record<string, Call> = {
    write: throughDescriptor("r+", (fs, fd) => fs.writeSync(fd, "x")),
    "write of nothing": throughDescriptor("r+", (fs, fd) => fs.writeSync(fd, Buffer.alloc(0))),
    "positioned write": throughDescriptor("r+", (fs, fd) => fs.writeSync(fd, "x", 3)),
    writev: throughDescriptor("r+", (fs, fd) => fs.writevSync(fd, [Buffer.from("x")])),
    append: (fs, root) => fs.appendFileSync(`${root}/f`, "x"),
    read: throughDescriptor("r+", (fs, fd) => fs.readSync(fd, Buffer.alloc(2))),
    "open for writing": throughDescriptor("r+", () => {}),
    "open w": throughDescriptor("w", () => {}),
    truncate: (fs, root) => fs.truncateSync(`${root}/f`, 3),
    "truncate to its own size": (fs, root) => fs.truncateSync(`${root}/f`, 7),
    "truncate to more": (fs, root) => fs.truncateSync(`${root}/f`, 70),
    ftruncate: throughDescriptor("r+", (fs, fd) => fs.ftruncateSync(fd, 2)),
    copyFile: (fs, root) => fs.copyFileSync(`${root}/source`, `${root}/f`),
    "chown of nothing": (fs, root) => fs.chownSync(`${root}/f`, -1, -1),
    "chown to the same": (fs, root) => fs.chownSync(`${root}/f`, OWNER, GROUP),
    "chgrp to the same": (fs, root) => fs.chownSync(`${root}/f`, -1, GROUP),
    "chgrp to one's own": (fs, root) => fs.chownSync(`${root}/f`, -1, 1000),
    fchown: throughDescriptor("r+", (fs, fd) => fs.fchownSync(fd, -1, GROUP)),
    "chmod 6777": (fs, root) => fs.chmodSync(`${root}/f`, 0o6777),
    "chmod 2745": (fs, root) => fs.chmodSync(`${root}/f`, 0o2745),
    fchmod: throughDescriptor("r+", (fs, fd) => fs.fchmodSync(fd, 0o2755)),
    utimes: (fs, root) => fs.utimesSync(`${root}/f`, 1, 2),
    link: (fs, root) => fs.linkSync(`${root}/f`, `${root}/g`),
    rename: (fs, root) => fs.renameSync(`${root}/f`, `${root}/g`),
  };
  const modes = [0o4777, 0o2777, 0o6777, 0o2767, 0o6767, 0o1777, 0o7766, 0o6666];
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    modes.flatMap((mode) =>
      Object.entries(operations).map(([operation, call]) => ({
        id: `${name}, set-id ${mode.toString(8)}: ${operation}`,
        caller,
        call,
        setUp: (fs: NodeFs, root: string) => {
          fs.chmodSync(root, 0o777);
          makeFile(fs, `${root}/source`, { mode: 0o644 });
          makeFile(fs, `${root}/f`, { mode });
        },
      })),
    ),
  );
}

/** Directories keep theirs. */
function setIdDirectoryCases(): PermissionCase[] {
  const operations: Record<string, Call> = {
    chown: (fs, root) => fs.chownSync(`${root}/d`, -1, -1),
    chgrp: (fs, root) => fs.chownSync(`${root}/d`, -1, 1000),
    "chmod 2755": (fs, root) => fs.chmodSync(`${root}/d`, 0o2755),
    create: (fs, root) => fs.writeFileSync(`${root}/d/f`, ""),
  };
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    Object.entries(operations).map(([operation, call]) => ({
      id: `${name}, directory 6777: ${operation}`,
      caller,
      call,
      setUp: (fs: NodeFs, root: string) => makeDirectory(fs, `${root}/d`, { mode: 0o6777 }),
    })),
  );
}

/** Who may give what to whom. */
function chownCases(): PermissionCase[] {
  const callers: Record<string, Credentials> = {
    ...CALLERS,
    "owner in two groups": { uid: OWNER, gid: 1000, groups: [77, GROUP] },
  };
  const uids = [-1, OWNER, STRANGER, 0];
  const gids = [-1, GROUP, 1000, 77, 78, 0];
  return Object.entries(callers).flatMap(([name, caller]) =>
    uids.flatMap((uid) =>
      gids.flatMap((gid) =>
        (["chownSync", "lchownSync"] as const).map((method) => ({
          id: `${name}: ${method} to ${uid}:${gid}`,
          caller,
          call: (fs: NodeFs, root: string) => fs[method](`${root}/${method === "chownSync" ? "f" : "l"}`, uid, gid),
          setUp: (fs: NodeFs, root: string) => {
            makeFile(fs, `${root}/f`);
            fs.symlinkSync("f", `${root}/l`);
            fs.lchownSync(`${root}/l`, OWNER, GROUP);
          },
        })),
      ),
    ),
  );
}

/** umask takes bits off what calls ask for, and off nothing else. */
function umaskCases(): PermissionCase[] {
  const operations: Record<string, Call> = {
    writeFile: (fs, root) => fs.writeFileSync(`${root}/new`, ""),
    "open 777": (fs, root) => openAndClose(fs, `${root}/new`, "w", 0o777),
    "open 0": (fs, root) => openAndClose(fs, `${root}/new`, "w", 0),
    mkdir: (fs, root) => fs.mkdirSync(`${root}/new`),
    "mkdir 1777": (fs, root) => fs.mkdirSync(`${root}/new`, 0o1777),
    "mkdir -p": (fs, root) => fs.mkdirSync(`${root}/new/deep/er`, { recursive: true }),
    "mkdir -p 700": (fs, root) => fs.mkdirSync(`${root}/new/deep/er`, { recursive: true, mode: 0o700 }),
    mkdtemp: (fs, root) => fs.mkdtempSync(`${root}/tmp-`),
    symlink: (fs, root) => fs.symlinkSync("x", `${root}/new`),
    copyFile: (fs, root) => fs.copyFileSync(`${root}/f`, `${root}/new`),
    chmod: (fs, root) => fs.chmodSync(`${root}/f`, 0o777),
  };
  return [0, 0o002, 0o022, 0o027, 0o077, 0o111, 0o333, 0o777].flatMap((umask) =>
    (["owner", "root"] as const).flatMap((name) =>
      Object.entries(operations).map(([operation, call]) => ({
        id: `${name}, umask ${umask.toString(8)}: ${operation}`,
        caller: { ...CALLERS[name], umask },
        call,
        setUp: (fs: NodeFs, root: string) => {
          fs.chmodSync(root, 0o777);
          makeFile(fs, `${root}/f`, { mode: 0o640 });
        },
      })),
    ),
  );
}

export const SPECIAL_BIT_CASES: readonly PermissionCase[] = [
  ...stickyCases(),
  ...inheritanceCases(),
  ...setIdCases(),
  ...setIdDirectoryCases(),
  ...chownCases(),
  ...umaskCases(),
];
