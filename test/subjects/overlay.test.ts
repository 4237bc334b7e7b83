/** An overlay in memory passes every suite, but for what SKIPPED names. */
import { afterEach, beforeEach, describe } from "vitest";
import * as foliofs from "../../src/index.ts";
import { SUITES } from "../conformance/index.ts";
import type { Subject } from "../helpers/subject.ts";
import { createOverlaySubject, type OverlaySetup } from "../helpers/subject-overlay.ts";

const SETUPS: Readonly<Record<string, OverlaySetup>> = {
  "overlay, in the upper layer": { lowers: 1, isRootBelow: false },
  "overlay, in a directory of two lower layers": {
    lowers: 2,
    isRootBelow: true,
    options: "redirect_dir=on,index=on,xino=on",
  },
};

/** Cases by their names, and why they cannot pass. */
const SKIPPED: Readonly<Record<string, string>> = {
  "exchanges two names with RENAME_EXCHANGE, whatever they are":
    "a directory with parts in several layers has one link, as on Linux: it counts those of the root",
  "leaves a whiteout with RENAME_WHITEOUT: a character device 0:0 without permissions":
    "whiteouts are the overlay's own: EINVAL, as on Linux",
  "keeps the order of names with RENAME_WHITEOUT: first the name that moved, then its whiteout":
    "whiteouts are the overlay's own: EINVAL, as on Linux",
};
/** As SKIPPED, where what cases work in is below. */
const SKIPPED_BELOW: Readonly<Record<string, string>> = {
  "frees data, inodes and names with the last link and the last descriptor":
    "the directory that it works in is copied up with the first change, and stays so",
  "frees whole trees by rm -r": "the directory that it works in is copied up with the first change, and stays so",
};

const subjects: Subject[] = [];

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});

describe.each(Object.entries(SETUPS))("%s", (_name, setup) => {
  beforeEach((context) => {
    const { name } = context.task;
    const reason = SKIPPED[name] ?? (setup.isRootBelow ? SKIPPED_BELOW[name] : undefined);
    if (reason !== undefined) context.skip(reason);
  });

  function create(): Subject {
    const subject = createOverlaySubject(foliofs, setup);
    subjects.push(subject);
    return subject;
  }

  describe.each(Object.entries(SUITES))("%s", (_suite, suite) => suite(create));
});
