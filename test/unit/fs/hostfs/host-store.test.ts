/** The store by itself, on a real folder: hostile trees, another process that swaps things, descriptors. */
import { fork, spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  EEXIST,
  EINVAL,
  EIO,
  ELOOP,
  ENOENT,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  ESTALE,
  EXDEV,
} from "../../../../src/base/errno.ts";
import { S_IFLNK } from "../../../../src/base/stat-flags.ts";
import type { HostEntry } from "../../../../src/fs/hostfs/host-steps.ts";
import { type Found, HostStore } from "../../../../src/fs/hostfs/host-store.ts";
import { errorOf, failHost } from "../../../helpers/failing-host.ts";
import { atOnce, type HostStoreNow } from "../../../helpers/host-now.ts";
import { openDescriptors } from "../../../helpers/hostfs-mount.ts";

const SWAPPER = fileURLToPath(new URL("swapper.mjs", import.meta.url));
const MAX_FDS = 4;

let base: string;
let inside: string;
let outside: string;
let store: HostStoreNow;

beforeEach(() => {
  base = nodeFs.mkdtempSync("/dev/shm/hostfs-");
  inside = `${base}/inside`;
  outside = `${base}/outside`;
  nodeFs.mkdirSync(inside);
  nodeFs.mkdirSync(outside);
  nodeFs.writeFileSync(`${outside}/canary`, "outside");
  store = open(inside);
});

afterEach(() => {
  store.close();
  nodeFs.rmSync(base, { recursive: true });
});

function open(folder: string, native = {}): HostStoreNow {
  return atOnce(HostStore.open(folder, MAX_FDS, native) as HostStore);
}

const bytes = (text: string) => Buffer.from(text);

/** Walks names from the root. */
function find(...names: string[]): Found {
  let found: Found | number | undefined;
  for (const name of names) {
    found = store.lookup((found as Found | undefined)?.node ?? store.root, bytes(name));
    if (typeof found === "number") throw new Error(`${name}: ${found}`);
  }
  return found as Found;
}

function read(found: Found): string | number {
  const buffer = Buffer.alloc(100);
  const got = store.preadv(found.node, () => [buffer], 0);
  return got < 0 ? got : buffer.toString("utf8", 0, got);
}

describe("names", () => {
  it.each(["..", ".", "", "a/b", "/", "a\0b"])("refuses %j, which is no step", (name) => {
    expect(store.lookup(store.root, bytes(name))).toBe(-EINVAL);
    expect(store.create(store.root, bytes(name), { mode: 0o644 })).toBe(-EINVAL);
    expect(store.rename(store.root, bytes(name), store.root, bytes("x"), 0)).toBe(-EINVAL);
    expect(store.rename(store.root, bytes("x"), store.root, bytes(name), 0)).toBe(-EINVAL);
  });

  it("makes, lists, links, renames and removes what the host then has", () => {
    store.mkdir(store.root, bytes("d"), { mode: 0o2751 });
    const dir = find("d").node;
    const made = store.create(dir, Buffer.from([0xff, 0x41]), { mode: 0o4640 }) as Found;
    expect(store.create(dir, Buffer.from([0xff, 0x41]), { mode: 0o640 })).toBe(-EEXIST);
    expect(store.pwritev(made.node, [bytes("ab"), bytes("cd")], 0)).toBe(4);
    expect(store.link(made.node, store.root, bytes("hard"))).toBe(0);
    store.symlink(dir, bytes("link"), bytes("/etc/passwd"), { mode: 0o777 });
    expect(nodeFs.statSync(`${inside}/d`).mode & 0o7777).toBe(0o2751);
    expect(nodeFs.statSync(`${inside}/hard`).mode & 0o7777).toBe(0o4640);
    expect(nodeFs.readFileSync(`${inside}/hard`, "utf8")).toBe("abcd");

    const entries = store.readdir(dir) as HostEntry[];
    const names = entries.map(({ name, type }) => `${Buffer.from(name).toString("latin1")} ${type}`);
    expect(names.sort()).toEqual(["link 10", "\xffA 8"]);
    expect(Buffer.from(store.readlink(find("d", "link").node) as Uint8Array).toString()).toBe("/etc/passwd");

    expect(store.rename(dir, bytes("link"), store.root, bytes("moved"), 0)).toBe(0);
    expect(store.unlink(store.root, bytes("moved"))).toBe(0);
    expect(store.unlink(dir, Buffer.from([0xff, 0x41]))).toBe(0);
    expect(store.rmdir(store.root, dir, bytes("d"))).toBe(0);
    expect(nodeFs.readdirSync(inside)).toEqual(["hard"]);
  });

  it("answers for what node:fs cannot do, unless a helper can", () => {
    store.create(store.root, bytes("a"), { mode: 0o644 });
    expect(store.rename(store.root, bytes("a"), store.root, bytes("b"), 1)).toBe(-EOPNOTSUPP);
    expect(store.mknod(store.root, bytes("n"), { mode: 0o010644 }, 0)).toBe(-EOPNOTSUPP);
    const calls: string[] = [];
    const helped = open(inside, {
      rename: (_from: number, from: Uint8Array, _to: number, to: Uint8Array, flags: number) =>
        calls.push(`${from} ${to} ${flags}`) && 0,
    });
    expect(helped.rename(helped.root, bytes("a"), helped.root, bytes("b"), 1)).toBe(0);
    expect(calls).toEqual(["a b 1"]);
    helped.close();
  });
});

describe("attributes", () => {
  it("changes mode, size and times, to the microsecond", () => {
    const { node } = store.create(store.root, bytes("f"), { mode: 0o600 }) as Found;
    expect(
      store.change(node, { mode: 0o751, size: 5000, atime: 1_250_000_000n, mtime: 1_000_000_000_123_456_000n }),
    ).toBe(0);
    const stats = nodeFs.statSync(`${inside}/f`, { bigint: true });
    expect([stats.mode & 0o7777n, stats.size, stats.atimeNs / 1000n, stats.mtimeNs / 1000n]).toEqual([
      0o751n,
      5000n,
      1_250_000n,
      1_000_000_000_123_456n,
    ]);
  });

  it("changes a link itself, not what it leads to", () => {
    nodeFs.symlinkSync(`${outside}/canary`, `${inside}/l`);
    const before = nodeFs.statSync(`${outside}/canary`, { bigint: true });
    const { node } = find("l");
    expect(node.type).toBe(S_IFLNK);
    expect(store.change(node, { atime: 1_000_000_000n, mtime: 2_000_000_000n })).toBe(0);
    expect(store.change(node, { mode: 0o777 })).toBe(-EOPNOTSUPP);
    expect(store.change(node, { size: 0 })).toBe(-ELOOP);
    expect(nodeFs.lstatSync(`${inside}/l`).mtimeMs).toBe(2000);
    expect(nodeFs.statSync(`${outside}/canary`, { bigint: true }).mtimeNs).toBe(before.mtimeNs);
  });
});

describe("hostile trees", () => {
  it("takes no step through a link, wherever it leads", () => {
    nodeFs.symlinkSync(outside, `${inside}/absolute`);
    nodeFs.symlinkSync("../outside", `${inside}/parent`);
    nodeFs.symlinkSync("loop", `${inside}/loop`);
    for (const name of ["absolute", "parent", "loop"]) {
      const { node } = find(name);
      expect(store.lookup(node, bytes("canary")), name).toBe(-ESTALE);
      expect(store.create(node, bytes("new"), { mode: 0o644 }), name).toBe(-ESTALE);
      expect(
        store.preadv(node, () => [Buffer.alloc(9)], 0),
        name,
      ).toBe(-ELOOP);
    }
    expect(nodeFs.readdirSync(outside)).toEqual(["canary"]);
  });

  it("notices a directory or file that has been replaced by another or by a link", () => {
    nodeFs.mkdirSync(`${inside}/d`);
    nodeFs.writeFileSync(`${inside}/f`, "in");
    const [dir, file] = [find("d"), find("f")];
    nodeFs.renameSync(`${inside}/d`, `${inside}/e`);
    nodeFs.symlinkSync(outside, `${inside}/d`);
    nodeFs.renameSync(`${inside}/f`, `${inside}/g`);
    nodeFs.symlinkSync(`${outside}/canary`, `${inside}/f`);
    expect(store.lookup(dir.node, bytes("canary"))).toBe(-ESTALE);
    expect(read(file)).toBe(-ESTALE);
    expect(store.stat(file.node)).toBe(-ESTALE);
    expect(store.change(file.node, { mtime: 1n })).toBe(-ESTALE);
    nodeFs.unlinkSync(`${inside}/f`);
    expect(read(file)).toBe(-ESTALE);
    nodeFs.writeFileSync(`${inside}/f`, "other");
    expect(read(file)).toBe(-ESTALE);
  });

  it("never opens a fifo", () => {
    spawnSync("mkfifo", [`${inside}/pipe`]);
    expect(read(find("pipe"))).toBe(-ENXIO);
    expect(store.change(find("pipe").node, { mode: 0o601 })).toBe(0);
    expect(nodeFs.statSync(`${inside}/pipe`).mode & 0o7777).toBe(0o601);
  });

  it("does not enter another file system below the folder", () => {
    store.close();
    store = open("/");
    const proc = find("proc");
    expect(proc.node.dev).not.toBe(store.root.dev);
    expect(store.lookup(proc.node, bytes("self"))).toBe(-EXDEV);
  });

  it("wants a folder", () => {
    expect(HostStore.open(`${base}/none`, 1)).toBe(-ENOENT);
    expect(HostStore.open(`${outside}/canary`, 1)).toBe(-ENOTDIR);
  });

  it("reads, writes and makes nothing outside while another process swaps directories and files for links", async () => {
    nodeFs.mkdirSync(`${inside}/dir`);
    nodeFs.writeFileSync(`${inside}/dir/canary`, "inside");
    nodeFs.writeFileSync(`${inside}/file`, "inside");
    const before = nodeFs.statSync(`${outside}/canary`, { bigint: true });
    const child = fork(SWAPPER, [inside, outside]);
    const answers = new Map<string, number>();
    const note = (what: string, isOk: boolean) => {
      const key = `${what} ${isOk}`;
      answers.set(key, (answers.get(key) ?? 0) + 1);
    };
    try {
      await new Promise((resolve) => child.once("message", resolve));
      const end = Date.now() + 3000;
      for (let i = 0; Date.now() < end; i++) tryAll(i, note);
    } finally {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    }
    expect(nodeFs.readdirSync(outside)).toEqual(["canary"]);
    expect(nodeFs.readFileSync(`${outside}/canary`, "utf8")).toBe("outside");
    const after = nodeFs.statSync(`${outside}/canary`, { bigint: true });
    expect([after.mode, after.ctimeNs, after.nlink]).toEqual([before.mode, before.ctimeNs, 1n]);
    for (const what of ["lookup", "read", "write"]) {
      // Both outcomes came up, so the two processes did meet.
      expect(answers.get(`${what} true`), what).toBeGreaterThan(0);
      expect(answers.get(`${what} false`), what).toBeGreaterThan(0);
    }
  }, 30_000);
});

/** Every kind of access to what is being swapped, by descriptors that are forgotten each time. */
function tryAll(i: number, note: (what: string, isOk: boolean) => void): void {
  store.fds.closeAll();
  const dir = store.lookup(store.root, bytes("dir"));
  note("lookup", typeof dir !== "number" && dir.node.type !== S_IFLNK);
  if (typeof dir !== "number") {
    const name = bytes(`n${i % 7}`);
    const canary = store.lookup(dir.node, bytes("canary"));
    if (typeof canary !== "number") {
      const text = read(canary);
      note("read", text === "inside");
      if (typeof text === "string") expect(text).toBe("inside");
    } else note("read", false);
    store.create(dir.node, name, { mode: 0o644 });
    store.rename(dir.node, name, dir.node, bytes("renamed"), 0);
    store.mkdir(dir.node, bytes("sub"), { mode: 0o755 });
    store.unlink(dir.node, bytes("renamed"));
    store.change(dir.node, { mode: 0o700 + (i % 2) });
  }
  const file = store.lookup(store.root, bytes("file"));
  if (typeof file === "number") {
    note("write", false);
    return;
  }
  note("write", store.pwritev(file.node, [bytes("inside")], 0) === 6);
  store.change(file.node, { mode: 0o600 + (i % 2), size: 6, mtime: BigInt(i) });
}

describe("descriptors", () => {
  it("stay within the limit in a deep and wide tree, and go with the mount", () => {
    const before = openDescriptors();
    let dir = store.root;
    for (let i = 0; i < 40; i++) {
      dir = (store.mkdir(dir, bytes(`d${i}`), { mode: 0o755 }) as Found).node;
      const made = store.create(dir, bytes("f"), { mode: 0o644 }) as Found;
      store.pwritev(made.node, [bytes(`${i}`)], 0);
    }
    expect(store.fds.size).toBeLessThanOrEqual(MAX_FDS);
    expect(openDescriptors() - before).toBeLessThanOrEqual(MAX_FDS);
    let at = store.root;
    for (let i = 0; i < 40; i++) {
      at = (store.lookup(at, bytes(`d${i}`)) as Found).node;
      expect(read(store.lookup(at, bytes("f")) as Found)).toBe(`${i}`);
    }
    expect(store.rename(dir, bytes("f"), store.root, bytes("g"), 0)).toBe(0);
    store.fds.closeAll();
    expect(store.rename(store.root, bytes("g"), dir, bytes("f"), 0)).toBe(0);
    expect(openDescriptors() - before).toBeLessThanOrEqual(MAX_FDS);
  });

  it("of a file that loses its name is kept until it is dropped", () => {
    const { node } = store.create(store.root, bytes("f"), { mode: 0o644 }) as Found;
    store.pwritev(node, [bytes("still")], 0);
    expect(store.hold(node, true)).toBe(0);
    store.unlink(store.root, bytes("f"));
    for (let i = 0; i < 10; i++) store.create(store.root, bytes(`x${i}`), { mode: 0o644 });
    expect(read({ node } as Found)).toBe("still");
    store.drop(node);
    expect(read({ node } as Found)).toBe(-ESTALE);
  });
});

describe("a descriptor that may only be written by", () => {
  it("is not what others read by, who know of none", () => {
    nodeFs.writeFileSync(`${inside}/f`, "text");
    const [writer, reader] = [find("f"), find("f")];
    const failing = failHost((name, [, flags]) =>
      name === "open" && ((flags as number) & nodeFs.constants.O_RDWR) !== 0 ? "EACCES" : undefined,
    );
    try {
      expect(store.pwritev(writer.node, [bytes("T")], 0)).toBe(1);
    } finally {
      failing.restore();
    }
    expect(read(reader)).toBe("Text");
    expect(reader.node.isWriteOnly).toBe(true);
  });
});

describe("what is made and cannot be given its owner or mode", () => {
  const isRoot = process.geteuid?.() === 0;
  const attributes = { mode: 0o750, ...(isRoot && { uid: 12, gid: 34 }) };
  const make = {
    open: () => store.create(store.root, bytes("new"), attributes),
    mkdir: () => store.mkdir(store.root, bytes("new"), attributes),
    symlink: () => store.symlink(store.root, bytes("new"), bytes("target"), attributes),
  };

  /** Makes it on a host where the first call of this name behind the making fails. */
  function makeWith(code: string, maker: keyof typeof make, name: string): Found | number {
    let state: "before" | "made" | "failed" = "before";
    const failing = failHost((call) => {
      if (state === "before" && call === maker) state = "made";
      else if (state === "made" && call === name) {
        state = "failed";
        return code;
      }
      return undefined;
    });
    try {
      return make[maker]();
    } finally {
      failing.restore();
      expect(state).toBe("failed");
    }
  }

  const steps: [keyof typeof make, string, needsRoot?: boolean][] = [
    ["open", "fchown", true],
    ["open", "fstat"],
    ["open", "fchmod", true],
    ["mkdir", "lstat"],
    ["mkdir", "lchown", true],
    ["mkdir", "open"],
    ["mkdir", "chmod"],
    ["symlink", "lstat"],
    ["symlink", "lchown", true],
  ];
  it.for(steps)("is not there afterwards: %s, %s", ([maker, name, needsRoot], { skip }) => {
    skip(needsRoot === true && !isRoot, "nothing is given away but by root");
    const before = openDescriptors();
    expect(makeWith("EIO", maker, name)).toBe(-EIO);
    expect(nodeFs.readdirSync(inside)).toEqual([]);
    expect(openDescriptors() - before).toBeLessThan(MAX_FDS);
  });

  it.for([
    ["open", "fchown"],
    ["open", "fchmod"],
    ["mkdir", "lchown"],
    ["mkdir", "chmod"],
    ["symlink", "lchown"],
  ] as const)("is as the host makes it, where that has none to give: %s, %s", ([maker, name], { skip }) => {
    skip(!isRoot, "nothing is given away but by root");
    expect(makeWith("EPERM", maker, name)).toMatchObject({ node: {} });
    expect(nodeFs.readdirSync(inside)).toEqual(["new"]);
  });
});

it("keeps no descriptor of a folder that cannot be looked at", () => {
  const { fstatSync } = nodeFs;
  const before = openDescriptors();
  nodeFs.fstatSync = () => {
    throw errorOf("EIO");
  };
  try {
    expect(HostStore.open(inside, MAX_FDS)).toBe(-EIO);
  } finally {
    nodeFs.fstatSync = fstatSync;
  }
  expect(openDescriptors()).toBe(before);
});
