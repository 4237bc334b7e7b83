/** fs.task: the task behind a face, compared with what `process` says. */
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const home = process.cwd();
const IS_NODE_26 = Number.parseInt(process.versions.node, 10) >= 26;
let fs: FolioFs;

beforeEach(() => {
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
});
afterEach(() => process.chdir(home));

describe("fs.task", () => {
  it("changes the working directory, without this", () => {
    const { chdir, cwd } = fs.task;
    fs.mkdirSync("/a/b", { recursive: true });
    chdir("/a");
    chdir(Buffer.from("b"));
    assert.equal(cwd(), "/a/b");
    fs.writeFileSync("f", "");
    assert.equal(fs.existsSync("/a/b/f"), true);
    chdir(new URL("file:///a"));
    assert.equal(cwd(), "/a");
  });

  it("fails as process.chdir() and process.cwd() do", () => {
    const dir = mkdtempSync("/dev/shm/foliofs-task-");
    fs.mkdirSync(dir, { recursive: true });
    const faces = [
      { mkdir: mkdirSync, rmdir: rmdirSync, chdir: process.chdir.bind(process), cwd: process.cwd.bind(process) },
      { mkdir: fs.mkdirSync, rmdir: fs.rmdirSync, chdir: fs.task.chdir, cwd: fs.task.cwd },
    ];
    const [host, ours] = faces.map(({ mkdir, rmdir, chdir, cwd }) => {
      const seen: unknown[] = [];
      const note = (call: () => unknown): void => {
        try {
          seen.push(call());
        } catch (error) {
          const { code, errno, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string };
          // The words for uv_cwd are those of Node 26.
          const words = syscall === "uv_cwd" && !IS_NODE_26 ? undefined : message;
          seen.push({ code, errno, syscall, path, dest, words });
        }
      };
      chdir(dir);
      note(() => chdir("missing"));
      mkdir(join(dir, "gone"));
      chdir("gone");
      rmdir(join(dir, "gone"));
      note(() => cwd()); // the first time since chdir: Node keeps what it was told
      return seen;
    });
    process.chdir(home);
    rmdirSync(dir);
    assert.equal(host.length, 2);
    assert.deepEqual(ours, host);
  });

  it("reads and sets the umask", () => {
    assert.equal(fs.task.umask(), 0o022);
    assert.equal(fs.task.umask(0o077), 0o022);
    assert.equal(fs.task.umask("027"), 0o077);
    assert.equal(fs.task.umask(0o7027), 0o027);
    fs.writeFileSync("/f", "");
    assert.equal(fs.statSync("/f").mode & 0o777, 0o640);
    assert.throws(() => fs.task.umask("9"), { code: "ERR_INVALID_ARG_VALUE" });
    assert.equal(fs.task.umask(), 0o027);
  });

  it("says who it is", () => {
    const { task } = fs.kernel.task({ uid: 5, gid: 6, groups: [7, 8] });
    assert.deepEqual([task.uid, task.gid, task.groups], [5, 6, [7, 8]]);
    assert.throws(() => (task.groups as number[]).push(0), TypeError);
  });

  it("changes the root as chroot(2): the directory stays, others than root may not", () => {
    fs.mkdirSync("/jail/in", { recursive: true });
    fs.mkdirSync("/closed", { mode: 0o700 });
    const user = fs.kernel.task({ uid: 5, gid: 5 });
    assert.deepEqual(
      ["/jail", "/missing", "/closed"].map((path) => outcomeOf(() => user.task.chroot(path))),
      ["EPERM", "ENOENT", "EACCES"],
    );
    const task = fs.kernel.task({ cwd: "/jail" });
    task.task.chroot("in");
    assert.deepEqual(task.readdirSync("/"), []);
    assert.deepEqual(task.readdirSync("."), ["in"]);
    assert.equal(
      outcomeOf(() => task.task.cwd()),
      "ENOENT",
    );
    task.task.chdir("/");
    assert.equal(task.task.cwd(), "/");
  });

  it("is gone with the task", () => {
    const face = fs.kernel.task();
    const { task } = face;
    fs.kernel.exit(face);
    assert.throws(() => task.cwd(), { code: "ERR_INVALID_STATE" });
    assert.throws(() => task.chdir("/"), { code: "ERR_INVALID_STATE" });
  });
});
