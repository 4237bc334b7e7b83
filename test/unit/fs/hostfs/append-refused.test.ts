/**
 * An append of which the host has bytes tells how many, whatever the host refuses from then on: an error would say that it has none, and
 * the caller would append them once more.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { HOST_LATER, HOST_NOW } from "../../../../src/fs/hostfs/host-steps.ts";
import type { FolioFs } from "../../../../src/index.ts";
import { failHost } from "../../../helpers/failing-host.ts";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";

const PAGE = 4096;
const BEFORE = "b".repeat(PAGE + 7);
const PIECES = [
  Buffer.alloc(5, "1"),
  Buffer.alloc(3 * PAGE, "2"),
  Buffer.alloc(PAGE + 1, "3"),
  Buffer.alloc(7 * PAGE, "4"),
];
const WHOLE = Buffer.concat(PIECES);

type Write = (fs: FolioFs, fd: number) => Promise<number>;

function promised(call: (done: (error: Error | null, count: number) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => call((error, count) => (error ? reject(error) : resolve(count))));
}

const WRITES: Readonly<Record<string, Write>> = {
  writeSync: async (fs, fd) => fs.writeSync(fd, WHOLE),
  writevSync: async (fs, fd) => fs.writevSync(fd, PIECES),
  write: (fs, fd) => promised((done) => fs.write(fd, WHOLE, done)),
  writev: (fs, fd) => promised((done) => fs.writev(fd, PIECES, done)),
};

/** Most bytes that the host takes in one call, as one does whose disk is nearly full. */
const TAKEN = 5000;

/** @returns what gives the host back its appetite */
function takeLittle(): () => void {
  const before = [HOST_NOW.writev, HOST_LATER.writev];
  const little = (views: readonly Uint8Array[]): Uint8Array[] => [views[0].subarray(0, TAKEN)];
  HOST_NOW.writev = ((fd: number, views: readonly Uint8Array[], ...rest: never[]) =>
    (before[0] as (...args: unknown[]) => number)(fd, little(views), ...rest)) as typeof HOST_NOW.writev;
  HOST_LATER.writev = ((fd: number, views: readonly Uint8Array[], ...rest: never[]) =>
    (before[1] as (...args: unknown[]) => void)(fd, little(views), ...rest)) as typeof HOST_LATER.writev;
  return () => {
    [HOST_NOW.writev, HOST_LATER.writev] = before as [typeof HOST_NOW.writev, typeof HOST_LATER.writev];
  };
}

interface Outcome {
  readonly told: number | string;
  /** What is in the file behind what was there before. */
  readonly added: string;
  readonly nrCalls: number;
}

/** @param from the host refuses its calls from this one on, while the append is under way */
async function outcomeOf(write: Write, options: string, from: number, isLittle: boolean): Promise<Outcome> {
  const setup = createHostfsMount("/dev/shm", { preallocate: true });
  const { fs, inside } = setup;
  nodeFs.writeFileSync(`${inside}/f`, BEFORE);
  setup.mount(options);
  const { vm } = fs.kernel;
  assert.ok(vm);
  vm.dirty_background_bytes = PAGE;
  vm.dirty_bytes = 2 * PAGE;
  const fd = fs.openSync("/mnt/f", "a");
  let nr = 0;
  const restore = isLittle ? takeLittle() : () => {};
  const host = failHost(() => (++nr >= from ? "EIO" : undefined));
  let told: number | string;
  try {
    told = await write(fs, fd).catch((error: NodeJS.ErrnoException) => String(error.code));
  } finally {
    host.restore();
    restore();
  }
  const nrCalls = nr;
  fs.kernel.verify?.();
  const added = fs.readFileSync("/mnt/f", "latin1").slice(BEFORE.length);
  fs.closeSync(fd);
  setup.dispose();
  return { told, added, nrCalls };
}

// With write-back it is fsync that tells what the host would not have.
describe.each(["cache=none", "cache=writethrough"])("hostfs %s", (cache) => {
  it.each(
    Object.keys(WRITES).flatMap((name) => [[name, "all", false] as const, [name, `${TAKEN} bytes`, true] as const]),
  )("an append tells what there is of it: %s, the host takes %s at a time", async (name, _much, isLittle) => {
    let nrRefused = 0;
    for (let n = 1, nrCalls = n; n <= nrCalls; n++) {
      const outcome = await outcomeOf(WRITES[name], `${cache},ttl=0,maxfds=1`, n, isLittle);
      nrCalls = outcome.nrCalls < n ? 0 : n + 1; // a call more may be made when one more is not refused
      const count = typeof outcome.told === "number" ? outcome.told : 0;
      const seen = `refused from ${n} on: ${outcome.told}, ${outcome.added.length} bytes added`;
      expect(outcome.added === WHOLE.toString("latin1", 0, count), seen).toBe(true);
      if (typeof outcome.told === "string") nrRefused++;
    }
    expect(nrRefused).toBeGreaterThan(0);
  });
});
