/** `fs.kernel.linux`: extended attributes as programs see them; what copies of memory have of them; other file systems. */
import { strict as assert } from "node:assert";
import { afterEach, describe, expect, it } from "vitest";
import { ENODATA } from "../../../src/base/errno.ts";
import { S_IFDIR } from "../../../src/base/stat-flags.ts";
import { SIMPLE_DIRECTORY, simpleTables } from "../../../src/fs/libfs.ts";
import { hostfs } from "../../../src/host.ts";
import { createFsSync, type FileSystemType, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { proc } from "../../../src/proc.ts";
import { MS_RDONLY, MS_REMOUNT } from "../../../src/vfs/mount-constants.ts";
import { seededRandom } from "../../helpers/random.ts";

const machines: FolioFs[] = [];
function machine(options: Parameters<typeof createFsSync>[0] = {}): FolioFs {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, ...options });
  machines.push(fs);
  return fs;
}
afterEach(() => {
  for (const fs of machines.splice(0)) fs.kernel.destroy();
});

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);

describe("the face", () => {
  it("answers Buffers, and names as text or bytes", async () => {
    const fs = machine();
    fs.writeFileSync("/f", "");
    const { setxattrSync, getxattr, listxattrSync, removexattr, flistxattr } = fs.kernel.linux;
    setxattrSync("/f", "user.text", "ä");
    setxattrSync("/f", Buffer.from("user.bytes"), new Uint16Array([1, 2]));
    expect(await getxattr("/f", "user.text")).toEqual(Buffer.from("ä"));
    assert(Buffer.isBuffer(await getxattr("/f", "user.bytes")));
    expect(listxattrSync("/f")).toEqual(["user.text", "user.bytes"]);
    expect(listxattrSync("/f", "buffer")).toEqual([Buffer.from("user.text"), Buffer.from("user.bytes")]);
    const handle = await fs.promises.open("/f");
    expect(await flistxattr(handle, { encoding: "hex" })).toEqual(["757365722e74657874", "757365722e6279746573"]);
    await handle.close();
    await removexattr("/f", "user.text");
    expect(listxattrSync("/f")).toEqual(["user.bytes"]);
  });

  it("fails with Node's shape", async () => {
    const fs = machine();
    fs.writeFileSync("/f", "");
    const { linux } = fs.kernel;
    const shape = { code: "ENODATA", errno: -61, syscall: "lgetxattr", path: "/f" };
    const message = "ENODATA: no data available, lgetxattr '/f'";
    assert.throws(() => linux.lgetxattrSync("/f", "user.a"), { ...shape, message });
    await assert.rejects(linux.lgetxattr("/f", "user.a"), { ...shape, message });
    const fd = fs.openSync("/f", "r");
    assert.throws(() => linux.fremovexattrSync(fd, "user.a"), { message: "ENODATA: no data available, fremovexattr" });
    for (const [call, code] of [
      [() => linux.getxattr(1 as never, "user.a"), "ERR_INVALID_ARG_TYPE"],
      [() => linux.getxattr("/f", 1 as never), "ERR_INVALID_ARG_TYPE"],
      [() => linux.getxattr("/f", "user.\0"), "ERR_INVALID_ARG_VALUE"],
      [() => linux.setxattr("/f", "user.a", 5 as never), "ERR_INVALID_ARG_TYPE"],
      [() => linux.setxattr("/f", "user.a", "", 0.5), "ERR_OUT_OF_RANGE"],
      [() => linux.fgetxattr("/f" as never, "user.a"), "ERR_INVALID_ARG_TYPE"],
      [() => linux.listxattr("/f", "klingon" as never), "ERR_INVALID_ARG_VALUE"],
    ] as const)
      await assert.rejects(call(), { code });
    expect(linux.listxattrSync("/f")).toEqual([]);
  });

  it("serves each task as itself", () => {
    const fs = machine();
    fs.writeFileSync("/f", "");
    const user = fs.kernel.task({ uid: 1, gid: 1 });
    fs.kernel.linux.setxattrSync("/f", "trusted.a", "1");
    fs.kernel.linux.setxattrSync("/f", "user.a", "1");
    expect(user.kernel.linux.listxattrSync("/f")).toEqual(["user.a"]);
    assert.throws(() => user.kernel.linux.setxattrSync("/f", "user.a", "2"), { code: "EACCES" });
    expect(fs.kernel.linux.listxattrSync("/f")).toEqual(["user.a", "trusted.a"]);
  });

  it("moves the time of change alone", () => {
    let now = 1000;
    const fs = machine({ now: () => now });
    fs.writeFileSync("/f", "");
    now = 2000;
    fs.kernel.linux.setxattrSync("/f", "user.a", "1");
    expect([fs.statSync("/f").ctimeMs, fs.statSync("/f").mtimeMs]).toEqual([2000, 1000]);
    now = 3000;
    fs.kernel.linux.getxattrSync("/f", "user.a");
    assert.throws(() => fs.kernel.linux.setxattrSync("/f", "user.a", "1", 1), { code: "EEXIST" });
    expect(fs.statSync("/f").ctimeMs).toBe(2000);
    fs.kernel.linux.removexattrSync("/f", "user.a");
    expect(fs.statSync("/f").ctimeMs).toBe(3000);
  });

  it("is refused on a read-only mount", () => {
    const fs = machine();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "tmpfs", target: "/m" });
    fs.writeFileSync("/m/f", "");
    fs.kernel.linux.setxattrSync("/m/f", "user.a", "1");
    fs.kernel.mount({ target: "/m", flags: MS_REMOUNT | MS_RDONLY });
    assert.throws(() => fs.kernel.linux.setxattrSync("/m/f", "user.b", "1"), { code: "EROFS" });
    assert.throws(() => fs.kernel.linux.removexattrSync("/m/f", "user.a"), { code: "EROFS" });
    expect(String(fs.kernel.linux.getxattrSync("/m/f", "user.a"))).toBe("1");
  });
});

describe("memory", () => {
  it("is given back: with the name, the file, the mount", () => {
    const fs = machine();
    fs.writeFileSync("/f", "");
    const { linux } = fs.kernel;
    const usage = (): object => {
      fs.kernel.dropCaches(3);
      const { names, inodes } = fs.kernel.usage();
      return { names, inodes };
    };
    const before = usage();
    for (let round = 0; round < 3; round++) {
      fs.writeFileSync("/g", "");
      fs.mkdirSync("/m", { recursive: true });
      fs.kernel.mount({ type: "tmpfs", target: "/m" });
      fs.writeFileSync("/m/h", "");
      for (const path of ["/f", "/g", "/m/h"])
        for (const size of [0, 5, 3000, 65536]) linux.setxattrSync(path, `user.${size}`, Buffer.alloc(size));
      for (const size of [0, 5, 3000, 65536]) linux.removexattrSync("/f", `user.${size}`);
      fs.unlinkSync("/g");
      fs.kernel.umount("/m");
      fs.rmdirSync("/m");
    }
    expect(usage()).toEqual(before);
  });

  it("that is full is ENOSPC, and nothing has changed", () => {
    const fs = machine({ memoryLimit: 8 * 2 ** 20 });
    fs.writeFileSync("/f", "");
    const { linux } = fs.kernel;
    let nr = 0;
    assert.throws(
      () => {
        for (; nr < 1000; nr++) linux.setxattrSync("/f", `user.${nr}`, Buffer.alloc(60_000, nr));
      },
      { code: "ENOSPC" },
    );
    assert(nr > 20);
    expect(linux.listxattrSync("/f")).toHaveLength(nr);
    assert.throws(() => linux.setxattrSync("/f", "user.0", Buffer.alloc(65_536)), { code: "ENOSPC" });
    expect(linux.getxattrSync("/f", "user.0")).toEqual(Buffer.alloc(60_000, 0));
    linux.removexattrSync("/f", "user.3");
    linux.setxattrSync("/f", "user.new", Buffer.alloc(60_000));
  });

  it("that cannot be had changes nothing, whichever piece of it is missing", () => {
    const fs = machine();
    fs.writeFileSync("/f", "");
    const { linux } = fs.kernel;
    linux.setxattrSync("/f", "user.a", "old");
    const { x } = fs.kernel.vfs.core;
    let nrFailed = 0;
    for (let n = 1; n < 5; n++) {
      x.setFailAfter(n);
      try {
        linux.setxattrSync("/f", "user.a", Buffer.alloc(3000));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
        expect(String(linux.getxattrSync("/f", "user.a"))).toBe("old");
        nrFailed++;
      }
      x.setFailAfter(0);
      fs.kernel.verify();
    }
    expect(nrFailed).toBe(1);
    expect(linux.getxattrSync("/f", "user.a")).toEqual(Buffer.alloc(3000));
  });

  it("goes into snapshots and forks", () => {
    console.log(`xattr.test.ts: seed ${SEED}`);
    const random = seededRandom(SEED);
    const fs = machine();
    const expected = new Map<string, Record<string, string>>();
    for (let i = 0; i < 20; i++) {
      fs.writeFileSync(`/f${i}`, "data");
      const own: Record<string, string> = {};
      for (let n = random(5); n > 0; n--) {
        const name = `user.${random(8)}`;
        own[name] = "v".repeat(random(3) === 0 ? random(9000) : random(40));
        fs.kernel.linux.setxattrSync(`/f${i}`, name, own[name]);
      }
      expected.set(`/f${i}`, own);
    }
    const bytes = fs.kernel.snapshot();
    const fork = fs.kernel.fork().fs;
    machines.push(fork);
    for (const path of expected.keys())
      for (const name of fs.kernel.linux.listxattrSync(path)) fs.kernel.linux.removexattrSync(path, name as string);
    const restored = restoreFsSync(bytes);
    machines.push(restored);
    for (const copy of [fork, restored]) {
      for (const [path, own] of expected) {
        const { linux } = copy.kernel;
        expect(linux.listxattrSync(path)).toEqual(Object.keys(own).sort().reverse());
        for (const [name, value] of Object.entries(own)) expect(String(linux.getxattrSync(path, name))).toBe(value);
        copy.unlinkSync(path);
      }
    }
    expect(restoreFsSync(bytes).kernel.snapshot()).toEqual(bytes);
  });
});

describe("other file systems", () => {
  it("ramfs has them without limits", () => {
    const fs = machine({ root: "ramfs" });
    fs.writeFileSync("/f", "");
    for (let i = 0; i < 100; i++) fs.kernel.linux.setxattrSync("/f", `user.${i}`, Buffer.alloc(2000));
    expect(fs.kernel.linux.listxattrSync("/f")).toHaveLength(100);
  });

  it("hostfs and proc have none", () => {
    const fs = machine({ types: [hostfs, proc] });
    for (const [type, source] of [
      ["hostfs", "/dev/shm"],
      ["proc", "proc"],
    ]) {
      fs.mkdirSync(`/${type}`);
      fs.kernel.mount({ type, source, target: `/${type}` });
      assert.throws(() => fs.kernel.linux.setxattrSync(`/${type}`, "user.a", "1"), {
        code: type === "proc" ? /ENOTSUP|EPERM/ : "ENOTSUP",
      });
      assert.throws(() => fs.kernel.linux.getxattrSync(`/${type}`, "user.a"), { code: "ENOTSUP" });
      expect(fs.kernel.linux.listxattrSync(`/${type}`)).toEqual([]);
    }
  });

  it("bring handlers of their own", () => {
    const calls: string[] = [];
    const type: FileSystemType = {
      name: "boxfs",
      fsFlags: 1,
      tables: simpleTables.map((table) => ({
        ...table,
        inode: { ...table.inode, listxattr: () => [Buffer.from("box.a"), Buffer.from("trusted.b")] },
      })),
      xattrs: [
        {
          prefix: "box.",
          get: (_kernel, _inode, name) => (String(Buffer.from(name)) === "box.a" ? Buffer.from("of a") : -ENODATA),
          set: (_kernel, _inode, name, value, flags) => {
            calls.push(`${Buffer.from(name)}=${value && Buffer.from(value)} ${flags}`);
            return 0;
          },
        },
        { prefix: "user.ro.", get: () => Buffer.from("fixed") },
      ],
      fillSuper(sb) {
        sb.livesInMemory();
        return sb.makeRoot(S_IFDIR | 0o777, 0, 0, SIMPLE_DIRECTORY);
      },
    };
    const fs = machine({ types: [type] });
    fs.mkdirSync("/b");
    fs.kernel.mount({ type: "boxfs", target: "/b" });
    const { linux } = fs.kernel;
    expect(String(linux.getxattrSync("/b", "box.a"))).toBe("of a");
    assert.throws(() => linux.getxattrSync("/b", "box.b"), { code: "ENODATA" });
    assert.throws(() => linux.getxattrSync("/b", "box."), { code: "EINVAL" });
    linux.setxattrSync("/b", "box.c", "1", 2);
    linux.removexattrSync("/b", "box.c");
    expect(calls).toEqual(["box.c=1 2", "box.c=undefined 2"]);
    expect(String(linux.getxattrSync("/b", "user.ro.x"))).toBe("fixed");
    for (const name of ["user.ro.x", "user.other"])
      assert.throws(() => linux.setxattrSync("/b", name, "1"), { code: "ENOTSUP" });
    expect(fs.kernel.task({ uid: 5, gid: 5 }).kernel.linux.listxattrSync("/b")).toEqual(["box.a"]);
  });
});
