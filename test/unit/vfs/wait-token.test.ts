/**
 * A store that is not ready. Synchronous calls say EAGAIN, and what they might have waited for is forgotten; callback and
 * promise calls wait, for what their own call is told to wait for, and lose nothing on the way.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EAGAIN } from "../../../src/base/errno.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import type { Task } from "../../../src/vfs/task.ts";
import { type Hooks, RemoteFs, remoteDir, remoteFile, remoteLink } from "../../helpers/remote-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const tree = () =>
  remoteDir({
    dir: remoteDir({ file: remoteFile("data"), deep: remoteDir({ er: remoteFile("deeper"), empty: remoteDir() }) }),
    "to-dir": remoteLink("dir"),
    chain: remoteLink("to-dir/deep/../file"),
    other: remoteDir({ x: remoteFile("x".repeat(100)) }),
  });

function mounted(hooks: Hooks): FolioFs {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [new RemoteFs(tree(), hooks).type] });
  fs.mkdirSync("/r");
  fs.kernel.mount({ type: "remotefs", target: "/r" });
  fs.writeFileSync("/local", "local");
  return fs;
}

/** A store that lets everybody wait for everything once. */
function onceEach(): Hooks {
  const asked = new Set<string>();
  return {
    any: (kernel, what) => {
      if (asked.has(what)) return 0;
      asked.add(what);
      kernel.setWaitToken(Promise.resolve());
      return -EAGAIN;
    },
  };
}

/** Names of an open directory, read to the end. */
async function drain(fs: FolioFs, path: string, options: object): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of await fs.promises.opendir(path, options)) names.push(`${entry.parentPath}/${entry.name}`);
  return names.sort();
}

interface Both {
  sync: (fs: FolioFs) => unknown;
  promise: (fs: FolioFs) => Promise<unknown>;
}

/** What `call` answers by its callback. */
function called(call: (callback: (error: unknown, value?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}

const R = { recursive: true } as const;
const CALLS: Record<string, Both> = {
  existsSync: {
    sync: (fs) => fs.existsSync("/r/dir/file"),
    promise: (fs) => new Promise((resolve) => fs.exists("/r/dir/file", resolve)),
  },
  "existsSync of what is missing": {
    sync: (fs) => fs.existsSync(Buffer.from("/r/dir/missing")),
    promise: (fs) => new Promise((resolve) => fs.exists("/r/dir/missing", resolve)),
  },
  access: { sync: (fs) => fs.accessSync("/r/chain"), promise: (fs) => fs.promises.access("/r/chain") },
  "stat, throwIfNoEntry": {
    sync: (fs) => fs.statSync("/r/dir/missing", { throwIfNoEntry: false }),
    promise: (fs) => called((done) => fs.stat("/r/dir/missing", { throwIfNoEntry: false } as object, done)),
  },
  stat: {
    sync: (fs) => fs.statSync("/r/chain").size,
    promise: async (fs) => (await fs.promises.stat("/r/chain")).size,
  },
  lstat: {
    sync: (fs) => fs.lstatSync("/r/chain").isSymbolicLink(),
    promise: async (fs) => (await fs.promises.lstat("/r/chain")).isSymbolicLink(),
  },
  statfs: {
    sync: (fs) => fs.statfsSync("/r/dir/deep").type,
    promise: async (fs) => (await fs.promises.statfs("/r/dir/deep")).type,
  },
  readlink: { sync: (fs) => fs.readlinkSync("/r/chain"), promise: (fs) => fs.promises.readlink("/r/chain") },
  realpath: {
    sync: (fs) => fs.realpathSync("/r/chain"),
    promise: (fs) => called((done) => fs.realpath("/r/chain", done as never)),
  },
  "realpath.native": {
    sync: (fs) => fs.realpathSync.native("/r/chain"),
    promise: (fs) => fs.promises.realpath("/r/chain"),
  },
  readdir: { sync: (fs) => fs.readdirSync("/r/dir"), promise: (fs) => fs.promises.readdir("/r/dir") },
  "readdir, recursive": { sync: (fs) => fs.readdirSync("/r", R), promise: (fs) => fs.promises.readdir("/r", R) },
  "readdir, types": {
    sync: (fs) => fs.readdirSync("/r", { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()]),
    promise: async (fs) =>
      (await fs.promises.readdir("/r", { withFileTypes: true })).map((entry) => [entry.name, entry.isDirectory()]),
  },
  readFile: {
    sync: (fs) => fs.readFileSync("/r/chain", "utf8"),
    promise: (fs) => fs.promises.readFile("/r/chain", "utf8"),
  },
  writeFile: {
    sync: (fs) => fs.writeFileSync("/r/dir/new", "text", { flush: true }),
    promise: (fs) => fs.promises.writeFile("/r/dir/new", "text", { flush: true }),
  },
  appendFile: {
    sync: (fs) => fs.appendFileSync("/r/dir/new-too", "text"),
    promise: (fs) => fs.promises.appendFile("/r/dir/new-too", "text"),
  },
  copyFile: {
    sync: (fs) => fs.copyFileSync("/r/other/x", "/r/dir/copy"),
    promise: (fs) => fs.promises.copyFile("/r/other/x", "/r/dir/copy"),
  },
  "copyFile, COPYFILE_EXCL": {
    // What the store does not let be taken away at once stays, and a synchronous call that is made again finds it.
    sync: (fs) => {
      if (fs.existsSync("/r/dir/copy")) fs.unlinkSync("/r/dir/copy");
      fs.copyFileSync("/local", "/r/dir/copy", fs.constants.COPYFILE_EXCL);
    },
    promise: (fs) => fs.promises.copyFile("/local", "/r/dir/copy", fs.constants.COPYFILE_EXCL),
  },
  mkdir: { sync: (fs) => fs.mkdirSync("/r/dir/new"), promise: (fs) => fs.promises.mkdir("/r/dir/new") },
  // A synchronous call that is made again finds what the one before has made, and names the first that is its own.
  "mkdir -p": {
    sync: (fs) => {
      fs.mkdirSync("/r/a/b/c", R);
      return "/r/a";
    },
    promise: (fs) => fs.promises.mkdir("/r/a/b/c", R),
  },
  "mkdir -p of what is there": {
    sync: (fs) => fs.mkdirSync("/r/to-dir/deep", R),
    promise: (fs) => fs.promises.mkdir("/r/to-dir/deep", R),
  },
  symlink: {
    sync: (fs) => fs.symlinkSync("target", "/r/dir/l"),
    promise: (fs) => fs.promises.symlink("target", "/r/dir/l"),
  },
  rename: {
    sync: (fs) => fs.renameSync("/r/dir/file", "/r/other/file"),
    promise: (fs) => fs.promises.rename("/r/dir/file", "/r/other/file"),
  },
  unlink: { sync: (fs) => fs.unlinkSync("/r/dir/file"), promise: (fs) => fs.promises.unlink("/r/dir/file") },
  rmdir: {
    sync: (fs) => fs.rmdirSync("/r/dir/deep/empty"),
    promise: (fs) => fs.promises.rmdir("/r/dir/deep/empty"),
  },
  rm: { sync: (fs) => fs.rmSync("/r/dir/file"), promise: (fs) => fs.promises.rm("/r/dir/file") },
  "rm -rf": {
    sync: (fs) => fs.rmSync("/r/dir", { recursive: true, force: true }),
    promise: (fs) => fs.promises.rm("/r/dir", { recursive: true, force: true }),
  },
  "rm, callback": {
    sync: (fs) => fs.rmSync("/r/dir", R),
    promise: (fs) => called((done) => fs.rm("/r/dir", R, done)),
  },
  truncate: {
    sync: (fs) => fs.truncateSync("/r/dir/file", 0),
    promise: (fs) => fs.promises.truncate("/r/dir/file", 0),
  },
  chmod: { sync: (fs) => fs.chmodSync("/r/chain", 0o600), promise: (fs) => fs.promises.chmod("/r/chain", 0o600) },
  chown: { sync: (fs) => fs.chownSync("/r/chain", 1, 2), promise: (fs) => fs.promises.chown("/r/chain", 1, 2) },
  utimes: { sync: (fs) => fs.utimesSync("/r/chain", 1, 2), promise: (fs) => fs.promises.utimes("/r/chain", 1, 2) },
  lutimes: { sync: (fs) => fs.lutimesSync("/r/chain", 1, 2), promise: (fs) => fs.promises.lutimes("/r/chain", 1, 2) },
};

/** Makes a synchronous call again for as long as it says EAGAIN. */
function untilReady(fs: FolioFs, call: (fs: FolioFs) => unknown): { value: unknown; waits: number } {
  for (let waits = 0; waits < 200; waits++) {
    try {
      return { value: call(fs), waits };
    } catch (error) {
      assert.equal((error as { code?: string }).code, "EAGAIN");
      fs.kernel.verify();
    }
  }
  return assert.fail("never ready");
}

/** The whole tree, by a store that is ready now. */
function dump(fs: FolioFs): unknown {
  return untilReady(fs, () =>
    fs.readdirSync("/r", R).map((name) => {
      const { mode, uid, size } = fs.lstatSync(`/r/${name}`);
      return `${name} ${mode.toString(8)} ${uid} ${size}`;
    }),
  ).value;
}

/** A store that is ready, one that is not and lists types, and one that leaves them out. */
const DT_UNKNOWN = 0;
const SLOW: Record<string, () => Hooks> = {
  "lists types": onceEach,
  "lists names only": () => ({ ...onceEach(), listedType: DT_UNKNOWN }),
};

describe("a store that has to be asked for everything", () => {
  for (const [what, hooks] of Object.entries(SLOW)) {
    for (const [name, { sync, promise }] of Object.entries(CALLS)) {
      it(`and ${what}: ${name} says EAGAIN, or waits, and then does what it does on one that is ready`, async () => {
        const ready = mounted(hooks().listedType === undefined ? {} : { listedType: DT_UNKNOWN });
        const expected = sync(ready);

        const fs = mounted(hooks());
        const { value, waits } = untilReady(fs, sync);
        assert.ok(waits > 0);
        assert.deepEqual(value, expected);
        assert.deepEqual(dump(fs), dump(ready));

        const later = mounted(hooks());
        assert.deepEqual(await promise(later), expected);
        assert.deepEqual(dump(later), dump(ready));
        assert.equal(later.kernel.vmstat().nr_files, 0);
      });
    }
  }

  it("gives every entry of an open directory, of those below too, however it is read", async () => {
    const expected = await drain(mounted({}), "/r", R);
    assert.equal(expected.length, 9);
    for (const bufferSize of [1, 2, 32]) {
      assert.deepEqual(await drain(mounted(onceEach()), "/r", { ...R, bufferSize }), expected);
      const fs = mounted(onceEach());
      const dir = untilReady(fs, () => fs.opendirSync("/r", { ...R, bufferSize })).value as ReturnType<
        typeof fs.opendirSync
      >;
      const names: string[] = [];
      for (;;) {
        const entry = untilReady(fs, () => dir.readSync()).value as { parentPath: string; name: string } | null;
        if (entry === null) break;
        names.push(`${entry.parentPath}/${entry.name}`);
      }
      dir.closeSync();
      assert.deepEqual(names.sort(), expected);
      assert.equal(fs.kernel.vmstat().nr_files, 0);
    }
  });

  it("says EAGAIN to what changes the task or the mounts", () => {
    const fs = mounted(onceEach());
    const { kernel } = fs;
    for (const call of [
      () => kernel.task({ cwd: "/r/dir/deep" }),
      () => kernel.task({ root: "/r/to-dir" }),
      () => kernel.mount({ type: "ramfs", target: "/r/other" }),
      () => kernel.umount("/r/other/../other"),
    ]) {
      const { waits } = untilReady(fs, call);
      assert.ok(waits > 0 || call.toString().includes("umount"));
    }
    const task = kernel.vfs.newTask({}) as Task;
    assert.equal(task.chdir("/r/dir/deep/empty"), -EAGAIN);
    assert.ok(task.waitToken() instanceof Promise);
    assert.equal(task.waitToken(), undefined);
  });
});

describe("what there is to wait for belongs to one call", () => {
  const never = new Promise<void>(() => {});
  /** One directory answers -EAGAIN and says what to wait for, for ever; another answers -EAGAIN alone; a third has it said in vain. */
  const hooks: Hooks = {
    any: (kernel, what) => {
      if (/ slow$/.test(what)) kernel.setWaitToken(never);
      if (/ eager$/.test(what)) {
        kernel.setWaitToken(never);
        return 0;
      }
      return / (slow|busy)$/.test(what) ? -EAGAIN : 0;
    },
  };
  const sync: Record<string, (fs: FolioFs) => unknown> = {
    existsSync: (fs) => fs.existsSync("/r/slow"),
    accessSync: (fs) => fs.accessSync("/r/slow"),
    statSync: (fs) => fs.statSync("/r/slow", { throwIfNoEntry: false }),
    lstatSync: (fs) => fs.lstatSync("/r/slow"),
    openSync: (fs) => fs.openSync("/r/slow", "w"),
    readFileSync: (fs) => fs.readFileSync("/r/slow"),
    writeFileSync: (fs) => fs.writeFileSync("/r/slow", "x"),
    mkdirSync: (fs) => fs.mkdirSync("/r/slow", R),
    readdirSync: (fs) => fs.readdirSync("/r/slow"),
    opendirSync: (fs) => fs.opendirSync("/r/slow"),
    realpathSync: (fs) => fs.realpathSync("/r/slow"),
    renameSync: (fs) => fs.renameSync("/local", "/r/slow"),
    linkSync: (fs) => fs.linkSync("/local", "/r/slow"),
    unlinkSync: (fs) => fs.unlinkSync("/r/slow"),
    rmSync: (fs) => fs.rmSync("/r/slow", R),
    cp: (fs) => fs.copyFileSync("/local", "/r/slow"),
    task: (fs) => fs.kernel.task({ cwd: "/r/slow" }),
    mount: (fs) => fs.kernel.mount({ type: "ramfs", target: "/r/slow" }),
  };

  for (const [name, call] of Object.entries(sync)) {
    it(`and goes with it: ${name}`, async () => {
      const fs = mounted(hooks);
      assert.equal(
        outcomeOf(() => call(fs)),
        "EAGAIN",
      );
      await assert.rejects(fs.promises.stat("/r/busy"), { code: "EAGAIN" });
      assert.equal(fs.kernel.vfs.takeWaitToken(), undefined);
    });
  }

  it("also when the call did not wait in the end", async () => {
    const fs = mounted(hooks);
    assert.equal(fs.existsSync("/r/eager"), false);
    await assert.rejects(fs.promises.mkdir("/r/busy"), { code: "EAGAIN" });
  });

  it("and is not taken by a call of another task", async () => {
    const fs = mounted(hooks);
    const other = fs.kernel.task({ uid: 0 });
    assert.equal(
      outcomeOf(() => fs.statSync("/r/slow")),
      "EAGAIN",
    );
    await assert.rejects(other.promises.stat("/r/busy"), { code: "EAGAIN" });
    const fd = fs.openSync("/r/dir/file", "r");
    assert.equal(fs.existsSync("/r/dir/file"), true);
    fs.closeSync(fd);
  });
});
