/** The store's steps, made by promises and at once, of many works at a time. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { EISDIR, ENOENT, ESTALE } from "../../../../src/base/errno.ts";
import { runLater, runNow } from "../../../../src/fs/hostfs/host-steps.ts";
import { type Found, HostStore } from "../../../../src/fs/hostfs/host-store.ts";
import { openDescriptors } from "../../../helpers/hostfs-mount.ts";

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

const bytes = (text: string) => Buffer.from(text);

it("makes, writes and reads many files at once, each by its own descriptor, whatever the limit", async () => {
  const before = openDescriptors();
  const one = async (i: number) => {
    const dir = (await runLater(store.mkdir(store.root, bytes(`d${i}`), { mode: 0o755 }))) as Found;
    const { node } = (await runLater(store.create(dir.node, bytes("f"), { mode: 0o644 }))) as Found;
    expect(await runLater(store.pwritev(node, [bytes("file "), bytes(`${i}`)], 0))).toBe(5 + `${i}`.length);
    const buffer = Buffer.alloc(20);
    const got = await runLater(store.preadv(node, () => [buffer.subarray(0, 3), buffer.subarray(3)], 0));
    expect(buffer.toString("utf8", 0, got)).toBe(`file ${i}`);
    expect(await runLater(store.fsync(node, true))).toBe(0);
  };
  await Promise.all(Array.from({ length: 30 }, (_, i) => one(i)));
  expect(store.fds.size).toBeLessThanOrEqual(1);
  expect(openDescriptors() - before).toBeLessThanOrEqual(1);
});

it("answers the same at once and by promises, errors too, and never rejects", async () => {
  const { node } = runNow(store.create(store.root, bytes("f"), { mode: 0o644 })) as Found;
  const view = () => [Buffer.alloc(1)];
  const works = [
    [() => store.preadv(store.root, view, 0), -EISDIR],
    [() => store.lookup(store.root, bytes("none")), -ENOENT],
    [() => store.lookup(node, bytes("below")), -ESTALE],
  ] as const;
  for (const [work, expected] of works) expect([await runLater(work()), runNow(work())]).toEqual([expected, expected]);
  store.fds.closeAll();
  nodeFs.unlinkSync(`${inside}/f`);
  expect(await runLater(store.pwritev(node, [Buffer.alloc(1)], 0))).toBe(-ESTALE);
});

it("ends works that are under way before their descriptors are closed", async () => {
  const { node } = runNow(store.create(store.root, bytes("f"), { mode: 0o644 })) as Found;
  const before = openDescriptors();
  const writes = Array.from({ length: 8 }, (_, i) =>
    runLater(store.pwritev(node, [Buffer.alloc(1 << 20, i)], i << 20)),
  );
  store.drop(node);
  expect(openDescriptors()).toBe(before);
  expect(await Promise.all(writes)).toEqual(writes.map(() => 1 << 20));
  expect(openDescriptors()).toBe(before - 1);
});

it("keeps the folder's own descriptor for works that are under way when it is closed, and begins none after that", async () => {
  const before = openDescriptors();
  const made = runLater(store.mkdir(store.root, bytes("d"), { mode: 0o755 }));
  store.close();
  expect(openDescriptors()).toBe(before);
  expect(await runLater(store.lookup(store.root, bytes("d")))).toBe(-ESTALE);
  await made;
  expect(openDescriptors()).toBe(before - 1);
  expect(nodeFs.readdirSync(inside)).toEqual(["d"]);
  store = HostStore.open(inside, 1) as HostStore;
});
