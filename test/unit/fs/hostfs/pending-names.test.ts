/** Names that a promise call is changing on the host, and that somebody asks for before it has been done here. */
import nodeFs from "node:fs";
import { expect, it } from "vitest";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";

const BLOCK_MS = 20;

it("a name that is being moved keeps its place until it has been, though the host has it no more", async () => {
  const { fs, inside, mount, dispose } = createHostfsMount();
  mount("ttl=0");
  fs.writeFileSync("/mnt/a", "text");
  const moved = fs.promises.rename("/mnt/a", "/mnt/b");
  const word = new Int32Array(new SharedArrayBuffer(4));
  // The host answers while nobody hears of it.
  for (let i = 0; i < 100 && !nodeFs.existsSync(`${inside}/b`); i++) {
    await new Promise((done) => setImmediate(done));
    Atomics.wait(word, 0, 0, BLOCK_MS);
  }
  expect(nodeFs.readdirSync(inside)).toEqual(["b"]);
  expect(() => fs.statSync("/mnt/a")).toThrow("EAGAIN");
  const asked = fs.promises.stat("/mnt/a").catch(({ code }) => code);
  await moved;
  expect(await asked).toBe("ENOENT");
  expect(fs.readFileSync("/mnt/b", "utf8")).toBe("text");
  fs.kernel.verify?.();
  dispose();
});
