/** Layers: each sees its own changes, within its limits; they are measured, thrown away and forked. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { overlay } from "../../../src/layers.ts";
import { codeOf } from "../../helpers/code-of.ts";
import { seededRandom } from "../../helpers/random.ts";

function build(): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/base", "/base/src", "/a", "/b", "/c"]) fs.mkdirSync(dir);
  fs.writeFileSync("/base/README", "base");
  fs.writeFileSync("/base/src/main", "main".repeat(5000));
  fs.chownSync("/base", 7, 8);
  return fs;
}

function look(fs: FolioFs, path: string): unknown {
  const { mode, uid, gid, nlink, mtimeMs, size } = fs.lstatSync(path);
  const isDir = (mode & 0o170000) === 0o040000;
  const own = [mode, uid, gid, mtimeMs, isDir ? 0 : nlink, isDir ? 0 : size];
  if (isDir) return [own, fs.readdirSync(path).map((name) => [name, look(fs, `${path}/${name}`)])];
  return [own, (mode & 0o170000) === 0o120000 ? fs.readlinkSync(path) : fs.readFileSync(path, "latin1")];
}

describe("a layer", () => {
  it("keeps its changes apart, and is who the lower root is", () => {
    const fs = build();
    fs.utimesSync("/base", 1, 2);
    const a = fs.kernel.layer({ lower: "/base", target: "/a" });
    const b = fs.kernel.layer({ lower: ["/base"], target: "/b" });
    const { atimeMs, mtimeMs } = fs.statSync("/a");
    assert.deepEqual([atimeMs, mtimeMs], [1000, 2000]);
    fs.writeFileSync("/a/README", "a");
    fs.renameSync("/b/src", "/b/source");
    assert.equal(fs.readFileSync("/b/README", "utf8"), "base");
    assert.deepEqual(fs.readdirSync("/a"), ["README", "src"]);
    assert.deepEqual(fs.readdirSync("/b"), ["README", "source"]);
    assert.deepEqual(fs.readdirSync("/base"), ["README", "src"]);
    assert.deepEqual([fs.statSync("/a").uid, fs.statSync("/a").gid], [7, 8]);
    fs.kernel.verify();
    a.drop();
    b.drop();
    assert.deepEqual(fs.readdirSync("/a"), []);
    assert.equal(
      codeOf(() => a.usage()),
      "EINVAL",
    );
    assert.equal(
      codeOf(() => a.drop()),
      "EINVAL",
    );
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("has limits, which are told", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a", size: "64k", nr_inodes: 4 });
    assert.deepEqual(layer.usage(), { bytes: 0, inodes: 0, maxBytes: 65536, maxInodes: 4 });
    fs.writeFileSync("/a/README", "x".repeat(5000));
    // That it is a copy is an extended attribute: each KiB of these counts as an inode.
    assert.deepEqual(layer.usage(), { bytes: 8192, inodes: 2, maxBytes: 65536, maxInodes: 4 });
    assert.equal(
      codeOf(() => fs.writeFileSync("/a/big", Buffer.alloc(100_000))),
      "ENOSPC",
    );
    fs.unlinkSync("/a/big");
    assert.equal(
      codeOf(() => fs.mkdirSync("/a/1")),
      "ok",
    );
    assert.equal(
      codeOf(() => fs.mkdirSync("/a/2")),
      "ok",
    );
    assert.equal(
      codeOf(() => fs.mkdirSync("/a/3")),
      "ENOSPC",
    );
    assert.equal(
      codeOf(() => fs.chmodSync("/a/src", 0o700)),
      "ENOSPC",
    );
    layer.reset();
    assert.equal(layer.usage().inodes, 0);
    assert.equal(fs.readFileSync("/a/README", "utf8"), "base");
    const fd = fs.openSync("/a/README", "r");
    assert.equal(
      codeOf(() => layer.reset()),
      "EBUSY",
    );
    fs.closeSync(fd);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("counts no directory that is gone, whatever has been looked for in it", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    for (const [remove, target] of [
      [() => fs.rmdirSync("/a/new"), "/a/new"],
      [() => fs.renameSync("/a/other", "/a/new"), "/a/new"],
    ] as const) {
      fs.mkdirSync(target);
      fs.mkdirSync("/a/other", { recursive: true });
      assert.equal(fs.existsSync(`${target}/missing`), false);
      const { inodes } = layer.usage();
      remove();
      assert.equal(layer.usage().inodes, inodes - 1);
    }
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("shares pages with what is below, and with its forks, until somebody writes to them", () => {
    const fs = build();
    const big = Buffer.alloc(2 ** 20, "below");
    fs.writeFileSync("/base/big", big);
    const layer = fs.kernel.layer({ lower: "/base", target: "/a", size: "64k" });
    const write = (path: string, position: number): void => {
      const fd = fs.openSync(path, "r+");
      try {
        fs.writeSync(fd, "X", position);
      } finally {
        fs.closeSync(fd);
      }
    };
    write("/a/big", 5000);
    assert.equal(layer.usage().bytes, 4096);
    const before = fs.kernel.usage().data;
    const fork = layer.fork("/b");
    assert.equal(fork.usage().bytes, 4096, "pages that are lent are so in the fork, too");
    assert.equal(fs.kernel.usage().data, before);
    write("/b/big", 9000);
    write("/base/big", 0);
    assert.deepEqual([layer.usage().bytes, fork.usage().bytes], [4096, 8192]);
    assert.equal(fs.kernel.usage().data, before + 2 * 4096);
    assert.equal(fs.statSync("/b/big").blocks, 2048);
    const withX = (...positions: number[]): Buffer => {
      const bytes = Buffer.from(big);
      for (const position of positions) bytes.write("X", position);
      return bytes;
    };
    assert.ok(fs.readFileSync("/base/big").equals(withX(0)));
    assert.ok(fs.readFileSync("/a/big").equals(withX(5000)));
    assert.ok(fs.readFileSync("/b/big").equals(withX(5000, 9000)));
    for (let page = 0; page < 15; page++) write("/a/big", page * 4096);
    write("/a/big", 15 * 4096);
    assert.equal(
      codeOf(() => write("/a/big", 16 * 4096)),
      "ENOSPC",
    );
    fs.kernel.verify();
    fork.drop();
    layer.drop();
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is forked with all that it has, hidden and moved names too", () => {
    const fs = build();
    const layer = fs.kernel.layer({ lower: "/base", target: "/a" });
    fs.writeFileSync("/a/new", "new");
    fs.linkSync("/a/new", "/a/src/linked");
    fs.symlinkSync("new", "/a/ln");
    fs.unlinkSync("/a/README");
    fs.appendFileSync("/a/src/main", "!");
    fs.renameSync("/a/src", "/a/moved");
    fs.kernel.linux.setxattrSync("/a/new", "user.x", Buffer.from("v"));
    const fork = layer.fork("/b");
    assert.deepEqual(look(fs, "/b"), look(fs, "/a"));
    assert.equal(fs.kernel.linux.getxattrSync("/b/new", "user.x")?.toString(), "v");
    assert.deepEqual(fork.usage(), layer.usage());
    fs.appendFileSync("/b/new", "!");
    assert.equal(fs.readFileSync("/b/moved/linked", "utf8"), "new!");
    assert.equal(fs.readFileSync("/a/new", "utf8"), "new");
    layer.drop();
    fs.kernel.verify();
    assert.equal(fs.readFileSync("/b/moved/main", "utf8").length, 20_001);
    assert.equal(
      codeOf(() => fork.fork("/c", { size: "4k" })),
      "ENOSPC",
    );
    assert.deepEqual(fs.readdirSync("/c"), []);
    fork.drop();
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is a task's root, and in forks of the kernel", () => {
    const fs = build();
    fs.kernel.layer({ lower: "/base", target: "/a" });
    const task = fs.kernel.task({ root: "/a" });
    task.writeFileSync("/README", "inside");
    assert.equal(task.realpathSync("/src/.."), "/");
    const fork = fs.kernel.fork();
    assert.equal(fork.fs.readFileSync("/a/README", "utf8"), "inside");
    fork.verify();
    fork.destroy();
    fs.kernel.destroy();
  });

  it("wants what it can be made of", () => {
    const fs = build();
    const layer = (options: object): string => codeOf(() => fs.kernel.layer(options as never));
    assert.equal(layer({ target: "/a" }), "ERR_INVALID_ARG_TYPE");
    assert.equal(layer({ lower: [], target: "/a" }), "ERR_INVALID_ARG_VALUE");
    assert.equal(layer({ lower: "/base" }), "ERR_INVALID_ARG_TYPE");
    assert.equal(layer({ lower: "/base", target: "/a", size: "much" }), "ERR_INVALID_ARG_VALUE");
    assert.equal(layer({ lower: "/base", target: "/a", size: 0 }), "ERR_OUT_OF_RANGE");
    assert.equal(layer({ lower: "/base", target: "/a", nr_inodes: 1.5 }), "ERR_OUT_OF_RANGE");
    assert.equal(layer({ lower: "/base", target: "/a", other: 1 }), "ERR_INVALID_ARG_VALUE");
    assert.equal(layer({ lower: "/missing", target: "/a" }), "ENOENT");
    assert.equal(layer({ lower: "/base", target: "/missing" }), "ENOENT");
    assert.equal(layer({ lower: "/base/README", target: "/a" }), "EINVAL");
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.equal(
      codeOf(() => user.kernel.layer({ lower: "/base", target: "/a" })),
      "EPERM",
    );
    fs.kernel.verify();
    assert.equal(fs.kernel.mounts().length, 1);
    fs.kernel.destroy();
  });

  it("costs little, and gives all of it back", () => {
    const fs = build();
    for (const target of ["/a", "/b"]) fs.kernel.layer({ lower: "/base", target }).drop();
    fs.kernel.dropCaches(3);
    const used = (): number => fs.kernel.vmstat().nr_used_pages;
    const before = used();
    const layers = Array.from({ length: 50 }, (_, i) => {
      fs.mkdirSync(`/c/${i}`);
      return fs.kernel.layer({ lower: "/base", target: `/c/${i}`, size: "1m" });
    });
    const each = ((used() - before) * 4096) / 50;
    assert(each < 32 * 1024, `${each} bytes each`);
    fs.kernel.verify();
    for (const layer of layers) layer.drop();
    fs.rmSync("/c", { recursive: true });
    fs.kernel.dropCaches(3);
    assert(used() - before <= 2, `${used() - before} pages are left`);
    fs.kernel.destroy();
  });

  it("holds against random work on several, with limits, forks, resets and drops", () => {
    const seed = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
    console.log(`layers.test.ts: seed ${seed}`);
    const random = seededRandom(seed);
    const fs = build();
    const layers = new Map<string, ReturnType<typeof fs.kernel.layer>>();
    const expected = look(fs, "/base");
    const targets = ["/a", "/b", "/c"];
    const pick = <T>(list: readonly T[]): T => list[random(list.length)];
    for (let i = 0; i < 250; i++) {
      const target = pick(targets);
      const layer = layers.get(target);
      const path = (): string => `${target}/${pick(["README", "src", "src/main", "new", "src/x", "new/y"])}`;
      const steps: (() => unknown)[] = layer
        ? [
            () => fs.writeFileSync(path(), Buffer.alloc(random(20_000), "w")),
            () => fs.rmSync(path(), { recursive: true }),
            () => fs.renameSync(path(), path()),
            () => fs.mkdirSync(path()),
            () => fs.linkSync(path(), path()),
            () => fs.truncateSync(path(), random(9000)),
            () => layer.reset(),
            () => {
              layer.drop();
              layers.delete(target);
            },
            () => {
              const to = targets.find((other) => !layers.has(other));
              if (to === undefined) return;
              layers.set(to, layer.fork(to));
              assert.deepEqual(look(fs, to), look(fs, target));
            },
          ]
        : [() => layers.set(target, fs.kernel.layer({ lower: "/base", target, size: "64k", nr_inodes: 6 }))];
      const code = codeOf(pick(steps));
      assert(
        ["ok", "ENOSPC", "ENOENT", "EEXIST", "ENOTDIR", "EISDIR", "ENOTEMPTY", "EINVAL", "EPERM"].includes(code),
        code,
      );
      if (i % 25 === 0) fs.kernel.verify();
    }
    for (const layer of layers.values()) layer.drop();
    assert.deepEqual(look(fs, "/base"), expected);
    fs.kernel.verify();
    fs.kernel.destroy();
  });
});
