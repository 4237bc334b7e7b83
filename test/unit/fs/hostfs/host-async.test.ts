import nodeFs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { EISDIR, ESTALE } from "../../../../src/base/errno.ts";
import { fsync, preadv, pwritev } from "../../../../src/fs/hostfs/host-async.ts";
import { type Found, HostStore } from "../../../../src/fs/hostfs/host-store.ts";

let inside: string;
let store: HostStore;

beforeEach(() => {
  inside = nodeFs.mkdtempSync("/dev/shm/hostfs-");
  store = HostStore.open(inside, 1) as HostStore;
});

afterEach(() => {
  store.close();
  nodeFs.rmSync(inside, { recursive: true });
});

it("writes and reads many files at once, each by its own descriptor, whatever the limit", async () => {
  const files = Array.from({ length: 20 }, (_, i) => store.create(store.root, Buffer.from(`f${i}`), 0o644) as Found);
  const writes = files.map(({ node }, i) => pwritev(store, node, [Buffer.from("file "), Buffer.from(`${i}`)], 0));
  const wrote = await Promise.all(writes);
  expect(wrote).toEqual(files.map((_, i) => 5 + `${i}`.length));
  const reads = files.map(async ({ node }) => {
    const buffer = Buffer.alloc(20);
    return buffer.toString("utf8", 0, await preadv(store, node, [buffer.subarray(0, 3), buffer.subarray(3)], 0));
  });
  expect(await Promise.all(reads)).toEqual(files.map((_, i) => `file ${i}`));
  expect(await fsync(store, files[0].node, true)).toBe(0);
  expect(store.fds.size).toBeLessThanOrEqual(1);
});

it("answers errors, and never rejects", async () => {
  const { node } = store.create(store.root, Buffer.from("f"), 0o644) as Found;
  expect(await preadv(store, store.root, [Buffer.alloc(1)], 0)).toBe(-EISDIR);
  store.fds.closeAll();
  nodeFs.unlinkSync(`${inside}/f`);
  expect(await pwritev(store, node, [Buffer.alloc(1)], 0)).toBe(-ESTALE);
});
