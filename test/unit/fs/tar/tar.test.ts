/** Archives: what is written is read again, GNU tar reads it, what GNU tar writes is read, and damaged ones are refused. */
import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, it } from "vitest";
import { latin1Bytes, latin1Of } from "../../../../src/base/latin1.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../../../src/base/stat-flags.ts";
import type { TarEntry } from "../../../../src/fs/tar/entry.ts";
import { decodeTime, encodeTime } from "../../../../src/fs/tar/pax.ts";
import { TarReader } from "../../../../src/fs/tar/reader.ts";
import { TarWriter } from "../../../../src/fs/tar/writer.ts";

const BLOCK = 512;
const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "foliofs-tar-"));
  folders.push(made);
  return made;
}

function file(name: string, more: Partial<TarEntry> = {}): TarEntry {
  const rest = { uid: 0, gid: 0, rdev: 0, mtime: { sec: 1, nsec: 0 }, link: "", xattrs: new Map() };
  return { name, mode: S_IFREG | 0o644, ...rest, size: 0, pieces: [], ...more };
}

function text(name: string, data: string): TarEntry {
  return file(name, { size: data.length, pieces: data === "" ? [] : [{ at: 0, bytes: Buffer.from(data) }] });
}

function archive(entries: readonly TarEntry[], isSparse = false): Uint8Array<ArrayBuffer> {
  const writer = new TarWriter({ isSparse });
  for (const entry of entries) writer.add(entry);
  return writer.finish();
}

function entriesOf(bytes: Uint8Array): TarEntry[] {
  const reader = new TarReader(bytes);
  const entries: TarEntry[] = [];
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) entries.push(entry);
  return entries;
}

function contentOf({ size, pieces }: TarEntry): string {
  const all = Buffer.alloc(size);
  for (const { at, bytes } of pieces) all.set(bytes, at);
  return all.toString("latin1");
}

function comparable(entry: TarEntry): unknown {
  const { atime, ctime, pieces: _, ...rest } = entry;
  const xattrs = [...entry.xattrs].map(([name, value]) => [name, latin1Of(value)]);
  return { ...rest, xattrs, content: contentOf(entry), atime: atime ?? null, ctime: ctime ?? null };
}

const bytes = (min: number, max: number, lowest = 0): fc.Arbitrary<string> =>
  fc.uint8Array({ min: lowest, minLength: min, maxLength: max }).map(latin1Of);
const time = fc
  .tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([sec, nsec]) => ({ sec, nsec }));
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
const entry = fc
  .record({
    name: fc.oneof(bytes(1, 20, 1), bytes(90, 300, 1)).map((name) => name.replace(/\/+$/, "") || "x"),
    type: fc.constantFrom(0, S_IFREG, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK),
    permissions: fc.integer({ min: 0, max: 0o7777 }),
    uid: id,
    gid: id,
    device: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    times: fc.array(time, { minLength: 3, maxLength: 3 }),
    hasTimes: fc.boolean(),
    link: bytes(1, 200, 1),
    xattrs: fc.array(fc.tuple(bytes(1, 40, 1), bytes(0, 600)), { maxLength: 3 }),
    runs: fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), bytes(1, 3000)), { maxLength: 4 }),
    hole: fc.integer({ min: 0, max: 2000 }),
  })
  .map(({ name, type, permissions, uid, gid, device, times, hasTimes, link, xattrs, runs, hole }): TarEntry => {
    const [mtime, atime, ctime] = times;
    const pieces: { at: number; bytes: Uint8Array }[] = [];
    let size = 0;
    for (const [gap, data] of type === S_IFREG ? runs : []) {
      pieces.push({ at: size + gap + 1, bytes: latin1Bytes(data) });
      size += gap + 1 + data.length;
    }
    const isDevice = type === S_IFCHR || type === S_IFBLK;
    return {
      name,
      mode: type | permissions,
      uid,
      gid,
      rdev: isDevice ? device : 0,
      mtime,
      atime: hasTimes ? atime : undefined,
      ctime: hasTimes ? ctime : undefined,
      link: type === S_IFLNK || type === 0 ? link : "",
      xattrs: new Map(xattrs.map(([key, value]) => [key, latin1Bytes(value)])),
      size: type === S_IFREG ? size + hole : 0,
      pieces,
    };
  });

describe("what is written", () => {
  it.each([false, true])("is read again, with files with holes as such: %j", (isSparse) => {
    const check = fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      assert.deepEqual(entriesOf(archive(entries, isSparse)).map(comparable), entries.map(comparable));
    });
    fc.assert(check, { seed: SEED, numRuns: 200 });
  });

  it("has times before 1970 as they are", () => {
    for (const [written, sec, nsec] of [
      ["-1.5", -2, 500_000_000],
      ["-0.000000001", -1, 999_999_999],
      ["0", 0, 0],
      ["12.0000001", 12, 100],
      ["-3", -3, 0],
    ] as const) {
      assert.equal(encodeTime({ sec, nsec }), written);
      assert.deepEqual(decodeTime(written), { sec, nsec });
    }
    assert.deepEqual(decodeTime("1.0000000019"), { sec: 1, nsec: 1 });
    assert.deepEqual(decodeTime("-1.0000000011"), { sec: -2, nsec: 999_999_998 });
  });
});

describe("a damaged archive", () => {
  const good = archive([
    text("./a", "hello"),
    file("./d/", { mode: S_IFDIR | 0o755 }),
    text(`./${"x".repeat(200)}`, "long"),
  ]);
  const refused = (bytes: Uint8Array, message: RegExp): void => {
    assert.throws(
      () => entriesOf(bytes),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_INVALID_TAR");
        assert.match(error.message, message);
        return true;
      },
    );
  };
  /** With a field changed, and the checksum right again unless it is that. */
  const changed = (at: number, value: string, sums = true, of = good): Uint8Array => {
    const bytes = of.slice();
    bytes.set(latin1Bytes(value), at);
    const header = Math.floor(at / BLOCK) * BLOCK;
    if (!sums) return bytes;
    bytes.fill(0x20, header + 148, header + 156);
    const sum = bytes.subarray(header, header + BLOCK).reduce((all, byte) => all + byte, 0);
    bytes.set(latin1Bytes(`${sum.toString(8).padStart(6, "0")}\0 `), header + 148);
    return bytes;
  };

  it("is refused wherever it has been cut off", () => {
    const end = good.length - 2 * BLOCK;
    for (let length = 0; length < end + BLOCK; length += 37) refused(good.slice(0, length), /cut off/);
    assert.equal(entriesOf(good.slice(0, end + BLOCK)).length, 3); // one block of zeros is an end
  });

  it("is refused with a wrong checksum, and with numbers that are none", () => {
    refused(changed(0, "b", false), /wrong checksum at byte 0/);
    refused(changed(148, "zzz", false), /checksum is no number/);
    refused(changed(124, "0000000000z"), /size is no number/);
    refused(changed(124, "77777777777"), /cut off in "b?\.?\/?a?"/);
    refused(changed(124, `\x80${"\xff".repeat(11)}`), /size is no number/);
    refused(changed(124, `\xff${"\xff".repeat(11)}`), /cut off/);
    refused(changed(156, "M"), /type M/);
  });

  it("is refused with extended headers that are none", () => {
    for (const records of [
      "x",
      "5 a=b",
      "999 path=a\n",
      "0 path=a\n",
      "9 path=a",
      "7 patha\n",
      "11 =value\n",
      "18446744073709551616 a=b\n",
    ]) {
      const bytes = changed(1536 + 156, "x");
      const at = bytes.length - 2 * BLOCK;
      assert(at > 0);
      const data = latin1Bytes(records);
      const header = archive([text("x", records)]).slice(0, 1024);
      header[156] = "x".charCodeAt(0);
      header.fill(0x20, 148, 156);
      const sum = header.subarray(0, BLOCK).reduce((all, byte) => all + byte, 0);
      header.set(latin1Bytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
      assert.equal(latin1Of(header.subarray(BLOCK, BLOCK + data.length)), records);
      refused(Buffer.concat([header, good]), /extended header/);
    }
  });

  it("is refused with a device that cannot be", () => {
    const device = archive([file("./dev", { mode: S_IFCHR | 0o644, rdev: 0x103 })]);
    assert.equal(entriesOf(device)[0].rdev, 0x103);
    refused(changed(329, "0010000", true, device), /a device that cannot be/); // 4096
    refused(changed(337, "4000000", true, device), /a device that cannot be/); // 2^20
  });

  it("is refused with a sparse file whose map does not fit", () => {
    const sparse = archive([file("./s", { size: 9000, pieces: [{ at: 5000, bytes: Buffer.from("data") }] })], true);
    const at = latin1Of(sparse).indexOf("\n5000\n4\n");
    assert(at > 0);
    // Beyond its size; more than there is; numbers without ends of lines.
    for (const map of ["\n8999\n4\n", "\n0000\n9\n", " 5000 4 "]) {
      const bytes = sparse.slice();
      bytes.set(latin1Bytes(map), at);
      refused(bytes, /sparse file whose map is none|is no number/);
    }
  });

  it("is read or refused whatever bytes it has, with no other error", () => {
    const check = fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.boolean(),
      (changes, sums) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        for (let header = 0; sums && header < bytes.length; header += BLOCK) {
          bytes.fill(0x20, header + 148, header + 156);
          const sum = bytes.subarray(header, header + BLOCK).reduce((all, byte) => all + byte, 0);
          if (sum === 8 * 0x20) bytes.fill(0, header + 148, header + 156);
          else bytes.set(latin1Bytes(`${sum.toString(8).padStart(6, "0")}\0 `), header + 148);
        }
        try {
          entriesOf(bytes);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "ERR_INVALID_TAR", String((error as Error).stack));
        }
      },
    );
    fc.assert(check, { seed: SEED, numRuns: 300 });
  });
});

const hasTar = spawnSync("tar", ["--version"], { encoding: "utf8" }).stdout?.startsWith("tar (GNU tar)") ?? false;

describe.skipIf(!hasTar)("GNU tar", () => {
  function tree(): string {
    const at = folder();
    mkdirSync(join(at, "d"));
    mkdirSync(join(at, "l".repeat(90)));
    mkdirSync(join(at, "l".repeat(90), "m".repeat(90)));
    writeFileSync(join(at, "l".repeat(90), "m".repeat(90), "n".repeat(90)), "deep");
    writeFileSync(join(at, "d/a"), "a".repeat(1500));
    writeFileSync(join(at, "empty"), "");
    linkSync(join(at, "d/a"), join(at, "b"));
    symlinkSync("t".repeat(150), join(at, "s"));
    writeFileSync(Buffer.concat([Buffer.from(`${at}/`), Buffer.from([0xff, 0x41, 0xc3])]), "no UTF-8");
    utimesSync(join(at, "empty"), 5, 1_000_000_000.25);
    const fd = openSync(join(at, "holes"), "w");
    for (let i = 0; i < 40; i++) writeSync(fd, `piece ${i}`, i * 200_000);
    ftruncateSync(fd, 9_000_001);
    closeSync(fd);
    return at;
  }

  const forms: string[][] = [
    ["--format=posix"],
    ["--format=gnu"],
    ["--format=oldgnu"],
    ["--format=gnu", "-S"],
    ...["0.0", "0.1", "1.0"].map((version) => ["--format=posix", "-S", `--sparse-version=${version}`]),
  ];

  it.each(forms)("writes what is read, with %s %s %s", (...options) => {
    const at = tree();
    const tar = execFileSync("tar", [...options.filter(Boolean), "-C", at, "-cf", "-", "."], { maxBuffer: 2 ** 26 });
    const entries = new Map(entriesOf(tar).map((one) => [one.name, one]));
    const deep = `./${"l".repeat(90)}/${"m".repeat(90)}/${"n".repeat(90)}`;
    const contents = Object.fromEntries(
      ["./empty", deep, "./\xffA\xc3"].map((name) => [name, contentOf(entries.get(name) as TarEntry)]),
    );
    assert.deepEqual(contents, { "./empty": "", [deep]: "deep", "./\xffA\xc3": "no UTF-8" });
    assert.equal(contentOf(entries.get("./holes") as TarEntry), readFileSync(join(at, "holes"), "latin1"));
    const isSparse = options.includes("-S");
    assert.equal((entries.get("./holes") as TarEntry).pieces.length > 1, isSparse);
    assert.equal((entries.get("./s") as TarEntry).link, "t".repeat(150));
    const links = [entries.get("./b"), entries.get("./d/a")].filter((one) => one && one.mode >> 12 === 0);
    assert.equal(links.length, 1);
    assert.equal((entries.get("./d/") as TarEntry).mode, lstatSync(join(at, "d")).mode);
    const { mtime } = entries.get("./empty") as TarEntry;
    assert.deepEqual(mtime, { sec: 1_000_000_000, nsec: options.includes("--format=posix") ? 250_000_000 : 0 });
  });

  it("unpacks what is written, and writes it the same again", () => {
    const [from, to] = [tree(), folder()];
    const entries = entriesOf(
      execFileSync("tar", ["--format=posix", "-S", "-C", from, "-cf", "-", "."], { maxBuffer: 2 ** 26 }),
    );
    for (const isSparse of [false, true]) {
      execFileSync("tar", ["-C", to, "-xpf", "-"], { input: archive(entries, isSparse) });
      const again = execFileSync("tar", ["--format=posix", "-S", "-C", to, "-cf", "-", "."], { maxBuffer: 2 ** 26 });
      const kept = (all: readonly TarEntry[]): unknown[] =>
        all
          .map((one) => comparable({ ...one, atime: undefined, ctime: undefined }))
          .sort((a, b) => ((a as TarEntry).name < (b as TarEntry).name ? -1 : 1));
      // Which of two names comes first is the directory's to say.
      const withoutLinks = (all: readonly TarEntry[]): unknown[] =>
        kept(all.filter(({ name }) => name !== "./b" && name !== "./d/a"));
      assert.deepEqual(withoutLinks(entriesOf(again)), withoutLinks(entries));
      assert.equal(readFileSync(join(to, "b"), "utf8"), "a".repeat(1500));
      assert.equal(lstatSync(join(to, "b")).ino, lstatSync(join(to, "d/a")).ino);
    }
  });
});
