/**
 * Streams over files, on foliofs and on node:fs over a tmpfs: the same scripts give the same events in the same order,
 * with the same state at each, the same errors and bytes.
 *
 * FOLIO_SEED starts the random ones from a given seed, FOLIO_RANDOM_MS says how long they run.
 */
import nodeFs from "node:fs";
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest";
import type { Subject } from "../helpers/subject.ts";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import { linesOf, type Script } from "./streams/log.ts";
import { randomRead } from "./streams/random-reads.ts";
import { randomWrite } from "./streams/random-writes.ts";
import { SCRIPTS } from "./streams/scripts.ts";
import { UTF8_SCRIPTS, utf8ClassOf } from "./streams/utf8-scripts.ts";
import { isFollowedVersion } from "./versions.ts";

const FIRST_SEED = Number(process.env.FOLIO_SEED ?? Date.now() % 2 ** 31);
const RANDOM_MS = Number(process.env.FOLIO_RANDOM_MS ?? 10_000) / 2;

let oracle: Subject;
let subject: Subject;

beforeAll(async () => {
  oracle = createNodeFsSubject();
  subject = createFoliofsSubject(await loadFoliofs(), oracle.root);
});

afterEach(() => {
  subject.kernel?.verify?.();
});

afterAll(() => {
  oracle?.dispose();
  subject?.dispose();
});

/** Scripts that run at once: most of their time is waiting. */
const BATCH = 20;

/** @param directory name of a directory for this script alone */
async function compare(script: Script, directory = "streams"): Promise<void> {
  const [expected, actual] = await Promise.all(
    [oracle, subject].map(({ fs, root }) => linesOf(script, fs, `${root}/${directory}`)),
  );
  assert.deepEqual(actual, expected, script.name);
}

/**
 * As compare(), of scripts that have run beside many others. Where one differs it runs again, alone: on a busy machine the end of a
 * script may be waited for in vain, which says nothing.
 */
async function compareAll(scripts: readonly Script[]): Promise<void> {
  const differ: Script[] = [];
  await Promise.all(scripts.map((script, i) => compare(script, `streams-${i}`).catch(() => void differ.push(script))));
  for (const script of differ) {
    await compare(script)
      .catch(() => compare(script))
      .catch(() => compare(script));
  }
}

describe("streams", () => {
  it.each(SCRIPTS)("$name", (script) => compare(script));
});

describe.runIf(utf8ClassOf(nodeFs) !== undefined)("Utf8Stream, where Node has it", () => {
  // Node 24 says in other words of what kind data must be.
  const scripts = UTF8_SCRIPTS.filter(({ name }) => isFollowedVersion() || name !== "Utf8Stream: limits");
  it.each(scripts)("$name", (script) => compare(script));
});

describe("streams at random", () => {
  it.each([
    ["reads", randomRead],
    ["writes", randomWrite],
  ])("are Node's: %s", async (_name, make) => {
    console.log(`streams: FOLIO_SEED=${FIRST_SEED}`);
    const end = Date.now() + RANDOM_MS;
    let seed = FIRST_SEED;
    for (; Date.now() < end; seed += BATCH) {
      await compareAll(Array.from({ length: BATCH }, (_, i) => make(seed + i)));
      subject.kernel?.verify?.();
    }
    console.log(`streams: ${seed - FIRST_SEED} scripts`);
    assert.isAbove(seed, FIRST_SEED);
  });
});
