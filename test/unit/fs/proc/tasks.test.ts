/** Directories of tasks: their numbers, who comes and goes, who may look. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { restoreFsSync } from "../../../../src/index.ts";
import { proc } from "../../../../src/proc.ts";
import { fsWithProc, outcomeOf } from "../../../helpers/proc-mount.ts";
import { parseStatus } from "../../../helpers/proc-parsers.ts";

const pids = (fs: FolioFs) => fs.readdirSync("/proc").filter((name) => /^\d/.test(name));
const pidOf = (fs: FolioFs) => fs.readlinkSync("/proc/self");

describe("numbers", () => {
  it("are given in the order of making, and not again", () => {
    const fs = fsWithProc();
    const [a, b, c] = [fs.kernel.task(), fs.kernel.task(), fs.kernel.task()];
    assert.deepEqual([pidOf(c), pidOf(fs), pidOf(b), pidOf(a)], ["4", "1", "3", "2"]);
    assert.deepEqual(pids(fs), ["1", "2", "3", "4"]);
    fs.kernel.exit(b);
    assert.deepEqual(pids(a), ["1", "2", "4"]);
    const d = fs.kernel.task();
    assert.equal(pidOf(d), "5");
    assert.deepEqual(pids(fs), ["1", "2", "4", "5"]);
    assert.equal(fs.statSync("/proc").nlink, 3 + 4);
    assert.deepEqual([a, c, d].map(pidOf), ["2", "4", "5"], "those that nobody has any more would be gone");
  });

  it("are each kernel's own", () => {
    const fs = fsWithProc();
    fs.kernel.task();
    const fork = fs.kernel.fork().fs;
    fork.kernel.mount({ type: "proc", target: "/proc" });
    assert.deepEqual(pids(fork), ["1"]);
    assert.deepEqual(pids(fs), ["1", "2"]);
  });

  it("stay through a rollback, after which proc is to be mounted again", () => {
    const fs = fsWithProc();
    const user = fs.kernel.task({ uid: 7 });
    assert.equal(pidOf(user), "2");
    fs.kernel.restore(fs.kernel.snapshot());
    assert.deepEqual(fs.readdirSync("/proc"), []);
    fs.kernel.mount({ type: "proc", target: "/proc" });
    assert.equal(pidOf(user), "2");
    assert.equal(parseStatus(fs.readFileSync("/proc/2/status", "utf8")).get("Uid"), "7\t7\t7\t7");
  });
});

describe("a task that ends", () => {
  it("takes its directory with it, for those who stand in it, too", () => {
    const fs = fsWithProc();
    const task = fs.kernel.task();
    const pid = pidOf(task);
    const dir = fs.openSync(`/proc/${pid}`, "r");
    const status = fs.openSync(`/proc/${pid}/status`, "r");
    const mounts = fs.openSync(`/proc/${pid}/mounts`, "r");
    const first = Buffer.alloc(5);
    fs.readSync(mounts, first, 0, 5, null);
    fs.kernel.exit(task);
    assert.equal(fs.existsSync(`/proc/${pid}`), false);
    assert.throws(() => fs.statSync(`/proc/${pid}/fd`), { code: "ENOENT" });
    assert.throws(() => fs.readdirSync(`/proc/self/fd/${dir}`), { code: "ENOENT" });
    assert.throws(() => fs.statSync(`/proc/self/fd/${dir}/status`), { code: "ENOENT" });
    assert.throws(() => fs.readFileSync(status), { code: "ESRCH" });
    assert.match(fs.readFileSync(mounts, "utf8"), /^s \/ tmpfs rw/, "what has been begun is read to its end");
    assert.throws(() => fs.readSync(mounts, first, 0, 5, 0), { code: "ESRCH" });
    for (const fd of [dir, status, mounts]) fs.closeSync(fd);
  });

  it("frees the file system for umount", () => {
    const fs = fsWithProc();
    const task = fs.kernel.task({ cwd: "/proc/self" });
    task.openSync("status", "r");
    assert.throws(() => fs.kernel.umount("/proc"), { code: "EBUSY" });
    fs.kernel.exit(task);
    fs.kernel.umount("/proc");
    assert.deepEqual(fs.readdirSync("/proc"), []);
  });
});

describe("who may look", () => {
  it("is root, and the same user, but nobody else", () => {
    const fs = fsWithProc();
    const [a, b, c] = [
      { uid: 1, gid: 1 },
      { uid: 1, gid: 1 },
      { uid: 2, gid: 1 },
    ].map((who) => fs.kernel.task(who));
    a.openSync("/proc/meminfo", "r");
    const look = (face: FolioFs) => [
      outcomeOf(() => face.readdirSync("/proc/2/fd")),
      outcomeOf(() => face.readlinkSync("/proc/2/fd/3")),
      outcomeOf(() => face.readlinkSync("/proc/2/cwd")),
      outcomeOf(() => face.statSync("/proc/2/root/").isDirectory()),
      outcomeOf(() => face.readFileSync("/proc/2/io", "utf8").length > 0),
      outcomeOf(() => face.readFileSync("/proc/2/mountinfo", "utf8").length > 0),
    ];
    const all = ['["3"]', '"/proc/meminfo"', '"/"', "true", "true", "true"];
    assert.equal(pidOf(a), "2");
    assert.deepEqual(look(a), all);
    assert.deepEqual(look(b), all);
    assert.deepEqual(look(fs), all);
    const denied = ["scandir", "readlink", "readlink", "stat", "open"].map((syscall) => `EACCES ${syscall}`);
    assert.deepEqual(look(c), [...denied, "true"]);
  });

  it("owns what is in a task's directory", () => {
    const fs = fsWithProc();
    const user = fs.kernel.task({ uid: 12, gid: 34 });
    for (const name of ["/", "/fd", "/status", "/cwd", "/io"]) {
      const { uid, gid } = user.lstatSync(`/proc/self${name}`);
      assert.deepEqual([uid, gid], [12, 34], name);
    }
  });

  it("is asked when io is read, too: a descriptor may be shared", () => {
    const fs = fsWithProc();
    const root = fs.kernel.task();
    const user = root.kernel.task({ uid: 5 });
    const io = root.openSync("/proc/self/io", "r");
    const shared = fs.kernel.task({ uid: 5, files: root });
    assert.ok(root.readFileSync(io, "utf8").startsWith("rchar: "));
    assert.throws(() => shared.readSync(io, Buffer.alloc(9), 0, 9, 0), { code: "EACCES" });
    assert.equal(pidOf(user), "3");
  });
});

describe("descriptors", () => {
  it("are listed, in order of number as of name", () => {
    const fs = fsWithProc();
    fs.writeFileSync("/tmp/f", "");
    const fds = Array.from({ length: 12 }, () => fs.openSync("/tmp/f", "r"));
    fs.closeSync(fds[3]);
    const open = fds.filter((fd) => fd !== fds[3]);
    assert.deepEqual(
      fs
        .readdirSync("/proc/self/fd")
        .map(Number)
        .sort((a, b) => a - b),
      open,
    );
    const dir = fs.opendirSync("/proc/self/fd");
    const names: string[] = [];
    for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
      assert.ok(entry.isSymbolicLink());
      names.push(entry.name);
    }
    assert.deepEqual(
      names.map(Number),
      [...open, 6].sort((a, b) => a - b),
      "the directory's own among them",
    );
    dir.closeSync();
  });

  it("that went with a rollback are not there", () => {
    const fs = fsWithProc();
    fs.openSync("/tmp/gone", "w");
    fs.kernel.restore(fs.kernel.snapshot());
    fs.kernel.mount({ type: "proc", target: "/proc" });
    assert.deepEqual(fs.readdirSync("/proc/self/fd"), []);
    assert.throws(() => fs.readlinkSync("/proc/self/fd/3"), { code: "ENOENT" });
  });

  it("that are shared are each task's", () => {
    const fs = fsWithProc();
    const other = fs.kernel.task({ files: fs });
    const fd = fs.openSync("/tmp/f", "w");
    assert.equal(other.readlinkSync(`/proc/self/fd/${fd}`), "/tmp/f");
  });
});

describe("proc as a file system", () => {
  it("is one, however often it is mounted", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/again");
    fs.kernel.mount({ type: "proc", target: "/again", source: "none" });
    assert.equal(fs.statSync("/again").dev, fs.statSync("/proc").dev);
    assert.equal(fs.statSync("/again/meminfo").ino, fs.statSync("/proc/meminfo").ino);
    fs.kernel.umount("/proc");
    assert.ok(fs.existsSync("/again/self/status"));
    fs.kernel.umount("/again");
    fs.kernel.mount({ type: "proc", target: "/proc" });
    assert.ok(fs.existsSync("/proc/self/status"));
  });

  it("takes no options", () => {
    const fs = fsWithProc();
    fs.kernel.umount("/proc");
    const request = { type: "proc", target: "/proc", data: "nonsense=2" };
    assert.throws(() => fs.kernel.mount(request), { code: "EINVAL" });
    assert.equal(fs.kernel.vmstat().nr_super_blocks, 1);
  });

  it("keeps no inode that nobody uses", () => {
    const fs = fsWithProc();
    const walk = (path: string): number =>
      fs.readdirSync(path, { withFileTypes: true }).reduce((nr, entry) => {
        const below = `${path}/${entry.name}`;
        return nr + (entry.isDirectory() ? walk(below) : fs.lstatSync(below).nlink);
      }, 1);
    assert.ok(walk("/proc") > 35);
    fs.kernel.dropCaches(2);
    const { nr_inodes } = fs.kernel.vmstat();
    assert.ok(nr_inodes <= 4, `${nr_inodes}`);
  });

  it("is in no snapshot", () => {
    const fs = fsWithProc();
    fs.readFileSync("/proc/meminfo");
    const restored = restoreFsSync(fs.kernel.snapshot(), { types: [proc] });
    assert.deepEqual(restored.readdirSync("/proc"), []);
    restored.kernel.mount({ type: "proc", target: "/proc" });
    assert.equal(pidOf(restored), "1");
  });

  it("serves promise and callback calls", async () => {
    const fs = fsWithProc();
    assert.ok((await fs.promises.readFile("/proc/meminfo", "utf8")).startsWith("MemTotal:"));
    assert.equal(await fs.promises.readlink("/proc/self"), "1");
    await fs.promises.writeFile("/proc/sys/vm/swappiness", "42");
    const text = await new Promise((done) =>
      fs.readFile("/proc/sys/vm/swappiness", "utf8", (_error, data) => done(data)),
    );
    assert.equal(text, "42\n");
    await assert.rejects(fs.promises.writeFile("/proc/sys/vm/swappiness", "201"), { code: "EINVAL" });
  });

  it("tells who asks while another is served", () => {
    const fs = fsWithProc();
    const user = fs.kernel.task({ uid: 3, cwd: "/tmp" });
    for (let i = 0; i < 3; i++) assert.deepEqual([pidOf(fs), pidOf(user)], ["1", "2"]);
    const fd = user.openSync("/proc/1/mounts", "r");
    user.readFileSync(fd);
    assert.throws(() => user.mkdirSync("/root"), { code: "EACCES" }, "the reader is who it was");
  });
});
