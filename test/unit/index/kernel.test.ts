/** fs.kernel: what users see of it, and the shape of its errors. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

const SMALL = { memoryLimit: 16 * 2 ** 20 };

describe("kernel", () => {
  it("throws errors of Node's shape", () => {
    const { kernel } = createFsSync(SMALL);
    expect(() => kernel.umount("/")).toThrow(
      expect.objectContaining({
        code: "EBUSY",
        errno: -16,
        syscall: "umount",
        path: "/",
        message: "EBUSY: resource busy or locked, umount '/'",
      }),
    );
    expect(() => kernel.mount({ type: "nofs", target: "/" })).toThrow(expect.objectContaining({ code: "ENODEV" }));
    expect(() => kernel.dropCaches(4 as 3)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => kernel.task({ cwd: "/missing" })).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("forks with the identity of its first task", () => {
    const fs = createFsSync({ ...SMALL, uid: 7, gid: 8, groups: [9], umask: 0o77 });
    const copy = fs.kernel.fork();
    copy.fs.writeFileSync("/file", "");
    const { uid, gid, mode } = copy.fs.statSync("/file");
    expect([uid, gid, mode & 0o777]).toEqual([7, 8, 0o600]);
    expect(copy.fs.kernel).toBe(copy);
    expect(fs.existsSync("/file")).toBe(false);
    copy.destroy();
  });

  it("ends a task: what it held goes, and later calls throw", () => {
    const fs = createFsSync(SMALL);
    fs.writeFileSync("/file", "x".repeat(10_000));
    const before = fs.kernel.vmstat();
    const task = fs.kernel.task({ uid: 1000 });
    task.openSync("/file", "r");
    fs.kernel.exit(task);
    const after = fs.kernel.vmstat();
    expect([after.nr_tasks, after.nr_files, after.nr_creds]).toEqual([
      before.nr_tasks,
      before.nr_files,
      before.nr_creds,
    ]);
    expect(() => task.statSync("/")).toThrow("this task has ended");
    expect(() => fs.kernel.exit(fs)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => fs.kernel.exit(task)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("checks options", () => {
    for (const memoryLimit of [0, -1, 1.5, Number.NaN, 2 ** 20, 4 << 30, 2 ** 32, Number.POSITIVE_INFINITY]) {
      expect(() => createFsSync({ memoryLimit }), String(memoryLimit)).toThrow(
        expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }),
      );
    }
    expect(() => createFsSync({ memoryLimit: "1g" as never })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }),
    );
    expect(() => createFsSync(null as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
    const { kernel } = createFsSync(SMALL);
    for (const options of [{ umask: 0o1000 }, { uid: -1 }, { maxFiles: 0 }, { fileSizeLimit: -1 }]) {
      expect(() => kernel.task(options)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }));
    }
  });

  it("refuses every call after destroy()", () => {
    const fs = createFsSync(SMALL);
    fs.kernel.destroy();
    expect(() => fs.statSync("/")).toThrow("this kernel has been destroyed");
    expect(() => fs.kernel.vmstat()).toThrow("this kernel has been destroyed");
  });

  it("gives its memory back by destroy(), though its tasks live on", async () => {
    const use = () => {
      const fs = createFsSync(SMALL);
      const faces = [fs, fs.kernel.task({ uid: 1000 })];
      for (const face of faces) for (const call of ["statSync", "statfsSync", "readdirSync"] as const) face[call]("/");
      return { faces, memory: new WeakRef(fs.kernel.vfs.core.memory) };
    };
    const { faces, memory } = use();
    const isThere = async () => {
      await new Promise((resolve) => setImmediate(resolve)); // until then it is what a WeakRef was made of in this job
      gc();
      return memory.deref() !== undefined;
    };
    expect(await isThere()).toBe(true);
    faces[0].kernel.destroy();
    expect(await isThere()).toBe(false);
    expect(() => faces[1].statSync("/")).toThrow("this kernel has been destroyed");
  });
});
