/** foliofs on tmpfs passes every suite while all that can be is in a swap area before each call. */
import { strict as assert } from "node:assert";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import type { FolioFs } from "../../src/index.ts";
import { SUITES } from "../conformance/index.ts";
import type { Subject } from "../helpers/subject.ts";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";
import { swappedOut } from "../helpers/swapped-out.ts";

let foliofs: Awaited<ReturnType<typeof loadFoliofs>>;
const subjects: Subject[] = [];
let nrSwappedIn = 0;

beforeAll(async () => {
  foliofs = await loadFoliofs();
});

function create(): Subject {
  const subject = createFoliofsSubject(foliofs);
  subjects.push(subject);
  const top = subject.fs as unknown as FolioFs;
  const fs = swappedOut(top, subject.fs, () => nrSwappedIn++);
  const { kernel: _, ...rest } = subject; // pages in memory are counted by it, and these are not
  return { ...rest, fs };
}

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});
afterAll(() => assert.ok(nrSwappedIn > 100, `only ${nrSwappedIn} calls have brought something in`));

describe.each(Object.entries(SUITES))("tmpfs, swapped out: %s", (_, suite) => suite(create));
