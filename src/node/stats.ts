/**
 * What stat and statfs give to callers: `Stats`, `BigIntStats`, `StatFs`, with the fields, the order and the hidden
 * class that Node's have. Dates are made when first asked for.
 *
 * @see Node 26 lib/internal/fs/utils.js
 */
import { keepShape } from "../base/shapes.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../base/stat-flags.ts";
import { noTemporalError } from "./errors.ts";
import { emitWarning } from "./platform.ts";

/** As in Node, where nothing that replaces the class (fake timers) changes what stat gives. */
const NativeDate = Date;

// The descriptions are Node's, since util.inspect shows them.
const kPartialAtimeNs = Symbol("partialAtimeNs");
const kPartialMtimeNs = Symbol("partialMtimeNs");
const kPartialCtimeNs = Symbol("partialCtimeNs");
const kPartialBirthtimeNs = Symbol("kPartialBirthtimeNs");

/** The tests that both kinds of stats share. */
export class StatsBase {
  declare mode: number | bigint;

  isDirectory(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFDIR);
  }
  isFile(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFREG);
  }
  isBlockDevice(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFBLK);
  }
  isCharacterDevice(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFCHR);
  }
  isSymbolicLink(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFLNK);
  }
  isFIFO(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFIFO);
  }
  isSocket(): boolean {
    return (this as unknown as ModeTest)._checkModeProperty(S_IFSOCK);
  }
}

interface ModeTest {
  _checkModeProperty(type: number): boolean;
}

/** The dates of Stats: accessors of the prototype, made when first asked for. */
export interface Stats extends StatsBase {
  atime: Date;
  mtime: Date;
  ctime: Date;
  birthtime: Date;
}

// Fields are declared, not defined, so that the constructor's assignments alone make the hidden class.

/**
 * What stat, lstat and fstat give. Times are milliseconds with a fraction; nanoseconds within the second hide behind
 * symbols, as in Node.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the dates are accessors defined below
export class Stats {
  declare dev: number;
  declare mode: number;
  declare nlink: number;
  declare uid: number;
  declare gid: number;
  declare rdev: number;
  declare blksize: number;
  declare ino: number;
  declare size: number;
  declare blocks: number;
  declare atimeMs: number;
  declare mtimeMs: number;
  declare ctimeMs: number;
  declare birthtimeMs: number;
  declare [kPartialAtimeNs]: number;
  declare [kPartialMtimeNs]: number;
  declare [kPartialCtimeNs]: number;
  declare [kPartialBirthtimeNs]: number;

  /**
   * What has 32 bits at most is made an integer: V8 keeps it in the field itself, where a number from a Float64Array gets
   * 16 bytes of its own (a seventh of a stat call). One call, not two, from there to here: V8 then has inlined it before
   * the walk of paths that are new, and makes no object for who asks for one field alone.
   *
   * @param v 18 numbers, STAT_* of vfs/syscalls.ts
   */
  constructor(v: Float64Array) {
    this.dev = v[0];
    this.mode = v[1] | 0;
    this.nlink = v[2] | 0;
    this.uid = v[3] >>> 0;
    this.gid = v[4] >>> 0;
    this.rdev = v[5];
    this.blksize = v[6] | 0;
    this.ino = v[7];
    this.size = v[8];
    this.blocks = v[9];
    const atimeNs = v[11] | 0;
    const mtimeNs = v[13] | 0;
    const ctimeNs = v[15] | 0;
    const birthtimeNs = v[17] | 0;
    this.atimeMs = v[10] * 1000 + atimeNs / 1_000_000;
    this.mtimeMs = v[12] * 1000 + mtimeNs / 1_000_000;
    this.ctimeMs = v[14] * 1000 + ctimeNs / 1_000_000;
    this.birthtimeMs = v[16] * 1000 + birthtimeNs / 1_000_000;
    this[kPartialAtimeNs] = atimeNs;
    this[kPartialMtimeNs] = mtimeNs;
    this[kPartialCtimeNs] = ctimeNs;
    this[kPartialBirthtimeNs] = birthtimeNs;
  }

  _checkModeProperty(type: number): boolean {
    return (this.mode & S_IFMT) === type;
  }
}

let hasWarnedOfStats = false;

function warnOfStats(): void {
  if (hasWarnedOfStats) return;
  hasWarnedOfStats = true;
  emitWarning("fs.Stats constructor is deprecated.", "DeprecationWarning", "DEP0180");
}

/**
 * `fs.Stats` as callers have it: the class, to be called with `new` or, as by classes of the old kind, without; either
 * way deprecated, and with whatever values as they are. The stat calls use the class itself.
 */
function PublicStats(this: Record<PropertyKey, unknown>, ...values: number[]): unknown {
  warnOfStats();
  const made: Record<PropertyKey, unknown> = Reflect.construct(Stats, [new Float64Array(18)], new.target ?? Stats);
  const given = new.target ? made : this;
  for (const [i, key] of Reflect.ownKeys(made).entries()) {
    const ns = values[2 * i - (i < 14 ? 9 : 17)];
    if (i < 10) given[key] = values[i];
    else given[key] = i < 14 ? values[2 * i - 10] * 1000 + ns / 1_000_000 : ns;
  }
  return new.target && made;
}

/** What `fs.Stats` is. */
export const DeprecatedStats: typeof Stats = PublicStats as unknown as typeof Stats;

Object.setPrototypeOf(PublicStats, Stats);
Object.defineProperty(PublicStats, "prototype", { value: Stats.prototype });
Object.defineProperty(PublicStats, "name", { value: "Stats", configurable: true });
Object.defineProperty(PublicStats, "length", { value: 18, configurable: true });

/** The dates of BigIntStats: accessors of the prototype, made when first asked for. */
export interface BigIntStats extends StatsBase {
  atime: Date;
  mtime: Date;
  ctime: Date;
  birthtime: Date;
}

/** What stat, lstat and fstat give for `{ bigint: true }`: bigints, and times in nanoseconds as well. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the dates are accessors defined below
export class BigIntStats {
  declare dev: bigint;
  declare mode: bigint;
  declare nlink: bigint;
  declare uid: bigint;
  declare gid: bigint;
  declare rdev: bigint;
  declare blksize: bigint;
  declare ino: bigint;
  declare size: bigint;
  declare blocks: bigint;
  declare atimeMs: bigint;
  declare mtimeMs: bigint;
  declare ctimeMs: bigint;
  declare birthtimeMs: bigint;
  declare atimeNs: bigint;
  declare mtimeNs: bigint;
  declare ctimeNs: bigint;
  declare birthtimeNs: bigint;

  /** @param values 18 numbers, STAT_* of vfs/syscalls.ts */
  constructor(values: Float64Array) {
    this.dev = BigInt(values[0]);
    this.mode = BigInt(values[1]);
    this.nlink = BigInt(values[2]);
    this.uid = BigInt(values[3]);
    this.gid = BigInt(values[4]);
    this.rdev = BigInt(values[5]);
    this.blksize = BigInt(values[6]);
    this.ino = BigInt(values[7]);
    this.size = BigInt(values[8]);
    this.blocks = BigInt(values[9]);
    const atimeNs = toNanoseconds(values[10], values[11]);
    const mtimeNs = toNanoseconds(values[12], values[13]);
    const ctimeNs = toNanoseconds(values[14], values[15]);
    const birthtimeNs = toNanoseconds(values[16], values[17]);
    this.atimeMs = atimeNs / 1_000_000n;
    this.mtimeMs = mtimeNs / 1_000_000n;
    this.ctimeMs = ctimeNs / 1_000_000n;
    this.birthtimeMs = birthtimeNs / 1_000_000n;
    this.atimeNs = atimeNs;
    this.mtimeNs = mtimeNs;
    this.ctimeNs = ctimeNs;
    this.birthtimeNs = birthtimeNs;
  }

  _checkModeProperty(type: number): boolean {
    return (this.mode & BigInt(S_IFMT)) === BigInt(type);
  }
}

function toNanoseconds(sec: number, nsec: number): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

/** Figures of a mounted file system; numbers or bigints, as asked. */
export class StatFs {
  declare type: number | bigint;
  declare bsize: number | bigint;
  declare frsize: number | bigint;
  declare blocks: number | bigint;
  declare bfree: number | bigint;
  declare bavail: number | bigint;
  declare files: number | bigint;
  declare ffree: number | bigint;

  /** @param values 7 numbers, STATFS_* of vfs/syscalls.ts; fragments are as large as blocks */
  constructor(values: Float64Array, isBigint: boolean) {
    const give = isBigint ? BigInt : Number;
    this.type = give(values[0]);
    this.bsize = give(values[1]);
    this.frsize = give(values[1]);
    this.blocks = give(values[2]);
    this.bfree = give(values[3]);
    this.bavail = give(values[4]);
    this.files = give(values[5]);
    this.ffree = give(values[6]);
  }
}

type AnyStats = Record<string | symbol, number | bigint>;

function defineLazy(prototype: object, name: string, make: (stats: AnyStats) => unknown): void {
  const own = (target: object, value: unknown): unknown => {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
    return value;
  };
  Object.defineProperty(prototype, name, {
    enumerable: true,
    configurable: true,
    get(this: AnyStats) {
      return own(this, make(this));
    },
    set(this: AnyStats, value: unknown) {
      own(this, value);
    },
  });
}

function makeInstant(epochNanoseconds: bigint): unknown {
  const { Temporal } = globalThis as { Temporal?: { Instant: new (ns: bigint) => unknown } };
  if (Temporal === undefined) throw noTemporalError();
  return new Temporal.Instant(epochNanoseconds);
}

const PARTIAL_NS = {
  atime: kPartialAtimeNs,
  mtime: kPartialMtimeNs,
  ctime: kPartialCtimeNs,
  birthtime: kPartialBirthtimeNs,
};

/** In V8 an assigned prototype method is enumerable and a class method is not; Node's are assigned. */
function makeEnumerable(prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== "constructor") Object.defineProperty(prototype, name, { enumerable: true });
  }
}

makeEnumerable(StatsBase.prototype);
for (const Class of [Stats, BigIntStats]) {
  Object.setPrototypeOf(Class, StatsBase);
  Object.setPrototypeOf(Class.prototype, StatsBase.prototype);
  makeEnumerable(Class.prototype);
  for (const time of ["atime", "mtime", "ctime", "birthtime"]) {
    defineLazy(Class.prototype, time, (stats) => new NativeDate(Math.round(Number(stats[`${time}Ms`]))));
  }
}
for (const [time, partial] of Object.entries(PARTIAL_NS)) {
  defineLazy(Stats.prototype, `${time}Instant`, (stats) => {
    const seconds = Math.floor(Number(stats[`${time}Ms`]) / 1000);
    return makeInstant(toNanoseconds(seconds, stats[partial] as number));
  });
  defineLazy(BigIntStats.prototype, `${time}Instant`, (stats) => makeInstant(stats[`${time}Ns`] as bigint));
}

keepShape(new Stats(new Float64Array(18).fill(0.5))); // milliseconds have a fraction
keepShape(new BigIntStats(new Float64Array(18)));
keepShape(new StatFs(new Float64Array(7), false));
