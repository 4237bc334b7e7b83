/** A file that is written to, or read, and cut at the same time: what is known of it is what the host has, whoever has answered last. */
import nodeFs from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { HOST_LATER, HOST_NOW } from "../../../../src/fs/hostfs/host-steps.ts";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { ScheduledHost } from "../../../helpers/scheduled-host.ts";

type AnyCall = (...args: unknown[]) => unknown;

const NR_SEEDS = 30;

type Cut = (fs: FolioFs, fd: number) => Promise<unknown>;

const CUTS: Readonly<Record<string, Cut>> = {
  ftruncate: (fs, fd) => promisify(fs.ftruncate)(fd, 2),
  "open with O_TRUNC": (fs) => promisify(fs.open)("/mnt/f", "w").then((cut) => fs.closeSync(cut)),
};

it.each(Object.entries(CUTS))("%s", async (_name, cut) => {
  for (let seed = 0; seed < NR_SEEDS; seed++) {
    const setup = createHostfsMount();
    const { fs, inside } = setup;
    nodeFs.writeFileSync(`${inside}/f`, "before");
    setup.mount("ttl=1000000");
    const fd = fs.openSync("/mnt/f", "r+");
    const bytes = Buffer.alloc(100);
    if (seed % 2) fs.readSync(fd, bytes); // pages, or none
    const host = new ScheduledHost(seededRandom(seed), () => undefined);
    try {
      const written = promisify(fs.write)(fd, Buffer.from("after"), 0, 5, 0);
      await Promise.all([cut(fs, fd), written]);
      const length = fs.readSync(fd, bytes, 0, bytes.length, 0);
      const contents = nodeFs.readFileSync(`${inside}/f`, "latin1");
      expect(bytes.toString("latin1", 0, length), `seed ${seed}`).toBe(contents);
      expect(fs.fstatSync(fd).size).toBe(contents.length);
    } finally {
      host.restore();
      setup.dispose();
    }
  }
});

it("a read, of what the host has cut and not answered yet, has no zeros in the place of what was there", async () => {
  const setup = createHostfsMount();
  const { fs, inside } = setup;
  nodeFs.writeFileSync(`${inside}/f`, "before");
  setup.mount("ttl=1000000");
  const fd = fs.openSync("/mnt/f", "r+");
  const later = HOST_LATER.ftruncate;
  let answer: (() => void) | undefined;
  HOST_LATER.ftruncate = ((...args: unknown[]) => {
    const done = args.pop() as AnyCall;
    (HOST_NOW.ftruncate as AnyCall)(...args);
    answer = () => done(null);
  }) as typeof later;
  try {
    const cut = promisify(fs.ftruncate)(fd, 2);
    await expect.poll(() => answer).toBeDefined();
    const bytes = Buffer.alloc(100, "?");
    let length: number | undefined;
    const read = promisify(fs.read)(fd, bytes, 0, bytes.length, 0).then(({ bytesRead }) => {
      length = bytesRead;
    });
    await expect.poll(() => fs.kernel.vmstat().store_reads).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(length, "it waits for the cut").toBeUndefined();
    answer?.();
    await Promise.all([cut, read]);
    expect([length, bytes.toString("latin1", 0, 3)]).toEqual([2, "be?"]);
    expect(fs.readFileSync("/mnt/f", "latin1")).toBe("be");
    fs.kernel.verify();
  } finally {
    HOST_LATER.ftruncate = later;
    setup.dispose();
  }
});
