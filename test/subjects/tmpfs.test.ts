/** foliofs on its tmpfs, the default root, passes every suite. */
import { afterEach, beforeAll, describe, it } from "vitest";
import { SUITES } from "../../src/testing/conformance/index.ts";
import type { Subject } from "../helpers/subject.ts";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";

let foliofs: Awaited<ReturnType<typeof loadFoliofs>>;
const subjects: Subject[] = [];

beforeAll(async () => {
  foliofs = await loadFoliofs();
});

function create(): Subject {
  const subject = createFoliofsSubject(foliofs);
  subjects.push(subject);
  return subject;
}

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});

describe.each(Object.entries(SUITES))("tmpfs: %s", (_, suite) => suite(create, it));
