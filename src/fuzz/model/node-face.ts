/**
 * The face of node:fs on a task of the model: as much of it as programs call (perform.ts, tree.ts), synchronous.
 *
 * Faults leave it with the name that Node gives the system call.
 */
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../../base/stat-flags.ts";
import type { NodeFs, TaskFace } from "../perform.ts";
import { Fault, fail } from "./fault.ts";
import type { Inode } from "./inode.ts";
import {
  bytesOfPath,
  bytesOfView,
  checkPart,
  type Part,
  type PathArgument,
  partOf,
  textOf,
  toMode,
  toPath,
  toReadPosition,
  toSize,
  toTimeMs,
  toWritePosition,
} from "./node-arguments.ts";
import { copyFile, mkdirs, readWhole } from "./node-calls.ts";
import { libraryRealpath, nodeRealpath } from "./node-realpath.ts";
import { ModelDirent, ModelStats } from "./node-stats.ts";
import { IN_ATTRIB, IN_MODIFY, type Listener, type Mark } from "./notify.ts";
import { CURRENT, type ModelTask } from "./task.ts";

const FILE_MODE = 0o666;
const OPEN_TO_LIST = O_RDONLY | O_DIRECTORY | O_NONBLOCK;

type View = NodeJS.ArrayBufferView;
type Position = number | null | undefined;
interface Encoding {
  readonly encoding?: string;
}

/** Makes a system call. @throws its Fault, with a name */
function call<T>(syscall: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof Fault) error.syscall ??= syscall;
    throw error;
  }
}

/** For the C library a directory that has been removed is at its end. @see glibc sysdeps/unix/sysv/linux/readdir64.c */
function entriesOf(task: ModelTask, fd: number): (readonly [string, Inode])[] {
  try {
    return task.getdents(fd);
  } catch (error) {
    if ((error as Fault).code === "ENOENT") return [];
    throw error;
  }
}

/** The names of a directory, sorted as bytes. */
function listed(task: ModelTask, path: string): (readonly [string, Inode])[] {
  return call("scandir", () => {
    const fd = task.open(path, OPEN_TO_LIST, 0);
    try {
      return entriesOf(task, fd).sort(([one], [other]) => (one < other ? -1 : 1));
    } finally {
      task.close(fd);
    }
  });
}

function opened(task: ModelTask, path: string, flags: number): number {
  return call("open", () => task.open(path, flags, FILE_MODE));
}

/** Opens a file, does something with it, and closes it. */
function withFile<T>(task: ModelTask, path: string, flags: number, work: (fd: number) => T): T {
  const fd = opened(task, path, flags);
  try {
    return work(fd);
  } finally {
    task.close(fd);
  }
}

function writeAll(task: ModelTask, path: string, flags: number, data: Uint8Array): void {
  withFile(task, path, flags, (fd) => {
    for (let at = 0; at < data.length; ) {
      at += call("write", () => task.write(fd, [data.subarray(at)], CURRENT));
    }
  });
}

function readAll(task: ModelTask, fd: number): Buffer {
  call("fstat", () => task.fstat(fd));
  return call("read", () => readWhole(task, fd));
}

function descriptorCalls(task: ModelTask) {
  return {
    openSync: (path: PathArgument, flags: number, mode: number = FILE_MODE): number => {
      const permissions = toMode(mode);
      const bytes = toPath(path);
      return call("open", () => task.open(bytes, flags, permissions));
    },
    closeSync: (fd: number): void => call("close", () => task.close(fd)),
    readSync: (fd: number, view: View, given: number | Partial<Part>, length: number, position: Position): number => {
      const part = partOf(view, given, length, position);
      const pos = toReadPosition(part.position, CURRENT);
      // Nothing is read of whatever it is.
      if (part.length === 0) return 0;
      if (view.byteLength === 0) fail("ERR_INVALID_ARG_VALUE");
      checkPart(view, part);
      const { offset } = part;
      return call("read", () => task.read(fd, [bytesOfView(view).subarray(offset, offset + part.length)], pos));
    },
    readvSync: (fd: number, views: readonly View[], position: Position): number =>
      call("read", () => task.read(fd, views.map(bytesOfView), toWritePosition(position, CURRENT))),
    writeSync: (fd: number, view: View, given: number | Partial<Part>, length: number, position: Position): number => {
      const part = partOf(view, given, length, position);
      checkPart(view, part);
      const pos = toWritePosition(part.position, CURRENT);
      const { offset } = part;
      return call("write", () => task.write(fd, [bytesOfView(view).subarray(offset, offset + part.length)], pos));
    },
    writevSync: (fd: number, views: readonly View[], position: Position): number =>
      call("write", () => task.write(fd, views.map(bytesOfView), toWritePosition(position, CURRENT))),
    ftruncateSync: (fd: number, size: number): void => {
      const bytes = toSize(size);
      call("ftruncate", () => task.ftruncate(fd, bytes));
    },
    fstatSync: (fd: number): ModelStats => call("fstat", () => new ModelStats(task.fstat(fd))),
    fchmodSync: (fd: number, mode: number): void => {
      const permissions = toMode(mode);
      call("fchmod", () => task.fchmod(fd, permissions));
    },
    fchownSync: (fd: number, uid: number, gid: number): void => call("fchown", () => task.fchown(fd, uid, gid)),
    futimesSync: (fd: number, atime: number, mtime: number): void =>
      call("futime", () => task.futimes(fd, toTimeMs(atime), toTimeMs(mtime))),
    fsyncSync: (fd: number): void => call("fsync", () => task.fsync(fd)),
    fdatasyncSync: (fd: number): void => call("fdatasync", () => task.fsync(fd)),
  };
}

function nameCalls(task: ModelTask) {
  return {
    mkdirSync: (path: PathArgument, options: number | { readonly mode: number }): string | undefined => {
      const permissions = toMode(typeof options === "number" ? options : options.mode);
      const bytes = toPath(path);
      if (typeof options === "number") return call("mkdir", () => task.mkdir(bytes, permissions)) as undefined;
      const first = call("mkdir", () => mkdirs(task, bytes, permissions));
      return first === undefined ? undefined : textOf(first);
    },
    rmdirSync: (path: PathArgument): void => {
      const bytes = toPath(path);
      call("rmdir", () => task.rmdir(bytes));
    },
    unlinkSync: (path: PathArgument): void => {
      const bytes = toPath(path);
      call("unlink", () => task.unlink(bytes));
    },
    renameSync: (from: PathArgument, to: PathArgument): void => {
      const [old, fresh] = [toPath(from), toPath(to)];
      call("rename", () => task.rename(old, fresh));
    },
    linkSync: (from: PathArgument, to: PathArgument): void => {
      const [old, fresh] = [toPath(from), toPath(to)];
      call("link", () => task.link(old, fresh));
    },
    symlinkSync: (target: PathArgument, path: PathArgument): void => {
      const [text, bytes] = [toPath(target), toPath(path)];
      call("symlink", () => task.symlink(text, bytes));
    },
    readlinkSync: (path: PathArgument, options: string | Encoding): string | Buffer => {
      const bytes = toPath(path);
      const target = call("readlink", () => task.readlink(bytes));
      return options === "latin1" ? target : Buffer.from(target, "latin1");
    },
    readdirSync: (path: PathArgument, options: { readonly withFileTypes?: boolean }): (Buffer | ModelDirent)[] => {
      const entries = listed(task, toPath(path));
      if (options.withFileTypes) return entries.map(([name, inode]) => new ModelDirent(textOf(name), inode));
      return entries.map(([name]) => Buffer.from(name, "latin1"));
    },
    copyFileSync: (from: PathArgument, to: PathArgument, mode: number): void => {
      const [source, copy] = [toPath(from), toPath(to)];
      call("copyfile", () => copyFile(task, source, copy, mode));
    },
  };
}

function attributeCalls(task: ModelTask) {
  return {
    statSync: (path: PathArgument): ModelStats => {
      const bytes = toPath(path);
      return call("stat", () => new ModelStats(task.stat(bytes)));
    },
    lstatSync: (path: PathArgument): ModelStats => {
      const bytes = toPath(path);
      return call("lstat", () => new ModelStats(task.lstat(bytes)));
    },
    accessSync: (path: PathArgument, mask: number): void => {
      const bytes = toPath(path);
      call("access", () => task.access(bytes, mask));
    },
    existsSync: (path: PathArgument): boolean => {
      try {
        task.access(toPath(path), 0);
        return true;
      } catch {
        return false;
      }
    },
    chmodSync: (path: PathArgument, mode: number): void => {
      const [bytes, permissions] = [toPath(path), toMode(mode)];
      call("chmod", () => task.chmod(bytes, permissions));
    },
    chownSync: (path: PathArgument, uid: number, gid: number): void => {
      const bytes = toPath(path);
      call("chown", () => task.chown(bytes, uid, gid));
    },
    lchownSync: (path: PathArgument, uid: number, gid: number): void => {
      const bytes = toPath(path);
      call("lchown", () => task.lchown(bytes, uid, gid));
    },
    utimesSync: (path: PathArgument, atime: number, mtime: number): void => {
      const bytes = toPath(path);
      call("utime", () => task.utimes(bytes, toTimeMs(atime), toTimeMs(mtime)));
    },
    lutimesSync: (path: PathArgument, atime: number, mtime: number): void => {
      const bytes = toPath(path);
      call("lutime", () => task.lutimes(bytes, toTimeMs(atime), toTimeMs(mtime)));
    },
  };
}

function wholeFileCalls(task: ModelTask) {
  return {
    readFileSync: (file: PathArgument | number): Buffer => {
      if (typeof file === "number") return readAll(task, file);
      return withFile(task, toPath(file), O_RDONLY, (fd) => readAll(task, fd));
    },
    writeFileSync: (path: PathArgument, data: View): void =>
      writeAll(task, toPath(path), O_WRONLY | O_CREAT | O_TRUNC, bytesOfView(data)),
    appendFileSync: (path: PathArgument, data: View): void =>
      writeAll(task, toPath(path), O_WRONLY | O_CREAT | O_APPEND, bytesOfView(data)),
    truncateSync: (path: PathArgument, size: number): void =>
      withFile(task, toPath(path), O_RDWR, (fd) => {
        const bytes = toSize(size);
        call("ftruncate", () => task.ftruncate(fd, bytes));
      }),
  };
}

function realpathCalls(task: ModelTask, cwd: () => string) {
  const realpathSync = (path: PathArgument): string => {
    const text = typeof path === "string" ? path : textOf(bytesOfPath(path));
    toPath(text);
    return nodeRealpath(task, text, cwd);
  };
  const native = (path: PathArgument): Buffer => {
    const bytes = toPath(path);
    return Buffer.from(
      call("realpath", () => libraryRealpath(task, bytes)),
      "latin1",
    );
  };
  return { realpathSync: Object.assign(realpathSync, { native }) };
}

const CHANGES = IN_ATTRIB | IN_MODIFY;

/** libuv's events: those without a name have the last part of the path that the inode was first watched by. */
function watchCalls(task: ModelTask) {
  const firstNames = new WeakMap<Mark, string>();
  return {
    watch: (path: PathArgument, _options: unknown, tell: (type: string, name: Buffer) => void): { close(): void } => {
      const bytes = toPath(path);
      const listener: Listener = (mask, name) => {
        const told = name ?? firstNames.get(mark) ?? "";
        tell((mask & ~CHANGES) !== 0 ? "rename" : "change", Buffer.from(told, "latin1"));
      };
      const mark = call("watch", () => task.watch(bytes, listener));
      if (!firstNames.has(mark)) firstNames.set(mark, bytes.slice(bytes.lastIndexOf("/") + 1));
      return { close: () => task.unwatch(mark, listener) };
    },
  };
}

/** The task as perform.ts drives it. */
export function faceOf(task: ModelTask): TaskFace {
  const cwd = (): string => textOf(call("uv_cwd", () => task.getcwd()));
  const fs = {
    ...descriptorCalls(task),
    ...nameCalls(task),
    ...attributeCalls(task),
    ...wholeFileCalls(task),
    ...realpathCalls(task, cwd),
    ...watchCalls(task),
  };
  return {
    fs: fs as unknown as NodeFs,
    chdir: (path) => call("chdir", () => task.chdir(toPath(path))),
    umask: (mask) => task.umask(mask),
    cwd,
    flock: (fd, operation) => call("flock", () => task.flock(fd, operation)),
  };
}
