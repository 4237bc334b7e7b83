/**
 * The same calls on proc here and on the host's, outcome by outcome: what is there, with which permissions, and what cannot be
 * done. The host's settings are left as they are: what is written is what was there, or is refused.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { fsWithProc, missingForHostProc, outcomeOf } from "../../../helpers/proc-mount.ts";

type Fs = Pick<FolioFs, keyof typeof nodeFs & keyof FolioFs>;

const missing = missingForHostProc();
const SETTING = "/proc/sys/vm/page-cluster";

/** Where files of tests lie, on the host. */
let folder: string;

beforeAll(() => {
  folder = nodeFs.mkdtempSync("/dev/shm/foliofs-proc-");
});
afterAll(() => nodeFs.rmSync(folder, { recursive: true }));

/** Is the same done on both sides? @param call may use a folder of its own */
function same(name: string, call: (fs: Fs, folder: string) => unknown): void {
  it.skipIf(missing !== undefined)(name, () => {
    const fs = fsWithProc();
    fs.writeFileSync(SETTING, nodeFs.readFileSync(SETTING));
    const ours = outcomeOf(() => call(fs, "/tmp"));
    const theirs = outcomeOf(() => call(nodeFs as unknown as Fs, folder));
    assert.equal(ours.replaceAll("/tmp", "DIR"), theirs.replaceAll(folder, "DIR"));
  });
}

describe.each([
  ...["", "/buddyinfo", "/filesystems", "/meminfo", "/mounts", "/self", "/slabinfo", "/swaps", "/sys", "/vmstat"],
  ...["/self/cwd", "/self/fd", "/self/io", "/self/mountinfo", "/self/mounts", "/self/root", "/self/status"],
  ...["/sys/fs", "/sys/fs/dentry-state", "/sys/fs/file-nr", "/sys/fs/inode-nr", "/sys/fs/inode-state", "/sys/vm"],
  ...["/sys/vm/dirty_background_bytes", "/sys/vm/dirty_background_ratio", "/sys/vm/dirty_bytes", "/sys/vm/dirty_ratio"],
  ...["/sys/vm/dirty_expire_centisecs", "/sys/vm/dirty_writeback_centisecs", "/sys/vm/drop_caches"],
  ...["/sys/vm/min_free_kbytes", "/sys/vm/page-cluster", "/sys/vm/swappiness", "/sys/vm/vfs_cache_pressure"],
])("/proc%s", (path) => {
  same("has the same mode, owner, size and type", (fs) => {
    const { mode, uid, gid, size, blocks, blksize } = fs.lstatSync(`/proc${path}`);
    return [mode.toString(8), uid, gid, path === "/self/fd" ? "" : size, blocks, blksize];
  });

  same("is refused and allowed the same accesses", (fs) => {
    const ways = [fs.constants.F_OK, fs.constants.R_OK, fs.constants.W_OK, fs.constants.X_OK];
    return ways.map((way) => outcomeOf(() => fs.accessSync(`/proc${path}`, way)));
  });
});

describe("names", () => {
  same("are no one's to make", (fs, dir) => [
    outcomeOf(() => fs.writeFileSync("/proc/new", "x")),
    outcomeOf(() => fs.writeFileSync("/proc/self/new", "x")),
    outcomeOf(() => fs.writeFileSync("/proc/sys/vm/new", "x")),
    outcomeOf(() => fs.openSync("/proc/new", "wx")),
    outcomeOf(() => fs.openSync("/proc/meminfo", "wx")),
    outcomeOf(() => fs.mkdirSync("/proc/new")),
    outcomeOf(() => fs.mkdirSync("/proc/self/fd")),
    outcomeOf(() => fs.symlinkSync("a", "/proc/new")),
    outcomeOf(() => fs.linkSync("/proc/meminfo", "/proc/new")),
    outcomeOf(() => fs.linkSync("/proc/meminfo", `${dir}/new`)),
  ]);

  same("are no one's to take away", (fs) => [
    outcomeOf(() => fs.unlinkSync("/proc/meminfo")),
    outcomeOf(() => fs.unlinkSync("/proc/sys/vm/swappiness")),
    outcomeOf(() => fs.unlinkSync("/proc/self")),
    outcomeOf(() => fs.unlinkSync("/proc/sys")),
    outcomeOf(() => fs.rmdirSync("/proc/sys")),
    outcomeOf(() => fs.rmdirSync("/proc/sys/vm")),
    outcomeOf(() => fs.rmdirSync("/proc/meminfo")),
    outcomeOf(() => fs.renameSync("/proc/meminfo", "/proc/new")),
    outcomeOf(() => fs.renameSync("/proc/meminfo", "/proc/swaps")),
  ]);

  same("are numbers only as they are printed", (fs) =>
    ["01", "0x1", "1x", "-1", "+1", " 1", "0", "4294967297", "99999999999999999999", "."].map((name) =>
      outcomeOf(() => fs.statSync(`/proc/${name}`).isDirectory()),
    ),
  );

  same("of descriptors, too", (fs, dir) => {
    const fd = fs.openSync(`${dir}/names`, "w");
    const names = [`0${fd}`, `${fd}x`, "-1", "9999", "1048576", "4294967296"];
    const outcomes = names.map((name) => outcomeOf(() => fs.readlinkSync(`/proc/self/fd/${name}`)));
    fs.closeSync(fd);
    return outcomes;
  });
});

describe("attributes", () => {
  same("are the kernel's, but for times", (fs) => [
    outcomeOf(() => fs.chmodSync("/proc/sys/vm/swappiness", 0o600)),
    outcomeOf(() => fs.chownSync("/proc/sys/vm/swappiness", 1, 1)),
    outcomeOf(() => fs.chmodSync("/proc/self/status", 0o400)),
    outcomeOf(() => fs.chmodSync("/proc/self/fd", 0o700)),
    outcomeOf(() => fs.utimesSync("/proc/self/status", 1, 1)),
    outcomeOf(() => fs.utimesSync("/proc/sys/vm/swappiness", 1, 1)),
  ]);

  same("of size may be set to nothing, which changes nothing", (fs) => [
    outcomeOf(() => fs.truncateSync("/proc/meminfo", 0)),
    outcomeOf(() => fs.truncateSync(SETTING, 0)),
    fs.readFileSync(SETTING, "utf8"),
    fs.statSync("/proc/meminfo").size,
  ]);

  same("of the file system", (fs) => {
    const { type, bsize, blocks, bfree, bavail, files, ffree } = fs.statfsSync("/proc/self/status");
    return [type, bsize, blocks, bfree, bavail, files, ffree];
  });
});

describe("files", () => {
  same("that are not settings cannot be written", (fs) => [
    outcomeOf(() => fs.writeFileSync("/proc/meminfo", "x")),
    outcomeOf(() => fs.appendFileSync("/proc/self/status", "x")),
  ]);

  same("are read in pieces as at once", (fs) => {
    const whole = fs.readFileSync("/proc/filesystems");
    const fd = fs.openSync("/proc/filesystems", "r");
    const pieces: Buffer[] = [];
    for (let n = 7; n === 7; ) {
      const piece = Buffer.alloc(7);
      n = fs.readSync(fd, piece, 0, 7, null);
      pieces.push(piece.subarray(0, n));
    }
    const at = Buffer.alloc(5);
    fs.readSync(fd, at, 0, 5, 3);
    fs.closeSync(fd);
    return [Buffer.concat(pieces).equals(whole), at.equals(whole.subarray(3, 8))];
  });
});

describe("settings, written", () => {
  const accepted = ["3", "3\n", " 3 \n", "\t3", "0x3", "0X3", "03", "3 4", "3 4\n", "3\n\n", "3\n4", "3\tx", "  3"];
  const refused = ["08", "0x", "+3", "3x", "  \n", "\n", "-3", "99", "4294967299", "3,4", "3.0", "3\0", "x", "- 3"];
  const long = [`3${" ".repeat(4000)}`, `${" ".repeat(4094)}3`, `${" ".repeat(4095)}3`, "9".repeat(5000)];

  it.skipIf(missing !== undefined)("begin with the value that these tests write", () => {
    assert.equal(nodeFs.readFileSync(SETTING, "utf8"), "3\n");
  });

  it.each([...accepted, ...refused, ...long, ""].map((text) => [text]))("%j", (text) => {
    if (missing !== undefined || nodeFs.readFileSync(SETTING, "utf8") !== "3\n") return;
    const write = (fs: Fs) => {
      const fd = fs.openSync(SETTING, "r+");
      const outcome = outcomeOf(() => fs.writeSync(fd, text));
      fs.closeSync(fd);
      return [outcome, fs.readFileSync(SETTING, "utf8")];
    };
    assert.deepEqual(write(fsWithProc()), write(nodeFs as unknown as Fs));
  });

  same("anywhere but at the beginning do nothing", (fs) => {
    const fd = fs.openSync(SETTING, "r+");
    const outcomes = [fs.writeSync(fd, Buffer.from("99"), 0, 2, 1), fs.writeSync(fd, "3"), fs.writeSync(fd, "99")];
    fs.closeSync(fd);
    return [outcomes, fs.readFileSync(SETTING, "utf8")];
  });

  same("by all that Node has", (fs) => {
    const text = fs.readFileSync(SETTING);
    fs.writeFileSync(SETTING, text);
    fs.appendFileSync(SETTING, text);
    const fd = fs.openSync(SETTING, "w");
    fs.writevSync(fd, [text]);
    fs.closeSync(fd);
    return fs.readFileSync(SETTING, "utf8");
  });
});

describe("settings, read", () => {
  same("give what fits, from the beginning alone", (fs) => {
    const fd = fs.openSync(SETTING, "r");
    const buffer = Buffer.alloc(8);
    const outcomes = [
      fs.readSync(fd, buffer, 0, 1, null),
      fs.readSync(fd, buffer, 1, 1, null),
      fs.readSync(fd, buffer, 2, 4, 0),
      fs.readSync(fd, buffer, 6, 1, 1),
    ];
    fs.closeSync(fd);
    return [outcomes, buffer.toString("latin1")];
  });

  same("are not, where they are only written, and the other way round", (fs) => [
    outcomeOf(() => fs.readFileSync("/proc/sys/vm/drop_caches")),
    outcomeOf(() => fs.openSync("/proc/sys/vm/drop_caches", "r+")),
    outcomeOf(() => fs.writeFileSync("/proc/sys/fs/file-nr", "1")),
    outcomeOf(() => fs.writeFileSync("/proc/sys/vm/drop_caches", "0")),
    outcomeOf(() => fs.writeFileSync("/proc/sys/vm/drop_caches", "x")),
  ]);
});

describe("other users", () => {
  /** What a user may, each as an outcome. */
  const asked = (fs: Fs, root: string) => [
    outcomeOf(() => fs.readFileSync("/proc/sys/vm/swappiness", "utf8").length > 0),
    outcomeOf(() => fs.openSync("/proc/sys/vm/swappiness", "r+")),
    outcomeOf(() => fs.openSync("/proc/sys/vm/drop_caches", "w")),
    outcomeOf(() => fs.openSync("/proc/slabinfo", "r")),
    outcomeOf(() => fs.readdirSync(`/proc/${root}/fd`)),
    outcomeOf(() => fs.readlinkSync(`/proc/${root}/cwd`)),
    outcomeOf(() => fs.statSync(`/proc/${root}/root`)),
    outcomeOf(() => fs.readFileSync(`/proc/${root}/io`)),
    outcomeOf(() => fs.readFileSync(`/proc/${root}/status`).length > 0),
    outcomeOf(() => fs.readlinkSync("/proc/self/cwd")),
    outcomeOf(() => fs.readdirSync("/proc/self/fd").length > 0),
    outcomeOf(() => fs.chmodSync("/proc/self/status", 0o444)),
    outcomeOf(() => fs.utimesSync("/proc/meminfo", 1, 1)),
    outcomeOf(() => fs.unlinkSync("/proc/meminfo")),
  ];

  it.skipIf(missing !== undefined)("may the same", () => {
    const fs = fsWithProc();
    const user = fs.kernel.task({ uid: 65_534, gid: 65_534 });
    user.openSync("/proc/meminfo", "r");
    const theirs = asHostUser((root) => asked(nodeFs as unknown as Fs, root));
    assert.deepEqual(asked(user as unknown as Fs, "1"), theirs);
  });

  /** Calls as nobody, in the directory `/`, on a process that is root's. */
  function asHostUser<T>(work: (root: string) => T): T {
    const cwd = process.cwd();
    process.chdir("/");
    process.setegid?.(65_534);
    process.seteuid?.(65_534);
    try {
      return work("1");
    } finally {
      process.seteuid?.(0);
      process.setegid?.(0);
      process.chdir(cwd);
    }
  }
});
