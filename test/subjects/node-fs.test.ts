/** node:fs on the host's tmpfs: the oracle passes every suite, but for what its cases name when they skip. */
import { afterEach, describe, it } from "vitest";
import { SUITES } from "../../src/testing/conformance/index.ts";
import type { Subject } from "../helpers/subject.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";

const subjects: Subject[] = [];

function create(): Subject {
  const subject = createNodeFsSubject();
  subjects.push(subject);
  return subject;
}

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});

describe.each(Object.entries(SUITES))("node:fs: %s", (_, suite) => suite(create, it));
