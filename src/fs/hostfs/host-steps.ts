/**
 * Work on the host as steps, each a call of node:fs. It is written once, as a generator that yields its calls, and made in
 * either of two ways: at once (runNow), which blocks, or by callbacks (runLater), which leaves the event loop free.
 *
 * Steps of several works interleave when they are made later: what one of them needs across a call, a descriptor for
 * instance, it must hold (fd-cache.ts).
 *
 * Does not own: what the steps do (host-root.ts, host-store.ts), who chooses the way (host-ask.ts).
 */
import nodeFs from "node:fs";
import { ENOENT } from "../../base/errno.ts";
import { hostErrno } from "./host-errno.ts";

/** Names that are read of a directory at once. */
const DIR_BATCH = 1024;

/** An entry of a directory. */
export interface HostEntry {
  readonly name: Uint8Array;
  /** S_IFMT >> 12, as in struct dirent; 0 = unknown. */
  readonly type: number;
}

/** The calls, each with what it answers. Any may answer a negated errno instead; those that answer nothing give 0. */
export interface HostCalls {
  chmod(path: Buffer, mode: number): number;
  chown(path: Buffer, uid: number, gid: number): number;
  fchmod(fd: number, mode: number): number;
  fchown(fd: number, uid: number, gid: number): number;
  fdatasync(fd: number): number;
  fstat(fd: number): nodeFs.BigIntStats | number;
  fsync(fd: number): number;
  ftruncate(fd: number, size: number): number;
  futimes(fd: number, atime: number | string, mtime: number | string): number;
  lchown(path: Buffer, uid: number, gid: number): number;
  link(from: Buffer, to: Buffer): number;
  lstat(path: Buffer | string): nodeFs.BigIntStats | number;
  /** Seconds; negative ones as text, since node:fs takes negative numbers for now. */
  lutimes(path: Buffer, atime: number | string, mtime: number | string): number;
  mkdir(path: Buffer, mode: number): number;
  open(path: Buffer | string, flags: number, mode?: number): number;
  /** All entries, in the host's order. */
  readdir(path: Buffer): HostEntry[] | number;
  readlink(path: Buffer): Uint8Array | number;
  readv(fd: number, views: readonly Uint8Array[], position: number): number;
  realpath(path: Buffer): Buffer | number;
  rename(from: Buffer, to: Buffer): number;
  rmdir(path: Buffer): number;
  stat(path: Buffer): nodeFs.BigIntStats | number;
  statfs(path: Buffer): nodeFs.BigIntStatsFs | number;
  symlink(target: Uint8Array, path: Buffer): number;
  unlink(path: Buffer): number;
  /** As lutimes(), of what a link leads to. */
  utimes(path: Buffer, atime: number | string, mtime: number | string): number;
  /** @param position null = at the descriptor's, or at the end */
  writev(fd: number, views: readonly Uint8Array[], position: number | null): number;
}

type Name = keyof HostCalls;
/** A call that is to be made. */
interface HostCall {
  readonly name: Name;
  readonly args: readonly unknown[];
}

/** Work that answers a T, its calls one by one. */
export type Steps<T> = Generator<HostCall, T, unknown>;

/** Makes one call. @returns its answer or a negated errno */
export function* host<N extends Name>(name: N, ...args: Parameters<HostCalls[N]>): Steps<ReturnType<HostCalls[N]>> {
  return (yield { name, args }) as ReturnType<HostCalls[N]>;
}

type AnyCall = (...args: never[]) => unknown;
const BIGINT = { bigint: true } as const;
/** An error costs node:fs 10 µs to make, a name that is missing is none. */
const LSTAT = { bigint: true, throwIfNoEntry: false } as const;
const BUFFER = { encoding: "buffer" } as const;
/** Not among the types: names as buffers. */
const OPENDIR = { encoding: "buffer", bufferSize: DIR_BATCH } as unknown as nodeFs.OpenDirOptions;

/** How each call is made at once: answers, or throws as node:fs does. Tests put a host that fails in its place. */
export const HOST_NOW: Record<Name, AnyCall> = {
  chmod: nodeFs.chmodSync,
  chown: nodeFs.chownSync,
  fchmod: nodeFs.fchmodSync,
  fchown: nodeFs.fchownSync,
  fdatasync: nodeFs.fdatasyncSync,
  fstat: (fd: number) => nodeFs.fstatSync(fd, BIGINT),
  fsync: nodeFs.fsyncSync,
  ftruncate: nodeFs.ftruncateSync,
  futimes: nodeFs.futimesSync,
  lchown: nodeFs.lchownSync,
  link: nodeFs.linkSync,
  lstat: (path: Buffer | string) => nodeFs.lstatSync(path, LSTAT) ?? -ENOENT,
  lutimes: nodeFs.lutimesSync,
  mkdir: nodeFs.mkdirSync,
  open: nodeFs.openSync,
  readdir: readdirNow,
  readlink: (path: Buffer) => nodeFs.readlinkSync(path, BUFFER),
  readv: nodeFs.readvSync,
  realpath: (path: Buffer) => nodeFs.realpathSync.native(path, BUFFER),
  rename: nodeFs.renameSync,
  rmdir: nodeFs.rmdirSync,
  stat: (path: Buffer) => nodeFs.statSync(path, BIGINT),
  statfs: (path: Buffer) => nodeFs.statfsSync(path, BIGINT),
  symlink: nodeFs.symlinkSync,
  unlink: nodeFs.unlinkSync,
  utimes: nodeFs.utimesSync,
  writev: nodeFs.writevSync,
};

type Callback = (error: NodeJS.ErrnoException | null, answer?: unknown) => void;

/** As HOST_NOW, with a callback behind the arguments. */
export const HOST_LATER: Record<Name, AnyCall> = {
  chmod: nodeFs.chmod,
  chown: nodeFs.chown,
  fchmod: nodeFs.fchmod,
  fchown: nodeFs.fchown,
  fdatasync: nodeFs.fdatasync,
  fstat: (fd: number, done: Callback) => nodeFs.fstat(fd, BIGINT, done),
  fsync: nodeFs.fsync,
  ftruncate: nodeFs.ftruncate,
  futimes: nodeFs.futimes,
  lchown: nodeFs.lchown,
  link: nodeFs.link,
  lstat: (path: Buffer | string, done: Callback) => nodeFs.lstat(path, BIGINT, done),
  lutimes: nodeFs.lutimes,
  mkdir: nodeFs.mkdir,
  open: nodeFs.open,
  readdir: readdirLater,
  readlink: (path: Buffer, done: Callback) => nodeFs.readlink(path, BUFFER, done),
  readv: nodeFs.readv,
  realpath: (path: Buffer, done: Callback) => nodeFs.realpath.native(path, BUFFER, done),
  rename: nodeFs.rename,
  rmdir: nodeFs.rmdir,
  stat: (path: Buffer, done: Callback) => nodeFs.stat(path, BIGINT, done),
  statfs: (path: Buffer, done: Callback) => nodeFs.statfs(path, BIGINT, done),
  symlink: nodeFs.symlink,
  unlink: nodeFs.unlink,
  utimes: nodeFs.utimes,
  writev: nodeFs.writev,
};

/** Makes all steps at once. */
export function runNow<T>(steps: Steps<T>): T {
  let next = steps.next();
  while (!next.done) next = steps.next(callNow(next.value));
  return next.value;
}

function callNow({ name, args }: HostCall): unknown {
  try {
    return (HOST_NOW[name] as (...args: readonly unknown[]) => unknown)(...args) ?? 0;
  } catch (error) {
    return hostErrno(error);
  }
}

/** Makes the steps one after the other, as the host answers. The promise rejects for faults of ours alone. */
export function runLater<T>(steps: Steps<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const goOn = (answer: unknown): void => {
      try {
        const next = steps.next(answer);
        if (next.done) resolve(next.value);
        else callLater(next.value, goOn);
      } catch (error) {
        reject(error);
      }
    };
    goOn(undefined);
  });
}

function callLater({ name, args }: HostCall, done: (answer: unknown) => void): void {
  const callback: Callback = (error, answer) => done(error ? hostErrno(error) : (answer ?? 0));
  try {
    (HOST_LATER[name] as (...args: readonly unknown[]) => void)(...args, callback);
  } catch (error) {
    queueMicrotask(() => done(hostErrno(error))); // of arguments: the host has not been asked
  }
}

// --- Directories --------------------------------------------------------------------------------------------------------

function readdirNow(path: Buffer): HostEntry[] {
  const dir = nodeFs.opendirSync(path as never, OPENDIR);
  try {
    const entries: HostEntry[] = [];
    for (let entry = dir.readSync(); entry; entry = dir.readSync()) entries.push(entryOf(entry));
    return entries;
  } finally {
    dir.closeSync();
  }
}

function readdirLater(path: Buffer, done: Callback): void {
  nodeFs.opendir(path as never, OPENDIR, (error, dir) => {
    if (error) done(error);
    else readAll(dir, done);
  });
}

function readAll(dir: nodeFs.Dir, done: Callback): void {
  const entries: HostEntry[] = [];
  const take = (error: NodeJS.ErrnoException | null, entry: nodeFs.Dirent | null): void => {
    if (entry && !error) {
      entries.push(entryOf(entry));
      dir.read(take);
    } else dir.close(() => done(error, entries));
  };
  dir.read(take);
}

function entryOf(entry: nodeFs.Dirent): HostEntry {
  return { name: entry.name as unknown as Uint8Array, type: typeOf(entry) };
}

function typeOf(entry: nodeFs.Dirent): number {
  if (entry.isFile()) return 8;
  if (entry.isDirectory()) return 4;
  if (entry.isSymbolicLink()) return 10;
  if (entry.isFIFO()) return 1;
  if (entry.isSocket()) return 12;
  if (entry.isCharacterDevice()) return 2;
  return entry.isBlockDevice() ? 6 : 0;
}
