/** setattr: a file system is told of a change before it is made, with the values, and makes it. */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { describe, it } from "vitest";
import {
  ATTR_FORCE,
  ATTR_KILL_SUID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_SIZE,
  type Attributes,
  createFsSync,
  EACCES,
  type FileSystemType,
  type FolioFs,
  FS_MEMORY,
  Inode,
  type InodeOperations,
  libfs,
  ramfs,
} from "../../../src/index.ts";
import { RemoteFs, remoteDir, remoteFile } from "../../helpers/remote-fs.ts";
import { outcomeOf } from "../../helpers/subject.ts";

type Setattr = NonNullable<InodeOperations["setattr"]>;

/** ramfs whose inodes are changed by `setattr`. */
function withSetattr(setattr: Setattr): FileSystemType {
  return {
    ...ramfs,
    name: "askfs",
    tables: ramfs.tables.map((table) => ({ ...table, inode: { ...table.inode, setattr } })),
  };
}

/** ramfs at /plain, the type at /asked, with a file and a directory of user 7 in each. */
function twoMounts(type: FileSystemType, now: () => number = Date.now): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [type], now });
  for (const [name, dir] of [
    ["ramfs", "/plain"],
    ["askfs", "/asked"],
  ]) {
    fs.mkdirSync(dir);
    fs.kernel.mount({ type: name, target: dir });
    fs.writeFileSync(`${dir}/f`, "some data", { mode: 0o666 });
    fs.mkdirSync(`${dir}/d`);
    for (const path of [dir, `${dir}/f`, `${dir}/d`]) fs.chownSync(path, 7, 7);
    fs.chmodSync(`${dir}/f`, 0o666);
  }
  return fs;
}

const attributesOf = (fs: FolioFs, path: string) => {
  const { mode, uid, gid, size, atimeMs, mtimeMs, ctimeMs } = fs.statSync(path);
  return { mode, uid, gid, size, atimeMs, mtimeMs, ctimeMs };
};

const id = fc.constantFrom(-1, 0, 7, 8, 9);
const time = fc.constantFrom(0, 1, 1.5, 1e9); // below 0 is the clock, for Node
const change = fc.oneof(
  fc.record({ call: fc.constant("chmod" as const), mode: fc.integer({ min: 0, max: 0o7777 }) }),
  fc.record({ call: fc.constant("chown" as const), uid: id, gid: id }),
  fc.record({ call: fc.constant("utimes" as const), atime: time, mtime: time }),
  fc.record({ call: fc.constant("truncate" as const), size: fc.integer({ min: 0, max: 9000 }) }),
  fc.record({ call: fc.constant("ftruncate" as const), size: fc.integer({ min: 0, max: 9000 }) }),
  fc.record({ call: fc.constant("write" as const), flag: fc.constantFrom("w", "a", "r+") }),
  fc.record({ call: fc.constant("copy" as const) }),
);
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

function apply(fs: FolioFs, dir: string, { on, ...what }: Change & { on: string }): unknown {
  const path = `${dir}/${on}`;
  switch (what.call) {
    case "chmod":
      return fs.chmodSync(path, what.mode);
    case "chown":
      return fs.chownSync(path, what.uid, what.gid);
    case "utimes":
      return fs.utimesSync(path, what.atime, what.mtime);
    case "truncate":
      return fs.truncateSync(path, what.size);
    case "ftruncate": {
      const fd = fs.openSync(path, "r+");
      try {
        return fs.ftruncateSync(fd, what.size);
      } finally {
        fs.closeSync(fd);
      }
    }
    case "write":
      return fs.writeFileSync(path, "written", { flag: what.flag });
    case "copy": {
      const [from, to] = [fs.openSync("/source", "r"), fs.openSync(path, "r+")];
      try {
        return fs.copyFileRangeSync(from, 0, to, 0, 4);
      } finally {
        fs.closeSync(from);
        fs.closeSync(to);
      }
    }
  }
}

describe("setattr", () => {
  it("by simpleSetattr() does what the VFS does to records in memory, whoever asks", () => {
    const steps = fc.array(fc.record({ who: fc.constantFrom(0, 1, 2, 3), on: fc.constantFrom("f", "d"), change }), {
      maxLength: 25,
    });
    fc.assert(
      fc.property(steps, (list) => {
        let nowMs = 1.6e12;
        const fs = twoMounts(withSetattr(libfs.simpleSetattr), () => nowMs);
        fs.writeFileSync("/source", "copied");
        const { kernel } = fs;
        const users = [
          kernel.task(),
          kernel.task({ uid: 7, gid: 7, groups: [8] }),
          kernel.task({ uid: 8, gid: 9, groups: [7] }),
          kernel.task({ uid: 9, gid: 9, groups: [] }),
        ];
        for (const { who, on, change } of list) {
          const step = { ...change, on };
          const [plain, own] = ["/plain", "/asked"].map((dir) => {
            const outcome = outcomeOf(() => apply(users[who], dir, step));
            return { outcome, ...attributesOf(fs, `${dir}/${on}`) };
          });
          nowMs += 1000;
          // Where there is nothing to cut, memory lets the times be; a store is asked whatever it thinks.
          const times = step.call === "truncate" ? { mtimeMs: 0, ctimeMs: 0 } : {};
          assert.deepEqual({ ...own, ...times }, { ...plain, ...times }, JSON.stringify([who, step]));
        }
        kernel.verify();
        kernel.destroy();
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ["as it is told", 0],
    ["where a file system has taken the mtime out", ATTR_MTIME],
  ])("by simpleSetattr() cuts and grows by path and by descriptor, and moves mtime: %s", (_, taken) => {
    let nowMs = 1.6e12;
    const type = withSetattr((kernel, inode, attr) => {
      if (attr.valid & ATTR_SIZE) attr.valid &= ~taken;
      return libfs.simpleSetattr(kernel, inode, attr);
    });
    const fs = twoMounts(type, () => nowMs);
    const fd = fs.openSync("/asked/f", "r+");
    const ways = [(size: number) => fs.truncateSync("/asked/f", size), (size: number) => fs.ftruncateSync(fd, size)];
    for (const truncate of ways) {
      fs.writeFileSync("/asked/f", Buffer.alloc(9000, "x"));
      for (const size of [5000, 3, 3, 4099, 0]) {
        nowMs += 1000;
        truncate(size);
        const { size: now, mtimeMs, ctimeMs } = fs.statSync("/asked/f");
        assert.deepEqual([now, mtimeMs, ctimeMs], [size, nowMs, nowMs]);
        const kept = "x".repeat(size === 5000 ? 5000 : Math.min(size, 3));
        assert.equal(fs.readFileSync("/asked/f", "latin1"), kept.padEnd(size, "\0"));
      }
    }
    fs.kernel.verify();
  });

  it("gets the values while the record is as it was, and what it answers is the outcome", () => {
    const seen: [Attributes, number][] = [];
    let answer = 0;
    const fs = twoMounts(
      withSetattr((kernel, inode, attr) => {
        seen.push([{ ...attr }, new Inode(kernel, inode).mode & 0o7777]);
        return answer < 0 ? answer : libfs.simpleSetattr(kernel, inode, attr);
      }),
    );
    seen.length = 0;
    fs.chmodSync("/asked/f", 0o640);
    assert.equal(seen[0][0].mode, 0o640);
    assert.equal(seen[0][1], 0o666);
    answer = -EACCES;
    for (const call of [
      () => fs.chmodSync("/asked/f", 0o600),
      () => fs.truncateSync("/asked/f", 0),
      () => fs.utimesSync("/asked/f", 1, 2),
    ])
      assert.equal(outcomeOf(call), "EACCES");
    assert.equal(seen[2][0].size, 0);
    assert.deepEqual([seen[3][0].atimeSec, seen[3][0].mtimeSec], [1, 2]);
    assert.equal(fs.statSync("/asked/f").size, 9);
    assert.equal(fs.statSync("/asked/f").mode & 0o777, 0o640);
  });

  it("is asked before a write kills set-ID bits, and no byte is written if it refuses", () => {
    const seen: Attributes[] = [];
    let answer = 0;
    const fs = twoMounts(
      withSetattr((kernel, inode, attr) => {
        seen.push({ ...attr });
        return answer || libfs.simpleSetattr(kernel, inode, attr);
      }),
    );
    fs.chmodSync("/asked/f", 0o4777);
    fs.writeFileSync("/source", "copied");
    const user = fs.kernel.task({ uid: 9, gid: 9, groups: [] });
    const fd = user.openSync("/asked/f", "r+");
    const source = user.openSync("/source", "r");
    seen.length = 0;
    answer = -EACCES;
    const ways: (() => unknown)[] = [
      () => user.writeSync(fd, Buffer.from("bytes")),
      () => user.writeSync(fd, "text"),
      () => user.writevSync(fd, [Buffer.from("a"), Buffer.from("b")]),
      () => user.appendFileSync("/asked/f", "more"),
      () => user.copyFileRangeSync(source, 0, fd, 0, 3),
      () => user.ftruncateSync(fd, 2),
    ];
    for (const way of ways) assert.equal(outcomeOf(way), "EACCES", String(way));
    assert.equal(fs.readFileSync("/asked/f", "utf8"), "some data");
    assert.equal(seen.length, ways.length);
    for (const { valid, mode } of seen) {
      assert.equal(valid & (ATTR_MODE | ATTR_FORCE | ATTR_KILL_SUID), ATTR_MODE | ATTR_FORCE | ATTR_KILL_SUID);
      assert.equal(mode & 0o7777, 0o777);
    }
    answer = 0;
    user.writeSync(fd, "SOME", 0);
    assert.equal(fs.readFileSync("/asked/f", "utf8"), "SOME data");
    assert.equal(fs.statSync("/asked/f").mode & 0o7777, 0o777);
    seen.length = 0;
    user.writeSync(fd, "some", 0);
    assert.equal(seen.length, 0);
    fs.kernel.verify();
  });

  it("gets the time that is now as a value", () => {
    const seen: Attributes[] = [];
    const setattr: Setattr = (kernel, inode, attr) => {
      seen.push({ ...attr });
      return libfs.simpleSetattr(kernel, inode, attr);
    };
    const fs = twoMounts(withSetattr(setattr), () => 1_234_500);
    seen.length = 0;
    fs.kernel.linux.utimensatSync(-100, "/asked/f", "now", 7_000_000_000n);
    const { atimeMs, mtimeMs } = fs.statSync("/asked/f");
    assert.deepEqual([atimeMs, mtimeMs], [1_234_500, 7000]);
    assert.deepEqual([seen.length, seen[0].atimeSec, seen[0].atimeNsec], [1, 1234, 500_000_000]);
  });

  it("of a type that has none leaves set-ID bits to the record", () => {
    const { type } = new RemoteFs(remoteDir({ file: remoteFile("some data", 0o6777) }));
    const tables = type.tables.map((table) => ({ ...table, inode: { ...table.inode, setattr: undefined } }));
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [{ ...type, fsFlags: FS_MEMORY, tables }] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: type.name, target: "/m" });
    const user = fs.kernel.task({ uid: 9, gid: 9, groups: [] });
    const fd = user.openSync("/m/file", "r+");
    user.writeSync(fd, "SOME", 0);
    assert.equal(fs.statSync("/m/file").mode & 0o7777, 0o777);
    assert.equal(fs.readFileSync("/m/file", "utf8"), "SOME data");
    user.closeSync(fd);
    fs.kernel.verify();
  });

  it("statfs of a type that has none is ENOSYS; libfs lends one", () => {
    const { statfs: _, ...superOps } = ramfs.superOps ?? {};
    const fs = createFsSync({ types: [{ ...ramfs, name: "mutefs", superOps }] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "mutefs", target: "/m" });
    assert.equal(
      outcomeOf(() => fs.statfsSync("/m")),
      "ENOSYS",
    );
    assert.equal(fs.statfsSync("/").type, 0x01021994);
  });
});
