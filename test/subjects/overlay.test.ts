/** An overlay in memory passes every suite, and so does the host's, but for what is named below. */
import { afterEach, beforeEach, describe, it } from "vitest";
import * as foliofs from "../../src/index.ts";
import { SUITES } from "../../src/testing/conformance/index.ts";
import { IS_DEBUG } from "../helpers/core.ts";
import type { Subject } from "../helpers/subject.ts";
import { createNodeOverlaySubject, missingForOverlays } from "../helpers/subject-node-overlay.ts";
import { createOverlaySubject, type OverlaySetup } from "../helpers/subject-overlay.ts";

const SETUPS: Readonly<Record<string, OverlaySetup>> = {
  "in two lower layers, data stay below": { lowers: 2, isRootBelow: true, options: "metacopy=on,index=on" },
  "what the first calls have made is below, and its data stay there": {
    lowers: 1,
    isRootBelow: false,
    sunkAfter: 2,
    options: "metacopy=on,index=on",
  },
  "in the upper layer": { lowers: 1, isRootBelow: false },
  "in a directory of two lower layers": { lowers: 2, isRootBelow: true, options: "redirect_dir=on,index=on,xino=on" },
  ...Object.fromEntries(
    [1, 2, 3, 5].map((sunkAfter) => [
      `what the first calls have made is below, ${sunkAfter} of them`,
      { lowers: 1, isRootBelow: false, sunkAfter, options: "redirect_dir=on,index=on" },
    ]),
  ),
};

/** Cases by their names, and why they cannot pass. */
type Skipped = Readonly<Record<string, string>>;

const ONE_LINK = "a directory with parts in several layers has one link, and its size is that of its upper part";
const OWN_WHITEOUTS = "whiteouts are the overlay's own: EINVAL";
const COPIED_UP = "the directory that it works in is copied up with the first change, and stays so";
const KEPT_BELOW = "what is in a lower layer stays there";
const NO_ATIME = "lower files are not told that they have been read";
const COPY_UP = "to copy up changes the time of the last change of state, and reading tells the copy";
const OTHER_MOUNT = "an overlay that has been mounted again has another device number";

const SKIPPED: Skipped = {
  "exchanges two names with RENAME_EXCHANGE, whatever they are": ONE_LINK,
  "leaves a whiteout with RENAME_WHITEOUT: a character device 0:0 without permissions": OWN_WHITEOUTS,
  "keeps the order of names with RENAME_WHITEOUT: first the name that moved, then its whiteout": OWN_WHITEOUTS,
};
/** As SKIPPED, where what cases work in is below. */
const SKIPPED_BELOW: Skipped = {
  "frees data, inodes and names with the last link and the last descriptor": COPIED_UP,
  "frees whole trees by rm -r": COPIED_UP,
};
/** As SKIPPED, where what cases have made is laid below. */
const SKIPPED_SUNK: Skipped = {
  "frees data, inodes and names with the last link and the last descriptor": KEPT_BELOW,
  "frees whole trees by rm -r": KEPT_BELOW,
  "frees what it replaces": KEPT_BELOW,
  "lets nothing be made in a directory that is gone, though it is open": KEPT_BELOW, // with its links
  "keeps an open file readable after its name is taken over": KEPT_BELOW,
  "counts 20 bytes for each entry, and no blocks": ONE_LINK,
  "counts two links for a new directory, and one more for each in it": ONE_LINK,
  "moves a directory with all that is in it, and its ..": ONE_LINK,
  "changes atime of the directory": NO_ATIME,
  "changes atime of the link by reading it": NO_ATIME,
  "moves atime once, and again only after a write or a day (relatime)": NO_ATIME,
  "on a file: copyFile from": NO_ATIME,
  "on a file: read": NO_ATIME,
  "on a file: read at the end": NO_ATIME,
  "on a file: readFile": NO_ATIME,
  "on a file: fsync": COPY_UP,
  "on a file: open for writing": COPY_UP,
  "on a file: write of nothing": COPY_UP,
  "leaves the directory alone when a file in it changes": COPY_UP,
  "keeps the time of birth": "a copy is as old as it is",
  "gives the same by path, by descriptor and by FileHandle": OTHER_MOUNT,
  "has one device for all of a file system": OTHER_MOUNT,
};
/** As SKIPPED, of the host's. */
const SKIPPED_ON_HOST: Skipped = {
  "on a file: copyFile from": "copy_file_range of an overlay of the host does not tell that it has been read",
  "opens directories in the order of the directory: newest first":
    "names of a directory of several layers come in another order",
};

const subjects: Subject[] = [];

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});

function runOn(createSubject: (setup: OverlaySetup) => Subject, setup: OverlaySetup, skipped: Skipped): void {
  beforeEach((context) => {
    const { name } = context.task;
    const reason =
      SKIPPED[name] ??
      skipped[name] ??
      (setup.isRootBelow ? SKIPPED_BELOW[name] : undefined) ??
      (setup.sunkAfter === undefined ? undefined : SKIPPED_SUNK[name]);
    if (reason !== undefined) context.skip(reason);
  });

  function create(): Subject {
    const subject = createSubject(setup);
    subjects.push(subject);
    return subject;
  }

  describe.each(Object.entries(SUITES))("%s", (_suite, suite) => suite(create, it));
}

describe.each(Object.entries(SETUPS))("overlay, %s", (_name, setup) => {
  runOn((each) => createOverlaySubject(foliofs, each), setup, {});
});

/** Each mount is a process there, which takes time; and no core of ours has a part in it, so that one of them is enough. */
const ON_HOST = Object.entries(SETUPS).filter(([, { sunkAfter = 2 }]) => sunkAfter === 2);

describe.skipIf(missingForOverlays() || !IS_DEBUG).each(ON_HOST)("overlay of the host, %s", (_name, setup) => {
  runOn(createNodeOverlaySubject, setup, SKIPPED_ON_HOST);
});
