/**
 * Question: what is the cheapest way of making a Stats from the 18 numbers of a stat call, with Dates made on demand?
 * Not measured: the call itself. All read the same Float64Array, as the face does.
 */
import { compare } from "./compare.ts";

const values = Float64Array.from([
  25, 0o100644, 1, 0, 0, 0, 4096, 123456, 1024, 8, 1_700_000_000, 123_456_789, 1_700_000_001, 5, 1_700_000_002, 6,
  1_700_000_003, 7,
]);

const toMs = (sec: number, nsec: number): number => sec * 1000 + nsec / 1_000_000;

/** Node's own shape: 14 own fields, Dates from accessors of the prototype. */
class EagerMs {
  dev: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  blksize: number;
  ino: number;
  size: number;
  blocks: number;
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  birthtimeMs: number;
  constructor(v: Float64Array) {
    this.dev = v[0];
    this.mode = v[1];
    this.nlink = v[2];
    this.uid = v[3];
    this.gid = v[4];
    this.rdev = v[5];
    this.blksize = v[6];
    this.ino = v[7];
    this.size = v[8];
    this.blocks = v[9];
    this.atimeMs = toMs(v[10], v[11]);
    this.mtimeMs = toMs(v[12], v[13]);
    this.ctimeMs = toMs(v[14], v[15]);
    this.birthtimeMs = toMs(v[16], v[17]);
  }
  get mtime(): Date {
    return new Date(this.mtimeMs);
  }
}

/** The same, with the numbers handed over as arguments. */
class FromArguments {
  dev: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  blksize: number;
  ino: number;
  size: number;
  blocks: number;
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  birthtimeMs: number;
  constructor(
    dev: number,
    mode: number,
    nlink: number,
    uid: number,
    gid: number,
    rdev: number,
    blksize: number,
    ino: number,
    size: number,
    blocks: number,
    atimeMs: number,
    mtimeMs: number,
    ctimeMs: number,
    birthtimeMs: number,
  ) {
    this.dev = dev;
    this.mode = mode;
    this.nlink = nlink;
    this.uid = uid;
    this.gid = gid;
    this.rdev = rdev;
    this.blksize = blksize;
    this.ino = ino;
    this.size = size;
    this.blocks = blocks;
    this.atimeMs = atimeMs;
    this.mtimeMs = mtimeMs;
    this.ctimeMs = ctimeMs;
    this.birthtimeMs = birthtimeMs;
  }
}

/** A function and its prototype, as Node writes its Stats (callable without `new` and so not a class). */
function FunctionStats(this: Record<string, number>, v: Float64Array): void {
  this.dev = v[0];
  this.mode = v[1];
  this.nlink = v[2];
  this.uid = v[3];
  this.gid = v[4];
  this.rdev = v[5];
  this.blksize = v[6];
  this.ino = v[7];
  this.size = v[8];
  this.blocks = v[9];
  this.atimeMs = toMs(v[10], v[11]);
  this.mtimeMs = toMs(v[12], v[13]);
  this.ctimeMs = toMs(v[14], v[15]);
  this.birthtimeMs = toMs(v[16], v[17]);
}
const NewFunctionStats = FunctionStats as unknown as new (v: Float64Array) => EagerMs;

/** One copied array, everything else from accessors: cheapest to make, but not own properties as in Node. */
class LazyFields {
  #v: Float64Array;
  constructor(v: Float64Array) {
    this.#v = v.slice();
  }
  get size(): number {
    return this.#v[8];
  }
}

/** Dates made at once, as Node did before version 21. */
class EagerDates extends EagerMs {
  atime: Date;
  ctime: Date;
  birthtime: Date;
  constructor(v: Float64Array) {
    super(v);
    this.atime = new Date(this.atimeMs);
    this.ctime = new Date(this.ctimeMs);
    this.birthtime = new Date(this.birthtimeMs);
  }
}

compare("a Stats from 18 numbers", [
  {
    name: "class, fields from the array",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) {
        values[8] = i;
        sum += keep(new EagerMs(values)).size;
      }
      return sum;
    },
  },
  {
    name: "class, 14 arguments",
    run(nrCalls) {
      let sum = 0;
      const v = values;
      for (let i = 0; i < nrCalls; i++) {
        v[8] = i;
        const stats = new FromArguments(
          v[0],
          v[1],
          v[2],
          v[3],
          v[4],
          v[5],
          v[6],
          v[7],
          v[8],
          v[9],
          toMs(v[10], v[11]),
          toMs(v[12], v[13]),
          toMs(v[14], v[15]),
          toMs(v[16], v[17]),
        );
        sum += keep(stats).size;
      }
      return sum;
    },
  },
  {
    name: "function with prototype",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) {
        values[8] = i;
        sum += keep(new NewFunctionStats(values)).size;
      }
      return sum;
    },
  },
  {
    name: "Object.create(prototype) and assignments",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) {
        values[8] = i;
        const stats = Object.create(EagerMs.prototype) as EagerMs;
        FunctionStats.call(stats as unknown as Record<string, number>, values);
        sum += keep(stats).size;
      }
      return sum;
    },
  },
  {
    name: "copied array behind accessors",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) {
        values[8] = i;
        sum += keep(new LazyFields(values)).size;
      }
      return sum;
    },
  },
  {
    name: "class with three Dates made at once",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) {
        values[8] = i;
        sum += keep(new EagerDates(values)).size;
      }
      return sum;
    },
  },
]);

/** Lets the object escape, so that V8 must really make it. */
function keep<T>(object: T): T {
  kept = object;
  return object;
}
var kept: unknown; // `var`: hoisted above its first use
export const lastKept = (): unknown => kept;
