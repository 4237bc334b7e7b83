/** What reads of stored files tell the LRU lists: one reference for each page and read (mark_page_accessed). */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { pageFlags } from "../../../src/mm/page.ts";
import { PG_ACTIVE, PG_REFERENCED } from "../../../src/wasm/layout.ts";
import { pread, preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE } from "../../helpers/mock-store.ts";

/** "-" not referenced, "r" once, "a" active. */
function states({ kernel, inode }: Scene, nrPages: number): string {
  return Array.from({ length: nrPages }, (_, index) => {
    const flags = pageFlags(kernel.core, kernel.core.x.findPage(inode, index));
    return flags & PG_ACTIVE ? "a" : flags & PG_REFERENCED ? "r" : "-";
  }).join("");
}

describe("a stored read", () => {
  it("refers once to each page that it has bytes of, and not to those read ahead", () => {
    const all = storeScene(4 * PAGE);
    pread(all, 0, PAGE + 1);
    assert.equal(states(all, 4), "rr--");
    pread(all, 0, 4 * PAGE);
    assert.equal(states(all, 4), "aarr");
  });

  it("in small steps through a page refers to it once", () => {
    const all = storeScene(4 * PAGE);
    for (let position = 0; position < 2 * PAGE; position += 100) pread(all, position, 100);
    assert.equal(states(all, 4), "rrr-");
    pread(all, 3 * PAGE, 1);
    pread(all, 0, 1); // from elsewhere: another reference
    assert.equal(states(all, 4), "arrr");
  });

  it("refers once, too, when it has to wait in between", async () => {
    const all = storeScene(40 * PAGE, { isAsync: true, raPages: 4 });
    const read = preadLater(all, 0, 40 * PAGE);
    await all.store.answerAll();
    await read;
    assert.equal(states(all, 40), "r".repeat(40));
  });
});
