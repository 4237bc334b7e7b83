/**
 * A task that remembers where paths lead sees what it would without, whatever happens to names, mounts and permissions.
 *
 * No oracle: what a walk finds is compared with the kernel in test/differential.
 */
import { strict as assert } from "node:assert";
import type { Stats } from "node:fs";
import fc from "fast-check";
import { describe, it } from "vitest";
import { RENAME_EXCHANGE, RENAME_WHITEOUT } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, MS_BIND } from "../../../src/index.ts";
import type { Task } from "../../../src/vfs/task.ts";

function look(fs: FolioFs, path: string): unknown[] {
  const attempts: (() => unknown)[] = [
    () => describeStats(fs.statSync(path)),
    () => describeStats(fs.lstatSync(path)),
    () => fs.existsSync(path),
    () => fs.readFileSync(path, "utf8"),
    () => readBytes(fs, path),
  ];
  return attempts.map(codeOrResult);
}

function describeStats({ ino, dev, mode, uid, nlink, size }: Stats): unknown[] {
  return [ino, dev, mode, uid, nlink, size];
}

function readBytes(fs: FolioFs, path: string): unknown {
  const fd = fs.openSync(path, "r");
  try {
    const { ino } = fs.fstatSync(fd);
    return [ino, fs.fstatSync(fd).isDirectory() || fs.readFileSync(fd, "utf8")];
  } finally {
    fs.closeSync(fd);
  }
}

function codeOrResult(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
}

/** Some names in three levels; files say where they were made. */
function newFs(): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  for (const dir of ["/a", "/a/b", "/b"]) fs.mkdirSync(dir);
  for (const file of ["/a/f", "/a/b/f", "/b/f"]) fs.writeFileSync(file, file);
  fs.symlinkSync("/a/b", "/b/a");
  return fs;
}

const NAMES = ["a", "b", "f"];
const path = fc
  .tuple(fc.boolean(), fc.array(fc.constantFrom(...NAMES, ".."), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([isAbsolute, names, slash]) => `${isAbsolute ? "/" : ""}${names.join("/")}${slash ? "/" : ""}`);
const place = fc.constantFrom("/a", "/b", "/f", "/a/a", "/a/b", "/a/f", "/b/a", "/b/f", "/a/b/a", "/a/b/f");

/** What may happen between two looks, by name, so that a counterexample can be read. */
const CHANGES = {
  mkdir: (fs: FolioFs, at: string) => fs.mkdirSync(at),
  rmdir: (fs: FolioFs, at: string) => fs.rmdirSync(at),
  unlink: (fs: FolioFs, at: string) => fs.unlinkSync(at),
  write: (fs: FolioFs, at: string) => fs.writeFileSync(at, `new ${at}`),
  remove: (fs: FolioFs, at: string) => fs.rmSync(at, { recursive: true }),
  rename: (fs: FolioFs, at: string, to: string) => fs.renameSync(at, to),
  exchange: (fs: FolioFs, at: string, to: string) => fs.renameat2Sync(at, to, RENAME_EXCHANGE),
  whiteout: (fs: FolioFs, at: string, to: string) => fs.renameat2Sync(at, to, RENAME_WHITEOUT),
  link: (fs: FolioFs, at: string, to: string) => fs.linkSync(at, to),
  symlink: (fs: FolioFs, at: string, to: string) => fs.symlinkSync(at, to),
  close: (fs: FolioFs, at: string) => fs.chmodSync(at, 0o700),
  open: (fs: FolioFs, at: string) => fs.chmodSync(at, 0o777),
  give: (fs: FolioFs, at: string) => fs.chownSync(at, 1000, 1000),
  mount: (fs: FolioFs, at: string) => fs.kernel.mount({ type: "ramfs", target: at }),
  bind: (fs: FolioFs, at: string, to: string) => fs.kernel.mount({ source: at, target: to, flags: MS_BIND }),
  umount: (fs: FolioFs, at: string) => fs.kernel.umount(at),
};

const change = fc.tuple(fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[])), place, place);

/** Who looks, and who makes the changes: a task keeps what it knows as long as no other is served. */
const PARTIES: [string, (fs: FolioFs) => { looker: FolioFs; changer: FolioFs }][] = [
  ["root", (fs) => ({ looker: fs, changer: fs })],
  ["a user in another's tree", (fs) => ({ looker: fs.kernel.task(USER), changer: fs })],
  ["a user in a tree of its own", (fs) => ownTree(fs, fs.kernel.task(USER))],
];
const USER = { uid: 1000, gid: 1000, cwd: "/a" };

function ownTree(fs: FolioFs, user: FolioFs): { looker: FolioFs; changer: FolioFs } {
  for (const at of ["/", "/a", "/a/b", "/b", "/a/f", "/a/b/f", "/b/f"]) fs.chownSync(at, USER.uid, USER.gid);
  return { looker: user, changer: user };
}

/** Makes the task forget where paths have led. */
function forget({ vfs }: FolioFs["kernel"]): void {
  const task = vfs.current as Task;
  task.paths.clear();
  vfs.core.x.setCurrent(task.handle); // the core's last directory goes as for another task
}

describe("what a task remembers of paths", () => {
  it.each(PARTIES)("never shows what a walk would not find: %s", (_who, toParties) => {
    let nrKnown = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: change }, { weight: 1, arbitrary: path }), {
          maxLength: 80,
          size: "max",
        }),
        (steps) => {
          const fs = newFs();
          const { looker, changer } = toParties(fs);
          const asked = new Set<string>(["/a/b/f", "/b/f", "/b/b", "b/f", "/f"]);
          for (const step of steps) {
            if (typeof step === "string") asked.add(step);
            else codeOrResult(() => CHANGES[step[0]](changer, step[1], step[2]));
            const seen = [...asked].map((at) => [at, ...look(looker, at)]);
            const { paths } = fs.kernel.vfs.current as Task;
            for (const at of asked) if (paths.find(at) >= 0) nrKnown++;
            const found = [...asked].map((at) => {
              forget(fs.kernel);
              return [at, ...look(looker, at)];
            });
            assert.deepEqual(seen, found);
            fs.kernel.verify();
          }
          fs.kernel.destroy();
        },
      ),
      { numRuns: 100 },
    );
    assert.ok(nrKnown > 1000, `only ${nrKnown} of the paths were remembered`);
  });

  it("forgets relative paths with the working directory", () => {
    const task = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel.vfs.newTask({}) as Task;
    task.mkdir("/a", 0o777);
    for (let i = 0; i < 3; i++) assert.equal(task.exists("a"), true);
    assert.ok(task.paths.find("a") >= 0);
    assert.equal(task.chdir("/a"), 0);
    assert.equal(task.exists("a"), false);
  });

  it("does not start in its last directory when that has moved", () => {
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
    fs.mkdirSync("a");
    for (const name of ["e", "f", "g"]) fs.writeFileSync(`a/${name}`, name);
    for (let i = 0; i < 3; i++) for (const name of ["e", "f"]) fs.statSync(`a/${name}`);
    fs.renameSync("a", "b"); // in the root, which is no last directory itself
    assert.equal(fs.existsSync("a/g"), false);
    assert.throws(() => fs.writeFileSync("a/new", ""), { code: "ENOENT" });
    assert.deepEqual(fs.readdirSync("b").sort(), ["e", "f", "g"]);
    fs.kernel.verify();
  });

  it("takes nothing in from a program that looks at everything once", () => {
    const task = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel.vfs.newTask({}) as Task;
    const paths = Array.from({ length: 20_000 }, (_, i) => `/file-${i}`);
    for (const at of paths) task.exists(at);
    const nrKept = paths.filter((at) => task.paths.find(at) >= 0).length;
    assert.ok(nrKept < 20, `${nrKept} were`);
  });

  it("knows more paths than it has room for none the worse", () => {
    const task = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel.vfs.newTask({}) as Task;
    const paths = Array.from({ length: 12_000 }, (_, i) => `/${i}`);
    for (let i = 0; i < paths.length; i += 2) task.mkdir(paths[i], 0o777);
    for (let round = 0; round < 5; round++) {
      for (const [i, at] of paths.entries()) assert.equal(task.exists(at), i % 2 === 0, at);
    }
  });

  it("remembers paths as they were encoded", () => {
    const task = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel.vfs.newTask({}) as Task;
    const unpaired = "/\ud800";
    task.mkdir("/\ufffd", 0o777); // what an unpaired surrogate is encoded as
    for (let i = 0; i < 3; i++) assert.equal(task.exists(unpaired), true);
    assert.equal(task.rmdir("/\ufffd"), 0);
    assert.equal(task.exists(unpaired), false);
    assert.equal(task.exists("/\ufffd"), false);
  });
});
