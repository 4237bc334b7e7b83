/** Files whose size turns out: shown as 0, read to their end. Whole files. */
import { describe, expect, it } from "vitest";
import { mountLazy } from "../../../../src/lazy.ts";
import { deferred, plainTree, turns, withTree } from "../../../helpers/lazy-tree.ts";
import { outcomeOf } from "../../../helpers/subject.ts";

const SIZES = [0, 1, 4095, 4096, 4097, 65536, 131072, 131073, 524288, 1_000_000];

function content(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7) % 251;
  return bytes;
}

function dataOf(path: string): Buffer {
  return content(Number(path.slice(2)));
}

const list = () => SIZES.map((size) => ({ name: `f${size}`, type: "file" as const }));

describe("a size that is not known", () => {
  it.each(SIZES)("is 0 until a file of %i bytes has been read to its end, in any form", async (size) => {
    const { fs } = withTree({
      list,
      load: (path, { position, length }) => dataOf(path).subarray(position, position + length),
    });
    const path = `/m/f${size}`;
    const data = content(size);
    expect(fs.statSync(path)).toMatchObject({ size: 0, blocks: 0 });
    expect(fs.readFileSync(path).equals(data)).toBe(true);
    expect(fs.statSync(path)).toMatchObject({ size, blocks: Math.ceil(size / 512) });
    expect((await fs.promises.readFile(path)).equals(data)).toBe(true);
    fs.kernel.dropCaches(3);
    expect(fs.readFileSync(path, "latin1")).toBe(data.toString("latin1"));
    const fd = fs.openSync(path, "r");
    const buffer = Buffer.alloc(size + 10);
    expect(fs.readSync(fd, buffer, 0, size + 10, 0)).toBe(size);
    expect(fs.readSync(fd, buffer, 0, 10, size)).toBe(0);
    expect(fs.readSync(fd, buffer, 0, 10, 5_000_000)).toBe(0);
    expect(fs.readvSync(fd, [Buffer.alloc(1), buffer], 0)).toBe(size);
    fs.closeSync(fd);
  });

  it.each(SIZES)("is known after stat with statLoads: %i bytes", async (size) => {
    for (const later of [false, true]) {
      const load = (path: string, { position, length }: { position: number; length: number }) => {
        const bytes = dataOf(path).subarray(position, position + length);
        return later ? Promise.resolve(bytes) : bytes;
      };
      const { fs } = withTree({ list, load }, { statLoads: true });
      expect((await fs.promises.stat(`/m/f${size}`)).size).toBe(size);
      expect(fs.lstatSync(`/m/f${size}`).size).toBe(size);
      await fs.promises.copyFile(`/m/f${size}`, "/copy");
      expect(fs.readFileSync("/copy").equals(content(size))).toBe(true);
    }
  });

  it("is told by stat what has failed, each time", async () => {
    const fail = () => Promise.reject(Object.assign(new Error(), { code: "EACCES" }));
    const { fs } = withTree({ list, load: fail }, { statLoads: true });
    for (let i = 0; i < 3; i++) await expect(fs.promises.stat("/m/f1")).rejects.toMatchObject({ code: "EACCES" });
    expect(outcomeOf(() => fs.statSync("/m/f1"))).toBe("EAGAIN");
    await turns();
    expect(outcomeOf(() => fs.statSync("/m/f1"))).toBe("EACCES");
  });

  it("may be found out behind the end first", () => {
    for (const size of SIZES) {
      const { fs } = withTree({
        list,
        load: (path, { position, length }) => dataOf(path).subarray(position, position + length),
      });
      const path = `/m/f${size}`;
      const fd = fs.openSync(path, "r");
      const buffer = Buffer.alloc(size + 10);
      expect(fs.readSync(fd, buffer, 0, 10, size + 100_000)).toBe(0);
      expect(fs.readSync(fd, buffer, 0, 10, Math.max(0, size - 3))).toBe(Math.min(size, 3));
      expect(fs.readSync(fd, buffer, 0, size + 10, 0)).toBe(size);
      expect(buffer.subarray(0, size).equals(content(size))).toBe(true);
      expect(fs.fstatSync(fd).size).toBe(size);
      fs.closeSync(fd);
    }
  });

  it("is EIO when it changes, and asked anew when that is said", () => {
    let size = 10_000;
    const { fs, mount } = withTree({
      list: () => [{ name: "f", type: "file" }],
      load: (_path, { position, length }) => content(size).subarray(position, position + length),
    });
    fs.readFileSync("/m/f");
    fs.kernel.dropCaches(1);
    for (const other of [9_000, 5]) {
      size = other;
      expect(outcomeOf(() => fs.readFileSync("/m/f"))).toBe("EIO");
    }
    mount.invalidate("/f");
    expect(fs.statSync("/m/f").size).toBe(0);
    expect(fs.readFileSync("/m/f").equals(content(5))).toBe(true);
    expect(fs.statSync("/m/f").size).toBe(5);
  });

  it("goes nowhere, for who seeks and maps", () => {
    const { fs } = withTree({
      list,
      load: (path, { position, length }) => dataOf(path).subarray(position, position + length),
    });
    const fd = fs.openSync("/m/f4097", "r");
    const seek = (whence: number) => outcomeOf(() => fs.lseekSync(fd, 0, whence));
    expect([seek(2), seek(3), seek(4)]).toEqual(["EINVAL", "EINVAL", "EINVAL"]);
    expect(outcomeOf(() => fs.kernel.mmap(fd, { length: 10 }))).toBe("ENODEV");
    fs.readFileSync(fd);
    expect(fs.lseekSync(fd, 0, 2)).toBe(4097);
    expect(fs.lseekSync(fd, 5, 3)).toBe(5);
    expect(fs.lseekSync(fd, 5, 4)).toBe(4097);
    const map = fs.kernel.mmap(fd, { prot: 1 });
    const bytes = Buffer.alloc(4097);
    map.copy(bytes);
    expect(bytes.equals(content(4097))).toBe(true);
    map.munmap();
    fs.closeSync(fd);
  });

  it("goes on in pieces, with windows that end out of order", async () => {
    const size = 600_000;
    const data = content(size);
    const asked: { position: number; answer(): void }[] = [];
    const { fs } = withTree({
      list: () => [{ name: "f", type: "file" }],
      load: (_path, { position, length }) => {
        const { promise, resolve } = deferred<Uint8Array>();
        asked.push({ position, answer: () => resolve(data.subarray(position, position + length)) });
        return promise;
      },
    });
    const handle = await fs.promises.open("/m/f");
    const reads = [0, 300_000, 590_000, 700_000, 450_000].map((position) =>
      handle.read(Buffer.alloc(20_000), 0, 20_000, position),
    );
    for (let i = 0; i < 50; i++) {
      await turns(2);
      asked.pop()?.answer();
    }
    const got = await Promise.all(reads);
    expect(got.map(({ bytesRead }) => bytesRead)).toEqual([20_000, 20_000, 10_000, 0, 20_000]);
    for (const [i, position] of [0, 300_000, 590_000].entries()) {
      const { buffer, bytesRead } = got[i] as (typeof got)[number];
      expect(buffer.subarray(0, bytesRead).equals(data.subarray(position, position + bytesRead))).toBe(true);
    }
    await handle.close();
  });
});

describe("files that come as a whole", () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])("are loaded once while they are read: sizes untold %s, by promise %s", async (sizeless, later) => {
    const log: string[] = [];
    const root = Object.fromEntries(SIZES.map((size) => [`f${size}`, content(size)]));
    const { fs } = withTree(plainTree(root, { sizeless, later, whole: true }, log));
    for (const size of SIZES) {
      const handle = await fs.promises.open(`/m/f${size}`);
      const pieces: Buffer[] = [];
      for (;;) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(3000), 0, 3000);
        if (bytesRead === 0) break;
        pieces.push(buffer.subarray(0, bytesRead));
      }
      expect(Buffer.concat(pieces).equals(content(size))).toBe(true);
      expect((await handle.stat()).size).toBe(size);
      await handle.close();
    }
    const loads = log.filter((line) => line.startsWith("load"));
    expect(loads.length).toBe(sizeless ? SIZES.length : SIZES.length - 1); // nothing is asked of what is known to be empty
  });

  it("are kept within their limit", async () => {
    const root = { a: content(300_000), b: content(300_000), c: content(300_000) };
    const { fs } = withTree(plainTree(root, { whole: true }), { maxFileBytes: 650_000 });
    const outside = () =>
      Object.entries(fs.kernel.usage().outside).find(([name]) => name.startsWith("lazyfs"))?.[1] ?? 0;
    const fds = ["a", "b", "c"].map((name) => fs.openSync(`/m/${name}`, "r"));
    for (const fd of fds) fs.readSync(fd, Buffer.alloc(1), 0, 1, 0);
    expect(outside()).toBeGreaterThan(600_000);
    expect(outside()).toBeLessThan(660_000);
    for (const fd of fds) expect(fs.readFileSync(fd).equals(content(300_000))).toBe(true);
    expect(outside()).toBeLessThan(10_000);
    for (const fd of fds) fs.closeSync(fd);
  });

  it("are EIO where they are not as long as was said", () => {
    const { fs } = withTree({ list: () => [{ name: "f", type: "file", size: 5 }], loadFile: () => content(6) });
    expect(outcomeOf(() => fs.readFileSync("/m/f"))).toBe("EIO");
    fs.mkdirSync("/n");
    mountLazy(fs.kernel, { list, loadFile: () => "text" as unknown as Uint8Array }, { target: "/n" });
    expect(outcomeOf(() => fs.readFileSync("/n/f1"))).toBe("EIO");
  });
});

it("a file that has become shorter than what has been read of it is EIO, and said to be so", () => {
  let bytes = content(2_000_000);
  const told: string[] = [];
  const load = (_path: string, { position, length }: { position: number; length: number }) =>
    bytes.subarray(position, position + length);
  const onError = (error: unknown): void => void told.push(String(error));
  const { fs } = withTree({ list: () => [{ name: "f", type: "file" }], load }, { onError });
  const fd = fs.openSync("/m/f", "r");
  expect(fs.readSync(fd, Buffer.alloc(8192), 0, 8192, 0)).toBe(8192);
  bytes = content(10);
  fs.kernel.dropCaches(1);
  expect(outcomeOf(() => fs.readSync(fd, Buffer.alloc(10), 0, 10, 0))).toBe("EIO");
  expect(told.join()).toMatch(/another size than before/);
  fs.closeSync(fd);
});
