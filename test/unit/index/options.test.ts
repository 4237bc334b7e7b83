/** Options: what is unknown or wrong is refused by name, and snapshots keep those that shape a file system's behaviour. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFs, createFsSync, type FsOptions, restoreFs, restoreFsSync } from "../../../src/index.ts";

const MIB = 2 ** 20;
const SMALL = { memoryLimit: 16 * MIB };

const UNKNOWN = { code: "ERR_INVALID_ARG_VALUE", name: "TypeError" };

describe("an unknown option", () => {
  it("is refused by name, wherever options are taken", async () => {
    const wrong = { memorylimit: 1 } as FsOptions;
    const named = { ...UNKNOWN, message: /'options\.memorylimit' is unknown/ };
    const fs = createFsSync(SMALL);
    const bytes = fs.kernel.snapshot();
    assert.throws(() => createFsSync(wrong), named);
    assert.throws(() => restoreFsSync(bytes, wrong), named);
    await assert.rejects(createFs(wrong), named);
    await assert.rejects(restoreFs(bytes, wrong), named);
    assert.throws(() => fs.kernel.task({ uuid: 1 } as never), { ...UNKNOWN, message: /'options\.uuid'/ });
    assert.throws(() => fs.kernel.task({ memoryLimit: 1 } as never), UNKNOWN);
    assert.throws(() => fs.kernel.mount({ target: "/", option: "ro" } as never), {
      ...UNKNOWN,
      message: /'request\.option'/,
    });
    assert.throws(() => createFsSync({ stdio: { stdOut: () => {} } as never }), {
      ...UNKNOWN,
      message: /'options\.stdio\.stdOut'/,
    });
  });
});

describe("a wrong option", () => {
  it.each<[keyof FsOptions, unknown]>([
    ["preallocate", 1],
    ["shared", "yes"],
    ["now", 5],
    ["types", {}],
    ["cwd", 5],
    ["cwd", false],
    ["stdio", "pipe"],
    ["stdio", { stdout: 1 }],
  ])("is refused: %s", (name, value) => {
    assert.throws(() => createFsSync({ [name]: value }), {
      code: "ERR_INVALID_ARG_TYPE",
      message: new RegExp(`"options\\.${name}`),
    });
  });

  it("may be undefined, which is as if it were not there", () => {
    createFsSync({ ...SMALL, cwd: undefined, stdio: undefined, types: undefined, uid: undefined });
  });
});

describe("a restored file system", () => {
  it("has the limit that it had", () => {
    const bytes = createFsSync(SMALL).kernel.snapshot();
    const again = restoreFsSync(restoreFsSync(bytes).kernel.snapshot());
    const fill = (fs: typeof again): number => {
      const fd = fs.openSync("/big", "w");
      for (let mib = 0; ; mib++) {
        try {
          if (fs.writeSync(fd, Buffer.alloc(MIB)) < MIB || mib >= 40) return mib;
        } catch {
          return mib;
        }
      }
    };
    assert.ok(fill(again) < 16);
    assert.ok(fill(restoreFsSync(bytes, { memoryLimit: 32 * MIB })) > 16);
  });

  it("has the first task's identity, umask and directory, unless others are given", () => {
    const fs = createFsSync({ ...SMALL, uid: 7, gid: 8, groups: [9, 10], umask: 0o077, cwd: "/home/u" });
    const bytes = fs.kernel.snapshot();
    const { task } = restoreFsSync(bytes);
    assert.deepEqual([task.uid, task.gid, task.groups, task.umask(), task.cwd()], [7, 8, [9, 10], 0o077, "/home/u"]);
    const other = restoreFsSync(bytes, { uid: 0, groups: [], umask: 0, cwd: "/home" }).task;
    assert.deepEqual([other.uid, other.gid, other.groups, other.umask(), other.cwd()], [0, 8, [], 0, "/home"]);
    const limited = restoreFsSync(createFsSync({ ...SMALL, maxFiles: 4, fileSizeLimit: 1 }).kernel.snapshot());
    const fd = limited.openSync("/f", "w");
    assert.throws(() => limited.openSync("/f", "r"), { code: "EMFILE" });
    assert.throws(() => limited.ftruncateSync(fd, 2), { code: "EFBIG" });
    assert.deepEqual([fs.kernel.fork().fs.task.uid, fs.kernel.fork().fs.task.cwd()], [7, "/home/u"]);
  });

  it("stands at its root when its directory is not in the snapshot, and says so of one that is asked for", () => {
    const fs = createFsSync({ ...SMALL, cwd: "/gone" });
    fs.rmdirSync("/gone");
    assert.equal(restoreFsSync(fs.kernel.snapshot()).task.cwd(), "/");
    assert.throws(() => restoreFsSync(fs.kernel.snapshot(), { cwd: "/gone" }), {
      code: "ENOENT",
      syscall: "chdir",
      path: "/gone",
      message: "ENOENT: no such file or directory, options.cwd '/gone'",
    });
  });
});
