/** A file that is written to and cut at the same time: what is known of it is what the host has, whoever has answered last. */
import nodeFs from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { ScheduledHost } from "../../../helpers/scheduled-host.ts";

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
