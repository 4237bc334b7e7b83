/** What only descriptors of O_PATH hold, and what has no name any more: they pin the inode, as on Linux. */
import { execFileSync } from "node:child_process";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { proc } from "../../../../src/proc.ts";
import { createHostfsMount, type HostfsMount, openDescriptors } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { ScheduledHost } from "../../../helpers/scheduled-host.ts";

const { O_NOFOLLOW } = nodeFs.constants;
const O_PATH = 0o10000000;

/** What takes the name `n` away; where another file has it then, that has nothing in it. */
const TAKERS: Readonly<Record<string, (fs: FolioFs) => unknown>> = {
  unlink: (fs) => fs.unlinkSync("/mnt/n"),
  "unlink, by promise": ({ promises }) => promises.unlink("/mnt/n"),
  "unlink, and a new file": (fs) => {
    fs.unlinkSync("/mnt/n");
    fs.writeFileSync("/mnt/n", "");
  },
  rename: (fs) => fs.renameSync("/mnt/other", "/mnt/n"),
  "rename, by promise": ({ promises }) => promises.rename("/mnt/other", "/mnt/n"),
};

const KINDS: Readonly<Record<string, (path: string) => void>> = {
  file: (path) => nodeFs.writeFileSync(path, "contents", { mode: 0o640 }),
  link: (path) => nodeFs.symlinkSync("nowhere", path),
  fifo: (path) => void execFileSync("mkfifo", [path]),
};

describe.each(["/dev/shm", "/tmp"])("hostfs in %s", (base) => {
  let setup: HostfsMount;
  let fs: FolioFs;

  beforeEach(() => {
    setup = createHostfsMount(base, { types: [proc] });
    fs = setup.fs;
    setup.mount("ttl=0");
    nodeFs.writeFileSync(`${setup.inside}/other`, "");
    fs.mkdirSync("/proc");
    fs.kernel.mount({ type: "proc", target: "/proc" });
  });

  afterEach(() => setup.dispose());

  it("a file without a name is changed through its descriptor", () => {
    nodeFs.writeFileSync(`${setup.inside}/n`, "contents");
    const fd = fs.openSync("/mnt/n", O_PATH);
    fs.unlinkSync("/mnt/n");
    const [uid, gid] =
      process.getuid?.() === 0 ? [12, 13] : [process.getuid?.() as number, process.getgid?.() as number];
    fs.chownSync(`/proc/self/fd/${fd}`, uid, gid);
    fs.utimesSync(`/proc/self/fd/${fd}`, 1, 2);
    expect(fs.fstatSync(fd)).toMatchObject({ uid, gid, mtimeMs: 2000, nlink: 0 });
    fs.closeSync(fd);
  });

  describe.each(Object.entries(KINDS))("a %s", (_kind, make) => {
    it.each(Object.entries(TAKERS))("is what it was: %s", async (_taker, take) => {
      make(`${setup.inside}/n`);
      const fd = fs.openSync("/mnt/n", O_PATH | O_NOFOLLOW);
      const { ino, mode, size, mtimeNs } = fs.fstatSync(fd, { bigint: true });
      await take(fs);
      expect(fs.fstatSync(fd, { bigint: true })).toMatchObject({ ino, mode, size, mtimeNs, nlink: 0n });
      fs.closeSync(fd);
    });

    it("has its descriptor of the host as long as it is held", () => {
      make(`${setup.inside}/n`);
      fs.statSync("/mnt");
      const fds = ["n", "n"].map((name) => fs.openSync(`/mnt/${name}`, O_PATH | O_NOFOLLOW));
      const before = openDescriptors();
      fs.unlinkSync("/mnt/n");
      expect(openDescriptors()).toBe(before + 1);
      fs.closeSync(fds[0]);
      expect(fs.fstatSync(fds[1]).nlink).toBe(0);
      fs.closeSync(fds[1]);
      expect(openDescriptors()).toBe(before);
    });
  });

  it("changes through the place are its own, and it can be opened there", () => {
    fs.writeFileSync("/mnt/n", "contents");
    const fd = fs.openSync("/mnt/n", O_PATH);
    fs.unlinkSync("/mnt/n");
    fs.writeFileSync("/mnt/n", "another");
    const place = `/proc/self/fd/${fd}`;
    fs.chmodSync(place, 0o600);
    fs.chownSync(place, 7, 8);
    fs.utimesSync(place, 5, 6);
    expect(fs.fstatSync(fd)).toMatchObject({ mode: 0o100600, uid: 7, gid: 8, mtimeMs: 6000 });
    fs.appendFileSync(place, " of it");
    expect(fs.readFileSync(place, "utf8")).toBe("contents of it");
    fs.truncateSync(place, 4);
    expect(fs.fstatSync(fd).size).toBe(4);
    expect(nodeFs.statSync(`${setup.inside}/n`)).toMatchObject({ mode: 0o100644, uid: 0, size: "another".length });
  });

  it("of a file with other names is told what these make of it", () => {
    fs.writeFileSync("/mnt/n", "contents");
    nodeFs.linkSync(`${setup.inside}/n`, `${setup.outside}/kept`);
    const fd = fs.openSync("/mnt/n", O_PATH);
    fs.unlinkSync("/mnt/n");
    nodeFs.appendFileSync(`${setup.outside}/kept`, "!");
    expect(fs.fstatSync(fd)).toMatchObject({ nlink: 1, size: "contents!".length });
  });

  it("goes on by its name when it gets one again", () => {
    fs.writeFileSync("/mnt/n", "contents");
    fs.linkSync("/mnt/n", "/mnt/m");
    const fd = fs.openSync("/mnt/n", O_PATH);
    const before = openDescriptors();
    fs.unlinkSync("/mnt/n");
    expect(fs.statSync("/mnt/m").nlink).toBe(1);
    expect(openDescriptors()).toBe(before);
    expect(fs.fstatSync(fd).nlink).toBe(1);
    fs.unlinkSync("/mnt/m");
    expect(fs.fstatSync(fd).nlink).toBe(0);
  });

  it("is open, too, and is not lost with that", () => {
    fs.writeFileSync("/mnt/n", "contents");
    const [place, file] = [fs.openSync("/mnt/n", O_PATH), fs.openSync("/mnt/n", "r+")];
    fs.unlinkSync("/mnt/n");
    fs.writeSync(file, "!", 8);
    fs.closeSync(file);
    expect(fs.fstatSync(place)).toMatchObject({ nlink: 0, size: 9 });
  });

  it.each([false, true])("of what nobody holds nothing is opened; by promise: %s", async (isLater) => {
    fs.writeFileSync("/mnt/n", "");
    fs.closeSync(fs.openSync("/mnt/n", O_PATH));
    fs.kernel.dropCaches(3);
    fs.statSync("/mnt/n");
    const host = new ScheduledHost(seededRandom(1), () => undefined);
    try {
      await (isLater ? fs.promises.unlink("/mnt/n") : fs.unlinkSync("/mnt/n"));
      expect(host.calls.filter(({ name }) => name === "open")).toEqual([]);
    } finally {
      host.restore();
    }
  });
});
