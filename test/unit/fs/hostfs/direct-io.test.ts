/** O_DIRECT on hostfs: between the host's file and the caller's buffer, whatever the cache is. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

const PAGE = 4096;
const { O_CREAT, O_DIRECT, O_RDWR } = nodeFs.constants;

let setup: HostfsMount;
let fs: FolioFs;
let host: string;

beforeEach(() => {
  setup = createHostfsMount();
  fs = setup.fs;
  host = `${setup.inside}/f`;
});

afterEach(() => {
  fs.kernel.verify?.();
  setup.dispose();
});

function bytesOf(length: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 101) & 0xff));
}

/** At the start of its memory, as O_DIRECT wants it. */
function aligned(bytes: Buffer): Buffer {
  const buffer = Buffer.alloc(bytes.length);
  const own = Buffer.from(buffer.buffer.byteLength === bytes.length ? buffer.buffer : new ArrayBuffer(bytes.length));
  bytes.copy(own);
  return own;
}

describe.each(["none", "writethrough", "writeback"])("cache=%s", (cache) => {
  beforeEach(() => setup.mount(`cache=${cache},ttl=100000`));

  it("writes are at the host at once, and reads are what it has", async () => {
    const fd = fs.openSync("/mnt/f", O_CREAT | O_RDWR | O_DIRECT);
    const bytes = bytesOf(3 * PAGE);
    expect(fs.writeSync(fd, aligned(bytes), 0, 3 * PAGE, 0)).toBe(3 * PAGE);
    expect(nodeFs.readFileSync(host).equals(bytes)).toBe(true);
    expect(fs.fstatSync(fd).size).toBe(3 * PAGE);
    const other = nodeFs.openSync(host, "r+");
    nodeFs.writeSync(other, "behind its back", 0);
    nodeFs.closeSync(other);
    const buffer = aligned(Buffer.alloc(PAGE));
    expect(fs.readSync(fd, buffer, 0, PAGE, 0)).toBe(PAGE);
    expect(buffer.toString("latin1", 0, 15)).toBe("behind its back");
    fs.closeSync(fd);
    const handle = await fs.promises.open("/mnt/f", O_RDWR | O_DIRECT);
    await handle.write(aligned(bytesOf(PAGE, 7)), 0, PAGE, PAGE);
    expect(
      nodeFs
        .readFileSync(host)
        .subarray(PAGE, 2 * PAGE)
        .equals(bytesOf(PAGE, 7)),
    ).toBe(true);
    expect((await handle.read(buffer, 0, PAGE, PAGE)).bytesRead).toBe(PAGE);
    expect(buffer.equals(bytesOf(PAGE, 7))).toBe(true);
    await handle.close();
  });

  it("position, length and buffer are multiples of 512, or EINVAL", () => {
    const fd = fs.openSync("/mnt/f", O_CREAT | O_RDWR | O_DIRECT);
    const buffer = aligned(Buffer.alloc(2 * PAGE));
    fs.writeSync(fd, buffer, 0, 2 * PAGE, 0);
    for (const [offset, length, position] of [
      [1, 512, 0],
      [0, 511, 0],
      [0, 512, 3],
    ]) {
      expect(() => fs.writeSync(fd, buffer, offset, length, position)).toThrow("EINVAL");
      expect(() => fs.readSync(fd, buffer, offset, length, position)).toThrow("EINVAL");
    }
    expect(fs.writeSync(fd, buffer, 512, 512, 1024)).toBe(512);
    fs.closeSync(fd);
  });

  it("goes together with pages, dirty ones too", () => {
    const bytes = bytesOf(4 * PAGE);
    const cached = fs.openSync("/mnt/f", "w+");
    fs.writeSync(cached, bytes, 0, bytes.length, 0);
    const direct = fs.openSync("/mnt/f", O_RDWR | O_DIRECT);
    const buffer = aligned(Buffer.alloc(PAGE));
    fs.readSync(direct, buffer, 0, PAGE, PAGE);
    expect(buffer.equals(bytes.subarray(PAGE, 2 * PAGE))).toBe(true);
    fs.writeSync(cached, "dirty", PAGE + 7);
    fs.writeSync(direct, aligned(bytesOf(512, 9)), 0, 512, PAGE + 512);
    bytes.write("dirty", PAGE + 7);
    bytesOf(512, 9).copy(bytes, PAGE + 512);
    expect(fs.readFileSync("/mnt/f").equals(bytes)).toBe(true);
    fs.fsyncSync(cached);
    expect(nodeFs.readFileSync(host).equals(bytes)).toBe(true);
    for (const fd of [cached, direct]) fs.closeSync(fd);
  });

  it("reads up to the end of a file that ends within a block", () => {
    nodeFs.writeFileSync(host, bytesOf(PAGE + 100));
    const fd = fs.openSync("/mnt/f", O_RDWR | O_DIRECT);
    const buffer = aligned(Buffer.alloc(2 * PAGE));
    expect(fs.readSync(fd, buffer, 0, 2 * PAGE, 0)).toBe(PAGE + 100);
    expect(buffer.subarray(0, PAGE + 100).equals(bytesOf(PAGE + 100))).toBe(true);
    expect(fs.readSync(fd, buffer, 0, PAGE, 4 * PAGE)).toBe(0);
    fs.closeSync(fd);
  });
});
