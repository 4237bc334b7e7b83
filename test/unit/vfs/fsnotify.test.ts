/**
 * Marks of watchers beside what the differential tests compare: when nothing is told, what becomes of marks when file
 * systems, memories and kernels go, other tasks, other file systems.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, describe, it } from "vitest";
import { O_TMPFILE, O_WRONLY } from "../../../src/base/stat-flags.ts";
import { createHostfs } from "../../../src/fs/hostfs/hostfs.ts";
import { createFsSync, type FolioFs, MS_BIND, restoreFsSync } from "../../../src/index.ts";
import { FS_ATTRIB, FS_CREATE, FS_MODIFY } from "../../../src/vfs/fsnotify-events.ts";
import { Mark } from "../../../src/vfs/fsnotify-mark.ts";
import { MAX_QUEUED_EVENTS, NotifyQueue } from "../../../src/vfs/notify-queue.ts";

const made: FolioFs[] = [];
const folders: string[] = [];

function newFs(options: object = {}): FolioFs {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, ...options });
  made.push(fs);
  return fs;
}

afterEach(() => {
  for (const fs of made.splice(0)) fs.kernel.destroy();
  for (const folder of folders.splice(0)) nodeFs.rmSync(folder, { recursive: true });
});

async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => void setImmediate(resolve));
}

/** Watches, and gives what has been told when asked. */
function watched(fs: FolioFs, path: string, options: object = {}) {
  let events: string[] = [];
  const watcher = fs.watch(path, options, (type, name) => void events.push(`${type} ${name}`));
  return {
    watcher,
    async told(): Promise<string[]> {
      await settled();
      const told = events;
      events = [];
      return told;
    },
  };
}

function isMarked(fs: FolioFs): boolean {
  return fs.kernel.vfs.fsnotify !== undefined;
}

describe("marks", () => {
  it("are there while somebody watches", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    assert.equal(isMarked(fs), false);
    const first = watched(fs, "/d");
    const second = watched(fs, "/d/");
    first.watcher.close();
    assert.equal(isMarked(fs), true);
    fs.writeFileSync("/d/a", "text");
    assert.deepEqual(await second.told(), ["rename a", "change a"]);
    second.watcher.close();
    assert.equal(isMarked(fs), false);
    fs.writeFileSync("/d/b", "text");
    assert.deepEqual([await first.told(), await second.told()], [[], []]);
  });

  it("of a file that is open end with its last close", async () => {
    const fs = newFs();
    const fd = fs.openSync("/f", "w");
    const file = watched(fs, "/f");
    fs.unlinkSync("/f");
    assert.deepEqual(await file.told(), ["change f"]);
    fs.writeSync(fd, "text");
    assert.deepEqual(await file.told(), ["change f"]);
    fs.closeSync(fd);
    assert.deepEqual(await file.told(), ["rename f", "rename f"]);
    assert.equal(isMarked(fs), false);
    file.watcher.close();
  });

  it("hear of what goes below a directory in one call", async () => {
    const fs = newFs();
    fs.mkdirSync("/t/d", { recursive: true });
    fs.writeFileSync("/t/d/f", "");
    const dir = watched(fs, "/t/d");
    fs.rmSync("/t", { recursive: true });
    assert.deepEqual(await dir.told(), ["rename f", "rename d", "rename d"]);
    dir.watcher.close();
    fs.mkdirSync("/t");
    const top = watched(fs, "/");
    fs.rmSync("/t", { recursive: true });
    assert.deepEqual(await top.told(), ["rename t"]);
    top.watcher.close();
    fs.mkdirSync("/t/d", { recursive: true });
    fs.mkdirSync("/other");
    const other = watched(fs, "/other");
    fs.rmSync("/t", { recursive: true });
    assert.deepEqual(await other.told(), []);
    fs.rmdirSync("/other");
    assert.deepEqual(fs.readdirSync("/"), []);
  });

  it("tell of a file without a name by its number", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    const dir = watched(fs, "/d");
    const fd = fs.openSync("/d", O_TMPFILE | O_WRONLY);
    fs.writeSync(fd, "text");
    assert.deepEqual(await dir.told(), [`change #${fs.fstatSync(fd).ino}`]);
  });

  it("have their end stand between two events that are equal", async () => {
    const fs = newFs();
    fs.writeFileSync("/a", "");
    fs.mkdirSync("/d");
    const file = watched(fs, "/a");
    const dir = watched(fs, "/d");
    fs.appendFileSync("/a", "1");
    fs.appendFileSync("/a", "2");
    dir.watcher.close();
    fs.appendFileSync("/a", "3");
    assert.deepEqual(await file.told(), ["change a", "change a"]);
  });

  it("of a directory that somebody stands in end when that one leaves", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    const task = fs.kernel.task({ cwd: "/d" });
    const dir = watched(fs, "/d");
    fs.rmdirSync("/d");
    assert.deepEqual(await dir.told(), []);
    task.task.chdir("/");
    assert.deepEqual(await dir.told(), ["rename d", "rename d"]);
    fs.kernel.exit(task);
  });

  it("of a directory that had been removed end when the last who stands in it leaves", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    const { task, ...inside } = fs.kernel.task({ cwd: "/d" });
    fs.rmdirSync("/d");
    const dir = watched(inside as FolioFs, ".");
    task.chdir("/");
    assert.deepEqual(await dir.told(), ["rename .", "rename ."]);
  });

  it("are one for all names of an inode, and keep the first", async () => {
    const fs = newFs();
    fs.writeFileSync("/a", "");
    fs.linkSync("/a", "/b");
    const a = watched(fs, "/a");
    const b = watched(fs, "/b");
    fs.appendFileSync("/b", "text");
    assert.deepEqual([await a.told(), await b.told()], [["change a"], ["change a"]]);
  });

  it("hear of other tasks, and of what comes by bind mounts", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    fs.mkdirSync("/bound");
    fs.kernel.mount({ source: "/d", target: "/bound", flags: MS_BIND });
    const dir = watched(fs, "/d");
    const other = fs.kernel.task({ uid: 0 });
    other.writeFileSync("/bound/a", "text");
    assert.deepEqual(await dir.told(), ["rename a", "change a"]);
  });

  it("go along with what is renamed", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    const dir = watched(fs, "/d");
    fs.renameSync("/d", "/e");
    fs.writeFileSync("/e/a", "");
    assert.deepEqual(await dir.told(), ["rename d", "rename a"]);
  });

  it("need the right to read", () => {
    const fs = newFs();
    fs.writeFileSync("/secret", "", { mode: 0o600 });
    const other = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.throws(() => other.watch("/secret"), { code: "EACCES", syscall: "watch", path: "/secret" });
  });
});

describe("what goes with everything in it", () => {
  it("an unmounted file system: told once, and its marks end", async () => {
    const fs = newFs();
    fs.mkdirSync("/mnt");
    fs.kernel.mount({ type: "tmpfs", target: "/mnt" });
    fs.writeFileSync("/mnt/f", "");
    const root = watched(fs, "/mnt");
    const file = watched(fs, "/mnt/f");
    fs.kernel.umount("/mnt");
    assert.deepEqual(
      [await root.told(), await file.told()],
      [
        ["rename mnt", "rename mnt"],
        ["rename f", "rename f"],
      ],
    );
    assert.equal(isMarked(fs), false);
    root.watcher.close();
    file.watcher.close();
  });

  it("memory that kernel.restore() replaces: as when it is unmounted; what is watched then is told", async () => {
    const fs = newFs();
    fs.mkdirSync("/d");
    const bytes = fs.kernel.snapshot();
    const before = watched(fs, "/d");
    fs.kernel.restore(bytes);
    assert.deepEqual(await before.told(), ["rename d", "rename d"]);
    const after = watched(fs, "/d");
    fs.writeFileSync("/d/a", "");
    assert.deepEqual([await before.told(), await after.told()], [[], ["rename a"]]);
    before.watcher.close();
    after.watcher.close();
    assert.equal(isMarked(fs), false);
  });

  it("a destroyed kernel: its watchers can be closed", async () => {
    const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
    const { watcher } = watched(fs, "/");
    fs.kernel.destroy();
    await settled();
    watcher.close();
  });

  it("is not in snapshots and forks: they equal those that nobody watches", () => {
    const [plain, marked] = [0, 1].map((i) => {
      const fs = newFs({ now: () => 1 });
      fs.mkdirSync("/d");
      if (i === 1) fs.watch("/d", { persistent: false });
      return fs;
    });
    const bytes = marked.kernel.snapshot();
    const restored = restoreFsSync(bytes);
    made.push(restored);
    const fork = marked.kernel.fork().fs;
    made.push(fork);
    for (const fs of [restored, fork]) {
      assert.equal(isMarked(fs), false);
      fs.writeFileSync("/d/a", "");
    }
    assert.equal(bytes.length, plain.kernel.snapshot().length);
  });

  it("memory that shrinks keeps marks", async () => {
    const fs = newFs();
    fs.writeFileSync("/large", new Uint8Array(8 << 20));
    fs.mkdirSync("/d");
    const dir = watched(fs, "/d");
    fs.unlinkSync("/large");
    fs.kernel.shrink();
    fs.writeFileSync("/d/a", "");
    assert.deepEqual(await dir.told(), ["rename a"]);
  });
});

describe("what goes through foliofs to a folder of the host", () => {
  function mounted(data: string): FolioFs {
    const folder = nodeFs.mkdtempSync("/dev/shm/foliofs-watch-");
    folders.push(folder);
    const fs = newFs({ types: [createHostfs()] });
    fs.mkdirSync("/host");
    fs.kernel.mount({ type: "hostfs", source: folder, target: "/host", data });
    return fs;
  }

  it.each(["", "cache=none", "cache=writeback"])("is told, by calls of all forms: %s", async (data) => {
    const fs = mounted(data);
    fs.mkdirSync("/host/d");
    const dir = watched(fs, "/host/d");
    fs.writeFileSync("/host/d/a", "text");
    assert.deepEqual(await dir.told(), ["rename a", "change a"]);
    const file = watched(fs, "/host/d/a");
    await fs.promises.appendFile("/host/d/a", "more");
    assert.deepEqual([await dir.told(), await file.told()], [["change a"], ["change a"]]);
    await fs.promises.chmod("/host/d/a", 0o600);
    assert.deepEqual([await dir.told(), await file.told()], [["change a"], ["change a"]]);
    await fs.promises.truncate("/host/d/a", 1);
    assert.deepEqual([await dir.told(), await file.told()], [["change a"], ["change a"]]);
    fs.kernel.dropCaches(3);
    await fs.promises.rename("/host/d/a", "/host/d/b");
    assert.deepEqual([await dir.told(), await file.told()], [["rename a", "rename b"], ["rename a"]]);
    await fs.promises.unlink("/host/d/b");
    assert.deepEqual([await dir.told(), await file.told()], [["rename b"], ["change a", "rename a", "rename a"]]);
    await fs.promises.mkdir("/host/d/e");
    const below = watched(fs, "/host/d/e");
    fs.kernel.vfs.verify();
    await fs.promises.rmdir("/host/d/e");
    assert.deepEqual(
      [await dir.told(), await below.told()],
      [
        ["rename e", "rename e"],
        ["rename e", "rename e"],
      ],
    );
    dir.watcher.close();
    file.watcher.close();
  });

  it("leaves snapshots and forks without the folder", () => {
    const fs = mounted("");
    fs.mkdirSync("/host/d");
    fs.writeFileSync("/host/d/f", "text");
    for (const path of ["/host", "/host/d", "/host/d/f"]) fs.watch(path, { persistent: false });
    for (const copy of [restoreFsSync(fs.kernel.snapshot()), fs.kernel.fork().fs]) {
      made.push(copy);
      assert.deepEqual(copy.readdirSync("/host"), []);
      copy.kernel.vfs.verify();
    }
  });

  it("ends with the mount, which a mark does not hold", async () => {
    const fs = mounted("");
    fs.writeFileSync("/host/f", "");
    const file = watched(fs, "/host/f");
    const root = watched(fs, "/host");
    fs.kernel.umount("/host");
    assert.deepEqual(
      [await file.told(), await root.told()],
      [
        ["rename f", "rename f"],
        ["rename host", "rename host"],
      ],
    );
  });
});

describe("the queue", () => {
  const mark = new Mark(1 as never, FS_CREATE | FS_MODIFY, true, false);

  function newQueue() {
    let nrWoken = 0;
    const heard: string[] = [];
    const queue = new NotifyQueue(() => void nrWoken++);
    mark.listeners.clear();
    const hear = (mask: number, name?: Uint8Array) =>
      void heard.push(`${mask} ${name === undefined ? "" : Buffer.from(name)}`);
    mark.listeners.set(hear, FS_CREATE | FS_MODIFY | FS_ATTRIB);
    return { queue, heard, nrWoken: () => nrWoken };
  }
  const name = (text: string) => Buffer.from(text);

  it("merges an event with an equal one that is last and unread", () => {
    const { queue, heard, nrWoken } = newQueue();
    queue.add(mark, FS_MODIFY, name("a"));
    queue.add(mark, FS_MODIFY, name("a"));
    queue.add(mark, FS_MODIFY, name("b"));
    queue.add(mark, FS_ATTRIB, name("b"));
    queue.add(mark, FS_MODIFY, name("b"));
    queue.add(mark, FS_MODIFY);
    assert.equal(nrWoken(), 1);
    queue.deliver();
    queue.add(mark, FS_MODIFY); // all that came before has been read
    queue.deliver();
    assert.deepEqual([nrWoken(), heard], [2, ["2 a", "2 b", "4 b", "2 b", "2 ", "2 "]]);
  });

  it("holds as many events as inotify's, and loses those behind", () => {
    const { queue, heard } = newQueue();
    for (let i = 0; i < MAX_QUEUED_EVENTS + 100; i++) queue.add(mark, FS_MODIFY, name(`${i}`));
    queue.deliver();
    assert.equal(heard.length, MAX_QUEUED_EVENTS);
    queue.add(mark, FS_CREATE, name("after"));
    queue.deliver();
    assert.equal(heard.at(-1), `${FS_CREATE} after`);
  });

  it("goes on behind what a listener throws, in another turn", () => {
    const { queue, heard, nrWoken } = newQueue();
    const failing = (): never => {
      queue.add(mark, FS_ATTRIB, name("meanwhile"));
      throw new Error("listener");
    };
    for (const one of ["a", "b", "c"]) queue.add(mark, FS_MODIFY, name(one));
    mark.listeners.set(failing, FS_MODIFY);
    assert.throws(() => queue.deliver(), /listener/);
    mark.listeners.delete(failing);
    assert.deepEqual([nrWoken(), heard], [2, ["2 a"]]);
    queue.deliver();
    assert.deepEqual(heard, ["2 a", "2 b", "2 c", "4 meanwhile"]);
  });
});
