/** Names of file systems that have to be asked for them, when memory is full: they go, oldest first, and come back. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { type Hooks, RemoteFs, type RemoteNode, remoteDir, remoteFile, remoteLink } from "../../helpers/remote-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const LIMIT = 8 * 2 ** 20;
const SPARE = 16 * 1024;

interface Machine {
  fs: FolioFs;
  remote: RemoteFs;
}

/** A remote tree at /r. @param change of the type: operations taken away */
function mounted(
  root: RemoteNode,
  hooks: Hooks = {},
  change: (remote: RemoteFs) => RemoteFs["type"] = ({ type }) => type,
): Machine {
  const remote = new RemoteFs(root, hooks);
  const fs = createFsSync({ memoryLimit: LIMIT, types: [change(remote)] });
  fs.mkdirSync("/r");
  fs.kernel.mount({ type: "remotefs", target: "/r" });
  return { fs, remote };
}

/** The type without evictInode: its inodes go with their last dentry. */
function withoutEvict({ type }: RemoteFs): RemoteFs["type"] {
  return { ...type, superOps: {} };
}

const many = (nr: number, make: (i: number) => RemoteNode) =>
  remoteDir(Object.fromEntries(Array.from({ length: nr }, (_, i) => [`n${i}`, make(i)])));

/** Fills what is left with data of a file in memory. @returns its bytes */
function fill(fs: FolioFs): number {
  const fd = fs.openSync("/fill", "a");
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(65536, 1));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  fs.closeSync(fd);
  return fs.statSync("/fill").size;
}

describe("unused names", () => {
  const types: Record<string, typeof withoutEvict | undefined> = {
    "with evictInode": undefined,
    "without evictInode": withoutEvict,
  };
  for (const [what, change] of Object.entries(types)) {
    it(`go when memory is full: 50 000 names under 8 MiB, ${what}`, () => {
      const { fs, remote } = mounted(
        many(50_000, (i) => remoteFile(`${i}`)),
        change ? { isForgetful: true } : {},
        change,
      );
      for (let i = 0; i < 50_000; i++) assert.equal(fs.statSync(`/r/n${i}`).size, `${i}`.length);
      const full = fs.kernel.vmstat();
      assert.ok(full.nr_dentries < 40_000 && full.nr_dentries > 5000);
      if (!change) assert.ok(remote.nodes.size <= full.nr_inodes);
      fs.kernel.verify();
      for (let i = 0; i < 50_000; i += 500) assert.equal(fs.readFileSync(`/r/n${i}`, "utf8"), `${i}`);
      fs.kernel.verify();

      assert.ok(fill(fs) > 6 * 2 ** 20, "names are still in the way of data");
      fs.kernel.verify();
      assert.equal(fs.readFileSync("/r/n7", "utf8"), "7");
      fs.kernel.umount("/r");
      fs.kernel.verify();
      if (!change) assert.equal(remote.nodes.size, 0);
    });
  }

  it("make room for whatever needs it, with inodes whose file system wants to know", () => {
    const calls: Record<string, (fs: FolioFs, i: number) => unknown> = {
      mkdir: (fs, i) => fs.mkdirSync(`/d${i}`),
      symlink: (fs, i) => fs.symlinkSync("t".repeat(2000), `/l${i}`),
      link: (fs, i) => fs.linkSync("/f", `/${"h".repeat(200)}${i}`),
      rename: (fs, i) => fs.renameSync(`/x${i}`, `/${"long".repeat(60)}${i}`),
      open: (fs, i) => fs.openSync("/f", i % 2 ? "r" : "a"),
      write: (fs, i) => fs.writeFileSync(`/w${i}`, Buffer.alloc(50_000)),
      "write of text": (fs, i) => fs.writeFileSync(`/w${i}`, "t".repeat(50_000)),
      task: (fs) => fs.kernel.task({ groups: Array.from({ length: 1000 }, (_, i) => i) }),
      fallocate: (fs, i) => {
        const fd = fs.openSync(`/w${i}`, "w");
        fs.fallocateSync(fd, 0, 0, 50_000);
        fs.closeSync(fd);
      },
    };
    for (const [name, call] of Object.entries(calls)) {
      const { fs, remote } = mounted(many(12_000, () => remoteFile()));
      fs.writeFileSync("/f", "");
      fs.writeFileSync("/most", Buffer.alloc(5 * 2 ** 20));
      if (name === "rename") for (let i = 0; i < 40; i++) fs.writeFileSync(`/x${i}`, "");
      for (let i = 0; i < 12_000; i++) fs.statSync(`/r/n${i}`);
      const before = remote.nodes.size;
      for (let i = 0; i < 40; i++) call(fs, i);
      fs.kernel.verify();
      fs.kernel.dropCaches(3);
      assert.equal(remote.nodes.size, 1, name);
      assert.ok(before > 5000);
    }
  });

  it("stay while there is room, and are asked for once", () => {
    const { fs, remote } = mounted(many(2000, () => remoteFile()));
    for (let round = 0; round < 3; round++) for (let i = 0; i < 2000; i++) fs.statSync(`/r/n${i}`);
    assert.equal(remote.log.filter((line) => line.startsWith("lookup")).length, 2000);
    assert.equal(fs.kernel.vmstat().nr_unused_dentries, 2000);
  });

  it("that are walked to again and again stay when others go", () => {
    const { fs, remote } = mounted(many(40_000, () => remoteFile()));
    for (let i = 0; i < 100; i++) fs.statSync(`/r/n${i}`);
    for (let i = 100; i < 40_000; i++) {
      fs.statSync(`/r/n${i}`);
      fs.statSync(`/r/n${i % 100}`);
    }
    const asked = remote.log.filter((line) => /^lookup n\d{1,2}$/.test(line)).length;
    assert.equal(asked, 100);
  });

  it("go by dropCaches, parents after their children; what is in use stays, and so does what lives in memory", () => {
    const tree = remoteDir({
      a: remoteDir({
        b: remoteDir({ c: remoteFile("c"), open: remoteFile("open") }),
        cwd: remoteDir({ x: remoteFile("x") }),
      }),
      mnt: remoteDir(),
      link: remoteLink("a/b"),
    });
    const { fs, remote } = mounted(tree);
    fs.mkdirSync("/memory/deep", { recursive: true });
    const base = fs.kernel.vmstat();
    fs.kernel.mount({ type: "ramfs", target: "/r/mnt" });
    fs.writeFileSync("/r/mnt/kept", "kept");
    fs.readFileSync("/r/link/c");
    fs.existsSync("/r/a/b/missing");
    const fd = fs.openSync("/r/a/b/open", "r");
    const task = fs.kernel.task({ cwd: "/r/a/cwd" });
    task.readFileSync("x");
    for (let i = 0; i < 2; i++) {
      fs.kernel.dropCaches(i === 0 ? 3 : 2);
      fs.kernel.verify();
      // The root; a, b, open; cwd; mnt.
      assert.equal(remote.nodes.size, 6);
      assert.equal(fs.kernel.vmstat().nr_negative_dentries + fs.kernel.vmstat().nr_unused_dentries, 0);
    }
    assert.equal(fs.readFileSync(fd, "utf8"), "open");
    assert.equal(task.readFileSync("x", "utf8"), "x");
    assert.equal(fs.readFileSync("/r/mnt/kept", "utf8"), "kept");
    assert.ok(fs.existsSync("/memory/deep"));
    fs.closeSync(fd);
    fs.kernel.exit(task);
    fs.kernel.umount("/r/mnt");
    fs.kernel.dropCaches(2);
    assert.equal(remote.nodes.size, 1);
    assert.deepEqual(
      [fs.kernel.vmstat().nr_dentries, fs.kernel.vmstat().nr_inodes],
      [base.nr_dentries, base.nr_inodes],
    );
  });

  it("are listed, where only what is cached can be", () => {
    const { fs } = mounted(
      many(300, () => remoteFile()),
      {},
      ({ type }) => {
        const [table] = type.tables;
        return { ...type, tables: [{ ...table, file: { read: table.file.read } }] };
      },
    );
    const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
    for (const name of names) fs.statSync(`/r/${name}`);
    const fd = fs.openSync("/r/n5", "r");
    assert.deepEqual(fs.readdirSync("/r"), [...names].sort());
    fs.kernel.verify();
    fs.closeSync(fd);
    fs.kernel.dropCaches(3);
    fs.kernel.verify();
    assert.deepEqual(fs.readdirSync("/r"), []);
  });

  it("do not come into the memory of a snapshot, nor do inodes that wait to be evicted", () => {
    const { fs } = mounted(many(31_000, () => remoteFile()));
    for (let i = 0; i < 31_000; i++) fs.statSync(`/r/n${i}`);
    const fork = fs.kernel.fork();
    fork.verify();
    assert.equal(fork.vmstat().nr_unused_dentries, 0);
    assert.equal(fork.vmstat().nr_inodes, 2);
  });
});

describe("a memory that is always full", () => {
  /** Deep directories, links across, files; the same on every call. */
  function tree(depth: number): RemoteNode {
    const children: Record<string, RemoteNode> = {
      up: remoteLink("../f1"),
      f1: remoteFile("one"),
      f2: remoteFile("two"),
    };
    if (depth > 0) for (const name of ["a", "b", "c"]) children[name] = tree(depth - 1);
    return remoteDir(children);
  }

  const names = ["a", "b", "c", "up", "f1", "f2", "..", "missing"];

  /** Random paths, the same for the same seed. */
  function* paths(seed: number): Generator<string> {
    let state = seed;
    const next = (n: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    for (;;) yield `/${Array.from({ length: 1 + next(7) }, () => names[next(names.length)]).join("/")}`;
  }

  const OPERATIONS: ((fs: FolioFs, path: string, i: number) => unknown)[] = [
    (fs, path) => fs.statSync(path).size,
    (fs, path) => fs.readFileSync(path, "utf8"),
    (fs, path) => fs.readdirSync(path),
    (fs, path) => fs.realpathSync.native(path),
    (fs, path) => fs.realpathSync(path),
    (fs, path, i) => fs.writeFileSync(`${path}/new${i % 50}`, "new"),
    (fs, path, i) => fs.unlinkSync(`${path}/new${(i * 7) % 50}`),
    (fs, path, i) => fs.mkdirSync(`${path}/dir${i % 20}`),
    (fs, path, i) => fs.rmdirSync(`${path}/dir${(i * 3) % 20}`),
    (fs, path, i) => fs.renameSync(`${path}/new${i % 50}`, `${path}/../new${(i * 3) % 50}`),
    (fs, path) => fs.accessSync(path, fs.constants.W_OK),
    (fs, path) => fs.chmodSync(path, 0o700),
    (fs, path) => fs.existsSync(path),
  ];

  function outcome(call: () => unknown): string {
    try {
      return JSON.stringify(call()) ?? "ok";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  /** Takes all memory but a few frames. */
  function squeeze(fs: FolioFs): void {
    fs.writeFileSync("/spare", Buffer.alloc(SPARE));
    fs.mkdirSync("/fill.d");
    fill(fs);
    for (let i = 0; outcomeOf(() => fs.mkdirSync(`/fill.d/${i}`)) === "ok"; i++);
    fs.unlinkSync("/spare");
  }

  const hooks: Record<string, (state: { main?: FolioFs }) => Hooks> = {
    plain: () => ({}),
    "with revalidate and permission": () => ({ revalidate: () => 1, permission: () => 0 }),
    "that walks itself meanwhile": (state) => {
      let depth = 0;
      const walk = (): number => {
        if (!state.main || depth > 0) return 0;
        depth++;
        for (const path of ["/r/a/b/c/f1", "/r/c/c/up", "/r/b/a/missing"]) state.main.existsSync(path);
        depth--;
        return 0;
      };
      return { lookup: walk, getLink: walk, permission: walk, revalidate: () => walk() || 1, any: () => walk() };
    },
  };
  for (const [what, make] of Object.entries(hooks)) {
    it(`says the same as one that is not: a file system ${what}`, () => {
      const roomy = mounted(tree(4)).fs.kernel.task({ root: "/r" });
      let evicted = 0;
      const state: { main?: FolioFs } = {};
      const tight = mounted(tree(4), { ...make(state), evict: () => void evicted++ }).fs;
      squeeze(tight);
      state.main = tight.kernel.task();
      const squeezed = tight.kernel.task({ root: "/r" });
      const walk = paths(7);
      let i = 0;
      const outcomes = new Set<string>();
      for (const path of walk) {
        if (++i > 6000) break;
        const operation = OPERATIONS[i % OPERATIONS.length];
        const got = outcome(() => operation(squeezed, path, i));
        assert.equal(
          got,
          outcome(() => operation(roomy, path, i)),
          `${i}: ${path}`,
        );
        outcomes.add(got);
        if (i % 100 === 0) {
          tight.kernel.verify();
        }
      }
      tight.kernel.verify();
      assert.ok(outcomes.size > 10 && evicted > 500, `${outcomes.size} outcomes, ${evicted} inodes evicted`);
    });
  }
});
