/** A mount that comes to an end while calls wait for its host, and another in its place, whose inodes have the same handles. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { expect, it } from "vitest";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";
import { type Random, seededRandom } from "../../../helpers/random.ts";
import { ScheduledHost } from "../../../helpers/scheduled-host.ts";

const NR_TURNS = 8;
const NAMES = ["a", "b"];
const FILES = NAMES.flatMap((dir) => NAMES.map((name) => `${dir}/${name}`));
const PATHS = [...NAMES, ...FILES];

/** Looks at some of the names, so that their inodes get handles in that order, and pages. */
function lookAt({ fs }: HostfsMount, random: Random): void {
  for (let i = random(4); i > 0; i--) {
    const path = `/mnt/${PATHS[random(PATHS.length)]}`;
    if (fs.statSync(path).isFile()) fs.readFileSync(path);
  }
}

/** @returns whether there was another mount `nrTurns` after the call had begun */
async function remountDuring(
  setup: HostfsMount,
  host: ScheduledHost,
  random: Random,
  call: () => Promise<unknown>,
): Promise<boolean> {
  const promise = call();
  for (let i = random(NR_TURNS); i > 0; i--) await host.turn();
  let isDone = true;
  try {
    setup.fs.kernel.umount("/mnt");
    setup.mount("ttl=1000000");
    lookAt(setup, random);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "EBUSY");
    isDone = false;
  }
  await promise;
  return isDone;
}

it.each(Array.from({ length: 8 }, (_, i) => i))(
  "changes the file that was meant, whenever that is: seed %i",
  async (seed) => {
    const random = seededRandom(seed);
    let nrRemounted = 0;
    for (let i = 0; i < 40; i++) {
      const setup = createHostfsMount();
      for (const path of PATHS) {
        if (path.includes("/")) nodeFs.writeFileSync(`${setup.inside}/${path}`, path, { mode: 0o644 });
        else nodeFs.mkdirSync(`${setup.inside}/${path}`, { mode: 0o755 });
      }
      setup.mount("ttl=1000000");
      const host = new ScheduledHost(random, () => undefined);
      try {
        lookAt(setup, random);
        const meant = FILES[random(FILES.length)];
        setup.fs.readFileSync(`/mnt/${meant}`); // what has pages is looked at before it is changed
        if (await remountDuring(setup, host, random, () => setup.fs.promises.chmod(`/mnt/${meant}`, 0o700)))
          nrRemounted++;
        const changed = PATHS.filter((path) => (nodeFs.statSync(`${setup.inside}/${path}`).mode & 0o777) === 0o700);
        expect(changed).toEqual([meant]);
        setup.fs.kernel.verify?.();
      } finally {
        host.restore();
        setup.dispose();
      }
    }
    expect(nrRemounted).toBeGreaterThan(2);
  },
);

it("shows what has been changed, though the inode has been dropped meanwhile", async () => {
  for (let nrTurns = 0; nrTurns < NR_TURNS; nrTurns++) {
    const setup = createHostfsMount();
    const { fs } = setup;
    nodeFs.writeFileSync(`${setup.inside}/f`, "", { mode: 0o644 });
    setup.mount("ttl=1000000");
    const changes: string[] = [];
    const host = new ScheduledHost(seededRandom(nrTurns), ({ name }) => {
      if (name === "fchmod") changes.push(name);
      return undefined;
    });
    try {
      const promise = fs.promises.chmod("/mnt/f", 0o600);
      for (let i = 0; i < nrTurns; i++) await host.turn();
      fs.kernel.dropCaches(3);
      fs.statSync("/mnt/f");
      await promise;
      expect(fs.statSync("/mnt/f").mode & 0o777, `after ${nrTurns} turns`).toBe(0o600);
      expect(changes).toEqual(["fchmod"]);
    } finally {
      host.restore();
      setup.dispose();
    }
  }
});
