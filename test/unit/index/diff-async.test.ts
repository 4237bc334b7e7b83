/** Differences of trees whose stores take time: what the synchronous form tells when all is there. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createFsSync, EAGAIN, type FolioFs, type Kernel } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { mountLazy } from "../../../src/lazy.ts";
import { bytesAt, type Plain, plainTree } from "../../helpers/lazy-tree.ts";
import { StoreFs } from "../../helpers/store-fs.ts";

const MIB = 2 ** 20;

/** A kernel with a tree that answers later at /slow, and the same in memory at /copy. */
function scene(tree: Plain, memoryLimit = 64 * MIB, log: string[] = []): FolioFs {
  const fs = createFsSync({ memoryLimit, types: [overlay] });
  for (const dir of ["/slow", "/copy", "/layer"]) fs.mkdirSync(dir);
  mountLazy(fs.kernel, plainTree(tree, { later: true }, log), { target: "/slow" });
  const copy = (node: Plain, at: string): void => {
    for (const [name, child] of Object.entries(node)) {
      if (typeof child === "object" && !(child instanceof Uint8Array)) {
        fs.mkdirSync(`${at}/${name}`);
        copy(child, `${at}/${name}`);
      } else fs.writeFileSync(`${at}/${name}`, child);
    }
  };
  copy(tree, "/copy");
  return fs;
}

const TREE: Plain = {
  a: "first",
  b: "second",
  dir: { c: "third", deep: { d: "x".repeat(200_000), e: "" }, f: Buffer.alloc(10_000, 7) },
};

/** Without times and modes, which differ between a lazy tree and its copy. */
function short(changes: readonly { kind: string; path: string; changed: readonly string[] }[]): string[] {
  return changes.flatMap(({ kind, path, changed }) => {
    const told = changed.filter((field) => !["times", "mode"].includes(field));
    return kind === "modified" && told.length === 0 ? [] : [`${kind} ${path} ${told.join()}`.trim()];
  });
}

function wouldWait(call: () => unknown): void {
  assert.throws(call, { code: "EAGAIN" });
}

async function finish(fs: FolioFs): Promise<void> {
  fs.kernel.verify();
  for (const { target } of fs.kernel.mounts().slice(1).reverse()) await fs.kernel.umountAsync(target);
  fs.kernel.verify();
  fs.kernel.destroy();
}

describe("diffAsync()", () => {
  it("waits for names and for data, and tells what diff() does then", async () => {
    const fs = scene(TREE);
    wouldWait(() => fs.kernel.diff("/slow", "/copy"));
    assert.deepEqual(short(await fs.kernel.diffAsync("/slow", "/copy")), []);
    const fd = fs.openSync("/copy/dir/deep/d", "r+");
    fs.writeSync(fd, "X", 150_000);
    fs.closeSync(fd);
    fs.rmSync("/copy/a");
    fs.writeFileSync("/copy/dir/deep/new", "new");
    const changes = await fs.kernel.diffAsync("/slow", "/copy");
    assert.deepEqual(short(changes), ["removed a", "modified dir/deep/d data", "added dir/deep/new"]);
    assert.deepEqual(fs.kernel.diff("/slow", "/copy"), changes);
    const bytes = await fs.kernel.diffAsync("/slow", "/copy", { encoding: "buffer" });
    assert.deepEqual(
      bytes.map(({ path }) => String(path)),
      changes.map(({ path }) => path),
    );
    await finish(fs);
  });

  it("waits for the lower directories of a layer", async () => {
    const fs = scene(TREE);
    await fs.promises.readdir("/slow");
    const layer = fs.kernel.layer({ lower: "/slow", target: "/layer" });
    await fs.promises.writeFile("/layer/dir/deep/e", "e");
    await fs.promises.unlink("/layer/dir/c");
    await fs.promises.appendFile("/layer/dir/f", "more");
    fs.kernel.dropCaches(3);
    const changes = await layer.diffAsync();
    assert.deepEqual(short(changes), ["removed dir/c", "modified dir/deep/e data", "modified dir/f data"]);
    assert.deepEqual(layer.diff(), changes);
    assert.deepEqual(await fs.kernel.diffAsync("/slow", "/layer"), changes);
    await fs.kernel.umountAsync("/layer");
    await assert.rejects(layer.diffAsync(), { code: "EINVAL" });
    await finish(fs);
  });

  it("asks for many names at a time, and for each once", async () => {
    const tree: Plain = {};
    for (let i = 0; i < 100; i++) tree[`dir${i}`] = { file: `${i}` };
    const log: string[] = [];
    const fs = scene(tree, 64 * MIB, log);
    let nr = 0;
    let most = 0;
    const pushed = log.push.bind(log);
    log.push = (...lines) => {
      most = Math.max(most, ++nr);
      setImmediate(() => nr--);
      return pushed(...lines);
    };
    assert.deepEqual(short(await fs.kernel.diffAsync("/slow", "/copy")), []);
    assert(most >= 32, `${most} at a time`);
    assert.equal(new Set(log).size, log.length);
    assert.equal(log.filter((line) => line.startsWith("load")).length, 100);
    await finish(fs);
  });

  it("goes on in files that are larger than memory", async () => {
    const large = Buffer.alloc(24 * MIB);
    for (let i = 0; i < large.length; i += 4096) large.writeUInt32LE(i, i);
    const fs = createFsSync({ memoryLimit: 12 * MIB });
    for (const dir of ["/a", "/b"]) {
      fs.mkdirSync(dir);
      const other = Buffer.from(large);
      if (dir === "/b") other[20 * MIB] = 1;
      mountLazy(fs.kernel, plainTree({ large: other }, { later: true }), { target: dir });
    }
    const [change] = (await fs.kernel.diffAsync("/a", "/b")).filter(({ path }) => path === "large");
    assert.deepEqual(change?.ranges, [{ start: 20 * MIB, end: 20 * MIB + 4096 }]);
    await finish(fs);
  });

  it("sees what changes meanwhile, names and data", async () => {
    const fs = scene(TREE);
    const found = fs.kernel.diffAsync("/slow", "/copy");
    fs.rmSync("/copy/dir/c");
    await new Promise((resolve) => setImmediate(resolve));
    fs.writeFileSync("/copy/dir/f", "other");
    fs.kernel.verify();
    const copy = fs.kernel.fork();
    copy.verify();
    copy.destroy();
    assert.deepEqual(short(await found), ["removed dir/c", "modified dir/f data"]);
    await finish(fs);
  });

  it("fails as diff() does, and when the kernel ends", async () => {
    const fs = scene(TREE);
    await assert.rejects(fs.kernel.diffAsync("/slow", "/missing"), { code: "ENOENT", syscall: "diff" });
    await assert.rejects(fs.kernel.diffAsync("/slow", "/copy/a"), { code: "ENOTDIR" });
    await assert.rejects(fs.kernel.diffAsync(5 as never, "/copy"), { code: "ERR_INVALID_ARG_TYPE" });
    await assert.rejects(fs.kernel.diffAsync("/slow", "/copy", { encoding: "hex" as never }), {
      code: "ERR_INVALID_ARG_VALUE",
    });
    await assert.rejects(fs.kernel.diffAsync("/slow", "/copy", { format: "oci" } as never), {
      code: "ERR_INVALID_ARG_VALUE",
    });
    fs.chmodSync("/copy/dir", 0o700);
    const user = fs.kernel.task({ uid: 5 });
    await assert.rejects(user.kernel.diffAsync("/slow", "/copy"), { code: "EACCES" });
    const other = fs.kernel.diffAsync("/slow", "/copy");
    const late = user.kernel.diffAsync("/slow", "/slow/dir");
    fs.kernel.exit(user);
    await assert.rejects(late, { code: "ERR_INVALID_STATE" });
    assert.deepEqual(short(await other), []);
    const ended = scene(TREE);
    const never = ended.kernel.diffAsync("/slow", "/copy");
    ended.kernel.destroy();
    await assert.rejects(never, { code: "ERR_INVALID_STATE" });
    await finish(fs);
  });

  it("fails with what a store answers", async () => {
    const store = new StoreFs();
    for (let i = 0; i < 5; i++) store.add(`f${i}`);
    const fs = createFsSync({ types: [overlay, store.type] });
    for (const dir of ["/lower", "/a"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: "storefs", target: "/lower" });
    const layer = fs.kernel.layer({ lower: "/lower", target: "/a" });
    fs.unlinkSync("/a/f1");
    fs.kernel.dropCaches(3);
    store.slow.add("lookup");
    const found = layer.diffAsync();
    await store.settleAll();
    store.slow.clear();
    assert.deepEqual(short(await found), ["removed f1"]);
    fs.kernel.dropCaches(3);
    store.failing.set("lookup", -5);
    await assert.rejects(layer.diffAsync(), { code: "EIO" });
    store.failing.clear();
    await finish(fs);
  });

  it("gives up where what is answered does not stay", async () => {
    const store = new StoreFs();
    for (let i = 0; i < 5; i++) store.add(`f${i}`);
    let nr = 0;
    const lookup = (kernel: Kernel): number => {
      nr++;
      kernel.setWaitToken(new Promise((resolve) => setImmediate(resolve)));
      return -EAGAIN;
    };
    const tables = store.type.tables.map((table) => ({ ...table, inode: { ...table.inode, lookup } }));
    const fs = createFsSync({ types: [{ ...store.type, tables }] });
    for (const dir of ["/m", "/a"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: "storefs", target: "/m" });
    await assert.rejects(fs.kernel.diffAsync("/m", "/a"), { code: "EAGAIN" });
    assert(nr >= 500 && nr < 1000, `${nr} questions`);
    await finish(fs);
  });

  it("survives a rollback of the kernel", async () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    const bytes = fs.kernel.snapshot();
    for (const dir of ["/slow", "/copy"]) fs.mkdirSync(dir);
    mountLazy(fs.kernel, plainTree(TREE, { later: true }), { target: "/slow" });
    const found = fs.kernel.diffAsync("/slow", "/copy");
    fs.kernel.restore(bytes);
    await assert.rejects(found, { code: "ENOENT" });
    fs.kernel.verify();
    fs.kernel.destroy();
  });
});

describe("random trees", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const { tree } = fc.letrec<{ node: Plain[string]; tree: Plain }>((tie) => ({
    node: fc.oneof({ weight: 3, arbitrary: fc.constantFrom("", "one", "two", "x".repeat(9000)) }, tie("tree")),
    tree: fc.dictionary(name, tie("node"), { maxKeys: 4 }) as never,
  }));

  it("differ as they do in memory", async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.boolean(), async (a, b, isSmall) => {
        const fs = scene(a, isSmall ? 16 * MIB : 64 * MIB);
        fs.mkdirSync("/other");
        mountLazy(fs.kernel, plainTree(b, { later: true }), { target: "/other" });
        fs.mkdirSync("/memory");
        const fill = (node: Plain, at: string): void => {
          for (const [key, child] of Object.entries(node))
            if (typeof child === "string") fs.writeFileSync(`${at}/${key}`, bytesAt(node, key));
            else {
              fs.mkdirSync(`${at}/${key}`);
              fill(child as Plain, `${at}/${key}`);
            }
        };
        fill(b, "/memory");
        const expected = short(fs.kernel.diff("/copy", "/memory"));
        for (const [from, to] of [
          ["/slow", "/memory"],
          ["/copy", "/other"],
          ["/slow", "/other"],
        ])
          assert.deepEqual(short(await fs.kernel.diffAsync(from, to)), expected, `${from} ${to}`);
        await finish(fs);
      }),
      { numRuns: Number(process.env.FOLIOFS_DIFF_RUNS ?? 50) },
    );
  });
});
