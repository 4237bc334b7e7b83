/** Directories with more entries than are kept. */
import { describe, expect, it } from "vitest";
import type { LazyEntry } from "../../../../src/lazy.ts";
import { turns, withTree } from "../../../helpers/lazy-tree.ts";
import { outcomeOf } from "../../../helpers/subject.ts";

const NR = 20_000;

/** A root of that many files. */
function numbers(options: { later?: boolean; promised?: boolean; withLookup?: boolean; fails?: number } = {}) {
  const log = { lists: 0, entries: 0, returns: 0, lookups: 0 };
  const entry = (i: number): LazyEntry => ({ name: `n${i}`, type: "file", size: i });
  function* now(): Generator<LazyEntry> {
    try {
      for (let i = 0; i < NR; i++) {
        if (i === options.fails) throw Object.assign(new Error(), { code: "EACCES" });
        log.entries++;
        yield entry(i);
      }
    } finally {
      log.returns++;
    }
  }
  async function* later(): AsyncGenerator<LazyEntry> {
    yield* now();
  }
  const lookup = async (path: string): Promise<LazyEntry | undefined> => {
    log.lookups++;
    const number = Number(path.slice(2));
    return number >= 0 && number < NR ? entry(number) : undefined;
  };
  return {
    log,
    list: () => {
      log.lists++;
      const made = options.later ? later() : now();
      return options.promised ? Promise.resolve(made) : made;
    },
    load: () => new Uint8Array(),
    ...(options.withLookup && { lookup }),
  };
}

const FORMS = [{}, { later: true }, { promised: true }, { later: true, promised: true }];

describe.each(FORMS)("a directory of 20 000 entries, of which 100 are kept: %o", (form) => {
  it("is read in pieces, a few at a time", async () => {
    const tree = numbers(form);
    const { fs } = withTree(tree, { maxEntries: 100 });
    const dir = await fs.promises.opendir("/m");
    const names = new Set<string>();
    for (let i = 0; i < 500; i++) names.add((await dir.read())?.name ?? "");
    expect(names.size).toBe(500);
    expect(tree.log.entries).toBeLessThan(1500);
    for await (const { name } of dir) names.add(name);
    expect(names.size).toBe(NR);
    expect(tree.log.lists).toBe(2); // once to see that it is long
    expect(tree.log.returns).toBe(2);
    expect(fs.kernel.usage().outside["lazyfs-2"] ?? 0).toBeLessThan(10_000);
  });

  it("is let go of when it is closed before its end", async () => {
    const tree = numbers(form);
    const { fs } = withTree(tree, { maxEntries: 100 });
    const dir = await fs.promises.opendir("/m");
    await dir.read();
    await dir.close();
    await turns();
    expect(tree.log.returns).toBe(2);
    await fs.kernel.umountAsync("/m");
  });

  it("is listed as a whole, and searched for a name", async () => {
    const tree = numbers(form);
    const { fs } = withTree(tree, { maxEntries: 100 });
    expect(await fs.promises.readdir("/m")).toHaveLength(NR);
    expect((await fs.promises.stat("/m/n7000")).size).toBe(7000);
    await expect(fs.promises.stat(`/m/n${NR}`)).rejects.toMatchObject({ code: "ENOENT" });
    const { entries } = tree.log;
    await fs.promises.stat("/m/n5");
    expect(tree.log.entries - entries).toBeLessThan(10);
    expect(tree.log.returns).toBe(tree.log.lists);
  });

  it("is not listed for a name, where a lookup can tell", async () => {
    const tree = numbers({ ...form, withLookup: true });
    const { fs } = withTree(tree, { maxEntries: 100 });
    expect((await fs.promises.stat("/m/n7000")).size).toBe(7000);
    await expect(fs.promises.stat("/m/nx")).rejects.toMatchObject({ code: "ENOENT" });
    expect(tree.log).toMatchObject({ lists: 0, lookups: 2 });
    expect(outcomeOf(() => fs.statSync("/m/n8"))).toBe("EAGAIN");
    await turns();
    expect(fs.statSync("/m/n8").size).toBe(8);
    expect(tree.log.lookups).toBe(3);
  });

  it("fails where its tree does, after what it has given", async () => {
    const { fs } = withTree(numbers({ ...form, fails: 300 }), { maxEntries: 100 });
    const dir = await fs.promises.opendir("/m");
    const names: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const { name } of dir) names.push(name);
    };
    await expect(reading()).rejects.toMatchObject({ code: "EACCES" });
    expect(names.length).toBe(300);
    await expect(fs.promises.readdir("/m")).rejects.toMatchObject({ code: "EACCES" });
  });
});

describe("listings that are kept", () => {
  it("are read from the start again by each who opens, and stay as they were for who has begun", async () => {
    let nr = 3;
    const { fs, mount } = withTree({
      list: () => Array.from({ length: nr }, (_, i): LazyEntry => ({ name: `n${i}`, type: "directory" })),
      load: () => new Uint8Array(),
    });
    const dir = fs.opendirSync("/m", { bufferSize: 1 });
    expect(dir.readSync()?.name).toBe("n0");
    nr = 1;
    mount.invalidate();
    expect([dir.readSync()?.name, dir.readSync()?.name, dir.readSync()]).toEqual(["n1", "n2", null]);
    dir.closeSync();
    expect(fs.readdirSync("/m")).toEqual(["n0"]);
  });

  it("go, the oldest first, when there are too many entries", () => {
    const lists: string[] = [];
    const { fs } = withTree(
      {
        list: (path) => {
          lists.push(path);
          const names = path === "/" ? ["a", "b", "c"] : ["x", "y"];
          return names.map((name) => ({ name, type: "directory" }));
        },
        load: () => new Uint8Array(),
      },
      { maxEntries: 5 },
    );
    for (const path of ["/m", "/m/a", "/m/b", "/m/b", "/m/a", "/m", "/m/b", "/m/a"]) fs.readdirSync(path);
    expect(lists).toEqual(["/", "/a", "/b", "/", "/a"]);
  });

  it("may be none at all", () => {
    const { fs } = withTree(numbers(), { maxEntries: 0 });
    expect(fs.readdirSync("/m")).toHaveLength(NR);
    expect(fs.statSync("/m/n9").size).toBe(9);
  });
});

it("a directory that can be listed once alone is what its second listing says, and is listed again afterwards", () => {
  const tree = numbers();
  let isGone = false;
  const list = () => {
    if (isGone) throw Object.assign(new Error(), { code: "EACCES" });
    isGone = tree.log.lists === 0;
    return tree.list();
  };
  const { fs } = withTree({ ...tree, list }, { maxEntries: 100 });
  const dir = fs.opendirSync("/m");
  expect(outcomeOf(() => dir.readSync())).toBe("EACCES");
  dir.closeSync();
  isGone = false;
  expect(fs.readdirSync("/m").length).toBe(NR);
});
