/** A memory that is full to its limit: what a file system cannot take is ENOSPC, whoever asks and in whichever form. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { O_CREAT, O_TMPFILE, O_WRONLY, RENAME_WHITEOUT, S_IFIFO } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const LONG = "l".repeat(240);

/** A file system without a free frame, and without a free place for a name, an inode, a link's target or a piece of a tree. */
function full(): FolioFs {
  const fs = createFsSync({ memoryLimit: 8 * 2 ** 20 });
  fs.mkdirSync("/d");
  fs.writeFileSync("/d/file", "");
  fs.writeFileSync("/d/data", Buffer.alloc(4096));
  const fd = fs.openSync("/d/data", "r+");
  const until = (make: (i: number) => void): void => {
    for (let i = 0, failures = 0; failures < 2; i++) if (outcomeOf(() => make(i)) !== "ok") failures++;
  };
  until((i) => fs.writeSync(fd, Buffer.alloc(2 ** 20), 0, 2 ** 20, i * 2 ** 20));
  until((i) => fs.linkSync("/d/file", `/d/${LONG}${i}`));
  until((i) => fs.mkdirSync(`/d/x${i}`));
  until((i) => fs.symlinkSync("t".repeat(1000), `/d/s${i}`));
  until((i) => fs.symlinkSync("t".repeat(2000), `/d/S${i}`));
  until((i) => fs.linkSync("/d/file", `/d/y${i}`));
  fs.closeSync(fd);
  return fs;
}

type Call = (fs: FolioFs) => unknown;

const SYNC: Record<string, Call> = {
  mkdir: (fs) => fs.mkdirSync("/new"),
  "mkdir -p": (fs) => fs.mkdirSync("/a/b/c", { recursive: true }),
  "mkdir -p of bytes": (fs) => fs.mkdirSync(Buffer.from("a/b"), { recursive: true }),
  "mkdir -p below what is there": (fs) => fs.mkdirSync("/d/new/newer", { recursive: true }),
  mkdtemp: (fs) => fs.mkdtempSync("/tmp-"),
  open: (fs) => fs.openSync("/new", "w"),
  O_TMPFILE: (fs) => fs.openSync("/", O_TMPFILE | O_WRONLY),
  "open through a link": (fs) => fs.openSync("/d/../new", O_CREAT),
  writeFile: (fs) => fs.writeFileSync("/new", "text"),
  "writeFile of nothing": (fs) => fs.writeFileSync("/new", ""),
  appendFile: (fs) => fs.appendFileSync("/d/file", "text"),
  copyFile: (fs) => fs.copyFileSync("/d/file", "/new"),
  symlink: (fs) => fs.symlinkSync("target", "/new"),
  link: (fs) => fs.linkSync("/d/file", "/new"),
  "link, long": (fs) => fs.linkSync("/d/file", `/${LONG}`),
  "rename to a long name": (fs) => fs.renameSync("/d/file", `/${LONG}`),
  whiteout: (fs) => fs.renameat2Sync("/d/file", "/d/other", RENAME_WHITEOUT),
  mknod: (fs) => fs.mknodSync("/new", S_IFIFO | 0o600),
};

const LATER: Record<string, (fs: FolioFs) => Promise<unknown>> = {
  mkdir: (fs) => fs.promises.mkdir("/new"),
  "mkdir -p": (fs) => fs.promises.mkdir("/a/b/c", { recursive: true }),
  open: (fs) => fs.promises.open("/new", "w"),
  writeFile: (fs) => fs.promises.writeFile("/new", "text"),
  symlink: (fs) => fs.promises.symlink("target", "/new"),
  link: (fs) => fs.promises.link("/d/file", "/new"),
  "mkdir -p, callback": (fs) =>
    new Promise((resolve, reject) =>
      fs.mkdir("/a/b", { recursive: true }, (error, made) => (error ? reject(error) : resolve(made))),
    ),
};

describe("a full memory", () => {
  for (const [name, call] of Object.entries(SYNC)) {
    it(`is ENOSPC, and nothing has changed: ${name}`, () => {
      const fs = full();
      const before = [fs.readdirSync("/"), fs.readdirSync("/d")];
      assert.equal(
        outcomeOf(() => call(fs)),
        "ENOSPC",
      );
      assert.deepEqual([fs.readdirSync("/"), fs.readdirSync("/d")], before);
      fs.kernel.verify();
    });
  }

  for (const [name, call] of Object.entries(LATER)) {
    it(`is ENOSPC later, too: ${name}`, async () => {
      await assert.rejects(call(full()), { code: "ENOSPC" });
    });
  }

  it("is ENOMEM for what a process has: descriptors, tasks, locks", () => {
    const fs = full();
    const opened = (): void => {
      for (;;) fs.openSync("/d/file", "r");
    };
    assert.equal(outcomeOf(opened), "ENOMEM");
    const tasks = (): void => {
      for (;;) fs.kernel.task({ groups: Array.from({ length: 500 }, (_, i) => i) });
    };
    assert.equal(outcomeOf(tasks), "ENOMEM");
  });

  it("takes names again when some are gone", () => {
    const fs = full();
    for (const name of fs.readdirSync("/d")) if (name.startsWith("x")) fs.rmdirSync(`/d/${name}`);
    assert.equal(fs.mkdirSync("/a/b/c", { recursive: true }), "/a");
  });
});
