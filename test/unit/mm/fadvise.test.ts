/** Advice on open files: what is read ahead, read now, or dropped; and its errors, which are those of tmpfs. */
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync } from "../../../src/index.ts";
import {
  POSIX_FADV_DONTNEED,
  POSIX_FADV_NOREUSE,
  POSIX_FADV_NORMAL,
  POSIX_FADV_RANDOM,
  POSIX_FADV_SEQUENTIAL,
  POSIX_FADV_WILLNEED,
} from "../../../src/mm/fadvise.ts";
import { FILE_MODE, FMODE_NOREUSE } from "../../../src/wasm/layout.ts";
import { cachedIndexes, pread, preadLater, type Scene, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";

const O_PATH = 0o10000000;

function advise({ fs, fd }: Scene, advice: number, offset = 0, length = 0): void {
  fs.kernel.fadviseSync(fd, offset, length, advice);
}

/** What the store is asked for while a file is read page by page. */
function readAll(all: Scene, pages: number): string {
  for (let index = 0; index < pages; index++) {
    assert.deepEqual(pread(all, index * PAGE, PAGE), all.data.subarray(index * PAGE, (index + 1) * PAGE));
  }
  return all.store.takeLog();
}

describe("fadvise", () => {
  it("RANDOM: reads what is asked for, until NORMAL", () => {
    const all = storeScene(100 * PAGE);
    advise(all, POSIX_FADV_RANDOM);
    assert.equal(readAll(all, 3), "readahead 0+1, readahead 1+1, readahead 2+1");
    pread(all, 10 * PAGE, 5 * PAGE);
    assert.equal(all.store.takeLog(), "readahead 10+5");
    advise(all, POSIX_FADV_NORMAL);
    pread(all, 15 * PAGE, PAGE);
    assert.equal(all.store.takeLog(), "readahead 15+4");
  });

  it("SEQUENTIAL: the window grows to twice the limit, of this open file alone; it ends RANDOM", () => {
    const all = storeScene(400 * PAGE);
    advise(all, POSIX_FADV_RANDOM);
    advise(all, POSIX_FADV_SEQUENTIAL);
    const sizes = readAll(all, 400).matchAll(/\+(\d+)/g);
    assert.equal(Math.max(...[...sizes].map(([, size]) => Number(size))), 64);
    all.fs.kernel.dropCaches(1);
    const other = { ...all, fd: all.fs.openSync("/m/file", "r") };
    const others = readAll(other, 400).matchAll(/\+(\d+)/g);
    assert.equal(Math.max(...[...others].map(([, size]) => Number(size))), 32);
  });

  it("WILLNEED: reads what is missing, up to a window, at once and without waiting", async () => {
    for (const isAsync of [false, true]) {
      const all = storeScene(100 * PAGE, { isAsync });
      const first = preadLater(all, 6 * PAGE, 1);
      await all.store.answerAll();
      await first;
      all.store.takeLog();
      advise(all, POSIX_FADV_WILLNEED, 5 * PAGE + 1, 3 * PAGE);
      assert.equal(all.store.takeLog(), "readahead 5+1, readahead 7+2");
      await all.store.answerAll();
      assert.deepEqual(cachedIndexes(all), [5, 6, 7, 8]);
      assert.deepEqual(pread(all, 5 * PAGE, 4 * PAGE), all.data.subarray(5 * PAGE, 9 * PAGE));
      advise(all, POSIX_FADV_WILLNEED, 50 * PAGE);
      assert.equal(all.store.takeLog(), "readahead 50+32");
      advise(all, POSIX_FADV_WILLNEED, 98 * PAGE, 100 * PAGE);
      assert.equal(all.store.takeLog(), "readahead 98+2");
      advise(all, POSIX_FADV_WILLNEED, 200 * PAGE, 10);
      assert.equal(all.store.takeLog(), "");
      await all.store.answerAll();
    }
  });

  it("WILLNEED: goes page by page without readahead, and is told of no errors", () => {
    const all = storeScene(4 * PAGE, { hasReadahead: false });
    all.store.verdict = (what, bytes) => (what === "readPage 1+1" ? -EIO : bytes);
    advise(all, POSIX_FADV_WILLNEED);
    assert.equal(all.store.takeLog(), "readPage 0+1, readPage 1+1, readPage 2+1, readPage 3+1");
    assert.deepEqual(cachedIndexes(all), [0, 2, 3]);
  });

  it("DONTNEED: drops whole pages, and the last one at the end of the file", () => {
    const cases: [offset: number, length: number, left: number[]][] = [
      [0, PAGE, [1, 2, 3]],
      [1, PAGE, [0, 1, 2, 3]],
      [1, 2 * PAGE - 1, [0, 2, 3]],
      [PAGE, PAGE + 1, [0, 2, 3]],
      [0, 10, [0, 1, 2, 3]],
      [2 * PAGE, PAGE + 10, [0, 1]],
      [2 * PAGE, PAGE + 9, [0, 1, 3]],
      [2 * PAGE, 3 * PAGE, [0, 1]],
      [PAGE, 0, [0]],
      [-PAGE, 2 * PAGE, [1, 2, 3]],
    ];
    for (const [offset, length, left] of cases) {
      const all = storeScene(3 * PAGE + 10);
      pread(all, 0, 4 * PAGE);
      advise(all, POSIX_FADV_DONTNEED, offset, length);
      assert.deepEqual(cachedIndexes(all), left, `${offset}+${length}`);
    }
  });

  it("DONTNEED: dirty pages stay until they are written", () => {
    const all = storeScene(2 * PAGE);
    pread(all, 0, 2 * PAGE);
    const { x } = all.kernel.core;
    x.setPageDirty(x.findPage(all.inode, 0));
    advise(all, POSIX_FADV_DONTNEED);
    assert.deepEqual(cachedIndexes(all), [0]);
    x.clearPageDirty(x.findPage(all.inode, 0));
  });

  it("NOREUSE: is noted until NORMAL", () => {
    const all = storeScene(PAGE);
    const isNoted = (): boolean => (all.kernel.core.u32[(all.file << 3) + FILE_MODE] & FMODE_NOREUSE) !== 0;
    advise(all, POSIX_FADV_NOREUSE);
    assert.ok(isNoted());
    advise(all, POSIX_FADV_NORMAL);
    assert.ok(!isNoted());
  });

  it("in memory, takes all that tmpfs does (python3, os.posix_fadvise)", async () => {
    const fs = createFsSync();
    fs.writeFileSync("/file", "text");
    const files = [fs.openSync("/file", "r"), fs.openSync("/file", O_PATH), fs.openSync("/", "r"), 99];
    const arguments_: [offset: number, length: number, advice: number][] = [];
    for (const advice of [-1, 0, 1, 2, 3, 4, 5, 6, 2 ** 31 - 1]) {
      for (const length of [-1, 0, 10]) arguments_.push([0, length, advice], [-5, length, advice]);
    }
    const ours = files.map((fd) =>
      arguments_.map(([offset, length, advice]) => {
        try {
          fs.kernel.fadviseSync(fd, offset, length, advice);
          return "";
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      }),
    );
    const script = `
import errno, json, os, sys, tempfile
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as d:
    open(d + "/file", "w").write("text")
    fds = [os.open(d + "/file", os.O_RDONLY), os.open(d + "/file", os.O_PATH), os.open(d, os.O_RDONLY), 99]
    def ask(fd, a):
        try: os.posix_fadvise(fd, *a); return ""
        except OSError as e: return errno.errorcode[e.errno]
    print(json.dumps([[ask(fd, a) for a in json.loads(sys.argv[2])] for fd in fds]))`;
    const theirs = JSON.parse(
      execFileSync("python3", ["-c", script, "/dev/shm", JSON.stringify(arguments_)], { encoding: "utf8" }),
    );
    assert.deepEqual(ours, theirs);
  });

  it("checks its arguments as Node does, and takes FileHandles; the promise form fails by a rejection", async () => {
    const all = storeScene(PAGE);
    const { kernel } = all.fs;
    assert.throws(() => kernel.fadviseSync("1" as never, 0, 0, 0), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => kernel.fadviseSync(all.fd, 0.5, 0, 0), { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => kernel.fadviseSync(all.fd, 0, "1" as never, 0), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => kernel.fadviseSync(99, 0, 0, 0), { code: "EBADF", syscall: "fadvise" });
    await assert.rejects(kernel.fadvise(all.fd, 0, -1, 0), { code: "EINVAL", syscall: "fadvise" });
    const handle = await all.fs.promises.open("/m/file");
    pread(all, 0, PAGE);
    await kernel.fadvise(handle, 0, 0, POSIX_FADV_DONTNEED);
    assert.deepEqual(cachedIndexes(all), []);
    await handle.close();
  });
});

describe("a read that fails", () => {
  it("makes the windows of its open file a quarter as large, until other advice", async () => {
    for (const isAsync of [false, true]) {
      const all = storeScene(200 * PAGE, { isAsync });
      all.store.verdict = (what, bytes) => (/^readPage|readahead 0\+/.test(what) ? -EIO : bytes);
      const failed = assert.rejects(preadLater(all, 0, 1), { code: "EIO" });
      await all.store.answerAll();
      await failed;
      all.store.takeLog();
      all.store.verdict = undefined;
      const whole = preadLater(all, 0, 200 * PAGE);
      await all.store.answerAll();
      assert.deepEqual(await whole, all.data);
      const sizes = [...all.store.takeLog().matchAll(/\+(\d+)/g)].map(([, size]) => Number(size));
      assert.equal(Math.max(...sizes), 8);
      all.fs.kernel.dropCaches(1);
      advise(all, POSIX_FADV_NORMAL);
      const again = preadLater(all, 0, 200 * PAGE);
      await all.store.answerAll();
      assert.deepEqual(await again, all.data);
      assert.match(all.store.takeLog(), /\+32/);
      await settled();
    }
  });
});
