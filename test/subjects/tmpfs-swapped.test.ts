/** foliofs on tmpfs passes every suite while all that can be is in a swap area before each call. */
import { strict as assert } from "node:assert";
import { afterAll, afterEach, beforeAll, describe, it } from "vitest";
import { SUITES } from "../../src/testing/conformance/index.ts";
import type { Subject } from "../helpers/subject.ts";
import { loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createSwappedSubject } from "../helpers/swapped-out.ts";

let foliofs: Awaited<ReturnType<typeof loadFoliofs>>;
const subjects: Subject[] = [];
let nrSwappedIn = 0;

beforeAll(async () => {
  foliofs = await loadFoliofs();
});

function create(): Subject {
  const subject = createSwappedSubject(foliofs, undefined, () => nrSwappedIn++);
  subjects.push(subject);
  return subject;
}

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});
afterAll(() => assert.ok(nrSwappedIn > 100, `only ${nrSwappedIn} calls have brought something in`));

describe.each(Object.entries(SUITES))("tmpfs, swapped out: %s", (_, suite) => suite(create, it));
