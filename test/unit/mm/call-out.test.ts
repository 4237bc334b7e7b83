/** The page cache as operations get it: a promise call's own progress is none of theirs, all else is the kernel's. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { InodeHandle } from "../../../src/base/handles.ts";
import type { PageCache } from "../../../src/mm/address-space.ts";
import { askStore, callOut } from "../../../src/mm/call-out.ts";

/** A cache that notes what it is asked for. */
function noting(mayWait: boolean): { cache: PageCache; log: unknown[] } {
  const log: unknown[] = [];
  const cache = {
    mayWait,
    progress: { abandon() {} },
    owner: { name: "owner" },
    core: { name: "core" },
    pageReads: { name: "pageReads" },
    bdiOf: (inode: number) => log.push(["bdiOf", inode]) && undefined,
    setWaitToken: (token: unknown) => log.push(["setWaitToken", token]),
    room: (rc: number) => log.push(["room", rc]) && rc - 1,
    nested: (work: () => unknown) => log.push(["nested"]) && work(),
  };
  return { cache: cache as unknown as PageCache, log };
}

describe("an operation of a call that may wait", () => {
  it("has all of the kernel's, but not the call's progress", () => {
    const { cache, log } = noting(true);
    const token = Promise.resolve();
    const answer = callOut(cache, (seen) => {
      assert.deepEqual([seen.mayWait, seen.progress], [true, undefined]);
      assert.deepEqual([seen.owner, seen.core, seen.pageReads], [cache.owner, cache.core, cache.pageReads]);
      assert.equal(seen.bdiOf(7 as InodeHandle), undefined);
      seen.setWaitToken(token);
      assert.equal(seen.room(-12), -13);
      return seen.nested(() => "done");
    });
    assert.equal(answer, "done");
    assert.deepEqual(log, [["nested"], ["bdiOf", 7], ["setWaitToken", token], ["room", -12], ["nested"]]);
  });
});

it("an operation of a call that may not wait has the cache itself; one that throws is EIO", () => {
  const { cache } = noting(false);
  assert.equal(
    callOut(cache, (seen) => seen),
    cache,
  );
  const broken = (): number => {
    throw new Error("broken");
  };
  assert.equal(askStore(cache, broken), -5);
});
