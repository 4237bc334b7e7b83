/** The end of a process with a mount that writes back: nothing is lost, but by SIGKILL, and by destroy(), which says so. */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hostfs } from "../../../../src/fs/hostfs/hostfs.ts";
import { createFsSync } from "../../../../src/index.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;
const PROGRAM = new URL("exiting.ts", import.meta.url).pathname;

let folder: string;

beforeEach(() => {
  folder = nodeFs.mkdtempSync("/dev/shm/hostfs-exit-");
});

afterEach(() => nodeFs.rmSync(folder, { recursive: true }));

/** @returns what the host has in the end, and what the process has said */
function run(how: string) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", PROGRAM, folder, how], {
    encoding: "utf8",
  });
  const text = nodeFs.existsSync(`${folder}/f`) ? nodeFs.readFileSync(`${folder}/f`, "utf8") : undefined;
  return { status, signal, stdout, stderr, text };
}

describe("what is dirty at the end of the process", { timeout: 60_000 }, () => {
  it.each([
    ["return", 0],
    ["exit", 3],
    ["throw", 1],
    ["in flight", 0],
  ])("is written: %s", (how, status) => {
    const ended = run(how);
    expect(ended.status, ended.stderr).toBe(status);
    expect(ended.text).toBe("written at the end");
  });

  it("is lost by SIGKILL", () => {
    expect(run("kill")).toMatchObject({ signal: "SIGKILL", text: "" });
  });

  it("is lost by destroy(), which says how much, and ends the listener", () => {
    expect(run("destroy")).toMatchObject({ status: 0, stdout: "1 0", text: "" });
  });

  it("is written by umount, which ends the listener", () => {
    expect(run("umount")).toMatchObject({ status: 0, stdout: "1 0", text: "written at the end" });
  });
});

describe("the listener", () => {
  const nrListeners = (): number => process.listenerCount("exit");

  function mount(data: string) {
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
    fs.kernel.registerFileSystem(hostfs);
    fs.mkdirSync("/mnt");
    fs.kernel.mount({ type: "hostfs", source: folder, target: "/mnt", data });
    return fs;
  }

  it("is one for all mounts that write back, and goes with the last", () => {
    const before = nrListeners();
    const through = mount("cache=writethrough");
    expect(nrListeners()).toBe(before);
    const [a, b] = [mount("cache=writeback"), mount("cache=writeback")];
    expect(nrListeners()).toBe(before + 1);
    a.kernel.umount("/mnt");
    through.kernel.mount({ target: "/mnt", flags: 32, data: "cache=writeback" });
    b.kernel.destroy();
    expect(nrListeners()).toBe(before + 1);
    through.kernel.mount({ target: "/mnt", flags: 32, data: "cache=none" });
    expect(nrListeners()).toBe(before);
    a.kernel.destroy();
    through.kernel.destroy();
  });

  it("keeps no kernel alive", { timeout: 30_000 }, async () => {
    const before = nrListeners();
    let kernel: WeakRef<object> | undefined;
    (() => {
      const fs = mount("cache=writeback");
      kernel = new WeakRef(fs.kernel);
    })();
    for (let i = 0; i < 100 && nrListeners() > before; i++) {
      await new Promise((done) => setTimeout(done, 10));
      gc();
    }
    expect(kernel?.deref()).toBeUndefined();
    expect(nrListeners()).toBe(before);
  });
});
