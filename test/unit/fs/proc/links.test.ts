/** Links to places: descriptors, working and root directories; how walks go through them. By the host's where it has the same. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type FolioFs, MS_BIND } from "../../../../src/index.ts";
import { fsWithProc, missingForHostProc, outcomeOf } from "../../../helpers/proc-mount.ts";

type Fs = Pick<FolioFs, keyof typeof nodeFs & keyof FolioFs>;

const missing = missingForHostProc();
let folder: string;

beforeAll(() => {
  folder = nodeFs.mkdtempSync("/dev/shm/foliofs-links-");
});
afterAll(() => nodeFs.rmSync(folder, { recursive: true }));

/** Is the same done on both sides? Descriptors, whose numbers differ, and the folder go by a name in what is compared. */
function same(name: string, call: (fs: Fs, dir: string) => unknown): void {
  it.skipIf(missing !== undefined)(name, () => {
    const fs = fsWithProc();
    const dir = nodeFs.mkdtempSync(`${folder}/`);
    const ours = outcomeOf(() => call(fs, "/tmp")).replaceAll("/tmp", "DIR");
    assert.equal(ours, outcomeOf(() => call(nodeFs as unknown as Fs, dir)).replaceAll(dir, "DIR"));
    fs.kernel.verify();
  });
}

const link = (fd: number) => `/proc/self/fd/${fd}`;

describe("links of descriptors", () => {
  same("show the path, and for what they are open", (fs, dir) => {
    fs.writeFileSync(`${dir}/f`, "");
    return ["r", "w", "r+", "a", "a+", "wx"].map((flags) => {
      const path = flags === "wx" ? `${dir}/new` : `${dir}/f`;
      const fd = fs.openSync(path, flags);
      const { mode, size } = fs.lstatSync(link(fd));
      const shown = [
        fs.readlinkSync(link(fd)),
        mode.toString(8),
        size,
        fs.readdirSync("/proc/self/fd").includes(`${fd}`),
      ];
      fs.closeSync(fd);
      return [...shown, outcomeOf(() => fs.readlinkSync(link(fd)))];
    });
  });

  same("follow renames, and say what is deleted", (fs, dir) => {
    fs.mkdirSync(`${dir}/d`);
    const fd = fs.openSync(`${dir}/d/f`, "w+");
    const seen: string[] = [];
    const look = () => seen.push(fs.readlinkSync(link(fd)));
    look();
    fs.renameSync(`${dir}/d`, `${dir}/e`);
    look();
    fs.renameSync(`${dir}/e/f`, `${dir}/g`);
    look();
    fs.unlinkSync(`${dir}/g`);
    look();
    fs.writeFileSync(`${dir}/g`, "");
    look();
    const dirFd = fs.openSync(`${dir}/e`, "r");
    fs.rmdirSync(`${dir}/e`);
    seen.push(fs.readlinkSync(link(dirFd)));
    fs.closeSync(fd);
    fs.closeSync(dirFd);
    return seen;
  });

  same("open the file again, whatever has become of its name", (fs, dir) => {
    const fd = fs.openSync(`${dir}/f`, "w+");
    fs.writeSync(fd, "first");
    fs.unlinkSync(`${dir}/f`);
    fs.writeFileSync(`${dir}/f`, "other");
    fs.writeFileSync(`${dir}/f (deleted)`, "decoy");
    const again = fs.openSync(link(fd), "r+");
    fs.writeSync(again, "F");
    const { nlink, size } = fs.statSync(link(fd));
    const seen: unknown[] = [fs.readFileSync(link(fd), "utf8"), nlink, size, fs.readFileSync(`${dir}/f`, "utf8")];
    fs.truncateSync(link(fd), 2);
    fs.appendFileSync(link(fd), "nd");
    seen.push(fs.readFileSync(link(again), "utf8"), fs.existsSync(link(fd)));
    fs.writeFileSync(link(fd), "whole");
    fs.chmodSync(link(fd), 0o640);
    seen.push(fs.readFileSync(fd, "utf8"), fs.fstatSync(fd).mode.toString(8));
    fs.closeSync(fd);
    fs.closeSync(again);
    return seen;
  });

  same("have each opening its own position and flags", (fs, dir) => {
    fs.writeFileSync(`${dir}/f`, "abcdef");
    const fd = fs.openSync(`${dir}/f`, "r");
    const buffer = Buffer.alloc(2);
    fs.readSync(fd, buffer);
    const again = fs.openSync(link(fd), "r+");
    fs.readSync(again, buffer);
    const seen = [String(buffer), outcomeOf(() => fs.writeSync(again, "X")), fs.readFileSync(`${dir}/f`, "utf8")];
    fs.closeSync(fd);
    fs.closeSync(again);
    return seen;
  });

  same("end paths, or go on through directories", (fs, dir) => {
    fs.mkdirSync(`${dir}/d/e`, { recursive: true });
    fs.writeFileSync(`${dir}/d/e/f`, "deep");
    const [d, f] = [fs.openSync(`${dir}/d`, "r"), fs.openSync(`${dir}/d/e/f`, "r")];
    fs.symlinkSync(link(d), `${dir}/to-d`);
    fs.symlinkSync(`${link(d)}//e/`, `${dir}/to-e`);
    fs.symlinkSync(link(f), `${dir}/to-f`);
    fs.symlinkSync(`${link(f)}/`, `${dir}/to-f-slash`);
    const paths = [
      link(d),
      `${link(d)}/`,
      `${link(d)}/e`,
      `${link(d)}//e//f`,
      `${link(d)}/e/f/`,
      `${link(d)}/e/../../d`,
    ];
    paths.push(
      `${link(d)}/..`,
      `${link(d)}/.`,
      `${link(d)}/nothing`,
      link(f),
      `${link(f)}/`,
      `${link(f)}/.`,
      `${link(f)}/x`,
    );
    paths.push(`${dir}/to-d`, `${dir}/to-d/`, `${dir}/to-d/e/f`, `${dir}/to-e`, `${dir}/to-e/f`, `${dir}/to-e/../../d`);
    paths.push(`${dir}/to-f`, `${dir}/to-f/`, `${dir}/to-f-slash`, `${dir}/to-f/x`);
    const kind = (path: string) => (fs.statSync(path).isDirectory() ? `dir ${fs.readdirSync(path)}` : "file");
    const seen = paths.map((path) => outcomeOf(() => kind(path).replaceAll(/\d+/g, "n")));
    seen.push(
      ...paths.map((path) => outcomeOf(() => fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY) > 0)),
    );
    return seen;
  });

  same("are made into, taken away from, and moved from", (fs, dir) => {
    fs.mkdirSync(`${dir}/d`);
    const d = fs.openSync(`${dir}/d`, "r");
    fs.writeFileSync(`${link(d)}/new`, "1");
    fs.mkdirSync(`${link(d)}/sub`);
    fs.renameSync(`${link(d)}/new`, `${link(d)}/sub/moved`);
    const seen = [fs.readdirSync(`${dir}/d`), fs.readdirSync(`${dir}/d/sub`)];
    fs.unlinkSync(`${link(d)}/sub/moved`);
    fs.rmdirSync(`${link(d)}/sub`);
    seen.push(fs.readdirSync(link(d)));
    fs.rmdirSync(`${dir}/d`);
    seen.push([outcomeOf(() => fs.writeFileSync(`${link(d)}/x`, "")), outcomeOf(() => fs.readdirSync(link(d)))]);
    fs.closeSync(d);
    return seen;
  });

  same("are no names themselves", (fs, dir) => {
    const fd = fs.openSync(`${dir}/f`, "w");
    const { O_RDONLY, O_NOFOLLOW, O_CREAT, O_EXCL } = fs.constants;
    const seen = [
      outcomeOf(() => fs.unlinkSync(link(fd))),
      outcomeOf(() => fs.renameSync(link(fd), `${dir}/g`)),
      outcomeOf(() => fs.openSync(link(fd), O_RDONLY | O_NOFOLLOW)),
      outcomeOf(() => fs.openSync(link(fd), O_CREAT | O_EXCL)),
      outcomeOf(() => fs.closeSync(fs.openSync(link(fd), O_CREAT))),
      outcomeOf(() => fs.lutimesSync(link(fd), 1, 1)),
      outcomeOf(() => fs.realpathSync(link(fd))),
      outcomeOf(() => fs.realpathSync.native(link(fd))),
    ];
    fs.closeSync(fd);
    return seen;
  });

  same("count as links of the walk", (fs, dir) => {
    const d = fs.openSync(dir, "r");
    const through = (nr: number) => link(d) + `/round`.repeat(nr);
    fs.symlinkSync(link(d), `${dir}/round`);
    const seen = [19, 20].map((nr) => outcomeOf(() => fs.statSync(through(nr)).isDirectory()));
    fs.closeSync(d);
    return seen;
  });
});

describe("links of descriptors of another kind", () => {
  it("name what has no path by its type and inode", () => {
    const fs = fsWithProc({ stdio: {} });
    const shown = [0, 1, 2].map((fd) => fs.readlinkSync(link(fd)));
    assert.deepEqual(
      shown,
      [0, 1, 2].map((fd) => `stdio:[${fs.fstatSync(fd).ino}]`),
    );
    assert.deepEqual(
      [0, 1, 2].map((fd) => (fs.lstatSync(link(fd)).mode & 0o777).toString(8)),
      ["500", "300", "300"],
    );
    assert.throws(() => fs.openSync(link(1), "w"), { code: "ENXIO" });
  });

  it("name a file that has never had a name by its number", () => {
    const fs = fsWithProc();
    const { O_RDWR, O_DIRECTORY } = fs.constants;
    const fd = fs.openSync("/tmp", 0o20000000 | O_DIRECTORY | O_RDWR, 0o600);
    fs.writeSync(fd, "nameless");
    assert.equal(fs.readlinkSync(link(fd)), `/tmp/#${fs.fstatSync(fd).ino} (deleted)`);
    assert.equal(fs.readFileSync(link(fd), "utf8"), "nameless");
    fs.closeSync(fd);
  });

  it("name a file that another has replaced as it was called", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/tmp/d");
    for (const name of ["old", "o".repeat(255)]) {
      const fd = fs.openSync(`/tmp/${name}`, "w");
      fs.writeFileSync("/tmp/d/new", "");
      fs.renameSync("/tmp/d/new", `/tmp/${name}`);
      assert.equal(fs.readlinkSync(link(fd)), `/tmp/${name} (deleted)`);
      fs.kernel.verify();
      fs.closeSync(fd);
    }
    fs.rmdirSync("/tmp/d");
    fs.kernel.verify();
  });

  it("keep names that are no UTF-8", () => {
    const fs = fsWithProc();
    const name = Buffer.from("/tmp/\xff\xfe", "latin1");
    const fd = fs.openSync(name, "w");
    assert.deepEqual(fs.readlinkSync(link(fd), "buffer"), name);
  });

  it("go where the descriptor leads now, open as it is now", () => {
    const fs = fsWithProc();
    for (const name of ["a", "b"]) fs.writeFileSync(`/tmp/${name}`, name);
    const fd = fs.openSync("/tmp/a", "r");
    assert.equal(fs.readFileSync(link(fd), "utf8"), "a");
    assert.equal(fs.lstatSync(link(fd)).mode & 0o777, 0o500);
    fs.closeSync(fd);
    assert.equal(fs.openSync("/tmp/b", "r+"), fd);
    assert.equal(fs.readFileSync(link(fd), "utf8"), "b");
    assert.equal(fs.lstatSync(link(fd)).mode & 0o777, 0o700);
    fs.closeSync(fd);
  });

  it("lead under what has been mounted meanwhile", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/m");
    fs.writeFileSync("/m/f", "below");
    const [f, m] = [fs.openSync("/m/f", "r"), fs.openSync("/m", "r")];
    fs.kernel.mount({ type: "ramfs", target: "/m" });
    fs.writeFileSync("/m/f", "above");
    assert.equal(fs.readFileSync(link(f), "utf8"), "below");
    assert.equal(fs.readFileSync(`${link(m)}/f`, "utf8"), "below");
    assert.equal(fs.readFileSync("/m/f", "utf8"), "above");
    fs.closeSync(f);
    fs.closeSync(m);
  });

  it("lead to what is out of the tree", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "ramfs", target: "/m" });
    fs.mkdirSync("/m/d");
    fs.writeFileSync("/m/d/f", "detached");
    const d = fs.openSync("/m/d", "r");
    fs.kernel.umount("/m", { detach: true });
    assert.equal(fs.readFileSync(`${link(d)}/f`, "utf8"), "detached");
    assert.equal(fs.readlinkSync(link(d)), "/d");
    fs.closeSync(d);
    assert.throws(() => fs.readFileSync(`${link(d)}/f`), { code: "ENOENT" });
  });

  it("show nothing of a path that has left its mount, as on Linux", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/a/d", { recursive: true });
    fs.mkdirSync("/m");
    fs.kernel.mount({ source: "/a/d", target: "/m", flags: MS_BIND });
    const fd = fs.openSync("/m/f", "w");
    assert.equal(fs.readlinkSync(link(fd)), "/m/f");
    fs.renameSync("/a/d/f", "/a/f");
    assert.equal(fs.readlinkSync(link(fd)), "/");
    assert.ok(fs.statSync(link(fd)).isFile());
    fs.closeSync(fd);
  });

  it("wait in promise calls, and are seen by callbacks", async () => {
    const fs = fsWithProc();
    const fd = fs.openSync("/tmp/f", "w+");
    fs.unlinkSync("/tmp/f");
    await fs.promises.writeFile(link(fd), "by promise");
    assert.equal(await fs.promises.readFile(link(fd), "utf8"), "by promise");
    const text = await new Promise((done) => fs.readFile(link(fd), "utf8", (_error, data) => done(data)));
    assert.equal(text, "by promise");
    fs.closeSync(fd);
  });
});

describe("cwd and root", () => {
  it("lead to the task's directories, whatever their names", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/home/u", { recursive: true });
    fs.writeFileSync("/home/u/f", "mine");
    const task = fs.kernel.task({ cwd: "/home/u" });
    const pid = task.readlinkSync("/proc/self");
    assert.equal(task.readlinkSync("/proc/self/cwd"), "/home/u");
    assert.equal(fs.readFileSync(`/proc/${pid}/cwd/f`, "utf8"), "mine");
    fs.renameSync("/home", "/house");
    assert.equal(fs.readlinkSync(`/proc/${pid}/cwd`), "/house/u");
    assert.deepEqual(fs.readdirSync(`/proc/${pid}/cwd`), ["f"]);
    assert.deepEqual(fs.readdirSync(`/proc/${pid}/cwd/..`), ["u"]);
    fs.unlinkSync("/house/u/f");
    fs.rmdirSync("/house/u");
    assert.equal(fs.readlinkSync(`/proc/${pid}/cwd`), "/house/u (deleted)");
    assert.equal(fs.statSync(`/proc/${pid}/cwd`).isDirectory(), true);
  });

  it("are seen from where one stands", () => {
    const fs = fsWithProc();
    fs.mkdirSync("/jail/proc", { recursive: true });
    fs.mkdirSync("/jail/in");
    fs.kernel.mount({ source: "/proc", target: "/jail/proc", flags: MS_BIND });
    const jailed = fs.kernel.task({ root: "/jail", cwd: "/in" });
    const pid = jailed.readlinkSync("/proc/self");
    assert.equal(jailed.readlinkSync("/proc/self/root"), "/");
    assert.equal(jailed.readlinkSync("/proc/self/cwd"), "/in");
    assert.equal(fs.readlinkSync(`/proc/${pid}/root`), "/jail");
    assert.equal(fs.readlinkSync(`/proc/${pid}/cwd`), "/jail/in");
    assert.deepEqual(
      jailed.readdirSync("/proc/1/root"),
      fs.readdirSync("/"),
      "a root may leave its jail by proc, as on Linux",
    );
    const user = fs.kernel.task({ root: "/jail", uid: 1000 });
    assert.throws(() => user.readdirSync("/proc/1/root"), { code: "EACCES" });
  });
});
