/** Which of atime, mtime and ctime each call changes, and utimes(2). atime as relatime has it. */
import assert from "node:assert/strict";
import { constants } from "node:fs";
import type { NodeFs } from "./subject.ts";
import { type Create, type It, timesChangedBy, waitForClock, withOpen } from "./suite.ts";

type Call = (fs: NodeFs, path: string) => unknown;

function through(flags: string | number, call: (fs: NodeFs, fd: number) => unknown): Call {
  return (fs, path) => withOpen(fs, path, flags, (fd) => call(fs, fd));
}

/** What happens to a file of 12 bytes, by what is done with it. */
const FILE_CALLS: Record<string, readonly [changed: string, call: Call]> = {
  "open for reading": ["", through("r", () => {})],
  "open for writing": ["", through("r+", () => {})],
  "open with O_TRUNC": ["mtime ctime", through("w", () => {})],
  read: ["atime", through("r", (fs, fd) => fs.readSync(fd, Buffer.alloc(4)))],
  "read of nothing": ["", through("r", (fs, fd) => fs.readSync(fd, Buffer.alloc(0)))],
  "read at the end": ["atime", through("r", (fs, fd) => fs.readSync(fd, Buffer.alloc(4), 0, 4, 100))],
  "read with O_NOATIME": ["", through(constants.O_NOATIME, (fs, fd) => fs.readSync(fd, Buffer.alloc(4)))],
  readFile: ["atime", (fs, path) => fs.readFileSync(path)],
  write: ["mtime ctime", through("r+", (fs, fd) => fs.writeSync(fd, "x"))],
  "write of nothing": ["", through("r+", (fs, fd) => fs.writeSync(fd, Buffer.alloc(0)))],
  append: ["mtime ctime", (fs, path) => fs.appendFileSync(path, "x")],
  writeFile: ["mtime ctime", (fs, path) => fs.writeFileSync(path, "other")],
  truncate: ["mtime ctime", (fs, path) => fs.truncateSync(path, 3)],
  "truncate to the same size": ["mtime ctime", (fs, path) => fs.truncateSync(path, 12)],
  ftruncate: ["mtime ctime", through("r+", (fs, fd) => fs.ftruncateSync(fd, 3))],
  chmod: ["ctime", (fs, path) => fs.chmodSync(path, 0o600)],
  "chmod to the same mode": ["ctime", (fs, path) => fs.chmodSync(path, 0o644)],
  chown: ["ctime", (fs, path) => fs.chownSync(path, 1, 1)],
  "chown of nothing": ["ctime", (fs, path) => fs.chownSync(path, -1, -1)],
  link: ["ctime", (fs, path) => fs.linkSync(path, `${path}-link`)],
  rename: ["ctime", (fs, path) => [fs.renameSync(path, `${path}-new`), fs.linkSync(`${path}-new`, path)]],
  utimes: ["atime mtime ctime", (fs, path) => fs.utimesSync(path, 5, 6)],
  "utimes to the same": ["ctime", (fs, path) => fs.utimesSync(path, 1e9, 1e9)],
  stat: ["", (fs, path) => fs.statSync(path)],
  access: ["", (fs, path) => fs.accessSync(path)],
  fsync: ["", through("r+", (fs, fd) => fs.fsyncSync(fd))],
  "copyFile from": ["atime", (fs, path) => fs.copyFileSync(path, `${path}-copy`)],
  realpath: ["", (fs, path) => fs.realpathSync.native(path)],
};

const NEW_ENTRY: Record<string, Call> = {
  create: (fs, path) => fs.writeFileSync(`${path}/new`, ""),
  mkdir: (fs, path) => fs.mkdirSync(`${path}/new`),
  symlink: (fs, path) => fs.symlinkSync("x", `${path}/new`),
  link: (fs, path) => fs.linkSync(`${path}/file`, `${path}/new`),
  unlink: (fs, path) => fs.unlinkSync(`${path}/file`),
  rmdir: (fs, path) => fs.rmdirSync(`${path}/sub`),
  rename: (fs, path) => fs.renameSync(`${path}/file`, `${path}/new`),
};

export function timesSuite(create: Create, it: It): void {
  for (const [name, [changed, call]] of Object.entries(FILE_CALLS)) {
    it(`on a file: ${name}`, () => {
      const { fs, root } = create();
      fs.writeFileSync(`${root}/f`, "hello world\n", { mode: 0o644 });
      assert.equal(
        timesChangedBy(fs, `${root}/f`, () => call(fs, `${root}/f`)),
        changed,
      );
    });
  }

  for (const [name, call] of Object.entries(NEW_ENTRY)) {
    it(`on the directory: ${name}`, () => {
      const { fs, root } = create();
      fs.mkdirSync(`${root}/d/sub`, { recursive: true });
      fs.writeFileSync(`${root}/d/file`, "");
      assert.equal(
        timesChangedBy(fs, `${root}/d`, () => call(fs, `${root}/d`)),
        "mtime ctime",
      );
    });
  }

  it("leaves the directory alone when a file in it changes", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "");
    assert.equal(
      timesChangedBy(fs, `${root}/d`, () => fs.writeFileSync(`${root}/d/f`, "more")),
      "",
    );
  });

  it("moves atime once, and again only after a write or a day (relatime)", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    const atime = (): bigint => {
      waitForClock();
      fs.readFileSync(`${root}/f`);
      return fs.statSync(`${root}/f`, { bigint: true }).atimeNs;
    };
    const first = atime();
    assert.equal(atime(), first);
    fs.writeFileSync(`${root}/f`, "y");
    const second = atime();
    assert(second > first);
    const [ahead, recent, old] = [Date.now() / 1000 + 1000, Date.now() / 1000 - 3600, Date.now() / 1000 - 90_000];
    fs.utimesSync(`${root}/f`, ahead, recent);
    const kept = fs.statSync(`${root}/f`, { bigint: true }).atimeNs;
    assert.equal(atime(), kept);
    fs.utimesSync(`${root}/f`, old, old - 1000);
    assert(atime() > second);
  });

  it("gives a new file one time for all four", () => {
    const { fs, root } = create();
    fs.closeSync(fs.openSync(`${root}/f`, "w"));
    const { atimeNs, birthtimeNs, ctimeNs, mtimeNs } = fs.statSync(`${root}/f`, { bigint: true });
    assert.equal(mtimeNs, atimeNs);
    assert.equal(ctimeNs, atimeNs);
    assert.equal(birthtimeNs, atimeNs);
    const now = BigInt(Date.now()) * 1_000_000n;
    assert(atimeNs > now - 5_000_000_000n && atimeNs <= now + 1_000_000_000n);
  });

  it("keeps the time of birth", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    const { birthtimeNs } = fs.statSync(`${root}/f`, { bigint: true });
    waitForClock();
    fs.writeFileSync(`${root}/f`, "x");
    fs.utimesSync(`${root}/f`, 1, 1);
    fs.renameSync(`${root}/f`, `${root}/g`);
    assert.equal(fs.statSync(`${root}/g`, { bigint: true }).birthtimeNs, birthtimeNs);
  });

  it("never goes back", () => {
    const { fs, root } = create();
    let last = 0n;
    for (let i = 0; i < 100; i++) {
      fs.writeFileSync(`${root}/f`, String(i));
      const { mtimeNs } = fs.statSync(`${root}/f`, { bigint: true });
      assert(mtimeNs >= last);
      last = mtimeNs;
    }
  });

  it("sets times before 1970, after 2038 and after 2106", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    for (const seconds of [-1, -86_400 * 365 * 50, 0, 2 ** 31, 2 ** 32 + 5, 2 ** 33]) {
      // As dates: node:fs takes negative numbers for now.
      fs.utimesSync(`${root}/f`, new Date(seconds * 1000), new Date(seconds * 1000));
      const { atimeNs, mtimeNs } = fs.statSync(`${root}/f`, { bigint: true });
      assert.equal(atimeNs, BigInt(seconds) * 1_000_000_000n, String(seconds));
      assert.equal(mtimeNs, BigInt(seconds) * 1_000_000_000n, String(seconds));
    }
  });

  it("follows links with utimes, and does not with lutimes", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("f", `${root}/l`);
    fs.utimesSync(`${root}/l`, 1, 2);
    fs.lutimesSync(`${root}/l`, 3, 4);
    assert.equal(fs.statSync(`${root}/f`).mtimeMs, 2000);
    assert.equal(fs.lstatSync(`${root}/l`).mtimeMs, 4000);
  });
}
