/** Tasks as the kernel's interface shows them: shared descriptors, the end of a task, roots and directories. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { ENOENT } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs, type FolioKernel } from "../../../src/index.ts";
import type { Task } from "../../../src/vfs/task.ts";
import { outcomeOf } from "../../helpers/subject.ts";

let fs: FolioFs;
let kernel: FolioKernel;

beforeEach(() => {
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  kernel = fs.kernel;
});

function counts(): number[] {
  const { nr_files, nr_tasks, nr_creds } = kernel.vmstat();
  return [nr_files, nr_tasks, nr_creds];
}

describe("shared descriptors", () => {
  it("are one table: opened here, read, moved and closed there", () => {
    const other = kernel.task({ uid: 1000, gid: 1000, files: fs });
    fs.writeFileSync("/f", "shared");
    const fd = fs.openSync("/f", "r");
    assert.equal(other.readFileSync(fd, "utf8"), "shared");
    assert.equal(fs.readSync(fd, Buffer.alloc(9)), 0);
    other.closeSync(fd);
    assert.equal(
      outcomeOf(() => fs.fstatSync(fd)),
      "EBADF",
    );
    assert.equal(other.openSync("/f", "r"), fd);
  });

  it("keep credentials, umask and directories apart", () => {
    const other = kernel.task({ uid: 1000, gid: 1000, umask: 0o077, cwd: "/", files: fs });
    fs.chmodSync("/", 0o777);
    other.writeFileSync("f", "");
    fs.writeFileSync("g", "");
    assert.deepEqual([fs.statSync("/f").uid, fs.statSync("/f").mode & 0o777], [1000, 0o600]);
    assert.deepEqual([fs.statSync("/g").uid, fs.statSync("/g").mode & 0o777], [0, 0o644]);
  });

  it("outlive one of their tasks, and end with the last", () => {
    fs.writeFileSync("/f", "x");
    const before = counts();
    const a = kernel.task();
    const b = kernel.task({ files: a });
    const fd = a.openSync("/f", "r");
    kernel.exit(a);
    assert.equal(b.readFileSync(fd, "utf8"), "x");
    kernel.exit(b);
    assert.deepEqual(counts(), before);
  });

  it("stay open when a task that was to share them cannot be made", () => {
    fs.writeFileSync("/f", "x");
    const fd = fs.openSync("/f", "r");
    const before = counts();
    assert.equal(
      outcomeOf(() => kernel.task({ files: fs, cwd: "/missing" })),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => kernel.task({ files: fs, root: "/f" })),
      "ENOTDIR",
    );
    assert.deepEqual(counts(), before);
    assert.equal(fs.readFileSync(fd, "utf8"), "x");
  });
});

describe("a task with a root of its own", () => {
  it("walks there, and no more where it walked before", () => {
    fs.mkdirSync("/a/b/a/b", { recursive: true });
    fs.writeFileSync("/a/b/f", "outside");
    fs.writeFileSync("/a/b/a/b/f", "inside");
    assert.equal(kernel.task({ root: "/a/b" }).readFileSync("/a/b/f", "utf8"), "inside");
  });
});

describe("the end of a task", () => {
  it("closes its files, frees its orphans, gives up its locks and lets go of its directory", () => {
    fs.mkdirSync("/m");
    kernel.mount({ type: "ramfs", target: "/m" });
    const before = kernel.vmstat();
    const task = kernel.task({ cwd: "/m", groups: [1, 2, 3] });
    const fd = task.openSync("/m/f", "w+");
    task.writeSync(fd, Buffer.alloc(100_000));
    task.flockSync(fd, 2);
    task.unlinkSync("/m/f");
    assert.equal(
      outcomeOf(() => kernel.umount("/m")),
      "EBUSY",
    );

    kernel.exit(task);
    const after = kernel.vmstat();
    for (const name of [
      "nr_files",
      "nr_tasks",
      "nr_creds",
      "nr_inodes",
      "nr_dentries",
      "nr_file_pages",
      "nr_strings",
    ]) {
      assert.equal(after[name], before[name], name);
    }
    kernel.umount("/m");
  });

  it("makes every later call throw, and leaves others alone", () => {
    const task = kernel.task();
    kernel.exit(task);
    assert.throws(() => task.readdirSync("/"), /this task has ended/);
    assert.throws(() => task.existsSync("/"), /this task has ended/);
    assert.equal(
      outcomeOf(() => kernel.exit(task)),
      "EINVAL",
    );
    assert.equal(
      outcomeOf(() => kernel.exit(fs)),
      "EINVAL",
    );
    assert.equal(
      outcomeOf(() => kernel.exit(kernel.fork().fs)),
      "EINVAL",
    );
    assert.deepEqual(fs.readdirSync("/"), []);
  });

  it("goes on while others serve calls in between", () => {
    const tasks = Array.from({ length: 50 }, (_, i) => kernel.task({ uid: i, gid: i, groups: [i + 1] }));
    fs.chmodSync("/", 0o1777);
    for (const [i, task] of tasks.entries()) task.mkdirSync(`/${i}`);
    for (const [i, task] of tasks.entries()) {
      assert.equal(fs.statSync(`/${i}`).uid, i);
      if (i % 2) kernel.exit(task);
    }
    for (let i = 0; i < tasks.length; i += 2) tasks[i].rmdirSync(`/${i}`);
    assert.equal(fs.readdirSync("/").length, 25);
  });
});

describe("roots and directories", () => {
  it("a task's root is as the kernel sees it, its working directory as the root does", () => {
    fs.mkdirSync("/jail/home", { recursive: true });
    fs.writeFileSync("/secret", "outside");
    fs.symlinkSync("/secret", "/jail/link");
    const task = kernel.task({ root: "/jail", cwd: "/home" });
    task.writeFileSync("f", "inside");
    assert.equal(fs.readFileSync("/jail/home/f", "utf8"), "inside");
    assert.equal(task.realpathSync("."), "/home");
    assert.equal(
      outcomeOf(() => task.readFileSync("/link")),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => task.readFileSync("../../../secret")),
      "ENOENT",
    );
    assert.deepEqual(task.readdirSync("/.."), ["home", "link"]);
  });

  it("a task that has been handed a directory outside of its root does not get a path for it", () => {
    fs.mkdirSync("/jail");
    fs.mkdirSync("/d");
    const task = kernel.vfs.newTask({}) as Task;
    assert.equal(task.chdir("/d"), 0);
    assert.equal(task.chroot("/jail"), 0);
    assert.equal(task.getcwd(), -ENOENT);
    task.exit();
  });

  it("cannot be missing, a file, or closed to the task", () => {
    fs.writeFileSync("/f", "");
    fs.mkdirSync("/closed", { mode: 0o700 });
    for (const name of ["cwd", "root"]) {
      assert.throws(() => kernel.task({ [name]: "/missing" }), {
        code: "ENOENT",
        message: `ENOENT: no such file or directory, options.${name} '/missing'`,
      });
      assert.throws(() => kernel.task({ [name]: "/f" }), { code: "ENOTDIR" });
    }
    assert.equal(
      outcomeOf(() => kernel.task({ uid: 1, gid: 1, cwd: "/closed" })),
      "EACCES",
    );
    assert.equal(counts()[1], 1);
  });

  it("of a removed directory cannot be told", () => {
    fs.mkdirSync("/gone");
    const task = kernel.task({ cwd: "/gone" });
    fs.rmdirSync("/gone");
    assert.equal(
      outcomeOf(() => task.writeFileSync("f", "")),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => task.mkdirSync("d")),
      "ENOENT",
    );
    assert.deepEqual(task.readdirSync("."), []);
    assert.equal(task.statSync(".").nlink, 0);
    kernel.exit(task);
    assert.equal(kernel.vmstat().nr_inodes, 1);
  });
});

describe("identity", () => {
  it("knows many supplementary groups", () => {
    const groups = Array.from({ length: 5000 }, (_, i) => i + 10);
    const task = kernel.task({ uid: 1, gid: 1, groups });
    fs.writeFileSync("/f", "");
    fs.chownSync("/f", 0, 5009);
    fs.chmodSync("/f", 0o640);
    assert.equal(task.readFileSync("/f", "utf8"), "");
    fs.chownSync("/f", 0, 5010);
    assert.equal(
      outcomeOf(() => task.readFileSync("/f")),
      "EACCES",
    );
    kernel.exit(task);
  });

  it("goes along with a fork, descriptors do not", () => {
    const user = createFsSync({ uid: 1000, gid: 1001, groups: [5], umask: 0o077 });
    user.writeFileSync("/f", "x");
    const fd = user.openSync("/f", "r");
    const copy = user.kernel.fork().fs;
    copy.writeFileSync("/g", "");
    const { uid, gid, mode } = copy.statSync("/g");
    assert.deepEqual([uid, gid, mode & 0o777], [1000, 1001, 0o600]);
    assert.equal(
      outcomeOf(() => copy.fstatSync(fd)),
      "EBADF",
    );
  });

  it("of root is not in a user's reach", () => {
    const user = createFsSync({ uid: 1000, gid: 1000 });
    assert.equal(
      outcomeOf(() => user.chownSync("/", 0, 0)),
      "EPERM",
    );
    user.writeFileSync("/f", "");
    assert.equal(
      outcomeOf(() => user.chownSync("/f", 1, -1)),
      "EPERM",
    );
    assert.equal(
      outcomeOf(() => user.mknodSync("/dev", 0o020666, 1)),
      "EPERM",
    );
  });
});
