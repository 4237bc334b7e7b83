import { describe, expect, it } from "vitest";
import { EIO, EMFILE } from "../../../../src/base/errno.ts";
import { FdCache } from "../../../../src/fs/hostfs/fd-cache.ts";

function create(max: number) {
  const closed: number[] = [];
  return { cache: new FdCache(max, (fd) => closed.push(fd)), closed };
}

describe("FdCache", () => {
  it("opens once, and closes what was used longest ago", () => {
    const { cache, closed } = create(2);
    cache.open("a", () => 10);
    cache.open("b", () => 11);
    expect(cache.open("a", () => 99)).toBe(10);
    cache.open("c", () => 12);
    expect(closed).toEqual([11]);
    expect([cache.find("a"), cache.find("b"), cache.find("c")]).toEqual([10, undefined, 12]);
  });

  it("spares what is kept, even over the limit, until it is let go", () => {
    const { cache, closed } = create(1);
    cache.open("a", () => 10);
    cache.keep("a");
    cache.open("b", () => 11);
    expect([cache.size, closed]).toEqual([2, []]);
    cache.open("c", () => 12);
    expect(closed).toEqual([11]);
    cache.letGo("a");
    expect(closed).toEqual([11, 10]);
  });

  it("shrinks when the host has no descriptor left, and tries again", () => {
    const { cache, closed } = create(8);
    for (let i = 0; i < 8; i++) cache.open(`${i}`, () => i);
    expect(cache.open("x", () => (closed.length < 5 ? -EMFILE : 50))).toBe(50);
    expect(closed).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("gives up when all that is left is kept, and on other errors at once", () => {
    const { cache, closed } = create(8);
    cache.open("a", () => 10);
    cache.keep("a");
    expect(cache.open("x", () => -EMFILE)).toBe(-EMFILE);
    cache.open("b", () => 11);
    expect(cache.open("x", () => -EIO)).toBe(-EIO);
    expect(closed).toEqual([]);
  });

  it("closes for a smaller limit, and everything at the end", () => {
    const { cache, closed } = create(4);
    for (let i = 0; i < 4; i++) cache.open(`${i}`, () => i);
    cache.max = 1;
    expect(closed).toEqual([0, 1, 2]);
    cache.keep("3");
    cache.closeAll();
    expect([closed, cache.size]).toEqual([[0, 1, 2, 3], 0]);
  });
});
