import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { anyNumber, bootCore, checkModel } from "../../helpers/core.ts";

interface Watcher {
  since: number;
  /** Errors that it has not been told of, the newest last. */
  unseen: number[];
}

const operation = fc.record({
  kind: fc.constantFrom("error", "open", "check", "check"),
  errno: fc.integer({ min: 1, max: 4095 }),
  which: anyNumber,
});

describe("errseq", () => {
  it("tells every watcher of the newest error once, and a new one of an error nobody has seen", () => {
    checkModel(operation, 300, (ops) => {
      const { x } = bootCore();
      let value = 0;
      let last = 0;
      let isSeen = true;
      const watchers: Watcher[] = [];
      for (const { kind, errno, which } of ops) {
        if (kind === "error") {
          value = x.errseqSet(value, errno) >>> 0;
          last = errno;
          isSeen = false;
          for (const { unseen } of watchers) unseen.push(errno);
        } else if (kind === "open") {
          watchers.push({ since: x.errseqSample(value) >>> 0, unseen: isSeen ? [] : [last] });
        } else if (watchers.length > 0) {
          const watcher = watchers[which % watchers.length];
          const error = x.errseqCheck(value, watcher.since);
          assert.equal(error, watcher.unseen.length > 0 ? -watcher.unseen[watcher.unseen.length - 1] : 0);
          if (error === 0) continue;
          value = x.errseqMarkSeen(value) >>> 0;
          watcher.since = value;
          watcher.unseen = [];
          isSeen = true;
        }
      }
    });
  });
});
