/** Names that a promise call is changing on the host, and that somebody asks for before it has been done here. */
import nodeFs from "node:fs";
import { expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";

const BLOCK_MS = 20;

/** The host answers while nobody hears of it. */
async function waitUnheard(isDone: () => boolean): Promise<void> {
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 100 && !isDone(); i++) {
    await new Promise((done) => setImmediate(done));
    Atomics.wait(word, 0, 0, BLOCK_MS);
  }
}

it("a name that is being moved keeps its place until it has been, though the host has it no more", async () => {
  const { fs, inside, mount, dispose } = createHostfsMount();
  mount("ttl=0");
  fs.writeFileSync("/mnt/a", "text");
  const moved = fs.promises.rename("/mnt/a", "/mnt/b");
  await waitUnheard(() => nodeFs.existsSync(`${inside}/b`));
  expect(nodeFs.readdirSync(inside)).toEqual(["b"]);
  expect(() => fs.statSync("/mnt/a")).toThrow("EAGAIN");
  const asked = fs.promises.stat("/mnt/a").catch(({ code }) => code);
  await moved;
  expect(await asked).toBe("ENOENT");
  expect(fs.readFileSync("/mnt/b", "utf8")).toBe("text");
  fs.kernel.verify?.();
  dispose();
});

it("a name that is being taken away is listed no more when it has gone, and not before", async () => {
  const { fs, inside, mount, dispose } = createHostfsMount();
  mount("ttl=1000000");
  fs.writeFileSync("/mnt/a", "text");
  const told: string[] = [];
  const unlinked = fs.promises.unlink("/mnt/a").then(() => told.push("unlink"));
  await waitUnheard(() => !nodeFs.existsSync(`${inside}/a`));
  expect(nodeFs.readdirSync(inside)).toEqual([]);
  expect(fs.statSync("/mnt/a").size).toBe(4);
  expect(() => fs.readdirSync("/mnt")).toThrow("EAGAIN");
  const listed = fs.promises.readdir("/mnt").then((names) => told.push(`readdir ${names}`));
  await Promise.all([unlinked, listed]);
  expect(told).toEqual(["unlink", "readdir "]);
  expect(fs.readdirSync("/mnt")).toEqual([]);
  fs.kernel.verify?.();
  dispose();
});

it.each([
  ["unlink", (fs: FolioFs) => fs.promises.unlink("/mnt/a")],
  ["rename", (fs: FolioFs) => fs.promises.rename("/mnt/a", "/mnt/b")],
])("who opens what the host has no more at its name waits for the %s", async (_name, change) => {
  const { fs, inside, mount, dispose } = createHostfsMount();
  nodeFs.writeFileSync(`${inside}/a`, "text");
  mount("ttl=1000000");
  fs.statSync("/mnt/a");
  const told: string[] = [];
  const changed = change(fs).then(() => told.push("changed"));
  await waitUnheard(() => !nodeFs.existsSync(`${inside}/a`));
  expect(() => fs.openSync("/mnt/a", "r")).toThrow("EAGAIN");
  const read = fs.promises.readFile("/mnt/a").catch(({ code }) => told.push(code));
  await Promise.all([changed, read]);
  expect(told).toEqual(["changed", "ENOENT"]);
  fs.kernel.verify?.();
  dispose();
});
