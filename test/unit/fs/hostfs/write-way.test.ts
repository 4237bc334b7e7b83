/**
 * A promise call is made again after each wait, and goes on the way that it has begun to write by, through or by pages: else its
 * bytes are appended twice. The host refuses each of its open() in turn, after which files are only written by, until they are
 * opened anew; and after each of its answers the descriptors of the call are closed to make room.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { expect, it } from "vitest";
import { HOST_LATER } from "../../../../src/fs/hostfs/host-steps.ts";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { type HostCallName, ScheduledHost } from "../../../helpers/scheduled-host.ts";

const PAGE = 4096;
const BEFORE = "b".repeat(PAGE + 7);
const PIECES = ["one ", "two ", "three "];
const LONG = "l".repeat(12 * PAGE);

interface Outcome {
  readonly code: string | undefined;
  readonly count: number | undefined;
  readonly content: string;
  /** How often the host has been asked to open the file. */
  readonly nrOpens: number;
}

/** Does something after each answer of the host, before a call hears of it. */
function afterAnswers(then: () => void): void {
  for (const name of Object.keys(HOST_LATER) as HostCallName[]) {
    const later = HOST_LATER[name] as (...args: unknown[]) => void;
    HOST_LATER[name] = (...args: unknown[]) => {
      const done = args.at(-1) as (...answer: unknown[]) => void;
      later(...args.slice(0, -1), (...answer: unknown[]) => {
        done(...answer);
        then();
      });
    };
  }
}

/** @returns bytes that have been written; undefined = all */
type Append = (fs: FolioFs) => Promise<number | undefined>;

/** @param refused which of the open() fail, from 1 on */
async function outcomeOf(append: Append, seed: number, refused: (nr: number) => boolean): Promise<Outcome> {
  const setup = createHostfsMount("/dev/shm", { preallocate: true });
  const { fs, inside } = setup;
  for (const name of ["f", "g", "h"]) nodeFs.writeFileSync(`${inside}/${name}`, BEFORE);
  setup.mount("cache=writeback,ttl=100000,maxfds=1");
  const { vm } = fs.kernel;
  assert.ok(vm);
  vm.dirty_background_bytes = PAGE;
  vm.dirty_bytes = 2 * PAGE;
  let nrOpens = 0;
  const host = new ScheduledHost(seededRandom(seed), ({ name, path }) =>
    name === "open" && path.endsWith("/f") && refused(++nrOpens) ? "EACCES" : undefined,
  );
  afterAnswers(() =>
    host.unnoticed(() => {
      for (const name of ["g", "h"]) fs.closeSync(fs.openSync(`/mnt/${name}`, "r"));
    }),
  );
  try {
    let isOver = false;
    const answer = append(fs).finally(() => {
      isOver = true;
    });
    answer.catch(() => {}); // it is looked at below
    while (!isOver) await host.turn();
    await host.rest(() => true);
    host.restore();
    fs.kernel.sync();
    fs.kernel.verify?.();
    const [{ value, reason }] = (await Promise.allSettled([answer])) as { value?: number; reason?: { code: string } }[];
    return { code: reason?.code, count: value, content: nodeFs.readFileSync(`${inside}/f`, "latin1"), nrOpens };
  } finally {
    host.restore();
    setup.dispose();
  }
}

function appendFile(text: string): Append {
  return async ({ promises }) => {
    await promises.appendFile("/mnt/f", text);
    return undefined;
  };
}

const APPENDS: Readonly<Record<string, readonly [text: string, append: Append]>> = {
  appendFile: [PIECES[0], appendFile(PIECES[0])],
  writev: [
    PIECES.join(""),
    async ({ promises }) => {
      const handle = await promises.open("/mnt/f", "a");
      const written = handle.writev(PIECES.map((piece) => Buffer.from(piece)));
      return (await written.finally(() => handle.close())).bytesWritten;
    },
  ],
  "appendFile of more than may be dirty": [LONG, appendFile(LONG)],
};

it.each(Object.entries(APPENDS))("%s appends once, whichever open() is refused", async (_name, [text, append]) => {
  let nrWritten = 0;
  for (const seed of [1, 2, 3]) {
    for (let n = 1, nrOpens = n; n <= nrOpens; n++) {
      const { code, count, content, nrOpens: nr } = await outcomeOf(append, seed, (one) => one === n);
      nrOpens = nr;
      const expected = BEFORE + (code === undefined ? text.slice(0, count) : "");
      const seen = `seed ${seed}, ${n} of ${nrOpens}: ${code}, ${content.length} bytes for ${expected.length}`;
      expect(content === expected, seen).toBe(true);
      if (code === undefined) nrWritten++;
    }
  }
  expect(nrWritten).toBeGreaterThan(2);
});
