/** Calls at the position of one open file, at the same time: one comes after the other, whichever the host answers first. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { promisify } from "node:util";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { ScheduledHost } from "../../../helpers/scheduled-host.ts";

const NR_SEEDS = 30;
const HALF = 1024;

function halves(text: string): Buffer {
  return Buffer.concat([...text].map((char) => Buffer.alloc(HALF, char)));
}

type Positioned = (fd: number, bytes: Buffer, offset: number, length: number, position: null) => Promise<unknown>;

async function read(fs: FolioFs, fd: number): Promise<string> {
  const bytes = Buffer.alloc(HALF);
  await (promisify(fs.read) as Positioned)(fd, bytes, 0, HALF, null);
  return bytes.toString("latin1", 0, 1);
}

async function inAnyOrder(
  data: string,
  work: (fs: FolioFs, fd: number, inside: string) => Promise<void>,
): Promise<void> {
  for (let seed = 0; seed < NR_SEEDS; seed++) {
    const setup = createHostfsMount();
    nodeFs.writeFileSync(`${setup.inside}/f`, halves("AB"));
    setup.mount(`${data},ttl=1000000`);
    const fd = setup.fs.openSync("/mnt/f", "r+");
    const host = new ScheduledHost(seededRandom(seed), () => undefined);
    try {
      await work(setup.fs, fd, setup.inside);
    } finally {
      host.restore();
      setup.dispose();
    }
  }
}

describe.each(["cache=none", "cache=writethrough", "cache=writeback"])("on hostfs, %s", (data) => {
  it("a write comes behind what is read", () =>
    inAnyOrder(data, async (fs, fd, inside) => {
      const reading = read(fs, fd);
      const writing = (promisify(fs.write) as Positioned)(fd, halves("d"), 0, HALF, null);
      const [seen] = await Promise.all([reading, writing]);
      await promisify(fs.fsync)(fd);
      const content = nodeFs.readFileSync(`${inside}/f`);
      assert.deepEqual([seen, content], seen === "A" ? ["A", halves("Ad")] : ["B", halves("dB")]);
    }));

  it("two reads see one half each", () =>
    inAnyOrder(data, async (fs, fd) => {
      const seen = await Promise.all([read(fs, fd), read(fs, fd)]);
      assert.deepEqual(seen.sort(), ["A", "B"]);
    }));

  it("a sync is about its file, though the descriptor is closed meanwhile", () =>
    inAnyOrder(data, async (fs, fd) => {
      fs.writeSync(fd, "dirty");
      const syncing = promisify(fs.fsync)(fd);
      await promisify(fs.close)(fd);
      await syncing;
    }));
});
