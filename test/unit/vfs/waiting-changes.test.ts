/**
 * Changes that wait for a store: the store is asked once, the change is made when it answers, whoever waits by then, and
 * others wait for it only where they would be in its way.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { SlowFs, settled } from "../../helpers/slow-fs.ts";

function mounted(): { fs: FolioFs; store: SlowFs } {
  const store = new SlowFs();
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "slowfs", target: "/s" });
  return { fs, store };
}

/** As mounted(), with these directories in the store. */
function withDirs(...paths: string[]): { fs: FolioFs; store: SlowFs } {
  const both = mounted();
  both.store.isFast = true;
  for (const path of paths) both.fs.mkdirSync(`/s/${path}`);
  both.store.isFast = false;
  both.store.log.length = 0;
  return both;
}

/** How a promise has ended so far: its value, the code of its error, or "waits". */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  await settled();
  const outcome = promise.then(
    (value) => value ?? "done",
    (error) => error.code ?? error,
  );
  return await Promise.race([outcome, settled().then(() => "waits")]);
}

const CALLS: Record<string, { call(fs: FolioFs): Promise<unknown>; log: string; paths: string[] }> = {
  mkdir: { call: (fs) => fs.promises.mkdir("/s/d/new"), log: "mkdir new", paths: ["/d", "/d/e", "/d/new"] },
  open: {
    call: async (fs) => (await fs.promises.open("/s/d/new", "wx")).close(),
    log: "create new",
    paths: ["/d", "/d/e", "/d/new"],
  },
  writeFile: {
    call: (fs) => fs.promises.writeFile("/s/d/new", "data"),
    log: "create new",
    paths: ["/d", "/d/e", "/d/new"],
  },
  symlink: { call: (fs) => fs.promises.symlink("x", "/s/d/new"), log: "symlink new", paths: ["/d", "/d/e", "/d/new"] },
  rmdir: { call: (fs) => fs.promises.rmdir("/s/d/e"), log: "rmdir e", paths: ["/d"] },
  rename: { call: (fs) => fs.promises.rename("/s/d/e", "/s/f"), log: "rename e f", paths: ["/d", "/f"] },
  "mkdir -p": {
    call: (fs) => fs.promises.mkdir("/s/d/a/b/c", { recursive: true }),
    log: "mkdir a, mkdir b, mkdir c",
    paths: ["/d", "/d/a", "/d/a/b", "/d/a/b/c", "/d/e"],
  },
  "rm -r": { call: (fs) => fs.promises.rm("/s/d", { recursive: true }), log: "rmdir e, rmdir d", paths: [] },
};

describe("a change that waits for its store", () => {
  for (const [name, { call, log, paths }] of Object.entries(CALLS)) {
    it(`is asked for once, and done when the store has answered: ${name}`, async () => {
      const { fs, store } = withDirs("d", "d/e");
      const promise = call(fs);
      assert.equal(await stateOf(promise), "waits");
      fs.kernel.vfs.verify();

      await store.answerAll();

      assert.notEqual(await stateOf(promise), "waits");
      await promise;
      assert.equal(store.log.join(", "), log);
      assert.deepEqual(store.paths(), paths);
      fs.kernel.vfs.verify();
      fs.kernel.umount("/s"); // nothing is held any more
    });
  }

  it("is not begun by synchronous calls, which cannot wait", () => {
    const { fs, store } = withDirs("d");
    for (const call of [
      () => fs.mkdirSync("/s/d/new"),
      () => fs.writeFileSync("/s/d/new", ""),
      () => fs.rmdirSync("/s/d"),
      () => fs.renameSync("/s/d", "/s/e"),
      () => fs.symlinkSync("x", "/s/l"),
    ]) {
      assert.throws(call, { code: "EAGAIN" });
    }
    assert.deepEqual(store.log, []);
    assert.deepEqual(store.paths(), ["/d"]);
  });

  it("by callbacks too", async () => {
    const { fs, store } = mounted();
    const done = new Promise<unknown>((resolve) => fs.mkdir("/s/new", (error) => resolve(error)));
    await store.answerAll();
    assert.equal(await done, null);
    assert.deepEqual(store.log, ["mkdir new"]);
  });

  it("fails with what the store answers, and changes nothing", async () => {
    const { fs, store } = withDirs("d");
    const rejected = assert.rejects(fs.promises.mkdir("/s/d/new"), { code: "EIO", syscall: "mkdir", path: "/s/d/new" });
    await settled();
    await store.answer(-EIO);
    await rejected;
    assert.deepEqual(store.paths(), ["/d"]);
    assert.equal(fs.existsSync("/s/d/new"), false);
    fs.kernel.umount("/s");
  });

  it("fails with EIO when the store fails to answer", async () => {
    const { fs, store } = mounted();
    const { mkdir } = store.type.tables[0].inode;
    Object.assign(store.type.tables[0].inode, { mkdir: () => Promise.reject(new Error("no store")) });
    await assert.rejects(fs.promises.mkdir("/s/new"), { code: "EIO" });
    Object.assign(store.type.tables[0].inode, { mkdir });
    fs.kernel.umount("/s");
  });

  it("lets those wait that it would be in the way of, and them alone", async () => {
    const { fs, store } = withDirs("a", "b");
    const first = fs.promises.mkdir("/s/a/one");
    const second = fs.promises.mkdir("/s/a/two");
    const same = assert.rejects(fs.promises.mkdir("/s/a/one"), { code: "EEXIST" });
    const elsewhere = fs.promises.mkdir("/s/b/three");
    await settled();

    assert.deepEqual(store.log, ["mkdir one", "mkdir three"]);
    assert.throws(() => fs.statSync("/s/a/two"), { code: "EAGAIN" }); // perhaps it is being made
    await store.answer(0, 1);
    assert.equal(await stateOf(elsewhere), "done");
    assert.equal(await stateOf(first), "waits");
    await store.answerAll();
    await first;
    await second;
    await same;
    assert.deepEqual(store.log, ["mkdir one", "mkdir three", "mkdir two"]);
    assert.deepEqual(store.paths(), ["/a", "/a/one", "/a/two", "/b", "/b/three"]);
  });

  it("goes on in a directory that has been renamed meanwhile", async () => {
    const { fs, store } = withDirs("a", "a/b");
    const promise = fs.promises.mkdir("/s/a/b/new");
    await settled();
    store.isFast = true;
    assert.throws(() => fs.renameSync("/s/a/b", "/s/c"), { code: "EAGAIN" }); // the directory itself is locked
    fs.renameSync("/s/a", "/s/z");
    store.isFast = false;
    await store.answerAll();
    await promise;
    assert.deepEqual(store.paths(), ["/z", "/z/b", "/z/b/new"]);
    assert.deepEqual(fs.readdirSync("/s/z/b"), ["new"]);
  });

  it("does not let two directories come to lie in each other", async () => {
    const { fs, store } = withDirs("a", "a/x", "b", "b/y");
    const first = fs.promises.rename("/s/a", "/s/b/y/a");
    const second = assert.rejects(fs.promises.rename("/s/b", "/s/a/x/b"), { code: "ENOENT" }); // when it is tried again
    await settled();
    assert.deepEqual(store.log, ["rename a a"]);
    await store.answerAll();
    await first;
    await second;
    assert.deepEqual(store.paths(), ["/b", "/b/y", "/b/y/a", "/b/y/a/x"]);
  });

  it("is made though its caller gives up, and leaves no descriptor behind", async () => {
    const { fs, store } = mounted();
    const controller = new AbortController();
    const promise = fs.promises.writeFile("/s/new", "data", { signal: controller.signal });
    const rejected = assert.rejects(promise, { name: "AbortError" });
    await settled();
    controller.abort();
    await rejected; // at once, not when the store answers
    await store.answerAll();
    assert.deepEqual(store.paths(), ["/new"]);
    assert.equal(fs.statSync("/s/new").size, 0);
    fs.kernel.umount("/s"); // EBUSY with an open file
  });

  it("holds what it needs: the mount is busy, and a fork has nothing of it", async () => {
    const { fs, store } = withDirs("d");
    const promise = fs.promises.mkdir("/s/d/new");
    await settled();
    assert.throws(() => fs.kernel.umount("/s"), { code: "EBUSY" });
    const fork = fs.kernel.fork();
    fork.vfs.verify();
    restoreFsSync(fs.kernel.snapshot(), { types: [store.type] }).kernel.vfs.verify();
    fs.kernel.dropCaches(3);
    await store.answerAll();
    await promise;
    fs.kernel.vfs.verify();
  });

  it("comes to nothing where its memory is gone: restored, or destroyed", async () => {
    const { fs, store } = withDirs("d");
    const bytes = fs.kernel.snapshot();
    const promise = fs.promises.mkdir("/s/d/new");
    const rejected = assert.rejects(promise, { code: "EIO" });
    await settled();
    fs.kernel.restore(bytes);
    fs.kernel.vfs.verify();
    await store.answerAll();
    await rejected;
    fs.kernel.vfs.verify();
  });

  it("mkdtemp makes one directory", async () => {
    const { fs, store } = mounted();
    const promise = fs.promises.mkdtemp("/s/tmp-");
    await store.answerAll();
    const path = await promise;
    assert.deepEqual(store.paths(), [path.slice(2)]);
  });

  it("reaches the store exactly once, whatever goes on beside it", async () => {
    const name = fc.constantFrom("a", "b", "c");
    const path = fc.tuple(name, fc.option(name, { nil: undefined })).map(([a, b]) => `/s/${a}${b ? `/${b}` : ""}`);
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("mkdir", "rmdir", "unlink", "writeFile"), path, to: path }),
      fc.record({ kind: fc.constantFrom("rename", "symlink"), path, to: path }),
      fc.record({ kind: fc.constant("answer"), path, to: path, number: fc.nat(5) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { fs, store } = mounted();
        const running: Promise<unknown>[] = [];
        for (const one of steps) {
          if (one.kind === "answer") {
            await settled();
            if (store.questions.length > 0)
              await store.answer(0, (one as { number: number }).number % store.questions.length);
          } else running.push(start(fs, one.kind, one.path, one.to).catch(() => {}));
          fs.kernel.vfs.verify();
        }
        await store.answerAll();
        await Promise.all(running);
        const seen = fs.readdirSync("/s", { recursive: true }) as string[];
        assert.deepEqual(seen.map((entry) => `/${entry}`).sort(), store.paths());
        fs.kernel.vfs.verify();
        fs.kernel.umount("/s");
      }),
      { numRuns: 60, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
    );
  });
});

function start(fs: FolioFs, kind: string, path: string, to: string): Promise<unknown> {
  const { promises } = fs;
  switch (kind) {
    case "rename":
      return promises.rename(path, to);
    case "symlink":
      return promises.symlink("x", path);
    case "writeFile":
      return promises.writeFile(path, "data");
    case "mkdir":
      return promises.mkdir(path);
    case "rmdir":
      return promises.rmdir(path);
    default:
      return promises.unlink(path);
  }
}
