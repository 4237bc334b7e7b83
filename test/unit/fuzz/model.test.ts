/**
 * What programs of the fuzzer cannot ask the model for, or seldom do. What they can is held against the kernel (test/fuzz/kernel.test.ts).
 */
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { LOCK_EX, LOCK_MAND, O_CREAT, O_DIRECTORY, O_RDONLY, O_WRONLY } from "../../../src/base/stat-flags.ts";
import type { Fault } from "../../../src/fuzz/model/fault.ts";
import { ENDLESS, nodeRealpath } from "../../../src/fuzz/model/node-realpath.ts";
import { CURRENT, ModelFileSystem, ModelTask } from "../../../src/fuzz/model/task.ts";

const FOLDER = new URL("../../../src/fuzz/model/", import.meta.url);
const ROOT = { uid: 0, gid: 0, groups: [] };
const USER = { uid: 1000, gid: 1000, groups: [] };

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as Fault).code;
  }
}

function makeTasks(protectsHardlinks = false): { root: ModelTask; user: ModelTask } {
  const fileSystem = new ModelFileSystem(protectsHardlinks);
  return { root: new ModelTask(fileSystem, ROOT), user: new ModelTask(fileSystem, USER) };
}

describe("the model of the fuzzer", () => {
  it("has nothing of what it is held against", () => {
    for (const file of readdirSync(FOLDER)) {
      const imports = [...readFileSync(new URL(file, FOLDER), "utf8").matchAll(/from "([^"]+)"/g)].map(
        ([, from]) => from,
      );
      const foreign = imports.filter((from) => !/^(\.\/|\.\.\/[a-z-]+\.ts$|\.\.\/\.\.\/base\/|node:)/.test(from));
      assert.deepEqual(foreign, [], file);
    }
  });

  it("lists directories from the newest name on", () => {
    const { root } = makeTasks();
    for (const name of ["b", "a", "c"]) root.mkdir(`/${name}`, 0o777);
    root.rename("/b", "/d");
    const names = root.getdents(root.open("/", O_RDONLY | O_DIRECTORY, 0)).map(([name]) => name);
    assert.deepEqual(names, ["d", "c", "a"]);
  });

  it("looks no further at a lock that is mandatory: test/unit/vfs/locks.oracle.test.ts has the kernel's answers", () => {
    const { root } = makeTasks();
    for (const operation of [LOCK_MAND, LOCK_MAND | LOCK_EX, LOCK_MAND | 0o300])
      assert.equal(
        codeOf(() => root.flock(77, operation)),
        undefined,
      );
    assert.equal(
      codeOf(() => root.flock(77, LOCK_EX)),
      "EBADF",
    );
  });

  it("follows forty links, and no more", () => {
    const { root } = makeTasks();
    root.close(root.open("/0", O_WRONLY | O_CREAT, 0o666));
    for (let i = 1; i <= 41; i++) root.symlink(`${i - 1}`, `/${i}`);
    assert.equal(root.stat("/40").size, 0);
    assert.equal(
      codeOf(() => root.stat("/41")),
      "ELOOP",
    );
  });

  it("tells of a walk that Node never ends, so that no program has one", () => {
    const { root } = makeTasks();
    root.mkdir("/c", 0o777);
    root.symlink("c", "/a");
    root.link("/a", "/c/c");
    assert.equal(
      codeOf(() => nodeRealpath(root, "/a/c", () => "/")),
      ENDLESS,
    );
  });

  it("protects hard links where it is told to", () => {
    for (const isProtected of [false, true]) {
      const { root, user } = makeTasks(isProtected);
      root.chmod("/", 0o777);
      root.close(root.open("/a", O_WRONLY | O_CREAT, 0o644));
      assert.equal(
        codeOf(() => user.link("/a", "/b")),
        isProtected ? "EPERM" : undefined,
      );
    }
  });

  it("tells where a task is when its directory has been moved, but not when it has been removed", () => {
    const { root } = makeTasks();
    root.mkdir("/a", 0o777);
    root.mkdir("/a/b", 0o777);
    root.chdir("/a/b");
    root.rename("/a", "/c");
    assert.equal(root.getcwd(), "/c/b");
    root.rmdir("/c/b");
    assert.equal(
      codeOf(() => root.getcwd()),
      "ENOENT",
    );
    assert.equal(root.stat(".."), root.stat("/c"));
  });

  it("keeps what was written beyond four gigabytes, and forgets what was cut off", () => {
    const { root } = makeTasks();
    const fd = root.open("/a", O_WRONLY | O_CREAT, 0o666);
    root.write(fd, [Buffer.from("one"), Buffer.from("two")], 2 ** 32 - 4);
    assert.equal(root.fstat(fd).blocks, 16);
    root.ftruncate(fd, 2 ** 32 - 2);
    root.ftruncate(fd, 2 ** 32 + 9);
    assert.equal(root.fstat(fd).blocks, 8);
    const bytes = Buffer.alloc(8, 1);
    assert.equal(root.read(root.open("/a", O_RDONLY, 0), [bytes], 2 ** 32 - 5), 8);
    assert.equal(bytes.toString("latin1"), "\0on\0\0\0\0\0");
    assert.equal(root.write(fd, [Buffer.from("end")], CURRENT), 3);
    assert.equal(
      codeOf(() => root.write(fd, [Buffer.from("beyond")], 2 ** 44)),
      "EFBIG",
    );
    assert.equal(root.write(fd, [Buffer.from("beyond")], 2 ** 44 - 2), 2);
  });
});
