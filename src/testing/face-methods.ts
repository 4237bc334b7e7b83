/**
 * What system calls the methods of a face make, for faces that cannot be asked: as Node makes them on Linux.
 *
 * Does not own: what is done with them (face-faults.ts).
 */
import { decodeUtf8, encodeText } from "../node/encoding.ts";
import { isUrl, resolvePath } from "../node/paths.ts";
import type { CallName, FaultCall } from "./fault-call.ts";

/** What descriptions of calls need to know of the face. */
export interface FaceState {
  /** By which path a descriptor has been opened. */
  readonly paths: Map<number, string>;
  /** Bytes of a file; undefined where it is not there. */
  sizeOf(path: unknown): number | undefined;
}

/** What a method does, call by call, and how its errors look. */
export interface MethodPlan {
  readonly calls: readonly FaultCall[];
  /** Paths as the caller gave them, for the error of each call. */
  readonly shown: (call: FaultCall) => { syscall: string; path?: string; dest?: string };
  /** What is written by the one write among `calls`, which is gone on with when it was short. */
  readonly data?: Uint8Array;
}

export type Describe = (state: FaceState, args: readonly unknown[]) => MethodPlan;

/** @throws TypeError for what is no path: the method is to refuse it */
function shownPath(path: unknown): string {
  if (isUrl(path)) return decodeURIComponent(path.pathname);
  if (ArrayBuffer.isView(path)) return decodeUtf8(path as Uint8Array);
  if (typeof path !== "string") throw new TypeError("no path");
  return path;
}

/** Where the process stands. */
function cwd(): string {
  const { process } = globalThis as { process?: { cwd?(): string } };
  return process?.cwd?.() ?? "/";
}

/** A path as rules see it. */
export function absolutePath(path: unknown): string {
  return resolvePath(cwd(), shownPath(path));
}

/** Data of writeFile as bytes; undefined for iterables and streams. */
export function bytesOf(data: unknown, encoding?: unknown): Uint8Array {
  if (typeof data === "string") return encodeText(data, (encoding as string) || "utf8");
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function onPath(call: CallName, syscall: string = call): Describe {
  return (_state, [path]) => ({
    calls: [{ call, path: absolutePath(path) }],
    shown: () => ({ syscall, path: shownPath(path) }),
  });
}

function onTwoPaths(call: CallName): Describe {
  return (_state, [path, dest]) => ({
    calls: [{ call, path: absolutePath(path), dest: absolutePath(dest) }],
    shown: () => ({ syscall: call, path: shownPath(path), dest: shownPath(dest) }),
  });
}

function ofFd({ paths }: FaceState, call: CallName, fd: unknown, length?: number): FaultCall {
  const path = paths.get(fd as number);
  return { call, ...(path !== undefined && { path }), fd: fd as number, ...(length !== undefined && { length }) };
}

function onFd(call: CallName): Describe {
  return (state, [fd]) => ({ calls: [ofFd(state, call, fd)], shown: ({ call: syscall }) => ({ syscall }) });
}

/** Bytes that a read or write asks for, from the arguments behind the descriptor. */
function askedBytes([buffer, offset, length]: readonly unknown[]): number | undefined {
  if (typeof buffer === "string") return bytesOf(buffer).length;
  if (!ArrayBuffer.isView(buffer)) {
    const { buffer: own } = (buffer ?? {}) as { buffer?: unknown };
    return own === undefined ? undefined : askedBytes([own, buffer]);
  }
  if (typeof offset === "object" && offset !== null) {
    const { length: given, offset: start = 0 } = offset as { length?: number; offset?: number };
    return given ?? buffer.byteLength - start;
  }
  return typeof length === "number" ? length : buffer.byteLength - (typeof offset === "number" ? offset : 0);
}

function onData(call: "read" | "write"): Describe {
  return (state, [fd, ...rest]) => ({
    calls: [ofFd(state, call, fd, askedBytes(rest) ?? 0)],
    shown: () => ({ syscall: call }),
  });
}

function onVector(call: "read" | "write"): Describe {
  return (state, [fd, buffers]) => {
    const length = (buffers as ArrayBufferView[]).reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { calls: [ofFd(state, call, fd, length)], shown: () => ({ syscall: call }) };
  };
}

/** Of what is a path or a descriptor: the calls between open and close. */
function inFile(file: unknown, between: readonly FaultCall[]): MethodPlan {
  if (typeof file === "number") return { calls: between, shown: ({ call }) => ({ syscall: call }) };
  const path = absolutePath(file);
  return {
    calls: [{ call: "open", path }, ...between.map((one) => ({ ...one, path })), { call: "close", path }],
    shown: ({ call }) => (call === "open" ? { syscall: call, path: shownPath(file) } : { syscall: call }),
  };
}

function encodingOf(options: unknown): unknown {
  return typeof options === "string" ? options : (options as { encoding?: unknown } | undefined)?.encoding;
}

const writeFile: Describe = (state, [file, data, options]) => {
  const isKnown = typeof data === "string" || ArrayBuffer.isView(data);
  const bytes = isKnown ? bytesOf(data, encodingOf(options)) : undefined;
  const fd = typeof file === "number" ? { ...ofFd(state, "write", file) } : { call: "write" as const };
  const write: FaultCall = bytes ? { ...fd, length: bytes.length } : fd;
  const flush = (options as { flush?: boolean } | undefined)?.flush === true;
  const between = [...(bytes?.length === 0 ? [] : [write]), ...(flush ? [{ ...fd, call: "fsync" as const }] : [])];
  return { ...inFile(file, between), ...(bytes && { data: bytes }) };
};

const readFile: Describe = (state, [file]) => {
  const fd = typeof file === "number" ? ofFd(state, "read", file) : { call: "read" as const };
  return inFile(file, [{ ...fd, call: "fstat" }, fd]);
};

const truncate: Describe = (state, [file]) =>
  inFile(file, [typeof file === "number" ? ofFd(state, "ftruncate", file) : { call: "ftruncate" }]);

const copyFile: Describe = (state, [from, to]) => {
  const [path, dest] = [absolutePath(from), absolutePath(to)];
  const length = state.sizeOf(from);
  return {
    calls: [
      { call: "open", path },
      { call: "open", path: dest },
      { call: "copy_file_range", path, dest, ...(length !== undefined && { length }) },
    ],
    shown: () => ({ syscall: "copyfile", path: shownPath(from), dest: shownPath(to) }),
  };
};

/** Methods by name, without Sync. */
export const METHODS: Readonly<Record<string, Describe>> = {
  access: onPath("access"),
  appendFile: writeFile,
  chmod: onPath("chmod"),
  chown: onPath("chown"),
  close: onFd("close"),
  copyFile,
  exists: onPath("access"),
  fchmod: onFd("fchmod"),
  fchown: onFd("fchown"),
  fdatasync: onFd("fdatasync"),
  fstat: onFd("fstat"),
  fsync: onFd("fsync"),
  ftruncate: onFd("ftruncate"),
  futimes: onFd("futime"),
  lchown: onPath("lchown"),
  link: onTwoPaths("link"),
  lstat: onPath("lstat"),
  lutimes: onPath("lutime"),
  mkdir: onPath("mkdir"),
  mkdtemp: (_state, [prefix]) => ({
    calls: [{ call: "mkdir", path: absolutePath(prefix) }],
    shown: () => ({ syscall: "mkdtemp", path: `${shownPath(prefix)}XXXXXX` }),
  }),
  open: onPath("open"),
  opendir: onPath("open", "opendir"),
  read: onData("read"),
  readFile,
  readdir: onPath("scandir"),
  readlink: onPath("readlink"),
  readv: onVector("read"),
  realpath: onPath("realpath"),
  rename: onTwoPaths("rename"),
  rm: onPath("unlink", "rm"),
  rmdir: onPath("rmdir"),
  stat: onPath("stat"),
  statfs: onPath("statfs"),
  symlink: (_state, [target, path]) => ({
    calls: [{ call: "symlink", path: absolutePath(path) }],
    shown: () => ({ syscall: "symlink", path: shownPath(target), dest: shownPath(path) }),
  }),
  truncate,
  unlink: onPath("unlink"),
  utimes: onPath("utime"),
  write: onData("write"),
  writeFile,
  writev: onVector("write"),
};

/** Methods of a FileHandle, by the method on a descriptor that each is. */
export const HANDLE_METHODS: Readonly<Record<string, string>> = {
  appendFile: "appendFile",
  chmod: "fchmod",
  chown: "fchown",
  close: "close",
  datasync: "fdatasync",
  read: "read",
  readFile: "readFile",
  readv: "readv",
  stat: "fstat",
  sync: "fsync",
  truncate: "ftruncate",
  utimes: "futimes",
  write: "write",
  writeFile: "writeFile",
  writev: "writev",
};
