/** What could not be written back: who hears of it, and how often; what becomes of the file. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOST_NOW } from "../../../../src/fs/hostfs/host-steps.ts";
import type { FolioFs } from "../../../../src/index.ts";
import { syncfs } from "../../../../src/vfs/generic-fsync.ts";
import { type FailingHost, type Fault, failHost } from "../../../helpers/failing-host.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

let setup: HostfsMount;
let fs: FolioFs;
let host: string;
let failing: FailingHost | undefined;

beforeEach(() => {
  setup = createHostfsMount();
  fs = setup.fs;
  host = `${setup.inside}/f`;
  setup.mount("cache=writeback,ttl=100000");
});

afterEach(() => {
  failing?.restore();
  failing = undefined;
  fs.kernel.verify?.();
  setup.dispose();
});

function fail(fault: Fault): FailingHost {
  failing?.restore();
  failing = failHost(fault);
  return failing;
}

function writes(code: string): Fault {
  return (name) => (name === "writev" ? code : undefined);
}

function codeOf(call: () => void): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** As Node words it: libuv has no name for the last. */
const CODES = [
  ["ENOSPC", "ENOSPC"],
  ["EIO", "EIO"],
  ["Unknown system error -122", "Unknown system error -122"],
] as const;

describe.each(CODES)("a write that is %s", (hostCode, code) => {
  it("is told by fsync once to each open file, not by close, and not to those opened when it was told", () => {
    const [a, b] = [fs.openSync("/mnt/f", "w"), fs.openSync("/mnt/f", "r")];
    fs.writeSync(a, "lost");
    fail(writes(hostCode));
    expect(codeOf(() => fs.fsyncSync(a))).toBe(code);
    failing?.restore();
    const late = fs.openSync("/mnt/f", "r");
    expect(codeOf(() => fs.fsyncSync(a))).toBe("ok");
    expect(codeOf(() => fs.fsyncSync(b))).toBe(code);
    expect(codeOf(() => fs.fsyncSync(b))).toBe("ok");
    expect(codeOf(() => fs.fsyncSync(late))).toBe("ok");
    for (const fd of [a, b, late]) fs.closeSync(fd);
  });

  it("is told by syncfs once to each open file, though two calls have waited for it", async () => {
    const [a, b] = [fs.openSync("/mnt", "r"), fs.openSync("/mnt", "r")];
    fs.writeFileSync("/mnt/f", "lost");
    fail(writes(hostCode));
    const syncs = await Promise.allSettled([a, a, b].map((fd) => fs.kernel.callFile(fd, syncfs)));
    const told = syncs.map((one) => (one.status === "rejected" ? one.reason.code : "ok"));
    expect(told.slice(0, 2).sort()).toEqual([code, "ok"].sort());
    expect(told[2]).toBe(code);
    for (const fd of [a, b]) fs.closeSync(fd);
  });

  it("by nobody's asking is told to who opens the file next, if nobody had been", () => {
    fs.writeFileSync("/mnt/f", "lost");
    fail(writes(hostCode));
    codeOf(() => fs.kernel.sync());
    failing?.restore();
    const fd = fs.openSync("/mnt/f", "r");
    expect(codeOf(() => fs.fsyncSync(fd))).toBe(code);
    expect(codeOf(() => fs.fsyncSync(fd))).toBe("ok");
    fs.closeSync(fd);
  });

  it("is told by promise calls", async () => {
    const handle = await fs.promises.open("/mnt/f", "w");
    await handle.write("lost");
    fail(writes(hostCode));
    await expect(handle.sync()).rejects.toMatchObject({ code });
    failing?.restore();
    await handle.write("kept", 0);
    await handle.datasync();
    await handle.close();
    expect(nodeFs.readFileSync(host, "utf8")).toBe("kept");
  });

  it("is told by syncfs", async () => {
    const fd = fs.openSync("/mnt/f", "w");
    fs.writeSync(fd, "lost");
    fail(writes(hostCode));
    await expect(fs.kernel.callFile(fd, syncfs)).rejects.toMatchObject({ code });
    failing?.restore();
    await fs.kernel.callFile(fd, syncfs);
    fs.closeSync(fd);
  });

  it("leaves no file ours, and the next write is written", () => {
    const fd = fs.openSync("/mnt/f", "w");
    fs.writeSync(fd, "lost text");
    fail(writes(hostCode));
    expect(codeOf(() => fs.fsyncSync(fd))).toBe(code);
    failing?.restore();
    expect(fs.kernel.bdi[0].dirty).toBe(0);
    expect(fs.fstatSync(fd).size).toBe(nodeFs.statSync(host).size);
    fs.writeSync(fd, "next", 0);
    fs.fsyncSync(fd);
    expect(nodeFs.readFileSync(host, "utf8")).toBe("next");
    fs.closeSync(fd);
    fs.kernel.umount("/mnt");
  });

  it("counts where nobody is left to be told: at umount", () => {
    fs.writeFileSync("/mnt/f", "lost");
    fail(writes(hostCode));
    const before = fs.kernel.vmstat().end_failed;
    fs.kernel.umount("/mnt");
    expect(fs.kernel.vmstat().end_failed).toBeGreaterThan(before);
  });

  it("is no reason to refuse a change of attributes", () => {
    const fd = fs.openSync("/mnt/f", "w");
    fs.writeSync(fd, "lost");
    fail(writes(hostCode));
    fs.chmodSync("/mnt/f", 0o640);
    failing?.restore();
    expect(nodeFs.statSync(host).mode & 0o777).toBe(0o640);
    expect(codeOf(() => fs.fsyncSync(fd))).toBe(code);
    fs.closeSync(fd);
  });

  it("stops a remount that would end writing back, once", () => {
    fs.writeFileSync("/mnt/f", "lost");
    fail(writes(hostCode));
    const remount = () => fs.kernel.mount({ target: "/mnt", flags: 32, data: "cache=none" });
    expect(codeOf(remount)).toBe(code);
    expect(codeOf(remount)).toBe("ok");
  });
});

it("a short write is gone on with", () => {
  const bytes = Buffer.from("0123456789".repeat(1000));
  fs.writeFileSync("/mnt/f", bytes);
  let nr = 0;
  const { writev } = HOST_NOW;
  // The host takes 1000 bytes of the first two calls.
  HOST_NOW.writev = (...[fd, views, position]: unknown[]) => {
    const all = Buffer.concat(views as Uint8Array[]);
    return nodeFs.writeSync(fd as number, all, 0, nr++ < 2 ? 1000 : all.length, position as number);
  };
  fs.kernel.sync();
  HOST_NOW.writev = writev;
  expect(nr).toBe(3);
  expect(nodeFs.readFileSync(host).equals(bytes)).toBe(true);
  expect(fs.kernel.bdi[0]).toMatchObject({ dirty: 0, writeback: 0, written: 3 });
});

it("an fsync that fails on the host is told to all who have the file open, once to each", async () => {
  const fds = [fs.openSync("/mnt/f", "w"), fs.openSync("/mnt/f", "r"), fs.openSync("/mnt/f", "r")];
  fs.writeSync(fds[0], "text");
  fail((name) => (name === "fsync" ? "EIO" : undefined));
  expect(codeOf(() => fs.fsyncSync(fds[0]))).toBe("EIO");
  failing?.restore();
  expect(nodeFs.readFileSync(host, "utf8")).toBe("text");
  for (const [i, fd] of fds.entries()) {
    expect(
      codeOf(() => fs.fsyncSync(fd)),
      `${i}`,
    ).toBe(i === 0 ? "ok" : "EIO");
    expect(codeOf(() => fs.fsyncSync(fd))).toBe("ok");
    fs.closeSync(fd);
  }
});

it("fsync asks the host for one fsync, also where the call is made again", async () => {
  const handle = await fs.promises.open("/mnt/f", "w");
  await handle.write(Buffer.alloc(100_000, 1));
  const { calls } = fail(() => undefined);
  await handle.sync();
  expect(calls.filter((name) => name === "fsync")).toHaveLength(1);
  expect(calls.filter((name) => name === "writev")).toHaveLength(1);
  await handle.close();
});

it("a truncation that the host refuses has not happened, and what is dirty is written", async () => {
  const bytes = Buffer.alloc(10_000, 7);
  fs.writeFileSync("/mnt/f", bytes);
  fail((name) => (name === "ftruncate" ? "EIO" : undefined));
  expect(codeOf(() => fs.truncateSync("/mnt/f", 5))).toBe("EIO");
  await expect(fs.promises.truncate("/mnt/f", 5)).rejects.toMatchObject({ code: "EIO" });
  failing?.restore();
  expect(fs.readFileSync("/mnt/f").equals(bytes)).toBe(true);
  fs.kernel.sync();
  expect(nodeFs.readFileSync(host).equals(bytes)).toBe(true);
});

it("a host that has no descriptor left has files written back that keep theirs", () => {
  fs.writeFileSync("/mnt/f", "text");
  let nr = 0;
  fail((name) => (name === "open" && nr++ === 0 ? "EMFILE" : undefined));
  fs.writeFileSync("/mnt/g", "other");
  fs.kernel.sync();
  expect(nodeFs.readFileSync(`${setup.inside}/g`, "utf8")).toBe("other");
  expect(nodeFs.readFileSync(host, "utf8")).toBe("text");
});
