import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "vitest";
import { ENOMEM, ENOSPC } from "../../../src/base/errno.ts";
import { LOCK_EX, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_TMPFILE, O_TRUNC } from "../../../src/base/stat-flags.ts";
import { ramfs } from "../../../src/fs/ramfs.ts";
import { Kernel } from "../../../src/vfs/kernel.ts";
import { mount, mountRoot } from "../../../src/vfs/mount.ts";
import { MS_BIND } from "../../../src/vfs/mount-constants.ts";
import type { DirListing } from "../../../src/vfs/syscalls.ts";
import type { Task } from "../../../src/vfs/task.ts";
import { coreModule, framesInUse, IS_SHARED, NOW_MS } from "../../helpers/core.ts";
import { digestOf } from "../../helpers/digest.ts";

const LONG = "long".repeat(60);
const kernels: Kernel[] = [];

afterEach(() => {
  for (const kernel of kernels.splice(0)) kernel.destroy();
});

/** A kernel with a small tree, and a task that has files open. The clock moves, so that a touched time would show. */
function newTask(): Task {
  let nowMs = NOW_MS;
  const now = (): number => (nowMs += 1000);
  const options = { memoryLimit: 2 ** 26, shared: IS_SHARED, preallocate: false, now };
  const kernel = Kernel.boot(coreModule, options) as Kernel;
  kernels.push(kernel);
  kernel.registerFileSystem(ramfs);
  mountRoot(kernel, ramfs, "");
  const task = kernel.newTask({}) as Task;
  for (const path of ["/dir", "/dir/sub", "/mnt"]) task.mkdir(path, 0o755);
  const fd = task.open("/file", O_CREAT | O_RDWR, 0o644);
  task.write(fd, new Uint8Array(10_000).fill(7), 0, 10_000, 0);
  task.symlink("file", "/link");
  for (let i = 0; i < 50; i++) task.mkdir(`/dir/sub/${i}-${LONG}`, 0o755);
  return task;
}

/** @returns a negated errno, or something else when it went well; then it is undone by the caller dropping the kernel */
type Call = (task: Task) => unknown;

/** What may be missing: room in the file system, or memory for what a process has open, locks and is. */
const FULL = [-ENOSPC];
const NO_MEMORY = [-ENOMEM];
const EITHER = [-ENOMEM, -ENOSPC];

const FILE = 3;
const CALLS: Record<string, [expected: number[], call: Call]> = {
  "open of a directory": [NO_MEMORY, (task) => task.open("/dir", O_RDONLY | O_DIRECTORY, 0)],
  "open without a name": [EITHER, (task) => task.open("/dir", O_TMPFILE | O_RDWR, 0o600)],
  "open of a new file": [EITHER, (task) => task.open(`/dir/${LONG}`, O_CREAT | O_RDWR, 0o644)],
  "open that truncates": [NO_MEMORY, (task) => task.open("/file", O_TRUNC | O_RDWR, 0)],
  mkdir: [FULL, (task) => task.mkdir("/dir/new", 0o755)],
  mknod: [FULL, (task) => task.mknod("/dir/new", 0o10644, 0)],
  symlink: [FULL, (task) => task.symlink("t".repeat(4000), `/dir/${LONG}`)],
  link: [FULL, (task) => task.link("/file", `/dir/${LONG}`)],
  rename: [FULL, (task) => task.rename("/file", `/dir/${LONG}`)],
  write: [FULL, (task) => task.write(FILE, new Uint8Array(100), 0, 100, 2 ** 30)],
  fallocate: [FULL, (task) => task.fallocate(FILE, 0, 2 ** 30, 1_000_000)],
  copyFileRange: [FULL, (task) => task.copyFileRange(FILE, 0, FILE, 2 ** 32, 10_000)],
  flock: [NO_MEMORY, (task) => task.flock(FILE, LOCK_EX)],
  mount: [NO_MEMORY, (task) => mount(task, { type: "ramfs", target: "/mnt", source: LONG })],
  bind: [NO_MEMORY, (task) => mount(task, { source: "/dir", target: "/mnt", flags: MS_BIND })],
  "a new task": [
    NO_MEMORY,
    (task) => task.kernel.newTask({ uid: 1, groups: Array.from({ length: 3000 }, (_, i) => i) }),
  ],
};

function codeOf(errno: number): string {
  return errno === -ENOSPC ? "ENOSPC" : "ENOMEM";
}

describe("running out of memory at any allocation of a system call", () => {
  for (const [name, [expected, call]] of Object.entries(CALLS)) {
    it(`is ${expected.map(codeOf).join(" or ")}, and changes and leaks nothing: ${name}`, () => {
      const task = newTask();
      const { core } = task.kernel;
      const answers = new Set<number>();
      let failures = 0;
      for (let n = 1; n < 200; n++) {
        const frames = framesInUse(core);
        const before = digestOf(core);
        core.x.setFailAfter(n);
        const answer = call(task);
        core.x.setFailAfter(0);
        task.kernel.verify();
        if (typeof answer !== "number" || answer >= 0) break;
        failures++;
        answers.add(answer);
        assert.equal(digestOf(core), before, `failure ${n} changed something`);
        assert.equal(framesInUse(core), frames, `failure ${n} leaked`);
      }
      assert.ok(failures > 0 && failures < 199, `${failures} failures`);
      assert.deepEqual([...answers].sort(), expected);
    });
  }
});

describe("listing a directory when memory has run out", () => {
  const lists: Record<string, (task: Task, fd: number) => DirListing | number> = {
    readdir: (task) => task.readdir("/dir/sub"),
    getdents: (task, fd) => task.getdents(fd, 1000),
  };
  for (const [name, list] of Object.entries(lists)) {
    it(`works piece by piece: ${name}`, () => {
      const task = newTask();
      const fd = task.open("/dir/sub", O_RDONLY | O_DIRECTORY, 0);
      const names: string[] = [];
      task.kernel.core.x.setFailAfter(1);
      for (let rounds = 0; rounds < (name === "readdir" ? 1 : 50); rounds++) {
        const listing = list(task, fd);
        assert.ok(typeof listing !== "number", `answered ${listing}`);
        names.push(...listing.names);
      }
      task.kernel.core.x.setFailAfter(0);
      assert.deepEqual(names.sort(), Array.from({ length: 50 }, (_, i) => `${i}-${LONG}`).sort());
    });
  }
});
