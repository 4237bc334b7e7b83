/** Walks, links, permissions and waits with a file system whose truth is not in memory. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EACCES, EIO } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs, type FolioKernel } from "../../../src/index.ts";
import type { Task } from "../../../src/vfs/task.ts";
import {
  Gate,
  type Hooks,
  RemoteFs,
  type RemoteNode,
  remoteDir,
  remoteFile,
  remoteLink,
} from "../../helpers/remote-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const O_PATH = 0o10000000;

/** A kernel with a remote tree mounted at /r. */
function mounted(root: RemoteNode, hooks: Hooks = {}): { fs: FolioFs; kernel: FolioKernel; remote: RemoteFs } {
  const remote = new RemoteFs(root, hooks);
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [remote.type] });
  fs.mkdirSync("/r");
  fs.kernel.mount({ type: "remotefs", target: "/r" });
  return { fs, kernel: fs.kernel, remote };
}

/** A task at the level of system calls. */
function taskOf(kernel: FolioKernel): Task {
  return kernel.vfs.newTask({}) as Task;
}

const tree = () =>
  remoteDir({
    dir: remoteDir({ file: remoteFile("data"), deep: remoteDir({ er: remoteFile("deeper") }) }),
    abs: remoteLink("/r/dir/deep"),
    rel: remoteLink("dir/deep/../file"),
    out: remoteLink("/plain/inner"),
    dangling: remoteLink("dir/a-new-name"),
    loop: remoteLink("loop"),
    chain: remoteLink("rel"),
  });

describe("lookup", () => {
  it("asks for each name once, and remembers which are missing", () => {
    const { fs, remote } = mounted(tree());

    assert.equal(fs.readFileSync("/r/dir/file", "utf8"), "data");
    assert.equal(remote.takeLog(), "lookup dir, lookup file, read, read");
    assert.equal(fs.existsSync("/r/dir/missing"), false);
    assert.equal(fs.existsSync("/r/dir/missing"), false);
    assert.equal(fs.existsSync("/r/dir/missing/x"), false);
    fs.statSync("/r/dir/file");
    assert.equal(remote.takeLog(), "lookup missing");
    assert.equal(fs.kernel.vmstat().nr_negative_dentries, 1);
  });

  it("keeps no more than so many missing names", () => {
    const { fs } = mounted(tree());
    for (let i = 0; i < 3000; i++) assert.equal(fs.existsSync(`/r/dir/missing-${i}`), false);
    assert.ok(fs.kernel.vmstat().nr_negative_dentries <= 1024);
    fs.kernel.dropCaches(2);
    assert.equal(fs.kernel.vmstat().nr_negative_dentries, 0);
  });

  it("makes a name that was known to be missing", () => {
    const { fs, remote } = mounted(tree());
    for (const [make, name] of [
      [() => fs.writeFileSync("/r/dir/new", "made"), "new"],
      [() => fs.mkdirSync("/r/dir/newdir"), "newdir"],
      [() => fs.renameSync("/r/dir/new", "/r/dir/other"), "other"],
    ] as const) {
      assert.equal(fs.existsSync(`/r/dir/${name}`), false);
      make();
      assert.equal(fs.existsSync(`/r/dir/${name}`), true, name);
      for (let i = 0; i < 2000; i++) fs.writeFileSync(`/split-${i}`, ""); // the hash table grows: chains are turned round
      assert.equal(fs.existsSync(`/r/dir/${name}`), true, name);
      for (let i = 0; i < 2000; i++) fs.unlinkSync(`/split-${i}`);
    }
    fs.unlinkSync("/r/dir/other");
    assert.equal(fs.existsSync("/r/dir/other"), false);
    assert.equal(remote.root.children?.get("dir")?.children?.has("other"), false);
  });

  it("passes errors on, and forgets them", () => {
    const state = { broken: true };
    const { fs } = mounted(tree(), { lookup: (_, name) => (state.broken && name === "file" ? -EIO : 0) });
    assert.equal(
      outcomeOf(() => fs.statSync("/r/dir/file")),
      "EIO",
    );
    state.broken = false;
    assert.equal(fs.statSync("/r/dir/file").size, 4);
  });

  it("may walk, open, close and make files itself, as other tasks too", () => {
    const held: number[] = [];
    const state: { other?: FolioFs; main?: FolioFs } = {};
    const { fs, kernel } = mounted(tree(), {
      lookup: (_, name) => {
        const { other, main } = state;
        if (!other || !main) return 0;
        main.mkdirSync(`/scratch/${name}/${"long-name-".repeat(20)}`, { recursive: true });
        held.push(other.openSync("/plain/inner/f", "r"));
        other.statSync("/scratch/../plain/inner/link/f");
        main.closeSync(main.openSync("/scratch/tmp", "w"));
        main.unlinkSync("/scratch/tmp");
        return 0;
      },
    });
    fs.mkdirSync("/plain/inner", { recursive: true });
    fs.mkdirSync("/scratch");
    fs.writeFileSync("/plain/inner/f", "plain");
    fs.symlinkSync(".", "/plain/inner/link");
    state.main = kernel.task();
    state.other = kernel.task({ uid: 1000, gid: 1000, cwd: "/plain" });

    assert.equal(fs.readFileSync("/r/dir/deep/er", "utf8"), "deeper");
    kernel.verify();
    assert.equal(fs.readFileSync("/r/dir/deep/../../r/../r/dir/file".replace("r/../r/", ""), "utf8"), "data");
    assert.equal(
      outcomeOf(() => fs.accessSync("/r/dir/deep/missing/x")),
      "ENOENT",
    );
    fs.writeFileSync("/r/dir/written", "w");
    fs.renameSync("/r/dir/written", "/r/dir/deep/moved");
    for (const fd of held) {
      assert.equal(state.other.readFileSync(fd, "utf8"), "plain");
      state.other.closeSync(fd);
    }
    assert.equal(kernel.vmstat().nr_files, 0);
    fs.chownSync("/r/dir", 7, 7); // still root: the credentials are those of the caller
  });

  it("may walk its own names from within a lookup", () => {
    const state: { main?: FolioFs; depth: number } = { depth: 0 };
    const { fs } = mounted(tree(), {
      lookup: (_, name) => {
        if (name === "er" && state.main && state.depth++ === 0) {
          assert.equal(state.main.readFileSync("/r/rel", "utf8"), "data");
          assert.equal(state.main.readFileSync("/r/dir/deep/er", "utf8"), "deeper");
        }
        return 0;
      },
    });
    state.main = fs.kernel.task();
    assert.equal(fs.readFileSync("/r/abs/er", "utf8"), "deeper");
    assert.deepEqual(fs.readdirSync("/r/dir/deep"), ["er"]);
  });
});

describe("symbolic links", () => {
  it("are asked for their targets, and walked", () => {
    const { fs, remote } = mounted(tree());
    fs.mkdirSync("/plain");
    fs.writeFileSync("/plain/inner", "outside");

    assert.equal(fs.readFileSync("/r/abs/er", "utf8"), "deeper");
    assert.equal(fs.readFileSync("/r/chain", "utf8"), "data");
    assert.equal(fs.readFileSync("/r/out", "utf8"), "outside");
    assert.equal(fs.readlinkSync("/r/rel"), "dir/deep/../file");
    assert.equal(fs.realpathSync("/r/chain"), "/r/dir/file");
    assert.equal(fs.lstatSync("/r/abs").isSymbolicLink(), true);
    assert.equal(
      outcomeOf(() => fs.statSync("/r/loop")),
      "ELOOP",
    );
    assert.equal(
      outcomeOf(() => fs.statSync("/r/abs/er/x")),
      "ENOTDIR",
    );
    assert.equal(
      outcomeOf(() => fs.statSync("/r/dangling")),
      "ENOENT",
    );
    assert.match(remote.takeLog(), /getLink/);
  });

  it("lead to a file that is made", () => {
    const { fs, remote } = mounted(tree());
    fs.writeFileSync("/r/dangling", "through the link");
    assert.equal(remote.root.children?.get("dir")?.children?.get("a-new-name")?.data?.toString(), "through the link");
    assert.equal(fs.readFileSync("/r/dir/a-new-name", "utf8"), "through the link");
  });

  it("lead from memory into the remote tree and back, with walks in the middle of bodies", () => {
    const state: { main?: FolioFs } = {};
    const { fs } = mounted(tree(), {
      getLink: () => void state.main?.statSync("/m/2"),
      lookup: () => void state.main?.statSync("/m"),
    });
    fs.mkdirSync("/m");
    fs.writeFileSync("/m/end", "end");
    fs.symlinkSync("/r/dir/deep/../../dir/./file", "/m/1");
    fs.symlinkSync("../m/end", "/m/2");
    state.main = fs.kernel.task();
    fs.symlinkSync("../r/abs/../../../r/abs/er", "/m/3");

    assert.equal(fs.readFileSync("/m/1", "utf8"), "data");
    assert.equal(fs.readFileSync("/m/3", "utf8"), "deeper");
    assert.equal(fs.readFileSync("/r/abs/../../../m/2", "utf8"), "end");
  });

  it("pass errors on", () => {
    const { fs } = mounted(tree(), { getLink: () => -EIO });
    assert.equal(
      outcomeOf(() => fs.statSync("/r/rel")),
      "EIO",
    );
    assert.equal(
      outcomeOf(() => fs.readlinkSync("/r/rel")),
      "EIO",
    );
    assert.equal(fs.lstatSync("/r/rel").isSymbolicLink(), true);
  });
});

describe("permission", () => {
  const MAY_WRITE = 2;
  const guarded = (allowed: (node: RemoteNode, mask: number) => boolean) =>
    mounted(tree(), { permission: (_, node, mask) => (allowed(node, mask) ? 0 : -EACCES) });

  it("is asked at every directory of a walk, whoever walks", () => {
    const { fs, remote } = guarded((node) => !node.children?.has("er"));
    assert.equal(fs.readFileSync("/r/dir/file", "utf8"), "data");
    assert.equal(
      outcomeOf(() => fs.statSync("/r/dir/deep/er")),
      "EACCES",
    );
    assert.equal(
      outcomeOf(() => fs.statSync("/r/dir/deep/..")),
      "EACCES",
    );
    assert.equal(
      outcomeOf(() => fs.readdirSync("/r/dir/deep")),
      "EACCES",
    );
    assert.equal(fs.statSync("/r/dir/deep").isDirectory(), true);
    assert.equal(remote.takeLog().includes("lookup er"), false);
  });

  it("replaces the mode bits for whatever is done", () => {
    const { fs, kernel } = guarded((_, mask) => (mask & MAY_WRITE) === 0);
    const calls: (() => void)[] = [
      () => fs.writeFileSync("/r/dir/new", ""),
      () => fs.writeFileSync("/r/dir/file", ""),
      () => fs.truncateSync("/r/dir/file", 0),
      () => fs.mkdirSync("/r/dir/new"),
      () => fs.unlinkSync("/r/dir/file"),
      () => fs.rmdirSync("/r/dir/deep"),
      () => fs.renameSync("/r/dir/file", "/r/dir/new"),
      () => fs.renameSync("/r/dir/deep", "/r/new"),
      () => fs.accessSync("/r/dir", fs.constants.W_OK),
    ];
    for (const call of calls) assert.equal(outcomeOf(call), "EACCES", String(call));
    const user = kernel.task({ uid: 1000, gid: 1000, cwd: "/r/dir" });
    assert.equal(user.readFileSync("file", "utf8"), "data");
    const everything = guarded(() => true);
    const nobody = everything.kernel.task({ uid: 1000, gid: 1000 });
    nobody.mkdirSync("/r/dir/0755-root-and-yet");
    nobody.renameSync("/r/dir/file", "/r/dir/deep/file");
    nobody.unlinkSync("/r/dir/deep/file");
  });

  it("may walk itself, in the middle of calls that go on with what they found", () => {
    const state: { main?: FolioFs; calls: number } = { calls: 0 };
    const { fs, kernel } = mounted(tree(), {
      permission: () => {
        const { main } = state;
        if (!main) return 0;
        state.calls++;
        main.statSync("/elsewhere/far/away");
        return 0;
      },
    });
    fs.mkdirSync("/elsewhere/far/away", { recursive: true });
    state.main = kernel.task();
    fs.mkdirSync("/r/dir/new");
    fs.writeFileSync("/r/dir/new/f", "1");
    fs.renameSync("/r/dir/new/f", "/r/dir/g");
    fs.truncateSync("/r/dir/g", 0);
    assert.deepEqual(fs.readdirSync("/r/dir"), ["deep", "file", "g", "new"]);
    const task = taskOf(kernel);
    assert.equal(task.chdir("/r/dir/deep"), 0);
    assert.equal(Buffer.from(task.getcwd() as Uint8Array).toString(), "/r/dir/deep");
    assert.ok(state.calls > 10);
    task.exit();
  });
});

describe("revalidate", () => {
  it("drops names that are true no more, with all that was cached below", () => {
    const state = { stale: "" };
    const { fs, remote, kernel } = mounted(tree(), { revalidate: (_, name) => (name === state.stale ? 0 : 1) });
    fs.readFileSync("/r/dir/deep/er");
    fs.existsSync("/r/dir/missing");
    const before = kernel.vmstat();

    state.stale = "dir";
    remote.root.children?.set("dir", remoteDir({ file: remoteFile("other data") }));
    assert.equal(fs.readFileSync("/r/dir/file", "utf8"), "other data");
    assert.equal(fs.existsSync("/r/dir/deep/er"), false);
    state.stale = "";
    kernel.dropCaches(3);
    assert.ok(kernel.vmstat().nr_dentries <= before.nr_dentries, "what was cached below a stale name is kept for ever");
    kernel.umount("/r");
    assert.equal(remote.nodes.size, 0);
    assert.equal(kernel.vmstat().nr_super_blocks, 1);
  });

  it("sees missing names appear", () => {
    const { fs, remote } = mounted(tree(), { revalidate: (_, name) => (name === "late" ? 0 : 1) });
    assert.equal(fs.existsSync("/r/late"), false);
    remote.root.children?.set("late", remoteFile("here"));
    assert.equal(fs.readFileSync("/r/late", "utf8"), "here");
  });

  it("leaves an open file alone whose name is gone", () => {
    const state = { stale: false };
    const { fs, remote, kernel } = mounted(tree(), { revalidate: () => (state.stale ? 0 : 1) });
    const fd = fs.openSync("/r/dir/file", "r");
    state.stale = true;
    remote.root.children?.delete("dir");
    assert.equal(fs.existsSync("/r/dir/file"), false);
    assert.equal(fs.readFileSync(fd, "utf8"), "data");
    fs.closeSync(fd);
    kernel.umount("/r");
    assert.equal(remote.nodes.size, 0);
  });

  it("passes errors on", () => {
    const state = { rc: 1 };
    const { fs } = mounted(tree(), { revalidate: () => state.rc });
    fs.statSync("/r/dir/file");
    state.rc = -EIO;
    assert.equal(
      outcomeOf(() => fs.statSync("/r/dir/file")),
      "EIO",
    );
  });
});

describe("attributes, listings, the end", () => {
  it("getattr amends what stat gives", () => {
    const { fs, remote } = mounted(tree());
    assert.equal(fs.statSync("/r/dir/file").size, 4);
    const file = remote.root.children?.get("dir")?.children?.get("file") as RemoteNode;
    file.data = Buffer.alloc(1000);
    assert.equal(fs.statSync("/r/dir/file").size, 1000);
    const fd = fs.openSync("/r/dir/file", O_PATH);
    assert.equal(fs.fstatSync(fd).size, 1000);
    fs.closeSync(fd);
  });

  it("iterate lists, sorted or piece by piece", () => {
    const names = Array.from({ length: 500 }, (_, i) => `n${(i * 37) % 500}`);
    const { fs } = mounted(remoteDir(Object.fromEntries(names.map((name) => [name, remoteFile()]))));
    assert.deepEqual(fs.readdirSync("/r"), [...names].sort());
    const dir = fs.opendirSync("/r", { bufferSize: 7 });
    const read: string[] = [];
    for (let entry = dir.readSync(); entry; entry = dir.readSync()) read.push(entry.name);
    dir.closeSync();
    assert.deepEqual(read, names);
    assert.equal(
      fs.readdirSync("/r", { withFileTypes: true }).every((entry) => entry.isFile()),
      true,
    );
  });

  it("lists a large directory in time that grows with it", () => {
    const { fs } = mounted(
      remoteDir(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`n${i}`, remoteFile()]))),
    );
    const start = performance.now();
    assert.equal(fs.readdirSync("/r").length, 50_000);
    assert.ok(performance.now() - start < 2000);
  });

  it("evictInode hears of every inode, once", () => {
    const evicted: RemoteNode[] = [];
    const { fs, kernel, remote } = mounted(tree(), { evict: (_, node) => void evicted.push(node) });
    const fd = fs.openSync("/r/dir/file", "r+");
    fs.unlinkSync("/r/dir/file");
    assert.equal(evicted.length, 0);
    assert.equal(fs.writeSync(fd, "still there"), 11);
    fs.closeSync(fd);
    assert.equal(evicted.length, 1);
    fs.readFileSync("/r/dir/deep/er");
    kernel.umount("/r");
    assert.equal(remote.nodes.size, 0);
    assert.equal(new Set(evicted).size, evicted.length);
    assert.equal(kernel.vmstat().nr_inodes, 2);
  });

  it("copyFile goes by the file system's own reads and writes", () => {
    const { fs, remote } = mounted(tree());
    fs.writeFileSync("/plain", "p".repeat(100_000));
    fs.copyFileSync("/plain", "/r/copy");
    assert.equal(remote.root.children?.get("copy")?.data?.toString(), "p".repeat(100_000));
    fs.copyFileSync("/r/dir/file", "/copied");
    assert.equal(fs.readFileSync("/copied", "utf8"), "data");
  });

  it("is busy while somebody stands in it, and then not", () => {
    const { fs, kernel } = mounted(tree());
    const task = taskOf(kernel);
    task.chdir("/r/dir");
    assert.equal(
      outcomeOf(() => kernel.umount("/r")),
      "EBUSY",
    );
    task.exit();
    kernel.umount("/r");
    assert.deepEqual(fs.readdirSync("/r"), []);
  });
});

describe("a store that is not ready", () => {
  const ways: [string, (gate: Gate) => Hooks][] = [
    ["lookup", (gate) => ({ lookup: (kernel) => gate.pass(kernel) })],
    ["read", (gate) => ({ read: (kernel) => gate.pass(kernel) })],
    ["getLink", (gate) => ({ getLink: (kernel) => gate.pass(kernel) })],
    ["permission", (gate) => ({ permission: (kernel) => gate.pass(kernel) })],
  ];

  for (const [name, hooks] of ways) {
    it(`${name}: EAGAIN for the synchronous form, the promise and the callback wait`, async () => {
      const gate = new Gate();
      const { fs } = mounted(tree(), hooks(gate));
      const path = "/r/rel";

      assert.equal(
        outcomeOf(() => fs.readFileSync(path)),
        "EAGAIN",
      );
      const promised = fs.promises.readFile(path, "utf8");
      const called = new Promise((resolve) => fs.readFile(path, "utf8", (error, data) => resolve(error ?? data)));
      let settled = false;
      void promised.then(() => (settled = true));
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(settled, false);
      gate.open();

      assert.equal(await promised, "data");
      assert.equal(await called, "data");
      assert.equal(fs.readFileSync(path, "utf8"), "data");
    });
  }

  it("nothing half done is left behind by calls that had to wait", async () => {
    const gate = new Gate();
    const { fs, kernel } = mounted(tree(), { lookup: (k, name) => (name === "slow" ? gate.pass(k) : 0) });
    fs.writeFileSync("/f", "x");
    assert.equal(
      outcomeOf(() => fs.renameSync("/f", "/r/slow/f")),
      "EAGAIN",
    );
    assert.equal(
      outcomeOf(() => fs.mkdirSync("/r/slow")),
      "EAGAIN",
    );
    assert.equal(
      outcomeOf(() => fs.linkSync("/f", "/r/slow")),
      "EAGAIN",
    );
    assert.equal(
      outcomeOf(() => fs.openSync("/r/slow", "w")),
      "EAGAIN",
    );
    const made = fs.promises.mkdir("/r/slow");
    gate.open();
    await made;
    assert.equal(fs.statSync("/r/slow").isDirectory(), true);
    assert.equal(kernel.vmstat().nr_files, 0);
  });
});
