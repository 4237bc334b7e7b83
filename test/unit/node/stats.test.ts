import { describe, expect, it } from "vitest";
import { hostFace, thrownBy } from "./host-face.ts";

const FIELDS = [
  "dev",
  "mode",
  "nlink",
  "uid",
  "gid",
  "rdev",
  "blksize",
  "ino",
  "size",
  "blocks",
  "atimeMs",
  "mtimeMs",
  "ctimeMs",
  "birthtimeMs",
];

describe("Stats", () => {
  it("has Node's fields; dates appear when they are asked for or set", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "x");
    const stats = fs.statSync(at("f"));
    expect(Object.keys(stats)).toEqual(FIELDS);
    expect(Object.keys(JSON.parse(JSON.stringify(stats)))).toEqual(FIELDS);
    expect(stats.mtime.getTime()).toBe(Math.round(stats.mtimeMs));
    expect(stats.mtime).toBe(stats.mtime);
    stats.atime = new Date(0);
    expect(Object.keys(stats)).toEqual([...FIELDS, "mtime", "atime"]);
    expect(stats).toBeInstanceOf(fs.Stats);
    expect([stats.isFile(), stats.isDirectory()]).toEqual([true, false]);
  });

  it("counts nanoseconds in bigints", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "x");
    fs.utimesSync(at("f"), 1.5, new Date(-1500));
    const stats = fs.statSync(at("f"), { bigint: true });
    expect([stats.atimeNs, stats.mtimeNs, stats.size]).toEqual([1_500_000_000n, -1_500_000_000n, 1n]);
    expect(stats.mtimeMs).toBe(-1500n);
    expect(stats.isFile()).toBe(true);
    expect(fs.fstatSync(fs.openSync(at("f"), "r"), { bigint: true }).size).toBe(1n);
  });

  it("answers undefined for what is not there, when asked to", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "");
    expect(fs.statSync(at("none"), { throwIfNoEntry: false })).toBeUndefined();
    expect(fs.statSync(at("f/x"), { throwIfNoEntry: false })).toBeUndefined();
    expect(() => fs.lstatSync(at("f/x"), { throwIfNoEntry: false })).toThrow("ENOTDIR");
  });

  it("statfs gives numbers or bigints", () => {
    const { fs, at } = hostFace();
    expect(Object.keys(fs.statfsSync(at("")))).toEqual([
      "type",
      "bsize",
      "frsize",
      "blocks",
      "bfree",
      "bavail",
      "files",
      "ffree",
    ]);
    expect(fs.statfsSync(at(""), { bigint: true }).bsize).toBeTypeOf("bigint");
  });

  it("has instants where there is Temporal, and says so where there is none", () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "");
    fs.utimesSync(at("f"), 5, 6.25);
    class Instant {
      readonly ns: bigint;
      constructor(ns: bigint) {
        this.ns = ns;
      }
    }
    const known = Object.getOwnPropertyDescriptor(globalThis, "Temporal");
    const define = (value: unknown): unknown =>
      Object.defineProperty(globalThis, "Temporal", { value, configurable: true });
    try {
      define(undefined);
      const error = thrownBy(() => (fs.statSync(at("f")) as never as { mtimeInstant: Instant }).mtimeInstant);
      expect([error.code, error.message]).toEqual(["ERR_NO_TEMPORAL", "Temporal is not supported in this environment"]);
      define({ Instant });
      for (const bigint of [false, true]) {
        const stats = fs.statSync(at("f"), { bigint }) as never as { mtimeInstant: Instant };
        const { mtimeInstant } = stats;
        expect(mtimeInstant.ns).toBe(6_250_000_000n);
        expect(stats.mtimeInstant).toBe(mtimeInstant);
      }
    } finally {
      Reflect.deleteProperty(globalThis, "Temporal");
      if (known !== undefined) Object.defineProperty(globalThis, "Temporal", known);
    }
  });

  it("warns once, in Node's words, of those who construct it, and not of those who stat", async () => {
    const { fs, at } = hostFace();
    const warnings: (Error & { code?: string })[] = [];
    const listener = (warning: Error): void => void warnings.push(warning);
    process.on("warning", listener);
    fs.statSync(at(""));
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
    for (const each of [1, 2]) Reflect.construct(fs.Stats, [each]);
    (fs.Stats as unknown as () => void).call({});
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listener);
    expect(warnings.map(({ name, code, message }) => [name, code, message])).toEqual([
      ["DeprecationWarning", "DEP0180", "fs.Stats constructor is deprecated."],
    ]);
  });
});
