/**
 * System calls over the host's own file system, by node:fs: with it, a face must behave exactly as node:fs does.
 *
 * Paths go through unchanged, so tests stay inside a scratch folder of /dev/shm. What node:fs cannot do (mknod,
 * renameat2, fallocate, lseek, flock) answers ENOSYS; times are cut to what `utimesSync` keeps.
 */
import * as fs from "node:fs";
import { EAGAIN, EINVAL, ENOSYS, EOPNOTSUPP } from "../../src/base/errno.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, UTIME_NOW, UTIME_OMIT } from "../../src/base/stat-flags.ts";
import type { DirListing, Path, Syscalls } from "../../src/vfs/syscalls.ts";

function errnoOf(error: unknown): number {
  const { errno } = error as { errno?: number };
  if (errno === undefined) throw error;
  return errno;
}

function answer(call: () => unknown): number {
  try {
    const value = call();
    return typeof value === "number" ? value : 0;
  } catch (error) {
    return errnoOf(error);
  }
}

function toHost(path: Path): fs.PathLike {
  return typeof path === "string" ? path : Buffer.from(path);
}

/** Linux shows open directories as links. */
function pathAt(dir: number, path: Path): Path {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${dir}/`), Buffer.from(path)]);
}

const DT = [0, 8, 4, 10, 1, 12, 2, 6];

function listingOf(entries: fs.Dirent<Buffer>[]): DirListing {
  const kType = entries.length > 0 ? Object.getOwnPropertySymbols(entries[0])[0] : Symbol();
  return {
    names: entries.map((entry) => entry.name.toString()),
    types: Uint8Array.from(entries, (entry) => DT[(entry as unknown as Record<symbol, number>)[kType]]),
    rawNames: () => entries.map((entry) => new Uint8Array(entry.name)),
  };
}

export class HostSyscalls implements Syscalls {
  readonly credentials = { uid: 0, gid: 0, groups: [] };
  readonly statValues = new Float64Array(18);
  readonly statfsValues = new Float64Array(7);
  /** Directories being read by getdents: what is left of each. */
  readonly #unread = new Map<number, { entries: fs.Dirent<Buffer>[]; next: number }>();
  /** Set by tests: the next `held` calls of read and write answer EAGAIN until `release` is called. */
  held = 0;
  release: () => void = () => {};
  calls: string[] = [];
  #token: Promise<void> | undefined;

  /** The host reads its own clock. */
  holdTime(): void {}
  releaseTime(): void {}

  #hold(): boolean {
    if (this.held === 0) return false;
    this.held--;
    this.#token = new Promise((resolve) => {
      this.release = resolve;
    });
    return true;
  }

  open(path: Path, flags: number, mode: number): number {
    return answer(() => fs.openSync(toHost(path), flags, mode));
  }
  openat(dir: number, path: Path, flags: number): number {
    return this.open(pathAt(dir, path), flags, 0);
  }
  close(fd: number): number {
    this.#unread.delete(fd);
    return answer(() => fs.closeSync(fd));
  }
  #keepStats(look: () => fs.BigIntStats): number {
    return answer(() => {
      const s = look();
      const times = [s.atimeNs, s.mtimeNs, s.ctimeNs, s.birthtimeNs].flatMap((ns) => splitTime(ns));
      const fields = [s.dev, s.mode, s.nlink, s.uid, s.gid, s.rdev, s.blksize, s.ino, s.size, s.blocks].map(Number);
      this.statValues.set([...fields, ...times]);
    });
  }
  stat(path: Path, flags: number): number {
    const look = flags & AT_SYMLINK_NOFOLLOW ? fs.lstatSync : fs.statSync;
    return this.#keepStats(() => look(toHost(path), { bigint: true }) as fs.BigIntStats);
  }
  fstat(fd: number): number {
    return this.#keepStats(() => fs.fstatSync(fd, { bigint: true }));
  }
  access(path: Path, mode: number): number {
    return answer(() => fs.accessSync(toHost(path), mode));
  }
  exists(path: Path): boolean {
    return fs.existsSync(toHost(path));
  }
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    this.calls.push("read");
    if (this.#hold()) return -EAGAIN;
    return answer(() => fs.readSync(fd, buffer, offset, length, position));
  }
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    this.calls.push("write");
    if (this.#hold()) return -EAGAIN;
    return answer(() => fs.writeSync(fd, buffer, offset, length, position < 0 ? null : position));
  }
  readv(): number {
    return -EOPNOTSUPP;
  }
  writev(): number {
    return -EOPNOTSUPP;
  }
  readvNothing(fd: number): number {
    return answer(() => fs.readvSync(fd, [new Uint8Array(0), new Uint8Array(0)]));
  }
  writevNothing(fd: number): number {
    return answer(() => fs.writevSync(fd, [new Uint8Array(0), new Uint8Array(0)]));
  }
  lseek(): number {
    return -ENOSYS;
  }
  truncate(path: Path, length: number): number {
    return answer(() => fs.truncateSync(toHost(path), length));
  }
  ftruncate(fd: number, length: number): number {
    return answer(() => fs.ftruncateSync(fd, length));
  }
  fallocate(): number {
    return -ENOSYS;
  }
  copyFileRange(fdIn: number, positionIn: number, fdOut: number, positionOut: number, length: number): number {
    const bytes = Buffer.alloc(Math.min(length, 65536));
    const count = this.read(fdIn, bytes, 0, bytes.length, positionIn);
    return count <= 0 ? count : this.write(fdOut, bytes, 0, count, positionOut);
  }
  cloneFileRange(): number {
    return -EOPNOTSUPP;
  }
  fsync(fd: number): number {
    return answer(() => fs.fsyncSync(fd));
  }
  fdatasync(fd: number): number {
    return answer(() => fs.fdatasyncSync(fd));
  }
  sync(): number {
    return 0;
  }
  flock(): number {
    return -ENOSYS;
  }
  mkdir(path: Path, mode: number): number {
    return answer(() => void fs.mkdirSync(toHost(path), mode));
  }
  writeText(): number {
    return -EOPNOTSUPP;
  }
  findSmall(): number {
    return -EOPNOTSUPP;
  }
  copyFound(): void {}
  bytesFound(): Uint8Array {
    return new Uint8Array(0);
  }
  textFound(): string {
    return "";
  }
  removeTree(): number {
    return -EOPNOTSUPP;
  }
  rmdir(path: Path): number {
    return answer(() => fs.rmdirSync(toHost(path)));
  }
  unlink(path: Path): number {
    return answer(() => fs.unlinkSync(toHost(path)));
  }
  unlinkat(dir: number, path: Path, flags: number): number {
    return flags & AT_REMOVEDIR ? this.rmdir(pathAt(dir, path)) : this.unlink(pathAt(dir, path));
  }
  link(existing: Path, path: Path): number {
    return answer(() => fs.linkSync(toHost(existing), toHost(path)));
  }
  symlink(target: Path, path: Path): number {
    return answer(() => fs.symlinkSync(toHost(target), toHost(path)));
  }
  rename(from: Path, to: Path): number {
    return answer(() => fs.renameSync(toHost(from), toHost(to)));
  }
  renameat2(): number {
    return -ENOSYS;
  }
  mknod(): number {
    return -ENOSYS;
  }
  #bytes(call: () => Buffer): Uint8Array | number {
    try {
      return new Uint8Array(call());
    } catch (error) {
      return errnoOf(error);
    }
  }
  readlink(path: Path): Uint8Array | number {
    return this.#bytes(() => fs.readlinkSync(toHost(path), "buffer"));
  }
  realpath(path: Path): Uint8Array | number {
    return this.#bytes(() => fs.realpathSync.native(toHost(path), "buffer"));
  }
  readdir(path: Path): DirListing | number {
    try {
      return listingOf(fs.readdirSync(toHost(path), { withFileTypes: true, encoding: "buffer" }));
    } catch (error) {
      return errnoOf(error);
    }
  }
  getdents(fd: number, nrEntries: number): DirListing | number {
    let state = this.#unread.get(fd);
    if (state === undefined) {
      const dir = fs.opendirSync(`/proc/self/fd/${fd}/`, { encoding: "buffer" as BufferEncoding });
      state = { entries: [], next: 0 };
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) state.entries.push(entry as never);
      dir.closeSync();
      this.#unread.set(fd, state);
    }
    const { entries, next } = state;
    state.next += nrEntries;
    return listingOf(entries.slice(next, next + nrEntries));
  }
  chmod(path: Path, mode: number, flags: number): number {
    return flags !== 0 ? -EINVAL : answer(() => fs.chmodSync(toHost(path), mode));
  }
  fchmod(fd: number, mode: number): number {
    return answer(() => fs.fchmodSync(fd, mode));
  }
  chown(path: Path, uid: number, gid: number, flags: number): number {
    const chown = flags & AT_SYMLINK_NOFOLLOW ? fs.lchownSync : fs.chownSync;
    return answer(() => chown(toHost(path), uid, gid));
  }
  fchown(fd: number, uid: number, gid: number): number {
    return answer(() => fs.fchownSync(fd, uid, gid));
  }
  utimens(path: Path, aSec: number, aNsec: number, mSec: number, mNsec: number, flags: number): number {
    const utimes = flags & AT_SYMLINK_NOFOLLOW ? fs.lutimesSync : fs.utimesSync;
    const host = toHost(path);
    return answer(() => {
      const old = (flags & AT_SYMLINK_NOFOLLOW ? fs.lstatSync : fs.statSync)(host);
      utimes(host, joinTime(aSec, aNsec, old.atimeMs), joinTime(mSec, mNsec, old.mtimeMs));
    });
  }
  futimens(fd: number, aSec: number, aNsec: number, mSec: number, mNsec: number): number {
    return answer(() => {
      const old = fs.fstatSync(fd);
      fs.futimesSync(fd, joinTime(aSec, aNsec, old.atimeMs), joinTime(mSec, mNsec, old.mtimeMs));
    });
  }
  statfs(path: Path): number {
    return answer(() => {
      const s = fs.statfsSync(toHost(path));
      this.statfsValues.set([s.type, s.bsize, s.blocks, s.bfree, s.bavail, s.files, s.ffree]);
    });
  }
  chdir(path: Path): number {
    return answer(() => process.chdir(path as string));
  }
  chroot(): number {
    return -ENOSYS;
  }
  getcwd(): Uint8Array | number {
    return Buffer.from(process.cwd());
  }
  umask(mask: number): number {
    return process.umask(mask);
  }
  waitToken(): Promise<void> | undefined {
    return this.#token;
  }
}

function splitTime(ns: bigint): [sec: number, nsec: number] {
  const nsec = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [Number((ns - nsec) / 1_000_000_000n), Number(nsec)];
}

function joinTime(sec: number, nsec: number, oldMs: number): Date | number {
  if (nsec === UTIME_NOW) return Date.now() / 1000;
  if (nsec === UTIME_OMIT) return new Date(oldMs);
  return sec < 0 ? new Date(sec * 1000 + nsec / 1e6) : sec + nsec / 1e9;
}
