/** Changes of attributes by path, whose file gets another name while the host makes them: they are that file's, and no other's. */
import nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { type HostCallName, ScheduledHost } from "../../../helpers/scheduled-host.ts";

interface Change {
  /** What the host is asked for. */
  readonly effect: HostCallName;
  make(promises: FolioFs["promises"], path: string): Promise<unknown>;
  /** What shows whether it has been made. */
  seen(stats: nodeFs.Stats): unknown;
}

const CHANGES: Readonly<Record<string, Change>> = {
  "open with O_TRUNC": {
    effect: "ftruncate",
    make: (promises, path) => promises.open(path, "w"),
    seen: ({ size }) => size,
  },
  writeFile: { effect: "ftruncate", make: (promises, path) => promises.writeFile(path, ""), seen: ({ size }) => size },
  chmod: { effect: "fchmod", make: (promises, path) => promises.chmod(path, 0o600), seen: ({ mode }) => mode & 0o777 },
  chown: { effect: "lchown", make: (promises, path) => promises.chown(path, 7, 7), seen: ({ uid }) => uid },
  utimes: { effect: "lutimes", make: (promises, path) => promises.utimes(path, 5, 6), seen: ({ mtimeMs }) => mtimeMs },
};

/** Who gives the file another name, and that to another file. */
const RENAMERS: Readonly<Record<string, (setup: HostfsMount) => Promise<void>>> = {
  "a call of ours": async ({ fs: { promises } }) => {
    await promises.rename("/mnt/a", "/mnt/b");
    await promises.rename("/mnt/c", "/mnt/a");
  },
  "another process": async ({ inside }) => {
    nodeFs.renameSync(`${inside}/a`, `${inside}/b`);
    nodeFs.renameSync(`${inside}/c`, `${inside}/a`);
  },
};

/** What is made by name on the host another process may come between (docs/hostfs.md). */
function changesBeside(who: string): [string, Change][] {
  return Object.entries(CHANGES).filter(([, { effect }]) => who !== "another process" || effect.startsWith("f"));
}

const NR_SEEDS = 5;

describe.each(["cache=writethrough", "cache=writeback", "cache=none"])("hostfs, %s", (cache) => {
  describe.each(Object.entries(RENAMERS))("while %s renames", (who, rename) => {
    it.each(changesBeside(who))("%s changes the file that it has found", async (_name, { effect, make, seen }) => {
      for (let seed = 0; seed < NR_SEEDS; seed++) {
        const setup = createHostfsMount();
        const { inside, fs } = setup;
        for (const name of ["a", "c"]) nodeFs.writeFileSync(`${inside}/${name}`, name, { mode: 0o644 });
        const before = seen(nodeFs.statSync(`${inside}/c`));
        setup.mount(`${cache},ttl=1000000`);
        fs.readdirSync("/mnt");
        let isAsked = false;
        const host = new ScheduledHost(seededRandom(seed), ({ name }) => {
          isAsked ||= name === effect;
          return undefined;
        });
        try {
          const made = make(fs.promises, "/mnt/a");
          while (!isAsked) await host.turn();
          await rename(setup);
          await made;
          expect(nodeFs.readdirSync(inside).sort(), `seed ${seed}`).toEqual(["a", "b"]);
          expect(seen(nodeFs.statSync(`${inside}/a`)), `the other file, seed ${seed}`).toBe(before);
          expect(seen(nodeFs.statSync(`${inside}/b`)), `the file, seed ${seed}`).not.toBe(before);
          fs.kernel.verify?.();
        } finally {
          host.restore();
          setup.dispose();
        }
      }
    });
  });
});
