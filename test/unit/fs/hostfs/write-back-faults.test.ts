/**
 * Faults of the host at random calls, while several chains work on the same files with cache=writeback. Whatever has failed,
 * memory is sound, the mount goes on when the host is itself again, and nothing of it stays open after umount.
 *
 * fast-check prints seed and path of a failure, and shrinks it. FOLIO_RUNS=n for more of them.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { failHost } from "../../../helpers/failing-host.ts";
import { createHostfsMount, type HostfsMount, openDescriptors } from "../../../helpers/hostfs-mount.ts";

const NR_RUNS = Number(process.env.FOLIO_RUNS ?? 60);
const NAMES = ["a", "b", "c"];
const CODES = ["EIO", "ENOSPC", "EMFILE", "EACCES", "ESTALE"];
const NR_CHAINS = 3;

type Work = (fs: FolioFs, path: string, other: string, size: number) => unknown;

const WORKS: readonly Work[] = [
  (fs, path, _, size) => fs.writeFileSync(path, Buffer.alloc(size, 1)),
  (fs, path, _, size) => fs.promises.writeFile(path, Buffer.alloc(size, 2)),
  (fs, path, _, size) => fs.promises.appendFile(path, Buffer.alloc(size, 3)),
  (fs, path, _, size) => fs.promises.truncate(path, size),
  (fs, path) => fs.unlinkSync(path),
  (fs, path, other) => fs.promises.rename(path, other),
  (fs, path) => fs.promises.readFile(path),
  (fs, path, _, size) => fs.promises.chmod(path, 0o600 | (size & 0o77)),
  (fs) => fs.kernel.dropCaches(3),
  (fs) => fs.kernel.syncAsync(),
  async (fs, path, _, size) => {
    const handle = await fs.promises.open(path, "r+");
    try {
      await handle.write(Buffer.alloc(5000, 4), 0, 5000, size);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
];

const step = fc.tuple(
  fc.nat(NR_CHAINS - 1),
  fc.nat(WORKS.length - 1),
  fc.nat(NAMES.length - 1),
  fc.nat(NAMES.length - 1),
  fc.nat(20_000),
);
type Step = readonly [chain: number, work: number, name: number, other: number, size: number];
/** Which calls of the host fail, and how. */
const faults = fc.array(fc.tuple(fc.nat(400), fc.nat(CODES.length - 1)), { maxLength: 30 });

async function runChain(fs: FolioFs, steps: readonly Step[]): Promise<void> {
  for (const [, work, name, other, size] of steps) {
    try {
      await WORKS[work](fs, `/mnt/${NAMES[name]}`, `/mnt/${NAMES[other]}`, size);
    } catch (error) {
      assert.equal(typeof (error as NodeJS.ErrnoException).errno, "number", String(error)); // an error of the file system
    }
  }
}

async function checkAfter({ fs, inside }: HostfsMount): Promise<void> {
  fs.kernel.verify?.();
  await fs.kernel.syncAsync().catch(() => {}); // what has failed before may be told
  const text = "written by a host that works ";
  for (const name of NAMES) fs.writeFileSync(`/mnt/${name}`, text.repeat(300));
  fs.kernel.sync();
  for (const name of NAMES) assert.equal(nodeFs.readFileSync(`${inside}/${name}`, "utf8"), text.repeat(300));
  fs.kernel.verify?.();
  fs.kernel.umount("/mnt");
}

it("leave a mount that goes on", { timeout: 300_000 }, async () => {
  const options = fc.record({
    ttl: fc.constantFrom(0, 1000),
    maxfds: fc.integer({ min: 1, max: 6 }),
    isLittle: fc.boolean(),
  });
  const property = fc.asyncProperty(
    options,
    fc.array(step, { minLength: 5, maxLength: 60 }),
    faults,
    async ({ ttl, maxfds, isLittle }, steps, failures) => {
      const before = openDescriptors();
      const setup = createHostfsMount();
      const codes = new Map(failures);
      let nrCalls = 0;
      setup.mount(`cache=writeback,ttl=${ttl},maxfds=${maxfds}`);
      const { vm } = setup.fs.kernel;
      if (isLittle && vm) {
        vm.dirty_background_bytes = 4096;
        vm.dirty_bytes = 16384;
      }
      const failing = failHost(() => CODES[codes.get(nrCalls++) ?? -1]);
      try {
        const chains = Array.from({ length: NR_CHAINS }, (_, i) => steps.filter(([chain]) => chain === i));
        await Promise.all(chains.map((own) => runChain(setup.fs, own)));
        failing.restore();
        await checkAfter(setup);
        // What is tried once in a process (host-memory.ts) may have its file open still.
        for (let i = 0; i < 400 && openDescriptors() > before; i++) await sleep(5);
        assert.ok(openDescriptors() <= before, "descriptors are left open");
      } finally {
        failing.restore();
        setup.dispose();
      }
    },
  );
  await fc.assert(property, { numRuns: NR_RUNS });
});
