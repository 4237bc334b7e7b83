import { describe, expect, it } from "vitest";
import { EIO, EMFILE } from "../../../../src/base/errno.ts";
import { FdCache, type Lent } from "../../../../src/fs/hostfs/fd-cache.ts";
import { runNow, type Steps } from "../../../../src/fs/hostfs/host-steps.ts";

// biome-ignore lint/correctness/useYield: no host is asked
function* steps(make: () => number): Steps<number> {
  return make();
}

function create(max: number) {
  const closed: number[] = [];
  const cache = new FdCache(max, (fd) => closed.push(fd));
  const take = (key: string, make: () => number) => runNow(cache.take(key, () => steps(make)));
  /** Opens, and gives back at once. */
  const open = (key: string, make: () => number): number => {
    const lent = take(key, make);
    if (typeof lent === "number") return lent;
    cache.giveBack(lent);
    return lent.fd;
  };
  return { cache, closed, open, take };
}

describe("FdCache", () => {
  it("opens once, and closes what was used longest ago", () => {
    const { cache, closed, open } = create(2);
    open("a", () => 10);
    open("b", () => 11);
    expect(open("a", () => 99)).toBe(10);
    open("c", () => 12);
    expect(closed).toEqual([11]);
    expect([cache.find("a"), cache.find("b"), cache.find("c")]).toEqual([10, undefined, 12]);
  });

  it("closes what is opened after all was closed when it is given back", () => {
    const { cache, closed, take } = create(2);
    cache.closeAll();
    const lent = take("a", () => 10) as Lent;
    expect(closed).toEqual([]);
    cache.giveBack(lent);
    cache.add("b", 11);
    expect([closed, cache.size]).toEqual([[10, 11], 0]);
  });

  it("spares what is kept, even over the limit, until it is let go", () => {
    const { cache, closed, open } = create(1);
    open("a", () => 10);
    cache.keep("a");
    open("b", () => 11);
    expect([cache.size, closed]).toEqual([2, []]);
    open("c", () => 12);
    expect(closed).toEqual([11]);
    cache.letGo("a");
    expect(closed).toEqual([11, 10]);
  });

  it("shrinks when the host has no descriptor left, and tries again", () => {
    const { closed, open } = create(8);
    for (let i = 0; i < 8; i++) open(`${i}`, () => i);
    expect(open("x", () => (closed.length < 5 ? -EMFILE : 50))).toBe(50);
    expect(closed).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("gives up when all that is left is kept, and on other errors at once", () => {
    const { cache, closed, open } = create(8);
    open("a", () => 10);
    cache.keep("a");
    expect(open("x", () => -EMFILE)).toBe(-EMFILE);
    open("b", () => 11);
    expect(open("x", () => -EIO)).toBe(-EIO);
    expect(closed).toEqual([]);
  });

  it("closes for a smaller limit, and everything at the end", () => {
    const { cache, closed, open } = create(4);
    for (let i = 0; i < 4; i++) open(`${i}`, () => i);
    cache.max = 1;
    expect(closed).toEqual([0, 1, 2]);
    cache.keep("3");
    cache.closeAll();
    expect([closed, cache.size]).toEqual([[0, 1, 2, 3], 0]);
  });

  it("closes nothing that is lent, before it is given back", () => {
    const { cache, closed, open, take } = create(1);
    const lent = take("a", () => 10) as Lent;
    open("b", () => 11);
    cache.forget("a");
    expect([closed, cache.find("a")]).toEqual([[], undefined]);
    expect(open("a", () => 12)).toBe(12);
    cache.giveBack(lent);
    expect(closed).toEqual([11, 10]);
    cache.closeAll();
    expect(closed).toEqual([11, 10, 12]);
  });

  it("keeps the first of two descriptors that two works have opened for one file", () => {
    const { cache, closed, open } = create(4);
    const fd = open("a", () => {
      cache.add("a", 10); // the other work is faster
      return 11;
    });
    expect([fd, closed]).toEqual([10, [11]]);
  });
});
