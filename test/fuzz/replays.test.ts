/**
 * What the fuzzer has found once stays mended: each file of replays/ on the file systems that it may be run on. The kernel's answers
 * are in the file.
 */
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { createSubject, readReplay, replayOn, showCall } from "../../src/fuzz.ts";

const FOLDER = new URL("./replays/", import.meta.url);

describe("replays", () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".jsonl"))) {
    it(file, async () => {
      const replay = readReplay(readFileSync(new URL(file, FOLDER), "utf8"));
      const { subject, tasks, detail } = replay.head;
      const difference = await replayOn(await createSubject(subject, { tasks, detail, root: "" }), replay);
      assert.equal(difference, undefined, showCall(replay.calls[difference?.at ?? 0]));
    });
  }
});
