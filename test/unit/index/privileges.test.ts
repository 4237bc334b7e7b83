/** What a face's kernel lets its task do: as Linux lets a process of its credentials. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { createFsSync, type FaceOptions, type FolioFs, type FolioKernel, ramfs } from "../../../src/index.ts";
import { freeze, kernMount, thaw } from "../../../src/store.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const SMALL = { memoryLimit: 16 * 2 ** 20 };
const type = { ...ramfs, name: "other" };
let fs: FolioFs;
let user: FolioFs;

beforeEach(() => {
  fs = createFsSync(SMALL);
  fs.mkdirSync("/m");
  fs.chmodSync("/m", 0o777);
  user = fs.kernel.task({ uid: 1000, gid: 1000, groups: [27] });
});

describe("the kernel of a user's face", () => {
  it.each<[string, (kernel: FolioKernel) => unknown]>([
    ["vfs", (kernel) => kernel.vfs],
    ["registerFileSystem", (kernel) => kernel.registerFileSystem(type)],
    ["unregisterFileSystem", (kernel) => kernel.unregisterFileSystem(ramfs)],
    ["mount", (kernel) => kernel.mount({ type: "ramfs", target: "/m" })],
    ["bind", (kernel) => kernel.mount({ source: "/", target: "/m", flags: 4096 })],
    ["umount", (kernel) => kernel.umount("/")],
    ["umount -l", (kernel) => kernel.umount("/", { detach: true })],
    ["kernMount", (kernel) => kernMount(kernel, ramfs)],
    ["freeze", (kernel) => freeze(kernel, "/")],
    ["thaw", (kernel) => thaw(kernel, "/")],
    ["snapshot", (kernel) => kernel.snapshot()],
    ["restore", (kernel) => kernel.restore(fs.kernel.snapshot())],
    ["fork", (kernel) => kernel.fork()],
    ["dropCaches", (kernel) => kernel.dropCaches(3)],
    ["destroy", (kernel) => kernel.destroy()],
    ["Symbol.dispose", (kernel) => kernel[Symbol.dispose]()],
    ["exit of another's", (kernel) => kernel.exit(fs.kernel.task({ uid: 1001 }))],
  ])("refuses %s with EPERM, and nothing has changed", (_name, call) => {
    const before = fs.kernel.mounts();
    assert.throws(() => call(user.kernel), { code: "EPERM", errno: -1 });
    assert.deepEqual(fs.kernel.mounts(), before);
    assert.deepEqual(user.readdirSync("/"), ["m"]);
  });

  it.each<[string, FaceOptions]>([
    ["root's uid", { uid: 0 }],
    ["another's uid", { uid: 1001 }],
    ["another gid", { gid: 0 }],
    ["more groups", { groups: [27, 28] }],
    ["no groups", { groups: [] }],
    ["a root", { root: "/m" }],
    ["more files", { maxFiles: 2 ** 20 }],
    ["larger files", { fileSizeLimit: 101 }],
  ])("makes no task with %s", (_name, options) => {
    const limited = fs.kernel.task({ uid: 1000, gid: 1000, groups: [27], maxFiles: 100, fileSizeLimit: 100 });
    const before = fs.kernel.vmstat().nr_tasks;
    assert.throws(() => limited.kernel.task(options), { code: "EPERM" });
    assert.equal(fs.kernel.vmstat().nr_tasks, before);
  });

  it("does what a user may do", () => {
    const { kernel } = user;
    assert.equal(kernel.fs, user);
    assert.deepEqual(kernel.mounts(), fs.kernel.mounts());
    kernel.sync();
    assert.equal(kernel.vmstat().nr_tasks, 2);
    const child = kernel.task({ umask: 0o077, cwd: "/m", maxFiles: 4 });
    assert.deepEqual([child.task.uid, child.task.gid, child.task.groups], [1000, 1000, [27]]);
    child.writeFileSync("f", "");
    assert.deepEqual([fs.statSync("/m/f").uid, fs.statSync("/m/f").mode & 0o777], [1000, 0o600]);
    assert.equal(kernel.task({ uid: 1000, gid: 1000, groups: [27] }).kernel.fs.task.uid, 1000);
    kernel.exit(child);
    kernel.exit(user);
    assert.throws(() => user.kernel.mounts(), { code: "ERR_INVALID_STATE" });
    assert.throws(() => user.kernel.vfs, { code: "ERR_INVALID_STATE" });
    assert.throws(() => user.kernel.task(), { code: "ERR_INVALID_STATE" });
  });

  it("leads to no other task's face", () => {
    const seen = new Set<unknown>();
    const look = (value: unknown, depth: number): void => {
      if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) return;
      seen.add(value);
      if (depth === 0) return;
      const keys = [...Reflect.ownKeys(value), ...Reflect.ownKeys(Object.getPrototypeOf(value) ?? {})];
      for (const key of keys) {
        try {
          look((value as Record<PropertyKey, unknown>)[key], depth - 1);
        } catch {
          // refused
        }
      }
    };
    look(user, 6);
    assert.ok(seen.has(user.kernel) && seen.size > 100);
    assert.ok(!seen.has(fs) && !seen.has(fs.kernel));
  });
});

describe("a task within a root of its own", () => {
  it("makes tasks that stay within it, whoever it is", () => {
    fs.mkdirSync("/m/in");
    fs.writeFileSync("/secret", "");
    const jailed = fs.kernel.task({ root: "/m" });
    const child = jailed.kernel.task();
    assert.deepEqual(child.readdirSync("/.."), ["in"]);
    assert.deepEqual(jailed.kernel.task({ root: "/in" }).readdirSync("/"), []);
    assert.equal(
      outcomeOf(() => child.statSync("/secret")),
      "ENOENT",
    );
  });
});

describe("the first task's face", () => {
  it("has the machine, but no more credentials than it was given", () => {
    const mine = createFsSync({ ...SMALL, uid: 5, gid: 5 });
    mine.writeFileSync("/f", "x");
    assert.equal(mine.kernel.vfs.rootMount > 0, true);
    mine.kernel.registerFileSystem(type);
    mine.kernel.dropCaches(3);
    const bytes = mine.kernel.snapshot();
    mine.unlinkSync("/f");
    mine.kernel.restore(bytes);
    assert.equal(mine.readFileSync("/f", "utf8"), "x");
    assert.equal(mine.kernel.fork().fs.task.uid, 5);
    assert.equal(mine.kernel.task().task.uid, 5);
    assert.throws(() => mine.kernel.task({ uid: 0 }), { code: "EPERM" });
    assert.throws(() => mine.kernel.mount({ type: "ramfs", target: "/" }), { code: "EPERM" });
    mine.kernel.destroy();
    mine.kernel.destroy();
  });

  it("may end other tasks", () => {
    fs.kernel.exit(user);
    assert.throws(() => user.statSync("/"), { code: "ERR_INVALID_STATE" });
  });
});

describe("files", () => {
  it("of a face of another kernel, or of none, are refused", () => {
    assert.throws(() => fs.kernel.task({ files: createFsSync(SMALL) }), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => fs.kernel.task({ files: {} as never }), { code: "ERR_INVALID_ARG_TYPE" });
  });
});

describe("after the end", () => {
  it("of a kernel every call says so with a code, in every form", async () => {
    const { promises, kernel } = fs;
    kernel.destroy();
    const gone = { code: "ERR_INVALID_STATE", message: "foliofs: this kernel has been destroyed" };
    assert.throws(() => fs.statSync("/"), gone);
    assert.throws(() => fs.existsSync("/"), gone);
    assert.throws(() => kernel.snapshot(), gone);
    assert.throws(() => kernel.mounts(), gone);
    assert.throws(() => kernel.task(), gone);
    assert.throws(() => fs.task.cwd(), gone);
    await assert.rejects(promises.readFile("/"), gone);
    const error = await new Promise((resolve) => fs.readFile("/", resolve));
    assert.equal((error as NodeJS.ErrnoException).code, gone.code);
  });
});
